//! The calls there are, and the subscribers that make them.

use std::collections::VecDeque;

use licensing::Mono;

use crate::interface::Kind;

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A request for it is under way.
    Busy,
    /// It is up, and nothing is to be done.
    Up,
    /// It is up and waits to be told that its next step may begin.
    Waiting,
    /// Its create was never answered. An answer may still come.
    Abandoned,
}

/// One call. On S11 it is a UE, which may have several PDN connections; else it has one, the first.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub state: State,
    /// Which of the plan's APNs.
    pub apn: u16,
    /// Which of the plan's subscribers.
    pub subscriber: u32,
    /// Our tunnel endpoint, for signalling and data: names this call.
    pub teid: u32,
    /// The gateway's, for signalling.
    pub peer_teid: u32,
    /// PDN connections that were asked for.
    pub asked: u8,
    /// PDN connections that are up: bit 0 is the first.
    pub up: u16,
    /// What its next step is, and to which PDN connection, unless it is to end.
    pub next: (Kind, u8),
    /// When it ends.
    pub ends: Mono,
    /// When it is updated next.
    pub next_update: Mono,
}

impl Call {
    /// The last PDN connection that is up.
    pub fn last_up(&self) -> u8 {
        self.up.checked_ilog2().unwrap_or(0) as u8
    }

    /// The first PDN connection that is up, from this one on.
    pub fn up_from(&self, pdn: u8) -> Option<u8> {
        let left = self.up.checked_shr(pdn.into())?;
        (left != 0).then(|| pdn + left.trailing_zeros() as u8)
    }
}

/// The low bits of our tunnel endpoints hold the call's place; the others change each time that it is used.
const PLACE_BITS: u32 = 24;
const PLACE_MASK: u32 = (1 << PLACE_BITS) - 1;

/// Calls, found by our tunnel endpoint.
#[derive(Debug)]
pub(super) struct Calls {
    places: Vec<Option<Call>>,
    generations: Vec<u8>,
    first_generation: u8,
    free: VecDeque<u32>,
}

impl Calls {
    pub fn new(first_generation: u8) -> Self {
        Self {
            places: Vec::new(),
            generations: Vec::new(),
            first_generation,
            free: VecDeque::new(),
        }
    }

    /// A new call, with a tunnel endpoint that is never 0.
    pub fn begin(&mut self, subscriber: u32, apn: u16) -> u32 {
        let place = self.free.pop_front().unwrap_or_else(|| {
            self.places.push(None);
            self.generations.push(self.first_generation);
            self.places.len() as u32 - 1
        });
        let at = place as usize;
        self.generations[at] = self.generations[at].wrapping_add(1);
        let teid = u32::from(self.generations[at]) << PLACE_BITS | (place + 1);
        self.places[at] = Some(Call {
            state: State::Busy,
            apn,
            subscriber,
            teid,
            peer_teid: 0,
            asked: 1,
            up: 0,
            next: (Kind::Create, 0),
            ends: Mono(u64::MAX),
            next_update: Mono(u64::MAX),
        });
        teid
    }

    pub fn get(&self, teid: u32) -> Option<&Call> {
        let call = self.places.get(place_of(teid)?)?.as_ref()?;
        (call.teid == teid).then_some(call)
    }

    pub fn get_mut(&mut self, teid: u32) -> Option<&mut Call> {
        let call = self.places.get_mut(place_of(teid)?)?.as_mut()?;
        (call.teid == teid).then_some(call)
    }

    /// Ends a call and frees its tunnel endpoint.
    pub fn end(&mut self, teid: u32) -> Option<Call> {
        self.get(teid)?;
        let place = place_of(teid)?;
        self.free.push_back(place as u32);
        self.places[place].take()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Call> {
        self.places.iter_mut().flatten()
    }
}

fn place_of(teid: u32) -> Option<usize> {
    (teid & PLACE_MASK)
        .checked_sub(1)
        .map(|place| place as usize)
}

/// Subscribers without a call: those who never had one, then those who had one the longest ago.
#[derive(Debug)]
pub(super) struct Subscribers {
    fresh: u32,
    all: u32,
    idle: VecDeque<u32>,
}

impl Subscribers {
    pub fn new(all: u32) -> Self {
        Self {
            fresh: 0,
            all,
            idle: VecDeque::new(),
        }
    }

    pub fn take(&mut self) -> Option<u32> {
        if self.fresh < self.all {
            self.fresh += 1;
            return Some(self.fresh - 1);
        }
        self.idle.pop_front()
    }

    pub fn put(&mut self, subscriber: u32) {
        self.idle.push_back(subscriber);
    }
}
