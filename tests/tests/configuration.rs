//! The configuration as text: shown, saved, and read at a start.
#![forbid(unsafe_code)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use tests::child::Ended;
use tests::gateway::Site;
use tests::node::Node;

/// What a command prints; it is done.
fn done(node: &Node, line: &str) -> Result<String> {
    let Ended { status, lines } = node.cli(line)?;
    ensure!(status.success(), "{line}: {lines:#?}");
    Ok(lines.join("\n"))
}

/// Why a command is not done.
fn failed(node: &Node, line: &str) -> Result<String> {
    let Ended { status, lines } = node.cli(line)?;
    ensure!(!status.success(), "{line}: {lines:#?}");
    Ok(lines.join("\n"))
}

#[test]
fn what_is_saved_starts_the_same_node() -> Result<()> {
    let site = Site::new()?;
    let secret = site.dir().join("secret");
    fs::write(&secret, "hunter2-hunter2\n")?;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
    let configuration = site.configuration().with_sessions_per_license(2)?;
    let configuration = configuration.with("[snmp]\nlocation = \"rack 7\"\n");
    let node = Node::start(&configuration)?;
    let secret = secret.display();
    for line in [
        "license smart enable".to_owned(),
        "feature GRE enable".to_owned(),
        "threshold license remaining-sessions 10 clear 20".to_owned(),
        format!("snmp community noc read 1.3.6.1 --community-file {secret}"),
        format!("snmp user noc auth sha-256 read 1.3.6.1 --auth-file {secret}"),
        "snmp target nms 127.0.0.1:1162 version v3 user noc traps".to_owned(),
        "snmp trap suppress tgCeilingChanged".to_owned(),
    ] {
        done(&node, &line)?;
    }
    let shown = done(&node, "show configuration")?;
    let lines: Vec<&str> = shown.lines().collect();
    ensure!(
        lines.first() == Some(&"config") && lines.last() == Some(&"end"),
        "{shown}"
    );
    for line in [
        "  license smart enable",
        "  feature GRE enable",
        "  threshold license remaining-sessions 10 clear 20",
        "  snmp target nms 127.0.0.1:1162 version v3 user noc traps",
        "  snmp trap suppress tgCeilingChanged",
        "    location \"rack 7\"",
        "  #exit",
    ] {
        ensure!(lines.contains(&line), "{line}: {shown}");
    }
    ensure!(!shown.contains("hunter2"), "{shown}");

    let file = node.state_dir().join("startup.cfg");
    let said = done(&node, "save configuration")?;
    ensure!(said.contains(&file.display().to_string()), "{said}");
    let mode = fs::metadata(&file)?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "{mode:o}");
    // What is shown has the banner of a lab node besides.
    let saved = fs::read_to_string(&file)?;
    let without: Vec<&str> = lines
        .into_iter()
        .filter(|line| !line.starts_with('!'))
        .collect();
    ensure!(saved.trim_end() == without.join("\n"), "{saved}\n{shown}");
    // Nothing else of the node's is written over.
    let said = failed(&node, "save configuration settings.toml")?;
    ensure!(said.contains("is no name of a file"), "{said}");
    let notes = node.state_dir().join("notes.cfg");
    fs::write(&notes, "Of somebody's own.\n")?;
    let said = failed(&node, "save configuration notes.cfg")?;
    ensure!(said.contains("is no configuration text"), "{said}");
    fs::remove_file(notes)?;
    let said = done(&node, "save configuration")?;
    ensure!(said.contains("startup.cfg"), "{said}");
    let checksum = done(&node, "show configuration checksum")?;

    // All of it is in the text now, and of secrets their files' names.
    let settings = node.state_dir().join("settings.toml");
    node.terminate()?;
    fs::remove_file(settings)?;
    let node = Node::start(&configuration.saying(&saved))?;
    ensure!(done(&node, "show configuration")? == shown, "{shown}");
    let digest = |said: &str| said.lines().last().map(str::to_owned);
    let now = done(&node, "show configuration checksum")?;
    ensure!(digest(&now) == digest(&checksum), "{now} {checksum}");
    // A secret that the text names is not swept away by a change.
    done(&node, "no snmp trap suppress tgCeilingChanged")?;
    done(&node, "no snmp user noc")
        .err()
        .context("a target is sent by it")?;
    node.terminate()?;
    Ok(())
}
