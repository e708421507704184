//! Every way to keep a limit, as a thread uses it.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;

use benches::lanes::Lane;
use benches::subject::{SERVICE, Subject};
use enforcer::{ClassId, Form, Permit, Terms, WorkerGate};

use crate::limits::{
    AddAlone, AddUndo, Dash, Governor, Limit, Packed, ParkingLot, StdMutex, TokioSemaphore,
};

/// One thread's use of a limit.
pub(crate) trait Seat: Send {
    /// What an admission gives, for its release.
    type Held;
    fn admit(&mut self) -> Option<Self::Held>;
    fn release(&mut self, held: Self::Held);
}

/// A way to keep a limit, or to do without.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    ThreadLocal,
    OwnLine,
    Gate(&'static str, Form),
    SharedLine,
    Packed,
    AddUndo,
    ParkingLot,
    StdMutex,
    Dash,
    Tokio,
    Governor,
}

/// All of them; the asymmetric form only where the system has its fence.
pub(crate) fn ways() -> Vec<Way> {
    let asymmetric = node::fence::asymmetric();
    let asymmetric = asymmetric.inspect_err(|why| println!("no asymmetric form here: {why}"));
    let asymmetric = asymmetric.map(|form| Way::Gate("gate, asymmetric form", form));
    [Way::ThreadLocal]
        .into_iter()
        .chain(asymmetric)
        .chain([
            Way::Gate("gate, atomic form", Form::Atomic),
            Way::OwnLine,
            Way::SharedLine,
            Way::AddUndo,
            Way::Packed,
            Way::Tokio,
            Way::Governor,
            Way::ParkingLot,
            Way::StdMutex,
            Way::Dash,
        ])
        .collect()
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ThreadLocal => "thread-local add, no limit (floor)",
            Self::OwnLine => "atomic add on own lines, no limit",
            Self::Gate(name, _) => name,
            Self::SharedLine => "atomic add on a shared line, no limit",
            Self::Packed => "compare-and-swap, limit packed",
            Self::AddUndo => "atomic add, undone above the limit",
            Self::ParkingLot => "parking_lot Mutex of a HashMap",
            Self::StdMutex => "std Mutex of a HashMap",
            Self::Dash => "DashMap",
            Self::Tokio => "tokio Semaphore",
            Self::Governor => "governor (a rate; check only)",
        }
    }
}

/// A limit with an equal part for every thread.
struct Common<L>(Arc<L>);

impl<L: Limit> Seat for Common<L> {
    type Held = ();

    #[inline]
    fn admit(&mut self) -> Option<()> {
        self.0.admit().then_some(())
    }

    #[inline]
    fn release(&mut self, (): ()) {
        self.0.release();
    }
}

/// A worker of the gate, and what is held beside what is measured.
pub(crate) struct AtTheGate {
    worker: WorkerGate,
    class: ClassId,
    held: Vec<Permit>,
}

impl Seat for AtTheGate {
    type Held = Permit;

    #[inline]
    fn admit(&mut self) -> Option<Permit> {
        self.worker.admit(self.class).ok()
    }

    #[inline]
    fn release(&mut self, permit: Permit) {
        self.worker.release(permit);
    }
}

impl Drop for AtTheGate {
    fn drop(&mut self) {
        for permit in self.held.drain(..) {
            self.worker.release(permit);
        }
    }
}

/// The least that a count can cost: nobody else sees it.
struct Alone;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

impl Seat for Alone {
    type Held = ();

    #[inline]
    fn admit(&mut self) -> Option<()> {
        COUNT.with(|count| {
            let count = black_box(count);
            count.set(count.get() + 1);
        });
        Some(())
    }

    #[inline]
    fn release(&mut self, (): ()) {
        COUNT.with(|count| {
            let count = black_box(count);
            count.set(count.get() - 1);
        });
    }
}

/// So many repetitions; how many of them were refused.
#[inline(never)]
fn repeat<S: Seat>(seat: &mut S, repetitions: u64) -> u64 {
    let mut refused = 0;
    for _ in 0..repetitions {
        match seat.admit() {
            Some(held) => seat.release(held),
            None => refused += 1,
        }
    }
    refused
}

/// What is done with the seats of all threads.
pub(crate) trait Use {
    type Of;
    fn seats<S: Seat + 'static>(self, seats: Vec<S>) -> Self::Of;
}

/// The seats of so many threads, with so much of the ceiling taken before; none: this way has no such case.
pub(crate) fn seats<U: Use>(
    way: Way,
    ceiling: u32,
    held: u32,
    threads: usize,
    using: U,
) -> Option<U::Of> {
    let unlimited = held == 0;
    Some(match way {
        Way::ThreadLocal if unlimited => using.seats((0..threads).map(|_| Alone).collect()),
        Way::OwnLine if unlimited => {
            let own = (0..threads).map(|_| Common(Arc::new(AddAlone::new(ceiling))));
            using.seats(own.collect())
        }
        Way::SharedLine if unlimited => using.seats(common(AddAlone::new(ceiling), threads)),
        Way::Governor if unlimited || held == ceiling => {
            using.seats(common(Governor::new(unlimited), threads))
        }
        Way::ThreadLocal | Way::OwnLine | Way::SharedLine | Way::Governor => return None,
        Way::Gate(_, form) => using.seats(at_the_gate(form, ceiling, held, threads)),
        Way::Packed => using.seats(common(Packed::new(ceiling, held), threads)),
        Way::AddUndo => using.seats(common(AddUndo::new(ceiling, held), threads)),
        Way::ParkingLot => using.seats(common(ParkingLot::new(ceiling, held), threads)),
        Way::StdMutex => using.seats(common(StdMutex::new(ceiling, held), threads)),
        Way::Dash => using.seats(common(Dash::new(ceiling, held), threads)),
        Way::Tokio => using.seats(common(TokioSemaphore::new(ceiling, held), threads)),
    })
}

fn common<L: Limit>(limit: L, threads: usize) -> Vec<Common<L>> {
    let limit = Arc::new(limit);
    (0..threads).map(|_| Common(limit.clone())).collect()
}

fn at_the_gate(form: Form, ceiling: u32, held: u32, threads: usize) -> Vec<AtTheGate> {
    let subject = Subject::of(form, threads as u16);
    let terms = subject.gate.terms(SERVICE);
    let ceiling = Some(ceiling);
    subject.gate.set_terms(SERVICE, Terms { ceiling, ..terms });
    let seats = (0..threads).map(|_| AtTheGate {
        worker: subject.worker(),
        class: subject.class,
        held: Vec::new(),
    });
    let mut seats: Vec<AtTheGate> = seats.collect();
    if let Some(first) = seats.first_mut() {
        let permits = (0..held).map(|_| first.worker.restore(first.class));
        first.held = permits.collect();
    }
    seats
}

/// A lane for each thread, for the rounds side by side.
pub(crate) fn lanes(
    way: Way,
    ceiling: u32,
    held: u32,
    threads: usize,
) -> Option<Vec<Lane<'static>>> {
    struct Lanes;
    impl Use for Lanes {
        type Of = Vec<Lane<'static>>;
        fn seats<S: Seat + 'static>(self, seats: Vec<S>) -> Self::Of {
            let lane = |mut seat: S| -> Lane<'static> {
                Box::new(move |repetitions| repeat(&mut seat, repetitions))
            };
            seats.into_iter().map(lane).collect()
        }
    }
    seats(way, ceiling, held, threads, Lanes)
}
