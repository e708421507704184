//! The two slots of the license clock with octets changed: what is read was written, and never is less spent than a slot says
//! that nobody touched (I4, I12).

use std::hash::{DefaultHasher, Hash, Hasher};

use licensing::record::{ClockRecord, SLOT_BYTES, Slot, SlotError, choose};

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The newest record.
    Newest,
    /// The one before it.
    Older,
    /// Neither slot.
    Nothing,
}

fn code(body: &[u8]) -> [u8; 32] {
    let mut code = [0; 32];
    for (place, part) in code.chunks_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (place, body).hash(&mut hasher);
        part.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    code
}

fn record(generation: u64) -> ClockRecord {
    ClockRecord {
        generation,
        boots: 3,
        evaluation_minutes: u32::try_from(generation).unwrap_or(u32::MAX),
        ..ClockRecord::default()
    }
}

/// The first octet says which slots are touched; then come places of two octets, and what stands there. If it is at least 128, the
/// rest stands at the beginning of a slot.
pub fn slots(input: &[u8]) -> Option<Read> {
    let (how, mut rest) = input.split_first()?;
    let newest = 1_000 + u64::from(how >> 2 & 15);
    let mut slots = [newest - 1, newest].map(|generation| {
        let bytes = record(generation).encode(code);
        (generation, bytes.expect("no grace clock").to_vec())
    });
    let touched = [how & 1 != 0, how & 2 != 0];
    for ((_, bytes), touched) in slots.iter_mut().zip(touched) {
        if !touched {
            continue;
        }
        if *how >= 128 {
            let length = rest.len().min(SLOT_BYTES);
            bytes[..length].copy_from_slice(&rest[..length]);
            continue;
        }
        while let [high, low, value, more @ ..] = rest {
            let at = usize::from(u16::from_be_bytes([*high, *low])) % SLOT_BYTES;
            bytes[at] ^= value;
            rest = more;
        }
    }
    let read = |slot: Slot| -> Result<ClockRecord, SlotError> {
        let of = slots
            .iter()
            .find(|(generation, _)| Slot::of(*generation) == slot);
        let (_, bytes) = of.ok_or(SlotError::Empty)?;
        ClockRecord::decode(slot, bytes, code)
    };
    let found = choose(read(Slot::A), read(Slot::B)).record;
    let Some(found) = found else {
        assert!(
            touched == [true; 2],
            "a slot that nobody touched is not read"
        );
        return Some(Read::Nothing);
    };
    assert!(
        [newest - 1, newest].map(record).contains(&found),
        "nobody wrote {found:?}"
    );
    let sure = match touched {
        [_, false] => newest,
        [false, true] => newest - 1,
        [true, true] => 0,
    };
    assert!(found.generation >= sure, "less is spent");
    Some(match found.generation == newest {
        true => Read::Newest,
        false => Read::Older,
    })
}
