//! The fields of a body or a query, and all errors in them.

use std::fmt::Display;
use std::ops::RangeInclusive;

use bookly_shared::domain::has_control_characters;
use serde_json::{Map, Value};

use crate::error::{ApiError, FieldError};

/// A request type that can be read from fields. It returns `None` only after an error was recorded. Unknown fields are
/// ignored.
pub trait FromFields: Sized {
    /// Reads every field, then builds the value. See the module's example.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// The values that a client sent, by name, and the errors found so far. It has no `Debug`: it holds passwords.
pub struct Fields {
    values: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// Reads `T` from a JSON value.
    ///
    /// # Errors
    /// [`ApiError::Validation`] with all errors.
    pub fn read_json<T: FromFields>(value: Value) -> Result<T, ApiError> {
        match value {
            Value::Object(values) => Fields { values, errors: Vec::new() }.read(),
            _ => Err(ApiError::field("body", "must be a JSON object")),
        }
    }

    /// Reads `T` from a form's pairs. The last of two equal names counts.
    ///
    /// # Errors
    /// [`ApiError::Validation`] with all errors.
    pub fn read_pairs<T: FromFields>(pairs: impl Iterator<Item = (String, String)>) -> Result<T, ApiError> {
        let values = pairs.map(|(name, value)| (name, Value::String(value))).collect();
        Fields { values, errors: Vec::new() }.read()
    }

    fn read<T: FromFields>(mut self) -> Result<T, ApiError> {
        match T::from_fields(&mut self) {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(ApiError::Validation(self.errors)),
        }
    }

    /// A text of one line that `parse` accepts. The text of its error follows the field's name: "must not be empty".
    pub fn parse<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.parse_owned(name, |text| parse(&text))
    }

    /// The same for a parser that takes the text by value: a password leaves no copy behind.
    pub fn parse_owned<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.take(name)?;
        self.parse_value(name, value, parse)
    }

    /// A text from which `parse` takes characters out that other fields must not have: copied from a mail, a code has
    /// marks of the writing direction around it.
    pub fn parse_pasted<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Value::String(text) = self.take(name)? else { return self.refuse(name, "must be a text") };
        parse(&text).map_err(|error| self.refuse::<T>(name, error)).ok()
    }

    /// A whole number within bounds, also as text, since forms have only texts.
    pub fn integer(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Option<i64> {
        let number = match self.take(name)? {
            // FastAPI's clients may send 12.0.
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) if has_control_characters(&text) => {
                return self.refuse(name, FieldError::ONE_LINE);
            }
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if bounds.contains(&number) => Some(number),
            Some(_) => self.refuse(name, format!("must be between {} and {}", bounds.start(), bounds.end())),
            None => self.refuse(name, "must be a whole number"),
        }
    }

    /// A list of such texts. An error in the third is recorded as `name.2`.
    pub fn list<T, E: Display>(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let Value::Array(items) = self.take(name)? else { return self.refuse(name, "must be a list") };
        if !count.contains(&items.len()) {
            let message = format!("must have between {} and {} entries", count.start(), count.end());
            return self.refuse(name, message);
        }
        let read: Vec<Option<T>> = (items.into_iter().enumerate())
            .map(|(index, item)| {
                let place = format!("{name}.{index}");
                self.parse_value(&place, item, |text| parse(&text))
            })
            .collect();
        read.into_iter().collect()
    }

    /// An optional field: `Some(None)` when it is missing, `None` when it is invalid.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.values.contains_key(name) { read(self, name).map(Some) } else { Some(None) }
    }

    /// Removes a field that is null, as if it were missing. Returns whether there was one.
    pub fn take_null(&mut self, name: &str) -> bool {
        let is_null = self.values.get(name).is_some_and(Value::is_null);
        is_null && self.values.remove(name).is_some()
    }

    /// Removes a field that is an empty text, as if it were missing: browsers send a field that was left empty as an
    /// empty text.
    pub fn take_empty(&mut self, name: &str) {
        if self.values.get(name).is_some_and(|value| value == "") {
            self.values.remove(name);
        }
    }

    /// The fields that are not read yet, as a separate value. Its errors are not recorded here: they are for a later
    /// decision.
    pub fn rest<T: FromFields>(&mut self) -> Result<T, ApiError> {
        Fields { values: std::mem::take(&mut self.values), errors: Vec::new() }.read()
    }

    /// Records an error of a field. Returns `None`.
    pub fn refuse<T>(&mut self, name: &str, message: impl Display) -> Option<T> {
        self.errors.push(FieldError::new(name, message.to_string()));
        None
    }

    fn parse_value<T, E: Display>(
        &mut self,
        name: &str,
        value: Value,
        parse: impl FnOnce(String) -> Result<T, E>,
    ) -> Option<T> {
        let Value::String(text) = value else { return self.refuse(name, "must be a text") };
        if has_control_characters(&text) {
            return self.refuse(name, FieldError::ONE_LINE);
        }
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => self.refuse(name, error),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let value = self.values.remove(name);
        if value.is_none() { self.refuse(name, FieldError::REQUIRED) } else { value }
    }
}

/// A number without a fraction, below 2⁵³, from where a double skips whole numbers.
fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is small enough")]
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}
