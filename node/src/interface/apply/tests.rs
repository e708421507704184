use std::fs;
use std::path::Path;

use api::ApplyCommand;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use toml::Value;

use super::*;
use crate::config::SETTABLE;
use crate::config::text::{print, table_of};
use crate::store::make_private;

/// Says a part of what operators may change.
const BELOW: &str = r#"
[node]
name = "ggsn-1"
state_dir = "state"
[[pool]]
name = "internet"
ipv4 = ["10.1.0.0/16"]
[[apn]]
name = "internet"
service = "GGSN"
pool = "internet"
[agent]
authority = "https://below.example:8443"
proxy = { host = "below.example", port = 3128 }
[bulkstats]
limit_mib = 7
historical_days = 1
[[bulkstats.file]]
number = 1
remotefile = "%host%_%date%_%time%.csv"
schemas = ['smart-license schema sl format "sl,%epochtime%"']
[licensing]
remaining_low_percent = 5
[snmp]
location = "rack 7"
suppress = ["tgCeilingChanged", "tgAgentStalled"]
[[snmp.user]]
name = "u1"
[[snmp.target]]
name = "t1"
address = "192.0.2.1:162"
version = "v3"
user = "u1"
[[logging.filter]]
name = "all"
level = "warning"
[[logging.syslog]]
name = "192.0.2.50"
"#;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ maja@desk";

fn open(dir: &Path) -> Settings {
    make_private(&dir.join("state")).unwrap();
    let config = Config::parse(BELOW, &dir.join("gateway.toml")).unwrap();
    Settings::open(config).unwrap().1
}

/// Lines of a configuration text that say some of what operators may change, each thing once, and together a good one.
fn lines(random: &mut StdRng) -> String {
    let number = random.random_range(1..9);
    // A file that nobody gets is kept by these.
    let mut all = vec![format!("bulkstats\n historical-days {number}\n exit")];
    let mut may = |random: &mut StdRng, line: String| {
        if random.random_bool(0.5) {
            all.push(line);
        }
    };
    may(
        random,
        format!("license smart url https://a{number}.example:8443"),
    );
    may(
        random,
        format!("license smart proxy p{number}.example 3128"),
    );
    may(
        random,
        format!("threshold license remaining-sessions {number} clear 20"),
    );
    for name in ["tgCeilingChanged", "tgAgentStalled", "tgBlockNotApplied"] {
        may(random, format!("snmp trap suppress {name}"));
    }
    may(
        random,
        format!("bulkstats\n sample-interval-min {number}\n limit-mib {number}\n exit"),
    );
    let schema = r#""smart-license schema sl format \"sl,%epochtime%\"""#;
    for file in 1..4 {
        let name = format!("%host%_{number}_%date%_%time%.csv");
        may(
            random,
            format!(
                "bulkstats\n file {file}\n  remotefile {name}\n  gzip\n  schemas {schema}\n exit\nexit"
            ),
        );
    }
    for facility in ["all", "snmp"] {
        let level = ["info", "error", "warning"].choose(random).unwrap();
        may(
            random,
            format!("logging\n filter {facility}\n  level {level}\n exit\nexit"),
        );
    }
    for server in ["192.0.2.50", "192.0.2.51"] {
        may(
            random,
            format!(
                "logging\n syslog {server}\n  port {}\n exit\nexit",
                500 + number
            ),
        );
    }
    for name in ["maja", "noa"] {
        let role = ["administrator", "inspector"].choose(random).unwrap();
        may(
            random,
            format!("ssh\n account {name}\n  role {role}\n  ssh-keys \"{KEY}\"\n exit\nexit"),
        );
    }
    for user in ["u1", "u2"] {
        if random.random_bool(0.6) {
            all.push(format!("snmp user {user} read 1.3.6.1.{number}"));
            for target in ["t1", "t2"] {
                let port = random.random_range(1000..1003);
                let line =
                    format!("snmp target {target}-{user} 192.0.2.7:{port} version v3 user {user}");
                all.push(line);
            }
        }
    }
    all.join("\n")
}

/// What operators may change of a configuration; entries of lists by their names.
fn settable(table: &Table) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for row in SETTABLE {
        let Some(value) = table.get(row.section).and_then(|keys| keys.get(row.key)) else {
            continue;
        };
        let key = format!("{}.{}", row.section, row.key);
        match value.as_array() {
            // An empty list is none.
            Some(values) => all.extend(values.iter().map(|value| (key.clone(), value.clone()))),
            None => all.push((key, value.clone())),
        }
    }
    all.sort_by_key(|(key, value)| (key.clone(), value.to_string()));
    all
}

fn planned(settings: &Settings, text: &str, replace: bool) -> Plan {
    let command = ApplyCommand {
        text: text.to_owned(),
        replace,
        dry_run: false,
        checksum: None,
    };
    let plan = plan(&command, &settings.table(), settings);
    plan.unwrap_or_else(|(_, failure)| panic!("{failure}\n{text}"))
}

fn applied(settings: &mut Settings, text: &str, replace: bool) {
    let changes = planned(settings, text, replace).changes;
    let dir = settings.dir().to_owned();
    let edit = |edit: &mut Edit| {
        changes
            .iter()
            .for_each(|change| change_one(edit, change, &dir))
    };
    let (would, checked) = settings.check(edit);
    checked.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let done = settings.change(edit).unwrap();
    assert_eq!(done.changed, !changes.is_empty());
    assert_eq!(settings.table(), would);
}

/// The text of what a start takes, and these lines.
fn whole(settings: &Settings, lines: &str) -> String {
    let mut rest = settings.table();
    for row in SETTABLE {
        if let Some(Value::Table(keys)) = rest.get_mut(row.section) {
            keys.remove(row.key);
        }
    }
    let text = print(&rest);
    text.replace("\nend\n", &format!("\n{lines}\nend\n"))
}

#[test]
fn of_random_pairs_a_whole_text_on_another_is_that_text() {
    let seed = 20;
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for case in 0..25 {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = open(dir.path());
        let (one, other) = (lines(&mut random), lines(&mut random));
        for lines in [&one, &other] {
            let text = whole(&settings, lines);
            applied(&mut settings, &text, true);
            let wanted = settable(&table_of(&text).unwrap());
            assert_eq!(settable(&settings.table()), wanted, "case {case}\n{text}");
            assert_eq!(planned(&settings, &text, true), Plan::default());
            // A start finds it, and what is shown changes nothing.
            let again = open(dir.path());
            assert_eq!(settable(&again.table()), wanted, "case {case}");
            let shown = print(&settings.table());
            for replace in [true, false] {
                assert_eq!(planned(&settings, &shown, replace), Plan::default());
            }
        }
    }
}

#[test]
fn of_random_pairs_lines_change_what_they_say_and_nothing_else() {
    let seed = 21;
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for case in 0..25 {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = open(dir.path());
        let text = whole(&settings, &lines(&mut random));
        applied(&mut settings, &text, true);
        let before = settings.table();
        let text = format!("config\n{}\nend\n", lines(&mut random));
        let said = table_of(&text).unwrap();
        applied(&mut settings, &text, false);
        let after = settings.table();
        assert_eq!(planned(&settings, &text, false), Plan::default());
        let name = |value: &Value| {
            let named = value.get("name").or_else(|| value.get("number"));
            named.unwrap_or(value).to_string()
        };
        for row in SETTABLE {
            let of = |table: &Table| -> Vec<(String, Value)> {
                let value = table.get(row.section).and_then(|keys| keys.get(row.key));
                let list = value.and_then(Value::as_array);
                match list {
                    Some(list) => list.iter().map(|v| (name(v), v.clone())).collect(),
                    None => value
                        .map(|v| (String::new(), v.clone()))
                        .into_iter()
                        .collect(),
                }
            };
            let (said, mut wanted, mut after) = (of(&said), of(&before), of(&after));
            wanted.retain(|(name, _)| !said.iter().any(|(own, _)| own == name));
            wanted.extend(said);
            let sort = |list: &mut Vec<(String, Value)>| list.sort_by(|a, b| a.0.cmp(&b.0));
            sort(&mut wanted);
            sort(&mut after);
            assert_eq!(after, wanted, "case {case}: {row:?}\n{text}");
        }
    }
}

#[test]
fn what_is_as_the_configuration_has_it_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = open(dir.path());
    let shown = print(&settings.table());
    let bare = "config\nno license smart proxy\nno snmp target t1\nsnmp trap suppress tgBlockNotApplied\nend\n";
    applied(&mut settings, bare, false);
    let kept = || fs::read_to_string(dir.path().join("state/settings.toml")).unwrap();
    assert!(
        kept().contains("snmp.target[t1]") && kept().contains("agent.proxy"),
        "{}",
        kept()
    );
    applied(&mut settings, &shown, true);
    let without: Vec<String> = kept().lines().map(str::to_owned).collect();
    assert!(
        without
            .iter()
            .all(|line| line.starts_with('#') || line.is_empty()),
        "{without:?}"
    );
}

#[test]
fn a_secret_of_the_state_directory_is_named_from_there_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = open(dir.path());
    let community = |edit: &mut Edit| {
        let file = edit.secret("sesame-sesame".to_owned().into());
        let mut entry = Table::from_iter([("community_file".to_owned(), file)]);
        entry.insert("read".into(), Value::Array(vec!["1.3.6.1.2".into()]));
        edit.set(Setting::snmp_community("noc"), entry);
    };
    settings.change(community).unwrap();
    let secret = settings.dir().join("secrets/1");
    let text = format!(
        "config\nsnmp community noc read 1.3.6.1 --community-file {}\nend\n",
        secret.display()
    );
    applied(&mut settings, &text, false);
    assert!(secret.exists());
    let kept = fs::read_to_string(settings.dir().join("settings.toml")).unwrap();
    assert!(kept.contains("community_file = \"secrets/1\""), "{kept}");
}

#[test]
fn what_would_be_no_good_configuration_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let settings = open(dir.path());
    let text = "config\n snmp trap suppress tgCeilingChanged\n snmp target t9 192.0.2.1 version v3 user nobody\nend\n";
    let plan = planned(&settings, text, false);
    let dir = settings.dir().to_owned();
    let edit = |edit: &mut Edit| {
        plan.changes
            .iter()
            .for_each(|change| change_one(edit, change, &dir))
    };
    let (would, checked) = settings.check(edit);
    let (status, failure) = placed(text, &plan, &would, &checked.unwrap_err());
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        failure
            .what
            .starts_with("line 3, column 7: snmp.target[1].user: no user is called \"nobody\""),
        "{failure}"
    );
    assert!(failure.what.ends_with("nothing has changed"), "{failure}");
}

#[test]
fn the_audit_log_gets_a_bounded_part() {
    let change = ConfigurationChange {
        key: String::new(),
        change: ChangeKind::Removed,
        place: None,
        before: vec!["x".repeat(1000); 40],
        after: Vec::new(),
    };
    let applied = Applied {
        changes: vec![change],
        before: String::new(),
        after: String::new(),
    };
    let (before, after) = standing(&applied);
    let before = before.unwrap();
    assert_eq!(before.as_array().unwrap().len(), 17);
    assert_eq!(before[16], "! 24 more lines");
    assert_eq!(after, Some(json!([])));
}
