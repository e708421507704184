//! Many threads want few places: how many hold one at once, by a count that can't be above the truth.

use std::collections::VecDeque;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::thread;

use anyhow::{Result, ensure};
use benches::report::{Cell, Table};

use crate::seats::{Seat, Use, Way, seats};

const CEILING: u32 = 8;
/// Each thread wants so many at once.
const WANTED: usize = 4;
/// Admissions tried by each thread.
const TRIES: u32 = 40_000;
const THREADS: [usize; 2] = [4, 8];

/// What was seen.
#[derive(Clone, Copy)]
struct Seen {
    highest: u32,
    admitted: u64,
    /// Places free again in the end.
    free: u32,
}

struct Crowd;

impl Use for Crowd {
    type Of = Seen;

    fn seats<S: Seat + 'static>(self, mut seats: Vec<S>) -> Seen {
        let (holders, highest) = (AtomicU32::new(0), AtomicU32::new(0));
        let admitted = AtomicU64::new(0);
        let start = Barrier::new(seats.len());
        thread::scope(|scope| {
            for seat in &mut seats {
                let (holders, highest, admitted, start) = (&holders, &highest, &admitted, &start);
                scope.spawn(move || {
                    let mut held = VecDeque::new();
                    start.wait();
                    for _ in 0..TRIES {
                        let answer = seat.admit();
                        let full = answer.is_none();
                        if let Some(one) = answer {
                            // After the admission, and taken off before the release: never above the truth.
                            let now = holders.fetch_add(1, SeqCst) + 1;
                            highest.fetch_max(now, SeqCst);
                            admitted.fetch_add(1, SeqCst);
                            held.push_back(one);
                        }
                        if full || held.len() == WANTED {
                            if let Some(one) = held.pop_front() {
                                holders.fetch_sub(1, SeqCst);
                                seat.release(one);
                            }
                            // Whoever waits on one processor sees the places that others hold.
                            thread::yield_now();
                        }
                    }
                    for one in held {
                        holders.fetch_sub(1, SeqCst);
                        seat.release(one);
                    }
                });
            }
        });
        // Credit that lies with one thread comes home to whoever needs it.
        let mut last = Vec::new();
        if let Some(seat) = seats.first_mut() {
            while let Some(one) = seat.admit() {
                last.push(one);
                if last.len() > CEILING as usize {
                    break;
                }
            }
            let free = last.len() as u32;
            last.drain(..).for_each(|one| seat.release(one));
            return Seen {
                highest: highest.into_inner(),
                admitted: admitted.into_inner(),
                free,
            };
        }
        Seen {
            highest: 0,
            admitted: 0,
            free: 0,
        }
    }
}

/// Ways that keep a limit on what is held; an error: the gate doesn't.
pub(crate) fn table(ways: &[Way]) -> Result<Table> {
    let title = format!(
        "Threads that want {WANTED} places each of {CEILING}: the most seen held at once, and free in the end"
    );
    let columns = ["way", "threads", "most held", "admitted", "free in the end"];
    let mut table = Table::new("gate-compare-bound", &title, &columns);
    for way in ways {
        for threads in THREADS {
            let limited = match way {
                Way::ThreadLocal | Way::OwnLine | Way::SharedLine | Way::Governor => None,
                Way::Gate(..)
                | Way::Packed
                | Way::AddUndo
                | Way::ParkingLot
                | Way::StdMutex
                | Way::Dash
                | Way::Tokio => seats(*way, CEILING, 0, threads, Crowd),
            };
            let Some(seen) = limited else { continue };
            ensure!(
                seen.highest <= CEILING && seen.free == CEILING,
                "{}: {} held at once, {} free in the end, of {CEILING}",
                way.name(),
                seen.highest,
                seen.free
            );
            let numbers = [
                threads as f64,
                f64::from(seen.highest),
                seen.admitted as f64,
                f64::from(seen.free),
            ];
            let numbers = numbers.map(Cell::from);
            table.row([Cell::from(way.name())].into_iter().chain(numbers));
        }
    }
    Ok(table)
}
