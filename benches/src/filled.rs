//! Memory of a worker that has many sessions, of this process or of one of its own.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use session_plane::Output;

use crate::report::Table;
use crate::sandwich::cpu_seconds;
use crate::worker::{By, Subscriber, Worker, config};

/// Peers that have the sessions.
const PEERS: u32 = 256;
/// Calls that are made without looking at the clock, and the time that passes then.
const BATCH: u32 = 1_000;
const BATCH_EVERY: Duration = Duration::from_millis(100);
/// Answers kept: next to none, they have a bound of their own.
const RESPONSES: u32 = 1_024;
/// No recount begins of itself; and its steps are this far apart.
const RECOUNT_INTERVAL: Duration = Duration::from_secs(1 << 20);
const RECOUNT_STEP: Duration = Duration::from_millis(1);
/// Sessions between two rows.
const MILLION: u32 = 1_000_000;

/// What a process found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Filled {
    /// Octets that each session has added to what is resident.
    pub bytes_per_session: f64,
    /// The most that ever was resident.
    pub most_gib: f64,
}

/// Has it measured in a process of its own, so that the most that ever was resident is that of these sessions alone. Its
/// rows are printed.
///
/// # Errors
///
/// When the process fails, or says nothing that can be read.
pub fn in_a_process(by: By, sessions: u32) -> Result<Filled> {
    let program = std::env::current_exe().context("this program")?;
    let mut command = Command::new(program);
    command.args([by.name(), &sessions.to_string()]);
    command.stderr(Stdio::inherit());
    let output = command.output().context("this program, once more")?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "{} ended it", output.status);
    let (rows, last) = text
        .trim_end()
        .rsplit_once('\n')
        .context("it said nothing")?;
    println!("{rows}");
    let mut numbers = last.split(' ').map(str::parse);
    let (Some(Ok(bytes_per_session)), Some(Ok(most_gib)), None) =
        (numbers.next(), numbers.next(), numbers.next())
    else {
        anyhow::bail!("it ended with {last:?}");
    };
    Ok(Filled {
        bytes_per_session,
        most_gib,
    })
}

/// What [`in_a_process`] has done, if this process is that one.
///
/// # Errors
///
/// When its arguments name nothing to be measured, or a call is refused.
pub fn here() -> Result<bool> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [by, sessions] = arguments.as_slice() else {
        return Ok(false);
    };
    let by = By::ALL.into_iter().find(|one| one.name() == by);
    let filled = fill(by.context("no interface of that name")?, sessions.parse()?)?;
    println!("{} {}", filled.bytes_per_session, filled.most_gib);
    Ok(true)
}

/// Makes the sessions, and tells at each million what it took.
fn fill(by: By, sessions: u32) -> Result<Filled> {
    let mut config = config();
    config.bounds.responses = RESPONSES;
    config.recount_interval = RECOUNT_INTERVAL;
    let mut worker = Worker::new(config)?;
    let columns = [
        "sessions",
        "resident, MiB",
        "octets each",
        "calls a second",
        "longest call, ms",
        "statistics, us",
        "recount, ms",
        "its longest step, us",
    ];
    let id = format!("sessions-{}-{sessions}", by.name().to_lowercase());
    let title = format!("A worker with up to {sessions} sessions by {}", by.name());
    let mut table = Table::new(&id.replace('/', ""), &title, &columns);
    let empty = status("VmRSS")?;
    let mut each = 0.0;
    let (mut seconds, mut longest, mut since) = (0.0, Duration::ZERO, 0);
    for first in (0..sessions).step_by(BATCH as usize) {
        let there = (first + BATCH).min(sessions);
        let calls = (first..there).map(|number| Subscriber {
            number,
            by,
            peer: number % PEERS,
        });
        let requests: Vec<_> = calls
            .map(|who| (who.peer, who.create(who.number / PEERS)))
            .collect();
        seconds += cpu_of(|| {
            for (peer, octets) in &requests {
                let began = Instant::now();
                worker.take(octets, *peer);
                longest = longest.max(began.elapsed());
            }
        });
        since += there - first;
        worker.accepted(by)?;
        worker.pass(BATCH_EVERY);
        if there.is_multiple_of(MILLION) || there == sessions {
            let resident = status("VmRSS")?;
            each = (resident - empty) / f64::from(there);
            let (mut found, mut recount) = (0, Recount::default());
            let statistics = cpu_of(|| found = worker.plane.statistics().sessions);
            ensure!(found == there, "{found} of {there} sessions");
            recount.run(&mut worker)?;
            table.row([
                f64::from(there).into(),
                (resident / 1_048_576.0).into(),
                each.into(),
                (f64::from(since) / seconds).round().into(),
                (longest.as_secs_f64() * 1e3).into(),
                (statistics * 1e6).into(),
                (recount.all * 1e3).into(),
                (recount.longest * 1e6).into(),
            ]);
            (seconds, longest, since) = (0.0, Duration::ZERO, 0);
        }
    }
    table.show()?;
    Ok(Filled {
        bytes_per_session: each,
        most_gib: status("VmHWM")? / (1_u64 << 30) as f64,
    })
}

/// CPU seconds of a recount, and of its longest step.
#[derive(Default)]
struct Recount {
    all: f64,
    longest: f64,
}

impl Recount {
    fn run(&mut self, worker: &mut Worker) -> Result<()> {
        worker.now.mono = worker.now.mono.after(RECOUNT_INTERVAL);
        loop {
            let (plane, now) = (&mut worker.plane, worker.now);
            let step = cpu_of(|| plane.handle_timeout(now));
            self.all += step;
            self.longest = self.longest.max(step);
            while let Some(output) = worker.plane.poll_output() {
                if let Output::Recounted(recount) = output {
                    let rows = &mut recount.rows.iter();
                    ensure!(
                        rows.all(|row| row.table as i64 == row.counter),
                        "{recount:?}"
                    );
                    return Ok(());
                }
            }
            worker.now.mono = worker.now.mono.after(RECOUNT_STEP);
        }
    }
}

fn cpu_of(does: impl FnOnce()) -> f64 {
    let began = cpu_seconds();
    does();
    cpu_seconds() - began
}

/// A size of this process, in octets.
fn status(name: &str) -> Result<f64> {
    let text = std::fs::read_to_string("/proc/self/status").context("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    let kib: f64 = number
        .with_context(|| format!("/proc/self/status has no {name}"))?
        .parse()?;
    Ok(kib * 1024.0)
}
