//! Metrics of a node, beside what the commands of operators show of the same snapshot.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use admission_client::Client;
use anyhow::{Context, Result, ensure};
use api::{BulkstatsCommand, CallClass, CallKind, LicenseCommand, Request};
use licensing::AlarmKind;
use node::{Config, Running, Shutdown};
use serde_json::Value;
use tests::control::Control;
use tests::gateway::Site;
use tests::office::Office;
use tests::openmetrics::{Parser, Scrape, http, raw};
use tests::prometheus::{Prometheus, dashboards, promtool};
use tests::sgsn::{Call, Sgsn, cause};
use tests::tollgate;
use tests::wait::{eventually, until};

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// Sessions that one license covers here.
const PER_LICENSE: u32 = 2;
/// Longer than a busy machine holds a test up.
const LEASE: Duration = Duration::from_secs(300);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A lab node that runs in this process and is scraped, and an authority that owns two licenses.
struct Scraped {
    running: Running,
    control: Control,
    sgsn: Sgsn,
    office: Office,
    at: SocketAddr,
    site: Site,
}

impl Scraped {
    /// In evaluation.
    fn start() -> Result<Self> {
        Self::start_with(|_| String::new())
    }

    /// The same, with these sections more.
    fn start_with(more: impl FnOnce(&Site) -> String) -> Result<Self> {
        // It is built now, rather than while the node is held.
        tollgate::binary()?;
        let site = Site::new()?;
        let office = Office::open(site.dir(), Some(1))?;
        office.own("GGSN", 2)?;
        let root = office.root_file(site.dir())?;
        let at = SocketAddr::from((site.subnet().ip(3), 9464));
        let section = format!(
            "[agent]\nauthority = \"{}\"\ntrust_pool = \"{}\"\n[metrics]\nlisten = \"{at}\"\n",
            office.url(),
            root.display()
        );
        let section = section + &more(&site);
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
            at,
            site,
        })
    }

    /// In use more than is owned: a service blocked, after a time of evaluation with a refusal at the ceiling.
    fn out_of_compliance() -> Result<Self> {
        let mut scraped = Self::start()?;
        for subscriber in 0..2 {
            ensure!(scraped.is_accepted(subscriber)?);
        }
        ensure!(!scraped.is_accepted(9)?);
        let (_, idtoken) = scraped.office.token(1)?;
        let force = false;
        let register = LicenseCommand::Register { idtoken, force };
        ensure!(scraped.control.change(&Request::License(register))?);
        until("a license more", LIMIT, || scraped.is_accepted(2))?;
        scraped.office.move_away("GGSN", 1)?;
        let renew = Request::License(LicenseCommand::RenewAuth);
        ensure!(scraped.control.change(&renew)?);
        until("the alarm", LIMIT, || {
            let alarms = scraped.control.snapshot()?.alarms;
            let is_ours = |kind| matches!(kind, AlarmKind::ServiceOutOfCompliance { .. });
            Ok(alarms.iter().any(|alarm| is_ours(alarm.kind)))
        })?;
        ensure!(!scraped.is_accepted(8)?);
        until("the refusal is counted", LIMIT, || {
            let snapshot = scraped.control.snapshot()?;
            let ggsn = snapshot.rows().find(|row| row.tag().name == "GGSN");
            Ok(ggsn.is_some_and(|row| row.tag().refused.blocked > 0) && snapshot.recount.is_some())
        })?;
        Ok(scraped)
    }

    fn is_accepted(&mut self, subscriber: u32) -> Result<bool> {
        let answer = self.sgsn.create(&Call::new(subscriber, "internet"))?;
        Ok(answer.cause()? == cause::ACCEPTED)
    }

    /// What `show license enforcement status` shows.
    fn shown(&self) -> Result<Value> {
        let socket = self.control.socket().to_string_lossy().into_owned();
        let words = "show license enforcement status --json --socket".split(' ');
        let ended = tollgate::run(words.map(str::to_owned).chain([socket]))?;
        ensure!(ended.status.success(), "{}", ended.log());
        Ok(serde_json::from_str(&ended.lines.join("\n"))?)
    }

    fn scrape(&self, parser: &mut Parser) -> Result<Scrape> {
        let answer = http(self.at, "GET", "/metrics")?;
        ensure!(answer.status == 200, "{answer:?}");
        ensure!(answer.headers["content-type"] == OPENMETRICS, "{answer:?}");
        parser.read(&answer.body)
    }
}

/// Each number of a service or feature in the words of the metrics, and in those of `show ... --json`.
const OF_TAGS: [(&str, &str); 12] = [
    ("tollgate_license_sessions", "/sessions"),
    ("tollgate_license_peak", "/peak"),
    ("tollgate_license_licenses", "/licenses"),
    ("tollgate_license_granted", "/entitlement/licenses"),
    ("tollgate_license_ceiling", "/ceiling"),
    ("tollgate_license_grace_left_seconds", "/grace_left_s"),
    ("tollgate_license_refused_blocked_total", "/refused/blocked"),
    (
        "tollgate_license_refused_at_ceiling_total",
        "/refused/at_ceiling",
    ),
    (
        "tollgate_license_refused_low_priority_total",
        "/refused/low_priority",
    ),
    (
        "tollgate_license_refused_by_feature_total",
        "/refused/by_feature",
    ),
    (
        "tollgate_license_refused_subscribers_total",
        "/refused/subscribers",
    ),
    ("tollgate_license_let_through_total", "/let_through"),
];

/// Every number of every service and feature is that of `show license enforcement status --json` of the same snapshot; an
/// independent parser, strict, reads all of it.
//= L15
#[test]
fn a_scrape_is_what_operators_are_shown() -> Result<()> {
    let mut parser = Parser::start()?;
    let scraped = Scraped::out_of_compliance()?;
    let _pause = scraped.running.pause_control().context("it can be held")?;
    let scrape = scraped.scrape(&mut parser)?;
    let shown = scraped.shown()?;
    let mut compared = 0;
    for (kind, key) in [("service", "services"), ("feature", "features")] {
        for row in shown[key].as_array().context("rows")? {
            let tag_id = row["tag_id"].to_string();
            let name = row["name"].as_str().context("a name")?;
            let labels = [("kind", kind), ("tagid", tag_id.as_str()), ("name", name)];
            for (metric, place) in OF_TAGS {
                let wanted = row.pointer(place).and_then(Value::as_f64);
                assert_eq!(
                    scrape.number(metric, &labels),
                    wanted,
                    "{metric} {labels:?}"
                );
                compared += usize::from(wanted.is_some());
            }
            let info = scrape
                .sample("tollgate_license_info", &labels)
                .context("a row")?;
            assert_eq!(info[1]["policy"], row["policy"]);
            assert_eq!(info[1]["state"], row["state"]);
        }
    }
    assert!(compared > 100, "{compared}");
    let ggsn = [("kind", "service"), ("name", "GGSN")];
    assert_eq!(scrape.number("tollgate_license_sessions", &ggsn), Some(3.0));
    // Calls that came before the node had heard of its licenses are among them.
    assert!(scrape.number("tollgate_license_refused_at_ceiling_total", &ggsn) >= Some(1.0));
    let info = scrape
        .sample("tollgate_license_info", &ggsn)
        .context("a row")?;
    assert_eq!(info[1]["compliance"], "out-of-compliance");
    let agent = scrape
        .sample("tollgate_agent_info", &[])
        .context("the agent")?;
    assert_eq!(agent[1]["registration"], "registered");
    let left = shown["evaluation"]["remaining_s"].as_f64();
    assert_eq!(
        scrape.number("tollgate_system_eval_remaining_seconds", &[]),
        left
    );
    let alarms = shown["alarms"].as_array().context("alarms")?.len();
    assert_eq!(
        scrape.number("tollgate_system_alarms", &[]),
        Some(alarms as f64)
    );
    assert_eq!(
        scrape.number("tollgate_system_sess_current", &[]),
        Some(3.0)
    );
    Ok(())
}

/// A counter of refusals tells when the last was, at which access point and with which cause, and not whose call it was.
#[test]
fn a_refusal_has_an_exemplar_without_a_subscriber() -> Result<()> {
    let mut parser = Parser::start()?;
    let scraped = Scraped::out_of_compliance()?;
    let scrape = scraped.scrape(&mut parser)?;
    let ggsn = [("kind", "service"), ("name", "GGSN")];
    let history = scraped.control.history()?;
    for (counter, refusals) in [
        ("tollgate_license_refused_at_ceiling_total", 1.0),
        ("tollgate_license_refused_blocked_total", 1.0),
    ] {
        let sample = scrape.sample(counter, &ggsn).context("a counter")?;
        assert!(sample[2].as_f64() >= Some(refusals), "{sample}");
        let exemplar = sample[3].as_array().context("an exemplar")?;
        let labels = exemplar[0].as_object().context("labels")?;
        let names: Vec<&str> = labels.keys().map(String::as_str).collect();
        assert_eq!(names, ["apn", "cause"]);
        assert_eq!(
            (&labels["apn"], &labels["cause"]),
            (&"internet".into(), &"199".into())
        );
        let at = exemplar[2].as_f64().context("a time")?;
        let is_it = |at_ms: i64| (at * 1_000.0 - at_ms as f64).abs() < 1.0;
        assert!(
            history.iter().any(|record| is_it(record.at.0)),
            "{at} {history:?}"
        );
    }
    let exemplars = scrape.samples().filter(|sample| !sample[3].is_null());
    assert!(exemplars.count() >= 2);
    let none = scrape.sample(
        "tollgate_license_refused_at_ceiling_total",
        &[("name", "PGW")],
    );
    assert!(none.context("a counter")?[3].is_null());
    Ok(())
}

/// What is measured is a sample of what was received, in buckets that only grow, and each has its sum.
#[test]
fn latencies_are_of_a_sample_of_the_messages() -> Result<()> {
    let mut parser = Parser::start()?;
    let mut scraped = Scraped::start()?;
    for subscriber in 0..4 {
        scraped.is_accepted(subscriber)?;
    }
    let name = "tollgate_gtpc_procedure_duration_seconds";
    let admission = "tollgate_admission_duration_seconds";
    let (create, gtp) = ([("procedure", "create")], [("way", "gtp")]);
    // A message is counted after its answer is sent.
    let scrape = eventually("all are counted", LIMIT, || {
        let scrape = scraped.scrape(&mut parser)?;
        let count = scrape.number(&format!("{name}_count"), &create);
        let of_these = scrape.number(&format!("{admission}_count"), &gtp);
        Ok((count >= Some(4.0) && of_these == count).then_some(scrape))
    })?;
    let count = scrape
        .number(&format!("{name}_count"), &create)
        .context("a count")?;
    let sent = [("gtp_version", "1"), ("message", "16")];
    let received = scrape
        .number("tollgate_gtpc_received_total", &sent)
        .context("messages")?;
    // One at a time: each is a batch.
    assert!(count >= 4.0 && count <= received, "{count} of {received}");
    let family = &scrape.families[name];
    let buckets = family["samples"].as_array().context("samples")?.iter();
    let buckets =
        buckets.filter(|s| s[0] == format!("{name}_bucket") && s[1]["procedure"] == "create");
    let buckets: Vec<f64> = buckets.filter_map(|bucket| bucket[2].as_f64()).collect();
    assert_eq!(buckets.len(), 16);
    assert!(buckets.is_sorted() && buckets.last() == Some(&count));
    let sum = scrape
        .number(&format!("{name}_sum"), &create)
        .context("a sum")?;
    let of_these = scrape
        .number(&format!("{admission}_sum"), &gtp)
        .context("a sum")?;
    assert_eq!(
        scrape.number(&format!("{admission}_count"), &gtp),
        Some(count)
    );
    assert!(0.0 < of_these && of_these <= sum, "{of_these} of {sum}");
    assert_eq!(
        scrape.number(&format!("{admission}_count"), &[("way", "api")]),
        Some(0.0)
    );
    Ok(())
}

/// Calls of processes that ask by the admission API are counted with those of GTP.
//= L15
#[test]
fn clients_of_the_admission_api_are_counted() -> Result<()> {
    let mut parser = Parser::start()?;
    let mut scraped = Scraped::start()?;
    ensure!(scraped.is_accepted(0)?);
    let class = CallClass {
        service: "MME".to_owned(),
        features: Vec::new(),
        kind: CallKind::Ordinary,
    };
    let socket = scraped.control.socket();
    let mut client = Client::open(socket, "mme-1", LEASE, vec![class])?;
    let outcome = client.admit(0, PER_LICENSE + 3)?;
    assert_eq!(outcome.done, PER_LICENSE);
    client.release(0, 1)?;
    let scrape = scraped.scrape(&mut parser)?;
    let system = |name: &str| scrape.number(&format!("tollgate_system_{name}"), &[]);
    assert_eq!(system("sess_current"), Some(f64::from(PER_LICENSE)));
    assert_eq!(
        system("sess_created_total"),
        Some(f64::from(PER_LICENSE + 1))
    );
    assert_eq!(system("sess_ended_deleted_total"), Some(1.0));
    assert_eq!(system("sess_rejected_license_total"), Some(3.0));
    assert_eq!(system("sess_rejected_license_subs_total"), Some(3.0));
    Ok(())
}

/// Whoever sees metrics alone learns that files of bulk statistics don't arrive, at whom that is, and that intervals and rows are
/// there all the same.
//= L15
#[test]
fn files_that_do_not_arrive_are_told() -> Result<()> {
    let mut parser = Parser::start()?;
    // Nobody is there.
    let scraped = Scraped::start_with(|site| {
        format!(
            "[bulkstats]\ncollection = true\nsample_interval_min = 10080\ntransfer_interval_min = 999999\n\
             [[bulkstats.file]]\nnumber = 2\nremotefile = \"a.csv\"\nschemas = ['system schema s format \"s,%uptime%\"']\n\
             [bulkstats.file.primary]\naddress = \"{}\"\nport = 8021\nmechanism = \"http\"\n",
            site.subnet().ip(5)
        )
    })?;
    let file = [("file", "2")];
    let before = scraped.scrape(&mut parser)?;
    let of =
        |scrape: &Scrape, name: &str| scrape.number(&format!("tollgate_bulkstats_{name}"), &file);
    assert_eq!(of(&before, "failing"), Some(0.0));
    assert_eq!(of(&before, "primary_failing"), Some(0.0));
    assert_eq!(of(&before, "secondary_failing"), None);
    assert_eq!(of(&before, "waiting_since_timestamp_seconds"), None);
    for command in [
        BulkstatsCommand::ForceGather,
        BulkstatsCommand::ForceTransfer,
    ] {
        scraped.control.bulkstats_do(command)?;
    }
    let scrape = eventually("nobody takes the file", LIMIT, || {
        let scrape = scraped.scrape(&mut parser)?;
        Ok((of(&scrape, "failing") == Some(1.0)).then_some(scrape))
    })?;
    assert_eq!(of(&scrape, "primary_failing"), Some(1.0));
    assert_eq!(of(&scrape, "files_waiting"), Some(1.0));
    assert!(of(&scrape, "waiting_since_timestamp_seconds") > Some(1e9));
    assert_eq!(of(&scrape, "last_transfer_timestamp_seconds"), None);
    let rows = of(&scrape, "records_collected_total");
    assert!(rows >= Some(1.0), "{rows:?}");
    assert_eq!(of(&scrape, "records_waiting"), rows);
    assert_eq!(of(&scrape, "records_discarded_total"), Some(0.0));
    let system = |name: &str| scrape.number(&format!("tollgate_system_{name}"), &[]);
    assert_eq!(system("bulkstats_samples_total"), rows);
    assert_eq!(system("bulkstats_lost_total"), Some(0.0));
    assert_eq!(system("workers"), system("workers_alive"));
    assert!(system("workers") >= Some(1.0));
    Ok(())
}

/// promtool takes the rules, each alert fires where it should and not where it should not, and it has nothing to say against
/// a scrape; OpenMetrics has types that it does not know, so it gets the scrape in the older text.
#[test]
fn promtool_takes_rules_and_scrapes() -> Result<()> {
    let rules = promtool(&["check", "rules", "alerts.yml"], "")?;
    assert!(rules.contains("SUCCESS"), "{rules}");
    let tested = promtool(&["test", "rules", "alerts_test.yml"], "")?;
    assert!(tested.contains("SUCCESS"), "{tested}");
    let rules = std::fs::read_to_string(dashboards().join("alerts.yml"))?;
    let tests = std::fs::read_to_string(dashboards().join("alerts_test.yml"))?;
    for alert in rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
    {
        let named = format!("alertname: {alert}\n");
        let of_it: Vec<&str> = tests.split(named.as_str()).skip(1).collect();
        let quiet = of_it
            .iter()
            .filter(|test| test.trim_start().starts_with("exp_alerts: []"))
            .count();
        assert!(quiet > 0, "{alert} has a test that it does not fire");
        assert!(of_it.len() > quiet, "{alert} has a test that it fires");
    }
    assert_eq!(
        rules.matches("  runbook: ").count(),
        rules.matches("- alert: ").count()
    );
    let mut parser = Parser::start()?;
    let scrape = Scraped::start()?.scrape(&mut parser)?;
    promtool(&["check", "metrics"], &scrape.plain)?;
    Ok(())
}

/// Prometheus scrapes a node that is out of compliance: its numbers are those of `show license ... --json`, its alerts are
/// there, and every expression of the dashboard and of the rules is of metrics that the node has.
#[test]
fn prometheus_has_what_operators_are_shown() -> Result<()> {
    let scraped = Scraped::out_of_compliance()?;
    let at = SocketAddr::from((scraped.site.subnet().ip(4), 9090));
    let prometheus = Prometheus::start(scraped.site.dir(), at, scraped.at)?;
    let pause = scraped.running.pause_control().context("it can be held")?;
    let shown = scraped.shown()?;
    let of_now = format!(
        "tollgate_system_eval_used_seconds == {}",
        shown["evaluation"]["used_s"]
    );
    until("a scrape of the node as it is held", LIMIT, || {
        let stalled = prometheus.query("tollgate_system_control_age_seconds > 0.5")?;
        Ok(!stalled.is_empty() && !prometheus.query(&of_now)?.is_empty())
    })?;
    let mut compared = 0;
    for (kind, key) in [("service", "services"), ("feature", "features")] {
        for row in shown[key].as_array().context("rows")? {
            for (metric, place) in OF_TAGS {
                let name = row["name"].as_str().context("a name")?;
                // A scrape that came too late leaves the last one standing.
                let one =
                    format!("last_over_time({metric}{{kind=\"{kind}\", name=\"{name}\"}}[5m])");
                let wanted = row.pointer(place).and_then(Value::as_f64);
                assert_eq!(prometheus.number(&one)?, wanted, "{one}");
                compared += usize::from(wanted.is_some());
            }
        }
    }
    assert!(compared > 100, "{compared}");
    drop(pause);
    for alert in [
        "TollgateOutOfCompliance",
        "TollgateBlocked",
        "TollgateAtLimit",
    ] {
        until(alert, LIMIT, || {
            let alerts = prometheus.api("alerts")?;
            let alerts = alerts["alerts"].as_array().context("alerts")?.iter();
            let mut names = alerts.map(|alert| &alert["labels"]["alertname"]);
            Ok(names.any(|name| name == alert))
        })?;
    }
    until("all rules are evaluated", LIMIT, || {
        let groups = prometheus.api("rules")?;
        let rules = groups["groups"][0]["rules"].as_array().context("rules")?;
        let failed = rules.iter().find(|rule| rule["health"] == "err");
        ensure!(failed.is_none(), "{failed:?}");
        Ok(rules.iter().all(|rule| rule["health"] == "ok"))
    })?;
    let exemplars =
        "query_exemplars?query=tollgate_license_refused_at_ceiling_total&start=0&end=4000000000";
    until("an exemplar", LIMIT, || {
        let kept = prometheus.api(exemplars)?;
        Ok(kept.to_string().contains("\"apn\":\"internet\""))
    })?;
    let documented: BTreeSet<String> = bulkstats::families::families()
        .iter()
        .map(bulkstats::families::Family::written)
        .collect();
    until("a few scrapes", LIMIT, || {
        let scrapes = prometheus.number("count_over_time(tollgate_system_peers[1m])")?;
        Ok(scrapes >= Some(3.0))
    })?;
    until("all rules are evaluated", LIMIT, || {
        let groups = prometheus.api("rules")?;
        let rules = groups["groups"][0]["rules"].as_array().context("rules")?;
        let failed = rules.iter().find(|rule| rule["health"] == "err");
        ensure!(failed.is_none(), "{failed:?}");
        Ok(rules.iter().all(|rule| rule["health"] == "ok"))
    })?;
    for expression in expressions()? {
        let asked = expression
            .replace("$__rate_interval", "1m")
            .replace("$instance", ".*");
        prometheus.query(&asked).context(expression.clone())?;
        let names = names(&expression);
        assert!(
            !names.is_empty() || expression.starts_with("up{"),
            "{expression}"
        );
        for name in names {
            let family = name.strip_suffix("_bucket").unwrap_or(&name);
            assert!(documented.contains(family), "{name} in {expression}");
        }
    }
    Ok(())
}

/// Of the dashboard's panels and of the rules.
fn expressions() -> Result<Vec<String>> {
    let dashboard = std::fs::read_to_string(dashboards().join("grafana.json"))?;
    let dashboard: Value = serde_json::from_str(&dashboard)?;
    let panels = dashboard["panels"].as_array().context("panels")?;
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten();
    let mut all: Vec<String> = Vec::new();
    for target in targets {
        all.push(target["expr"].as_str().context("an expression")?.to_owned());
    }
    assert!(all.len() > 20, "{all:?}");
    let rules = std::fs::read_to_string(dashboards().join("alerts.yml"))?;
    let lines = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "));
    let quoted = lines.map(|line| line.trim_matches(['"', '\'']).to_owned());
    all.extend(quoted);
    Ok(all)
}

/// Names of metrics in an expression.
fn names(expression: &str) -> Vec<String> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| word.starts_with("tollgate_"));
    names.map(str::to_owned).collect()
}

/// Nothing else is served, a head has its bound, and those who connect and say nothing keep nobody away for long.
#[test]
fn what_is_no_scrape_is_refused() -> Result<()> {
    let scraped = Scraped::start()?;
    let at = scraped.at;
    for (method, path, status) in [
        ("POST", "/metrics", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/", 404),
        ("GET", "/metrics/", 404),
        ("POST", "/v1/request", 404),
    ] {
        assert_eq!(http(at, method, path)?.status, status, "{method} {path}");
    }
    let head = http(at, "HEAD", "/metrics")?;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.headers["content-type"], OPENMETRICS);
    let long = "x".repeat(9_000);
    let refused = raw(
        at,
        &format!("GET /metrics HTTP/1.1\r\nHost: x\r\nLong: {long}\r\n\r\n"),
    );
    // It may end the connection while the rest is on its way.
    assert!(refused.is_err() || refused?.status == 431);
    let idle: Vec<TcpStream> = (0..40)
        .map(|_| TcpStream::connect(at))
        .collect::<Result<_, _>>()?;
    for mut stream in &idle {
        stream.write_all(b"GET /metrics HT")?;
    }
    until("a scrape among them", LIMIT, || {
        Ok(http(at, "GET", "/metrics").is_ok_and(|answer| answer.status == 200))
    })?;
    drop(idle);
    Ok(())
}
