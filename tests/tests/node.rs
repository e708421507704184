//! The node as a library in this process: its threads, its control interface, its state, and what goes on when its
//! control thread does not.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::{Health, Request};
use licensing::AlarmKind;
use licensing::snapshot::{ServiceStatus, Snapshot};
use node::{Config, Running, Shutdown};
use rustix::process::Signal;
use tests::control::Control;
use tests::gateway::Site;
use tests::node::{Configuration, Node};
use tests::sgsn::{Call, Sgsn, cause, ie};
use tests::wait::{eventually, until};

/// A node does in far less what is waited for; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// A node that runs in this process, and an SGSN that calls it.
struct Gateway {
    running: Running,
    control: Control,
    sgsn: Sgsn,
    configuration: Configuration,
    site: Site,
}

impl Gateway {
    fn start(site: Site, configuration: Configuration) -> Result<Self> {
        let sgsn = Sgsn::new(site.subnet().socket(2)?, configuration.listen)?;
        Ok(Self {
            running: launch(&configuration)?,
            control: Control::new(configuration.control_socket()),
            sgsn,
            configuration,
            site,
        })
    }

    fn plain() -> Result<Self> {
        let site = Site::new()?;
        let configuration = site.configuration();
        Self::start(site, configuration)
    }

    /// A lab node in evaluation with a ceiling of so many sessions.
    fn in_evaluation(ceiling: u32) -> Result<Self> {
        let site = Site::new()?;
        let configuration = site.configuration().with_sessions_per_license(ceiling)?;
        let gateway = Self::start(site, configuration)?;
        gateway.enable()?;
        Ok(gateway)
    }

    fn enable(&self) -> Result<bool> {
        self.control
            .change(&Request::SmartLicensing { enable: true })
    }

    /// Ends it and starts it again, the same or after `between`.
    fn restart(self, between: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let Self {
            running,
            control,
            sgsn,
            configuration,
            site,
        } = self;
        running.end()?;
        between(&configuration.state_dir)?;
        Ok(Self {
            running: launch(&configuration)?,
            control,
            sgsn,
            configuration,
            site,
        })
    }

    fn cause_of(&mut self, call: &Call) -> Result<u8> {
        self.sgsn.create(call)?.cause()
    }

    fn accepted(&mut self, call: &Call) -> Result<u32> {
        let answer = self.sgsn.create(call)?;
        ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
        answer.teid_of(ie::TEID_CONTROL)
    }

    fn ggsn(&self) -> Result<ServiceStatus> {
        let services = self.control.snapshot()?.services;
        let ggsn = services.into_iter().find(|row| row.tag.name == "GGSN");
        ggsn.context("GGSN is a service of the catalog")
    }

    fn wait_for(&self, what: &str, mut holds: impl FnMut(&Snapshot) -> bool) -> Result<Snapshot> {
        eventually(what, LIMIT, || {
            Ok(Some(self.control.snapshot()?).filter(&mut holds))
        })
    }

    fn wait_for_health(&self, what: &str, mut holds: impl FnMut(&Health) -> bool) -> Result<()> {
        until(what, LIMIT, || Ok(holds(&self.control.health()?)))
    }

    /// The subnet is given back last.
    fn end(self) -> Result<()> {
        let Self {
            running,
            sgsn,
            site,
            ..
        } = self;
        running.end()?;
        drop(sgsn);
        drop(site);
        Ok(())
    }
}

fn launch(configuration: &Configuration) -> Result<Running> {
    let config = Config::read(&configuration.write()?)?;
    Ok(Running::start(config, &Shutdown::new())?)
}

//= L13
#[test]
fn calls_of_all_workers_are_counted_once() -> Result<()> {
    let mut gateway = Gateway::plain()?;
    let mut teids = Vec::new();
    for subscriber in 0..100 {
        let apn = if subscriber < 90 { "internet" } else { "sos" };
        teids.push(gateway.accepted(&Call::new(subscriber, apn))?);
    }
    let summary = gateway.control.sessions()?;
    assert_eq!((summary.sessions, summary.emergency), (100, 10));
    let by_worker: Vec<_> = summary.workers.iter().map(|row| row.sessions).collect();
    assert_eq!(by_worker.iter().sum::<u64>(), 100);
    assert!(
        by_worker.len() == 2 && by_worker.iter().all(|n| *n > 20),
        "{by_worker:?}"
    );
    let by_apn: Vec<_> = summary.apns.iter().map(|row| row.sessions).collect();
    assert_eq!(by_apn, [90, 10, 0]);
    assert_eq!(summary.peers.len(), 1);
    assert_eq!(summary.peers[0].sessions, 100);
    assert_eq!(summary.messages[0].received, 100);
    assert_eq!(
        (summary.causes[0].cause, summary.causes[0].answers),
        (128, 100)
    );
    assert_eq!(summary.pools[0].used, 100);
    assert_eq!(gateway.ggsn()?.sessions.0, 90);
    for teid in teids {
        let answer = gateway.sgsn.delete(teid, 5, true)?;
        assert_eq!(answer.cause()?, cause::ACCEPTED);
    }
    let snapshot = gateway.control.snapshot()?;
    assert_eq!(snapshot.emergency.sessions, 0);
    assert_eq!(snapshot.emergency.admitted, 10);
    assert_eq!(gateway.ggsn()?.sessions.0, 0);
    assert_eq!(gateway.control.health()?.permits_dropped, 0);
    gateway.end()
}

/// The recount of both workers' tables, and of the ledgers, agrees with the counters while calls come and go.
///
//= L14
#[test]
fn a_recount_comes_around_and_finds_no_drift() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let mut gateway = Gateway::start(site, configuration)?;
    let mut subscriber = 0;
    let recount = loop {
        subscriber += 1;
        ensure!(subscriber < 100_000, "no recount comes around");
        let teid = gateway.accepted(&Call::new(subscriber, "internet"))?;
        if subscriber % 2 == 0 {
            gateway.sgsn.delete(teid, 5, true)?;
        }
        if let Some(recount) = gateway.control.snapshot()?.recount
            && recount.sessions > 10
        {
            break recount;
        }
    };
    assert_eq!(recount.drift, 0);
    gateway.end()
}

#[test]
fn a_lab_node_says_so() -> Result<()> {
    let gateway = Gateway::in_evaluation(3)?;
    assert!(gateway.running.ready_line().contains("node gw1 LAB, gn "));
    assert!(gateway.control.health()?.lab);
    assert!(
        gateway
            .control
            .snapshot()?
            .lab
            .is_some_and(|lab| lab.unsigned_catalog)
    );
    gateway.end()?;
    let plain = Gateway::plain()?;
    assert!(!plain.running.ready_line().contains("LAB"));
    assert!(!plain.control.health()?.lab);
    plain.end()
}

/// The gate goes on with the last policies and ceilings while the control thread stands still.
//= L6
//= L17
#[test]
fn a_stalled_control_thread_holds_no_call_up() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(3)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let before = gateway.control.snapshot()?;
    let pause = gateway
        .running
        .pause_control()
        .context("it takes the order")?;
    gateway.wait_for_health("the stall is noticed", |health| health.control_stalled)?;
    let health = gateway.control.health()?;
    assert!(!health.control_dead && health.control_age_ms >= 2_000);
    for subscriber in 2..=3 {
        gateway.accepted(&Call::new(subscriber, "internet"))?;
    }
    assert_eq!(
        gateway.cause_of(&Call::new(4, "internet"))?,
        cause::NO_RESOURCES
    );
    gateway.accepted(&Call::new(5, "sos"))?;
    assert_eq!(gateway.control.sessions()?.sessions, 4);
    let api::Reply::Snapshot {
        snapshot,
        age_ms,
        stalled,
    } = gateway.control.ask(&Request::Snapshot)?
    else {
        bail!("a snapshot was asked for");
    };
    assert!(stalled && age_ms > 1_000, "{age_ms}");
    assert!(snapshot.seq >= before.seq);
    let gre = Request::Feature {
        name: "gre".into(),
        enable: true,
    };
    let refused = gateway.control.change(&gre).unwrap_err().to_string();
    assert!(
        refused.starts_with("503: the control thread has not worked for "),
        "{refused}"
    );
    let few = Request::Threshold(api::ThresholdCommand::Set {
        low_percent: 10,
        clear_percent: 20,
    });
    let refused = gateway.control.change(&few).unwrap_err().to_string();
    assert!(
        refused.starts_with("503: the control thread has not worked for ")
            && refused.contains(" ms; nothing has changed"),
        "{refused}"
    );
    let api::Reply::Alarms {
        snapshot,
        stalled,
        alarms,
        ..
    } = gateway.control.ask(&Request::Alarms)?
    else {
        bail!("alarms were asked for");
    };
    assert!(stalled && alarms.outstanding.len() == snapshot.alarms.len());
    drop(pause);
    gateway.wait_for_health("it works again", |health| !health.control_stalled)?;
    let after = gateway.wait_for("the alarm is cleared", |snapshot| {
        let standing = |alarm: &licensing::Alarm| alarm.kind == AlarmKind::ControlStalled;
        !snapshot.alarms.iter().any(standing)
    })?;
    assert_eq!(after.services[2].sessions.0, 3);
    assert!(!after.features[0].enabled, "what was refused is not done");
    let history = gateway.control.history()?;
    assert_eq!(history.len(), 1);
    assert_eq!(
        (history[0].cause, history[0].apn.as_str()),
        (199, "internet")
    );
    gateway.end()
}

#[test]
fn a_dead_control_thread_holds_no_call_up() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(2)?;
    gateway.running.end_control();
    gateway.wait_for_health("its end is noticed", |health| health.control_dead)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    gateway.accepted(&Call::new(2, "internet"))?;
    assert_eq!(
        gateway.cause_of(&Call::new(3, "internet"))?,
        cause::NO_RESOURCES
    );
    gateway.accepted(&Call::new(4, "sos"))?;
    let health = gateway.control.health()?;
    assert!(health.control_stalled && health.workers.iter().all(|worker| worker.alive));
    gateway.end()
}

/// It is shown and an alarm, and no call waits for it.
//= L10
#[test]
fn an_agent_that_does_not_work_is_an_alarm_and_holds_no_call_up() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(1)?;
    let health = gateway.control.health()?;
    assert!(!health.agent_stalled && !health.agent_dead);
    gateway.running.end_agent();
    gateway.wait_for_health("its silence is noticed", |health| health.agent_stalled)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let standing = |alarm: &licensing::Alarm| alarm.kind == AlarmKind::AgentStalled;
    gateway.wait_for("the alarm", |snapshot| snapshot.alarms.iter().any(standing))?;
    let asked = Request::License(api::LicenseCommand::RenewAuth);
    let refused = gateway.control.ask(&asked).unwrap_err().to_string();
    assert!(
        refused.starts_with("503: the smart agent does not work"),
        "{refused}"
    );
    assert!(gateway.control.health()?.agent_age_ms >= 10_000);
    gateway.end()
}

/// It is shown and an alarm, and no call waits for it.
//= L10
#[test]
fn snmp_that_does_not_work_is_an_alarm_and_holds_no_call_up() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(1)?;
    let health = gateway.control.health()?;
    assert!(!health.snmp_stalled && !health.snmp_dead);
    gateway.running.end_snmp();
    gateway.wait_for_health("its silence is noticed", |health| health.snmp_stalled)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let standing = |alarm: &licensing::Alarm| alarm.kind == AlarmKind::SnmpStalled;
    gateway.wait_for("the alarm", |snapshot| snapshot.alarms.iter().any(standing))?;
    assert!(gateway.control.health()?.snmp_age_ms >= 10_000);
    let (_, shown) = gateway.control.snmp(10)?;
    assert!(shown.stalled && shown.age_ms >= 1_000, "{}", shown.age_ms);
    let (snapshot, alarms) = gateway.control.alarms()?;
    let at = snapshot.alarms.iter().position(standing);
    let row = at.and_then(|at| alarms.outstanding.get(at));
    assert_eq!(row.map(|row| row.name.as_str()), Some("tgSnmpStalled"));
    gateway.end()
}

/// It is shown and an alarm, and no call waits for it.
//= L10
#[test]
fn bulk_statistics_that_do_not_work_are_an_alarm_and_hold_no_call_up() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(1)?;
    let health = gateway.control.health()?;
    assert!(!health.bulkstats_stalled && !health.bulkstats_dead);
    gateway.running.end_bulkstats();
    gateway.wait_for_health("its silence is noticed", |health| health.bulkstats_stalled)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let standing = |alarm: &licensing::Alarm| alarm.kind == AlarmKind::BulkstatsStalled;
    gateway.wait_for("the alarm", |snapshot| snapshot.alarms.iter().any(standing))?;
    assert!(gateway.control.bulkstats()?.stalled);
    gateway.end()
}

/// Each raise is counted once, whatever has ended since, and the history holds no more than is asked for.
//= L16
#[test]
fn alarms_and_notifications_are_counted_and_listed() -> Result<()> {
    let gateway = Gateway::plain()?;
    let (_, before) = gateway.control.alarms()?;
    gateway.enable()?;
    let (snapshot, alarms) = gateway.control.alarms()?;
    let outstanding: Vec<u64> = alarms.outstanding.iter().map(|row| row.id).collect();
    let expected: Vec<u64> = snapshot.alarms.iter().map(|alarm| alarm.id.0).collect();
    assert_eq!(outstanding, expected);
    assert!(alarms.raised.warning > before.raised.warning);
    assert!(alarms.raised.total() >= alarms.outstanding.len() as u64);
    // A busy machine may have had one more, which has ended.
    let newest = snapshot.alarms.iter().map(|alarm| alarm.raised).max();
    assert!(newest.is_some() && alarms.last_raised >= newest);
    let named = |row: &api::TrapRow| row.name == "starSmartLicenseEvalMode";
    let shown = eventually("the notification", LIMIT, || {
        let (_, shown) = gateway.control.snmp(api::TRAPS_LIMIT_MAX)?;
        Ok(shown.history.iter().any(named).then_some(shown))
    })?;
    assert!(shown.targets.is_empty() && shown.server.listen.is_none());
    let sum: u64 = shown.types.iter().map(|row| row.generated).sum();
    assert_eq!(shown.notifies.total, sum);
    assert_eq!(shown.history.len() as u64, sum);
    let (_, newest) = gateway.control.snmp(1)?;
    assert_eq!(newest.history.len(), 1);
    let more = Request::Snmp {
        history: api::TRAPS_LIMIT_MAX + 1,
    };
    let refused = gateway.control.ask(&more).unwrap_err().to_string();
    assert_eq!(
        refused,
        "400: 5001 notifications (history): ask for at most 5000"
    );
    gateway.end()
}

/// Evaluation used, what an operator switched, and the restart counter go on after an end.
//= L3
//= L12
#[test]
fn a_restart_forgets_nothing() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration().with("[lab]\nspeedup = 3600");
    let mut gateway = Gateway::start(site, configuration)?;
    gateway.enable()?;
    let feature = Request::Feature {
        name: "gre".into(),
        enable: true,
    };
    assert!(gateway.control.change(&feature)?);
    assert!(!gateway.control.change(&feature)?);
    let first = gateway.sgsn.create(&Call::new(1, "internet"))?;
    let used = gateway.wait_for("evaluation time is used", |s| s.evaluation.used_s >= 3_600)?;
    let gateway = gateway.restart(|_| Ok(()))?;
    let mut gateway = gateway;
    let kept = gateway.control.snapshot()?;
    assert!(kept.evaluation.used_s >= used.evaluation.used_s);
    assert!(kept.smart.enabled && kept.smart.total_enabled == 1);
    assert!(kept.features[0].enabled);
    assert_eq!(kept.node.serial, used.node.serial);
    let second = gateway.sgsn.create(&Call::new(1, "internet"))?;
    assert_eq!(first.ie(ie::RECOVERY)?[0] + 1, second.ie(ie::RECOVERY)?[0]);
    gateway.end()
}

/// Every copy of the clock gone: calls go on, for seven days, and nobody gets ninety.
//= L3
#[test]
fn a_lost_clock_leaves_seven_days() -> Result<()> {
    let gateway = Gateway::in_evaluation(3)?;
    let mut gateway = gateway.restart(|state_dir| {
        for copy in ["clock.a", "clock.b", "operator.redb"] {
            std::fs::remove_file(state_dir.join(copy))?;
        }
        Ok(())
    })?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let snapshot = gateway.control.snapshot()?;
    let recovery = snapshot.recovery.context("the recovery clock runs")?;
    assert!(
        (1..=7 * 86_400).contains(&recovery.remaining_s),
        "{recovery:?}"
    );
    assert!(
        snapshot
            .alarms
            .iter()
            .any(|alarm| alarm.kind == AlarmKind::StateLost)
    );
    assert_eq!(gateway.ggsn()?.ceiling.map(|ceiling| ceiling.0), Some(3));
    gateway.end()
}

/// Without the operator's record a node that has used evaluation is no node that was never enabled.
//= L2
#[test]
fn a_record_taken_away_loosens_nothing() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(1)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    gateway.wait_for("evaluation is used", |s| s.evaluation.used_s > 0)?;
    let mut gateway =
        gateway.restart(|state_dir| Ok(std::fs::remove_file(state_dir.join("operator.redb"))?))?;
    let snapshot = gateway.control.snapshot()?;
    assert!(snapshot.smart.enabled && snapshot.evaluation.used_s > 0);
    let tampered = |alarm: &licensing::Alarm| alarm.kind == AlarmKind::StateTampered;
    assert!(snapshot.alarms.iter().any(tampered));
    gateway.accepted(&Call::new(1, "internet"))?;
    assert_eq!(
        gateway.cause_of(&Call::new(2, "internet"))?,
        cause::NO_RESOURCES
    );
    gateway.end()
}

/// One slot stands for a full disk: what is written there fails, and calls go on.
//= L3
#[test]
fn a_full_disk_holds_no_call_up() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration().with("[lab]\nspeedup = 60");
    let gateway = Gateway::start(site, configuration)?;
    gateway.enable()?;
    let mut gateway = gateway.restart(|state_dir| {
        for slot in ["clock.a", "operator.redb"] {
            let slot = state_dir.join(slot);
            std::fs::remove_file(&slot)?;
            std::os::unix::fs::symlink("/dev/full", &slot)?;
        }
        Ok(())
    })?;
    gateway.enable()?;
    gateway.accepted(&Call::new(1, "internet"))?;
    gateway.wait_for_health("the failure is noticed", |health| !health.state_written)?;
    gateway.wait_for("the alarm stands", |snapshot| {
        let standing = |alarm: &licensing::Alarm| alarm.kind == AlarmKind::StateNotWritten;
        snapshot.alarms.iter().any(standing)
    })?;
    for subscriber in 2..20 {
        gateway.accepted(&Call::new(subscriber, "internet"))?;
    }
    assert_eq!(gateway.ggsn()?.sessions.0, 19);
    gateway.end()
}

#[test]
fn two_nodes_on_one_directory_or_address_are_told_so() -> Result<()> {
    let gateway = Gateway::plain()?;
    let second = launch(&gateway.configuration).unwrap_err().to_string();
    assert!(second.contains("is in use by process "), "{second}");
    let elsewhere = Configuration {
        state_dir: gateway.site.dir().join("other"),
        ..gateway.configuration.clone()
    };
    let second = launch(&elsewhere).unwrap_err().to_string();
    let expected = format!(
        "gn.listen {}: Address already in use",
        gateway.configuration.listen
    );
    assert!(second.starts_with(&expected), "{second}");
    gateway.end()
}

#[test]
fn what_is_asked_wrongly_is_told_so() -> Result<()> {
    let gateway = Gateway::plain()?;
    let control = &gateway.control;
    let ask = |method, path, body: &str| -> Result<(u16, api::Failure)> {
        let response = control.http(method, path, body)?;
        Ok((response.status, serde_json::from_str(&response.body)?))
    };
    let (status, failure) = ask("POST", api::REQUEST_PATH, "{\"request\":\"reboot\"}")?;
    assert_eq!(status, 400);
    assert!(
        failure
            .what
            .starts_with("not a request: unknown variant `reboot`"),
        "{failure}"
    );
    let long = format!("\"{}\"", "x".repeat(api::REQUEST_BYTES_MAX));
    assert_eq!(ask("POST", api::REQUEST_PATH, &long)?.0, 413);
    assert_eq!(ask("GET", api::REQUEST_PATH, "")?.0, 405);
    assert_eq!(ask("POST", "/v2/request", "")?.0, 404);
    let (status, failure) = ask(
        "POST",
        api::REQUEST_PATH,
        "{\"request\":\"feature\",\"name\":\"GRX\",\"enable\":true}",
    )?;
    assert_eq!(status, 404);
    assert_eq!(failure.what, "no feature is called \"GRX\"");
    let (status, failure) = ask(
        "POST",
        api::REQUEST_PATH,
        "{\"request\":\"lab-speedup\",\"speedup\":60}",
    )?;
    assert_eq!(status, 403);
    assert!(
        failure.what.starts_with("this node is not marked lab"),
        "{failure}"
    );
    gateway.end()
}

/// Clients that say nothing keep their places for a bounded time only.
#[test]
fn idle_clients_do_not_shut_others_out() -> Result<()> {
    let gateway = Gateway::plain()?;
    let mut idle = Vec::new();
    for _ in 0..40 {
        let mut client = UnixStream::connect(gateway.control.socket())?;
        // One that waited too long for its turn is closed by then.
        let _closed = client.write_all(b"POST /v1/request HTTP/1.1\r\nHost: n");
        idle.push(client);
    }
    gateway.wait_for_health("others are served", |health| !health.control_stalled)?;
    drop(idle);
    gateway.end()
}

//= L2
#[test]
fn the_speed_of_license_time_is_set_while_it_runs() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(3)?;
    gateway.accepted(&Call::new(1, "internet"))?;
    let speedup = Request::LabSpeedup { speedup: 2_000_000 };
    assert!(gateway.control.change(&speedup)?);
    assert!(!gateway.control.change(&speedup)?);
    gateway.wait_for("evaluation runs out", |snapshot| {
        snapshot.evaluation.expired
    })?;
    assert_eq!(
        gateway.cause_of(&Call::new(2, "internet"))?,
        cause::NO_RESOURCES
    );
    gateway.accepted(&Call::new(3, "sos"))?;
    assert_eq!(gateway.ggsn()?.sessions.0, 1);
    let too_fast = gateway.control.change(&Request::LabSpeedup { speedup: 0 });
    assert!(
        too_fast
            .unwrap_err()
            .to_string()
            .starts_with("400: 0 license seconds")
    );
    gateway.end()
}

/// A minute is charged before it is used: a crash after a moment of use costs that minute, and gives none back.
//= L3
#[test]
fn a_crash_costs_at_most_the_minute_that_was_begun() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let mut sgsn = Sgsn::new(site.subnet().socket(2)?, configuration.listen)?;
    let mut node = Node::start(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    node.control().change(&enable)?;
    let used_s = |node: &Node| Ok::<_, anyhow::Error>(node.control().snapshot()?.evaluation.used_s);
    for crash in 1..=3 {
        let kept = u64::from(crash - 1) * 60;
        assert_eq!(used_s(&node)?, kept);
        let answer = sgsn.create(&Call::new(crash, "internet"))?;
        assert_eq!(answer.cause()?, cause::ACCEPTED);
        until("a second is used", LIMIT, || Ok(used_s(&node)? > kept))?;
        ensure!(
            used_s(&node)? < kept + 60,
            "the machine is too slow to tell"
        );
        node = node.crash_and_restart()?;
        assert!(node.control().snapshot()?.smart.enabled);
    }
    assert_eq!(used_s(&node)?, 180);
    let ended = node.terminate()?;
    ensure!(ended.status.success(), "{}", ended.log());
    Ok(())
}

#[test]
fn an_end_leaves_no_socket_and_no_lock() -> Result<()> {
    let gateway = Gateway::plain()?;
    let socket: PathBuf = gateway.control.socket().to_owned();
    let gateway = gateway.restart(|state_dir| {
        ensure!(!socket.exists(), "the socket is left behind");
        node::store::Store::open(state_dir)?;
        Ok(())
    })?;
    gateway.end()
}

/// Whatever socket it came by, and whichever worker it is for.
#[test]
fn what_has_arrived_is_answered_before_a_node_ends() -> Result<()> {
    // More than a batch, and no more than the SGSN has room for while it sends.
    const CALLS: u32 = 100;
    for (workers, gtp_sockets) in [(3, "steered"), (3, "one"), (1, "steered")] {
        let site = Site::new()?;
        let node = Node::start(&Configuration {
            workers,
            gtp_sockets: Some(gtp_sockets),
            ..site.configuration()
        })?;
        let sgsn = Sgsn::new(site.subnet().socket(20)?, node.address())?;
        let ip = sgsn.ip()?;
        // Stopped, it reads nothing until it is told to end.
        node.process().signal(Signal::STOP)?;
        for call in 0..CALLS {
            let request = Call::new(call, "internet").request(call as u16, ip);
            sgsn.send(&request.bytes())?;
        }
        node.process().signal(Signal::TERM)?;
        node.process().signal(Signal::CONT)?;
        let mut answered = BTreeSet::new();
        while answered.len() < CALLS as usize {
            let answer = sgsn.receive();
            let so_far = answered.len();
            let answer = answer
                .with_context(|| format!("{workers} workers, {gtp_sockets}, after {so_far}"))?;
            assert_eq!(answer.cause()?, cause::ACCEPTED, "{gtp_sockets}");
            answered.extend(answer.seq);
        }
        let ended = node.ended()?;
        assert!(ended.status.success(), "{}", ended.log());
    }
    Ok(())
}
