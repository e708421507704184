//! What a change would refuse is told before it is made, and is what is refused then.
#![forbid(unsafe_code)]

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::child::Running;
use tests::gateway::{Gateway, Site};
use tests::sgsn::Call;
use tests::tollgate::tollgate;
use tests::wait::{eventually, until};

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(200);
/// Half of the calls of [`LOAD`] at once.
const CEILING: u32 = 200;
/// 400 calls at once, for longer than the preview needs.
const LOAD: &str = "load --rate 200 --hold 2s --duration 180s";
/// So many calls come after the change until it is judged: ten times those of a call's length, since calls that find room
/// come back in the rhythm in which they end.
const JUDGED: u64 = 4_000;
const PREVIEW: &str = "show license enforcement preview license smart enable";

/// What is foreseen of GGSN: the preview's row of it, and the window in seconds.
fn foreseen(gateway: &Gateway) -> Result<(Value, u64)> {
    let ended = gateway.node()?.cli(&format!("{PREVIEW} --json"))?;
    ensure!(ended.status.success(), "{}", ended.log());
    let printed: Value = serde_json::from_str(&ended.log())?;
    let preview = &printed["preview"];
    let mut rows = preview["services"].as_array().into_iter().flatten();
    let row = rows.find(|row| row["service"] == "GGSN");
    let window_s = preview["window_s"].as_u64();
    Ok((
        row.context("GGSN")?.clone(),
        window_s.context("the window")?,
    ))
}

/// Calls that came, and of these the refused ones.
fn offered(gateway: &Gateway) -> Result<(u64, u64)> {
    let row = gateway.ggsn()?;
    let refused = row.tag.refused.at_ceiling;
    Ok((row.admitted + refused, refused))
}

#[test]
fn what_is_foreseen_is_within_a_tenth_of_what_is_refused() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration().with_sessions_per_license(CEILING)?;
    let gateway = site.open(&configuration)?;
    let node = gateway.node()?;
    let mut load = tollgate(LOAD.split(' '))?;
    let local = gateway.site().subnet().ip(40);
    load.args(["--target", &node.address().to_string()]);
    load.args(["--local", &local.to_string()]);
    let load = Running::start("tollgate load", &mut load)?;

    let (row, _) = foreseen(&gateway)?;
    ensure!(row["refused_an_hour"].is_null(), "too early to say: {row}");
    let (row, window_s) = eventually("a preview", LIMIT, || {
        let (row, window_s) = foreseen(&gateway)?;
        let known = row["refused_an_hour"].as_u64().is_some_and(|n| n > 0);
        Ok(known.then_some((row, window_s)))
    })?;
    let number = |key: &str| row[key].as_u64().with_context(|| row.to_string());
    ensure!(row["effect"] == "at-ceiling", "{row}");
    ensure!(number("ceiling")? == u64::from(CEILING), "{row}");
    let come_an_hour = number("calls")? * 3_600 / window_s;
    let share = number("refused_an_hour")? as f64 / come_an_hour as f64;

    let ended = node.cli("license smart enable -noconfirm")?;
    ensure!(ended.status.success(), "{}", ended.log());
    until("the calls above the ceiling have ended", LIMIT, || {
        Ok(gateway.ggsn()?.sessions.0 <= CEILING)
    })?;
    let (offered_before, refused_before) = offered(&gateway)?;
    let (come, refused) = eventually("calls after it", LIMIT, || {
        let (offered, refused) = offered(&gateway)?;
        let come = offered - offered_before;
        Ok((come >= JUDGED).then_some((come, refused - refused_before)))
    })?;
    load.kill()?;
    let seen = refused as f64 / come as f64;
    println!("foreseen {share:.3} of the calls, seen {seen:.3} of {come}");
    ensure!(
        (share - seen).abs() <= seen / 10.0,
        "foreseen {share:.3} of the calls, seen {seen:.3}: {row}"
    );
    Ok(())
}

/// A node of which the session that it has is above the ceiling that a change brings.
fn above_the_ceiling() -> Result<Gateway> {
    let site = Site::new()?;
    let configuration = site.configuration().with_sessions_per_license(1)?;
    let mut gateway = site.open(&configuration)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    gateway.accepted(&Call::new(2, "internet"))?;
    Ok(gateway)
}

#[test]
fn a_command_line_that_nobody_answers_changes_nothing_where_calls_are_at_stake() -> Result<()> {
    let gateway = above_the_ceiling()?;
    let node = gateway.node()?;
    let shown = node.cli(PREVIEW)?.log();
    ensure!(shown.contains("Preview: nothing is changed"), "{shown}");
    ensure!(shown.contains("a ceiling of 1 sessions"), "{shown}");

    let ended = node.cli("license smart enable")?;
    let said = ended.log();
    ensure!(ended.status.code() == Some(1), "{said}");
    ensure!(
        said.contains("license smart enable would refuse calls"),
        "{said}"
    );
    ensure!(said.contains("GGSN"), "{said}");
    ensure!(!said.contains("SAEGW"), "only what is at stake: {said}");
    ensure!(said.contains("not confirmed, nothing is done"), "{said}");
    ensure!(!gateway.snapshot()?.smart.enabled);

    for (line, enabled) in [
        ("license smart enable --yes", true),
        // Nothing is at stake: whoever was blocked stays so, and nobody else is.
        ("no license smart enable", false),
    ] {
        let ended = node.cli(line)?;
        ensure!(ended.status.success(), "{line}: {}", ended.log());
        ensure!(gateway.snapshot()?.smart.enabled == enabled, "{line}");
    }
    Ok(())
}

#[test]
fn the_shell_asks_where_calls_are_at_stake_and_only_there() -> Result<()> {
    let gateway = above_the_ceiling()?;
    let shell = |lines: &str| -> Result<(Option<i32>, String)> {
        let socket = gateway.node()?.control().socket().to_owned();
        let mut shell = tollgate(["shell", "--socket"])?;
        let mut shell = shell
            .arg(socket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = shell.stdin.take().context("its stdin was piped")?;
        input.write_all(lines.as_bytes())?;
        drop(input);
        let output = shell.wait_with_output()?;
        Ok((output.status.code(), String::from_utf8(output.stdout)?))
    };
    let question = "Are you sure ? [Yes | No]:";
    let (code, seen) = shell("configure\nfeature GRE enable\nlicense smart enable\nNo\n")?;
    ensure!(code == Some(1), "{seen}");
    ensure!(seen.matches(question).count() == 1, "{seen}");
    ensure!(seen.contains("feature GRE is enabled"), "{seen}");
    let table = seen.find("Refused an hour").context("no table")?;
    let asked = seen.find(question).context("no question")?;
    ensure!(table < asked, "{seen}");
    ensure!(!gateway.snapshot()?.smart.enabled);

    let (code, seen) = shell("configure\nlicense smart enable\nyes\n")?;
    ensure!(code == Some(0) && seen.contains(question), "{seen}");
    ensure!(gateway.snapshot()?.smart.enabled);

    let (code, seen) = shell("license smart deregister\nNo\n")?;
    ensure!(code == Some(1) && seen.contains(question), "{seen}");
    let (code, seen) = shell("license smart deregister -noconfirm\n")?;
    ensure!(
        code == Some(1) && !seen.contains(question),
        "it is not registered: {seen}"
    );

    let (code, seen) = shell("show license enforcement preview license smart\n")?;
    ensure!(code == Some(1), "{seen}");
    ensure!(seen.contains("[no] feature <name> enable"), "{seen}");
    let (code, seen) = shell("show license enforcement preview no feature nothing enable\n")?;
    ensure!(code == Some(1) && seen.contains("name one of"), "{seen}");
    Ok(())
}
