//! Rows of an answer as a table, CSV or JSON, page by page as they come.

use serde_json::Value;

use crate::authority_command::args::Format;

/// Widest cell of a table but in the last column, in characters; a longer one moves what follows it in its row.
const CELL_MAX: usize = 40;
/// Longest cell of a table, in characters.
const CELL_CUT: usize = 100;

/// What a listing shows.
pub struct Listing {
    /// Key of the rows in the answer.
    pub key: &'static str,
    /// How the next page is asked for.
    pub pages: Pages,
    /// Rows are what is in this key of each row.
    pub inside: Option<&'static str>,
    /// Titles, and paths of keys.
    columns: &'static [(&'static str, &'static str)],
}

/// How the next page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// There is none.
    One,
    /// By what `next` says, in this parameter.
    Next(&'static str),
    /// By how many there were.
    Offset,
}

const fn listing(
    key: &'static str,
    pages: Pages,
    columns: &'static [(&'static str, &'static str)],
) -> Listing {
    Listing {
        key,
        pages,
        inside: None,
        columns,
    }
}

pub static ACCOUNTS: Listing = listing(
    "accounts",
    Pages::One,
    &[
        ("Domain", "domain"),
        ("Name", "name"),
        ("Terms approved", "termsApprovedAt"),
        ("By", "termsApprovedBy"),
    ],
);
pub static VIRTUAL_ACCOUNTS: Listing = listing(
    "virtualAccounts",
    Pages::One,
    &[
        ("Name", "name"),
        ("Default", "isDefault"),
        ("Description", "description"),
    ],
);
pub static USERS: Listing = listing(
    "users",
    Pages::One,
    &[
        ("Name", "name"),
        ("Role", "role"),
        ("Virtual account", "virtualAccount"),
    ],
);
pub static LICENSES: Listing = listing(
    "licenses",
    Pages::Offset,
    &[
        ("License", "license"),
        ("Virtual account", "virtualAccount"),
        ("Owned", "quantity"),
        ("In use", "inUse"),
        ("Granted", "granted"),
        ("Needed", "needed"),
        ("Status", "status"),
    ],
);
pub static ENTRIES: Listing = Listing {
    inside: Some("licenseDetails"),
    ..listing(
        "licenses",
        Pages::Offset,
        &[
            ("Entry", "id"),
            ("License", "license"),
            ("Virtual account", "virtualAccount"),
            ("Quantity", "quantity"),
            ("Type", "licenseType"),
            ("Starts", "startDate"),
            ("Ends", "endDate"),
            ("Status", "status"),
        ],
    )
};
pub static TOKENS: Listing = listing(
    "tokens",
    Pages::One,
    &[
        ("Id", "id"),
        ("Status", "status"),
        ("Uses", "uses"),
        ("Of", "usesMax"),
        ("Expires", "expiresAt"),
        ("Made by", "createdBy"),
        ("Description", "description"),
    ],
);
pub static API_TOKENS: Listing = listing(
    "apiTokens",
    Pages::One,
    &[("Id", "id"), ("Name", "name"), ("Expires", "expiresAt")],
);
pub static INSTANCES: Listing = listing(
    "devices",
    Pages::Next("after"),
    &[
        ("Product instance", "productInstanceIdentifier"),
        ("Name", "displayName"),
        ("Virtual account", "virtualAccount"),
        ("Status", "status"),
        ("Orders issued", "orders.issuedSerial"),
        ("Applied", "orders.appliedSerial"),
        ("Last contact", "lastContactDate"),
    ],
);
pub static ORDERS: Listing = listing(
    "orders",
    Pages::One,
    &[
        ("Id", "id"),
        ("Status", "status"),
        ("License", "license"),
        ("Kind", "kind"),
        ("Out of compliance", "onOoc"),
        ("Grace days", "graceDays"),
        ("Mode", "mode"),
        ("Percent", "percent"),
        ("Expires", "expiresAt"),
        ("Issued by", "issuedBy"),
        ("Product instance", "device"),
    ],
);
pub static ALERTS: Listing = listing(
    "alerts",
    Pages::Next("before"),
    &[
        ("Severity", "severity"),
        ("Raised", "raisedAt"),
        ("Cleared", "clearedAt"),
        ("Virtual account", "virtualAccount"),
        ("Needed", "needed"),
        ("Message", "message"),
    ],
);
pub static EVENTS: Listing = listing(
    "events",
    Pages::Next("before"),
    &[
        ("At", "at"),
        ("Virtual account", "virtualAccount"),
        ("Kind", "kind"),
        ("Subject", "subject"),
        ("Message", "message"),
    ],
);
/// Only a report has it.
pub static USAGE: Listing = listing(
    "usage",
    Pages::One,
    &[
        ("Product instance", "productInstanceIdentifier"),
        ("Virtual account", "virtualAccount"),
        ("Reports", "reports"),
        ("License hours", "licenseHours"),
        ("Peak", "peak"),
        ("Tag", "tag"),
    ],
);
pub static AUDIT: Listing = listing(
    "audit",
    Pages::Next("before"),
    &[
        ("At", "at"),
        ("Who", "who"),
        ("Action", "action"),
        ("Object", "object"),
        ("Before", "before"),
        ("After", "after"),
    ],
);
pub static TRANSFERS: Listing = listing(
    "transfers",
    Pages::Next("before"),
    &[
        ("At", "at"),
        ("Who", "who"),
        ("Kind", "kind"),
        ("License or instance", "object"),
        ("Quantity", "quantity"),
        ("From", "from"),
        ("To", "to"),
    ],
);
pub static CATALOG: Listing = listing(
    "licenses",
    Pages::One,
    &[("License", "license"), ("Kind", "kind"), ("Tag", "tag")],
);

/// Rows as text, page by page.
pub struct Printer {
    listing: &'static Listing,
    format: Format,
    /// Of the columns of a table, by its first page.
    widths: Vec<usize>,
    rows: usize,
}

impl Listing {
    /// The rows of an answer.
    pub fn rows(&self, answer: &Value) -> Vec<Value> {
        let empty = Vec::new();
        let rows = answer[self.key].as_array().unwrap_or(&empty);
        let Some(inside) = self.inside else {
            return rows.clone();
        };
        let mut all = Vec::new();
        for row in rows {
            for detail in row[inside].as_array().unwrap_or(&empty) {
                let mut detail = detail.clone();
                for key in ["license", "tag", "virtualAccount"] {
                    detail[key] = row[key].clone();
                }
                all.push(detail);
            }
        }
        all
    }
}

impl Printer {
    /// Nothing is printed yet.
    pub fn new(listing: &'static Listing, format: Format) -> Self {
        Self {
            listing,
            format,
            widths: Vec::new(),
            rows: 0,
        }
    }

    /// A page of it; the first may be empty, and has the head.
    pub fn page(&mut self, rows: &[Value]) -> String {
        let text = match self.format {
            Format::Table => self.table(rows),
            Format::Csv => self.csv(rows),
            Format::Json => self.json(rows),
        };
        self.rows += rows.len();
        text
    }

    /// What comes after the last page.
    pub fn end(&self) -> &'static str {
        match (self.format, self.rows) {
            (Format::Table, 0) => "(none)\n",
            (Format::Json, 0) => "[]\n",
            (Format::Json, _) => "\n]\n",
            (Format::Table | Format::Csv, _) => "",
        }
    }

    fn table(&mut self, rows: &[Value]) -> String {
        let columns = self.listing.columns;
        let cells = rows.iter().map(|row| {
            let cells = columns.iter().map(|(_, key)| shown(&row[*key]));
            cells.collect::<Vec<_>>()
        });
        let cells: Vec<Vec<String>> = cells.collect();
        let mut text = String::new();
        if self.widths.is_empty() {
            let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).into()).collect();
            let widths = titles.iter().enumerate().map(|(place, title)| {
                let widest = cells.iter().map(|row| row[place].chars().count()).max();
                widest.unwrap_or(0).min(CELL_MAX).max(title.len())
            });
            self.widths = widths.collect();
            text.push_str(&self.line(&titles));
            let dashes: Vec<String> = self.widths.iter().map(|width| "-".repeat(*width)).collect();
            text.push_str(&self.line(&dashes));
        }
        cells.iter().for_each(|row| text.push_str(&self.line(row)));
        text
    }

    fn line(&self, cells: &[String]) -> String {
        let cells = cells.iter().zip(&self.widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    }

    fn csv(&self, rows: &[Value]) -> String {
        let columns = self.listing.columns.iter();
        let mut text = String::new();
        if self.rows == 0 {
            let keys: Vec<&str> = columns.clone().map(|(_, key)| *key).collect();
            text = keys.join(",") + "\r\n";
        }
        for row in rows {
            let cells: Vec<String> = columns.clone().map(|(_, key)| quoted(&row[*key])).collect();
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        }
        text
    }

    fn json(&self, rows: &[Value]) -> String {
        let mut text = String::new();
        for (place, row) in rows.iter().enumerate() {
            text.push_str(if self.rows + place == 0 { "[\n" } else { ",\n" });
            text.push_str(&row.to_string());
        }
        text
    }
}

/// All keys of one thing, one a line.
pub fn one(thing: &Value) -> String {
    let empty = serde_json::Map::new();
    let keys = thing.as_object().unwrap_or(&empty);
    let widest = keys.keys().map(String::len).max().unwrap_or(0);
    let lines = keys.iter().map(|(key, value)| {
        let value = plain(value);
        format!("{key:<widest$}  {value}\n")
    });
    lines.collect()
}

/// The same as CSV: its keys, then their values.
pub fn one_csv(thing: &Value) -> String {
    let empty = serde_json::Map::new();
    let things = thing.as_object().unwrap_or(&empty);
    let keys: Vec<&str> = things.keys().map(String::as_str).collect();
    let values: Vec<String> = things.values().map(quoted).collect();
    format!("{}\r\n{}\r\n", keys.join(","), values.join(","))
}

/// A cell of a table: no control characters, times to the second, and not too long.
fn shown(value: &Value) -> String {
    let text = plain(value);
    if text.chars().count() <= CELL_CUT {
        return text;
    }
    let cut: String = text.chars().take(CELL_CUT - 3).collect();
    cut + "..."
}

fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".into(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A cell of CSV (RFC 4180); what a spreadsheet would take for a formula is made text.
fn quoted(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => return value.to_string(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let mark = if formula { "'" } else { "" };
    if formula || text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{mark}{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(format: Format, pages: &[Vec<Value>]) -> String {
        let mut printer = Printer::new(&API_TOKENS, format);
        let text: String = pages.iter().map(|page| printer.page(page)).collect();
        text + printer.end()
    }

    fn row(id: u32, name: &str) -> Value {
        json!({ "id": id, "name": name, "expiresAt": null })
    }

    #[test]
    fn pages_are_one_table_one_csv_one_array() {
        let pages = [vec![row(1, "a,b")], vec![row(2, "=1")]];
        assert_eq!(
            printed(Format::Table, &pages),
            "Id  Name  Expires\n--  ----  -------\n1   a,b   -\n2   =1    -\n"
        );
        assert_eq!(
            printed(Format::Csv, &pages),
            "id,name,expiresAt\r\n1,\"a,b\",\r\n2,\"'=1\",\r\n"
        );
        let array: Value = serde_json::from_str(&printed(Format::Json, &pages)).unwrap();
        assert_eq!(array, json!([row(1, "a,b"), row(2, "=1")]));
    }

    #[test]
    fn nothing_is_an_empty_table_or_array() {
        let none = [Vec::new()];
        assert_eq!(
            printed(Format::Table, &none),
            "Id  Name  Expires\n--  ----  -------\n(none)\n"
        );
        assert_eq!(printed(Format::Csv, &none), "id,name,expiresAt\r\n");
        assert_eq!(printed(Format::Json, &none), "[]\n");
    }

    #[test]
    fn a_cell_can_not_write_to_the_terminal() {
        assert_eq!(shown(&json!("a\u{1b}[2Jb\n")), "a[2Jb");
        assert_eq!(shown(&json!("x".repeat(200))).len(), CELL_CUT);
    }

    #[test]
    fn entries_are_what_is_inside_of_licenses() {
        let answer = json!({ "licenses": [
            { "license": "PGW", "tag": "t", "virtualAccount": "V", "licenseDetails": [{ "id": 4 }, { "id": 5 }] },
        ] });
        let rows = ENTRIES.rows(&answer);
        let expected =
            |id| json!({ "id": id, "license": "PGW", "tag": "t", "virtualAccount": "V" });
        assert_eq!(rows, [expected(4), expected(5)]);
    }
}
