//! Tables that managers read, beside what the commands of operators show of the same snapshot.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::{LicenseCommand, Request};
use licensing::AlarmKind;
use node::{Config, Running, Shutdown};
use serde_json::{Value, json};
use tests::control::Control;
use tests::gateway::Site;
use tests::net_snmp::{AUTH, Noc, Read, V2C, number, user};
use tests::office::Office;
use tests::sgsn::{Call, Sgsn, cause};
use tests::tollgate;
use tests::wait::{eventually, until};

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// Sessions that one license covers here.
const PER_LICENSE: u32 = 2;

const ENTERPRISES: &str = ".1.3.6.1.4.1";
const OURS: &str = ".1.3.6.1.4.1.32473.1.1";
const SMART: &str = ".1.3.6.1.4.1.9.9.831.0";

/// What `show license status` has of the Smart Agent.
const AGENT: [&str; 6] = [
    "registration",
    "registered",
    "initial",
    "authorization",
    "renewal",
    "communication_deadline",
];

/// What a manager and an operator see of one snapshot.
struct Moment {
    read: Read,
    status: Value,
    policy: Value,
    statistics: Value,
    smart: Value,
    usage: Value,
}

/// A lab node in evaluation that runs in this process, an authority that owns two licenses, and who manages the node.
struct Licensed {
    running: Running,
    control: Control,
    sgsn: Sgsn,
    office: Office,
    manager: Noc,
    _site: Site,
}

impl Licensed {
    fn start() -> Result<Self> {
        // It is built now, rather than while the node is held.
        tollgate::binary()?;
        let site = Site::new()?;
        let office = Office::open(site.dir(), Some(1))?;
        office.own("GGSN", 2)?;
        let root = office.root_file(site.dir())?;
        let agent = SocketAddr::from((site.subnet().ip(3), 1161));
        let (manager, sections) = Noc::new(site.dir(), agent)?;
        let section = format!(
            "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"\n{sections}",
            office.url(),
            root.display()
        );
        let configuration = site.configuration().with(&section);
        let configuration = configuration.with_sessions_per_license(PER_LICENSE)?;
        let running = Running::start(Config::read(&configuration.write()?)?, &Shutdown::new())?;
        let control = Control::new(configuration.control_socket());
        ensure!(control.change(&Request::SmartLicensing { enable: true })?);
        Ok(Self {
            sgsn: Sgsn::new(site.subnet().socket(2)?, running.gn())?,
            running,
            control,
            office,
            manager,
            _site: site,
        })
    }

    fn is_accepted(&mut self, subscriber: u32) -> Result<bool> {
        let answer = self.sgsn.create(&Call::new(subscriber, "internet"))?;
        Ok(answer.cause()? == cause::ACCEPTED)
    }

    fn ask(&self, command: LicenseCommand) -> Result<bool> {
        self.control.change(&Request::License(command))
    }

    fn register(&self, idtoken: &str) -> Result<bool> {
        let idtoken = idtoken.to_owned();
        let force = false;
        self.ask(LicenseCommand::Register { idtoken, force })
    }

    fn show(&self, words: &str) -> Result<Value> {
        let socket = self.control.socket().to_string_lossy().into_owned();
        let words = words.split(' ').map(str::to_owned);
        let ended =
            tollgate::run(words.chain(["--json".to_owned(), "--socket".to_owned(), socket]))?;
        ensure!(ended.status.success(), "{}", ended.log());
        Ok(serde_json::from_str(&ended.lines.join("\n"))?)
    }

    /// What is seen while nothing happens.
    fn moment(&self, options: &[&str]) -> Result<Moment> {
        let _pause = self.running.pause_control().context("it can be held")?;
        // The Smart Agent goes on, until it has nothing to say.
        let (read, smart) = eventually("a Smart Agent that is quiet", LIMIT, || {
            let before = self.show("show license status")?;
            let read = self.manager.read("snmpbulkwalk", options, &[ENTERPRISES])?;
            let after = self.show("show license status")?;
            let is_quiet = AGENT.iter().all(|key| before[key] == after[key]);
            Ok(is_quiet.then_some((read, after)))
        })?;
        let moment = Moment {
            read,
            smart,
            status: self.show("show license enforcement status")?,
            policy: self.show("show license enforcement policy")?,
            statistics: self.show("show license statistics")?,
            usage: self.show("show license usage")?,
        };
        let Moment {
            status,
            policy,
            statistics,
            smart,
            usage,
            ..
        } = &moment;
        let seq = number(&moment.read, &format!("{OURS}.2.11.0"));
        for shown in [status, policy, statistics, smart, usage] {
            ensure!(shown["seq"].as_u64() == seq, "{seq:?}: {shown}");
        }
        Ok(moment)
    }

    /// In use more than is owned: a service blocked, with an alarm, after a time of evaluation with refusals.
    fn out_of_compliance() -> Result<Self> {
        let mut licensed = Self::start()?;
        for subscriber in 0..2 {
            ensure!(licensed.is_accepted(subscriber)?);
        }
        ensure!(!licensed.is_accepted(9)?);
        let (_, token) = licensed.office.token(1)?;
        ensure!(licensed.register(&token)?);
        until("a license more", LIMIT, || licensed.is_accepted(2))?;
        licensed.office.move_away("GGSN", 1)?;
        licensed.ask(LicenseCommand::RenewAuth)?;
        until("the alarm", LIMIT, || {
            let alarms = licensed.control.snapshot()?.alarms;
            let is_ours = |kind| matches!(kind, AlarmKind::ServiceOutOfCompliance { .. });
            Ok(alarms.iter().any(|alarm| is_ours(alarm.kind)))
        })?;
        ensure!(!licensed.is_accepted(8)?);
        until("the refusal is counted", LIMIT, || {
            let snapshot = licensed.control.snapshot()?;
            let ggsn = snapshot.rows().find(|row| row.tag().name == "GGSN");
            Ok(ggsn.is_some_and(|row| row.tag().refused.blocked > 0) && snapshot.recount.is_some())
        })?;
        Ok(licensed)
    }
}

impl Moment {
    /// All that was read below an object.
    fn below(&self, object: &str) -> Read {
        let inside = format!("{object}.");
        let all = self.read.iter();
        let there = all.filter(|(name, _)| name.starts_with(&inside));
        there
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Rows of `show`, each with its kind.
    fn tags(shown: &Value) -> impl Iterator<Item = (u64, &Value)> {
        let of = |key: &str| shown[key].as_array().into_iter().flatten();
        of("services")
            .map(|row| (1, row))
            .chain(of("features").map(|row| (2, row)))
    }
}

/// What is wanted of a manager, in the words of net-snmp; null is not there.
#[derive(Default)]
struct Wanted(Read);

impl Wanted {
    fn is(&mut self, name: impl Display, kind: &str, value: &Value) {
        let value = match value {
            Value::Null => return,
            Value::String(text) => format!("{text:?}"),
            Value::Bool(holds) => if *holds { "1" } else { "2" }.to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Array(_) | Value::Object(_) => panic!("{name} is one value"),
        };
        self.0.insert(name.to_string(), format!("{kind}: {value}"));
    }

    /// One of these names, each with its number.
    fn one_of(&mut self, name: impl Display, names: &[(&str, i32)], value: &Value) -> Result<()> {
        let Some(word) = value.as_str() else {
            return Ok(());
        };
        let found = names.iter().find(|(known, _)| *known == word);
        let (_, number) = found.with_context(|| format!("{word} has no number"))?;
        self.is(name, "INTEGER", &json!(number));
        Ok(())
    }

    /// Milliseconds as seconds.
    fn time(&mut self, name: impl Display, at: &Value) {
        let at = at.as_i64().map_or(Value::Null, |at| json!(at / 1000));
        self.is(name, "Gauge32", &at);
    }
}

const POLICIES: [(&str, i32); 2] = [("ALLOW", 1), ("BLOCK", 2)];
const STATES: [(&str, i32); 3] = [("ALLOW", 1), ("ALLOW-AT-LIMIT", 2), ("BLOCK", 3)];
const STANDINGS: [(&str, i32); 8] = [
    ("waiting", 2),
    ("authorized", 3),
    ("out-of-compliance", 4),
    ("evaluation", 6),
    ("evaluation-expired", 7),
    ("authorization-expired", 8),
    ("invalid-tag", 12),
    ("not-in-use", 16),
];

fn standing(compliance: &Value) -> Value {
    if compliance.is_null() {
        return json!("not-in-use");
    }
    compliance["is"].clone()
}

/// The table of tags, as `show license enforcement status` has it.
fn wanted_tags(status: &Value) -> Result<Read> {
    let mut wanted = Wanted::default();
    for (kind, row) in Moment::tags(status) {
        let id = &row["tag_id"];
        let at = |column: u32| format!("{OURS}.3.1.{column}.{kind}.{id}");
        wanted.is(at(3), "STRING", &row["name"]);
        wanted.is(at(4), "STRING", &row["tag"]);
        wanted.is(at(5), "INTEGER", &row["in_use"]);
        wanted.one_of(at(6), &STANDINGS, &standing(&row["compliance"]))?;
        wanted.one_of(at(7), &POLICIES, &row["policy"])?;
        wanted.one_of(at(8), &STATES, &row["state"])?;
        wanted.is(at(9), "Gauge32", &row["sessions"]);
        wanted.is(at(10), "Gauge32", &row["licenses"]);
        wanted.is(at(11), "Gauge32", &row["entitlement"]["licenses"]);
        wanted.is(at(12), "Gauge32", &row["ceiling"]);
        wanted.is(at(13), "Gauge32", &row["grace_left_s"]);
        let refused = &row["refused"];
        let counts = [
            "blocked",
            "at_ceiling",
            "low_priority",
            "by_feature",
            "subscribers",
        ];
        for (column, count) in (14..).zip(counts) {
            wanted.is(at(column), "Counter64", &refused[count]);
        }
        wanted.is(at(19), "INTEGER", &row["drift"]);
    }
    Ok(wanted.0)
}

/// The table of modes, as `show license statistics` has it.
fn wanted_modes(statistics: &Value) -> Result<Read> {
    let mut wanted = Wanted::default();
    for (kind, tag) in Moment::tags(statistics) {
        let id = &tag["tag_id"];
        for (mode, row) in [(1, &tag["evaluation"]), (2, &tag["registered"])] {
            let at = |column: u32| format!("{OURS}.4.1.{column}.{kind}.{id}.{mode}");
            wanted.one_of(at(2), &POLICIES, &row["policy"])?;
            let now = [
                "cur_call_count",
                "max_call_count",
                "last_lic_count",
                "max_lic_count",
            ];
            for (column, count) in (3..).zip(now) {
                wanted.is(at(column), "Gauge32", &row[count]);
            }
            let counters = [
                "report_success",
                "report_failure",
                "policy_change_allow",
                "policy_change_block",
                "policy_change_bounce",
            ];
            for (column, count) in (7..).zip(counters) {
                wanted.is(at(column), "Counter64", &row[count]);
            }
        }
    }
    Ok(wanted.0)
}

/// The table of ties, as `show license enforcement policy` has it.
fn wanted_ties(policy: &Value) -> Result<Read> {
    let mut wanted = Wanted::default();
    for (_, feature) in Moment::tags(policy).filter(|(kind, _)| *kind == 2) {
        for name in feature["services"].as_array().context("names")? {
            let service = Moment::tags(policy).find(|(_, row)| row["name"] == *name);
            let service = &service.context("a service")?.1["tag_id"];
            let at = format!("{OURS}.5.1.3.{}.{service}", feature["tag_id"]);
            wanted.one_of(at, &[("service", 1), ("call", 2)], &feature["tie"])?;
        }
    }
    Ok(wanted.0)
}

/// The table of alarms, as `show license enforcement status` has it; severity and name are those of the notifications.
fn wanted_alarms(status: &Value) -> Result<Read> {
    let names = [
        ("service-out-of-compliance", "starSmartLicenseServiceOOC", 1),
        ("control-stalled", "tgControlStalled", 2),
    ];
    let mut wanted = Wanted::default();
    for alarm in status["alarms"].as_array().context("alarms")? {
        let id = &alarm["id"];
        let at = |column: u32| format!("{OURS}.6.1.{column}.{id}");
        let kind = &alarm["kind"];
        let known = names.iter().find(|(is, ..)| kind["is"] == *is);
        let (_, name, severity) = known.with_context(|| kind.to_string())?;
        wanted.is(at(2), "STRING", &json!(name));
        wanted.is(at(3), "INTEGER", &json!(severity));
        let service = kind["service"]
            .as_u64()
            .and_then(|at| usize::try_from(at).ok());
        match service {
            Some(at_service) => wanted.is(at(4), "STRING", &status["services"][at_service]["name"]),
            // What is empty has no type.
            None => drop(wanted.0.insert(at(4), "\"\"".to_owned())),
        }
        wanted.time(at(5), &alarm["raised"]);
        wanted.time(at(6), &alarm["repeated"]);
        wanted.is(at(7), "INTEGER", &alarm["value"]);
    }
    Ok(wanted.0)
}

//= L15
//= L18
#[test]
fn every_column_of_our_tables_is_what_operators_are_shown() -> Result<()> {
    let licensed = Licensed::out_of_compliance()?;
    for options in [V2C.to_vec(), user("noc", AUTH)] {
        let moment = licensed.moment(&options)?;
        let Moment {
            status,
            statistics,
            policy,
            ..
        } = &moment;
        assert_eq!(moment.below(&format!("{OURS}.3")), wanted_tags(status)?);
        assert_eq!(
            moment.below(&format!("{OURS}.4")),
            wanted_modes(statistics)?
        );
        assert_eq!(moment.below(&format!("{OURS}.5")), wanted_ties(policy)?);
        let alarms = wanted_alarms(status)?;
        assert_eq!(moment.below(&format!("{OURS}.6")), alarms);
        // What is compared is more than rows of zeros.
        let said: Vec<&String> = alarms.values().collect();
        assert!(
            said.contains(&&"STRING: \"starSmartLicenseServiceOOC\"".to_owned()),
            "{said:?}"
        );
        let ggsn = |column: u32| moment.read.get(&format!("{OURS}.3.1.{column}.1.2"));
        assert_eq!(ggsn(6).map(String::as_str), Some("INTEGER: 4"));
        assert_eq!(ggsn(8).map(String::as_str), Some("INTEGER: 3"));
        assert_eq!(ggsn(9).map(String::as_str), Some("Gauge32: 3"));
        assert_ne!(ggsn(14).map(String::as_str), Some("Counter64: 0"));
    }
    Ok(())
}

/// Objects of CISCO-SMART-LIC-MIB, as `show license status` and `show license usage` have them.
fn wanted_smart(moment: &Moment, registration: i32) -> Result<Read> {
    let (smart, status) = (&moment.smart, &moment.status);
    let mut wanted = Wanted::default();
    let at = |arcs: &str| format!("{SMART}.{arcs}.0");
    let node = &smart["node"];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let udi = format!("PID:{},SN:{}", word(&node["pid"]), word(&node["serial"]));
    let version = format!("Smart Licensing Agent, Version {}", word(&node["version"]));
    wanted.is(at("1"), "Gauge32", &json!(1));
    wanted.is(at("2"), "STRING", &json!(udi));
    wanted.is(at("3"), "STRING", &json!(version));
    wanted.is(at("4"), "INTEGER", &smart["smart"]["enabled"]);
    for usage in moment.usage["usage"].as_array().context("usage")? {
        let row = Moment::tags(status)
            .zip(1..)
            .find(|((_, row), _)| row["tag"] == usage["tag"]);
        let (_, place) = row.context("a tag")?;
        let at = |column: u32| format!("{SMART}.5.1.1.{column}.{place}");
        wanted.is(at(2), "Gauge32", &usage["count"]);
        wanted.is(at(3), "STRING", &usage["tag"]);
        wanted.is(at(4), "STRING", &json!("1.0"));
        wanted.one_of(at(5), &STANDINGS, &standing(&usage["compliance"]))?;
        wanted.is(at(6), "STRING", &usage["description"]);
        wanted.is(at(7), "STRING", &usage["name"]);
        wanted.is(at(8), "INTEGER", &json!(1));
    }
    let (registered, initial) = (&smart["registered"], &smart["initial"]);
    let began = if initial["last"].is_null() {
        &registered["since"]
    } else {
        &initial["last"]
    };
    wanted.is(at("6.1"), "INTEGER", &json!(registration));
    wanted.is(at("6.2"), "STRING", &registered["virtual_account"]);
    wanted.time(at("6.3"), &registered["expires"]);
    wanted.is(at("6.4"), "STRING", &registered["smart_account"]);
    wanted.time(at("6.5.1"), began);
    if !registered.is_null() || !initial["failure"].is_null() {
        wanted.is(at("6.5.2"), "INTEGER", &json!(initial["failure"].is_null()));
    }
    wanted.is(at("6.5.3"), "STRING", &initial["failure"]);
    wanted.time(at("6.5.4"), &initial["next"]);
    for (arcs, attempts) in [("6.6", &smart["renewal"]), ("7.5", &smart["authorization"])] {
        let at = |arc: u32| format!("{SMART}.{arcs}.{arc}.0");
        wanted.time(at(1), &attempts["last"]);
        if !attempts["last"].is_null() {
            wanted.is(at(2), "INTEGER", &json!(attempts["failure"].is_null()));
        }
        wanted.is(at(3), "STRING", &attempts["failure"]);
        wanted.time(at(4), &attempts["next"]);
    }
    wanted.time(at("7.1"), &smart["communication_deadline"]);
    let overall = word(&smart["authorization_status"]);
    let overall = overall.split(" on ").next();
    wanted.is(at("7.2"), "STRING", &json!(overall));
    let standings = Moment::tags(status).map(|(_, row)| &row["compliance"]);
    let out = standings.filter(|standing| standing["is"] == "out-of-compliance");
    let since = out.filter_map(|standing| standing["since"].as_i64()).min();
    wanted.time(at("7.3"), &json!(since));
    wanted.is(at("7.4.1"), "INTEGER", &smart["evaluation"]["running"]);
    wanted.is(at("7.4.3"), "Gauge32", &smart["evaluation"]["remaining_s"]);
    wanted.is(at("8.1"), "INTEGER", &json!(true));
    wanted.is(at("8.2"), "INTEGER", &json!(true));
    Ok(wanted.0)
}

//= L18
#[test]
fn managers_follow_a_registration_by_the_mib_of_the_vendor() -> Result<()> {
    let licensed = Licensed::start()?;
    let v3 = user("noc", AUTH);
    let is = |options: &[&str], registration: i32| -> Result<()> {
        let moment = licensed.moment(options)?;
        assert_eq!(moment.below(SMART), wanted_smart(&moment, registration)?);
        Ok(())
    };
    is(&V2C, 1)?;
    let nobodys = "bm90LWEtdG9rZW4tb2YtYW55Ym9keQ==";
    ensure!(licensed.register(nobodys).is_err());
    is(&V2C, 3)?;
    let (_, token) = licensed.office.token(1)?;
    ensure!(licensed.register(&token)?);
    is(&V2C, 5)?;
    is(&v3, 5)?;
    licensed.ask(LicenseCommand::RenewId)?;
    is(&v3, 5)?;
    ensure!(licensed.ask(LicenseCommand::Deregister)?);
    is(&v3, 1)?;
    let enable = false;
    ensure!(
        licensed
            .control
            .change(&Request::SmartLicensing { enable })?
    );
    until("it is off", LIMIT, || {
        let status = format!("{SMART}.7.2.0");
        let read = licensed.manager.read("snmpget", &v3, &[&status])?;
        Ok(read.get(&status).map(String::as_str) == Some("STRING: \"DISABLED\""))
    })
}

//= L18
#[test]
fn the_table_of_entitlements_is_printed_by_its_module() -> Result<()> {
    let licensed = Licensed::out_of_compliance()?;
    let name = "CISCO-SMART-LIC-MIB::ciscoSlaEntitlementInfoTable";
    for options in [V2C.to_vec(), user("noc", AUTH)] {
        let moment = licensed.moment(&options)?;
        assert_eq!(moment.below(SMART), wanted_smart(&moment, 5)?);
        let table = licensed.manager.table(&options, name)?;
        let usage = moment.usage["usage"][0].as_object().context("one")?;
        let text = |key: &str| usage[key].as_str().unwrap_or_default().to_owned();
        let columns = [
            "RequestCount",
            "Tag",
            "Version",
            "EnforceMode",
            "Description",
            "FeatureName",
            "ExportAllowed",
        ];
        let columns = columns.map(|column| format!("ciscoSlaEntitlement{column}"));
        let head = [&["index".to_owned()][..], &columns].concat();
        let row = [
            "3".to_owned(),
            usage["count"].to_string(),
            text("tag"),
            "1.0".to_owned(),
            "4".to_owned(),
            text("description"),
            text("name"),
            "1".to_owned(),
        ];
        assert_eq!(table, [head, row.to_vec()]);
    }
    Ok(())
}
