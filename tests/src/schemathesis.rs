//! Schemathesis: it calls the operations of an API by its OpenAPI document, and judges the answers by it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::child::{Ended, Running, command};
use crate::office::Office;
use crate::python::python;

/// Calls of an operation that are made up, above those for the bounds of its parameters; the seed makes them the same ones
/// in each run.
const EXAMPLES: &str = "8";
const SEED: &str = "20261122";
/// It takes about one minute; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(480);
/// What an answer is judged by.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,unsupported_method,ignored_auth,use_after_free";

/// Runs it against the whole API of the office with this token; `which` says which operations.
///
/// `values` are lines of its configuration: what parameters are where a made up value would lead nowhere.
pub fn run(
    office: &Office,
    dir: &Path,
    values: &str,
    token: &str,
    which: &[&str],
) -> Result<Ended> {
    let program = python()?.with_file_name("schemathesis");
    let config = dir.join("schemathesis.toml");
    std::fs::write(&config, values)?;
    let root = office.root_file(dir)?;
    let mut run = command(program);
    run.current_dir(dir).arg("--config-file").arg(config);
    run.args(["run", &format!("{}/v1/openapi.json", office.url())]);
    run.args(["--header", &format!("Authorization: Bearer {token}")]);
    run.arg("--tls-verify").arg(root);
    run.args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]);
    run.args(["--max-examples", EXAMPLES, "--seed", SEED, "--no-shrink"]);
    run.args(["--generation-database", "none", "--continue-on-failure"]);
    run.args(["--suppress-health-check", "all", "--warnings", "off"]);
    run.args(["--request-timeout", "30", "--no-color"]);
    let running = Running::start("schemathesis", run.args(which))?;
    running.wait(LIMIT).context("schemathesis")
}
