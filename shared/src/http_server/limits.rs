//! What the server allows its clients.

use std::time::Duration;

/// How long clients may take, and how many connections they may have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the headers of a request; also how long a connection may be silent between two requests.
    pub headers: Duration,
    /// For writing one answer, until the kernel has taken all of it. A client that goes on taking it gets more time, by
    /// `answer_bytes_per_second`; one that takes nothing for as long does not.
    pub answer: Duration,
    /// The slowest that a client may take a long answer, in bytes per second; at least 1.
    pub answer_bytes_per_second: u32,
    /// For a connection. After it the request under way is finished, and no other one is read.
    pub connection: Duration,
    /// For the requests that are under way when the server stops.
    pub finish: Duration,
    /// Connections at a time. Beyond it they wait unaccepted, in the kernel's queue.
    pub connections: usize,
    /// Connections of one client (an IPv4 address or an IPv6 /64), once three quarters of `connections` are taken.
    pub connections_per_client: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            headers: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            // A slow mobile network has more. The longest answer, the documentation's script of 1.4 MB, takes 6 minutes.
            answer_bytes_per_second: 4 * 1024,
            connection: Duration::from_secs(600),
            finish: Duration::from_secs(30),
            // Below the 1,024 descriptors that many systems give a process, with room for the database's.
            connections: 900,
            connections_per_client: 64,
        }
    }
}
