//! Where jobs come from and which rows they lead to: listener, fetcher, maintenance.

pub(crate) mod fetcher;
pub(crate) mod listener;
pub(crate) mod maintenance;
