use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use api::JournalState;
use enforcer::verdicts::Enforcer;
use enforcer::{Counts, RefusalSeen};
use licensing::{RefusalReason, ServiceIndex};

use super::*;
use crate::config::Journal;
use crate::vitals::Vitals;

const CEILING: u32 = 10_000;

fn at(seconds: u64, speedup: u64) -> Now {
    Now {
        mono: Mono(0).after(Duration::from_secs(seconds)),
        wall: Wall(1_767_225_600_000 + i64::try_from(seconds).unwrap() * 1_000),
        license: LicenseTime(seconds * 1_000 * speedup),
    }
}

fn config() -> Config {
    let catalog = Catalog::staros();
    let product = catalog.products()[1].clone();
    let node = NodeIdentity {
        name: "gw1".into(),
        pid: "VPC_SI".into(),
        serial: "9FR4BQX".into(),
        product: product.name,
        product_tag: product.tag,
        version: "0.1.0".into(),
        catalog: licensing::snapshot::CatalogOrigin::Embedded,
    };
    Config {
        lab: Some(Lab {
            speedup: 1,
            unsigned_catalog: false,
        }),
        ..Config::new(node, Arc::new(catalog))
    }
}

fn counts(sessions: u32) -> Input {
    let mut counts = Counts {
        services: vec![enforcer::ServiceCount::default(); 7],
        classes: Vec::new(),
    };
    counts.services[2].sessions = sessions;
    counts.services[2].peak = sessions;
    Input::Counts(counts)
}

/// What a node is told while a license fills, is at its limit, and the evaluation runs out.
fn inputs() -> Vec<(Input, Now)> {
    let refused = RefusalSeen {
        at: at(40, 1).wall,
        service: ServiceIndex(2),
        reason: RefusalReason::AtCeiling,
        sessions: CEILING,
        ceiling: Some(CEILING),
        apn: "internet".into(),
        cause: 199,
        new_subscriber: true,
    };
    let mut inputs = vec![
        (counts(0), at(1, 1)),
        (Input::SmartLicensing { enable: true }, at(2, 1)),
    ];
    inputs.extend((3..40).map(|s| (counts(u32::try_from(s).unwrap() * 250), at(s, 1))));
    inputs.extend((40..100).map(|s| (counts(CEILING), at(s, 1))));
    inputs.push((Input::Refusals(vec![refused]), at(100, 1)));
    inputs.push((Input::LabSpeedup { speedup: 1 << 20 }, at(100, 1)));
    inputs.extend((101..140).map(|s| (counts(CEILING), at(s, 1 << 20))));
    inputs.push((Input::Save, at(140, 1 << 20)));
    inputs
}

/// A journal of them, as the control thread makes one, and the machine at its end.
fn recorded(with_end: bool) -> (Vec<Vec<u8>>, Enforcer) {
    let (restored, began) = (Restored::default(), at(0, 1));
    let header = Header::new(&config(), Catalog::staros_text(), &restored, began);
    let vitals = Arc::new(Vitals::new(1, began.mono));
    let (mut recorder, lines) = Recorder::new(header, vitals);
    let mut machine = Enforcer::new(config(), restored, began);
    let mut now = began;
    let outputs = |machine: &mut Enforcer, recorder: &mut Recorder| {
        std::iter::from_fn(|| machine.poll_output()).for_each(|output| recorder.output(&output));
    };
    outputs(&mut machine, &mut recorder);
    for (input, told) in inputs() {
        now = told;
        recorder.input(&input, now);
        machine.handle(input, now);
        if recorder.wants_digest() {
            recorder.digest(&machine.snapshot(now));
        }
        outputs(&mut machine, &mut recorder);
    }
    if with_end {
        recorder.end(&machine.snapshot(now));
    }
    (lines.try_iter().collect(), machine)
}

fn replayed(lines: &[Vec<u8>]) -> Result<Replay, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.jsonl");
    fs::write(&file, lines.concat()).unwrap();
    let replayed = replay(&file).map_err(|error| error.to_string());
    replayed.map_err(|error| error.replace(&file.display().to_string(), "FILE"))
}

/// The journal with one text in place of another, in the first line that has it; the line's number goes with it.
fn altered(lines: &[Vec<u8>], from: &str, to: &str) -> (u64, Vec<Vec<u8>>) {
    let mut lines = lines.to_vec();
    let place = lines.iter().position(|line| text(line).contains(from));
    let place = place.unwrap();
    lines[place] = text(&lines[place]).replace(from, to).into_bytes();
    (place as u64 + 1, lines)
}

fn text(line: &[u8]) -> String {
    String::from_utf8(line.to_vec()).unwrap()
}

/// The refusals and what explains them are the same as well.
//= L17
#[test]
fn a_replay_comes_to_the_same() {
    let (lines, machine) = recorded(true);
    let replay = replayed(&lines).unwrap();
    assert_eq!(replay.difference, None);
    assert_eq!((replay.ended, replay.cut), (true, None));
    assert_eq!(replay.inputs, inputs().len() as u64);
    assert_eq!(replay.snapshot, machine.snapshot(at(140, 1 << 20)));
    assert!(replay.snapshot.evaluation.expired);
    assert_eq!(
        replay.history,
        machine.history().cloned().collect::<Vec<_>>()
    );
    assert_eq!(replay.history.len(), 1);
    let started = replay
        .events
        .iter()
        .find(|told| told.event == licensing::Event::EvaluationStarted);
    assert_eq!(started.unwrap().at, at(3, 1).wall);
    // Seven terms at the start, the ceilings, the events, two digests and the end.
    assert!(replay.compared > 20, "{}", replay.compared);
    let digests = lines.iter().filter(|line| line.starts_with(b"{\"digest\""));
    assert_eq!(digests.count() as u64, replay.inputs / DIGEST_EVERY);
}

#[test]
fn a_sample_like_the_last_is_a_short_line() {
    let (lines, _) = recorded(true);
    let same: Vec<_> = lines
        .iter()
        .filter(|line| line.starts_with(b"{\"same\""))
        .collect();
    assert_eq!(same.len(), 59 + 39);
    assert!(same.iter().all(|line| line.len() < 80), "{}", text(same[0]));
}

#[test]
fn a_line_cut_short_is_left_out_and_told() {
    let (mut lines, _) = recorded(false);
    let last = lines.last_mut().unwrap();
    last.truncate(last.len() - 1);
    let replay = replayed(&lines).unwrap();
    assert_eq!(replay.cut, Some(lines.len() as u64));
    assert_eq!((replay.ended, replay.difference), (false, None));
    let whole = recorded(false).0;
    let replay = replayed(&whole).unwrap();
    assert_eq!(
        (replay.ended, replay.cut, replay.difference),
        (false, None, None)
    );
}

/// A count that was altered where an event depends on it, where only a digest does, and an end that was altered.
//= L17
#[test]
fn what_was_altered_is_found_with_its_line() {
    let (lines, _) = recorded(true);
    let count = format!("\"sessions\":{CEILING},\"peak\":{CEILING}}}");
    let first = lines
        .iter()
        .position(|line| text(line).starts_with("{\"in\"") && text(line).contains(&count));
    let (line, other) = altered(&lines, &count, "\"sessions\":9999,\"peak\":9999}");
    assert_eq!(line, first.unwrap() as u64 + 1);
    let found = replayed(&other).unwrap().difference.unwrap();
    let next_digest = lines
        .iter()
        .position(|line| line.starts_with(b"{\"digest\""))
        .unwrap();
    assert!(
        (line + 1..=next_digest as u64 + 1).contains(&found.line),
        "{found:?}"
    );

    let (line, other) = altered(
        &lines,
        "{\"out\":{\"output\":\"event\",\"of\":{\"event\":\"evaluation-started\"}}}",
        "{\"out\":{\"output\":\"event\",\"of\":{\"event\":\"smart-licensing-disabled\"}}}",
    );
    let found = replayed(&other).unwrap().difference.unwrap();
    assert_eq!(found.line, line);
    assert_eq!(
        found.what,
        "recorded output {\"output\":\"event\",\"of\":{\"event\":\"smart-licensing-disabled\"}}, \
         replayed {\"output\":\"event\",\"of\":{\"event\":\"evaluation-started\"}}"
    );

    // Only the digest tells when the input before it came.
    let mut other = lines.clone();
    let sample = text(&other[next_digest - 1]);
    other[next_digest - 1] = sample.replacen(",1767", ",1768", 1).into();
    assert_ne!(other[next_digest - 1], lines[next_digest - 1]);
    let found = replayed(&other).unwrap().difference.unwrap();
    assert_eq!(found.line, next_digest as u64 + 1);
    assert_eq!(
        found.what,
        "the snapshot after input 64 is another than the one recorded there"
    );

    let end = lines.len() as u64;
    let mut other = lines.clone();
    let last = text(other.last().unwrap());
    *other.last_mut().unwrap() = last
        .replace("\"refusals_lost\":0", "\"refusals_lost\":5")
        .into();
    let found = replayed(&other).unwrap().difference.unwrap();
    assert_eq!(found.line, end);
    assert_eq!(found.what, "snapshot.refusals_lost: recorded 5, replayed 0");
}

#[test]
fn what_is_no_journal_is_refused_with_file_and_line() {
    let (lines, _) = recorded(true);
    let (_, other) = altered(
        &lines,
        "{\"header\":{\"format\":1",
        "{\"header\":{\"format\":2",
    );
    assert_eq!(
        replayed(&other).unwrap_err(),
        "FILE:1: a journal of format 2, this program reads 1; replay it with the program that wrote it"
    );
    let (_, other) = altered(&lines, "\"digest\"", "\"digits\"");
    let line = other
        .iter()
        .position(|line| text(line).contains("digits"))
        .unwrap()
        + 1;
    let error = replayed(&other).unwrap_err();
    assert!(
        error.starts_with(&format!("FILE:{line}: unknown variant `digits`")),
        "{error}"
    );
    assert!(error.ends_with("; it is damaged, or no journal"), "{error}");
    let (_, other) = altered(&lines, "[[product]]", "[[produce]]");
    let error = replayed(&other).unwrap_err();
    assert!(error.starts_with("FILE:1: its catalog: "), "{error}");
    let mut other = lines.clone();
    other.push(lines[1].clone());
    let error = replayed(&other).unwrap_err();
    assert!(error.contains(": a line after the end; "), "{error}");
    for (none, why) in [
        (&b""[..], "no whole line"),
        (b"{\"header\":{", "no whole line"),
        (b"\n", "EOF"),
    ] {
        let error = replayed(&[none.to_vec()]).unwrap_err();
        assert!(
            error.starts_with("FILE:1: ") && error.contains(why),
            "{error}"
        );
    }
    assert!(replay(&PathBuf::from("/nowhere/journal")).is_err());
}

fn write(file: PathBuf, max_bytes: u64) -> Arc<Vitals> {
    let began = at(0, 1);
    let vitals = Arc::new(Vitals::new(1, began.mono));
    let restored = Restored::default();
    let header = Header::new(&config(), Catalog::staros_text(), &restored, began);
    let journal = Journal { file, max_bytes };
    let (mut recorder, writer) = Recorder::start(&journal, header, &vitals).unwrap();
    let writer = writer.unwrap();
    for (input, now) in inputs() {
        recorder.input(&input, now);
    }
    let ended = vitals.journal().state;
    assert_ne!(ended, JournalState::Off);
    drop(recorder);
    writer.join(Duration::from_secs(120)).unwrap();
    vitals
}

#[test]
fn a_file_is_private_and_keeps_the_one_before_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.jsonl");
    fs::write(&file, "the one before").unwrap();
    let vitals = write(file.clone(), 1 << 20);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let old = fs::read_to_string(dir.path().join("journal.jsonl.old"));
    assert_eq!(old.unwrap(), "the one before");
    let health = vitals.journal();
    assert_eq!((health.state, health.missed), (JournalState::Writing, 0));
    assert_eq!(health.bytes, fs::metadata(&file).unwrap().len());
}

#[test]
fn the_bound_holds_and_what_is_there_can_be_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.jsonl");
    let vitals = write(file.clone(), 12_000);
    assert_eq!(vitals.journal().state, JournalState::Full);
    let bytes = fs::metadata(&file).unwrap().len();
    assert!((11_000..=12_000).contains(&bytes), "{bytes}");
    let replay = replay(&file).unwrap();
    assert_eq!(
        (replay.cut, replay.difference, replay.ended),
        (None, None, false)
    );
    assert!(replay.inputs > 2 && replay.inputs < inputs().len() as u64);
}

#[test]
fn a_disk_that_fails_stops_the_journal() {
    let vitals = write("/dev/full".into(), 1 << 20);
    assert_eq!(vitals.journal().state, JournalState::Failed);
    let began = at(0, 1);
    let header = Header::new(
        &config(),
        Catalog::staros_text(),
        &Restored::default(),
        began,
    );
    let journal = Journal {
        file: "/nowhere/journal".into(),
        max_bytes: 1,
    };
    let vitals = Arc::new(Vitals::new(1, began.mono));
    let (mut recorder, writer) = Recorder::start(&journal, header, &vitals).unwrap();
    assert!(writer.is_none());
    recorder.input(&Input::Timeout, at(1, 1));
    let health = vitals.journal();
    assert_eq!((health.state, health.missed), (JournalState::Failed, 1));
}

/// Nobody takes the lines away: the journal stops, and who writes is not held up.
#[test]
fn a_disk_that_does_not_answer_stops_the_journal() {
    let began = at(0, 1);
    let header = Header::new(
        &config(),
        Catalog::staros_text(),
        &Restored::default(),
        began,
    );
    let vitals = Arc::new(Vitals::new(1, began.mono));
    let (mut recorder, lines) = Recorder::new(header, Arc::clone(&vitals));
    for _ in 0..2_000 {
        recorder.input(&Input::Timeout, began);
    }
    assert_eq!(lines.len(), 1_024);
    let health = vitals.journal();
    // The header took a place, and the input that found none was recorded nowhere either.
    assert_eq!(
        (health.state, health.missed),
        (JournalState::Failed, 2_000 - 1_023)
    );
}
