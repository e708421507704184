//! `gtpv1-vs-ggsn`: pairs of Create and Delete PDP Context per second of the server's CPU, of a node with one worker over
//! Osmocom's `osmo-ggsn`.
//!
//! Both have the same client, which has 64 contexts at a time and takes turns. The CPU is that of all threads of the process, from the
//! kernel's scheduler, in nanoseconds. `osmo-ggsn` logs nothing of a context, so that it is not its log that is measured.
//!
//! It keeps its answers for repeated requests for 60 s, as a GGSN has to, and has room for 2,048: several are started, each
//! with a network namespace of its own, filled, so that their memory is there, and asked for the value once their room is
//! free again. What more calls cost, whose answers it does not keep, is told beside it; the node keeps all.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use benches::figure::{Figure, Good};
use benches::pairs::{PairClient, Server};
use benches::servers;
use benches::turns::{self, Party, Plan, compare};
use tests::ggsn::{self, OsmoGgsn};
use tests::wait;

/// Instances of osmo-ggsn; each takes 200 MB.
const INSTANCES: usize = 4;
/// Pairs that an instance has room for.
const ROOM_PAIRS: u32 = 1_024;
/// Time after which it has room again.
const KEPT: Duration = Duration::from_secs(62);
/// Each instance is asked twice, and has room for both.
const WITH_ROOM: Plan = Plan {
    pairs: ROOM_PAIRS / 2 - 12,
    window: 64,
    rounds: 2 * INSTANCES - 1,
};
const WITHOUT_ROOM: Plan = Plan {
    pairs: 10_000,
    window: 64,
    rounds: 15,
};
const ONE_BY_ONE: Plan = Plan {
    pairs: 2_000,
    window: 1,
    rounds: 15,
};
const NODES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 63)),
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 64)),
];
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 65));
const GTP_C: u16 = 2123;
const TITLE: &str = "GTPv1-C on loopback: a node and osmo-ggsn, the same client";

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(ended) = servers::part(&arguments) {
        return ended.map(|()| ExitCode::SUCCESS);
    }
    let value = measured().inspect_err(|error| println!("not measured: {error:#}"));
    Ok(Figure {
        id: "gtpv1-vs-ggsn",
        value: value.ok().flatten(),
        target: 5.0,
        good: Good::AtLeast,
    }
    .finish())
}

fn measured() -> Result<Option<f64>> {
    let folder = tempfile::tempdir()?;
    let party = |name, pid, address| -> Result<Party> {
        let client = PairClient::new(Server::Ggsn, address, CLIENT)?;
        Ok(Party { name, pid, client })
    };
    let (mut instances, mut references) = (Vec::new(), Vec::new());
    for number in 0..INSTANCES {
        let osmo = OsmoGgsn::start_quiet(&folder.path().join(format!("osmo-{number}")))?;
        // The sockets of a client stay in the namespace in which they were made, as a process does.
        osmo.enter()?;
        let address = SocketAddr::from((ggsn::ADDRESS, GTP_C));
        let mut reference = party("osmo-ggsn, answers kept", osmo.pid(), address)?;
        reference.client.run(WITH_ROOM.window, ROOM_PAIRS)?;
        references.push(reference);
        instances.push(osmo);
    }
    let filled = Instant::now();
    let one = servers::node(folder.path(), NODES[0], "GGSN", 1)?;
    let two = servers::node(folder.path(), NODES[1], "GGSN", 2)?;
    let mut nodes = [
        party("one worker", one.pid, one.address)?,
        party("two workers", two.pid, two.address)?,
    ];
    for node in &mut nodes {
        node.client.run(WITHOUT_ROOM.window, WITHOUT_ROOM.pairs)?;
    }
    wait::until("there is room again", 2 * KEPT, || {
        Ok(filled.elapsed() >= KEPT)
    })?;
    let mut table = turns::table("gtpv1-vs-ggsn", TITLE);
    let cost = compare(&mut table, WITH_ROOM, &mut nodes, &mut references)?;
    let mut full = references.split_off(INSTANCES - 1);
    full[0].name = "osmo-ggsn, answers not kept";
    full[0].client.run(WITHOUT_ROOM.window, ROOM_PAIRS)?;
    compare(&mut table, WITHOUT_ROOM, &mut nodes, &mut full)?;
    compare(&mut table, ONE_BY_ONE, &mut nodes, &mut full)?;
    table.show()?;
    Ok(cost.map(|cost| 1.0 / cost))
}
