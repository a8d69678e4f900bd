//! The variants of an enum, and the error for a text that is the name of none.

use thiserror::Error;

/// The text is the name of no variant. The error says which names there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct UnknownName(pub(super) &'static str);

/// The variants that strum lists, as an array.
pub(crate) const fn all<T: Copy, const N: usize>(variants: &[T]) -> [T; N] {
    match variants.first_chunk() {
        Some(all) => *all,
        None => panic!("strum counts the variants that it lists"),
    }
}

/// For rows: sqlx decodes a column of text by `TryFrom<String>`.
macro_rules! read_from_rows {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = <$name as std::str::FromStr>::Err;

            fn try_from(name: String) -> Result<Self, Self::Error> {
                name.parse()
            }
        }
    };
}
pub(super) use read_from_rows;

#[cfg(test)]
mod tests {
    use crate::domain::{EmailState, JwtAlgorithm, Role, SuppressionReason};

    #[test]
    fn an_unknown_name_is_refused_with_the_names_that_there_are() {
        let error = "lost".parse::<EmailState>().unwrap_err().to_string();
        assert!(EmailState::ALL.iter().all(|state| error.contains(state.as_str())), "{error}");
        let error = "lost".parse::<SuppressionReason>().unwrap_err().to_string();
        assert!(SuppressionReason::ALL.iter().all(|reason| error.contains(reason.as_str())), "{error}");
        assert_eq!("lost".parse::<Role>().unwrap_err().to_string(), "must be admin or user");
        assert_eq!("lost".parse::<JwtAlgorithm>().unwrap_err().to_string(), "must be HS256, HS384 or HS512");
    }
}
