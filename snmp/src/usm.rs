//! The User-based Security Model: RFC 3414, with AES (RFC 3826) and HMAC-SHA-2 (RFC 7860).
//!
//! For what managers ask, and for traps, this engine is the authoritative one: its boots and its time count, and keys are
//! localized to its id. For informs the receiver is: its id, boots and time are discovered, and its notion of time kept.

mod authoritative;
mod engine;
mod keys;
mod remote;
mod replays;
mod seal;
mod user;

pub use authoritative::{Authentic, check};
pub use engine::{BOOTS_MAX, EngineId, EngineIdError, Local, TIME_WINDOW_S};
pub use keys::{AuthProtocol, Key, KeyError, PrivProtocol};
pub use remote::{Remote, Report};
pub use replays::Replays;
pub use seal::{Sealed, open, seal};
pub use user::{Keys, Level, Secret, User};

use crate::Oid;

/// usmStats: the six counters by which one engine tells another what is wrong.
const USM_STATS: [u32; 9] = [1, 3, 6, 1, 6, 3, 15, 1, 1];

/// Why a message is not let in (RFC 3414 section 3.2), in the order of the counters of usmStats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The user has no keys for the level of security.
    UnsupportedLevel,
    /// Its boots or its time are too far from those of the authoritative engine.
    NotInTimeWindow,
    /// There is no such user.
    UnknownUser,
    /// It is for another engine.
    UnknownEngine,
    /// Its MAC is not that of the user's key.
    WrongDigest,
    /// It can't be decrypted.
    Decryption,
}

impl Fault {
    /// All of them, in the order of their counters.
    pub const ALL: [Self; 6] = [
        Self::UnsupportedLevel,
        Self::NotInTimeWindow,
        Self::UnknownUser,
        Self::UnknownEngine,
        Self::WrongDigest,
        Self::Decryption,
    ];

    /// Instance of its counter, which names it in a report.
    pub fn counter(self) -> Oid {
        Oid::from(USM_STATS).join(&[self as u32 + 1, 0])
    }

    /// The fault that a report names.
    pub fn of_counter(name: &Oid) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.counter() == *name)
    }
}
