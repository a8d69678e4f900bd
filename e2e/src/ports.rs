//! Free ports that stay free until a server listens on them.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::ops::Range;

use anyhow::bail;
use parking_lot::Mutex;

/// Below Linux' ephemeral ports, which begin at 32768, so that no outgoing connection uses one of these.
const RANGE: Range<u16> = 15_000..32_000;
/// Tests that run at the same time use different parts of the range, by their nextest slot. Otherwise another test could
/// use a port between the check and the start of the server.
const PARTS: u16 = 16;
const SLOT: &str = "NEXTEST_TEST_GLOBAL_SLOT";

/// The ports that this process has got already.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A free port on 127.0.0.1.
pub fn free() -> anyhow::Result<u16> {
    for _ in 0..100 {
        // A random number without another dependency.
        let random = uuid::Uuid::new_v4().as_u128();
        let range = range();
        let port = range.start + u16::try_from(random % u128::from(range.end - range.start))?;
        let is_new = GIVEN.lock().insert(port);
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
