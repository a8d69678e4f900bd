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
    /// A field that is missing.
    pub const REQUIRED: &str = "is required";
    /// Control characters. It is the same for every field, and comes before any trimming.
    pub const ONE_LINE: &str = "must be one line without control characters";

    /// A field and its problem.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), message: message.into() }
    }
}
