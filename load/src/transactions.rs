//! Requests without an answer yet: their sequence numbers, and when to send them again (TS 29.060 7.6, 11.2).

use std::collections::VecDeque;
use std::time::Duration;

use gtp::v1::MessageType;
use licensing::Mono;

/// All sequence numbers of one path.
const SEQUENCES: usize = 1 << 16;

/// A request without an answer.
#[derive(Clone, Debug)]
pub(crate) struct Pending<T> {
    /// The request's type.
    pub kind: MessageType,
    /// How often it was sent.
    pub sends: u8,
    /// Whose it is.
    pub what: T,
}

/// What became of a request whose answer did not come in time.
#[derive(Debug)]
pub(crate) enum Expired<T> {
    /// It is to be sent again.
    Resend(u16),
    /// It was sent as often as it may be.
    GaveUp(Pending<T>),
}

/// The requests under way on one path. A sequence number rests for a while after its use, so that no late answer, and no
/// answer that the peer kept, is taken for that of another request.
#[derive(Debug)]
pub(crate) struct Transactions<T> {
    places: Vec<Place<T>>,
    next: u16,
    under_way: u32,
    /// Every T3 is as long, so deadlines come in the order in which requests were sent.
    deadlines: VecDeque<(Mono, u16, u64)>,
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
        pending: Pending<T>,
        /// Of the last send: only its deadline counts.
        stamp: u64,
    },
}

impl<T> Transactions<T> {
    /// None yet; `first` is the first sequence number. One that begins anew on an address must not begin where the one
    /// before began, or the peer takes its requests for repeated ones.
    pub fn new(t3: Duration, n3: u8, rest: Duration, first: u16) -> Self {
        Self {
            places: (0..SEQUENCES).map(|_| Place::Free).collect(),
            next: first,
            under_way: 0,
            deadlines: VecDeque::new(),
            t3,
            n3,
            rest,
            stamps: 0,
        }
    }

    pub fn under_way(&self) -> u32 {
        self.under_way
    }

    pub fn get(&self, sequence: u16) -> Option<&Pending<T>> {
        match &self.places[usize::from(sequence)] {
            Place::Used { pending, .. } => Some(pending),
            Place::Free | Place::Resting { .. } => None,
        }
    }

    /// Whether a request may begin now: the next sequence number is not in use or resting.
    pub fn is_open(&self, now: Mono) -> bool {
        self.opens_at() <= now
    }

    /// The sequence number of the next request.
    pub fn next_sequence(&self) -> u16 {
        self.next
    }

    /// When a request may begin; the end of time if only an answer or a deadline can tell.
    pub fn opens_at(&self) -> Mono {
        match &self.places[usize::from(self.next)] {
            Place::Free => Mono(0),
            Place::Resting { until } => *until,
            Place::Used { .. } => Mono(u64::MAX),
        }
    }

    /// Begins a request, which is to be sent now; gives it back if no sequence number is to be had.
    pub fn begin(&mut self, kind: MessageType, what: T, now: Mono) -> Result<u16, T> {
        if !self.is_open(now) {
            return Err(what);
        }
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        self.under_way += 1;
        let pending = Pending {
            kind,
            sends: 1,
            what,
        };
        let stamp = self.stamp();
        self.places[usize::from(sequence)] = Place::Used { pending, stamp };
        self.deadlines
            .push_back((now.after(self.t3), sequence, stamp));
        Ok(sequence)
    }

    /// Takes the request that a response of this type answers.
    pub fn answer(
        &mut self,
        sequence: u16,
        response: MessageType,
        now: Mono,
    ) -> Option<Pending<T>> {
        let pending = self.get(sequence)?;
        if pending.kind.response() != Some(response) {
            return None;
        }
        self.end(sequence, now)
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

    fn is_live(&self, sequence: u16, of: u64) -> bool {
        match &self.places[usize::from(sequence)] {
            Place::Used { stamp, .. } => *stamp == of,
            Place::Free | Place::Resting { .. } => false,
        }
    }

    fn overdue(&mut self, sequence: u16, now: Mono) -> Option<Expired<T>> {
        let next_stamp = self.stamp();
        let Place::Used { pending, stamp } = &mut self.places[usize::from(sequence)] else {
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

    fn end(&mut self, sequence: u16, now: Mono) -> Option<Pending<T>> {
        let place = &mut self.places[usize::from(sequence)];
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

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: MessageType = MessageType::ECHO_REQUEST;
    const ANSWER: MessageType = MessageType::ECHO_RESPONSE;

    fn transactions() -> Transactions<char> {
        let t3 = Duration::from_nanos(10);
        Transactions::new(t3, 2, t3 * 2, 0xFFFF)
    }

    #[test]
    fn an_answer_is_taken_once_and_only_of_the_right_type() {
        let mut under_test = transactions();
        let first = under_test.begin(ECHO, 'a', Mono(0)).unwrap();
        let second = under_test.begin(ECHO, 'b', Mono(0)).unwrap();
        assert_eq!((first, second), (0xFFFF, 0));
        let other = MessageType::CREATE_PDP_CONTEXT_RESPONSE;
        assert!(under_test.answer(second, other, Mono(1)).is_none());
        assert!(under_test.answer(7, ANSWER, Mono(1)).is_none());
        let pending = under_test.answer(second, ANSWER, Mono(1)).unwrap();
        assert_eq!((pending.what, pending.sends), ('b', 1));
        assert!(under_test.answer(second, ANSWER, Mono(1)).is_none());
        assert_eq!(under_test.under_way(), 1);
    }

    #[test]
    fn a_request_is_sent_as_often_as_it_may_and_then_given_up() {
        let mut under_test = transactions();
        let sequence = under_test.begin(ECHO, 'a', Mono(0)).unwrap();
        let answered = under_test.begin(ECHO, 'b', Mono(0)).unwrap();
        under_test.answer(answered, ANSWER, Mono(1)).unwrap();
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
            let sequence = under_test.begin(ECHO, 'a', Mono(5)).unwrap();
            under_test.answer(sequence, ANSWER, Mono(5)).unwrap();
        }
        assert_eq!(under_test.begin(ECHO, 'b', Mono(24)), Err('b'));
        assert_eq!(under_test.opens_at(), Mono(25));
        assert_eq!(under_test.begin(ECHO, 'b', Mono(25)), Ok(0xFFFF));
    }
}
