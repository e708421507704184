//! `gtpv2-vs-echo`: CPU of a node with one worker for a pair of Create and Delete Session, on S5, over that of a bare UDP
//! echo for datagrams of the same lengths, in and out.
//!
//! The echo is one thread that reads and sends in batches by the same calls ([`node::datagrams`]) and knows nothing of GTP.
//! Both have the same client, with 64 sessions at a time, which takes turns. The CPU is that of all threads of the process, from the
//! kernel's scheduler, in nanoseconds.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use anyhow::Result;
use benches::figure::{Figure, Good};
use benches::pairs::{PairClient, Server};
use benches::servers;
use benches::turns::{self, Party, Plan, compare};

const NODES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(127, 0, 62, 1)),
    IpAddr::V4(Ipv4Addr::new(127, 0, 62, 2)),
];
const ECHO: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 62, 3));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 62, 4));
const AT_ONCE: Plan = Plan {
    pairs: 10_000,
    window: 64,
    rounds: 31,
};
const ONE_BY_ONE: Plan = Plan {
    pairs: 2_000,
    window: 1,
    rounds: 15,
};
const TITLE: &str =
    "GTPv2-C on loopback: a node and a UDP echo for as many octets, the same client";

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(ended) = servers::part(&arguments) {
        return ended.map(|()| ExitCode::SUCCESS);
    }
    let value = measured().inspect_err(|error| println!("not measured: {error:#}"));
    Ok(Figure {
        id: "gtpv2-vs-echo",
        value: value.ok().flatten(),
        target: 2.0,
        good: Good::AtMost,
    }
    .finish())
}

fn measured() -> Result<Option<f64>> {
    let folder = tempfile::tempdir()?;
    let one = servers::node(folder.path(), NODES[0], "PGW", 1)?;
    let two = servers::node(folder.path(), NODES[1], "PGW", 2)?;
    let mut client = PairClient::new(Server::Pgw, one.address, CLIENT)?;
    client.run(1, 1)?;
    let lengths = client.answer_bytes;
    println!("answers of {} and {} octets", lengths[0], lengths[1]);
    let echo = servers::echo(ECHO, lengths)?;
    let mut nodes = [
        Party {
            name: "one worker",
            pid: one.pid,
            client,
        },
        Party {
            name: "two workers",
            pid: two.pid,
            client: PairClient::new(Server::Pgw, two.address, CLIENT)?,
        },
    ];
    let mut reference = [Party {
        name: "echo",
        pid: echo.pid,
        client: PairClient::new(Server::Echo, echo.address, CLIENT)?,
    }];
    let mut table = turns::table("gtpv2-vs-echo", TITLE);
    let value = compare(&mut table, AT_ONCE, &mut nodes, &mut reference)?;
    compare(&mut table, ONE_BY_ONE, &mut nodes, &mut reference)?;
    table.show()?;
    Ok(value)
}
