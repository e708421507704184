//! The network: messages to the authority, informs to the manager, files to the receiver, and what comes back. It loses,
//! doubles, delays, reorders, and can be cut.

use std::collections::BTreeMap;
use std::time::Duration;

use api::smart::Nonce;
use licensing::Mono;
use rand::Rng;
use rand::rngs::StdRng;

/// How it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mood {
    /// In percent.
    pub lost: u32,
    pub twice: u32,
    /// Longest time on the way.
    pub slow: Duration,
    /// Nothing passes.
    pub cut: bool,
}

impl Mood {
    pub(super) const WELL: Self = Self {
        lost: 0,
        twice: 0,
        slow: Duration::from_millis(20),
        cut: false,
    };
}

/// What is on its way.
#[derive(Clone, Debug)]
pub(super) enum Packet {
    /// A message of the agent's.
    Ask {
        nonce: Nonce,
        octets: Vec<u8>,
        key: Option<[u8; 32]>,
        /// Nobody waits for its answer.
        stray: bool,
        until: Mono,
    },
    /// The answer, or that there is none.
    Answer {
        nonce: Nonce,
        octets: Option<Vec<u8>>,
    },
    /// An inform.
    Inform { request_id: i32 },
    /// It was acknowledged.
    Acknowledged { request_id: i32 },
    /// A file arrived, or did not.
    Transferred { attempt: u64, well: bool },
}

#[derive(Debug)]
pub(super) struct Wire {
    pub mood: Mood,
    order: u64,
    under_way: BTreeMap<(Mono, u64), Packet>,
}

impl Wire {
    pub(super) fn new() -> Self {
        Self {
            mood: Mood::WELL,
            order: 0,
            under_way: BTreeMap::new(),
        }
    }

    /// Puts it on its way; whatever becomes of it is by chance.
    pub(super) fn send(&mut self, packet: Packet, now: Mono, random: &mut StdRng) {
        let lost = self.mood.cut || random.random_range(0..100) < self.mood.lost;
        let twice = random.random_range(0..100) < self.mood.twice;
        for _ in 0..u8::from(!lost) + u8::from(!lost && twice) {
            let most = self.mood.slow.as_millis().max(2);
            let wait = random.random_range(1..most);
            let at = now.after(Duration::from_millis(u64::try_from(wait).unwrap_or(1)));
            self.at(packet.clone(), at);
        }
    }

    /// Puts it where it is certain at this time.
    pub(super) fn at(&mut self, packet: Packet, at: Mono) {
        self.order += 1;
        self.under_way.insert((at, self.order), packet);
    }

    /// The next that has arrived by now.
    pub(super) fn arrived(&mut self, now: Mono) -> Option<Packet> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// The node has ended: its connections with it. What was asked still arrives, datagrams too.
    pub(super) fn hang_up(&mut self) {
        self.under_way.retain(|_, packet| match packet {
            Packet::Ask { stray, .. } => {
                *stray = true;
                true
            }
            Packet::Answer { .. } | Packet::Transferred { .. } => false,
            Packet::Inform { .. } | Packet::Acknowledged { .. } => true,
        });
    }
}
