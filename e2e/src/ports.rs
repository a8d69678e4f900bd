//! Free ports that stay free until a server takes them.

use std::net::TcpListener;

use anyhow::bail;

/// Below Linux' ephemeral ports, which begin at 32768: no outgoing connection takes one of these meanwhile.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// A port on 127.0.0.1 that nobody listens on.
///
/// # Errors
/// When a hundred tries find none.
pub fn free() -> anyhow::Result<u16> {
    for _ in 0..100 {
        // A random UUID is the random number that is at hand.
        let random = uuid::Uuid::new_v4().as_u128();
        let width = u128::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(random % width)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between {} and {}", RANGE.start, RANGE.end)
}
