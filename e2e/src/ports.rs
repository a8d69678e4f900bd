//! Free ports that stay free until a server takes them.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::bail;

/// Below Linux' ephemeral ports, which begin at 32768: no outgoing connection takes one of these meanwhile.
const RANGE: Range<u16> = 15_000..32_000;
/// Tests that run side by side take theirs from different parts of it, by the number that nextest gives each of
/// them: between the look at a port and the server that takes it another test could take it, too.
const PARTS: u16 = 16;
const SLOT: &str = "NEXTEST_TEST_GLOBAL_SLOT";

/// What this process was given already.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port on 127.0.0.1 that nobody listens on.
///
/// # Errors
/// When a hundred tries find none.
pub fn free() -> anyhow::Result<u16> {
    for _ in 0..100 {
        // A random UUID is the random number that is at hand.
        let random = uuid::Uuid::new_v4().as_u128();
        let range = range();
        let port = range.start + u16::try_from(random % u128::from(range.end - range.start))?;
        let is_new = GIVEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        if is_new && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between {} and {}", RANGE.start, RANGE.end)
}

fn range() -> Range<u16> {
    let slot: Option<u16> = std::env::var(SLOT).ok().and_then(|slot| slot.parse().ok());
    let Some(slot) = slot else { return RANGE };
    let width = (RANGE.end - RANGE.start) / PARTS;
    let start = RANGE.start + slot % PARTS * width;
    start..start + width
}
