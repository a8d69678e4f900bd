//! Lists of limited length, and whether there is more: a statement reads one row beyond the limit.

/// The limit of the statement.
pub(crate) fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// The list, and whether there is more.
pub(crate) fn split_off_more<T>(mut rows: Vec<T>, limit: usize) -> (Vec<T>, bool) {
    let more = rows.len() > limit;
    rows.truncate(limit);
    (rows, more)
}
