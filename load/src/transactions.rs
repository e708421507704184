//! Requests without an answer yet: their sequence numbers, and when to send them again (TS 29.060 7.6, 11.2; TS 29.274
//! 7.6).

use std::collections::VecDeque;
use std::time::Duration;

use licensing::Mono;

/// Most requests under way on one path: all sequence numbers of GTPv1.
const PLACES: usize = 1 << 16;

/// A request without an answer.
#[derive(Clone, Debug)]
pub(crate) struct Pending<T> {
    /// How often it was sent.
    pub sends: u8,
    /// Whose it is.
    pub what: T,
}

/// What became of a request whose answer did not come in time.
#[derive(Debug)]
pub(crate) enum Expired<T> {
    /// It is to be sent again.
    Resend(u32),
    /// It was sent as often as it may be.
    GaveUp(Pending<T>),
}

/// The requests under way on one path. A sequence number rests for a while after its use, so that no late answer, and no
/// answer that the peer kept, is taken for that of another request. Where there are more of them than places, they share
/// places, and every other one comes again only after all have.
#[derive(Debug)]
pub(crate) struct Transactions<T> {
    places: Vec<Place<T>>,
    next: u32,
    last: u32,
    under_way: u32,
    /// Every T3 is as long, so deadlines come in the order in which requests were sent.
    deadlines: VecDeque<(Mono, u32, u64)>,
    t3: Duration,
    n3: u8,
    rest: Duration,
    /// Sends so far: each deadline carries the number of its send.
    stamps: u64,
}

#[derive(Debug)]
enum Place<T> {
    Free,
    Resting {
        until: Mono,
    },
    Used {
        sequence: u32,
        pending: Pending<T>,
        /// Of the last send: only its deadline counts.
        stamp: u64,
    },
}

impl<T> Transactions<T> {
    /// None yet; sequence numbers go to `last`, one less than a power of 2 and not below 65,535, and the first follows
    /// from `salt`. One that begins anew on an address must not begin where the one before began, or the peer takes its
    /// requests for repeated ones.
    pub fn new(t3: Duration, n3: u8, last: u32, salt: u32) -> Self {
        let shared = last as usize >= PLACES;
        Self {
            places: (0..PLACES).map(|_| Place::Free).collect(),
            next: salt.rotate_right(16) & last,
            last,
            under_way: 0,
            deadlines: VecDeque::new(),
            t3,
            n3,
            rest: match shared {
                true => Duration::ZERO,
                false => t3 * u32::from(n3),
            },
            stamps: 0,
        }
    }

    pub fn under_way(&self) -> u32 {
        self.under_way
    }

    pub fn get(&self, sequence: u32) -> Option<&Pending<T>> {
        match &self.places[place(sequence)] {
            Place::Used {
                sequence: used,
                pending,
                ..
            } if *used == sequence => Some(pending),
            Place::Used { .. } | Place::Free | Place::Resting { .. } => None,
        }
    }

    /// Whether a request may begin now: the next sequence number is not in use or resting.
    pub fn is_open(&self, now: Mono) -> bool {
        self.opens_at() <= now
    }

    /// The sequence number of the next request.
    pub fn next_sequence(&self) -> u32 {
        self.next
    }

    /// When a request may begin; the end of time if only an answer or a deadline can tell.
    pub fn opens_at(&self) -> Mono {
        match &self.places[place(self.next)] {
            Place::Free => Mono(0),
            Place::Resting { until } => *until,
            Place::Used { .. } => Mono(u64::MAX),
        }
    }

    /// Begins a request, which is to be sent now; gives it back if no sequence number is to be had.
    pub fn begin(&mut self, what: T, now: Mono) -> Result<u32, T> {
        if !self.is_open(now) {
            return Err(what);
        }
        let sequence = self.next;
        self.under_way += 1;
        let pending = Pending { sends: 1, what };
        let stamp = self.stamp();
        self.places[place(sequence)] = Place::Used {
            sequence,
            pending,
            stamp,
        };
        self.deadlines
            .push_back((now.after(self.t3), sequence, stamp));
        self.advance();
        Ok(sequence)
    }

    /// To the next sequence number; where places are shared, to the next whose place is not in use.
    fn advance(&mut self) {
        for _ in 0..PLACES {
            self.next = (self.next + 1) & self.last;
            let used = matches!(self.places[place(self.next)], Place::Used { .. });
            if !used || (self.last as usize) < PLACES {
                return;
            }
        }
    }

    /// Takes the request that an answer is to, if it fits.
    pub fn answer(
        &mut self,
        sequence: u32,
        fits: impl FnOnce(&T) -> bool,
        now: Mono,
    ) -> Option<Pending<T>> {
        match fits(&self.get(sequence)?.what) {
            true => self.end(sequence, now),
            false => None,
        }
    }

    /// When the next deadline is.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.deadlines.front().map(|(at, ..)| *at)
    }

    /// The next request whose answer is overdue. Call it until there is none.
    pub fn expire(&mut self, now: Mono) -> Option<Expired<T>> {
        loop {
            let &(at, sequence, stamp) = self.deadlines.front()?;
            let live = self.is_live(sequence, stamp);
            if live && at > now {
                return None;
            }
            self.deadlines.pop_front();
            if live {
                return self.overdue(sequence, now);
            }
        }
    }

    fn stamp(&mut self) -> u64 {
        self.stamps += 1;
        self.stamps
    }

    fn is_live(&self, sequence: u32, of: u64) -> bool {
        match &self.places[place(sequence)] {
            Place::Used { stamp, .. } => *stamp == of,
            Place::Free | Place::Resting { .. } => false,
        }
    }

    fn overdue(&mut self, sequence: u32, now: Mono) -> Option<Expired<T>> {
        let next_stamp = self.stamp();
        let Place::Used { pending, stamp, .. } = &mut self.places[place(sequence)] else {
            return None;
        };
        if pending.sends >= self.n3 {
            return self.end(sequence, now).map(Expired::GaveUp);
        }
        pending.sends += 1;
        *stamp = next_stamp;
        self.deadlines
            .push_back((now.after(self.t3), sequence, next_stamp));
        Some(Expired::Resend(sequence))
    }

    fn end(&mut self, sequence: u32, now: Mono) -> Option<Pending<T>> {
        let place = &mut self.places[place(sequence)];
        let resting = Place::Resting {
            until: now.after(self.rest),
        };
        match std::mem::replace(place, resting) {
            Place::Used { pending, .. } => {
                self.under_way -= 1;
                Some(pending)
            }
            was @ (Place::Free | Place::Resting { .. }) => {
                *place = was;
                None
            }
        }
    }
}

/// Where a sequence number has its place.
fn place(sequence: u32) -> usize {
    sequence as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    const T3: Duration = Duration::from_nanos(10);

    /// Those of GTPv1, beginning with the last.
    fn transactions() -> Transactions<char> {
        Transactions::new(T3, 2, 0xFFFF, 0xFFFF_0000)
    }

    fn any<T>(_: &T) -> bool {
        true
    }

    #[test]
    fn an_answer_is_taken_once_and_only_if_it_fits() {
        let mut under_test = transactions();
        let first = under_test.begin('a', Mono(0)).unwrap();
        let second = under_test.begin('b', Mono(0)).unwrap();
        assert_eq!((first, second), (0xFFFF, 0));
        assert!(under_test.answer(second, |_| false, Mono(1)).is_none());
        assert!(under_test.answer(7, any, Mono(1)).is_none());
        let pending = under_test.answer(second, any, Mono(1)).unwrap();
        assert_eq!((pending.what, pending.sends), ('b', 1));
        assert!(under_test.answer(second, any, Mono(1)).is_none());
        assert_eq!(under_test.under_way(), 1);
    }

    #[test]
    fn a_request_is_sent_as_often_as_it_may_and_then_given_up() {
        let mut under_test = transactions();
        let sequence = under_test.begin('a', Mono(0)).unwrap();
        let answered = under_test.begin('b', Mono(0)).unwrap();
        under_test.answer(answered, any, Mono(1)).unwrap();
        assert!(under_test.expire(Mono(9)).is_none());
        let again = under_test.expire(Mono(10)).unwrap();
        assert!(matches!(again, Expired::Resend(of) if of == sequence));
        assert!(under_test.expire(Mono(10)).is_none());
        assert_eq!(under_test.next_deadline(), Some(Mono(20)));
        let given_up = under_test.expire(Mono(20)).unwrap();
        assert!(matches!(given_up, Expired::GaveUp(pending) if pending.sends == 2));
        assert_eq!(under_test.under_way(), 0);
        assert!(under_test.expire(Mono(99)).is_none());
    }

    #[test]
    fn a_sequence_number_rests_after_its_use() {
        let mut under_test = transactions();
        for _ in 0..=u16::MAX {
            let sequence = under_test.begin('a', Mono(5)).unwrap();
            under_test.answer(sequence, any, Mono(5)).unwrap();
        }
        assert_eq!(under_test.begin('b', Mono(24)), Err('b'));
        assert_eq!(under_test.opens_at(), Mono(25));
        assert_eq!(under_test.begin('b', Mono(25)), Ok(0xFFFF));
    }

    /// GTPv2 has more sequence numbers than there are places: none waits for another, and none is taken for another.
    #[test]
    fn sequence_numbers_that_share_a_place_pass_over_one_in_use() {
        let mut under_test = Transactions::new(T3, 2, 0x007F_FFFF, 0x1234_007F);
        let slow = under_test.begin('a', Mono(5)).unwrap();
        assert_eq!(slow, 0x007F_1234);
        for step in 1..0x1_0000 {
            let sequence = under_test.begin('b', Mono(5)).unwrap();
            assert_eq!(sequence, (slow + step) & 0x007F_FFFF);
            under_test.answer(sequence, any, Mono(5)).unwrap();
        }
        let over = under_test.begin('c', Mono(5)).unwrap();
        assert_eq!(over, 0x1235, "the number before shares a place");
        assert!(under_test.answer(over - 1, any, Mono(5)).is_none());
        assert_eq!(under_test.answer(slow, any, Mono(5)).unwrap().what, 'a');
        assert_eq!(under_test.answer(over, any, Mono(5)).unwrap().what, 'c');
    }
}
