//! What the verdicts tell, in the event log.

use eventlog::Row;
use licensing::Event;
use tracing::Level;

use crate::logging::level;

/// Logs an event by its row.
pub(super) fn log(event: &Event) {
    match serde_json::to_string(event) {
        Ok(said) => {
            let row = eventlog::table::of(event);
            let Row { id, text, .. } = row;
            // The level of a call of `tracing` is a constant.
            macro_rules! at {
                ($level:ident) => {
                    tracing::event!(target: "tollgate::event", Level::$level, event = %said, id, "{text}")
                };
            }
            match level(row) {
                Level::ERROR => at!(ERROR),
                Level::WARN => at!(WARN),
                Level::INFO => at!(INFO),
                Level::DEBUG => at!(DEBUG),
                Level::TRACE => at!(TRACE),
            }
        }
        Err(error) => event!(EVENT_NOT_WRITTEN, %error),
    }
}
