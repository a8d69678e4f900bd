//! Types that cannot be wrong.
