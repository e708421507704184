//! What an operator is shown of alarms and notifications, and what a manager reads of the same node meanwhile.
#![forbid(unsafe_code)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::Request;
use serde_json::Value;
use tests::gateway::{Gateway, Site};
use tests::net_snmp::{AUTH, Noc, Read, Snmptrapd, V2C, user};
use tests::sgsn::Call;
use tests::wait::{eventually, until};

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

const OURS: &str = ".1.3.6.1.4.1.32473.1";
/// Columns of TOLLGATE-MIB, without an instance.
const ALARM_NAME: &str = ".1.3.6.1.4.1.32473.1.1.6.1.2";
const ALARM_SEVERITY: &str = ".1.3.6.1.4.1.32473.1.1.6.1.3";
const ALARM_TAG: &str = ".1.3.6.1.4.1.32473.1.1.6.1.4";
const LOG_NAME: &str = ".1.3.6.1.4.1.32473.1.1.7.1.3";
const LOG_TEXT: &str = ".1.3.6.1.4.1.32473.1.1.7.1.5";
/// Of the only target: waiting, held, sent, repeated, acknowledged, coalesced, dropped.
const TARGET: [(&str, &str); 7] = [
    ("waiting", ".1.3.6.1.4.1.32473.1.1.8.1.3.1"),
    ("held", ".1.3.6.1.4.1.32473.1.1.8.1.4.1"),
    ("sent", ".1.3.6.1.4.1.32473.1.1.8.1.5.1"),
    ("repeated", ".1.3.6.1.4.1.32473.1.1.8.1.6.1"),
    ("acknowledged", ".1.3.6.1.4.1.32473.1.1.8.1.7.1"),
    ("coalesced", ".1.3.6.1.4.1.32473.1.1.8.1.8.1"),
    ("dropped", ".1.3.6.1.4.1.32473.1.1.8.1.9.1"),
];
const UNKNOWN_USERS: &str = ".1.3.6.1.6.3.15.1.1.3.0";

const TARGETS_COMMUNITY: &str = "sesame";

/// All that is shown of SNMP and alarms.
const SHOWS: [&str; 11] = [
    "alarm outstanding",
    "alarm outstanding verbose",
    "alarm statistics",
    "alarm all",
    "snmp trap history",
    "snmp trap statistics verbose",
    "snmp notifies",
    "snmp transports",
    "snmp server",
    "snmp communities",
    "snmp users",
];

/// A lab node with room for two sessions, its operator, its manager, and who is sent its informs.
struct Watched {
    gateway: Gateway,
    noc: Noc,
    informed: Snmptrapd,
}

impl Watched {
    fn start() -> Result<Self> {
        let site = Site::new()?;
        let agent = SocketAddr::from((site.subnet().ip(3), 1161));
        let target = SocketAddr::from((site.subnet().ip(9), 1162));
        let dir = site.dir().join("manager");
        fs::create_dir_all(&dir)?;
        let authorized = format!("authCommunity log {TARGETS_COMMUNITY}");
        let informed = Snmptrapd::start(&dir, target, &authorized)?;
        let file = site.dir().join("target");
        fs::write(&file, TARGETS_COMMUNITY)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        let (noc, sections) = Noc::new(site.dir(), agent)?;
        let suppress = "[snmp]\nsuppress = [\"tgFeatureEnabled\"]\n";
        let sections = sections.replacen("[snmp]\n", suppress, 1)
            + &format!(
                "[[snmp.target]]\nname = \"noc\"\naddress = \"{target}\"\nversion = \"v2c\"\n\
                 community_file = \"target\"\nnotify = \"inform\"\n"
            );
        let configuration = site.configuration().with_sessions_per_license(2)?;
        Ok(Self {
            gateway: site.open(&configuration.with(&sections))?,
            noc,
            informed,
        })
    }

    fn change(&self, request: &Request) -> Result<()> {
        let changed = self.gateway.node()?.control().change(request)?;
        ensure!(changed, "{request:?} changed nothing");
        Ok(())
    }

    fn is_outstanding(&self, name: &str) -> Result<bool> {
        let shown = json(&self.gateway, "alarm outstanding")?;
        Ok(rows(&shown["alarms"])?
            .iter()
            .any(|row| row["name"] == name))
    }
}

/// What a show prints.
fn show(gateway: &Gateway, what: &str) -> Result<Vec<String>> {
    let ended = gateway.node()?.cli(&format!("show {what}"))?;
    ensure!(ended.status.success(), "show {what}: {}", ended.log());
    Ok(ended.lines)
}

fn json(gateway: &Gateway, what: &str) -> Result<Value> {
    let lines = show(gateway, &format!("{what} --json"))?;
    serde_json::from_str(&lines.join("\n")).context("JSON")
}

fn rows(shown: &Value) -> Result<&Vec<Value>> {
    shown
        .as_array()
        .with_context(|| format!("no rows: {shown}"))
}

/// Names of the history, oldest first.
fn told(gateway: &Gateway) -> Result<Vec<String>> {
    let shown = json(gateway, "snmp trap history")?;
    let names = rows(&shown["history"])?.iter();
    Ok(names
        .map(|row| row["name"].as_str().unwrap_or_default().to_owned())
        .collect())
}

fn count(names: &[String], name: &str) -> usize {
    names.iter().filter(|told| *told == name).count()
}

/// A text of net-snmp without its type.
fn text(read: &Read, column: &str, index: &Value) -> Option<String> {
    let value = read.get(&format!("{column}.{index}"))?;
    let (_, value) = value.split_once(": ").unwrap_or(("", ""));
    Some(value.trim_matches('"').to_owned())
}

fn number(read: &Read, name: &str) -> Option<u64> {
    read.get(name)?.split_once(": ")?.1.parse().ok()
}

/// Whether a manager read what an operator was shown of alarms.
fn same_alarms(read: &Read, alarms: &[Value]) -> Result<()> {
    let instances = read
        .keys()
        .filter(|name| name.starts_with(&format!("{ALARM_NAME}.")));
    ensure!(instances.count() == alarms.len(), "{alarms:?}");
    let severities = ["critical", "major", "minor", "warning", "informational"];
    for alarm in alarms {
        let id = &alarm["id"];
        ensure!(
            text(read, ALARM_NAME, id).as_deref() == alarm["name"].as_str(),
            "{alarm}"
        );
        let severity = text(read, ALARM_SEVERITY, id).context("a severity")?;
        let named = severities.get(severity.parse::<usize>()? - 1);
        ensure!(named.copied() == alarm["severity"].as_str(), "{alarm}");
        let tag = text(read, ALARM_TAG, id).context("a tag")?;
        let object = alarm["object"].as_str().unwrap_or_default();
        ensure!(object.ends_with(&tag), "{alarm} is of {tag}");
    }
    Ok(())
}

/// The same of notifications.
fn same_log(read: &Read, history: &[Value]) -> Result<()> {
    let instances = read
        .keys()
        .filter(|name| name.starts_with(&format!("{LOG_NAME}.")));
    ensure!(
        instances.count() == history.len(),
        "{} listed",
        history.len()
    );
    for row in history {
        let place = &row["place"];
        ensure!(
            text(read, LOG_NAME, place).as_deref() == row["name"].as_str(),
            "{row}"
        );
        let said = text(read, LOG_TEXT, place).context("a text")?;
        ensure!(row["text"].as_str() == Some(said.as_str()), "{row}: {said}");
    }
    Ok(())
}

/// What an operator is shown, as far as a manager reads it too.
fn look(gateway: &Gateway) -> Result<[Value; 3]> {
    let history = json(gateway, "snmp trap history")?["history"].take();
    let targets = json(gateway, "snmp transports")?["targets"].take();
    let alarms = json(gateway, "alarm outstanding")?["alarms"].take();
    Ok([history, targets, alarms])
}

/// Waits until a manager reads what an operator is shown; what is shown of SNMP may be a moment older.
fn compare(watched: &Watched) -> Result<()> {
    let options = user("noc", AUTH);
    eventually("both see the same", LIMIT, || {
        let shown = look(&watched.gateway)?;
        let read = watched.noc.read("snmpbulkwalk", &options, &[OURS])?;
        let differs = same(&read, &shown).err();
        if let Some(differs) = &differs {
            eprintln!("{differs:#}");
        }
        Ok(differs.is_none().then_some(()))
    })
}

fn same(read: &Read, [history, targets, alarms]: &[Value; 3]) -> Result<()> {
    same_alarms(read, rows(alarms)?)?;
    same_log(read, rows(history)?)?;
    let target = &rows(targets)?[0];
    for (key, name) in TARGET {
        ensure!(
            target[key].as_u64() == number(read, name),
            "{key} of {target}"
        );
    }
    Ok(())
}

//= L16
#[test]
fn an_alarm_is_shown_from_raise_to_clear_as_a_manager_reads_it() -> Result<()> {
    let mut watched = Watched::start()?;
    watched.change(&Request::SmartLicensing { enable: true })?;
    watched.change(&Request::Feature {
        name: "GRE".into(),
        enable: true,
    })?;
    let first = watched.gateway.accepted(&Call::new(1, "internet"))?;
    watched.gateway.accepted(&Call::new(2, "internet"))?;
    until("the limit is outstanding", LIMIT, || {
        watched.is_outstanding("starLicenseExceeded")
    })?;
    let outstanding = show(&watched.gateway, "alarm outstanding")?;
    let row = "MJ  Service GGSN    service GGSN is at its ceiling";
    ensure!(
        outstanding.iter().any(|line| line == row),
        "{outstanding:?}"
    );
    watched.informed.wait_for(".1.3.6.1.4.1.8164.2.65|")?;
    until("the raise is listed", LIMIT, || {
        Ok(count(&told(&watched.gateway)?, "starLicenseExceeded") == 1)
    })?;
    let history = show(&watched.gateway, "snmp trap history")?;
    let raise = " Internal trap notification 65 (LicenseExceeded)";
    ensure!(
        history.iter().any(|line| line.contains(raise)),
        "{history:?}"
    );
    compare(&watched)?;

    watched.gateway.delete(first, 5)?;
    until("the limit is over", LIMIT, || {
        Ok(!watched.is_outstanding("starLicenseExceeded")?)
    })?;
    watched.informed.wait_for(".1.3.6.1.4.1.8164.2.94|")?;
    until("the clear is listed", LIMIT, || {
        Ok(count(&told(&watched.gateway)?, "starLicenseUnderLimit") == 1)
    })?;
    let names = told(&watched.gateway)?;
    ensure!(count(&names, "starLicenseExceeded") == 1, "{names:?}");
    compare(&watched)?;

    let shown = json(&watched.gateway, "alarm statistics")?;
    let total = |of: &str| -> u64 {
        let counts = shown[of]
            .as_object()
            .into_iter()
            .flat_map(|counts| counts.values());
        counts.filter_map(Value::as_u64).sum()
    };
    ensure!(total("raised") > total("outstanding"), "{shown}");
    ensure!(shown["raised"]["major"].as_u64() >= Some(1), "{shown}");
    counted(&watched)
}

/// Counts by notification, suppressed ones too, and what the agent counts.
fn counted(watched: &Watched) -> Result<()> {
    let shown = json(&watched.gateway, "snmp notifies")?;
    let types = rows(&shown["types"])?;
    let of = |name: &str| {
        types
            .iter()
            .find(|row| row["name"] == name)
            .context("a row")
    };
    let suppressed = of("tgFeatureEnabled")?;
    ensure!(
        suppressed["generated"] == 1 && suppressed["discarded"] == 1,
        "{suppressed}"
    );
    let text = show(&watched.gateway, "snmp notifies")?;
    ensure!(
        text.iter()
            .any(|line| line == "Suppressed: tgFeatureEnabled"),
        "{text:?}"
    );
    ensure!(of("starLicenseExceeded")?["discarded"] == 0);
    let sum: u64 = types
        .iter()
        .filter_map(|row| Some(row["generated"].as_u64()? - row["discarded"].as_u64()?))
        .sum();
    ensure!(shown["notifies"]["total"].as_u64() == Some(sum), "{shown}");
    ensure!(
        !told(&watched.gateway)?
            .iter()
            .any(|name| name == "tgFeatureEnabled")
    );

    let stranger = watched
        .noc
        .run("snmpget", &user("stranger", AUTH), &[UNKNOWN_USERS])?;
    ensure!(!stranger.status.success(), "{}", stranger.log());
    let refused = watched.noc.number(UNKNOWN_USERS)?;
    ensure!(refused >= 1, "{refused}");
    until("the operator sees what the manager reads", LIMIT, || {
        let server = json(&watched.gateway, "snmp server")?;
        let counters = rows(&server["server"]["counters"])?.iter();
        let mut counters = counters.filter(|row| row["name"] == "usmStatsUnknownUserNames");
        Ok(counters.next().and_then(|row| row["value"].as_u64()) >= Some(refused))
    })
}

#[test]
fn no_show_has_a_secret_and_every_one_has_both_forms() -> Result<()> {
    let watched = Watched::start()?;
    for what in SHOWS {
        let text = show(&watched.gateway, what)?.join("\n");
        let json = json(&watched.gateway, what)?;
        ensure!(json["node"]["name"] == "gw1", "{json}");
        let both = format!("{text}{json}");
        for secret in [AUTH, "syrupmaple", V2C[2], TARGETS_COMMUNITY] {
            ensure!(!both.contains(secret), "{what}: {both}");
        }
        ensure!(!both.contains("not configured"), "{what}: {both}");
    }
    let users = show(&watched.gateway, "snmp users")?;
    ensure!(
        users
            .iter()
            .any(|line| line.starts_with("noc ") && line.contains(" authPriv ")),
        "{users:?}"
    );
    Ok(())
}

#[test]
fn a_node_without_snmp_says_so_and_shows_its_alarms() -> Result<()> {
    let gateway = Gateway::plain()?;
    let control = gateway.node()?.control();
    control.change(&Request::SmartLicensing { enable: true })?;
    let shown = json(&gateway, "alarm outstanding")?;
    let alarms = rows(&shown["alarms"])?;
    ensure!(
        alarms
            .iter()
            .any(|row| row["name"] == "starSmartLicenseEvalMode"),
        "{shown}"
    );
    let statistics = show(&gateway, "alarm statistics")?;
    ensure!(
        statistics.iter().any(|line| line == "    Warning:  1"),
        "{statistics:?}"
    );
    for what in SHOWS.iter().filter(|what| what.starts_with("snmp")) {
        let text = show(&gateway, what)?;
        let says = |line: &String| line.starts_with("*** SNMP is not configured");
        ensure!(text.iter().any(says), "{what}: {text:?}");
        ensure!(json(&gateway, what)?["configured"] == false, "{what}");
    }
    until("it is listed all the same", LIMIT, || {
        Ok(count(&told(&gateway)?, "starSmartLicenseEvalMode") == 1)
    })
}
