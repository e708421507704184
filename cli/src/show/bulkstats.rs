//! `show bulkstats ...`: files, receivers, schemas and variables, in the layouts of StarOS where they are public.

use api::{BulkstatsFile, BulkstatsReceiver, BulkstatsStatus};
use bulkstats::table::{About, Schema, common};
use serde_json::{Value, json};

use super::View;
use super::text::{COLUMNS, fold, labelled, long_stamp};

/// Said where nothing would be collected.
const NOT_CONFIGURED: &str =
    "Bulk statistics are not configured. Set a file in bulkstats mode, and bulkstats collection.";

/// Columns of labels of a file.
const LABEL: usize = 30;

/// Where the values of a file's statistics stand.
const COUNT: usize = 30;

/// What is said before anything else.
fn banner(status: &BulkstatsStatus) -> String {
    let mut out = String::new();
    if status.stalled {
        let said = "STALLED: the thread of bulk statistics does not work. Calls go on.";
        out.push_str(&labelled("*** ", said));
    }
    if status.not_written {
        let said = "NOT WRITTEN: samples can't be written to the state directory.";
        out.push_str(&labelled("*** ", said));
    }
    if status.files.is_empty() {
        out.push_str(&labelled("*** ", NOT_CONFIGURED));
    }
    out
}

/// `show bulkstats` as text.
pub fn text(view: &View) -> String {
    let status = &view.bulkstats;
    let mut out = banner(status);
    out.push_str("Bulk Statistics Server Configuration:\n");
    for (label, said) in [
        ("Server State:", enabled(status.collection).to_owned()),
        ("File Limit:", format!("{} KB", status.limit_bytes / 1_024)),
        ("Sample Interval:", minutes(status.sample_interval_min)),
        ("Transfer Interval:", minutes(status.transfer_interval_min)),
        ("Historical Data Collection:", historical(status)),
    ] {
        out.push_str(&labelled(&format!("  {label:<LABEL$} "), &said));
    }
    out.push_str("Bulk Statistics Server Statistics:\n");
    for (label, count) in [
        ("Samples taken:", status.samples),
        ("Intervals without a sample:", status.skipped),
        ("Intervals sampled once more:", status.repeated),
        ("Samples not written:", status.lost),
    ] {
        out.push_str(&format!("  {label:<LABEL$} {count}\n"));
    }
    status.files.iter().for_each(|of| file(of, &mut out));
    out
}

fn enabled(on: bool) -> &'static str {
    if on { "Enabled" } else { "Disabled" }
}

fn minutes(minutes: u32) -> String {
    let (days, hours) = (minutes / 1_440, minutes / 60 % 24);
    format!("{minutes} minute(s) ({days}D {hours}H {}M)", minutes % 60)
}

fn historical(status: &BulkstatsStatus) -> String {
    match status.historical_days {
        0 => enabled(false).to_owned(),
        days => format!("{} ({days} day(s))", enabled(true)),
    }
}

/// One file, as StarOS shows it.
fn file(file: &BulkstatsFile, out: &mut String) {
    out.push_str(&format!("  File {}\n", file.number));
    if let Some(why) = &file.lacks {
        out.push_str(&long("    *** NOT COLLECTED: ", why));
    }
    formats(file, out);
    out.push_str("    File Statistics:\n");
    for (label, count) in [
        ("Records awaiting transmission:", file.awaiting_records),
        ("Bytes awaiting transmission:", file.awaiting_bytes),
        ("Total records collected:", file.collected_records),
        ("Total bytes collected:", file.collected_bytes),
        ("Total records transmitted:", file.transmitted_records),
        ("Total bytes transmitted:", file.transmitted_bytes),
        ("Total records discarded:", file.discarded_records),
        ("Total bytes discarded:", file.discarded_bytes),
    ] {
        out.push_str(&format!("      {label:<COUNT$} {count}\n"));
    }
    match &file.last_transfer {
        None => out.push_str("      No successful data transfers\n"),
        Some(last) => {
            for (label, said) in [
                (
                    "Last transfer time required:",
                    format!("{} second(s)", last.took_s),
                ),
                ("Last successful transfer:", long_stamp(Some(last.at))),
                ("Last successful tx recs:", last.records.to_string()),
                ("Last successful tx bytes:", last.bytes.to_string()),
            ] {
                out.push_str(&format!("      {label:<COUNT$} {said}\n"));
            }
        }
    }
    match file.last_attempt {
        None => out.push_str("      No attempted data transfers\n"),
        Some(_) => {
            let said = long_stamp(file.last_attempt);
            let label = "Last attempted transfer:";
            out.push_str(&format!("      {label:<COUNT$} {said}\n"));
        }
    }
}

/// Its formats and receivers.
fn formats(file: &BulkstatsFile, out: &mut String) {
    for (label, format) in [
        ("Remote File Format:", &file.remotefile),
        ("File Header:", &file.header),
        ("File Footer:", &file.footer),
    ] {
        let label = format!("    {label:<LABEL$} ");
        match format.is_empty() {
            true => out.push_str(&format!("{}\n", label.trim_end())),
            false => out.push_str(&long(&label, format)),
        }
    }
    if file.gzip {
        out.push_str("    Compression:                   gzip\n");
    }
    out.push_str("    Bulkstats Receivers:\n");
    for (role, of) in [("Primary", &file.primary), ("Secondary", &file.secondary)] {
        let Some(of) = of else { continue };
        let label = format!("        {role}: ");
        out.push_str(&long(&label, &receiver(of)));
        if let Some(error) = &of.error {
            out.push_str(&long("          Last error: ", error));
        }
    }
    if file.primary.is_none() {
        out.push_str("        None: its files are kept here\n");
    }
    if file.on_secondary {
        out.push_str("        The secondary receives.\n");
    }
    if file.failing {
        out.push_str("        No receiver takes its files.\n");
    }
}

fn receiver(receiver: &BulkstatsReceiver) -> String {
    let BulkstatsReceiver {
        address, mechanism, ..
    } = receiver;
    match &receiver.login {
        None => format!("{address} using {mechanism}"),
        Some(login) => format!("{address} using {mechanism} with username {login}"),
    }
}

/// A label and what may be longer than a line, under itself; words that are too long are broken.
fn long(label: &str, said: &str) -> String {
    let width = label.chars().count();
    let lines = fold(said, COLUMNS - width).into_iter().enumerate();
    let lines = lines.map(|(n, line)| match n {
        0 => format!("{label}{line}\n"),
        _ => format!("{:width$}{line}\n", ""),
    });
    lines.collect()
}

/// `show bulkstats` as data.
pub fn json(view: &View) -> Value {
    json!({ "bulkstats": view.bulkstats })
}

/// `show bulkstats schemas` as text.
pub fn schemas_text(view: &View) -> String {
    let mut out = banner(&view.bulkstats);
    for file in &view.bulkstats.files {
        out.push_str(&format!("  File {}\n", file.number));
        formats(file, &mut out);
        for schema in &file.schemas {
            let (kind, name) = (&schema.schema, &schema.name);
            out.push_str(&format!("    Type: {kind}\n    Name: {name}\n"));
            out.push_str(&long("    Format: ", &schema.format));
        }
    }
    out
}

/// `show bulkstats schemas` as data.
pub fn schemas_json(view: &View) -> Value {
    let files = view.bulkstats.files.iter();
    let files = files.map(|file| json!({ "number": file.number, "schemas": file.schemas }));
    json!({ "files": files.collect::<Vec<_>>() })
}

/// `show bulkstats data` as text: rows as they stand in the files, which are for programs, and so as long as they are.
pub fn data_text(view: &View) -> String {
    let mut out = banner(&view.bulkstats);
    if view.bulkstats_data.is_empty() && out.is_empty() {
        return "No sample waits in a file that is not complete.\n".to_owned();
    }
    for file in &view.bulkstats_data {
        out.push_str(&format!("  File {}\n", file.number));
        out.push_str(&long("    Remote File: ", &file.name));
        if file.left_out > 0 {
            let left_out = file.left_out;
            out.push_str(&format!(
                "    {left_out} bytes before these are not shown\n"
            ));
        }
        for line in file.text.lines() {
            out.push_str(&format!("{}\n", line.trim_end()));
        }
    }
    out
}

/// `show bulkstats data` as data.
pub fn data_json(view: &View) -> Value {
    json!({ "files": view.bulkstats_data })
}

/// Every variable with its schema, or those of one; those of every schema first.
fn variables(of: Option<Schema>) -> Vec<(&'static str, About)> {
    let wanted = Schema::ALL.into_iter();
    let wanted = wanted.filter(|schema| of.is_none_or(|of| of == *schema));
    let own = wanted.flat_map(|schema| {
        let variables = schema.variables().into_iter();
        variables.map(move |about| (schema.name(), about))
    });
    common()
        .map(|about| ("(every)", about))
        .chain(own)
        .collect()
}

/// `show bulkstats variables` as text.
pub fn variables_text(view: &View) -> String {
    let row = |index: &str, schema: &str, name: &str, [data, key, kind]: [&str; 3]| {
        let line = format!("{index:<5} {schema:<16} {name:<29} {data:<9} {key:<3} {kind}");
        format!("{}\n", line.trim_end())
    };
    let head = ["Data Type", "Key", "Counter Type"];
    let mut out = row("Index", "Schema", "Variable Name", head);
    out.push_str(&format!("{}\n", "-".repeat(COLUMNS)));
    for (index, (schema, about)) in variables(view.filter.schema).into_iter().enumerate() {
        let name = format!("%{}%", about.name);
        let (data, kind) = (about.data.to_string(), about.kind.to_string());
        let key = if about.key { "Yes" } else { "No" };
        out.push_str(&row(&index.to_string(), schema, &name, [&data, key, &kind]));
    }
    out
}

/// `show bulkstats variables` as data.
pub fn variables_json(view: &View) -> Value {
    let rows = variables(view.filter.schema)
        .into_iter()
        .map(|(schema, about)| {
            json!({
                "schema": schema,
                "name": about.name,
                "data_type": about.data.to_string(),
                "key": about.key,
                "counter_type": about.kind.to_string(),
                "unit": about.unit,
                "help": about.help,
            })
        });
    json!({ "variables": rows.collect::<Vec<_>>() })
}
