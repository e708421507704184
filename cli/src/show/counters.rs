//! `show session counters historical all`: calls by intervals of 15 minutes, in the layout of StarOS.

use api::{CallCounters, CounterInterval};
use serde_json::{Value, json};

use super::View;
use super::table::{Column, Table, right};
use super::text;

/// A row is one line, as StarOS has it, and wider than a screen of 80 columns.
const ROWS: &[Column] = &[
    right("Intv"),
    right("Timestamp"),
    right("Arrived"),
    right("Rejected"),
    right("Connected"),
    right("Disconn"),
    right("Failed"),
    right("Handoffs"),
    right("Renewals"),
    right("CallOps"),
];

/// The surface as text; the interval that goes on is 0.
pub fn text(view: &View) -> String {
    let mut table = Table::new(ROWS);
    let all = view.counters.current.iter().chain(&view.counters.intervals);
    let first = usize::from(view.counters.current.is_none());
    for (number, interval) in all.enumerate() {
        table.row(row(number + first, interval));
    }
    table.render()
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    json!({ "interval_s": api::COUNTERS_INTERVAL_S, "counters": view.counters })
}

fn row(number: usize, interval: &CounterInterval) -> [String; 10] {
    let counted = &interval.counted;
    let cells = [
        counted.arrived,
        counted.rejected,
        counted.connected,
        counted.disconnected,
        counted.failed,
        counted.handed_over,
        // A session is made anew; nothing renews one.
        0,
        operations(counted),
    ];
    let [a, r, c, d, f, h, renewals, all] = cells.map(|n| n.to_string());
    let until = text::colon_stamp(interval.until);
    [number.to_string(), until, a, r, c, d, f, h, renewals, all]
}

/// What signalling there was: calls that arrived, were rejected, ended, failed and were handed over.
fn operations(counted: &CallCounters) -> u64 {
    counted.arrived + counted.rejected + counted.disconnected + counted.failed + counted.handed_over
}
