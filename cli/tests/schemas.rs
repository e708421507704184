//! The schemas of what `--json` prints, in `docs/schemas`: each surface has one, and what it prints of every state fits it.
//!
//! `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p cli --test schemas` widens the committed ones by what is printed, and makes
//! those that are missing; read the difference before it is committed. Keys may be added under the same version; one that
//! goes, or that means something else, makes another (`SCHEMA_VERSION` of `cli::show`).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod states;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use api::{Applied, ChangeKind, ConfigurationChange};
use cli::apply_command::{self, SCHEMA};
use cli::show::{Filter, SURFACES, Surface, View};
use serde_json::{Map, Value, json};

/// Each surface has one of these.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// What to do about one that does not fit.
const REMEDY: &str = "it has no schema, or one that its JSON does not fit: `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p cli \
                    --test schemas` widens docs/schemas by what the states of cli/tests/states print. A show that reads \
                    what no state has is given it there";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas")
}

fn file(surface: &Surface) -> PathBuf {
    folder().join(format!("{}.json", surface.words.join("-")))
}

/// What it prints of each state, of what is verbose too.
fn printed(surface: &Surface) -> Vec<Value> {
    let both = |view: View| {
        let filter = Filter {
            verbose: surface.has_verbose,
            ..Filter::default()
        };
        let verbose = View {
            filter,
            ..view.clone()
        };
        [surface.json(&view), surface.json(&verbose)]
    };
    let states = states::all().into_iter();
    states.flat_map(|(_, view)| both(view)).collect()
}

/// The schema that a value is all of.
fn schema_of(value: &Value, at: &str) -> Value {
    match value {
        Value::Null => json!({ "type": "null" }),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(number) if number.is_f64() => json!({ "type": "number" }),
        Value::Number(_) => json!({ "type": "integer" }),
        Value::String(_) => json!({ "type": "string" }),
        Value::Array(items) => {
            let each = items.iter().map(|item| schema_of(item, at));
            match each.reduce(|one, other| merged(&one, &other)) {
                Some(items) => json!({ "type": "array", "items": items }),
                None => json!({ "type": "array" }),
            }
        }
        // Of those, each has a schema of its own.
        Value::Object(_) if at == "shows" => json!({
            "type": "object", "additionalProperties": { "type": "object" },
        }),
        // Its sections and keys are docs/configuration.md's.
        Value::Object(_) if at == "configuration" => json!({ "type": "object" }),
        Value::Object(keys) => {
            let each = keys
                .iter()
                .map(|(key, value)| (key.clone(), schema_of(value, key)));
            let properties: Map<String, Value> = each.collect();
            let required: Vec<&String> = keys.keys().collect();
            json!({
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            })
        }
    }
}

/// The types of a schema.
fn types(schema: &Value) -> BTreeSet<String> {
    let named = |name: &Value| name.as_str().map(str::to_owned);
    let of_one = &schema["type"];
    match of_one.as_array() {
        Some(names) => names.iter().filter_map(named).collect(),
        None => named(of_one).into_iter().collect(),
    }
}

/// The schema of what fits one or the other.
fn merged(one: &Value, other: &Value) -> Value {
    let mut all = types(one);
    all.extend(types(other));
    if all.contains("number") {
        all.remove("integer");
    }
    let mut out = match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut out = other.clone();
            out.extend(one.clone());
            out
        }
        _ => Map::new(),
    };
    let of_type = match all.len() {
        1 => json!(all.first()),
        _ => json!(all),
    };
    out.insert("type".into(), of_type);
    if let (Some(a), Some(b)) = (one.get("items"), other.get("items")) {
        out.insert("items".into(), merged(a, b));
    }
    if let (Some(a), Some(b)) = (keys(one), keys(other)) {
        let mut properties = a.clone();
        for (key, schema) in b {
            let known = properties.get(key).map(|known| merged(known, schema));
            properties.insert(key.clone(), known.unwrap_or_else(|| schema.clone()));
        }
        let required = required(one);
        let always: BTreeSet<String> = required
            .intersection(&self::required(other))
            .cloned()
            .collect();
        out.insert("properties".into(), Value::Object(properties));
        out.insert("required".into(), json!(always));
    }
    Value::Object(out)
}

fn keys(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

fn required(schema: &Value) -> BTreeSet<String> {
    let names = schema["required"].as_array().into_iter().flatten();
    names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}

/// With its name, its version and what the surface tells.
fn titled(title: &str, tells: &str, mut schema: Value) -> Value {
    schema["$schema"] = json!(DIALECT);
    schema["title"] = json!(title);
    schema["description"] = json!(tells);
    schema["properties"]["schema"] = json!({ "const": title, "type": "string" });
    schema
}

/// The committed schema is that of these values, or is widened by them.
fn check_or_rewrite(file: &Path, title: &str, tells: &str, printed: Vec<Value>) {
    let committed = std::fs::read_to_string(file).ok();
    let committed: Option<Value> = committed.map(|text| serde_json::from_str(&text).unwrap());
    let each = printed.iter().map(|value| schema_of(value, ""));
    let wanted = committed.iter().cloned().chain(each);
    let wanted = wanted.reduce(|one, other| merged(&one, &other)).unwrap();
    let wanted = titled(title, tells, wanted);
    if std::env::var_os("TOLLGATE_REWRITE_GOLDEN").is_some() {
        std::fs::write(file, format!("{wanted:#}\n")).unwrap();
    } else {
        assert_eq!(committed, Some(wanted), "{title}: {REMEDY}");
    }
}

#[test]
fn what_every_surface_prints_fits_its_schema() {
    for surface in SURFACES {
        let words = surface.words.join(" ");
        let tells = format!("tollgate show {words} --json: {}", surface.help);
        let title = surface.schema();
        check_or_rewrite(&file(surface), &title, &tells, printed(surface));
    }
}

#[test]
fn what_apply_prints_fits_its_schema() {
    let lines = || vec!["snmp trap suppress tgCeilingChanged".to_owned()];
    let changes = [Some((2, 3)), None].map(|place| ConfigurationChange {
        key: "snmp.suppress".to_owned(),
        change: ChangeKind::Changed,
        place,
        before: lines(),
        after: lines(),
    });
    let applied = Applied {
        changes: changes.into(),
        before: "0".repeat(64),
        after: "1".repeat(64),
    };
    let tells = "tollgate apply --json: what a configuration text changes, or would";
    let printed = vec![apply_command::json(&applied, true)];
    check_or_rewrite(&folder().join("apply.json"), SCHEMA, tells, printed);
}

#[test]
fn every_schema_is_of_a_surface() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let of_one = SURFACES
            .iter()
            .any(|surface| file(surface).file_name() == path.file_name())
            || path.ends_with("apply.json");
        assert!(of_one, "{}: no command has this schema", path.display());
    }
}

#[test]
fn a_schema_is_widened_by_what_does_not_fit_it() {
    let one = schema_of(&json!({ "a": 1, "b": null, "c": [] }), "");
    let both = merged(
        &one,
        &schema_of(&json!({ "a": 1.5, "c": ["x"], "d": true }), ""),
    );
    assert_eq!(both["properties"]["a"]["type"], "number");
    assert_eq!(both["properties"]["b"]["type"], "null");
    assert_eq!(both["properties"]["c"]["items"]["type"], "string");
    assert_eq!(both["required"], json!(["a", "c"]));
    let nullable = merged(&schema_of(&json!(null), ""), &schema_of(&json!("x"), ""));
    assert_eq!(nullable["type"], json!(["null", "string"]));
    assert_eq!(merged(&both, &one), both, "what fits changes nothing");
}
