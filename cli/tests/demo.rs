//! The demo as a user runs it: it holds what it promises, and leaves nothing behind.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// The demo, with temporary files in this directory.
fn demo(temporary: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .arg("demo")
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn files(directory: &Path) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[test]
fn every_assertion_of_the_demo_holds_and_nothing_is_left() {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path()).wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, table) = text.split_once("What Was Asserted\n").unwrap_or_else(|| {
        panic!("the demo ended early: {said}\n{text}");
    });
    assert_eq!(output.status.code(), Some(0), "{table}\n{said}");
    assert!(table.ends_with("31 ok, 0 failed\n"), "{table}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(files(temporary.path()), 0);
}

#[test]
fn an_interrupted_demo_ends_its_node_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = demo(temporary.path());
    let mut out = BufReader::new(demo.stdout.take().unwrap());
    // The node runs once the first step begins.
    let mut line = String::new();
    while !line.starts_with("=== 1. ") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "the demo ended early");
    }
    let node = child_of(demo.id());
    assert_eq!(files(temporary.path()), 1);
    let pid = Pid::from_raw(i32::try_from(demo.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    out.read_to_string(&mut line).unwrap();
    let output = demo.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("Failure: interrupted (demo): "), "{said}");
    assert_eq!(files(temporary.path()), 0);
    assert!(test_kill_process(node).is_err(), "the node still runs");
}

fn child_of(parent: u32) -> Pid {
    let children = format!("/proc/{parent}/task/{parent}/children");
    let children = std::fs::read_to_string(children).unwrap();
    let child: i32 = children.split_whitespace().next().unwrap().parse().unwrap();
    Pid::from_raw(child).unwrap()
}
