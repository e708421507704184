//! The SNMP engine on a socket of its own, over objects of a test: an agent without a node.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use licensing::Mono;
use parking_lot::Mutex;
use snmp::agent::{Access, Agent, Arrival, Limits};
use snmp::groups::{self, Managed, Own, System};
use snmp::objects::{Column, Group, Index, Mib, Row, Scalar, Syntax, Table};
use snmp::usm::{EngineId, Local};
use snmp::{Counters, Oid, Value};

/// The objects of the test: `.1.3.6.1.4.1.32473.9`.
pub const ROOT: [u32; 8] = [1, 3, 6, 1, 4, 1, 32473, 9];

/// How often a thread looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// A snapshot: how many rows there are, and the number that each row of it says.
#[derive(Debug)]
pub struct Shown {
    own: Own,
    rows: usize,
    sequence: u32,
}

impl Managed for Shown {
    fn own(&self) -> &Own {
        &self.own
    }
}

/// An agent on loopback.
#[derive(Debug)]
pub struct UdpAgent {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    ends: AtomicBool,
    counters: Mutex<Counters>,
}

/// All objects: those of the agent itself, and a table of rows.
pub fn mib() -> Mib<Shown> {
    let mut all = groups::groups();
    all.push(Group {
        root: Oid::from(ROOT),
        scalars: vec![Scalar {
            name: "testSequence",
            arcs: &[1],
            syntax: Syntax::Unsigned32,
            help: "Which snapshot it is.",
            value: |shown: &Shown| Some(Value::Gauge32(shown.sequence)),
        }],
        tables: vec![Table {
            name: "testTable",
            entry: "testEntry",
            arcs: &[2],
            index: &["testIndex"],
            help: "Rows.",
            rows: |shown: &Shown| {
                let index = |key| Index::of(u32::try_from(key).unwrap_or(u32::MAX));
                let row = |key| Row {
                    index: index(key),
                    key,
                };
                (1..=shown.rows).map(row).collect()
            },
            columns: vec![
                column(1, Syntax::Unsigned32, |shown, _| {
                    Some(Value::Gauge32(shown.sequence))
                }),
                column(2, Syntax::DisplayString, |_, key| {
                    Some(Value::text(format!("row {key}")))
                }),
                column(3, Syntax::Counter64, |_, key| {
                    Some(Value::Counter64(u64::MAX - key as u64))
                }),
                column(4, Syntax::Integer32, |_, key| {
                    i32::try_from(key).ok().map(|n| Value::Integer(-n))
                }),
                column(5, Syntax::IpAddress, |_, _| {
                    Some(Value::IpAddress(Ipv4Addr::new(10, 200, 0, 1)))
                }),
            ],
        }],
    });
    Mib::new(all).expect("the groups are apart from each other")
}

fn column(arc: u32, syntax: Syntax, value: fn(&Shown, usize) -> Option<Value>) -> Column<Shown> {
    Column {
        name: "testColumn",
        arc,
        syntax,
        help: "A value of each type.",
        value: Some(value),
    }
}

/// Modules and words of the test's system group.
pub fn system() -> System {
    System {
        descr: "tollgate, under test".to_owned(),
        object_id: Oid::from(ROOT),
        contact: "nobody".to_owned(),
        name: "node".to_owned(),
        location: "here".to_owned(),
        modules: vec![(Oid::from([1, 3, 6, 1, 6, 3, 1]), "SNMPv2-MIB".to_owned())],
    }
}

/// The engine of the test.
pub fn engine_id() -> EngineId {
    EngineId::of_node(32473, "under-test")
}

impl UdpAgent {
    /// Starts one with a table of so many rows.
    pub fn start(access: Access, limits: Limits, rows: usize) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(LOOK))?;
        let address = socket.local_addr()?;
        let state = Arc::new(State {
            ends: AtomicBool::new(false),
            counters: Mutex::new(Counters::default()),
        });
        let began = Instant::now();
        let mut local = Local::new(engine_id(), 7, Mono::default());
        let mut agent = Agent::new(mib(), system(), limits);
        agent.allow(access, &local)?;
        let shared = Arc::clone(&state);
        let serve = move || {
            let mut buffer = vec![0; 65_536];
            let mut sequence = 0;
            while !shared.ends.load(Ordering::Relaxed) {
                let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let arrival = Arrival {
                    now: Mono::default().after(began.elapsed()),
                    peer,
                    bytes: &buffer[..length],
                };
                let answer = agent.handle_datagram(&mut local, arrival, |own| {
                    sequence += 1;
                    Shown {
                        own,
                        rows,
                        sequence,
                    }
                });
                *shared.counters.lock() = *agent.counters();
                if let Some(answer) = answer {
                    // Who asked may be gone.
                    let _ = socket.send_to(&answer, peer);
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("snmp-agent".to_owned())
            .spawn(serve)?;
        Ok(Self {
            address,
            state,
            thread: Some(thread),
        })
    }

    /// What it has counted until now.
    pub fn counters(&self) -> Counters {
        *self.state.counters.lock()
    }
}

impl Drop for UdpAgent {
    fn drop(&mut self) {
        self.state.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}
