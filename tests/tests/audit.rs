//! The audit log of a node: each change with who made it, from where, before and after, on disk before it is answered.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::gateway::Site;
use tests::node::Node;

fn lines(file: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(file).context("audit.jsonl")?;
    let lines = text.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .with_context(|| text.clone())
}

fn done(node: &Node, command: &str) -> Result<()> {
    let done = node.cli(command)?;
    anyhow::ensure!(done.status.success(), "{command}: {}", done.log());
    Ok(())
}

//= TS 33.117 4.2.3.2.5
//= TS 33.117 4.2.3.6.1
#[test]
fn a_change_is_on_disk_with_who_made_it_and_what_it_changed() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let mut gateway = site.open(&configuration)?;
    let file = gateway.node()?.state_dir().join("audit.jsonl");
    let node = gateway.node()?;
    done(node, "show version")?;
    assert!(!file.exists(), "what is looked at is no change");
    done(node, "feature GRE enable")?;
    done(node, "feature GRE enable")?;
    done(node, "license smart url https://authority.example")?;
    let unknown = node.cli("lab speedup 7")?;
    assert!(!unknown.status.success(), "{}", unknown.log());
    let token = node.cli("license smart register idtoken --token-file -")?;
    assert!(!token.status.success(), "{}", token.log());

    let held = lines(&file)?;
    let told: Vec<Value> = held
        .iter()
        .map(|line| {
            json!([
                line["command"],
                line["before"],
                line["after"],
                line["outcome"]
            ])
        })
        .collect();
    let no_way = json!({"url": null, "proxy": null});
    let way = json!({"url": held[2]["after"]["url"], "proxy": null});
    assert_eq!(
        told[..4],
        [
            json!(["feature GRE enable", false, true, "done"]),
            json!(["feature GRE enable", true, true, "unchanged"]),
            json!(["license smart url", no_way, way, "done"]),
            json!(["lab speedup 7", null, null, "failed"]),
        ],
        "{held:?}"
    );
    let url = held[2]["after"]["url"].as_str().context("url")?;
    assert!(url.starts_with("https://authority.example"), "{url}");
    let uid = format!("uid {}", rustix::process::getuid().as_raw());
    for line in &held {
        let who = line["who"].as_str().context("who")?;
        assert!(who.contains(&uid), "{who}");
        assert_eq!(line["privilege"], "administrator");
        let from = line["from"].as_str().context("from")?;
        assert!(from.starts_with("control socket, process "), "{from}");
    }
    let why = held[3]["why"].as_str().context("why")?;
    assert!(why.contains("is not marked lab"), "{why}");

    // A new process goes on in the same file.
    gateway.crash_and_restart()?;
    let node = gateway.node()?;
    done(node, "no feature GRE enable")?;
    assert_eq!(lines(&file)?.len(), held.len() + 1);
    let shown: Value = serde_json::from_str(&node.cli("show audit --json --limit 1")?.log())?;
    let entries = shown["entries"].as_array().context("entries")?;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["command"], "no feature GRE enable");
    assert_eq!(shown["held"], held.len() + 1);
    let text = node.cli("show audit --limit 2")?.log();
    assert!(text.contains("Z done: no feature GRE enable\n"), "{text}");
    assert!(
        text.contains("(administrator), control socket, process "),
        "{text}"
    );
    Ok(())
}
