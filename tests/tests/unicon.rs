//! Cisco's unicon before `tollgate shell`, there and over SSH, as it is before a chassis with StarOS.
//!
//! It is large, so that `cargo xtask test --peers` installs it and runs this: feature `unicon`.
#![forbid(unsafe_code)]

use anyhow::{Result, bail, ensure};
use tests::gateway::{Gateway, Site};
use tests::ssh::{OpenSsh, done};
use tests::tollgate::binary;
use tests::unicon::{Said, Unicon};

/// A lab node with SNMP and bulk statistics, which serves the shell by SSH.
fn gateway() -> Result<(Gateway, OpenSsh)> {
    let site = Site::new()?;
    let sections = "[snmp]\n[bulkstats]\ncollection = true\nhistorical_days = 1\n[[bulkstats.file]]\nnumber = 1\n\
                    remotefile = \"a.csv\"\n\
                    schemas = ['smart-license schema sl format \"PPM,%epochtime%,%tagid%\"']\n";
    let configuration = site.configuration().with_sessions_per_license(2)?;
    tests::ssh::served(site, &configuration.with(sections), "")
}

fn text(said: Said) -> Result<String> {
    match said {
        Said::Text(text) => Ok(text),
        Said::Failure(failure) => bail!("{failure}"),
    }
}

/// All that shows, each as unicon has it; an error as an error; configuration, entered and left; and what it changed.
fn works(unicon: &mut Unicon, gateway: &Gateway) -> Result<()> {
    let script = include_str!("../shell/every-command");
    let mut shown = 0;
    for command in script.lines().filter(|line| line.starts_with("show ")) {
        let answer = text(unicon.execute(command)?)?;
        ensure!(!answer.contains("---(more"), "{command}: {answer}");
        shown += 1;
    }
    ensure!(shown > 30, "{shown}");
    let version = text(unicon.execute("show version")?)?;
    ensure!(version.contains("Active Software"), "{version}");
    let Said::Failure(failure) = unicon.execute("show licence status")? else {
        bail!("unicon took an error for an answer");
    };
    ensure!(failure.contains("did you mean license?"), "{failure}");
    let Said::Failure(_) = unicon.execute("clear subscribers imsi 240010000000001 -noconfirm")?
    else {
        bail!("unicon took a failure for an answer");
    };

    text(unicon.configure(&["license smart enable", "feature GRE enable"])?)?;
    let snapshot = gateway.snapshot()?;
    ensure!(snapshot.smart.enabled, "{snapshot:?}");
    let status = text(unicon.execute("show license status")?)?;
    ensure!(status.contains("Smart Licensing is ENABLED"), "{status}");
    let Said::Failure(_) = unicon.configure(&["feature NONE enable"])? else {
        bail!("unicon took an error in configuration for an answer");
    };
    text(unicon.configure(&["no feature GRE enable"])?)?;
    let saved = text(unicon.execute("save configuration")?)?;
    ensure!(saved.contains("startup.cfg"), "{saved}");
    Ok(())
}

#[test]
fn unicon_works_before_tollgate_shell_whatever_the_terminal() -> Result<()> {
    let (gateway, _) = gateway()?;
    let socket = gateway.node()?.control().socket().display().to_string();
    for terminal in ["xterm-256color", "vt100", "dumb"] {
        let shell = binary()?.display().to_string();
        let start = format!("env TERM={terminal} {shell} shell --socket {socket}");
        let mut unicon = Unicon::connect(&start, "gw1", None)?;
        works(&mut unicon, &gateway)?;
    }
    Ok(())
}

#[test]
fn unicon_works_over_ssh_by_a_password_and_by_a_key() -> Result<()> {
    let (gateway, client) = gateway()?;
    client.account_with_password(&gateway, "administrator", "maja", "sesame-sesame")?;
    client.account_with_key(&gateway, "administrator", "otto")?;
    let by_password = client.argv_by_password("maja", 1).join(" ");
    let by_key = client.argv_by_key("otto").join(" ");
    for (terminal, ssh, password) in [
        ("xterm-256color", &by_password, Some("sesame-sesame")),
        ("vt100", &by_key, None),
        ("dumb", &by_password, Some("sesame-sesame")),
    ] {
        let start = format!("env TERM={terminal} {ssh}");
        let mut unicon = Unicon::connect(&start, "gw1", password)?;
        works(&mut unicon, &gateway)?;
    }
    let audit = done(&gateway, "show audit --limit 1000 --json")?;
    let audit: serde_json::Value = serde_json::from_str(&audit)?;
    let entries = audit["entries"].as_array().map_or(&[][..], Vec::as_slice);
    let by = |who: &str, command: &str| {
        let is = |line: &&serde_json::Value| {
            line["who"] == who && line["command"] == command && line["outcome"] == "done"
        };
        entries.iter().filter(is).count()
    };
    let logins = (by("maja", "login by password"), by("otto", "login by key"));
    ensure!(logins == (2, 1), "{audit}");
    let changes = (
        by("maja", "feature GRE enable"),
        by("otto", "save configuration"),
    );
    ensure!(changes == (2, 1), "{audit}");
    Ok(())
}
