//! `show support details`: every other surface, one below the other. What none of them shows, passwords and keys, is not
//! here either; what one of them lists without end is cut as it is there.

use serde_json::{Map, Value, json};

use super::View;
use crate::output::failure_line;

/// The surface as text.
pub fn text(view: &View) -> String {
    let mut out = String::from("Support Details\n");
    for (surface, shown) in &view.details {
        let words = surface.words.join(" ");
        out.push_str(&format!("******** show {words} *******\n"));
        match shown {
            Ok(view) => out.push_str(&surface.body(view)),
            Err(failure) => out.push_str(&failure_line(failure)),
        }
        out.push('\n');
    }
    out
}

/// The surface as data, by the words of each.
pub fn json(view: &View) -> Value {
    let shown = view.details.iter().map(|(surface, shown)| {
        let json = match shown {
            Ok(view) => surface.json(view),
            Err(failure) => json!({ "failure": failure }),
        };
        (surface.words.join(" "), json)
    });
    json!({ "shows": shown.collect::<Map<_, _>>() })
}
