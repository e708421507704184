//! The OpenAPI document: the table of operations, with the schemas beside it.

use serde_json::{Map, Value, json};

use super::operations::{Gives, Kind, Needs, OPERATIONS, Operation, Parameter, Scope};

/// Schemas of bodies, by name.
const SCHEMAS: &str = include_str!("schemas.json");

/// The document.
pub(crate) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in &OPERATIONS {
        for path in operation.paths() {
            let verb = operation.verb.to_lowercase();
            let described = described(operation, &path);
            let entry = paths.entry(path).or_insert_with(|| json!({}));
            entry[verb] = described;
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tollgate license authority",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

/// The schemas.
pub(crate) fn schemas() -> Value {
    serde_json::from_str(SCHEMAS).expect("the schemas are part of the build and read by a test")
}

fn described(operation: &Operation, path: &str) -> Value {
    let virtual_too = operation.scope == Scope::Both && path.contains("{virtualAccount}");
    let suffix = if virtual_too { "OfVirtualAccount" } else { "" };
    let mut described = json!({
        "operationId": format!("{}{suffix}", operation.id),
        "summary": operation.summary,
        "parameters": parameters(operation, path),
        "responses": responses(operation),
    });
    if let Some(schema) = operation.body {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": reference(schema) } },
        });
    }
    if operation.needs != Needs::Nothing {
        described["security"] = json!([{ "token": [] }]);
    }
    described
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn parameters(operation: &Operation, path: &str) -> Vec<Value> {
    let named = path.split('{').skip(1);
    let named = named.filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    let in_path = named.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    in_path
        .chain(operation.query.iter().map(in_query))
        .collect()
}

fn in_query(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        Kind::Number { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Format => json!({ "type": "string", "enum": ["csv", "json"] }),
    };
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": schema,
    })
}

fn responses(operation: &Operation) -> Value {
    let problem = json!({
        "description": "it was not done",
        "content": { "application/json": { "schema": reference("Problem") } },
    });
    let found = |schema: &str| {
        json!({
            "description": "done",
            "content": { "application/json": { "schema": reference(schema) } },
        })
    };
    let octets = |kind: &str| json!({ "description": "done", "content": { kind: {} } });
    match operation.gives {
        Gives::Found(schema) => json!({ "200": found(schema), "default": problem }),
        Gives::Made(schema) => json!({ "201": found(schema), "default": problem }),
        Gives::Nothing => json!({ "204": { "description": "done" }, "default": problem }),
        Gives::Octets(kind) => json!({ "200": octets(kind), "default": problem }),
        Gives::Lines => json!({
            "200": {
                "description": "the lines",
                "headers": { "report-complete": {
                    "description": "false: there are more lines than a report has",
                    "required": true,
                    "schema": { "type": "string", "enum": ["true", "false"] },
                } },
                "content": { "text/csv": {}, "application/json": { "schema": lines() } },
            },
            "default": problem,
        }),
    }
}

/// Lines as JSON.
fn lines() -> Value {
    json!({
        "type": "object",
        "properties": {
            "complete": {
                "type": "boolean",
                "description": "false: there are more lines than a report has",
            },
            "rows": { "type": "array", "items": { "type": "object" } },
        },
        "required": ["complete", "rows"],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(text)) = object.get("$ref") {
                    let name = text.strip_prefix("#/components/schemas/").unwrap();
                    found.insert(name.to_owned());
                }
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(array) => array.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_schema_is_there_and_used() {
        let mut used = BTreeSet::new();
        references(&document(), &mut used);
        let there: BTreeSet<String> = schemas().as_object().unwrap().keys().cloned().collect();
        assert_eq!(used, there);
    }

    #[test]
    fn every_operation_has_a_name_and_a_place_of_its_own() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        let mut ids = BTreeSet::new();
        let mut count = 0;
        for operations in paths.values() {
            for operation in operations.as_object().unwrap().values() {
                count += 1;
                assert!(
                    ids.insert(operation["operationId"].to_string()),
                    "{operation}"
                );
            }
        }
        let places: usize = OPERATIONS.iter().map(|one| one.paths().len()).sum();
        assert_eq!(count, places, "none hides another");
    }
}
