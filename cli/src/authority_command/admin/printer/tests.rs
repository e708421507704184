use std::collections::BTreeMap;

use clap::{Args as _, Command, FromArgMatches as _};
use serde_json::json;

use super::super::ask::{self, Show};
use super::super::rows::{API_TOKENS, INSTANCES};
use super::*;
use crate::authority_command::args::AdminArgs;

fn printed(listing: &'static Listing, format: Format, pages: &[Vec<Value>]) -> String {
    let mut printer = Printer::new(listing, format);
    let text: String = pages.iter().map(|page| printer.page(page)).collect();
    text + printer.end()
}

fn row(id: u32, name: &str) -> Value {
    json!({ "id": id, "name": name, "expiresAt": null })
}

#[test]
fn pages_are_one_table_one_csv_one_array() {
    let pages = [vec![row(1, "a,b")], vec![row(2, "=1")]];
    let printed = |format| printed(&API_TOKENS, format, &pages);
    assert_eq!(
        printed(Format::Table),
        "Id  Name  Expires\n--  ----  -------\n1   a,b   -\n2   =1    -\n"
    );
    assert_eq!(
        printed(Format::Csv),
        "id,name,expiresAt\r\n1,\"a,b\",\r\n2,\"'=1\",\r\n"
    );
    let array: Value = serde_json::from_str(&printed(Format::Json)).unwrap();
    assert_eq!(array, json!([row(1, "a,b"), row(2, "=1")]));
}

#[test]
fn nothing_is_an_empty_table_or_array() {
    let none = [Vec::new()];
    let printed = |format| printed(&API_TOKENS, format, &none);
    assert_eq!(
        printed(Format::Table),
        "Id  Name  Expires\n--  ----  -------\n(none)\n"
    );
    assert_eq!(printed(Format::Csv), "id,name,expiresAt\r\n");
    assert_eq!(printed(Format::Json), "[]\n");
}

#[test]
fn a_cell_can_not_write_to_the_terminal() {
    assert_eq!(shown(&json!("a\u{1b}[2Jb\n")), "a[2Jb");
}

#[test]
fn what_has_keys_is_read_without_quotes() {
    let value =
        json!({ "added": 3, "entry": { "ends": null, "hours": 0.0058, "tags": ["a", "b"] } });
    assert_eq!(
        shown(&value),
        "{added: 3, entry: {ends: -, hours: 0.006, tags: [a, b]}}"
    );
}

#[test]
fn times_are_read_to_the_second_and_names_stay() {
    assert_eq!(
        shown(&json!("2026-11-22T10:15:37.816Z")),
        "2026-11-22 10:15:37"
    );
    assert_eq!(shown(&json!("2026-11-22")), "2026-11-22");
    assert_eq!(shown(&json!("JAZZ")), "JAZZ");
}

#[test]
fn what_has_no_room_stands_under_its_row_and_what_grows_goes_on_below() {
    let instance = |id: &str, account: &str, orders: Value| {
        json!({
            "productInstanceIdentifier": id, "virtualAccount": account, "status": "ACTIVE",
            "lastContactDate": "2026-11-22T10:15:37Z",
            "displayName": "UDI_PID:VPC-SI; UDI_SN:09X0N4N5N5Q;", "orders": orders,
        })
    };
    let id = "1665344e-a261-41f2-bc0a-7906375080ef";
    let pages = [
        vec![instance(id, "Default", Value::Null)],
        vec![instance(
            id,
            "East of the river",
            json!({ "issuedSerial": 7 }),
        )],
    ];
    assert_eq!(
        printed(&INSTANCES, Format::Table, &pages),
        "\
Product instance                      Virtual account  Status
------------------------------------  ---------------  ------
1665344e-a261-41f2-bc0a-7906375080ef  Default          ACTIVE
    Last contact: 2026-11-22 10:15:37  Name: UDI_PID:VPC-SI; UDI_SN:09X0N4N5N5Q;
1665344e-a261-41f2-bc0a-7906375080ef  East of the      ACTIVE
                                      river
    Last contact: 2026-11-22 10:15:37  Name: UDI_PID:VPC-SI; UDI_SN:09X0N4N5N5Q;
    Orders issued: 7
"
    );
    let csv = printed(&INSTANCES, Format::Csv, &pages[1..]);
    let row = csv.lines().nth(1).unwrap();
    assert!(row.ends_with(";,7,"), "{csv}");
}

/// Each list that a command shows, by its words: of the commands that take none of their own, and of the reports.
fn lists() -> BTreeMap<String, &'static Listing> {
    fn leaves(command: &Command, words: &[String], all: &mut Vec<Vec<String>>) {
        let before = all.len();
        for below in command.get_subcommands() {
            let words = [words, &[below.get_name().to_owned()]].concat();
            leaves(below, &words, all);
        }
        if all.len() > before {
            return;
        }
        let first = command.get_positionals().next();
        let values = first.map_or_else(Vec::new, |first| first.get_possible_values());
        all.push(words.to_vec());
        for value in values {
            all.push([words, &[value.get_name().to_owned()]].concat());
        }
    }
    let grammar = AdminArgs::augment_args(Command::new("admin"));
    let mut all = Vec::new();
    leaves(&grammar, &[], &mut all);
    let mut lists = BTreeMap::new();
    for words in all {
        let asked = words.join(" ");
        let line = ["admin".to_owned()].into_iter().chain(words);
        let Ok(matches) = grammar.clone().try_get_matches_from(line) else {
            continue;
        };
        let args = AdminArgs::from_arg_matches(&matches).unwrap();
        // It asks for passwords.
        if asked == "password" {
            continue;
        }
        for ask in ask::of(&args.admin).unwrap() {
            if let Show::Rows(listing) | Show::Lines(listing) = ask.show {
                lists.insert(asked.clone(), listing);
            }
        }
    }
    lists
}

/// A row with this in every column.
fn full(listing: &Listing, cell: &Value) -> Value {
    let mut row = json!({});
    for (_, path) in listing.columns {
        let place = path.split('.').fold(&mut row, |value, key| &mut value[key]);
        *place = cell.clone();
    }
    row
}

#[test]
fn no_line_of_any_table_is_wider_than_a_terminal_and_nothing_of_a_cell_is_cut() {
    let lists = lists();
    let words: Vec<&str> = lists.keys().map(String::as_str).collect();
    for some in [
        "users list",
        "licenses entries",
        "orders list",
        "audit",
        "report usage",
    ] {
        assert!(words.contains(&some), "{words:?}");
    }
    assert!(words.len() >= 19, "{words:?}");
    let cells = [
        json!("x"),
        json!("n".repeat(64)),
        json!("a name of so many words that it has to be broken ".repeat(5)),
        json!("regid.2017-02.com.example.A-LONG-TAG,1.0_d5db2a0c-1b29-4a1b-a5d3-5a0e1c1b8f3e"),
        json!(u64::MAX),
        json!("2026-11-22T10:15:37.816Z"),
        json!({ "quantity": 7, "licenseType": "PERPETUAL", "what": ["y".repeat(200)] }),
        json!(null),
    ];
    for (words, listing) in lists {
        for first in &cells {
            let pages: Vec<_> = [first].into_iter().chain(&cells).collect();
            let pages = pages.iter().map(|cell| vec![full(listing, cell)]);
            let pages: Vec<_> = pages.collect();
            let text = printed(listing, Format::Table, &pages);
            let widest = text.lines().map(width).max().unwrap();
            assert!(widest <= 80, "{words}: {widest}\n{text}");
        }
        let long = "z".repeat(300);
        let text = printed(listing, Format::Table, &[vec![full(listing, &json!(long))]]);
        let shown = text.matches('z').count();
        assert_eq!(shown, 300 * listing.columns.len(), "{words}\n{text}");
    }
    for cell in cells {
        let thing = json!({ "productInstanceIdentifier": cell, "sudi": cell });
        let text = one(&thing);
        assert!(text.lines().all(|line| width(line) <= 80), "{text}");
    }
}
