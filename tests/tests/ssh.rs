//! The shell over SSH, by OpenSSH's client: keys, passwords, roles, lock-out, and what the audit log has of it.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::child::{Running, command, require};
use tests::gateway::{Gateway, Site};
use tests::terminal::Terminal;

/// Longest wait for a command by SSH.
const LIMIT: Duration = Duration::from_secs(60);

/// A node that serves SSH, and a directory for its visitors' keys.
fn served() -> Result<(Gateway, String)> {
    require("ssh", "openssh-client")?;
    let site = Site::new()?;
    let ip = site.subnet().ip(1);
    let ssh = format!("[ssh]\nlisten = \"{ip}:2222\"\nfailures_max = 3\n");
    let configuration = site.configuration().with(&ssh);
    Ok((site.open(&configuration)?, ip.to_string()))
}

fn done(gateway: &Gateway, command: &str) -> Result<String> {
    let done = gateway.node()?.cli(command)?;
    ensure!(done.status.success(), "{command}: {}", done.log());
    Ok(done.log())
}

/// OpenSSH's client as this account, with these options.
fn argv(dir: &Path, options: &[&str], account: &str, ip: &str) -> Vec<String> {
    let known = format!("UserKnownHostsFile={}", dir.join("known").display());
    let fixed = [
        "ssh",
        "-F",
        "none",
        "-p",
        "2222",
        "-o",
        &known,
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "StrictHostKeyChecking=accept-new",
    ];
    let to = format!("{account}@{ip}");
    let all = fixed.iter().chain(options).map(ToString::to_string);
    all.chain([to]).collect()
}

/// A command by SSH with a key: its exit status, and what it printed.
fn by_key(dir: &Path, account: &str, ip: &str, line: &str) -> Result<(Option<i32>, String)> {
    let key = dir.join(account).display().to_string();
    let argv = argv(dir, &["-i", &key, "-o", "BatchMode=yes"], account, ip);
    let mut ssh: Command = command(&argv[0]);
    ssh.args(&argv[1..]).arg(line);
    let ended = Running::start("ssh", &mut ssh)?.wait(LIMIT)?;
    Ok((ended.status.code(), ended.log()))
}

/// Makes a key for an account, and the account.
fn account_with_key(gateway: &Gateway, dir: &Path, role: &str, name: &str) -> Result<()> {
    let mut made = command("ssh-keygen");
    made.args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(dir.join(name));
    let made = Running::start("ssh-keygen", &mut made)?.wait(LIMIT)?;
    ensure!(made.status.success(), "{}", made.log());
    let key = std::fs::read_to_string(dir.join(name).with_extension("pub"))?;
    let mut words = key.split_whitespace();
    let key = (words.next().context("kind")?, words.next().context("key")?);
    done(
        gateway,
        &format!("{role} {name} ssh-key {} {}", key.0, key.1),
    )?;
    Ok(())
}

fn shown(gateway: &Gateway, what: &str) -> Result<Value> {
    let text = done(gateway, &format!("show {what} --json"))?;
    serde_json::from_str(&text).context(text)
}

#[test]
fn roles_are_held_to_by_ssh_and_each_attempt_is_written_down() -> Result<()> {
    let (mut gateway, ip) = served()?;
    let dir = gateway.site().dir().to_owned();
    for (role, name) in [
        ("inspector", "ivo"),
        ("operator", "otto"),
        ("administrator", "maja"),
    ] {
        account_with_key(&gateway, &dir, role, name)?;
    }
    let looks = ["show version", "tollgate show license status | grep Smart"];
    let runs = "clear bulkstats counters";
    let changes = "configure\nfeature GRE enable\nend";
    for (name, may_run, may_change) in [
        ("ivo", false, false),
        ("otto", true, false),
        ("maja", true, true),
    ] {
        for line in looks {
            let (code, said) = by_key(&dir, name, &ip, line)?;
            assert_eq!(code, Some(0), "{name}: {line}: {said}");
        }
        for (line, may, needed) in [
            (runs, may_run, "operator"),
            (changes, may_change, "administrator"),
        ] {
            let (code, said) = by_key(&dir, name, &ip, line)?;
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
    let (code, said) = by_key(&dir, "maja", &ip, "show nothing")?;
    assert_eq!(code, Some(2), "{said}");
    // Files of the node are nobody's to name from afar.
    let (code, said) = by_key(
        &dir,
        "maja",
        &ip,
        "configure\nsnmp community x read 1.3 --community-file /etc/passwd",
    )?;
    assert_eq!(code, Some(2), "{said}");

    let audit = shown(&gateway, "audit")?;
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
    let (code, said) = by_key(&dir, "ivo", &ip, "show version")?;
    assert_eq!(code, Some(0), "{said}");
    done(&gateway, "no inspector ivo")?;
    let (code, said) = by_key(&dir, "ivo", &ip, "show version")?;
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
fn a_password_lets_in_and_wrong_ones_lock_the_account() -> Result<()> {
    let (gateway, ip) = served()?;
    let dir = gateway.site().dir().to_owned();
    let file = dir.join("password");
    std::fs::write(&file, "sesame-sesame\n")?;
    let file = file.display();
    done(
        &gateway,
        &format!("administrator maja password --password-file {file}"),
    )?;
    let options = [
        "-o",
        "PreferredAuthentications=password",
        "-o",
        "NumberOfPasswordPrompts=4",
    ];
    let argv = argv(&dir, &options, "maja", &ip);

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
