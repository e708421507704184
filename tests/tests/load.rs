//! `tollgate load` against a GGSN that nobody here wrote, and against a node on each interface.
#![forbid(unsafe_code)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use api::{ClearWhom, Reply, Request};
use licensing::snapshot::ServiceStatus;
use load::Report;
use tests::capture::Capture;
use tests::child::Running;
use tests::gateway::{Gateway, Site};
use tests::ggsn::{self, OsmoGgsn};
use tests::relay::Relay;
use tests::subnet::GTP_C;
use tests::tollgate::{binary, tollgate};
use tests::{tshark, wait};

const CALLS: u64 = 300;
/// Requests of so many calls on Gn that are updated once.
const UPDATED_ONCE: [(&str, u64); 3] = [("Create", CALLS), ("Update", CALLS), ("Delete", CALLS)];
/// Access points of a PGW beside those of a GGSN.
const PGW_APNS: &str = "[[apn]]\nname = \"*\"\nservice = \"PGW\"\npool = \"mobiles\"\n";
/// Those of an SGW and PGW in one.
const SAEGW_APNS: &str = "[[apn]]\nname = \"*\"\nservice = \"SAEGW\"\npool = \"mobiles\"\n";
/// Those of an SGW; the addresses are the PGW's.
const SGW_APNS: &str = "[[apn]]\nname = \"*\"\nservice = \"SGW\"\n";
/// Each call is held for a second and updated once. How many are up at once hangs on the time that each answer takes, and
/// on who counts: a gateway from request to request, the load from answer to answer.
const UPDATED: &str = "--rate 200 --hold 1s --update-every 600ms";
/// On S11 each UE falls idle once and comes back. There is time for that on a busy machine too: what is not done when the
/// call is to end is left out.
const IDLE: &str = "--rate 200 --hold 15s --update-every 8s";
/// No call ends before every one was answered: all that were accepted are up at once, in both books.
const HELD: &str = "--rate 1000 --hold forever";
/// Three to twenty seconds, if all is well.
const LIMIT: Duration = Duration::from_secs(120);

/// 300 calls, and requests that are sent again until `LIMIT`, should the machine stand still: the options of it.
fn options(target: SocketAddr, local: Ipv4Addr, calls: &str) -> Vec<String> {
    words(&format!(
        "--json --target {target} --local {local} --calls {CALLS} --n3 20 {calls}"
    ))
}

/// Runs a load to its end: its exit code and its report.
fn run(load: &mut Command) -> Result<(Option<i32>, Report)> {
    let ended = Running::start("tollgate load", load)?.wait(LIMIT)?;
    let report = serde_json::from_str(&ended.log());
    Ok((ended.status.code(), report.with_context(|| ended.log())?))
}

/// Every call was made, updated and deleted, with so many requests of each kind.
fn assert_whole(code: Option<i32>, report: &Report, expected: &[(&str, u64)]) {
    assert_eq!(code, Some(0), "{report}");
    let requests = report.procedures().map(|(name, of)| (name, of.requests));
    assert_eq!(requests.collect::<Vec<_>>(), expected, "{report}");
    for (name, procedure) in report.procedures() {
        assert_eq!(procedure.accepted, procedure.requests, "{name}: {report}");
        assert_eq!(procedure.latency.count, procedure.requests, "{name}");
    }
    assert_eq!((report.unexpected, report.live), (0, 0), "{report}");
}

#[test]
fn osmo_ggsn_takes_every_call_and_tshark_finds_no_fault_with_any() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let ggsn = OsmoGgsn::start(&dir.path().join("ggsn"))?;
    let capture = Arc::new(Capture::create(dir.path().join("load.pcap"))?);
    let inside = thread::scope(|scope| {
        let inside = scope.spawn(|| -> Result<_> {
            ggsn.enter()?;
            let front = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 61), GTP_C));
            let osmo = SocketAddr::from((ggsn::ADDRESS, GTP_C));
            let relay = Relay::start(UdpSocket::bind(front)?, osmo, Arc::clone(&capture))?;
            let mut load = ggsn.beside(binary()?);
            load.arg("load")
                .args(options(front, Ipv4Addr::new(127, 0, 0, 62), UPDATED));
            let ended = run(&mut load)?;
            relay.finish()?;
            Ok(ended)
        });
        inside.join().map_err(|_| anyhow!("the run panicked"))?
    });
    let (code, report) = inside?;
    assert_whole(code, &report, &UPDATED_ONCE);
    assert_eq!(tshark::faults(capture.path(), "gtp")?, Vec::<String>::new());
    wait::until("osmo-ggsn has counted every call", LIMIT, || {
        let log = ggsn.log();
        let created = log.matches("Successful PDP Context Creation").count() as u64;
        ensure!(
            created <= CALLS,
            "{created} calls, as osmo-ggsn counts them"
        );
        Ok(created == CALLS)
    })?;
    for message in [16, 18, 20] {
        let requests = format!("gtp.message == {message} && ip.dst == {}", ggsn::ADDRESS);
        let numbers = tshark::distinct(capture.path(), &requests, "gtp.seq_number")?;
        assert_eq!(numbers as u64, CALLS, "message {message}");
    }
    Ok(())
}

/// Every call was made and deleted, and all of them were up at once.
fn assert_held(code: Option<i32>, report: &Report, expected: &[(&str, u64)]) {
    assert_whole(code, report, expected);
    assert_eq!(report.peak_live, report.create.requests, "{report}");
}

#[test]
fn a_node_takes_every_call_below_its_ceiling() -> Result<()> {
    takes_every_call(2)
}

/// It reads the socket itself, and still answers what is asked of it.
#[test]
fn a_node_with_one_worker_takes_every_call_below_its_ceiling() -> Result<()> {
    takes_every_call(1)
}

fn takes_every_call(workers: u16) -> Result<()> {
    let site = Site::new()?;
    let mut configuration = site.configuration();
    configuration.workers = workers;
    let mut gateway = site.open(&configuration)?;
    let local = gateway.site().subnet().ip(40);
    let load = |calls| -> Result<_> {
        let mut load = tollgate(["load"])?;
        load.args(options(configuration.listen, local, calls));
        run(&mut load)
    };
    let (code, report) = load(UPDATED)?;
    assert_whole(code, &report, &UPDATED_ONCE);
    let (code, report) = load(HELD)?;
    assert_held(code, &report, &[("Create", CALLS), ("Delete", CALLS)]);
    assert_counted_by(&gateway, "GGSN", CALLS)?;
    let ended = gateway.terminate()?;
    ensure!(ended.status.success(), "{}", ended.log());
    Ok(())
}

/// Calls are neither lost nor counted twice where some are refused; the report tells the causes.
//= L13
#[test]
fn a_load_above_the_ceiling_reports_what_the_node_refused() -> Result<()> {
    const CEILING: u32 = 50;
    let gateway = Gateway::in_evaluation(CEILING)?;
    let (node, local) = (gateway.node()?, gateway.site().subnet().ip(40));
    let load = |calls| -> Result<_> {
        let mut load = tollgate(["load"])?;
        load.args(options(node.address(), local, calls));
        let (code, report) = run(&mut load)?;
        assert_eq!(code, Some(0), "some were accepted: {report}");
        let (accepted, refused) = (report.create.accepted, report.create.refused);
        assert_eq!(accepted + refused, CALLS, "{report}");
        let causes = report.create.causes.iter();
        let causes: Vec<_> = causes.map(|of| (of.cause, of.count)).collect();
        assert_eq!(causes, [(128, accepted), (199, refused)], "{report}");
        let ggsn = gateway.ggsn()?;
        assert_eq!((ggsn.peak.0, ggsn.sessions.0), (CEILING, 0), "{report}");
        Ok((report, ggsn.tag.refused.at_ceiling))
    };
    let (report, while_others_ended) = load(UPDATED)?;
    assert_eq!(while_others_ended, report.create.refused, "{report}");
    let (report, refused) = load(HELD)?;
    let held = u64::from(CEILING);
    assert_eq!((report.create.accepted, report.peak_live), (held, held));
    assert_eq!(refused - while_others_ended, CALLS - held, "{report}");
    Ok(())
}

/// Runs a load through a relay to a node: its exit code, its report, and what passed.
fn through_a_relay(gateway: &Gateway, calls: &str) -> Result<(Option<i32>, Report, Arc<Capture>)> {
    let subnet = gateway.site().subnet();
    let node = gateway.node()?.address();
    let capture = Arc::new(Capture::create(gateway.site().dir().join("load.pcap"))?);
    let front = subnet.socket(41)?;
    let target = front.local_addr()?;
    let relay = Relay::start(front, node, Arc::clone(&capture))?;
    let mut load = tollgate(["load"])?;
    load.args(options(target, subnet.ip(40), calls));
    let (code, report) = run(&mut load)?;
    relay.finish()?;
    Ok((code, report, capture))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A node, with access points of a PGW too, and of an SGW and PGW in one.
fn epc() -> Result<Gateway> {
    let site = Site::new()?;
    let mut configuration = site.configuration();
    configuration.apns.push_str(PGW_APNS);
    configuration.apns.push_str(SAEGW_APNS);
    site.open(&configuration)
}

fn service(gateway: &Gateway, name: &str) -> Result<ServiceStatus> {
    let mut services = gateway.snapshot()?.services.into_iter();
    let row = services.find(|row| row.tag.name == name);
    row.context("it is a service of the catalog")
}

#[test]
fn on_s5_a_pgw_takes_every_call_and_tshark_finds_no_fault_with_any() -> Result<()> {
    let gateway = epc()?;
    let (code, report, capture) = through_a_relay(&gateway, &format!("{UPDATED} --interface s5"))?;
    let expected = [("Create", CALLS), ("Modify", CALLS), ("Delete", CALLS)];
    assert_whole(code, &report, &expected);
    assert_eq!(tshark::faults(capture.path(), "udp")?, Vec::<String>::new());
    let node = gateway.node()?.address();
    for message in [32, 34, 36] {
        let requests = format!("gtpv2.message_type == {message} && ip.dst == {}", node.ip());
        let numbers = tshark::distinct(capture.path(), &requests, "gtpv2.seq")?;
        assert_eq!(numbers as u64, CALLS, "message {message}");
    }
    let (code, report, _) = through_a_relay(&gateway, &format!("{HELD} --interface s5"))?;
    assert_held(code, &report, &[("Create", CALLS), ("Delete", CALLS)]);
    assert_counted_by(&gateway, "PGW", CALLS)
}

/// All calls, held at once, were counted by this service, each once, and by no other.
fn assert_counted_by(gateway: &Gateway, service: &str, calls: u64) -> Result<()> {
    for row in gateway.snapshot()?.services {
        let peak = match row.tag.name == service {
            true => calls,
            false => 0,
        };
        let counted = (row.sessions.0, u64::from(row.peak.0));
        assert_eq!(counted, (0, peak), "{}", row.tag.name);
    }
    Ok(())
}

/// Each UE has two PDN connections, falls idle once and comes back.
#[test]
fn on_s11_an_saegw_takes_every_call_and_tshark_finds_no_fault_with_any() -> Result<()> {
    let gateway = epc()?;
    let node = gateway.node()?.address().ip();
    let more = format!("--interface s11 --pgw {node} --pdns 2 --apn internet,ims");
    let (code, report, capture) = through_a_relay(&gateway, &format!("{IDLE} {more}"))?;
    let expected = [
        ("Create", 2 * CALLS),
        ("Modify", 4 * CALLS),
        ("Release", CALLS),
        ("Delete", 2 * CALLS),
    ];
    assert_whole(code, &report, &expected);
    assert_eq!(tshark::faults(capture.path(), "udp")?, Vec::<String>::new());
    let further = "gtpv2.message_type == 32 && gtpv2.teid != 0";
    let further = tshark::distinct(capture.path(), further, "gtpv2.seq")?;
    assert_eq!(further as u64, CALLS);
    let (code, report, _) = through_a_relay(&gateway, &format!("{HELD} {more}"))?;
    let expected = ["Create", "Modify", "Delete"].map(|kind| (kind, 2 * CALLS));
    assert_held(code, &report, &expected);
    assert_counted_by(&gateway, "SAEGW", 2 * CALLS)
}

/// A call that asks for more, and one that a license refuses, are well formed and told by the names of GTPv2.
#[test]
fn on_s5_a_load_asks_for_what_it_is_told_to() -> Result<()> {
    let site = Site::new()?;
    let mut configuration = site.configuration().with_sessions_per_license(50)?;
    configuration.apns.push_str(PGW_APNS);
    configuration.apns.push_str(
        "[[apn]]\nname = \"sos\"\nservice = \"PGW\"\npool = \"mobiles\"\nemergency = true\n",
    );
    let gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    gateway.node()?.control().change(&enable)?;
    let more = format!("{HELD} --interface s5 --pdn-type ipv4v6 --evolved-arp 3");
    let (code, report, capture) = through_a_relay(&gateway, &more)?;
    assert_eq!(code, Some(0), "some were accepted: {report}");
    let causes = report.create.causes.iter();
    let causes: Vec<_> = causes.map(|of| (of.cause, &*of.name, of.count)).collect();
    let refused = CALLS - 50;
    let expected = [
        (16, "Request accepted", 50),
        (73, "No resources available", refused),
    ];
    assert_eq!(causes, expected, "{report}");
    assert_eq!(report.peak_live, 50, "{report}");
    let pgw = service(&gateway, "PGW")?;
    assert_eq!((pgw.tag.refused.at_ceiling, pgw.peak.0), (refused, 50));
    assert_eq!(tshark::faults(capture.path(), "udp")?, Vec::<String>::new());
    let requests = "gtpv2.message_type == 32";
    let numbers = tshark::distinct(capture.path(), requests, "gtpv2.seq")?;
    assert_eq!(numbers as u64, CALLS);
    let asked = ["gtpv2.pdn_type", "gtpv2.bearer_qos_pl", "gtpv2.lapi"];
    let creates = tshark::fields(capture.path(), requests, &asked)?;
    assert_eq!(creates[0], ["3,3", "3", ""]);

    let phones = "--interface s5 --apn sos --emergency --low-priority";
    let (code, report, _) = through_a_relay(&gateway, &format!("{HELD} {phones}"))?;
    // More than the ceiling: no license is asked for.
    assert_held(code, &report, &[("Create", CALLS), ("Delete", CALLS)]);
    let (code, report, capture) = through_a_relay(&gateway, &format!("{UPDATED} {phones}"))?;
    let expected = [("Create", CALLS), ("Modify", CALLS), ("Delete", CALLS)];
    assert_whole(code, &report, &expected);
    assert_eq!(tshark::faults(capture.path(), "udp")?, Vec::<String>::new());
    let named = "gtpv2.message_type == 32 && e212.imsi";
    assert_eq!(tshark::count(capture.path(), named)?, 0);
    let creates = tshark::fields(capture.path(), requests, &asked)?;
    assert_eq!(creates[0], ["1,1", "9", "1"]);
    Ok(())
}

/// On each interface the gateway's requests to end its calls are answered, and the calls are over in both books.
#[test]
fn what_an_operator_clears_is_over_for_the_load_too() -> Result<()> {
    const UP: u64 = 50;
    let gateway = epc()?;
    let node = gateway.node()?;
    for (interface, name) in [("gn", "GGSN"), ("s5", "PGW"), ("s11", "SAEGW")] {
        let (target, local) = (node.address(), gateway.site().subnet().ip(40));
        let mut load = tollgate(["load"])?;
        load.args(words(&format!(
            "--json --interface {interface} --target {target} --local {local} --local-port 2123 \
             --calls {UP} --n3 20 --rate 200 --hold 10m"
        )));
        let load = Running::start("tollgate load", &mut load)?;
        wait::until("every call is up", LIMIT, || {
            Ok(u64::from(service(&gateway, name)?.sessions.0) == UP)
        })?;
        let whom = ClearWhom::Service(name.to_owned());
        let reactivate = false;
        let cleared = node.control().ask(&Request::Clear { whom, reactivate })?;
        let clients = 0;
        let sessions = UP;
        assert_eq!(cleared, Reply::Cleared { sessions, clients });
        let ended = load.wait(LIMIT)?;
        let report: Report = serde_json::from_str(&ended.log()).with_context(|| ended.log())?;
        assert_eq!(ended.status.code(), Some(0), "{report}");
        let books = (report.ended_by_peer, report.delete.requests, report.live);
        assert_eq!(books, (UP, 0, 0), "{name}: {report}");
        assert_eq!(report.unexpected, 0, "{name}: {report}");
        wait::until("every call is over", LIMIT, || {
            Ok(service(&gateway, name)?.sessions.0 == 0)
        })?;
    }
    Ok(())
}

/// A node that is an SGW, and another that is the PGW which the MME names: a call is counted once in each.
#[test]
fn on_s11_an_sgw_takes_every_call_to_the_pgw_that_it_names() -> Result<()> {
    let (pgw, site) = (epc()?, Site::new()?);
    let mut configuration = site.configuration();
    configuration.apns.push_str(SGW_APNS);
    let sgw = site.open(&configuration)?;
    let more = format!("--interface s11 --pgw {}", pgw.node()?.address().ip());
    let (code, report, capture) = through_a_relay(&sgw, &format!("{IDLE} {more}"))?;
    let expected = [
        ("Create", CALLS),
        ("Modify", 2 * CALLS),
        ("Release", CALLS),
        ("Delete", CALLS),
    ];
    assert_whole(code, &report, &expected);
    assert_eq!(tshark::faults(capture.path(), "udp")?, Vec::<String>::new());
    let (code, report, _) = through_a_relay(&sgw, &format!("{HELD} {more}"))?;
    assert_held(
        code,
        &report,
        &["Create", "Modify", "Delete"].map(|kind| (kind, CALLS)),
    );
    assert_counted_by(&sgw, "SGW", CALLS)?;
    assert_counted_by(&pgw, "PGW", CALLS)
}
