//! From jobs to claimed emails: the listener takes jobs, the fetcher claims due rows, maintenance looks after rows
//! that have no job or no worker.

pub(crate) mod fallback;
pub(crate) mod fetcher;
pub(crate) mod listener;
pub(crate) mod maintenance;
