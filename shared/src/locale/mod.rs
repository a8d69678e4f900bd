//! The languages of people: which are shipped, which one a person gets, and the texts, dates and durations in each.

mod catalogue;
mod check;
mod format;
mod literals;
mod messages;
mod tag;

pub use catalogue::{Catalogue, Catalogues, Markup, TextError};
pub use check::CatalogueFinding;
pub use messages::{CatalogueProblem, Messages};
pub use tag::{LanguageTag, LanguageTagError, Locale, NotShipped};
