//! Engines: their ids, and the clock of this one.

use std::fmt;

use licensing::time::Mono;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// How far the time of a message may be from that of the authoritative engine, in seconds (RFC 3414 section 2.2.3).
pub const TIME_WINDOW_S: u32 = 150;

/// Boots and time stay here once they got so far; nothing is in the time window then.
pub const BOOTS_MAX: u32 = 2_147_483_647;

/// Longest text after the enterprise number of an engine id, in octets.
const TEXT_MAX_BYTES: usize = 27;

/// snmpEngineID: 5 to 32 octets (RFC 3411 section 5).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EngineId(Vec<u8>);

/// Why octets are not an engine id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EngineIdError {
    /// Not 5 to 32 octets.
    #[error("an engine id has 5 to 32 octets, this one has {0}")]
    Length(usize),
    /// All the same, 0 or 255.
    #[error("an engine id is not all 00 or all ff")]
    Blank,
}

impl EngineId {
    /// The id of a node below an enterprise number: its name as a text, or, if that is longer than 27 octets, 16 octets of
    /// its hash.
    pub fn of_node(enterprise: u32, node: &str) -> Self {
        let mut octets = (enterprise | 0x8000_0000).to_be_bytes().to_vec();
        if (1..=TEXT_MAX_BYTES).contains(&node.len()) {
            octets.push(4);
            octets.extend_from_slice(node.as_bytes());
        } else {
            octets.push(5);
            octets.extend_from_slice(&Sha256::digest(node.as_bytes())[..16]);
        }
        Self(octets)
    }

    /// One that somebody else chose.
    pub fn new(octets: &[u8]) -> Result<Self, EngineIdError> {
        if !(5..=32).contains(&octets.len()) {
            return Err(EngineIdError::Length(octets.len()));
        }
        if octets.iter().all(|o| *o == 0) || octets.iter().all(|o| *o == 0xff) {
            return Err(EngineIdError::Blank);
        }
        Ok(Self(octets.to_vec()))
    }

    /// Its octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// As in `createUser -e`: hexadecimal.
impl fmt::Display for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineId({self})")
    }
}

/// This engine: its id, its clock, and the salts that it has not used yet.
///
/// `boots` is one more than at the last start, kept on disk before anything is sent: managers drop, silently, what comes
/// with fewer than they have seen, and salts are told apart by it.
#[derive(Debug)]
pub struct Local {
    id: EngineId,
    boots: u32,
    began: Mono,
    salts: u32,
}

impl Local {
    /// The engine as it starts.
    pub fn new(id: EngineId, boots: u32, began: Mono) -> Self {
        Self {
            id,
            boots: boots.min(BOOTS_MAX),
            began,
            salts: 0,
        }
    }

    /// snmpEngineID.
    pub fn id(&self) -> &EngineId {
        &self.id
    }

    /// snmpEngineBoots.
    pub fn boots(&self) -> u32 {
        self.boots
    }

    /// snmpEngineTime: seconds since it started.
    pub fn time(&self, now: Mono) -> u32 {
        let seconds = now.since(self.began).as_secs();
        u32::try_from(seconds).unwrap_or(BOOTS_MAX).min(BOOTS_MAX)
    }

    /// sysUpTime: hundredths of a second since it started; wraps after 497 days, as it should.
    pub fn uptime(&self, now: Mono) -> u32 {
        (now.since(self.began).as_millis() / 10) as u32
    }

    /// A salt that no message had: the boots tell starts apart, a count the messages of one (RFC 3826 section 3.1.4). The
    /// time of a message is in its initialization vector besides, so that the count may wrap.
    pub fn salt(&mut self) -> u64 {
        self.salts = self.salts.wrapping_add(1);
        u64::from(self.boots) << 32 | u64::from(self.salts)
    }

    /// Whether a message with these boots and this time is timely (RFC 3414 section 3.2, 7a).
    pub fn is_timely(&self, boots: u32, time: u32, now: Mono) -> bool {
        self.boots < BOOTS_MAX
            && boots == self.boots
            && self.time(now).abs_diff(time) <= TIME_WINDOW_S
    }
}
