//! A configuration text applied to a running node: planned, changed whole or not at all, kept.
#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::child::{Running, command};
use tests::gateway::Site;
use tests::json_schemas::Validator;
use tests::node::Node;

/// Nothing would change, or what was to be changed is.
const DONE: i32 = 0;
/// Nothing has changed.
const REFUSED: i32 = 1;
/// By a dry run something would.
const WOULD_CHANGE: i32 = 3;

struct Applying {
    node: Node,
    file: PathBuf,
}

impl Applying {
    /// With a target, a user and a suppressed notification in the file that it is started with.
    fn new(site: &Site) -> Result<Self> {
        let more = "[snmp]\nlocation = \"rack 7\"\n[[snmp.user]]\nname = \"noc\"\n[[snmp.target]]\nname = \"nms\"\n\
                    address = \"127.0.0.1:1162\"\nversion = \"v3\"\nuser = \"noc\"\n";
        Ok(Self {
            node: Node::start(&site.configuration().with(more))?,
            file: site.dir().join("site.cfg"),
        })
    }

    /// Exit code, and what is printed.
    fn apply(&self, text: &str, options: &str) -> Result<(i32, String)> {
        fs::write(&self.file, text)?;
        let line = format!("apply {} {options}", self.file.display());
        let ended = self.node.cli(line.trim_end())?;
        let code = ended.status.code().context("a signal")?;
        Ok((code, ended.lines.join("\n")))
    }

    fn shows(&self, what: &str) -> Result<String> {
        let ended = self.node.cli(&format!("show {what}"))?;
        ensure!(ended.status.success(), "{}", ended.log());
        Ok(ended.lines.join("\n"))
    }

    fn configuration(&self) -> Result<String> {
        self.shows("configuration")
    }
}

const TEXT: &str = "\
config
  snmp target nms 127.0.0.1:1163 version v3 user noc traps
  snmp target second 127.0.0.1:1164 version v3 user noc traps
  snmp trap suppress tgCeilingChanged
  threshold license remaining-sessions 10 clear 20
  license smart url https://authority.example:8443
  bulkstats
    limit-mib 9
  #exit
  logging
    filter snmp
      level warning
    #exit
  #exit
  ssh
    account maja
      role inspector
      ssh-keys \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\"
    #exit
  #exit
end
";

#[test]
fn a_text_is_planned_applied_in_force_and_kept() -> Result<()> {
    let site = Site::new()?;
    let mut at = Applying::new(&site)?;
    let before = at.configuration()?;
    let (code, plan) = at.apply(TEXT, "--dry-run")?;
    ensure!(code == WOULD_CHANGE, "{plan}");
    for line in [
        "line 2: snmp.target[nms] changed",
        "  - snmp target nms 127.0.0.1:1162 version v3 user noc",
        "  + snmp target nms 127.0.0.1:1163 version v3 user noc traps",
        "line 3: snmp.target[second] added",
        "line 8: bulkstats.limit_mib added",
        "line 11: logging.filter[snmp] added",
    ] {
        ensure!(
            plan.lines().any(|own| own.starts_with(line)),
            "{line}: {plan}"
        );
    }
    ensure!(at.configuration()? == before, "a dry run changed something");
    let checksum = plan.rsplit_once("checksum ").context("checksum")?.1;
    ensure!(
        at.shows("configuration checksum")?.ends_with(checksum),
        "{checksum}"
    );

    // What was planned for another configuration is refused.
    let (code, said) = at.apply("config\n snmp trap suppress tgAgentStalled\nend\n", "")?;
    ensure!(code == DONE, "{said}");
    let (code, said) = at.apply(TEXT, &format!("--checksum {checksum}"))?;
    ensure!(
        code == REFUSED && said.contains("nothing has changed"),
        "{said}"
    );
    let (code, said) = at.apply("config\n no snmp trap suppress tgAgentStalled\nend\n", "")?;
    ensure!(code == DONE, "{said}");

    let (code, said) = at.apply(TEXT, &format!("--checksum {checksum}"))?;
    ensure!(code == DONE, "{said}");
    let after = at.configuration()?;
    ensure!(
        after.contains("127.0.0.1:1163") && after.contains("rack 7"),
        "{after}"
    );
    // It is in force with the answer.
    let transports = at.shows("snmp transports")?;
    ensure!(transports.contains(": 1164"), "{transports}");
    ensure!(
        at.shows("logging")?.contains("warning"),
        "{}",
        at.shows("logging")?
    );
    ensure!(at.shows("administrators")?.contains("maja"));
    ensure!(at.shows("license transport")?.contains("authority.example"));

    // Once more it changes nothing, nor does what is shown.
    for (text, options) in [
        (TEXT, ""),
        (TEXT, "--dry-run"),
        (&after, ""),
        (&after, "--replace --dry-run"),
    ] {
        let (code, said) = at.apply(text, options)?;
        ensure!(
            code == DONE && said.contains("nothing"),
            "{options}: {said}"
        );
    }
    // A start finds it, also after a crash.
    at.node = at.node.crash_and_restart()?;
    ensure!(at.configuration()? == after, "{}", at.configuration()?);

    // The whole as it was before takes all of it back.
    let (code, said) = at.apply(&before, "--replace")?;
    ensure!(
        code == DONE && said.contains("not in the text: ssh.account[maja] removed"),
        "{said}"
    );
    ensure!(at.configuration()? == before, "{}", at.configuration()?);
    let kept = fs::read_to_string(at.node.state_dir().join("settings.toml"))?;
    ensure!(kept.lines().all(|line| line.starts_with('#')), "{kept}");
    at.node.terminate()?;
    Ok(())
}

#[test]
fn a_text_is_refused_whole_with_line_and_column() -> Result<()> {
    let site = Site::new()?;
    let at = Applying::new(&site)?;
    let before = at.configuration()?;
    let good = "  snmp trap suppress tgCeilingChanged\n";
    for (bad, wanted) in [
        (
            "  snmp tarket a 192.0.2.1\n",
            vec!["line 3, column 8", "did you mean target?"],
        ),
        (
            "  snmp target a 192.0.2.1 version v3 user nobody\n",
            vec!["line 3, column 8", "no user is called"],
        ),
        ("  no snmp user noc\n", vec!["snmp.target[0].user"]),
        (
            "  gn\n    listen 127.0.0.9:2123\n    echo-port 5\n  #exit\n",
            vec![
                "line 4, column 5: gn.listen differs, and takes a restart",
                "line 5, column 5: gn.echo_port differs",
            ],
        ),
        (
            "  feature GRE enable\n  license smart enable\n",
            vec![
                "line 3, column 11: licensing.features[GRE]",
                "its own command",
            ],
        ),
        ("  gn\n", vec!["line 4, column 1: 'end' is no key of gn"]),
    ] {
        let (code, said) = at.apply(&format!("config\n{good}{bad}end\n"), "")?;
        ensure!(code == REFUSED, "{bad}: {said}");
        for part in wanted {
            ensure!(said.contains(part), "{bad}: {part}: {said}");
        }
        ensure!(
            said.contains("nothing has changed") && said.lines().count() == 1,
            "{said}"
        );
        ensure!(at.configuration()? == before, "{bad}");
    }
    let long = format!("config\n!{}\nend\n", "x".repeat(api::APPLY_BYTES_MAX));
    let (code, said) = at.apply(&long, "")?;
    ensure!(code == REFUSED && said.contains("bytes"), "{said}");
    let most = format!("config\n!{}\nend\n", "x".repeat(api::APPLY_BYTES_MAX - 20));
    let (code, said) = at.apply(&most, "")?;
    ensure!(code == DONE, "{said}");
    at.node.terminate()?;
    Ok(())
}

#[test]
fn the_plan_fits_its_schema_and_the_audit_log_has_both_sides() -> Result<()> {
    let site = Site::new()?;
    let at = Applying::new(&site)?;
    let text = "config\n  no snmp target nms\nend\n";
    let (code, printed) = at.apply(text, "--dry-run --json")?;
    ensure!(code == WOULD_CHANGE, "{printed}");
    let printed: Value = serde_json::from_str(&printed)?;
    let schema: Value = serde_json::from_str(include_str!("../../docs/schemas/apply.json"))?;
    let errors = Validator::start()?.errors(&schema, &printed)?;
    ensure!(errors.is_empty(), "{errors:?}");
    ensure!(printed["changes"][0]["change"] == "removed", "{printed}");
    let (code, printed) = at.apply(text, "--json")?;
    ensure!(code == DONE, "{printed}");
    at.apply(text, "")?;
    at.apply("config\n gm\nend\n", "")?;

    let log = at.shows("audit --json")?;
    let log: Value = serde_json::from_str(&log)?;
    let lines = log["entries"].as_array().context("entries")?;
    let of = |key: &str| {
        lines
            .iter()
            .map(|line| line[key].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("command"),
        ["apply", "apply", "apply"],
        "a dry run is no change"
    );
    assert_eq!(of("outcome"), ["done", "unchanged", "failed"]);
    let line = "snmp target nms 127.0.0.1:1162 version v3 user noc";
    assert_eq!(lines[0]["before"], serde_json::json!([line]));
    assert_eq!(lines[0]["after"], serde_json::json!([]));
    at.node.terminate()?;
    Ok(())
}

#[test]
fn of_two_texts_for_one_configuration_one_is_applied() -> Result<()> {
    let site = Site::new()?;
    let at = Applying::new(&site)?;
    let (_, plan) = at.apply("config\nend\n", "--dry-run")?;
    let checksum = plan.rsplit_once("checksum ").context("checksum")?.1;
    let names = ["one", "other"];
    for name in names {
        let text =
            format!("config\n snmp target {name} 127.0.0.1:1170 version v3 user noc traps\nend\n");
        fs::write(site.dir().join(name), text)?;
    }
    let codes = std::thread::scope(|scope| {
        let apply = |name: &str| {
            let file = site.dir().join(name);
            let line = format!("apply {} --checksum {checksum}", file.display());
            let node = &at.node;
            scope.spawn(move || Ok(node.cli(&line)?.status.code()))
        };
        let both = names.map(apply);
        let ended = both.map(|one| one.join().unwrap_or_else(|_| anyhow::bail!("a panic")));
        ended.into_iter().collect::<Result<Vec<_>>>()
    })?;
    let configuration = at.configuration()?;
    for (name, code) in names.into_iter().zip(&codes) {
        let is = configuration.contains(&format!("snmp target {name} "));
        ensure!(is == (*code == Some(DONE)), "{codes:?}: {configuration}");
    }
    ensure!(
        codes.contains(&Some(DONE)) && codes.contains(&Some(REFUSED)),
        "{codes:?}"
    );
    at.node.terminate()?;
    Ok(())
}

#[test]
fn a_node_that_is_killed_has_all_of_a_text_or_nothing() -> Result<()> {
    let site = Site::new()?;
    let mut at = Applying::new(&site)?;
    let before = at.configuration()?;
    let (code, said) = at.apply(TEXT, "")?;
    ensure!(code == DONE, "{said}");
    let after = at.configuration()?;
    for round in 0..6 {
        let (from, to) = if round % 2 == 0 {
            (&after, &before)
        } else {
            (&before, &after)
        };
        at.apply(from, "--replace")?;
        ensure!(&at.configuration()? == from, "{}", at.configuration()?);
        fs::write(&at.file, to)?;
        let socket = at.node.configuration().control_socket();
        let line = format!(
            "apply {} --replace --socket {}",
            at.file.display(),
            socket.display()
        );
        at.node = std::thread::scope(|scope| {
            let words = line.split(' ').map(str::to_owned);
            let applying = scope.spawn(move || tests::tollgate::run(words));
            let node = at.node.crash_and_restart();
            // It may have ended before, or have lost its node.
            let _either = applying.join();
            node
        })?;
        let found = at.configuration()?;
        ensure!(&found == from || &found == to, "round {round}: {found}");
    }
    at.node.terminate()?;
    Ok(())
}

#[test]
fn a_text_comes_by_ssh_on_standard_input() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let (mut gateway, client) = tests::ssh::served(site, &configuration, "")?;
    client.account_with_key(&gateway, "administrator", "maja")?;
    client.account_with_key(&gateway, "operator", "otto")?;
    let file = gateway.site().dir().join("site.cfg");
    let apply = |account: &str, text: &str, line: &str| -> Result<(Option<i32>, String)> {
        fs::write(&file, text)?;
        let mut ssh = command("sh");
        let script = ["-c", "exec \"$@\" < \"$0\""];
        ssh.args(script).arg(&file);
        ssh.args(client.argv_by_key(account)).arg(line);
        let ended = Running::start("ssh", &mut ssh)?.wait(Duration::from_secs(60))?;
        Ok((ended.status.code(), ended.log()))
    };
    let text = "config\n  snmp trap suppress tgCeilingChanged\nend\n";
    let (code, said) = apply("maja", text, "apply --dry-run")?;
    ensure!(
        code == Some(DONE) && said.contains("line 2: snmp.suppress added"),
        "{said}"
    );
    // Longer than what a channel takes at once.
    let remark = format!("  # {}\n", "a remark ".repeat(20));
    let long = format!(
        "config\n{}{}",
        remark.repeat(1_200),
        &text["config\n".len()..]
    );
    ensure!(long.len() > 200 * 1024, "{}", long.len());
    let (code, said) = apply("maja", &long, "apply --dry-run")?;
    ensure!(
        code == Some(DONE) && said.contains("line 1202: snmp.suppress added"),
        "{said}"
    );
    let (code, said) = apply("otto", text, "apply")?;
    ensure!(
        code == Some(REFUSED) && said.contains("takes an administrator"),
        "{said}"
    );
    // What was cut off is not applied, and no file of the node's is named.
    let (code, said) = apply(
        "maja",
        "config\n  snmp trap suppress tgCeilingChanged\n",
        "apply",
    )?;
    ensure!(
        code == Some(REFUSED) && said.contains("expected end"),
        "{said}"
    );
    let (code, said) = apply("maja", text, &format!("apply {}", file.display()))?;
    ensure!(code == Some(2), "{said}");
    let alone = "config\nssh\nno account maja\nexit\nend\n";
    let (code, said) = apply("maja", alone, "apply")?;
    ensure!(
        code == Some(REFUSED) && said.contains("no administrator would be left"),
        "{said}"
    );
    let (code, said) = apply("maja", text, "tollgate apply")?;
    ensure!(
        code == Some(DONE) && said.contains("kept and in force"),
        "{said}"
    );
    let (code, said) = apply("maja", text, "apply")?;
    ensure!(
        code == Some(DONE) && said.contains("nothing has changed"),
        "{said}"
    );
    gateway.terminate()?;
    Ok(())
}
