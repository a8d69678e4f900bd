//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a client that got no answer sends its request again, and
//! gets the answer of the first one.
//!
//! A route has its handler in [`once`]. The handler takes [`AnswerStorer`] and gives the database the answer that is
//! stored in the transaction of its change. Without the header nothing is looked up.
//!
//! The order: limits per client, the bearer's signature, the body's size and type, session and role, the key, the body's
//! fields. An answer from the store counts for the limit per client and for no other. It has the status, the handler's
//! headers and the body of the first answer, and a new `x-request-id`.

mod answer;
mod body_mac;
mod key;
mod layer;
mod sent_body;

pub use body_mac::BodyMacs;

pub(crate) use answer::AnswerStorer;
pub(crate) use key::{IDEMPOTENCY_KEY, IdempotencyKeyHeader};
pub(crate) use layer::once;

#[cfg(test)]
mod tests;
