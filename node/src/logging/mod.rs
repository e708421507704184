//! The event log of this process: its newest events in memory, and syslog servers that are sent them.
//!
//! Whoever has something to tell writes `event!(ROW, fields)`: the row of [`eventlog::table`] says text, severity and id. It
//! is an event of `tracing`, so that standard error has it; [`layer`] keeps it here, too. There is one log a process.
//! Whoever logs holds its lock for the time of one push and waits for nothing else: an [`Outlet`] without room counts what it
//! does not take.

use std::fmt;
use std::sync::LazyLock;

use api::{LogEntry, LogFacility, LogFilter, LogSeverity, LogView, LoggingView};
use eventlog::{Levels, Ring, Row, Wanted, printable};
use jiff::Timestamp;
use licensing::Wall;
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use outlet::Outlet;
pub(crate) use syslog::{SyslogAsk, SyslogShell};

/// Events that are held.
const EVENTS_MAX: usize = api::LOGS_LIMIT_MAX as usize;

/// The field that says which event it is.
const ID: &str = "id";

static LOG: LazyLock<EventLog> = LazyLock::new(|| EventLog::new(EVENTS_MAX));

/// Logs an event of the table, with fields as `tracing` has them.
macro_rules! event {
    (target: $target:expr, $row:ident $(, $($field:tt)+)?) => {
        tracing::event!(
            target: $target,
            $crate::logging::level(&eventlog::table::$row),
            $($($field)+,)?
            id = eventlog::table::$row.id,
            "{}", eventlog::table::$row.text
        )
    };
    ($row:ident $(, $($field:tt)+)?) => {
        event!(target: module_path!(), $row $(, $($field)+)?)
    };
}

mod outlet;
mod syslog;
#[cfg(test)]
mod tests;

/// The level of standard error.
pub(crate) const fn level(row: &Row) -> Level {
    match row.severity {
        LogSeverity::Critical | LogSeverity::Error => Level::ERROR,
        LogSeverity::Warning | LogSeverity::Unusual => Level::WARN,
        LogSeverity::Info => Level::INFO,
        LogSeverity::Trace | LogSeverity::Debug => Level::DEBUG,
    }
}

/// What keeps events in the log of this process.
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    Keeper(&LOG).with_filter(LevelFilter::INFO)
}

/// The events of this process that are wanted, the oldest first.
pub(crate) fn view(wanted: Wanted) -> LogView {
    LOG.view(wanted)
}

/// What is logged in this process, and who is sent it.
pub(crate) fn logging() -> LoggingView {
    let state = LOG.state.lock();
    let filters = LogFacility::ALL.map(|facility| LogFilter {
        facility,
        level: state.levels.of(facility),
    });
    LoggingView {
        filters: filters.into(),
        servers: state.outlets.iter().map(Outlet::view).collect(),
    }
}

struct EventLog {
    state: Mutex<State>,
}

struct State {
    ring: Ring,
    levels: Levels,
    outlets: Vec<Outlet>,
}

impl EventLog {
    fn new(capacity: usize) -> Self {
        let state = State {
            ring: Ring::new(capacity),
            levels: Levels::default(),
            outlets: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    fn push(&self, entry: LogEntry) {
        let mut state = self.state.lock();
        if entry.severity > state.levels.of(entry.facility) {
            return;
        }
        let entry = state.ring.push(entry);
        for outlet in &state.outlets {
            outlet.offer(&entry);
        }
    }

    fn view(&self, wanted: Wanted) -> LogView {
        let state = self.state.lock();
        let (held, capacity) = (state.ring.held() as u64, state.ring.capacity() as u64);
        let overwritten = state.ring.overwritten();
        let newest = state.ring.newest(wanted);
        drop(state);
        LogView {
            entries: newest.iter().map(|entry| (**entry).clone()).collect(),
            held,
            capacity,
            overwritten,
        }
    }
}

/// Takes events of `tracing` that have an id of the table.
struct Keeper(&'static EventLog);

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let Some(row) = said.id.and_then(eventlog::table::row) else {
            return;
        };
        let mut text = said.message;
        for (name, value) in &said.fields {
            text.push_str(&eventlog::field(name, value));
        }
        let place = event.metadata().file().unwrap_or_default();
        let place = place.rsplit_once("src/").map_or(place, |(_, below)| below);
        let thread = std::thread::current();
        self.0.push(LogEntry {
            number: 0,
            at: Wall(Timestamp::now().as_millisecond()),
            id: row.id,
            facility: row.facility,
            severity: row.severity,
            task: printable(thread.name().unwrap_or("main")),
            pid: std::process::id(),
            source: format!("{place}:{}", event.metadata().line().unwrap_or_default()),
            text: printable(&text),
            fields: said.fields,
        });
    }
}

/// What an event says.
#[derive(Default)]
struct Said {
    id: Option<u32>,
    message: String,
    fields: Vec<(String, String)>,
}

impl Visit for Said {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            ID => self.id = u32::try_from(value).ok(),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields
            .push((field.name().to_owned(), printable(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let value = printable(&format!("{value:?}"));
        match field.name() {
            "message" => self.message = value,
            name => self.fields.push((name.to_owned(), value)),
        }
    }
}
