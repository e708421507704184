//! jsonschema-rs, which comes with Schemathesis: whether a document fits a JSON schema.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::python::Script;

/// A running validator.
#[derive(Debug)]
pub struct Validator(Script);

impl Validator {
    /// Starts it.
    pub fn start() -> Result<Self> {
        Script::start("json_schemas.py").map(Self)
    }

    /// What of a document does not fit a schema, each with its place.
    pub fn errors(&mut self, schema: &Value, document: &Value) -> Result<Vec<String>> {
        let answer = self
            .0
            .ask(&json!({ "schema": schema, "document": document }))?;
        let errors = answer["errors"]
            .as_array()
            .with_context(|| answer.to_string())?;
        let text = |error: &Value| error.as_str().unwrap_or_default().to_owned();
        Ok(errors.iter().map(text).collect())
    }
}
