//! The shell over SSH, by OpenSSH's client: keys, passwords, roles, lock-out, and what the audit log has of it.
#![forbid(unsafe_code)]

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tests::gateway::{Gateway, Site};
use tests::ssh::{OpenSsh, done};
use tests::terminal::Terminal;
use tests::wait::eventually;

/// A node that serves SSH, and a client of it.
fn served() -> Result<(Gateway, OpenSsh)> {
    let site = Site::new()?;
    let configuration = site.configuration();
    tests::ssh::served(site, &configuration, "failures_max = 3\n")
}

fn shown(gateway: &Gateway, what: &str) -> Result<Value> {
    let text = done(gateway, &format!("show {what} --json"))?;
    serde_json::from_str(&text).context(text)
}

//= TS 33.117 4.2.3.4.2.1
//= TS 33.117 4.2.3.6.1
#[test]
fn roles_are_held_to_by_ssh_and_each_attempt_is_written_down() -> Result<()> {
    let (mut gateway, client) = served()?;
    for (role, name) in [
        ("inspector", "ivo"),
        ("operator", "otto"),
        ("administrator", "maja"),
    ] {
        client.account_with_key(&gateway, role, name)?;
    }
    let looks = ["show version", "tollgate show license status | grep Smart"];
    let runs = "clear bulkstats counters";
    let changes = "configure\nfeature GRE enable\nend";
    let enters = "configure\nbulkstats mode\nend";
    for (name, may_run, may_change) in [
        ("ivo", false, false),
        ("otto", true, false),
        ("maja", true, true),
    ] {
        for line in looks {
            let (code, said) = client.runs(name, line)?;
            assert_eq!(code, Some(0), "{name}: {line}: {said}");
        }
        for (line, may, needed) in [
            (runs, may_run, "operator"),
            (changes, may_change, "administrator"),
            (enters, may_change, "administrator"),
        ] {
            let (code, said) = client.runs(name, line)?;
            assert_eq!(
                code,
                Some(if may { 0 } else { 1 }),
                "{name}: {line}: {said}"
            );
            let refused = format!("Failure: you are an {}", role_of(name));
            let told = said.contains(&refused) && said.contains(&format!("takes an {needed}"));
            assert_eq!(told, !may, "{name}: {line}: {said}");
        }
    }
    let (code, said) = client.runs("maja", "show nothing")?;
    assert_eq!(code, Some(2), "{said}");
    // Files of the node are nobody's to name from afar.
    let (code, said) = client.runs(
        "maja",
        "configure\nsnmp community x read 1.3 --community-file /etc/passwd",
    )?;
    assert_eq!(code, Some(2), "{said}");

    // Whoever may not clear a subscriber's calls reads no IMSI of those who may.
    let clear = "clear subscribers imsi 240010000000001 -noconfirm";
    let (code, said) = client.runs("otto", clear)?;
    assert_eq!(code, Some(1), "{said}");
    for (name, reads) in [("ivo", false), ("otto", true), ("maja", true)] {
        let (_, said) = client.runs(name, "show audit")?;
        assert_eq!(said.contains("240010000000001"), reads, "{name}: {said}");
        assert_eq!(said.contains("imsi 24001..."), !reads, "{name}: {said}");
        let (_, said) = client.runs(name, "show support details")?;
        assert!(reads || !said.contains("240010000000001"), "{name}: {said}");
    }
    let (_, said) = client.runs("ivo", "show logs")?;
    assert!(!said.contains("240010000000001"), "{said}");

    let audit = shown(&gateway, "audit --limit 1000")?;
    let entries = audit["entries"].as_array().context("entries")?;
    let has = |who: &str, command: &str, outcome: &str| {
        entries.iter().any(|line| {
            let from = line["from"].as_str().unwrap_or_default();
            line["who"] == who
                && line["command"] == command
                && line["outcome"] == outcome
                && from.starts_with("ssh ")
        })
    };
    assert!(has("ivo", "login by key", "done"), "{audit}");
    assert!(has("ivo", "clear bulkstats counters", "refused"), "{audit}");
    assert!(has("otto", "feature", "refused"), "{audit}");
    assert!(has("ivo", "bulkstats mode", "refused"), "{audit}");
    assert!(has("otto", "clear bulkstats counters", "done"), "{audit}");
    assert!(has("maja", "feature GRE enable", "done"), "{audit}");

    // The same host key after a restart, the same accounts; one that is taken away is let in no more.
    let before = shown(&gateway, "administrators")?["host_key"].clone();
    assert!(
        before
            .as_str()
            .is_some_and(|key| key.starts_with("SHA256:")),
        "{before}"
    );
    gateway.crash_and_restart()?;
    assert_eq!(shown(&gateway, "administrators")?["host_key"], before);
    let (code, said) = client.runs("ivo", "show version")?;
    assert_eq!(code, Some(0), "{said}");
    done(&gateway, "no inspector ivo")?;
    let (code, said) = client.runs("ivo", "show version")?;
    assert_eq!(code, Some(255), "{said}");
    Ok(())
}

fn role_of(name: &str) -> &'static str {
    match name {
        "ivo" => "inspector",
        "otto" => "operator",
        _ => "administrator",
    }
}

#[test]
fn more_than_is_kept_of_a_pipe_is_read_as_it_is_done() -> Result<()> {
    let (gateway, client) = served()?;
    client.account_with_key(&gateway, "administrator", "maja")?;
    let file = gateway.site().dir().join("input");
    // 200 KiB, whose last line says something.
    let comments = "# what is said here is for whoever reads it, and long\n".repeat(3800);
    let text = format!("config\n{comments}  snmp trap suppress tgCeilingChanged\nend\n");
    assert!(text.len() > 200 * 1024);
    std::fs::write(&file, text)?;
    let (code, said) = client.runs_with("maja", &["apply"], &file)?;
    assert_eq!(code, Some(0), "{said}");
    let kept = done(&gateway, "show configuration")?;
    assert!(
        kept.contains("snmp trap suppress tgCeilingChanged"),
        "{kept}"
    );

    // Each line of a pipe of 3 MB is done.
    let lines = 2000;
    let line = format!("show version{}\n", " ".repeat(1500));
    std::fs::write(&file, line.repeat(lines))?;
    let (code, said) = client.runs_with("maja", &[], &file)?;
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(said.matches("Image Version").count(), lines);
    Ok(())
}

//= TS 33.117 4.2.3.4.3.3
#[test]
fn a_password_lets_in_and_wrong_ones_lock_the_account() -> Result<()> {
    let (gateway, client) = served()?;
    client.account_with_password(&gateway, "administrator", "maja", "sesame-sesame")?;
    let argv = client.argv_by_password("maja", 4);

    let mut terminal = Terminal::open(&argv, "vt100", 24)?;
    terminal.until("password: ")?;
    terminal.types("sesame-sesame\r")?;
    terminal.until("# ")?;
    terminal.types("terminal length 0\r")?;
    terminal.until("# ")?;
    terminal.types("show vers\t\r")?;
    let said = terminal.until("# ")?;
    assert!(said.contains("Image Version"), "{said}");
    terminal.types("configure\r")?;
    terminal.until("(config)# ")?;
    terminal.types("end\r")?;
    terminal.until("# ")?;
    terminal.types("exit\r")?;
    terminal.end()?;

    let mut terminal = Terminal::open(&argv, "vt100", 24)?;
    for _ in 0..4 {
        terminal.until("password: ")?;
        // The last is right, and too late.
        let wrong = shown(&gateway, "administrators")?["accounts"][0]["failures"] != 3;
        terminal.types(if wrong {
            "wrong-wrong\r"
        } else {
            "sesame-sesame\r"
        })?;
    }
    let (said, code) = terminal.end()?;
    assert_eq!(code, 255, "{said}");
    let locked = shown(&gateway, "administrators")?;
    assert!(locked["accounts"][0]["locked_s"].is_u64(), "{locked}");
    done(&gateway, "clear administrator lock maja")?;
    let mut terminal = Terminal::open(&argv, "vt100", 24)?;
    terminal.until("password: ")?;
    terminal.types("sesame-sesame\r")?;
    terminal.until("# ")?;
    terminal.types("exit\r")?;
    terminal.end()?;

    let audit = shown(&gateway, "audit")?;
    let entries = audit["entries"].as_array().context("entries")?;
    let logins = |outcome: &str| {
        let of =
            |line: &&Value| line["command"] == "login by password" && line["outcome"] == outcome;
        entries.iter().filter(of).count()
    };
    assert_eq!((logins("done"), logins("refused")), (2, 4), "{audit}");
    assert!(!audit.to_string().contains("sesame"), "{audit}");
    Ok(())
}

#[test]
fn refusals_of_an_account_beyond_ten_a_minute_are_one_line() -> Result<()> {
    let (gateway, client) = served()?;
    client.account_with_key(&gateway, "inspector", "ivo")?;
    let lines = "clear bulkstats counters\n".repeat(45);
    let (code, said) = client.runs("ivo", &lines)?;
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(said.matches("takes an operator").count(), 45, "{said}");
    // At the end of the minute.
    let last = eventually("how many more", Duration::from_secs(120), || {
        let audit = shown(&gateway, "audit --limit 1000")?;
        let entries = audit["entries"].as_array().context("entries")?;
        let of_ivo = |line: &&Value| line["who"] == "ivo" && line["outcome"] == "refused";
        let refused: Vec<Value> = entries.iter().filter(of_ivo).cloned().collect();
        Ok((refused.len() > 10).then_some(refused))
    })?;
    let commands = last.iter().map(|line| line["command"].as_str());
    let commands: Vec<&str> = commands.map(Option::unwrap_or_default).collect();
    let mut expected = vec!["clear bulkstats counters"; 10];
    expected.push("35 more refused");
    assert_eq!(commands, expected);
    Ok(())
}

#[test]
fn right_passwords_that_come_at_once_are_all_let_in() -> Result<()> {
    let (gateway, client) = served()?;
    client.account_with_password(&gateway, "administrator", "maja", "sesame-sesame")?;
    let argv = client.argv_by_password("maja", 1);
    let open = (0..8).map(|_| Terminal::open(&argv, "vt100", 24));
    let mut terminals: Vec<Terminal> = open.collect::<Result<_>>()?;
    for terminal in &mut terminals {
        terminal.until("password: ")?;
    }
    for terminal in &mut terminals {
        terminal.types("sesame-sesame\r")?;
    }
    for terminal in &mut terminals {
        terminal.until("# ")?;
    }
    let shown = shown(&gateway, "administrators")?;
    assert_eq!(shown["accounts"][0]["failures"], 0, "{shown}");
    Ok(())
}

#[test]
fn a_client_that_knows_another_host_key_is_told_and_leaves() -> Result<()> {
    let (gateway, client) = served()?;
    client.account_with_key(&gateway, "inspector", "ivo")?;
    let (code, said) = client.runs("ivo", "show version")?;
    assert_eq!(code, Some(0), "{said}");
    let known = std::fs::read_to_string(client.known())?;
    let own = std::fs::read_to_string(gateway.site().dir().join("ivo.pub"))?;
    let place = known.split_whitespace().next().context("a place")?;
    std::fs::write(client.known(), format!("{place} {own}"))?;
    let (code, said) = client.runs("ivo", "show version")?;
    assert_eq!(code, Some(255), "{said}");
    assert!(said.contains("HOST IDENTIFICATION HAS CHANGED"), "{said}");
    Ok(())
}
