//! A wrong field of a request.

use serde::Serialize;
use utoipa::ToSchema;

/// A wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name as the client sent it.
    pub field: String,
    /// A sentence that continues the name: "must not be empty".
    pub message: String,
}

impl FieldError {
    /// A field and its problem.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), message: message.into() }
    }
}
