//! The event log of a node: what happens has an id, and `show logs` prints it.
#![forbid(unsafe_code)]

use anyhow::{Context, Result};
use serde_json::Value;
use tests::gateway::Site;

/// What `show logs` prints with these options, as data.
fn logs(node: &tests::node::Node, options: &str) -> Result<Value> {
    let shown = node.cli(format!("show logs --json {options}").trim_end())?;
    serde_json::from_str(&shown.log()).with_context(|| shown.log())
}

#[test]
fn events_are_shown_with_their_ids_as_staros_does() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let gateway = site.open(&configuration)?;
    let node = gateway.node()?;
    let enabled = node.cli("license smart enable")?;
    assert!(enabled.status.success(), "{}", enabled.log());

    let of_licensing = logs(node, "--facility slmgr")?;
    let entries = of_licensing["entries"].as_array().context("entries")?;
    let enabled = entries
        .iter()
        .find(|entry| entry["id"] == eventlog::table::SMART_LICENSING_ENABLED.id)
        .with_context(|| of_licensing.to_string())?;
    assert_eq!(enabled["facility"], "slmgr");
    assert_eq!(enabled["severity"], "info");
    assert_eq!(
        enabled["text"],
        "smart licensing is enabled event={\"event\":\"smart-licensing-enabled\"}"
    );
    assert!(entries.iter().all(|entry| entry["facility"] == "slmgr"));
    assert_eq!(of_licensing["capacity"], 4_096);
    assert_eq!(of_licensing["overwritten"], 0);

    // A start is none of the bad ones, and is there.
    let ready = u64::from(eventlog::table::READY.id);
    let has_ready = |logs: &Value| {
        let entries = logs["entries"].as_array().into_iter().flatten();
        entries.filter(|entry| entry["id"] == ready).count()
    };
    assert_eq!(has_ready(&logs(node, "")?), 1);
    assert_eq!(has_ready(&logs(node, "--level error")?), 0);
    let newest = logs(node, "--limit 1")?;
    assert_eq!(newest["entries"].as_array().map(Vec::len), Some(1));

    let text = node.cli("show logs --facility system")?.log();
    let line = text.lines().find(|line| line.contains("the node is ready"));
    let line = line.with_context(|| text.clone())?;
    let head = format!("[system {ready} info] [1/0/");
    assert!(line.contains(&head), "{line}");
    assert!(
        line.contains("] [software internal system] the node is ready said="),
        "{line}"
    );
    Ok(())
}
