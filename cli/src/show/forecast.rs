//! `show license forecast`: days until a service's ceiling is reached, by the growth that was seen.

use api::{Outlook, ServiceForecast};
use serde_json::{Value, json};

use super::View;
use super::table::{Column, Table, left, right};

const ROWS: &[Column] = &[
    left("Service", 12),
    right("Sessions"),
    right("Ceiling"),
    left("Sessions a day", 22),
    left("Days to ceiling", 26),
];

/// The surface as text.
pub fn text(view: &View) -> String {
    let mut table = Table::new(ROWS);
    for row in &view.forecast {
        let (growth, days) = outlook(row);
        table.row([
            row.service.clone(),
            row.sessions.to_string(),
            row.ceiling
                .map_or_else(|| "none".to_owned(), |ceiling| ceiling.to_string()),
            growth,
            days,
        ]);
    }
    let note = "\nIn brackets is an interval of 80 %; its past coverage is behind the days.\n";
    table.render() + note
}

/// The surface as data.
pub fn json(view: &View) -> Value {
    json!({ "interval_percent": 80, "services": view.forecast })
}

fn outlook(row: &ServiceForecast) -> (String, String) {
    match &row.outlook {
        Outlook::NoCeiling => ("-".to_owned(), "no ceiling".to_owned()),
        Outlook::InsufficientData { coverage_percent } => {
            let why = match coverage_percent {
                Some(share) => format!("insufficient data ({share} %)"),
                None => format!("insufficient data ({} h)", row.hours),
            };
            ("-".to_owned(), why)
        }
        Outlook::Growth {
            per_day: [low, middle, high],
            hours_until: [earliest, about, latest],
            coverage_percent,
            ..
        } => {
            let days = match earliest {
                None => "not in sight".to_owned(),
                Some(_) => format!(
                    "{} [{} to {}]",
                    days(*about),
                    days(*earliest),
                    days(*latest)
                ),
            };
            (
                format!("{middle:+} [{low:+} to {high:+}]"),
                format!("{days} {coverage_percent} %"),
            )
        }
    }
}

fn days(hours: Option<u32>) -> String {
    hours.map_or_else(
        || "never".to_owned(),
        |hours| format!("{:.1}", f64::from(hours) / 24.0),
    )
}
