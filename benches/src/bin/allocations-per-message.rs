//! `allocations-per-message`: heap allocations of one worker's session plane for datagrams of GTPv1 and GTPv2, from the
//! octets to what is to be sent: calls made, changed and ended at a constant number of sessions, echoes, and requests sent
//! again. Tables, pools and answers kept have reached their size before.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, VecDeque};
use std::process::ExitCode;
use std::time::Duration;

use allocation_counter::measure;
use anyhow::{Result, ensure};
use benches::figure::{Figure, Good};
use benches::report::Table;
use benches::worker::{self, By, Subscriber, Worker};

/// Sessions of each kind.
const SESSIONS: u32 = 2_000;
const PEERS: u32 = 16;
/// Calls of each kind that are made, changed and ended before it is counted, and then.
const WARM: u32 = 60_000;
const COUNTED: u32 = 20_000;
/// From one call to the next: answers kept expire, as many as come.
const CALL_EVERY: Duration = Duration::from_millis(10);

/// What a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Create,
    Again,
    Update,
    Delete,
    Echo,
}

/// Messages and allocations of one kind.
#[derive(Default)]
struct Count {
    messages: u64,
    allocations: u64,
}

struct Churn {
    worker: Worker,
    /// The oldest first.
    calls: VecDeque<(Subscriber, u32)>,
    counts: BTreeMap<(&'static str, What), Count>,
    sequence: u32,
}

fn main() -> ExitCode {
    let value = count().inspect_err(|error| eprintln!("{error:#}"));
    Figure {
        id: "allocations-per-message",
        value: value.ok(),
        target: 0.0,
        good: Good::AtMost,
    }
    .finish()
}

fn count() -> Result<f64> {
    let mut churn = Churn {
        worker: Worker::new(worker::config())?,
        calls: VecDeque::new(),
        counts: BTreeMap::new(),
        sequence: 0,
    };
    for number in 0..WARM + COUNTED {
        if number == WARM {
            churn.counts.clear();
        }
        for by in By::ALL {
            churn.step(number, by)?;
        }
        churn.worker.pass(CALL_EVERY);
    }
    let columns = ["message", "messages", "allocations", "a message"];
    let title = "Allocations of the session plane, by message";
    let mut table = Table::new("allocations-per-message", title, &columns);
    let (mut messages, mut allocations) = (0, 0);
    for ((by, what), count) in &churn.counts {
        table.row([
            format!("{by} {}", what.name(by)).into(),
            (count.messages as f64).into(),
            (count.allocations as f64).into(),
            (count.allocations as f64 / count.messages as f64).into(),
        ]);
        messages += count.messages;
        allocations += count.allocations;
    }
    table.show()?;
    Ok(allocations as f64 / messages as f64)
}

impl What {
    fn name(self, by: &str) -> &'static str {
        match (self, by == By::Gn.name()) {
            (Self::Create, true) => "Create PDP Context",
            (Self::Update, true) => "Update PDP Context",
            (Self::Delete, true) => "Delete PDP Context",
            (Self::Create, false) => "Create Session",
            (Self::Update, false) => "Modify Bearer",
            (Self::Delete, false) => "Delete Session",
            (Self::Again, _) => "request again",
            (Self::Echo, _) => "Echo",
        }
    }
}

impl Churn {
    /// A new call, changed once; each of its requests comes twice. The oldest ends, once there are enough.
    fn step(&mut self, number: u32, by: By) -> Result<()> {
        let who = Subscriber {
            number,
            by,
            peer: number % PEERS,
        };
        let sequence = self.next();
        self.asks(who, What::Create, &who.create(sequence))?;
        let ours = self.worker.endpoint(by)?;
        self.calls.push_back((who, ours));
        let sequence = self.next();
        self.asks(who, What::Update, &who.update(ours, sequence))?;
        let sequence = self.next();
        self.take(who, What::Echo, &who.echo(sequence));
        ensure!(!self.worker.answer().is_empty(), "an echo is answered");
        let kinds = By::ALL.len();
        if self.calls.len() > SESSIONS as usize * kinds
            && let Some((oldest, ours)) = self.calls.pop_front()
        {
            let sequence = self.next();
            self.asks(oldest, What::Delete, &oldest.delete(ours, sequence))?;
        }
        Ok(())
    }

    /// A request, accepted, and the same again, which gets the same answer.
    fn asks(&mut self, who: Subscriber, what: What, octets: &[u8]) -> Result<()> {
        self.take(who, what, octets);
        self.worker.accepted(who.by)?;
        let answer = self.worker.answer().to_vec();
        self.take(who, What::Again, octets);
        ensure!(self.worker.answer() == answer, "{what:?} of {who:?}, again");
        Ok(())
    }

    fn take(&mut self, who: Subscriber, what: What, octets: &[u8]) {
        let worker = &mut self.worker;
        let counted = measure(|| worker.take(octets, who.peer));
        let count = self.counts.entry((who.by.name(), what)).or_default();
        count.messages += 1;
        count.allocations += counted.count_total;
    }

    fn next(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }
}
