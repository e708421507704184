//! The load generator against a GGSN that nobody here wrote, and against a node.
#![forbid(unsafe_code)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use load::{HoldTime, Plan, Report};
use tests::capture::Capture;
use tests::ggsn::{self, OsmoGgsn};
use tests::relay::Relay;
use tests::subnet::GTP_C;
use tests::tshark;

const CALLS: u64 = 300;

/// 200 calls a second, each held for a second and updated once.
fn plan(peer: SocketAddr, local: Ipv4Addr) -> Plan {
    Plan {
        peer,
        local: local.into(),
        calls_per_s: 200.0,
        hold: HoldTime::Fixed(Duration::from_secs(1)),
        update_every: Some(Duration::from_millis(600)),
        max_calls: Some(CALLS),
        subscribers: 10_000,
        ..Plan::default()
    }
}

/// Runs a plan to its end.
fn run(plan: Plan) -> Result<Report> {
    Ok(load::run(plan, || false, |_| ())?)
}

/// Every call was made, updated and deleted, and nothing was sent twice for want of an answer.
fn assert_whole(report: &Report) {
    for (name, procedure) in [
        ("create", &report.create),
        ("update", &report.update),
        ("delete", &report.delete),
    ] {
        assert_eq!(procedure.accepted, CALLS, "{name}: {report}");
        assert_eq!(procedure.requests, CALLS, "{name}: {report}");
    }
    assert_eq!((report.unexpected, report.live), (0, 0), "{report}");
    assert_eq!(report.create.latency.count, CALLS, "{report}");
}

#[test]
fn osmo_ggsn_takes_every_call_and_tshark_finds_no_fault_with_any() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let ggsn = OsmoGgsn::start(&dir.path().join("ggsn"))?;
    let capture = Arc::new(Capture::create(dir.path().join("load.pcap"))?);
    let inside = thread::scope(|scope| {
        let inside = scope.spawn(|| -> Result<Report> {
            ggsn.enter()?;
            let front = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 61), GTP_C));
            let osmo = SocketAddr::from((ggsn::ADDRESS, GTP_C));
            let relay = Relay::start(UdpSocket::bind(front)?, osmo, Arc::clone(&capture))?;
            let report = run(plan(front, Ipv4Addr::new(127, 0, 0, 62)))?;
            relay.finish()?;
            Ok(report)
        });
        inside.join().map_err(|_| anyhow!("the run panicked"))?
    });
    let report = inside?;
    assert_whole(&report);
    assert_eq!(tshark::faults(capture.path(), "gtp")?, Vec::<String>::new());
    let created = ggsn
        .log()
        .matches("Successful PDP Context Creation")
        .count();
    assert_eq!(created as u64, CALLS, "as osmo-ggsn counts them");
    for (message, times) in [(16, CALLS), (18, CALLS), (20, CALLS)] {
        let requests = format!("gtp.message == {message} && ip.dst == {}", ggsn::ADDRESS);
        let mut numbers = tshark::fields(capture.path(), &requests, &["gtp.seq_number"])?;
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len() as u64, times, "message {message}");
    }
    Ok(())
}
