//! The journal of a node and its replay: a node in this process, and the real binary with what it recorded.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{JournalState, Request};
use licensing::Event;
use licensing::snapshot::State;
use node::config::Journal;
use node::journal::replay;
use node::{Config, Running, Shutdown};
use serde_json::Value;
use tests::control::Control;
use tests::gateway::{Gateway, Site};
use tests::node::Configuration;
use tests::sgsn::{Call, Sgsn, cause};
use tests::{tollgate, wait};

const LIMIT: Duration = Duration::from_secs(120);

const JOURNAL: &str = "[journal]\nenabled = true";

fn journal_of(configuration: &Configuration) -> PathBuf {
    configuration.state_dir.join("journal.jsonl")
}

/// What the binary says of a journal: its exit code, and all that it wrote.
fn replayed(journal: &Path, more: &[&str]) -> Result<(Option<i32>, String)> {
    let journal = journal.to_str().context("a path is text")?;
    let arguments = ["node", "--replay", journal].into_iter();
    let ended = tollgate::run(arguments.chain(more.iter().copied()))?;
    Ok((ended.status.code(), ended.log()))
}

/// A node that fills, is at its limit, frees a place, runs out of its evaluation under the lab clock, and ends in order.
fn play(gateway: &mut Gateway) -> Result<()> {
    let first = gateway.accepted(&Call::new(1, "internet"))?;
    for subscriber in 2..=10 {
        gateway.accepted(&Call::new(subscriber, "internet"))?;
    }
    gateway.refused(&Call::new(11, "internet"))?;
    ensure!(gateway.ggsn()?.tag.state == State::AllowAtLimit);
    gateway.delete(first, 5)?;
    gateway.accepted(&Call::new(12, "internet"))?;
    gateway.accepted(&Call::new(13, "sos"))?;
    let speedup = 10_000_000;
    let control = gateway.node()?.control();
    control.change(&Request::LabSpeedup { speedup })?;
    wait::until("the evaluation has run out", LIMIT, || {
        Ok(gateway.snapshot()?.evaluation.expired)
    })?;
    gateway.refused(&Call::new(14, "internet"))?;
    let history = gateway.node()?.control().history()?;
    ensure!(history.len() == 2, "{history:?}");
    Ok(())
}

/// Every refusal and what explains it comes out again; a journal that was altered, or cut short, is told from it.
//= L17
#[test]
fn the_journal_of_a_node_comes_to_the_same_and_an_altered_one_does_not() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration().with_sessions_per_license(10)?;
    let configuration = configuration.with(JOURNAL);
    let mut gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    gateway.node()?.control().change(&enable)?;
    play(&mut gateway)?;
    let health = gateway.node()?.control().health()?;
    assert_eq!(health.journal.state, JournalState::Writing);
    let before = gateway.snapshot()?;
    let ended = gateway.terminate()?;
    assert_eq!(ended.status.code(), Some(0), "{}", ended.log());

    let journal = journal_of(&configuration);
    let (code, page) = replayed(&journal, &[])?;
    assert_eq!(code, Some(0), "{page}");
    assert!(page.contains("the same as recorded."), "{page}");
    for said in [
        "{\"event\":\"evaluation-started\"}",
        "\"is\":\"evaluation-expired\"",
        "*** LAB node",
        "BLOCK",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let (code, text) = replayed(&journal, &["--json"])?;
    let data: Value = serde_json::from_str(&text)?;
    assert_eq!((code, &data["same"]), (Some(0), &Value::Bool(true)));
    let replay = &data["replay"];
    let snapshot: licensing::Snapshot = serde_json::from_value(replay["snapshot"].clone())?;
    assert!(snapshot.seq > before.seq && snapshot.evaluation.expired);
    // The workers gave every permit back before the last sample.
    let (ended, stood) = (&snapshot.services[2], &before.services[2]);
    assert_eq!((ended.sessions.0, stood.sessions.0), (0, 10));
    assert_eq!(
        (ended.peak, ended.tag.refused),
        (stood.peak, stood.tag.refused)
    );
    assert_eq!(replay["history"].as_array().map(Vec::len), Some(2));

    let text = fs::read_to_string(&journal)?;
    let full = "\"sessions\":10,\"peak\":10";
    let line = 1 + text
        .lines()
        .position(|line| line.contains(full))
        .context("it was full")?;
    let altered = journal.with_extension("altered");
    fs::write(
        &altered,
        text.replacen(full, "\"sessions\":9,\"peak\":9", 1),
    )?;
    let (code, page) = replayed(&altered, &[])?;
    assert_eq!(code, Some(1), "{page}");
    let mut lines = page.lines();
    let failure = lines.find(|line| line.starts_with("Failure: "));
    let failure = failure.context("it says what is different")?;
    let place = format!("{}:", altered.display());
    let (_, told) = failure.split_once(&place).context(page.clone())?;
    let digits = told.split(|c: char| !c.is_ascii_digit()).next();
    let told: usize = digits.unwrap_or_default().parse()?;
    assert!(
        told > line && told <= text.lines().count(),
        "{line}: {failure}"
    );

    fs::write(&altered, &text[..text.len() - 9])?;
    let (code, page) = replayed(&altered, &[])?;
    assert_eq!(code, Some(0), "{page}");
    assert!(page.contains("the last, was cut short"), "{page}");
    fs::write(&altered, text.replacen("{\"same\"", "{\"some\"", 1))?;
    let (code, page) = replayed(&altered, &[])?;
    assert_eq!((code, page.lines().count()), (Some(2), 1), "{page}");
    assert!(
        page.contains(&place) && page.contains("unknown variant `some`"),
        "{page}"
    );
    Ok(())
}

/// A kill leaves a journal that can be replayed, and the next start begins another from what was restored.
#[test]
fn a_killed_node_leaves_a_journal_and_the_next_begins_another() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration().with_sessions_per_license(10)?;
    let configuration = configuration.with(JOURNAL);
    let mut gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    gateway.node()?.control().change(&enable)?;
    play(&mut gateway)?;
    let seq = gateway.snapshot()?.seq;
    wait::until("the journal is on disk", LIMIT, || {
        Ok(replay(&journal_of(&configuration))?.inputs >= seq)
    })?;
    gateway.crash_and_restart()?;
    let killed = journal_of(&configuration).with_added_extension("old");
    let killed = replay(&killed)?;
    assert_eq!((killed.ended, killed.difference), (false, None));
    assert!(killed.snapshot.evaluation.expired);
    gateway.refused(&Call::new(21, "internet"))?;
    gateway.terminate()?;
    let next = replay(&journal_of(&configuration))?;
    assert_eq!((next.ended, next.difference), (true, None));
    assert!(next.snapshot.evaluation.expired && next.snapshot.smart.enabled);
    let switched = |event: &Event| *event == Event::SmartLicensingEnabled;
    assert!(!next.events.iter().any(|told| switched(&told.event)));
    Ok(())
}

/// Neither a disk without room nor a bound that is reached holds anything up, and both are told.
#[test]
fn a_journal_that_stops_stops_nothing_else() -> Result<()> {
    const BOUND: u64 = 24 << 10;
    for (file, max_bytes, state) in [
        ("/dev/full", 1 << 20, JournalState::Failed),
        ("/nowhere/journal", 1 << 20, JournalState::Failed),
        ("journal.jsonl", BOUND, JournalState::Full),
    ] {
        let site = Site::new()?;
        let configuration = site.configuration();
        let file = configuration.state_dir.join(file);
        let config = Config {
            journal: Some(Journal { file, max_bytes }),
            ..Config::read(&configuration.write()?)?
        };
        let mut sgsn = Sgsn::new(site.subnet().socket(2)?, configuration.listen)?;
        let running = Running::start(config, &Shutdown::new())?;
        let control = Control::new(configuration.control_socket());
        control.change(&Request::SmartLicensing { enable: true })?;
        wait::until(
            "the journal stops and what it misses is counted",
            LIMIT,
            || {
                // Every switch is an input that is not like the last.
                let feature = |enable| Request::Feature {
                    name: "GRE".to_owned(),
                    enable,
                };
                for _ in 0..10 {
                    control.change(&feature(true))?;
                    control.change(&feature(false))?;
                }
                let journal = control.health()?.journal;
                Ok(journal.state == state && journal.missed > 0)
            },
        )?;
        assert_eq!(
            sgsn.create(&Call::new(1, "internet"))?.cause()?,
            cause::ACCEPTED
        );
        assert_eq!(control.snapshot()?.services[2].sessions.0, 1);
        assert!(control.health()?.state_written);
        running.end()?;
        if state == JournalState::Full {
            let bytes = fs::metadata(journal_of(&configuration))?.len();
            assert!(bytes <= BOUND, "{bytes}");
            let replay = replay(&journal_of(&configuration))?;
            assert_eq!((replay.ended, replay.difference), (false, None));
        }
        drop(site);
    }
    Ok(())
}
