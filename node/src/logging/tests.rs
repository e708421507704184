//! What is kept of events, and that none is without an id.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use api::{SyslogFacility, SyslogProtocol, SyslogState};
use tracing_subscriber::prelude::*;

use super::*;
use crate::config::SyslogServer;

const ALL: Wanted = Wanted {
    limit: 9,
    facility: None,
    level: None,
    since: None,
};

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
    let view = log.view(ALL);
    let [entry] = &view.entries[..] else {
        panic!("{view:?}");
    };
    assert_eq!(entry.id, eventlog::table::NO_JOURNAL.id);
    assert_eq!(entry.severity, LogSeverity::Error);
    assert_eq!(entry.facility, LogFacility::System);
    assert_eq!(
        entry.text,
        "no journal; calls go on error=\"no such file\" path=/j tries=3"
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
    let view = log.view(ALL);
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
    let ids: Vec<u32> = log.view(ALL).entries.iter().map(|e| e.id).collect();
    let (cleared, failed) = (eventlog::table::CLEARED, eventlog::table::NOT_CLEAN);
    assert_eq!(ids, [cleared.id, failed.id]);
}

fn server(level: LogSeverity) -> Arc<SyslogServer> {
    Arc::new(SyslogServer {
        address: "192.0.2.9".into(),
        port: 514,
        protocol: SyslogProtocol::Udp,
        facility: SyslogFacility::Local7,
        level,
        roots: Vec::new(),
        queue: 16,
    })
}

#[test]
fn a_server_without_room_makes_nobody_wait_and_what_it_has_not_is_counted() {
    let log = logged(64, || {});
    let (outlet, mut entries, _) = Outlet::new(&server(LogSeverity::Warning));
    log.state.lock().outlets.push(outlet.clone());
    let subscriber = tracing_subscriber::registry().with(Keeper(log));
    tracing::subscriber::with_default(subscriber, || {
        // Below its level, and about itself.
        event!(READY, said = "a");
        event!(SYSLOG_DROPPED, server = "192.0.2.9", events = 1);
        event!(SYSLOG_DROPPED, server = "192.0.2.10", events = 1);
        for _ in 0..20 {
            event!(NOT_CLEAN, error = "x");
        }
    });
    let view = outlet.view();
    assert_eq!((view.queued, view.queue, view.dropped), (16, 16, 5));
    assert_eq!(view.state, SyslogState::Idle);
    let first = entries.try_recv().unwrap();
    assert_eq!(first.id, eventlog::table::SYSLOG_DROPPED.id);
    assert!(first.text.ends_with("server=192.0.2.10 events=1"));
    let second = entries.try_recv().unwrap();
    assert_eq!(second.id, eventlog::table::NOT_CLEAN.id);
    assert_eq!(outlet.view().queued, 14);
    assert_eq!(log.view(ALL).held, 23);
}

#[test]
fn a_server_is_away_and_reached_once_each_time() {
    let (outlet, _, tally) = Outlet::new(&server(LogSeverity::Info));
    let standing = || (outlet.view().state, outlet.view().failure);
    assert!(!tally.reached());
    assert_eq!(standing(), (SyslogState::Reached, None));
    assert!(tally.away("a"));
    assert!(!tally.away("b"));
    assert_eq!(standing(), (SyslogState::Away, Some("b".into())));
    assert!(tally.reached());
    assert!(!tally.reached());
    assert_eq!(standing(), (SyslogState::Reached, Some("b".into())));
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
