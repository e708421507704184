//! The two slots of the license clock: fixed size, written in turn, each checked by itself.
//!
//! ```text
//! offset  bytes  all numbers little-endian
//!      0      8  magic
//!      8      2  version, 1
//!     10      2  number of grace clocks
//!     12      4  boots
//!     16      8  generation; even belongs in slot A, odd in slot B
//!     24      4  evaluation spent, minutes
//!     28      4  recovery spent, minutes; all ones: the recovery clock doesn't run
//!     32      8  silence of the authority, milliseconds; all ones: never registered
//!     40      8  highest wall time seen
//!     48     16  for each grace clock: kind (0 service, 1 feature), place, two zeros, minutes (4), milliseconds since
//!                the episode ended (8; all ones: it is on)
//!      :      :  zeros
//!   4056     32  message authentication code of all before it: a hand in the file
//!   4088      8  checksum of all before it (FNV-1a), last, so that no write cut short looks like a hand in the file
//! ```

use thiserror::Error;

use super::{ClockRecord, GRACES_MAX, GraceClock};
use crate::tag::{FeatureIndex, ServiceIndex, TagRef};
use crate::time::Wall;

/// Size of a slot.
pub const SLOT_BYTES: usize = 4096;

const MAGIC: [u8; 8] = *b"tgclock\0";
const VERSION: u16 = 1;
const GRACES_AT: usize = 48;
const GRACE_BYTES: usize = 16;
const MAC_AT: usize = SLOT_BYTES - 40;
const CHECKSUM_AT: usize = SLOT_BYTES - 8;

const _: () = assert!(GRACES_AT + GRACES_MAX * GRACE_BYTES <= MAC_AT);

/// One of the two places of the license clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Even generations.
    A,
    /// Odd generations.
    B,
}

/// Why a slot holds no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum SlotError {
    /// Only zeros: preallocated, never written.
    #[error("the slot was never written")]
    Empty,
    /// The length or the checksum is wrong: a write was cut short, or the medium failed.
    #[error("the slot is torn")]
    Torn,
    /// The checksum is right and the code is not, or a record of the other slot stands here: somebody wrote it.
    #[error("the slot was tampered with")]
    Tampered,
    /// Ours, but of a form that this software doesn't know.
    #[error("the slot has the unknown version {0}")]
    Version(u16),
}

/// More grace clocks than a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a slot holds at most {GRACES_MAX} grace clocks, not {0}")]
pub struct TooManyGraces(pub usize);

/// What two slots hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The newest record; none: neither slot holds one.
    pub record: Option<ClockRecord>,
    /// What was wrong with slot A.
    pub a: Option<SlotError>,
    /// What was wrong with slot B.
    pub b: Option<SlotError>,
}

/// Picks the newest valid record of the two slots, and tells what was wrong with the other.
pub fn choose(a: Result<ClockRecord, SlotError>, b: Result<ClockRecord, SlotError>) -> Choice {
    let faults = (a.as_ref().err().copied(), b.as_ref().err().copied());
    Choice {
        record: a
            .into_iter()
            .chain(b)
            .max_by_key(|record| record.generation),
        a: faults.0,
        b: faults.1,
    }
}

impl Choice {
    /// Both slots are as they are at an installation: no record was ever written.
    pub fn is_new(&self) -> bool {
        self.record.is_none()
            && self.a == Some(SlotError::Empty)
            && self.b == Some(SlotError::Empty)
    }

    /// One of the slots was written by somebody else.
    pub fn is_tampered(&self) -> bool {
        [self.a, self.b].contains(&Some(SlotError::Tampered))
    }
}

impl Slot {
    /// Where a record of this generation belongs.
    pub const fn of(generation: u64) -> Self {
        if generation.is_multiple_of(2) {
            Self::A
        } else {
            Self::B
        }
    }
}

impl ClockRecord {
    /// The bytes of the slot [`Slot::of`] its generation. `mac` is a keyed digest; it is given all bytes before its own.
    ///
    /// Fails with more than [`GRACES_MAX`] grace clocks.
    pub fn encode(
        &self,
        mac: impl Fn(&[u8]) -> [u8; 32],
    ) -> Result<Box<[u8; SLOT_BYTES]>, TooManyGraces> {
        if self.graces.len() > GRACES_MAX {
            return Err(TooManyGraces(self.graces.len()));
        }
        let mut body = Vec::with_capacity(SLOT_BYTES);
        body.extend(MAGIC);
        body.extend(VERSION.to_le_bytes());
        body.extend((self.graces.len() as u16).to_le_bytes());
        body.extend(self.boots.to_le_bytes());
        body.extend(self.generation.to_le_bytes());
        body.extend(self.evaluation_minutes.to_le_bytes());
        body.extend(self.recovery_minutes.unwrap_or(u32::MAX).to_le_bytes());
        body.extend(self.silence_ms.unwrap_or(u64::MAX).to_le_bytes());
        body.extend(self.highest_wall.0.to_le_bytes());
        for grace in &self.graces {
            let (kind, place) = match grace.tag {
                TagRef::Service(service) => (0, service.0),
                TagRef::Feature(feature) => (1, feature.0),
            };
            body.extend([kind, place, 0, 0]);
            body.extend(grace.minutes.to_le_bytes());
            body.extend(grace.ended_ms.unwrap_or(u64::MAX).to_le_bytes());
        }
        body.resize(MAC_AT, 0);
        body.extend(mac(&body));
        body.extend(checksum(&body).to_le_bytes());
        let slot = body.try_into();
        Ok(slot.expect("code and checksum end a slot that was filled up to them"))
    }

    /// The record that `slot` holds in `bytes`; `mac` is the keyed digest that it was encoded with.
    pub fn decode(
        slot: Slot,
        bytes: &[u8],
        mac: impl Fn(&[u8]) -> [u8; 32],
    ) -> Result<Self, SlotError> {
        let bytes: &[u8; SLOT_BYTES] = bytes.try_into().map_err(|_| SlotError::Torn)?;
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(SlotError::Empty);
        }
        if checksum(&bytes[..CHECKSUM_AT]).to_le_bytes() != bytes[CHECKSUM_AT..] {
            return Err(SlotError::Torn);
        }
        if !same(&mac(&bytes[..MAC_AT]), &bytes[MAC_AT..CHECKSUM_AT]) {
            return Err(SlotError::Tampered);
        }
        let mut fields = Fields(bytes);
        if fields.take::<8>() != MAGIC {
            return Err(SlotError::Tampered);
        }
        match u16::from_le_bytes(fields.take()) {
            VERSION => {}
            other => return Err(SlotError::Version(other)),
        }
        let record = fields.record().ok_or(SlotError::Tampered)?;
        if Slot::of(record.generation) != slot {
            return Err(SlotError::Tampered);
        }
        Ok(record)
    }
}

/// What is left of a slot to read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self
            .0
            .split_first_chunk()
            .expect("the fields of a slot end before its checksum");
        self.0 = rest;
        *field
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    /// All that follows the version; none: a number that we would not have written.
    fn record(&mut self) -> Option<ClockRecord> {
        let graces = usize::from(u16::from_le_bytes(self.take()));
        if graces > GRACES_MAX {
            return None;
        }
        Some(ClockRecord {
            boots: self.u32(),
            generation: self.u64(),
            evaluation_minutes: self.u32(),
            recovery_minutes: Some(self.u32()).filter(|minutes| *minutes != u32::MAX),
            silence_ms: Some(self.u64()).filter(|ms| *ms != u64::MAX),
            highest_wall: Wall(i64::from_le_bytes(self.take())),
            graces: (0..graces)
                .map(|_| self.grace())
                .collect::<Option<Vec<_>>>()?,
        })
    }

    fn grace(&mut self) -> Option<GraceClock> {
        let [kind, place, _, _] = self.take();
        let tag = match (kind, place) {
            (0, 0..64) => TagRef::Service(ServiceIndex(place)),
            (1, 0..64) => TagRef::Feature(FeatureIndex(place)),
            _ => return None,
        };
        Some(GraceClock {
            tag,
            minutes: self.u32(),
            ended_ms: Some(self.u64()).filter(|ms| *ms != u64::MAX),
        })
    }
}

/// FNV-1a: each step is a bijection of the state, so that one altered byte always alters the sum.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Equal, in a time that doesn't tell where they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}
