//! The schemas of fields. The limits are those of the parsers.

use std::ops::RangeInclusive;

use bookly_shared::domain::email_address::MAX_ADDRESS_BYTES;
use bookly_shared::domain::{Password, PersonName, Role, Username};
use bookly_shared::locale::LanguageTag;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Content, Schema};

/// Everything except control characters (Unicode Cc), line separators and direction changes.
const ONE_LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$";

/// What every language tag matches; not everything that matches is one.
const LANGUAGE_TAG: &str = "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$";
/// The shortest one, in characters.
const SHORTEST_TAG: usize = 2;

/// A field of a query.
pub(crate) fn in_query(name: &str, schema: Object, about: &str) -> Parameter {
    let field = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
    field.schema(Some(schema)).description(Some(about)).build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A text that [`crate::extract::Fields`] accepts.
fn one_line() -> ObjectBuilder {
    text().pattern(Some(ONE_LINE))
}

/// A text on one line.
pub(crate) fn line(chars: RangeInclusive<usize>, example: &str) -> Object {
    let text = one_line().min_length(Some(*chars.start())).max_length(Some(*chars.end()));
    text.examples([example]).build()
}

pub(crate) fn first_name() -> Object {
    line(1..=PersonName::MAX_CHARS, "Zoë")
}

pub(crate) fn last_name() -> Object {
    line(1..=PersonName::MAX_CHARS, "Smith")
}

pub(crate) fn username() -> Object {
    line(1..=Username::MAX_CHARS, "zoe")
}

/// A language tag (BCP 47), or null for none.
pub(crate) fn locale_or_null() -> Object {
    let tag =
        text().schema_type(SchemaType::from_iter([Type::String, Type::Null])).pattern(Some(LANGUAGE_TAG));
    tag.min_length(Some(SHORTEST_TAG)).max_length(Some(LanguageTag::MAX_BYTES)).examples(["pt-BR"]).build()
}

/// A language tag, or null where no language is known.
pub(crate) fn stored_locale() -> Object {
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(types).examples(["pt-BR"]).build()
}

/// An email address.
pub(crate) fn email() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Email);
    one_line().format(Some(format)).max_length(Some(MAX_ADDRESS_BYTES)).examples(["zoe@example.org"]).build()
}

/// A new password.
pub(crate) fn new_password() -> Object {
    let mut schema = line(Password::MIN_CHARS..=Password::MAX_CHARS, "a tree in the 3rd garden");
    schema.format = Some(SchemaFormat::KnownFormat(KnownFormat::Password));
    schema.description = Some("Common passwords are refused".into());
    schema
}

/// The password of a login: any text, because an invalid password is a wrong one.
pub(crate) fn password() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Password);
    one_line().format(Some(format)).examples(["a tree in the 3rd garden"]).build()
}

/// The address of a login: any text, for the same reason.
pub(crate) fn login_email() -> Object {
    one_line().examples(["zoe@example.org"]).build()
}

pub(crate) fn role() -> Object {
    text().enum_values(Some([Role::Admin, Role::User].map(Role::as_str))).build()
}

/// The code of an email.
pub(crate) fn code() -> Object {
    let schema = text().description(Some("8 digits, with or without blanks and hyphens"));
    schema.examples(["1234 5678"]).build()
}

/// A list of addresses.
pub(crate) fn addresses(count: RangeInclusive<usize>) -> Array {
    ArrayBuilder::new().items(email()).min_items(Some(*count.start())).max_items(Some(*count.end())).build()
}

/// A whole number.
pub(crate) fn integer(bounds: &RangeInclusive<i64>, example: i64) -> Object {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.minimum(Some(*bounds.start())).maximum(Some(*bounds.end())).examples([example]).build()
}

/// A day.
pub(crate) fn date() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Date);
    text().format(Some(format)).examples(["2024-12-31"]).build()
}

/// One of these words.
pub(crate) fn one_of(words: &[&'static str]) -> Object {
    text().enum_values(Some(words.to_vec())).build()
}

/// A time.
pub(crate) fn time() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    text().format(Some(format)).examples(["2026-11-23T15:00:00Z"]).build()
}

/// An id.
pub(crate) fn id() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    text().format(Some(format)).examples(["0193bd5a-7e5c-7d1b-bcc4-4a9e2f37b6d1"]).build()
}

/// A page.
pub(crate) fn page() -> Content {
    Content::new(Some(text().build()))
}

/// A header of an error.
pub(crate) fn header(name: &str) -> Schema {
    let schema = match name {
        "retry-after" => ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
        _ => text(),
    };
    schema.build().into()
}

/// What it is for.
pub(crate) fn header_description(name: &str) -> &'static str {
    match name {
        "retry-after" => "Seconds to wait",
        "www-authenticate" => "The scheme of the credentials",
        "connection" => "`close`: the connection ends with this answer",
        _ => "See HTTP",
    }
}
