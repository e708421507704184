//! `gate-mixed-ratio`: admissions of 64 classes, each of a service of its own, in random order, 1,024 permits held between admission and release, over a
//! bare atomic add and sub of 64 own lines in the same order; of the form that nodes take here, and of the atomic one
//! beside it.
#![forbid(unsafe_code)]

use std::mem;
use std::process::ExitCode;

use benches::figure::{Figure, Good};
use benches::sandwich::{Ratios, pin, sandwich};
use benches::subject::{CEILING, Line, Subject, forms};
use enforcer::{CallKind, Class, ClassId, Form, Permit, WorkerGate};
use licensing::{FeatureIndex, ServiceIndex};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const CLASSES: usize = 64;
const HELD: usize = 1_024;
/// Calls before their order comes round again; few enough that both sides stay in the first cache.
const ORDER: usize = 2_048;
const SEED: u64 = 1;

fn main() -> ExitCode {
    pin(0);
    let mut random = StdRng::seed_from_u64(SEED);
    let order: Vec<u8> = (0..ORDER)
        .map(|_| random.random_range(0..CLASSES as u8))
        .collect();
    println!("seed {SEED}");
    let mut value = None;
    for (name, form) in forms() {
        value = value.or(Some(measure(name, form, &order)));
    }
    Figure {
        id: "gate-mixed-ratio",
        value: value.and_then(|ratios| ratios.value()),
        target: 0.8,
        good: Good::AtMost,
    }
    .finish()
}

fn measure(name: &str, form: Form, order: &[u8]) -> Ratios {
    let subject = Subject::with_services(form, 2, CLASSES as u8);
    let ids: Vec<ClassId> = (0..CLASSES as u8)
        .map(|n| {
            let class = Class {
                service: ServiceIndex(n),
                features: [0, 3, 5].map(FeatureIndex).into_iter().collect(),
                kind: CallKind::Ordinary,
            };
            subject.gate.intern(class).expect("there is room")
        })
        .collect();
    subject.raise_peaks(&ids, HELD as u32 * 2);
    let mut worker = subject.worker();
    let classes: Vec<ClassId> = order.iter().map(|n| ids[usize::from(*n)]).collect();
    let lines: Vec<Line> = ids.iter().map(|_| Line::default()).collect();
    let mut gate = Held {
        permits: (0..HELD).map(|n| worker.restore(classes[n])).collect(),
        at: 0,
    };
    let mut bare = Bare::new(&lines, order);
    let ratios = sandwich(
        |pairs| bare.pairs(&lines, order, pairs),
        |pairs| gate.pairs(&mut worker, &classes, pairs),
    );
    gate.permits
        .drain(..)
        .for_each(|permit| worker.release(permit));
    ratios.explain(&format!("{name}: 64 classes, 1,024 held"));
    ratios
}

/// Sessions that are there, the oldest of which makes room.
struct Held {
    permits: Vec<Permit>,
    at: usize,
}

impl Held {
    #[inline(never)]
    fn pairs(&mut self, worker: &mut WorkerGate, classes: &[ClassId], pairs: u64) {
        for _ in 0..pairs {
            let class = classes[(self.at + HELD) % ORDER];
            match worker.admit(class) {
                Ok(permit) => {
                    let oldest = mem::replace(&mut self.permits[self.at % HELD], permit);
                    worker.release(oldest);
                }
                Err(refusal) => unexpected(refusal),
            }
            self.at = (self.at + 1) % ORDER;
        }
    }
}

#[cold]
#[inline(never)]
fn unexpected(refusal: enforcer::Refusal) {
    panic!("refused below the ceiling: {refusal:?}");
}

/// The same of bare lines.
struct Bare {
    held: Vec<u8>,
    at: usize,
}

impl Bare {
    fn new(lines: &[Line], order: &[u8]) -> Self {
        let held = order[..HELD].to_vec();
        for line in &held {
            lines[usize::from(*line)].add();
        }
        Self { held, at: 0 }
    }

    #[inline(never)]
    fn pairs(&mut self, lines: &[Line], order: &[u8], pairs: u64) {
        let limit = u64::from(CEILING);
        for _ in 0..pairs {
            let line = order[(self.at + HELD) % ORDER];
            assert!(lines[usize::from(line)].add() < limit, "too many");
            let oldest = mem::replace(&mut self.held[self.at % HELD], line);
            assert!(lines[usize::from(oldest)].sub() > 0, "too few");
            self.at = (self.at + 1) % ORDER;
        }
    }
}
