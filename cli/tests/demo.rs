//! The demo as a user runs it: it holds what it promises, and leaves nothing behind.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use licensing::snapshot::{ServiceStatus, State};
use licensing::{Event, Mode};
use node::journal::replay;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, test_kill_process};

/// The demo, with temporary files in this directory.
fn demo(temporary: &Path) -> Command {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    demo.arg("demo")
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    demo
}

fn files(directory: &Path) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[test]
fn every_assertion_of_the_demo_holds_and_nothing_is_left_but_what_is_to_be_kept() {
    let temporary = tempfile::tempdir().unwrap();
    let beside = tempfile::tempdir().unwrap();
    let keep = beside.path().join("kept");
    let demo = demo(temporary.path()).arg("--keep").arg(&keep).spawn();
    let output = demo.unwrap().wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, table) = text.split_once("What Was Asserted\n").unwrap_or_else(|| {
        panic!("the demo ended early: {said}\n{text}");
    });
    assert_eq!(output.status.code(), Some(0), "{table}\n{said}");
    assert!(table.ends_with("94 ok, 0 failed\n"), "{table}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(files(temporary.path()), 0);
    assert_replays(&keep.join("state").join("journal.jsonl"), &text);
    // What was kept is not written over.
    let again = demo_in(temporary.path(), &keep);
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.contains("can't make a directory"), "{said}");
}

fn demo_in(temporary: &Path, keep: &Path) -> Output {
    let demo = demo(temporary).arg("--keep").arg(keep).spawn();
    demo.unwrap().wait_with_output().unwrap()
}

/// The journal that the demo's node wrote comes to what the demo showed: the same inputs, events and snapshots.
//= L17
fn assert_replays(journal: &Path, shown: &str) {
    let replay = replay(journal).unwrap();
    assert_eq!((&replay.difference, replay.ended), (&None, true));
    assert_eq!(replay.cut, None);
    let told = format!(
        "{} inputs, {} results the same as recorded.",
        replay.inputs, replay.compared
    );
    assert!(shown.contains(&told), "{told}");
    // Compared are the outputs, a digest of the snapshot for every 64 inputs, and the last snapshot.
    let lines = std::fs::read_to_string(journal).unwrap();
    let recorded = |what: &str| lines.lines().filter(|line| line.starts_with(what)).count() as u64;
    let (outputs, digests) = (recorded("{\"out\""), recorded("{\"digest\""));
    assert_eq!(digests, replay.inputs / 64, "{} inputs", replay.inputs);
    assert!(digests >= 2, "the demo takes longer than that");
    assert_eq!(replay.compared, outputs + digests + 1);
    let seen = |wanted: fn(&Event) -> bool| {
        let events = replay.events.iter().filter(|told| wanted(&told.event));
        events.count()
    };
    assert_eq!(seen(|event| *event == Event::SmartLicensingEnabled), 1);
    assert_eq!(seen(|event| *event == Event::EvaluationStarted), 1);
    let modes = |event: &Event| matches!(event, Event::ModeChanged { .. });
    assert_eq!(seen(modes), 1, "registered");
    let speeds = |event: &Event| matches!(event, Event::LabSpeedup { .. });
    assert_eq!(seen(speeds), 3, "fast, slow, as the authority has it");
    let alarms = |event: &Event| matches!(event, Event::AlarmRaised { .. });
    assert!(
        seen(alarms) >= 3,
        "evaluation, a full service, expiry, and more"
    );
    let snapshot = &replay.snapshot;
    assert!(snapshot.evaluation.expired && snapshot.smart.enabled);
    let row = |name: &str| {
        let mut rows = snapshot.services.iter();
        rows.find(|row| row.tag.name == name).unwrap()
    };
    assert_eq!(snapshot.smart.mode, Mode::Registered);
    // The node ended, and gave every permit back.
    for (name, peak, at_ceiling, blocked, by_feature) in [
        ("GGSN", 40_000, 3, 4, 0),
        ("PGW", 2_051, 0, 2, 1),
        ("SAEGW", 2_001, 0, 1, 0),
        ("SGW", 0, 0, 0, 0),
    ] {
        let ServiceStatus {
            tag, peak: most, ..
        } = row(name);
        let refused = tag.refused;
        let refused = (refused.at_ceiling, refused.blocked, refused.by_feature);
        let expected = (peak, (at_ceiling, blocked, by_feature));
        assert_eq!((most.0, refused), expected, "{name}");
        assert_eq!(tag.state, State::Allow, "{name}");
    }
    assert_eq!(replay.history.len(), 11, "{:?}", replay.history);
}

/// A demo whose node runs: it, and the rest of its output.
fn demo_with_node(temporary: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut demo = demo(temporary).spawn().unwrap();
    let mut out = BufReader::new(demo.stdout.take().unwrap());
    // The node runs once the first step begins.
    let mut line = String::new();
    while !line.starts_with("=== 1. ") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "the demo ended early");
    }
    (demo, out)
}

fn pid_of(process: &Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap()
}

#[test]
fn an_interrupted_demo_ends_its_node_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let (demo, mut out) = demo_with_node(temporary.path());
    let node = child_of(demo.id());
    assert_eq!(files(temporary.path()), 1);
    kill_process(pid_of(&demo), Signal::INT).unwrap();
    out.read_to_string(&mut String::new()).unwrap();
    let output = demo.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("Failure: interrupted (demo): "), "{said}");
    assert_eq!(files(temporary.path()), 0);
    assert!(test_kill_process(node).is_err(), "the node still runs");
}

/// The node's log goes to a file, so it holds nothing of the demo's open but its standard input.
#[test]
fn the_node_of_a_killed_demo_ends_by_itself() {
    let temporary = tempfile::tempdir().unwrap();
    let (mut demo, _) = demo_with_node(temporary.path());
    let node = child_of(demo.id());
    kill_process(pid_of(&demo), Signal::KILL).unwrap();
    demo.wait().unwrap();
    // Whoever waits for its end is told by the kernel.
    let ends = pidfd_open(node, PidfdFlags::empty());
    let Ok(ends) = ends else {
        return;
    };
    let mut polled = [PollFd::new(&ends, PollFlags::IN)];
    let limit = Timespec {
        tv_sec: 60,
        tv_nsec: 0,
    };
    assert_eq!(
        poll(&mut polled, Some(&limit)),
        Ok(1),
        "the node still runs"
    );
}

fn child_of(parent: u32) -> Pid {
    let children = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(children).unwrap();
    let child: i32 = children.split_whitespace().next().unwrap().parse().unwrap();
    Pid::from_raw(child).unwrap()
}
