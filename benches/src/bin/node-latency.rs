//! `node-latency`: round trips of Create and Delete Session over UDP on loopback to a whole node with one worker, while
//! threads of it stand still: the control thread, as it does whose disk is stopped; the Smart Agent's, as it does whose
//! license authority is; that of bulk statistics; and all of them with that of SNMP. The conditions take turns with a node
//! that is left alone. No figure: a table, which shows that no answer waits for any of them.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use anyhow::Result;
use benches::pairs::{PairClient, Server};
use benches::report::{Cell, Table};
use benches::sandwich::Sample;
use benches::servers;
use tests::thread::stop;

const NODE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 62, 5));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 62, 6));
/// Pairs of one turn, and how many at a time.
const PAIRS: u32 = 5_000;
const WINDOW: u32 = 4;
const TURNS: usize = 8;
/// What stands still, and the threads' names.
const CONDITIONS: [(&str, &[&str]); 5] = [
    ("nothing", &[]),
    ("control thread, as by its disk", &["control"]),
    ("Smart Agent, as by the authority", &["agent"]),
    ("bulk statistics", &["bulkstats"]),
    (
        "all of these, and SNMP",
        &["control", "agent", "bulkstats", "snmp"],
    ),
];
const QUANTILES: [(&str, f64); 5] = [
    ("p50, us", 0.5),
    ("p90, us", 0.9),
    ("p99, us", 0.99),
    ("p99.9, us", 0.999),
    ("p99.99, us", 0.9999),
];

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(ended) = servers::part(&arguments) {
        return ended.map(|()| ExitCode::SUCCESS);
    }
    let folder = tempfile::tempdir()?;
    let node = servers::node(folder.path(), NODE, "PGW", 1)?;
    let mut client = PairClient::new(Server::Pgw, node.address, CLIENT)?;
    client.run(WINDOW, PAIRS)?;
    let mut taken = CONDITIONS.map(|_| (Vec::new(), 0));
    for _ in 0..TURNS {
        for ((_, threads), (times, lost)) in CONDITIONS.iter().zip(&mut taken) {
            let stopped = threads.iter().map(|name| stop(node.pid, name));
            let stopped = stopped.collect::<Result<Vec<_>>>()?;
            let pairs = client.run(WINDOW, PAIRS)?;
            stopped.into_iter().try_for_each(|one| one.release())?;
            times.extend_from_slice(pairs.round_trips_us.values());
            *lost += pairs.lost;
        }
    }
    let names = QUANTILES.map(|(name, _)| name);
    let columns = [
        &["stands still", "p99 over the first"],
        &names[..],
        &["requests", "lost"],
    ];
    let title = format!("Round trips to a whole node, {WINDOW} sessions at a time");
    let mut table = Table::new("node-latency", &title, &columns.concat());
    let mut alone = None;
    for ((name, _), (times, lost)) in CONDITIONS.iter().zip(taken) {
        let requests = times.len();
        let times = Sample::new(times);
        let p99 = times.quantile(0.99);
        let over = p99 / *alone.get_or_insert(p99);
        let mut row: Vec<Cell> = vec![(*name).into(), over.into()];
        row.extend(QUANTILES.map(|(_, quantile)| Cell::from(times.quantile(quantile))));
        row.extend([(requests as f64).into(), (lost as f64).into()]);
        table.row(row);
    }
    table.show()?;
    Ok(ExitCode::SUCCESS)
}
