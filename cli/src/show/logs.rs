//! `show logs`: the newest events, a line each.

use serde_json::{Value, json};

use super::View;

/// As text: the oldest first, in StarOS's layout.
pub fn text(view: &View) -> String {
    let mut out = String::new();
    for entry in &view.logs.entries {
        out.push_str(&eventlog::line(entry));
        out.push('\n');
    }
    let logs = &view.logs;
    let (held, capacity) = (logs.held, logs.capacity);
    out + &format!(
        "{held} events are held of at most {capacity}, {} were overwritten\n",
        logs.overwritten
    )
}

/// As data.
pub fn json(view: &View) -> Value {
    json!(view.logs)
}
