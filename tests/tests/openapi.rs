//! The OpenAPI document of a license authority is true: whoever makes calls by it gets answers that are in it.
#![forbid(unsafe_code)]

use anyhow::{Result, ensure};
use serde_json::json;
use tests::office::Office;
use tests::schemathesis;

/// Operations that end the token that they are called with, or may.
const ENDING: [&str; 2] = ["logout", "revokeApiToken"];
/// What leads to something that is there. A virtual account of its own is renamed and removed.
const VALUES: &str = r#"
[parameters]
"path.account" = "example.org"
"path.virtualAccount" = "Default"

[[operations]]
include-operation-id = ["editVirtualAccount", "removeVirtualAccount"]
parameters = { "path.virtualAccount" = "West" }
"#;

//= TS 33.117 4.4.4
#[test]
fn calls_by_the_document_get_answers_that_are_in_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let office = Office::open(dir.path(), None)?;
    let west = json!({ "name": "West" });
    office.call(
        "POST",
        "/v1/accounts/example.org/virtual-accounts",
        Some(west),
    )?;
    let begun = office.call("GET", "/v1/health", None)?;
    for (list, token) in [
        ("exclude", "all the others"),
        ("include", "those that end it"),
    ] {
        let token = office.api_token(token)?;
        let flag = format!("--{list}-operation-id");
        let which: Vec<&str> = ENDING.iter().flat_map(|id| [flag.as_str(), id]).collect();
        let ended = schemathesis::run(&office, dir.path(), VALUES, &token, &which)?;
        ensure!(ended.status.success(), "{}", ended.log());
        assert_eq!(ended.count("No issues found"), 1, "{}", ended.log());
    }
    let health = office.call("GET", "/v1/health", None)?;
    assert_eq!(health["version"], begun["version"]);
    Ok(())
}
