//! The doorbell.
