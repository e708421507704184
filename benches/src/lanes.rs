//! Many subjects in one run, on one thread or several: each slice lies between two slices of the yardstick, which is the
//! bare pair on a line of the thread's own, and the order of the subjects turns with the rounds.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

use crate::sandwich::{Ratios, Sample, cpu_seconds, pin, repetitions};
use crate::subject::{Line, add_sub};

/// Wall time over CPU time of the yardstick above which somebody else had a processor.
const STOLEN_MAX: f64 = 1.15;
/// Undisturbed rounds that a result of several threads needs.
const CALM_MIN: usize = 15;
/// Looks at the other threads before this one gives its processor away.
const LOOKS: u32 = 20_000;
/// Threads side by side.
pub const THREADS_MAX: usize = 2;

/// One thread's part of a subject: does so many repetitions, and says how many of them were refused.
pub type Lane<'a> = Box<dyn FnMut(u64) -> u64 + Send + 'a>;

/// What is measured: a lane for each thread.
pub struct Runner<'a> {
    /// What it is called.
    pub name: String,
    /// As many as there are threads.
    pub lanes: Vec<Lane<'a>>,
}

/// What was found of one subject.
pub struct Found {
    /// What it is called.
    pub name: String,
    /// Over the yardstick, by repetition; none: too few rounds were undisturbed.
    pub ratios: Option<Ratios>,
    /// Repetitions that were refused, of all.
    pub refused: u64,
    /// Repetitions altogether.
    pub all: u64,
}

#[derive(Clone, Copy, Default)]
struct Slice {
    cpu_s: f64,
    wall_s: f64,
    repetitions: u64,
    refused: u64,
}

impl Slice {
    fn of(repetitions: u64, work: impl FnOnce(u64) -> u64) -> Self {
        let (start, wall) = (cpu_seconds(), Instant::now());
        let refused = work(repetitions);
        Self {
            cpu_s: cpu_seconds() - start,
            wall_s: wall.elapsed().as_secs_f64(),
            repetitions,
            refused,
        }
    }

    fn each_s(&self) -> f64 {
        self.cpu_s / self.repetitions as f64
    }
}

/// Slices of one round on one thread: yardstick, subject, yardstick, ..., yardstick.
type Round = Vec<Slice>;

/// Where the threads meet before each slice.
struct Meeting {
    threads: u64,
    arrived: AtomicU64,
}

impl Meeting {
    fn meet(&self, number: u64) {
        self.arrived.fetch_add(1, SeqCst);
        let mut looks = 0;
        while self.arrived.load(SeqCst) < self.threads * number {
            looks += 1;
            match looks % LOOKS {
                0 => thread::yield_now(),
                _ => std::hint::spin_loop(),
            }
        }
    }
}

/// Measures all of them, on as many threads as each has lanes, each thread on a processor of its own.
pub fn side_by_side(runners: Vec<Runner<'_>>, rounds: usize) -> Vec<Found> {
    let threads = runners.first().map_or(0, |runner| runner.lanes.len());
    assert!((1..=THREADS_MAX).contains(&threads), "{threads} threads");
    let mut names = Vec::new();
    let mut by_thread: Vec<Vec<Lane<'_>>> = (0..threads).map(|_| Vec::new()).collect();
    for runner in runners {
        assert_eq!(
            runner.lanes.len(),
            threads,
            "a lane a thread: {}",
            runner.name
        );
        names.push(runner.name);
        for (lanes, lane) in by_thread.iter_mut().zip(runner.lanes) {
            lanes.push(lane);
        }
    }
    let meeting = Meeting {
        threads: threads as u64,
        arrived: AtomicU64::new(0),
    };
    // How many fill a slice, by the first thread with nobody beside it; the others do as many.
    let first = by_thread.first_mut().map(|lanes| {
        let lanes = lanes.iter_mut();
        let counts = lanes.map(|lane| {
            repetitions(|count| {
                lane(count);
            })
        });
        counts.collect()
    });
    let counts: Vec<u64> = first.unwrap_or_default();
    let slices: Vec<Vec<Round>> = thread::scope(|scope| {
        let (meeting, counts) = (&meeting, &counts);
        let spawned = by_thread.into_iter().enumerate().map(|(place, lanes)| {
            scope.spawn(move || {
                pin(place);
                drive(lanes, counts, rounds, meeting)
            })
        });
        let spawned: Vec<_> = spawned.collect();
        let joined = spawned.into_iter().map(|one| one.join());
        joined
            .map(|one| one.expect("a lane doesn't panic"))
            .collect()
    });
    let names = names.into_iter().enumerate();
    names
        .map(|(which, name)| found(name, which, &slices))
        .collect()
}

fn drive(mut lanes: Vec<Lane<'_>>, counts: &[u64], rounds: usize, meeting: &Meeting) -> Vec<Round> {
    let line = Line::default();
    let own = repetitions(|count| add_sub(&line, count));
    let mut number = 0;
    let mut slice = |repetitions, work: &mut dyn FnMut(u64) -> u64| {
        number += 1;
        meeting.meet(number);
        Slice::of(repetitions, work)
    };
    let mut yardstick = |count| {
        add_sub(&line, count);
        0
    };
    let turns = (0..rounds).map(|turn| {
        let mut round = vec![slice(own, &mut yardstick)];
        for place in 0..lanes.len() {
            let which = (place + turn) % lanes.len();
            round.push(slice(counts[which], &mut lanes[which]));
            round.push(slice(own, &mut yardstick));
        }
        round
    });
    turns.collect()
}

fn found(name: String, which: usize, slices: &[Vec<Round>]) -> Found {
    let rounds = slices.first().map_or(0, Vec::len);
    let (mut local, mut noise, mut own) = (Vec::new(), Vec::new(), Vec::new());
    let (mut refused, mut all) = (0, 0);
    for turn in 0..rounds {
        let of = || slices.iter().map(move |thread| &thread[turn]);
        let subjects = of().next().map_or(0, |round| round.len() / 2);
        let place = 2 * ((which + subjects - turn % subjects) % subjects) + 1;
        let sum = |place: usize| of().map(|round| round[place].each_s()).sum::<f64>();
        refused += of().map(|round| round[place].refused).sum::<u64>();
        all += of().map(|round| round[place].repetitions).sum::<u64>();
        let calm =
            |place: usize| of().all(|round| round[place].wall_s <= round[place].cpu_s * STOLEN_MAX);
        // One thread's CPU time is its own, whoever is beside it.
        if slices.len() > 1 && !(calm(place - 1) && calm(place + 1)) {
            continue;
        }
        let (before, after) = (sum(place - 1), sum(place + 1));
        let mean = (before + after) / 2.0;
        local.push(sum(place) / mean);
        noise.push((before - after).abs() / mean);
        own.push(mean / slices.len() as f64 * 1e9);
    }
    let enough = local.len() >= CALM_MIN.min(rounds);
    let ratios = enough.then(|| Ratios {
        local: Sample::new(local),
        noise: Sample::new(noise),
        yardstick_ns: Sample::new(own).median(),
    });
    Found {
        name,
        ratios,
        refused,
        all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(each_ns: u64, refused: u64, stolen: bool) -> Slice {
        Slice {
            cpu_s: each_ns as f64 * 1e-7,
            wall_s: each_ns as f64 * if stolen { 2e-7 } else { 1e-7 },
            repetitions: 100,
            refused,
        }
    }

    /// Two subjects of 20 and 40 ns, whose order turns, between yardsticks of 10 ns.
    fn thread(rounds: usize, stolen: bool) -> Vec<Round> {
        let round = |turn: usize| {
            let (first, second) = (slice(20, 1, false), slice(40, 3, false));
            let yardstick = slice(10, 0, stolen);
            match turn % 2 {
                0 => vec![yardstick, first, yardstick, second, yardstick],
                _ => vec![yardstick, second, yardstick, first, yardstick],
            }
        };
        (0..rounds).map(round).collect()
    }

    #[test]
    fn each_subject_is_held_against_its_own_neighbours() {
        let slices = [thread(20, false), thread(20, false)];
        for (which, ratio, refused) in [(0, 2.0, 40), (1, 4.0, 120)] {
            let found = found("one".into(), which, &slices);
            assert_eq!((found.refused, found.all), (refused, 4_000));
            let ratios = found.ratios.unwrap();
            assert!((ratios.local.quantile(0.0) - ratio).abs() < 1e-9);
            assert!((ratios.local.quantile(1.0) - ratio).abs() < 1e-9);
            assert!((ratios.yardstick_ns - 10.0).abs() < 1e-6);
        }
    }

    #[test]
    fn rounds_in_which_a_processor_was_taken_away_do_not_count() {
        let slices = [thread(20, false), thread(20, true)];
        assert!(found("two".into(), 0, &slices).ratios.is_none());
        let alone = [thread(20, true)];
        assert!(found("one".into(), 0, &alone).ratios.is_some());
    }

    #[test]
    fn every_lane_runs_as_often_as_it_is_told() {
        let count = AtomicU64::new(0);
        let lane = || -> Lane<'_> {
            Box::new(|repetitions| {
                for _ in 0..repetitions {
                    count.fetch_add(1, SeqCst);
                }
                repetitions
            })
        };
        let runner = Runner {
            name: "counts".into(),
            lanes: vec![lane(), lane()],
        };
        let found = side_by_side(vec![runner], 2);
        assert_eq!(found[0].refused, found[0].all);
        assert!(count.load(SeqCst) >= found[0].all);
    }
}
