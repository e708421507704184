//! What is kept of events, and that none is without an id.

use std::fs;
use std::path::Path;

use tracing_subscriber::prelude::*;

use super::*;

fn logged(capacity: usize, log: impl FnOnce()) -> &'static EventLog {
    let kept: &'static EventLog = Box::leak(Box::new(EventLog::new(capacity)));
    let subscriber = tracing_subscriber::registry().with(Keeper(kept));
    tracing::subscriber::with_default(subscriber, log);
    kept
}

#[test]
fn an_event_is_kept_with_its_row_and_fields_and_one_without_an_id_is_not() {
    let log = logged(8, || {
        event!(NO_JOURNAL, error = %"no such\nfile", path = "/j", tries = 3_u64);
        tracing::error!("nobody's");
        tracing::error!(id = 7_u32, "nobody's either");
    });
    let view = log.view(9, None, None);
    let [entry] = &view.entries[..] else {
        panic!("{view:?}");
    };
    assert_eq!(entry.id, eventlog::table::NO_JOURNAL.id);
    assert_eq!(entry.severity, LogSeverity::Error);
    assert_eq!(entry.facility, LogFacility::System);
    assert_eq!(
        entry.text,
        "no journal; calls go on error=no such file path=/j tries=3"
    );
    let fields = [("error", "no such file"), ("path", "/j"), ("tries", "3")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(entry.fields, fields);
    assert!(entry.source.starts_with("logging/tests.rs:"), "{entry:?}");
    assert!(entry.at.0 > 0);
}

#[test]
fn what_is_overwritten_is_counted() {
    let log = logged(2, || {
        event!(READY, said = "a");
        event!(ENDING);
        event!(ENDED);
    });
    let view = log.view(9, None, None);
    assert_eq!((view.held, view.capacity, view.overwritten), (2, 2, 1));
    let texts: Vec<&str> = view.entries.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(texts, ["ending", "ended"]);
}

#[test]
fn an_event_below_the_level_of_its_facility_is_not_kept() {
    let log = logged(8, || {});
    log.state
        .lock()
        .levels
        .set(LogFacility::System, LogSeverity::Error);
    let subscriber = tracing_subscriber::registry().with(Keeper(log));
    tracing::subscriber::with_default(subscriber, || {
        event!(ENDED);
        event!(CLEARED);
        event!(NOT_CLEAN, error = "x");
    });
    let ids: Vec<u32> = log
        .view(9, None, None)
        .entries
        .iter()
        .map(|e| e.id)
        .collect();
    let (cleared, failed) = (eventlog::table::CLEARED, eventlog::table::NOT_CLEAN);
    assert_eq!(ids, [cleared.id, failed.id]);
}

/// What an operator may act on goes through the table: only `debug!` is free.
#[test]
fn no_line_of_the_node_is_without_an_id() {
    let mut bare = Vec::new();
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let is_test = path.ends_with("logging/tests.rs");
            let bare_of = ["error!(", "warn!(", "info!("].map(|call| format!("tracing::{call}"));
            if !is_test && bare_of.iter().any(|call| text.contains(call)) {
                bare.push(path);
            }
        }
    }
    assert!(bare.is_empty(), "log without event!: {bare:?}");
}
