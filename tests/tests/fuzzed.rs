//! The corpora of the fuzz targets of messages, state and wires, replayed: each outcome is there.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use tests::planes;

#[path = "../../fuzz/src/gtp.rs"]
mod gtp_fuzz;
#[path = "../../fuzz/src/sequences.rs"]
mod sequences;
#[path = "../../fuzz/src/slots.rs"]
mod slots;
#[path = "../../fuzz/src/wire.rs"]
mod wire;

/// All inputs of a target, in the order of their names.
fn corpus(target: &str) -> Result<Vec<Vec<u8>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<_> = files
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    ensure!(paths.len() >= 5, "{target} has a small corpus");
    paths.iter().map(|path| Ok(fs::read(path)?)).collect()
}

/// What became of each input, as it is written.
fn outcomes<T: std::fmt::Debug>(
    target: &str,
    oracle: impl Fn(&[u8]) -> T,
) -> Result<BTreeSet<String>> {
    let inputs = corpus(target)?;
    let outcomes = inputs.iter().map(|input| format!("{:?}", oracle(input)));
    Ok(outcomes.collect())
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into_iter().collect()
}

//= TS 33.117 4.4.4
#[test]
fn datagrams_are_read_whole_or_not_at_all() -> Result<()> {
    let all = set(["Malformed", "Refused", "Whole"]);
    assert_eq!(outcomes("gtpv1", gtp_fuzz::v1)?, all);
    assert_eq!(outcomes("gtpv2", gtp_fuzz::v2)?, all);
    Ok(())
}

#[test]
fn sequences_of_messages_leave_counts_that_are_those_of_sessions() -> Result<()> {
    let mut most = sequences::Left::default();
    for input in corpus("sequences")? {
        let left = sequences::sequences(&input);
        most.sent = most.sent.max(left.sent);
        most.sessions = most.sessions.max(left.sessions);
    }
    ensure!(most.sent > 5 && most.sessions > 1, "{most:?}");
    Ok(())
}

//= L3
#[test]
fn slots_never_say_that_less_is_spent() -> Result<()> {
    let all = set(["None", "Some(Newest)", "Some(Nothing)", "Some(Older)"]);
    assert_eq!(outcomes("slots", slots::slots)?, all);
    Ok(())
}

//= TS 33.117 4.4.4
#[test]
fn what_crosses_sockets_is_read_as_it_was_written() -> Result<()> {
    assert_eq!(outcomes("control", wire::control)?, set(["false", "true"]));
    let all = set(["Closed", "Open", "Refused"]);
    assert_eq!(outcomes("authority", wire::authority)?, all);
    assert_eq!(outcomes("replies", wire::replies)?, all);
    Ok(())
}

//= TS 33.117 4.3.6.3
#[test]
fn a_key_that_comes_twice_is_refused() {
    assert!(wire::control(br#"{"request":"history","limit":1}"#));
    assert!(!wire::control(
        br#"{"request":"history","limit":1,"limit":2}"#
    ));
    assert!(!wire::control(
        br#"{"request":"health","request":"health"}"#
    ));
}
