//! `tollgate load` against a GGSN that nobody here wrote, and against a node.
#![forbid(unsafe_code)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use load::Report;
use tests::capture::Capture;
use tests::child::Running;
use tests::gateway::{Gateway, Site};
use tests::ggsn::{self, OsmoGgsn};
use tests::relay::Relay;
use tests::subnet::GTP_C;
use tests::tollgate::{binary, tollgate};
use tests::tshark;

const CALLS: u64 = 300;
/// Three to four seconds, if all is well.
const LIMIT: Duration = Duration::from_secs(60);

/// 300 calls, 200 a second, each held for a second and updated once: the options of it.
fn options(target: SocketAddr, local: Ipv4Addr) -> Vec<String> {
    let options = format!(
        "--json --target {target} --local {local} --calls {CALLS} --rate 200 --hold 1s --update-every 600ms"
    );
    options.split(' ').map(str::to_owned).collect()
}

/// Runs a load to its end: its exit code and its report.
fn run(load: &mut Command) -> Result<(Option<i32>, Report)> {
    let ended = Running::start("tollgate load", load)?.wait(LIMIT)?;
    let report = serde_json::from_str(&ended.log());
    Ok((ended.status.code(), report.with_context(|| ended.log())?))
}

/// Every call was made, updated and deleted.
fn assert_whole(code: Option<i32>, report: &Report) {
    assert_eq!(code, Some(0), "{report}");
    let procedures = [
        ("create", &report.create),
        ("update", &report.update),
        ("delete", &report.delete),
    ];
    for (name, procedure) in procedures {
        assert_eq!(procedure.requests, CALLS, "{name}: {report}");
        assert_eq!(procedure.accepted, CALLS, "{name}: {report}");
        assert_eq!(procedure.latency.count, CALLS, "{name}: {report}");
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
                .args(options(front, Ipv4Addr::new(127, 0, 0, 62)));
            let ended = run(&mut load)?;
            relay.finish()?;
            Ok(ended)
        });
        inside.join().map_err(|_| anyhow!("the run panicked"))?
    });
    let (code, report) = inside?;
    assert_whole(code, &report);
    assert_eq!(tshark::faults(capture.path(), "gtp")?, Vec::<String>::new());
    let created = ggsn
        .log()
        .matches("Successful PDP Context Creation")
        .count();
    assert_eq!(created as u64, CALLS, "as osmo-ggsn counts them");
    for message in [16, 18, 20] {
        let requests = format!("gtp.message == {message} && ip.dst == {}", ggsn::ADDRESS);
        let mut numbers = tshark::fields(capture.path(), &requests, &["gtp.seq_number"])?;
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len() as u64, CALLS, "message {message}");
    }
    Ok(())
}

#[test]
fn a_node_takes_every_call_below_its_ceiling() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let gateway = site.open(&configuration)?;
    let local = gateway.site().subnet().ip(40);
    let mut load = tollgate(["load"])?;
    load.args(options(configuration.listen, local));
    let (code, report) = run(&mut load)?;
    assert_whole(code, &report);
    let ggsn = gateway.ggsn()?;
    assert_eq!(
        (ggsn.sessions.0, u64::from(ggsn.peak.0)),
        (0, report.peak_live),
        "{report}"
    );
    Ok(())
}

/// Calls are neither lost nor counted twice where some are refused; the report tells the causes.
//= L13
#[test]
fn a_load_above_the_ceiling_reports_what_the_node_refused() -> Result<()> {
    let gateway = Gateway::in_evaluation(50)?;
    let (node, local) = (gateway.node()?, gateway.site().subnet().ip(40));
    let mut load = tollgate(["load"])?;
    load.args(options(node.address(), local));
    let (code, report) = run(&mut load)?;
    assert_eq!(code, Some(0), "some were accepted: {report}");
    assert_eq!(
        report.create.accepted + report.create.refused,
        CALLS,
        "{report}"
    );
    let causes: Vec<(u8, u64)> = report
        .create
        .causes
        .iter()
        .map(|count| (count.cause, count.count))
        .collect();
    assert_eq!(
        causes,
        [(128, report.create.accepted), (199, report.create.refused)],
        "{report}"
    );
    let ggsn = gateway.ggsn()?;
    assert_eq!(ggsn.tag.refused.at_ceiling, report.create.refused);
    assert_eq!(
        (ggsn.peak.0, report.peak_live, ggsn.sessions.0),
        (50, 50, 0),
        "{report}"
    );
    Ok(())
}
