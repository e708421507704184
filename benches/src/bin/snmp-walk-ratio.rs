//! `snmp-walk-ratio`: rows per second of server's CPU of a GETBULK walk over 10,000 rows, of our agent over Debian's snmpd.
//!
//! Both serve the same three columns on loopback to the same client, which compares every cell. snmpd gets its table by
//! `pass_persist` from this program; only snmpd's own process counts, not the one that has the rows, whose cost is told
//! apart: what the script of somebody else would cost is not held against snmpd. The CPU is `utime` and `stime` of
//! `/proc/PID/stat`, whose tick is 10 ms, over as many walks as fill it; the two take turns, and the value is the median of
//! the rounds.
#![forbid(unsafe_code)]

use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use benches::figure::{Figure, Good};
use benches::sandwich::Sample;
use snmp::agent::{Access, Limits};
use snmp::message::{CommunityMessage, Kind, Pdu, Status};
use snmp::vacm::{Subtree, View};
use snmp::{Community, Oid, Value, VarBind};
use tests::child::{Running, command, require};
use tests::snmp_agent::{ROOT, UdpAgent};

const ROWS: u32 = 10_000;
/// Columns of the table that are walked side by side: text, a negative number, an address.
const COLUMNS: [u32; 3] = [2, 4, 5];
/// Rows asked for at once, as snmpbulkwalk does.
const REPETITIONS: u32 = 10;
const ROUNDS: usize = 5;
/// CPU of a server in a round, at least; a hundred ticks.
const SLICE_TICKS: u64 = 100;
/// Walks of a round, at most.
const WALKS_MAX: u32 = 200;
/// Ticks of `/proc/PID/stat` in a second.
const TICKS_PER_S: f64 = 100.0;
/// Bound of one wait; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> Result<ExitCode> {
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("agent") => return serve().map(|()| ExitCode::SUCCESS),
        Some("rows") => return tell_rows().map(|()| ExitCode::SUCCESS),
        Some(other) => bail!("{other:?}: no such part"),
    }
    let value = measure().inspect_err(|error| eprintln!("{error:#}"));
    Ok(Figure {
        id: "snmp-walk-ratio",
        value: value.ok(),
        target: 5.0,
        good: Good::AtLeast,
    }
    .finish())
}

/// A server in a process of its own.
struct Server {
    running: Running,
    address: SocketAddr,
}

fn measure() -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let (ours, theirs) = (our_agent()?, snmpd(folder.path())?);
    let script = child_of(theirs.running.pid(), &theirs)?;
    let mut client = Client::new()?;
    let (mut ratios, mut with_script) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (fast, _) = client.rows_per_s(&ours)?;
        let before = ticks(script)?;
        let (slow, spent) = client.rows_per_s(&theirs)?;
        let told = ticks(script)? - before;
        println!(
            "rows per second of CPU: ours {fast:.0}, snmpd {slow:.0}; besides snmpd {told} ticks of who has its rows"
        );
        ratios.push(fast / slow);
        with_script.push(fast / slow * (spent + told) as f64 / spent as f64);
    }
    let whole = Sample::new(with_script).median();
    println!("with the CPU of who has snmpd's rows counted as snmpd's: {whole:.2}");
    Ok(Sample::new(ratios).median())
}

fn our_agent() -> Result<Server> {
    let mut program = command(std::env::current_exe()?);
    let running = Running::start("agent", program.arg("agent"))?;
    let line = running.wait_for_line("listens ", LIMIT)?;
    let address = line.strip_prefix("listens ").context("an address")?;
    let address = address.parse()?;
    Ok(Server { running, address })
}

/// The agent until it is killed.
fn serve() -> Result<()> {
    let all = View::new(&[Subtree::parse("1", true)?])?;
    let access = Access {
        communities: vec![(Community::new("public"), all)],
        users: Vec::new(),
    };
    let agent = UdpAgent::start(access, Limits::default(), ROWS as usize)?;
    println!("listens {}", agent.address);
    loop {
        std::thread::park();
    }
}

fn snmpd(folder: &Path) -> Result<Server> {
    require("snmpd", "snmpd")?;
    let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let root = Oid::from(ROOT);
    let own = std::env::current_exe()?;
    let file = folder.join("snmpd.conf");
    let text = format!(
        "rocommunity public 127.0.0.1\npass_persist .{root}.2 {} rows\n",
        own.display()
    );
    std::fs::write(&file, text)?;
    let mut program = command("snmpd");
    program.env("MIBS", "").env("SNMP_PERSISTENT_DIR", folder);
    program.args(["-f", "-Lo", "-C", "-I", "-smux", "-c"]);
    program.arg(&file).arg(format!("udp:{free}"));
    let running = Running::start("snmpd", &mut program)?;
    running.wait_for_line("NET-SNMP version", LIMIT)?;
    let address = free;
    Ok(Server { running, address })
}

/// The only child of snmpd, which the first request has started.
fn child_of(parent: u32, server: &Server) -> Result<u32> {
    let mut client = Client::new()?;
    client.next(server.address, &names())?;
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        if stat(pid).is_ok_and(|fields| fields[1] == parent.to_string()) {
            return Ok(pid);
        }
    }
    bail!("snmpd has not started who has its rows")
}

/// Fields of `/proc/PID/stat` behind the name, which ends with the last bracket: state, parent, ...
fn stat(pid: u32) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, behind) = text.rsplit_once(')').context("no name")?;
    Ok(behind.split_whitespace().map(str::to_owned).collect())
}

/// CPU of a process: utime and stime, fields 14 and 15.
fn ticks(pid: u32) -> Result<u64> {
    let fields = stat(pid)?;
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}

fn names() -> Vec<Oid> {
    let column = |column| Oid::from(ROOT).join(&[2, 1, column]);
    COLUMNS.map(column).to_vec()
}

/// What both serve.
fn cell(column: u32, row: u32) -> Value {
    match column {
        2 => Value::text(format!("row {row}")),
        4 => Value::Integer(-i32::try_from(row).unwrap_or(i32::MAX)),
        _ => Value::IpAddress(Ipv4Addr::new(10, 200, 0, 1)),
    }
}

struct Client {
    socket: UdpSocket,
    request_id: i32,
}

impl Client {
    fn new() -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(LIMIT))?;
        let request_id = 0;
        Ok(Self { socket, request_id })
    }

    /// Walks until enough CPU was spent; rows per second of it, and its ticks.
    fn rows_per_s(&mut self, server: &Server) -> Result<(f64, u64)> {
        let pid = server.running.pid();
        let (before, began) = (ticks(pid)?, Instant::now());
        for walks in 1..=WALKS_MAX {
            self.walk(server.address)?;
            let spent = ticks(pid)? - before;
            if spent >= SLICE_TICKS {
                let rows = f64::from(walks * ROWS);
                return Ok((rows * TICKS_PER_S / spent as f64, spent));
            }
        }
        bail!("{WALKS_MAX} walks in {:?} cost nothing", began.elapsed())
    }

    /// Every row, each cell as it should be.
    fn walk(&mut self, address: SocketAddr) -> Result<()> {
        let mut at = names();
        let mut row = 0;
        loop {
            let answer = self.next(address, &at)?;
            for cells in answer.chunks_exact(COLUMNS.len()) {
                if row == ROWS {
                    return Ok(());
                }
                row += 1;
                for (found, column) in cells.iter().zip(COLUMNS) {
                    let name = Oid::from(ROOT).join(&[2, 1, column, row]);
                    let wanted = VarBind::new(name, cell(column, row));
                    ensure!(*found == wanted, "{found:?}, not {wanted:?}");
                }
                at = cells.iter().map(|varbind| varbind.name.clone()).collect();
            }
            ensure!(!answer.is_empty(), "an answer without a row");
        }
    }

    /// The rows after these names.
    fn next(&mut self, address: SocketAddr, names: &[Oid]) -> Result<Vec<VarBind>> {
        self.request_id += 1;
        let asked = names.iter().cloned();
        let message = CommunityMessage {
            is_v1: false,
            community: b"public".to_vec(),
            pdu: Pdu {
                kind: Kind::GetBulk {
                    non_repeaters: 0,
                    max_repetitions: REPETITIONS,
                },
                request_id: self.request_id,
                varbinds: asked.map(|n| VarBind::new(n, Value::Unspecified)).collect(),
            },
        };
        self.socket.send_to(&message.encode()?, address)?;
        let mut buffer = [0; 65_536];
        let (length, _) = self.socket.recv_from(&mut buffer).context("no answer")?;
        let answer = CommunityMessage::decode_v2c(&buffer[..length])?.pdu;
        ensure!(answer.request_id == self.request_id, "another answer");
        let (status, index) = (Status::NO_ERROR, 0);
        ensure!(
            answer.kind == Kind::Response { status, index },
            "{:?}",
            answer.kind
        );
        Ok(answer.varbinds)
    }
}

/// The protocol of `pass_persist`: `PING`, or `getnext` and a name; a name, a type and a value come back, or `NONE`.
fn tell_rows() -> Result<()> {
    let mut lines = std::io::stdin().lock().lines();
    let mut out = std::io::stdout().lock();
    while let Some(line) = lines.next().transpose()? {
        let answer = match line.as_str() {
            "PING" => "PONG".to_owned(),
            "getnext" => row_after(&lines.next().context("no name")??),
            // A name follows get; this one is never asked for.
            _ => "NONE".to_owned(),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn row_after(name: &str) -> String {
    let root = Oid::from(ROOT).join(&[2]);
    let name = name.parse::<Oid>().unwrap_or_else(|_| root.clone());
    let below = name.below(&root).unwrap_or_default();
    let (column, row) = match below {
        [] | [1] => (COLUMNS[0], 1),
        [1, column] => (*column, 1),
        [1, column, row, ..] if *row < ROWS => (*column, row + 1),
        [_, column, ..] => (column + 1, 1),
        [_] => return "NONE".to_owned(),
    };
    let Some(column) = COLUMNS.into_iter().find(|known| *known >= column) else {
        return "NONE".to_owned();
    };
    let (kind, text) = match column {
        2 => ("string", format!("row {row}")),
        4 => ("integer", format!("-{row}")),
        _ => ("ipaddress", "10.200.0.1".to_owned()),
    };
    format!(".{root}.1.{column}.{row}\n{kind}\n{text}")
}
