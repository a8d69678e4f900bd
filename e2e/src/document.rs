//! The OpenAPI document of the running service, so that tests over every field of every call include new ones
//! automatically.

use std::collections::BTreeMap;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Map, Value};

use crate::client::{Api, Expect};

/// One call of the API.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    /// The names of parameters are in braces.
    pub path: String,
    pub takes: Takes,
    /// The fields of the body, with their schemas.
    pub fields: BTreeMap<String, Value>,
    /// The names of the fields in the query.
    pub query: Vec<String>,
}

/// The encodings that a body may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takes {
    /// `application/json`.
    pub json: bool,
    /// `application/x-www-form-urlencoded`.
    pub form: bool,
}

/// All calls of the service.
pub async fn operations(api: &Api) -> anyhow::Result<Vec<Operation>> {
    let document = api.get("/openapi.json").expect(200).await?;
    let paths = document["paths"].as_object().context("paths")?;
    let mut operations = Vec::new();
    for (path, item) in paths {
        for (method, call) in item.as_object().context("a path")? {
            let method = method.to_uppercase().parse().context("a method")?;
            operations.push(operation(&document, method, path, call));
        }
    }
    Ok(operations)
}

fn operation(document: &Value, method: Method, path: &str, call: &Value) -> Operation {
    let content = &call["requestBody"]["content"];
    let (json, form) = (&content["application/json"], &content["application/x-www-form-urlencoded"]);
    let parameters = call["parameters"].as_array().into_iter().flatten();
    let query = parameters.filter(|parameter| parameter["in"] == "query");
    Operation {
        method,
        path: path.to_owned(),
        takes: Takes { json: json.is_object(), form: form.is_object() },
        fields: properties(document, &json["schema"]),
        query: query.filter_map(|parameter| Some(parameter["name"].as_str()?.to_owned())).collect(),
    }
}

/// All properties of a schema, through references and compositions.
fn properties(document: &Value, schema: &Value) -> BTreeMap<String, Value> {
    let named = schema["$ref"].as_str().and_then(|name| document.pointer(&name[1..]));
    let parts = schema["allOf"].as_array().into_iter().flatten().chain(named);
    let own = schema["properties"].as_object().cloned().unwrap_or_default();
    parts.flat_map(|part| properties(document, part)).chain(own).collect()
}

/// Whether a schema's type is a text, or a text or null.
fn is_string(kind: &Value) -> bool {
    kind == "string" || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "string"))
}

impl Operation {
    /// The names of the fields with a text or a list of texts.
    pub fn texts(&self) -> Vec<&str> {
        let is_text = |schema: &Value| is_string(&schema["type"]) || is_string(&schema["items"]["type"]);
        self.fields.iter().filter(|(_, schema)| is_text(schema)).map(|(name, _)| name.as_str()).collect()
    }

    /// A valid value of a field: the example of the document, and the first entry of a list.
    pub fn example(&self, field: &str) -> String {
        let schema = self.fields.get(field);
        let examples =
            schema.map(|schema| if schema["items"].is_object() { &schema["items"] } else { schema });
        examples.and_then(|schema| schema["examples"][0].as_str()).unwrap_or_default().to_owned()
    }

    /// A valid body with another text in one field. In a list the text is the only entry.
    pub fn body_with(&self, field: &str, text: &str) -> Map<String, Value> {
        let mut body: Map<String, Value> =
            self.fields.iter().map(|(name, schema)| (name.clone(), schema["examples"][0].clone())).collect();
        body.insert(field.to_owned(), self.value(field, text));
        body
    }

    /// A text as the value of a field, or as the only entry of a list.
    pub fn value(&self, field: &str, text: &str) -> Value {
        let is_list = self.fields.get(field).is_some_and(|schema| schema["items"].is_object());
        if is_list { Value::from(vec![text]) } else { Value::from(text) }
    }

    /// The name of the field in an error about [`value`](Self::value).
    pub fn refused_as(&self, field: &str) -> String {
        let is_list = self.fields.get(field).is_some_and(|schema| schema["items"].is_object());
        if is_list { format!("{field}.0") } else { field.to_owned() }
    }

    /// The path with every parameter replaced.
    pub fn path_with(&self, parameter: &str) -> String {
        let pieces = self.path.split('/').map(|piece| if piece.starts_with('{') { parameter } else { piece });
        let path = pieces.collect::<Vec<_>>().join("/");
        path.strip_prefix(crate::client::BASE).map_or_else(|| format!("/{path}"), str::to_owned)
    }

    /// Whether the path has parameters.
    pub fn has_path_parameter(&self) -> bool {
        self.path.contains('{')
    }
}
