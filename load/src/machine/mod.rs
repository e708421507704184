//! The call model: begins calls when they are due, holds, updates and ends them, and counts what came of it.

mod answers;
mod arrivals;
mod calls;
mod outgoing;
mod tally;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gtp::v1::Imsi;
use gtp::v2::Plmn;
use licensing::Mono;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use self::arrivals::Arrivals;
use self::calls::{Calls, State, Subscribers};
use self::outgoing::Outgoing;
use self::tally::Tally;
use crate::heard::{Heard, hear};
use crate::interface::Kind;
use crate::transactions::Transactions;
use crate::{HoldTime, Interface, Plan, PlanError, Progress, Report};

/// Where a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// From which of our sockets, counted from 0.
    pub path: u16,
    /// To whom; `None` is the gateway's signalling address.
    pub to: Option<SocketAddr>,
}

/// The load generator without its sockets.
#[derive(Debug)]
pub struct Machine {
    plan: Plan,
    local: IpAddr,
    plmn: Plmn,
    /// The first subscriber's IMSI, or the first phone's IMEI without its last digit.
    first_caller: u64,
    imsi_digits: u8,
    weights: u64,
    start: Mono,
    ending: bool,
    paths: Vec<Transactions<Request>>,
    next_path: usize,
    calls: Calls,
    subscribers: Subscribers,
    arrivals: Arrivals,
    /// When a call's next step is due.
    timers: BinaryHeap<Reverse<(Mono, u32)>>,
    /// Steps that are due and wait for the window: our endpoint, and when it was due. A call that the end of the run
    /// takes down is due when its turn comes.
    ready: VecDeque<(u32, Option<Mono>)>,
    outbox: VecDeque<Outgoing>,
    peer_recovery: Option<u8>,
    random: StdRng,
    tally: Tally,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
struct Request {
    kind: Kind,
    /// The call, by our tunnel endpoint.
    teid: u32,
    /// Which PDN connection of it.
    pdn: u8,
    /// The gateway's tunnel endpoint.
    peer_teid: u32,
    due: Mono,
    sent: Mono,
}

impl Machine {
    /// A machine that begins its plan now. `local` is the address that the calls give as ours. `salt` is any number,
    /// another one for each run on an address: sequence numbers and tunnel endpoints begin with it, so that the gateway
    /// does not take one run's requests for repeated ones of the run before.
    ///
    /// # Errors
    ///
    /// When the plan is out of its bounds.
    pub fn new(plan: Plan, local: IpAddr, salt: u32, now: Mono) -> Result<Self, PlanError> {
        plan.check()?;
        let first = Imsi::from_text(&plan.first_imsi).map_err(|_| PlanError::Imsi {
            imsi: plan.first_imsi.clone(),
        })?;
        let [.., generation] = salt.to_be_bytes();
        let last = plan.interface.last_sequence();
        let path = || Transactions::new(plan.t3_response, plan.n3_requests, last, salt);
        Ok(Self {
            local,
            plmn: home_network(&plan.first_imsi)?,
            first_caller: plan.first_caller(first),
            imsi_digits: first.digit_count(),
            weights: plan.apns.iter().map(|share| u64::from(share.weight)).sum(),
            start: now,
            ending: false,
            paths: (0..plan.sockets_needed()).map(|_| path()).collect(),
            next_path: 0,
            calls: Calls::new(generation),
            subscribers: Subscribers::new(plan.subscribers),
            arrivals: Arrivals::new(&plan, now),
            timers: BinaryHeap::new(),
            ready: VecDeque::new(),
            outbox: VecDeque::new(),
            peer_recovery: None,
            random: StdRng::seed_from_u64(plan.seed),
            tally: Tally::new(plan.interface),
            plan,
        })
    }

    /// How many sockets it sends from.
    pub fn sockets(&self) -> u16 {
        self.paths.len() as u16
    }

    /// Whether there is nothing more to send or to wait for.
    pub fn is_done(&self) -> bool {
        let answered = self.under_way() == 0 && self.ready.is_empty() && self.outbox.is_empty();
        let kept = self.plan.leave_up && (self.ending || self.holds_for_ever());
        answered && self.arrivals.next().is_none() && (kept || self.tally.live == 0)
    }

    /// Whether no more calls are begun and those there are are being taken down.
    pub fn is_ending(&self) -> bool {
        self.ending
    }

    /// What came of it so far.
    pub fn report(&self, now: Mono) -> Report {
        self.tally
            .report(now.since(self.start), self.arrivals.due())
    }

    /// How it stands; rates are since the last call of this.
    pub fn progress(&mut self, now: Mono) -> Progress {
        self.tally.progress(self.start, now, self.ending)
    }

    /// A datagram came in on one of our sockets.
    pub fn handle_datagram(&mut self, path: u16, from: SocketAddr, datagram: &[u8], now: Mono) {
        let to = from;
        match hear(self.plan.interface, datagram) {
            Heard::Echo { sequence } => {
                self.tally.echoes_answered += 1;
                self.outbox.push_back(Outgoing::Echo { to, path, sequence });
            }
            Heard::Answer(answer) => self.response(path, &answer, now),
            Heard::Ends {
                sequence,
                teid,
                bearer,
            } => self.peer_ends((path, to), teid, sequence, bearer),
            Heard::OtherVersion { sequence } => {
                self.tally.unexpected += 1;
                self.outbox
                    .push_back(Outgoing::Version { to, path, sequence });
            }
            Heard::Unknown => self.tally.unexpected += 1,
        }
        self.pump(now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Mono) {
        for path in 0..self.paths.len() {
            while let Some(expired) = self.paths[path].expire(now) {
                self.expired(path as u16, expired, now);
            }
        }
        while let Some(&Reverse((at, teid))) = self.timers.peek() {
            if at > now {
                break;
            }
            self.timers.pop();
            self.step_due(teid, at);
        }
        if self.ends_at().is_some_and(|at| at <= now) {
            self.finish();
        }
        self.pump(now);
    }

    /// Begins no more calls and, unless the plan leaves them up, takes down those there are.
    pub fn finish(&mut self) {
        if self.ending {
            return;
        }
        self.ending = true;
        self.arrivals.stop();
        if self.plan.leave_up {
            return;
        }
        for call in self.calls.iter_mut() {
            if call.state == State::Up {
                call.state = State::Waiting;
                self.ready.push_back((call.teid, None));
            }
        }
    }

    /// When [`Machine::handle_timeout`] is to be called next; `None` if only a datagram can bring anything.
    pub fn poll_timeout(&self) -> Option<Mono> {
        let deadlines = self.paths.iter().filter_map(Transactions::next_deadline);
        let step = self.timers.peek().map(|Reverse((at, _))| *at);
        let begin = match self.under_way() < self.plan.window {
            true => self.next_begin(),
            false => None,
        };
        deadlines
            .chain(step)
            .chain(begin)
            .chain(self.ends_at())
            .min()
    }

    /// Writes the next datagram to send into `out`; `None` if there is none now.
    pub fn poll_transmit(&mut self, out: &mut Vec<u8>) -> Option<Transmit> {
        while let Some(outgoing) = self.outbox.pop_front() {
            match self.write(outgoing, out) {
                Some(Ok(transmit)) => return Some(transmit),
                // It was answered before it was sent again.
                None => {}
                Some(Err(error)) => {
                    debug_assert!(false, "a checked plan makes messages that fit: {error}");
                }
            }
        }
        None
    }

    fn under_way(&self) -> u32 {
        self.paths.iter().map(Transactions::under_way).sum()
    }

    fn holds_for_ever(&self) -> bool {
        self.plan.hold == HoldTime::Forever && self.plan.duration.is_none()
    }

    fn ends_at(&self) -> Option<Mono> {
        match self.ending {
            true => None,
            false => self.plan.duration.map(|time| self.start.after(time)),
        }
    }

    /// When a request can begin, as far as sequence numbers go.
    fn next_begin(&self) -> Option<Mono> {
        let wanted = match self.ready.is_empty() {
            true => self.arrivals.next()?,
            false => self.start,
        };
        let open = self.paths.iter().map(Transactions::opens_at).min()?;
        Some(wanted.max(open))
    }

    /// Begins what is due; calls that are held for ever end once there are no more to begin.
    fn pump(&mut self, now: Mono) {
        self.begin_due(now);
        if self.holds_for_ever() && self.arrivals.next().is_none() && self.under_way() == 0 {
            self.finish();
            self.begin_due(now);
        }
    }

    /// Steps of calls first, as far as the window and the sequence numbers go.
    fn begin_due(&mut self, now: Mono) {
        while self.under_way() < self.plan.window {
            let Some(path) = self.open_path(now) else {
                return;
            };
            if let Some((teid, due)) = self.ready.pop_front() {
                self.begin_step(path, teid, due.unwrap_or(now), now);
                continue;
            }
            match self.arrivals.next() {
                Some(due) if due <= now => {
                    self.arrivals.take();
                    self.begin_call(path, due, now);
                }
                _ => return,
            }
        }
    }

    /// The next path, in turn, that has a sequence number to spare.
    fn open_path(&mut self, now: Mono) -> Option<u16> {
        let count = self.paths.len();
        for _ in 0..count {
            let path = self.next_path;
            self.next_path = (path + 1) % count;
            if self.paths[path].is_open(now) {
                return Some(path as u16);
            }
        }
        None
    }

    fn begin_call(&mut self, path: u16, due: Mono, now: Mono) {
        let Some(subscriber) = self.subscribers.take() else {
            self.tally.no_subscriber += 1;
            return;
        };
        let apn = self.choose_apn();
        let teid = self.calls.begin(subscriber, apn);
        self.begin(path, (Kind::Create, 0), teid, due, now);
    }

    fn begin_step(&mut self, path: u16, teid: u32, due: Mono, now: Mono) {
        let ending = self.ending && !self.plan.leave_up;
        let Some(call) = self.calls.get_mut(teid) else {
            return;
        };
        let step = match ending || call.ends <= due {
            true => (Kind::Delete, call.last_up()),
            false => call.next,
        };
        if step.0 == Kind::Create {
            call.asked += 1;
        }
        call.state = State::Busy;
        self.begin(path, step, teid, due, now);
    }

    fn begin(&mut self, path: u16, (kind, pdn): (Kind, u8), teid: u32, due: Mono, now: Mono) {
        let request = Request {
            kind,
            teid,
            pdn,
            peer_teid: self.calls.get(teid).map_or(0, |call| call.peer_teid),
            due,
            sent: now,
        };
        if let Ok(sequence) = self.paths[usize::from(path)].begin(request, now) {
            self.tally.of(kind).requests += 1;
            self.outbox.push_back(Outgoing::Request { path, sequence });
        }
    }

    /// A call is updated, or on S11 its UE falls idle and comes back (TS 23.401 5.3.5, 5.3.4.1).
    fn step_due(&mut self, teid: u32, at: Mono) {
        let update = match self.plan.interface {
            Interface::S11 => Kind::Release,
            Interface::Gn | Interface::S5 => Kind::Update,
        };
        match self.calls.get_mut(teid) {
            Some(call) if call.state == State::Up && call.ends.min(call.next_update) == at => {
                call.state = State::Waiting;
                call.next = (update, 0);
                self.ready.push_back((teid, Some(at)));
            }
            Some(call) if call.state == State::Abandoned && call.ends == at => {
                self.end_call(teid);
            }
            _ => {}
        }
    }

    fn choose_apn(&mut self) -> u16 {
        let mut ticket = self.random.random_range(0..self.weights);
        for (at, share) in (0_u16..).zip(&self.plan.apns) {
            match ticket.checked_sub(u64::from(share.weight)) {
                Some(rest) => ticket = rest,
                None => return at,
            }
        }
        0
    }

    fn hold(&mut self) -> Option<Duration> {
        match self.plan.hold {
            HoldTime::Fixed(hold) => Some(hold),
            HoldTime::Exponential(mean) => {
                let uniform: f64 = self.random.random();
                Some(mean.mul_f64(-(1.0 - uniform).ln()))
            }
            HoldTime::Forever => None,
        }
    }
}

/// The network that an IMSI's first five digits name.
fn home_network(imsi: &str) -> Result<Plmn, PlanError> {
    let digits = imsi.get(..3).zip(imsi.get(3..5));
    let plmn = digits.and_then(|(country, network)| Plmn::from_text(country, network).ok());
    plmn.ok_or_else(|| PlanError::Imsi {
        imsi: imsi.to_owned(),
    })
}
