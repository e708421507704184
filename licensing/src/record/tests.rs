use proptest::prelude::*;

use super::slot::{Choice, Slot, SlotError, choose};
use super::*;
use crate::tag::ServiceIndex;

/// A keyed digest good enough for a test: every byte of the input moves every byte of the output.
fn mac_with(key: u64) -> impl Fn(&[u8]) -> [u8; 32] {
    move |bytes| {
        let mut lanes = [key, !key, key.rotate_left(17), key.rotate_left(43)];
        for byte in bytes {
            for lane in &mut lanes {
                *lane = (*lane ^ u64::from(*byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                *lane ^= *lane >> 29;
            }
        }
        let mut digest = [0; 32];
        for (out, lane) in digest.chunks_mut(8).zip(lanes) {
            out.copy_from_slice(&lane.to_le_bytes());
        }
        digest
    }
}

fn mac(bytes: &[u8]) -> [u8; 32] {
    mac_with(7)(bytes)
}

fn record() -> ClockRecord {
    ClockRecord {
        generation: 6,
        boots: 3,
        evaluation_minutes: 129_599,
        recovery_minutes: Some(12),
        silence_ms: Some(86_400_000),
        highest_wall: Wall(1_795_000_000_000),
        graces: vec![
            GraceClock {
                tag: TagRef::Service(ServiceIndex(2)),
                minutes: 5,
                ended_ms: None,
            },
            GraceClock {
                tag: TagRef::Feature(FeatureIndex(63)),
                minutes: u32::MAX,
                ended_ms: Some(0),
            },
        ],
    }
}

fn decode_a(bytes: &[u8]) -> Result<ClockRecord, SlotError> {
    ClockRecord::decode(Slot::A, bytes, mac)
}

//= L3
#[test]
fn a_record_reads_back_as_written() {
    let slot = record().encode(mac).unwrap();
    assert_eq!(slot.len(), SLOT_BYTES);
    assert_eq!(decode_a(&slot[..]), Ok(record()));
    assert_eq!(&slot[..12], b"tgclock\0\x01\0\x02\0");
    assert_eq!(slot[24..28], 129_599u32.to_le_bytes());
}

//= L3
#[test]
fn each_flipped_byte_is_detected() {
    let good = record().encode(mac).unwrap();
    for at in 0..SLOT_BYTES {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            let held = decode_a(&bytes[..]);
            assert_eq!(held, Err(SlotError::Torn), "byte {at} ^ {flip:#x}");
        }
    }
}

//= L3
#[test]
fn each_truncation_and_each_torn_write_is_refused() {
    let old = ClockRecord {
        generation: 4,
        evaluation_minutes: 129_000,
        graces: Vec::new(),
        ..record()
    };
    let old = old.encode(mac).unwrap();
    let new = record().encode(mac).unwrap();
    for written in 0..SLOT_BYTES {
        assert_eq!(decode_a(&new[..written]), Err(SlotError::Torn), "{written}");
        let mut torn = old.clone();
        torn[..written].copy_from_slice(&new[..written]);
        let held = decode_a(&torn[..]);
        if torn == old {
            assert_eq!(
                held.unwrap().generation,
                4,
                "nothing written yet: {written}"
            );
        } else {
            assert_eq!(held, Err(SlotError::Torn), "{written}");
        }
        let mut fresh = [0; SLOT_BYTES];
        fresh[..written].copy_from_slice(&new[..written]);
        let expected = if written == 0 {
            SlotError::Empty
        } else {
            SlotError::Torn
        };
        assert_eq!(decode_a(&fresh), Err(expected), "{written}");
    }
    let long = [&new[..], &[0]].concat();
    assert_eq!(decode_a(&long), Err(SlotError::Torn));
}

/// Whoever mends the checksum after an edit still lacks the key.
///
//= L3
#[test]
fn less_time_spent_needs_the_key() {
    let mut less = record();
    less.evaluation_minutes = 0;
    let forged = less.encode(mac_with(8)).unwrap();
    assert_eq!(decode_a(&forged[..]), Err(SlotError::Tampered));
    assert_eq!(
        ClockRecord::decode(Slot::A, &forged[..], mac_with(8)),
        Ok(less)
    );
}

#[test]
fn a_record_of_the_other_slot_is_tampering() {
    let slot = record().encode(mac).unwrap();
    assert_eq!(Slot::of(6), Slot::A);
    assert_eq!(Slot::of(7), Slot::B);
    assert_eq!(
        ClockRecord::decode(Slot::B, &slot[..], mac),
        Err(SlotError::Tampered)
    );
}

/// Seals bytes as an owner of the key would.
fn sealed(edit: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut bytes = record().encode(mac).unwrap().to_vec();
    edit(&mut bytes);
    let body = SLOT_BYTES - 40;
    let code = mac(&bytes[..body]);
    bytes[body..body + 32].copy_from_slice(&code);
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in &bytes[..body + 32] {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    bytes[body + 32..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

#[test]
fn another_version_is_told_from_tampering() {
    assert_eq!(decode_a(&sealed(|_| ())), Ok(record()));
    assert_eq!(decode_a(&sealed(|b| b[8] = 2)), Err(SlotError::Version(2)));
    assert_eq!(decode_a(&sealed(|b| b[0] = b'T')), Err(SlotError::Tampered));
    assert_eq!(decode_a(&sealed(|b| b[10] = 129)), Err(SlotError::Tampered));
    assert_eq!(decode_a(&sealed(|b| b[48] = 2)), Err(SlotError::Tampered));
    assert_eq!(decode_a(&sealed(|b| b[49] = 64)), Err(SlotError::Tampered));
}

#[test]
fn a_slot_holds_every_tag_of_the_largest_catalog_and_no_more() {
    let grace = |n: usize| GraceClock {
        tag: if n < 64 {
            TagRef::Service(ServiceIndex(n as u8))
        } else {
            TagRef::Feature(FeatureIndex((n - 64) as u8))
        },
        minutes: n as u32,
        ended_ms: Some(n as u64),
    };
    let mut full = ClockRecord {
        graces: (0..128).map(grace).collect(),
        ..record()
    };
    let slot = full.encode(mac).unwrap();
    assert_eq!(decode_a(&slot[..]), Ok(full.clone()));
    full.graces.push(grace(0));
    assert_eq!(full.encode(mac), Err(TooManyGraces(129)));
}

#[test]
fn the_newest_valid_slot_is_chosen() {
    let of = |generation| ClockRecord {
        generation,
        ..record()
    };
    let choice = choose(Ok(of(8)), Ok(of(7)));
    assert_eq!(
        choice,
        Choice {
            record: Some(of(8)),
            a: None,
            b: None
        }
    );
    assert_eq!(choose(Ok(of(8)), Ok(of(9))).record, Some(of(9)));

    let choice = choose(Err(SlotError::Torn), Ok(of(7)));
    assert_eq!(choice.record, Some(of(7)));
    assert_eq!((choice.a, choice.b), (Some(SlotError::Torn), None));
    assert!(!choice.is_tampered() && !choice.is_new());

    let choice = choose(Ok(of(8)), Err(SlotError::Tampered));
    assert_eq!(choice.record, Some(of(8)));
    assert!(choice.is_tampered());

    let choice = choose(Err(SlotError::Empty), Err(SlotError::Empty));
    assert!(choice.is_new() && choice.record.is_none());
    let choice = choose(Err(SlotError::Empty), Err(SlotError::Torn));
    assert!(!choice.is_new() && choice.record.is_none());
}

fn grace() -> impl Strategy<Value = GraceClock> {
    let tag = prop_oneof![
        (0u8..64).prop_map(|n| TagRef::Service(ServiceIndex(n))),
        (0u8..64).prop_map(|n| TagRef::Feature(FeatureIndex(n))),
    ];
    let ended = prop::option::of(0..u64::MAX);
    (tag, any::<u32>(), ended).prop_map(|(tag, minutes, ended_ms)| GraceClock {
        tag,
        minutes,
        ended_ms,
    })
}

prop_compose! {
    fn clock()(
        generation in any::<u64>(),
        boots in any::<u32>(),
        evaluation_minutes in any::<u32>(),
        recovery_minutes in prop::option::of(0..u32::MAX),
        silence_ms in prop::option::of(0..u64::MAX),
        wall in any::<i64>(),
        graces in prop::collection::vec(grace(), 0..=GRACES_MAX),
    ) -> ClockRecord {
        ClockRecord {
            generation, boots, evaluation_minutes, recovery_minutes, silence_ms, highest_wall: Wall(wall), graces,
        }
    }
}

proptest! {
    #[test]
    fn every_record_reads_back_as_written(record in clock()) {
        let bytes = record.encode(mac).unwrap();
        let slot = Slot::of(record.generation);
        prop_assert_eq!(ClockRecord::decode(slot, &bytes[..], mac), Ok(record));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), at in 0usize..SLOT_BYTES) {
        let edited = sealed(|slot| {
            for (to, from) in slot[at..].iter_mut().zip(&bytes) {
                *to = *from;
            }
        });
        let _ = decode_a(&edited);
        prop_assert_eq!(decode_a(&bytes), Err(SlotError::Torn));
    }
}

#[test]
fn an_alarm_number_begins_with_one() {
    assert_eq!(OperatorRecord::default().next_alarm, AlarmId(1));
}
