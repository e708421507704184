//! The corpus of the fuzz targets, replayed: whatever is received is answered or dropped, and counted.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use snmp::target::Heard;

#[path = "../../fuzz/src/snmp.rs"]
mod fuzz;

/// All inputs of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../fuzz/corpus").join(target);
    let files = fs::read_dir(folder).unwrap();
    let inputs: Vec<Vec<u8>> = files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(!inputs.is_empty(), "{target} has no corpus");
    inputs
}

//= TS 33.117 4.4.4
#[test]
fn what_an_agent_is_sent_is_answered_or_counted() {
    let taken: Vec<_> = corpus("agent")
        .iter()
        .filter_map(|i| fuzz::agent(i))
        .collect();
    for outcome in [fuzz::Taken::Answered, fuzz::Taken::Dropped] {
        assert!(taken.contains(&outcome), "no input is {outcome:?}");
    }
}

#[test]
fn what_the_receiver_of_an_inform_says_is_believed_or_ignored() {
    let name = |heard: Heard| match heard {
        Heard::Acknowledged(_) => "acknowledged",
        Heard::Failed(..) => "failed",
        Heard::Learned(_) => "learned",
        Heard::Refused(..) => "refused",
        Heard::Ignored(_) => "ignored",
    };
    let heard = corpus("inform");
    let heard = heard.iter().filter_map(|input| fuzz::inform(input));
    let heard: BTreeSet<&str> = heard.map(name).collect();
    let all = ["acknowledged", "failed", "ignored", "learned", "refused"];
    assert_eq!(heard, BTreeSet::from(all), "an outcome that no input has");
}
