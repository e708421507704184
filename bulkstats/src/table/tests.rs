use std::collections::BTreeSet;
use std::path::Path;

use licensing::Wall;

use super::*;
use crate::config::{FileConfig, SchemaConfig};
use crate::fixture::{AT, view};
use crate::plan::FilePlan;

/// All rows of a schema, a line a variable, as `schema.row.variable=value`.
fn all(schema: Schema) -> String {
    let view = view();
    let moment = Moment::new(&view, AT, schema.name(), None);
    let mut out = String::new();
    let names = schema.variables();
    let mut columns = Vec::new();
    for about in &names {
        let mut file = FileConfig::new(1, "x");
        file.schemas.push(SchemaConfig {
            schema,
            name: "x".into(),
            format: format!("%{}%", about.name),
        });
        let mut column = Vec::new();
        let plan = FilePlan::new(file).unwrap();
        plan.write_sample(&moment, &view, &mut column);
        let column = String::from_utf8(column).unwrap();
        columns.push(column.lines().map(str::to_owned).collect::<Vec<_>>());
    }
    for row in 0..columns[0].len() {
        for (about, column) in names.iter().zip(&columns) {
            out.push_str(&format!("{schema}.{row}.{}={}\n", about.name, column[row]));
        }
    }
    out
}

/// Each variable's value for a node whose numbers differ. Lines of rows that are all alike are left out.
//= L15
#[test]
fn every_variable_has_its_value() {
    let mut text = String::new();
    for schema in Schema::ALL {
        let wanted = |line: &&str| match schema {
            Schema::SmartLicense => [".0.", ".2.", ".9."].iter().any(|row| line.contains(row)),
            Schema::TollgateLicense => [".2.", ".7."].iter().any(|row| line.contains(row)),
            Schema::System | Schema::Apn | Schema::Gtpc | Schema::Agent | Schema::Bulkstats => true,
        };
        for line in all(schema).lines().filter(wanted) {
            text.push_str(line);
            text.push('\n');
        }
    }
    let view = view();
    let moment = Moment::new(&view, AT, "system+apn", Some(Wall(AT.0 - 900_500)));
    for variable in COMMON {
        let mut value = Vec::new();
        (variable.value)(&moment).write(variable.about.data, &mut value);
        let value = String::from_utf8(value).unwrap();
        text.push_str(&format!("{}={value}\n", variable.about.name));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/values.txt");
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differ = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None);
    assert_eq!(kept, text);
}

/// Names, types and order of StarOS.
#[test]
fn smart_license_is_that_of_staros() {
    use DataType::{Int32, String};
    use Kind::{Counter, Info};
    let expected = [
        ("current_sl_state", String, Info),
        ("current_sl_mode", String, Info),
        ("total_sl_enabled", Int32, Counter),
        ("total_sl_disabled", Int32, Counter),
        ("mode", String, Info),
        ("tagid", Int32, Counter),
        ("cur_call_policy", String, Info),
        ("cur_call_count", Int32, Counter),
        ("max_call_count", Int32, Counter),
        ("last_lic_count", Int32, Counter),
        ("max_lic_count", Int32, Counter),
        ("policy_change_block_calls", Int32, Counter),
    ];
    let found = Schema::SmartLicense.variables().into_iter();
    let found: Vec<_> = found
        .map(|about| (about.name, about.data, about.kind))
        .collect();
    assert_eq!(found, expected);
    let marked = Schema::SmartLicense
        .variables()
        .into_iter()
        .filter(|a| a.key);
    assert_eq!(marked.count(), 0, "StarOS marks none");
    let common: Vec<&str> = common().map(|about| about.name).collect();
    let expected = "uptime host ipaddr date date3 time time2 time3 epochtime schemas schema-delta localdate localdate3 \
        localtime localtime2 localtime3 localtz localtzoffset swbuild version-no sysuptime";
    assert_eq!(common.join(" "), expected);
}

#[test]
fn names_are_unique_and_written_as_names() {
    for schema in Schema::ALL {
        let mut names = BTreeSet::new();
        for about in schema.variables().into_iter().chain(common()) {
            assert!(
                names.insert(about.name),
                "{schema} has {} twice",
                about.name
            );
            let letter =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
            assert!(about.name.bytes().all(letter), "{}", about.name);
            assert!(about.help.ends_with('.'), "{}", about.name);
        }
        assert_eq!(Schema::named(schema.name()), Some(schema));
    }
    assert_eq!(Schema::named("sgw"), None);
}

/// What reads files of StarOS takes these for numbers, before the first report too.
#[test]
fn numbers_of_smart_license_are_digits() {
    let numbers = Schema::SmartLicense.variables().into_iter();
    let numbers: Vec<&str> = numbers
        .filter(|about| about.data == DataType::Int32)
        .map(|about| about.name)
        .collect();
    let text = all(Schema::SmartLicense);
    let mut found = 0;
    for line in text.lines() {
        let (name, value) = line.split_once('=').unwrap();
        if numbers
            .iter()
            .any(|number| name.ends_with(&format!(".{number}")))
        {
            assert!(value.parse::<u32>().is_ok(), "{line}");
            found += 1;
        }
    }
    assert_eq!(found % numbers.len(), 0);
    assert!(text.contains(".last_lic_count=0\n") && text.contains(".last_lic_count=29\n"));
}

/// One row a key, whatever the node does.
#[test]
fn keys_tell_rows_apart() {
    for schema in [
        Schema::SmartLicense,
        Schema::TollgateLicense,
        Schema::Apn,
        Schema::Gtpc,
        Schema::Bulkstats,
    ] {
        let keys = schema.variables().into_iter().filter(|about| about.apart);
        let format: Vec<String> = keys.map(|about| format!("%{}%", about.name)).collect();
        let mut file = FileConfig::new(1, "x");
        file.schemas.push(SchemaConfig {
            schema,
            name: "x".into(),
            format: format.join(","),
        });
        let (view, mut rows) = (view(), Vec::new());
        let moment = Moment::new(&view, AT, "", None);
        let count = FilePlan::new(file)
            .unwrap()
            .write_sample(&moment, &view, &mut rows);
        let rows = String::from_utf8(rows).unwrap();
        let distinct: BTreeSet<&str> = rows.lines().collect();
        assert_eq!(distinct.len() as u64, count, "{schema}");
        assert!(count > 1);
    }
}
