//! The two slots of the license clock with octets changed: what is read was written, and never is less spent than a slot says
//! that nobody touched (I4, I12).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use licensing::record::{ClockRecord, SLOT_BYTES, Slot, SlotError, choose};

/// The first generation, and how many after it are the newest by turns.
const FIRST: u64 = 999;
const NEWEST: u64 = 16;

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

/// Octets of the newest slot and of the one before it, as nobody has touched them.
static WRITTEN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let slot = |generation| record(generation).encode(code);
    let written = (FIRST..=FIRST + NEWEST).map(slot);
    written
        .map(|bytes| bytes.expect("no grace clock").to_vec())
        .collect()
});

fn written(generation: u64) -> Vec<u8> {
    let at = usize::try_from(generation - FIRST).expect("one of a few");
    WRITTEN[at].clone()
}

fn code(body: &[u8]) -> [u8; 32] {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let mut code = [0; 32];
    for (place, part) in code.chunks_mut(8).enumerate() {
        place.hash(&mut hasher);
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
    let newest = FIRST + 1 + u64::from(how >> 2) % NEWEST;
    let mut slots = [newest - 1, newest].map(|generation| (generation, written(generation)));
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
