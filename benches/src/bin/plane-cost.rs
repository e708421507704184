//! `plane-cost`: CPU time of one worker's session plane a message, by kind, without sockets: from the octets to what is to be
//! sent, and of that the reading of the message and the asking of the gate alone, over a bare atomic add+sub pair on an own
//! line.
//!
//! Not among the figures of SPECIFICATION.md: it shows where the time goes.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use benches::report::Table;
use benches::sandwich::{Ratios, pin, sandwich};
use benches::subject::{Line, Subject, add_sub, admit_release};
use benches::worker::{By, Subscriber, Worker, config};
use gtp::{v1, v2};

/// Sessions that stay meanwhile.
const SESSIONS: u32 = 100_000;
const PEERS: u32 = 16;
/// Answers kept: fewer than GTPv1 has sequence numbers, so that one that comes again is a new request.
const RESPONSES: u32 = 32_768;
/// Calls that are made and ended in turn.
const CALLS: u32 = 4_096;
/// Pairs of the yardstick to one message.
const PAIRS: u64 = 64;
/// Where a header has the receiver's endpoint and the sequence number; an answer to a request with an endpoint is as long.
const TEID: std::ops::Range<usize> = 4..8;
const SEQUENCE: usize = 8;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    pin(0);
    let line = Line::default();
    let columns = ["message", "over the pair", "p10", "p90", "CPU ns"];
    let title = "CPU time of the session plane without sockets, by message";
    let mut table = Table::new("plane-cost", title, &columns);
    for by in By::ALL {
        let mut messages = Messages::new(by)?;
        let [create, update, delete] = match by {
            By::Gn => ["Create", "Update", "Delete PDP Context"],
            By::S5 | By::S11 => ["Create Session", "Modify Bearer", "Delete Session"],
        };
        let mut add = |what: &str, subject: &mut dyn FnMut(u64)| {
            let ratios = sandwich(
                |pairs| add_sub(&line, pairs),
                |pairs| subject(pairs.div_ceil(PAIRS)),
            );
            table.row(row(&format!("{} {what}", by.name()), &ratios, PAIRS as f64));
        };
        add(&format!("{create} and {delete}"), &mut |count| {
            (0..count).for_each(|_| messages.create_and_delete());
        });
        add(update, &mut |count| {
            (0..count).for_each(|_| messages.update());
        });
        add("request again", &mut |count| {
            (0..count).for_each(|_| messages.again());
        });
        add("Echo", &mut |count| {
            (0..count).for_each(|_| messages.echo());
        });
        let octets = messages.creates[0].clone();
        add(&format!("{create}, reading alone"), &mut |count| {
            (0..count).for_each(|_| read(by, &octets));
        });
        messages.check()?;
    }
    let subject = Subject::new(1);
    let mut gate = subject.worker();
    let ratios = sandwich(
        |pairs| add_sub(&line, pairs),
        |pairs| admit_release(&mut gate, subject.class, pairs),
    );
    table.row(row("admit and release alone", &ratios, 1.0));
    table.show()
}

/// What one message, a so manieth part of the yardstick's repetitions, costs.
fn row(what: &str, ratios: &Ratios, pairs: f64) -> [benches::report::Cell; 5] {
    let [p10, median, p90] = [0.1, 0.5, 0.9].map(|part| ratios.local.quantile(part) * pairs);
    [
        what.into(),
        median.into(),
        p10.into(),
        p90.into(),
        (median * ratios.yardstick_ns).into(),
    ]
}

fn read(by: By, octets: &[u8]) {
    let octets = black_box(octets);
    match by {
        By::Gn => {
            let message = v1::Message::parse(octets);
            black_box(message.is_ok_and(|message| message.ie_set().is_ok()));
        }
        By::S5 | By::S11 => {
            let message = v2::Message::parse(octets);
            black_box(message.is_ok_and(|message| message.ie_set().is_ok()));
        }
    }
}

/// A worker with sessions, and messages to it, whose endpoints and numbers are written into them.
struct Messages {
    worker: Worker,
    by: By,
    creates: Vec<Vec<u8>>,
    update: Vec<u8>,
    delete: Vec<u8>,
    echo: Vec<u8>,
    /// Where an answer to a Create has our endpoint.
    ours: usize,
    next: usize,
    sequence: u32,
}

impl Messages {
    fn new(by: By) -> Result<Self> {
        let mut config = config();
        config.bounds.responses = RESPONSES;
        let mut worker = Worker::new(config)?;
        let who = |number| Subscriber {
            number,
            by,
            peer: number % PEERS,
        };
        let mut standing = 0;
        for number in 0..SESSIONS {
            standing = worker.call(who(number), number / PEERS)?;
        }
        let answer = worker.answer();
        let ours = answer
            .windows(4)
            .position(|octets| octets == standing.to_be_bytes())
            .context("our endpoint in an answer")?;
        let last = who(SESSIONS - 1);
        Ok(Self {
            creates: (SESSIONS..SESSIONS + CALLS)
                .map(|number| {
                    Subscriber {
                        peer: last.peer,
                        ..who(number)
                    }
                    .create(0)
                })
                .collect(),
            update: last.update(standing, 0),
            delete: last.delete(standing, 0),
            echo: last.echo(0),
            worker,
            by,
            ours,
            next: 0,
            sequence: SESSIONS,
        })
    }

    fn create_and_delete(&mut self) {
        let sequence = self.sequence();
        let create = &mut self.creates[self.next];
        self.next = (self.next + 1) % CALLS as usize;
        number(create, self.by, sequence);
        self.worker.take(create, PEERS - 1);
        let ours = &self.worker.answer()[self.ours..self.ours + 4];
        self.delete[TEID].copy_from_slice(ours);
        number(&mut self.delete, self.by, sequence);
        self.worker.take(&self.delete, PEERS - 1);
    }

    fn update(&mut self) {
        let sequence = self.sequence();
        number(&mut self.update, self.by, sequence);
        self.again();
    }

    fn again(&mut self) {
        self.worker.take(&self.update, PEERS - 1);
    }

    fn echo(&mut self) {
        self.worker.take(&self.echo, PEERS - 1);
    }

    /// All calls that were made have ended, and the last request is accepted.
    fn check(&mut self) -> Result<()> {
        let sessions = self.worker.plane.statistics().sessions;
        ensure!(sessions == SESSIONS, "{sessions} sessions");
        self.create_and_delete();
        self.worker.accepted(self.by)?;
        self.update();
        self.worker.accepted(self.by)
    }

    fn sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }
}

/// Writes a sequence number.
fn number(octets: &mut [u8], by: By, sequence: u32) {
    let [_, high, middle, low] = sequence.to_be_bytes();
    match by {
        By::Gn => octets[SEQUENCE..SEQUENCE + 2].copy_from_slice(&[middle, low]),
        By::S5 | By::S11 => octets[SEQUENCE..SEQUENCE + 3].copy_from_slice(&[high, middle, low]),
    }
}
