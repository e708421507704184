//! Commands one by one, as scripts have them: what `--json` prints fits its schema, and exit codes tell what became of it.
#![forbid(unsafe_code)]

use std::path::Path;

use anyhow::{Context, Result, ensure};
use api::Request;
use serde_json::Value;
use tests::gateway::{Gateway, Site};
use tests::json_schemas::Validator;
use tests::sgsn::Call;

/// What to do about an answer that does not fit.
const REMEDY: &str = "give cli/tests/states what it has, then `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p cli --test schemas`; \
                    what no state can have is widened in docs/schemas by hand";

/// A lab node with SNMP and bulk statistics, with a session and refused calls.
fn gateway() -> Result<Gateway> {
    let site = Site::new()?;
    let sections = "[snmp]\n[bulkstats]\ncollection = true\nhistorical_days = 1\n[[bulkstats.file]]\nnumber = 1\n\
                    remotefile = \"a.csv\"\n\
                    schemas = ['smart-license schema sl format \"PPM,%epochtime%,%tagid%\"']\n";
    let configuration = site.configuration().with_sessions_per_license(1)?;
    let mut gateway = site.open(&configuration.with(sections))?;
    let enable = Request::SmartLicensing { enable: true };
    gateway.node()?.control().change(&enable)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    gateway.refused(&Call::new(2, "internet"))?;
    Ok(gateway)
}

/// The lines of `tests/shell/every-command` that show something.
fn shows() -> impl Iterator<Item = &'static str> {
    let script = include_str!("../shell/every-command");
    script.lines().filter(|line| line.starts_with("show "))
}

/// The committed schema of this name and version.
fn schema(named: &str) -> Result<Value> {
    let name = named.split_once('/').context("a name and a version")?.0;
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/schemas")
        .join(format!("{name}.json"));
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("{}: {REMEDY}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

#[test]
fn the_json_of_every_show_fits_its_schema() -> Result<()> {
    let gateway = gateway()?;
    let mut validator = Validator::start()?;
    let mut wrong = Vec::new();
    let mut shown = 0;
    // The refused call is another's than the one that the script asks after.
    for show in shows().chain(["show license why imsi 001010000000002"]) {
        let ended = gateway.node()?.cli(&format!("{show} --json"))?;
        ensure!(ended.status.success(), "{show}: {}", ended.log());
        let printed: Value = serde_json::from_str(&ended.log()).with_context(|| ended.log())?;
        let named = printed["schema"]
            .as_str()
            .with_context(|| format!("{show}: no schema"))?;
        let errors = validator.errors(&schema(named)?, &printed)?;
        wrong.extend(errors.into_iter().map(|error| format!("{named}: {error}")));
        shown += 1;
    }
    ensure!(wrong.is_empty(), "{REMEDY}: {wrong:#?}");
    ensure!(shown > 40, "{shown}");
    // A validator that takes everything would prove nothing.
    let errors = validator.errors(&schema("version/1")?, &serde_json::json!({ "seq": "7" }))?;
    ensure!(
        errors.iter().any(|error| error.starts_with("seq: ")),
        "{errors:?}"
    );
    Ok(())
}

#[test]
fn exit_codes_are_0_done_1_failed_2_not_understood() -> Result<()> {
    let gateway = gateway()?;
    for (line, code) in [
        ("show version", 0),
        ("show license why imsi 240010000000001", 0),
        ("show subscribers imsi 24", 1),
        ("license smart renew auth", 1),
        ("feature nothing enable", 1),
        ("clear subscribers imsi 240010000000009 -noconfirm", 1),
        ("show licence status", 2),
        ("show license s", 2),
        ("show subscribers imsi", 2),
        ("show version now", 2),
        ("show logs --level loud", 2),
    ] {
        let ended = gateway.node()?.cli(line)?;
        ensure!(ended.status.code() == Some(code), "{line}: {}", ended.log());
        let failed = ended.lines.iter().any(|line| line.starts_with("Failure: "));
        ensure!(failed || code != 1, "{line}: {}", ended.log());
        ensure!(!failed || code != 0, "{line}: {}", ended.log());
    }
    // Nothing is behind the socket.
    let nowhere =
        tests::tollgate::run(["show", "version", "--socket", "/nonexistent/control.sock"])?;
    ensure!(nowhere.status.code() == Some(1), "{}", nowhere.log());
    Ok(())
}

#[test]
fn a_subscriber_is_told_why_its_call_was_refused() -> Result<()> {
    //= L17
    let gateway = gateway()?;
    let why = |imsi: &str| -> Result<Value> {
        let ended = gateway
            .node()?
            .cli(&format!("show license why imsi {imsi} --json"))?;
        serde_json::from_str(&ended.log()).with_context(|| ended.log())
    };
    let holds = why("001010000000001")?;
    ensure!(holds["sessions"][0]["service"] == "GGSN", "{holds}");
    ensure!(
        holds["refused"].as_array().is_some_and(Vec::is_empty),
        "{holds}"
    );
    // A minute may have gone by on a machine that stands still; history is longer.
    let refused = why("001010000000002")?;
    ensure!(
        refused["sessions"].as_array().is_some_and(Vec::is_empty),
        "{refused}"
    );
    if let Some(call) = refused["refused"].get(0) {
        ensure!(
            call["reason"]["is"] == "at-ceiling" && call["service"] == "GGSN",
            "{refused}"
        );
        ensure!(call["record"]["ceiling"] == 1, "{refused}");
    }
    let blocked = refused["services"].as_array().context("services")?;
    let ggsn = blocked.iter().find(|row| row["name"] == "GGSN");
    ensure!(ggsn.is_some_and(|row| row["state"] != "allow"), "{refused}");
    Ok(())
}
