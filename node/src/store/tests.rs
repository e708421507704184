use std::os::unix::fs::FileExt;

use licensing::record::{SLOT_BYTES, Slot, SlotError};

use super::*;

fn clock(generation: u64, minutes: u32) -> ClockRecord {
    ClockRecord {
        generation,
        boots: 1,
        evaluation_minutes: minutes,
        ..ClockRecord::default()
    }
}

fn operator(total_enabled: u32) -> OperatorRecord {
    OperatorRecord {
        enabled: true,
        ever_enabled: true,
        total_enabled,
        ..OperatorRecord::default()
    }
}

/// A directory in which a node spent two minutes and was enabled three times.
fn used() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, found) = Store::open(dir.path()).unwrap();
    assert!(!found.lost && !found.tampered);
    store.write(&Record::Clock(clock(2, 1))).unwrap();
    store.write(&Record::Clock(clock(3, 2))).unwrap();
    store.write(&Record::Operator(operator(3))).unwrap();
    dir
}

fn reopen(dir: &Path) -> Found {
    Store::open(dir).unwrap().1
}

#[test]
fn a_new_node_finds_nothing_and_has_lost_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let found = reopen(&dir.path().join("state"));
    assert_eq!((found.clock, found.operator), (None, None));
    assert!(!found.lost && !found.tampered);
    assert_eq!(found.serial.len(), 11);
}

//= L3
#[test]
fn what_was_written_is_found_again() {
    let dir = used();
    let found = reopen(dir.path());
    assert_eq!(found.clock, Some(clock(3, 2)));
    assert_eq!(found.operator, Some(operator(3)));
    assert!(!found.lost && !found.tampered);
    assert_eq!(found.serial, reopen(dir.path()).serial);
}

#[test]
fn files_are_for_the_node_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    drop(Store::open(&state).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for name in ["node.key", "clock.a", "clock.b", "lock", "operator.redb"] {
        assert_eq!(mode(&state.join(name)), 0o600, "{name}");
    }
    fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    drop(Store::open(&state).unwrap());
    assert_eq!(mode(&state), 0o700);
    fs::set_permissions(&state, Permissions::from_mode(0o1777)).unwrap();
    let error = Store::open(&state).unwrap_err().to_string();
    let expected = format!(
        "state directory {} has mode 1777: others may write in it; \
         make it 0700 or set another node.state_dir",
        state.display()
    );
    assert_eq!(error, expected);
}

#[test]
fn two_nodes_do_not_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Store::open(dir.path()).unwrap();
    let error = Store::open(dir.path()).unwrap_err().to_string();
    let expected = format!(
        "state directory {} is in use by process {}: one node at a time; \
         stop that one or set another node.state_dir",
        dir.path().display(),
        std::process::id()
    );
    assert_eq!(error, expected);
}

/// The bytes of a write that replaces generation 2 (slot A) by generation 4.
fn next_write(dir: &Path) -> (Vec<u8>, Vec<u8>, NodeKey) {
    let (key, _) = NodeKey::open(dir).unwrap();
    let old = fs::read(dir.join("clock.a")).unwrap();
    let new = clock(4, 3).encode(|b| key.code(b)).unwrap().to_vec();
    (old, new, key)
}

fn clock_after(dir: &Path, key: &NodeKey, slot_a: &[u8]) -> ClockRecord {
    fs::write(dir.join("clock.a"), slot_a).unwrap();
    let (_, choice) = ClockSlots::open(dir, key, false).unwrap();
    assert!(!choice.is_tampered());
    choice.record.unwrap()
}

//= L3
#[test]
fn every_prefix_of_a_write_leaves_a_readable_clock() {
    let dir = used();
    let (old, new, key) = next_write(dir.path());
    for length in 0..=SLOT_BYTES {
        let torn = [&new[..length], &old[length..]].concat();
        let expected = if torn == new {
            clock(4, 3)
        } else {
            clock(3, 2)
        };
        assert_eq!(clock_after(dir.path(), &key, &torn), expected, "{length}");
    }
}

#[test]
fn every_set_of_sectors_of_a_write_leaves_a_readable_clock() {
    let dir = used();
    let (old, new, key) = next_write(dir.path());
    for set in 0_u32..1 << 8 {
        let sector = |n: usize| if set >> n & 1 == 1 { &new } else { &old };
        let torn: Vec<u8> = (0..8)
            .flat_map(|n| &sector(n)[n * 512..(n + 1) * 512])
            .copied()
            .collect();
        let expected = if torn == new {
            clock(4, 3)
        } else {
            clock(3, 2)
        };
        assert_eq!(clock_after(dir.path(), &key, &torn), expected, "{set:08b}");
    }
}

#[test]
fn one_slot_is_enough() {
    for (name, left) in [("clock.b", clock(2, 1)), ("clock.a", clock(3, 2))] {
        let dir = used();
        for name in [name, "operator.redb"] {
            fs::remove_file(dir.path().join(name)).unwrap();
        }
        let found = reopen(dir.path());
        assert_eq!(found.clock, Some(left), "without {name}");
        assert!(!found.lost);
        let mut store = Store::open(dir.path()).unwrap().0;
        store.write(&Record::Clock(clock(5, 4))).unwrap();
        store.write(&Record::Clock(clock(6, 5))).unwrap();
        drop(store);
        assert_eq!(reopen(dir.path()).clock, Some(clock(6, 5)));
    }
}

type Harm = fn(&Path);

//= L3
#[test]
fn a_loss_of_all_copies_is_told_from_a_new_node() {
    let harms: [(&str, Harm); 4] = [
        ("torn", |dir| {
            for name in ["clock.a", "clock.b"] {
                fs::write(dir.join(name), [7; SLOT_BYTES]).unwrap();
            }
        }),
        ("zeros", |dir| {
            for name in ["clock.a", "clock.b"] {
                fs::write(dir.join(name), [0; SLOT_BYTES]).unwrap();
            }
        }),
        ("gone", |dir| {
            for name in ["clock.a", "clock.b"] {
                fs::remove_file(dir.join(name)).unwrap();
            }
        }),
        ("key gone", |dir| {
            fs::remove_file(dir.join("node.key")).unwrap();
        }),
    ];
    for (what, harm) in harms {
        if what != "key gone" {
            let dir = used();
            harm(dir.path());
            let found = reopen(dir.path());
            assert_eq!(found.clock, Some(clock(3, 2)), "{what}, but for one");
            assert!(found.tampered && !found.lost, "{what}, but for one");
        }
        let dir = used();
        harm(dir.path());
        fs::remove_file(dir.path().join("operator.redb")).unwrap();
        for start in ["first", "second"] {
            let found = reopen(dir.path());
            assert_eq!(found.clock, None, "{what}, {start} start");
            assert!(found.lost, "{what}, {start} start");
        }
    }
}

//= L3
#[test]
fn slots_of_yesterday_are_seen_and_give_no_time_back() {
    let dir = used();
    let slots = ["clock.a", "clock.b"].map(|name| dir.path().join(name));
    let yesterday = slots.clone().map(|slot| fs::read(slot).unwrap());
    let mut store = Store::open(dir.path()).unwrap().0;
    for generation in 4..=9 {
        store.write(&Record::Clock(clock(generation, 100))).unwrap();
    }
    drop(store);
    for (slot, bytes) in slots.iter().zip(&yesterday) {
        fs::write(slot, bytes).unwrap();
    }
    let (mut store, found) = Store::open(dir.path()).unwrap();
    assert_eq!(found.clock, Some(clock(9, 100)));
    assert!(found.tampered && !found.lost);
    store.write(&Record::Clock(clock(10, 101))).unwrap();
    drop(store);
    let found = reopen(dir.path());
    assert_eq!(found.clock, Some(clock(10, 101)));
    assert!(!found.tampered);
}

//= L3
#[test]
fn the_first_record_leaves_what_the_first_start_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(dir.path()).unwrap().0;
    store.write(&Record::Clock(clock(1, 0))).unwrap();
    drop(store);
    let (key, _) = NodeKey::open(dir.path()).unwrap();
    fs::write(dir.path().join("clock.b"), [7; SLOT_BYTES]).unwrap();
    let choice = ClockSlots::open(dir.path(), &key, false).unwrap().1;
    assert!(choice.record.is_some(), "a write cut short loses nothing");
}

#[test]
fn a_hand_in_a_slot_is_seen() {
    let dir = used();
    let path = dir.path().join("clock.b");
    let forged = clock(9, 0).encode(|_| [0; 32]).unwrap();
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(forged.as_slice(), 0).unwrap();
    let found = reopen(dir.path());
    assert_eq!(found.clock, Some(clock(3, 2)), "as the database has it");
    assert!(found.tampered && !found.lost);
}

#[test]
fn a_hand_in_the_database_is_seen() {
    let dir = used();
    let other = used();
    fs::copy(
        other.path().join("operator.redb"),
        dir.path().join("operator.redb"),
    )
    .unwrap();
    let (mut store, found) = Store::open(dir.path()).unwrap();
    assert_eq!(found.operator, None);
    assert!(found.tampered && !found.lost);
    store.write(&Record::Operator(operator(1))).unwrap();
    drop(store);
    let found = reopen(dir.path());
    assert_eq!(found.operator, Some(operator(1)));
    assert!(!found.tampered);
}

#[test]
fn a_database_that_is_not_one_is_set_aside() {
    let dir = used();
    let path = dir.path().join("operator.redb");
    fs::write(&path, b"not a database").unwrap();
    let found = reopen(dir.path());
    assert!(found.tampered);
    assert_eq!(found.clock, Some(clock(3, 2)));
    let aside = path.with_added_extension("unreadable");
    assert_eq!(fs::read(aside).unwrap(), b"not a database");
}

#[test]
fn a_database_taken_away_is_seen() {
    let dir = used();
    fs::remove_file(dir.path().join("operator.redb")).unwrap();
    let found = reopen(dir.path());
    assert_eq!(found.operator, None);
    assert!(found.tampered && !found.lost);
}

#[test]
fn a_first_start_cut_short_is_a_new_node() {
    let cuts: [&[&str]; 5] = [
        &["operator.redb", "clock.a", "clock.b", "node.key.new"],
        &["operator.redb", "clock.a", "clock.b"],
        &["operator.redb", "clock.b"],
        &["operator.redb"],
        &[],
    ];
    for missing in cuts {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::open(dir.path()).unwrap());
        let key = ["node.key", "node.key.new"].map(|name| dir.path().join(name));
        fs::rename(&key[0], &key[1]).unwrap();
        for name in missing {
            fs::remove_file(dir.path().join(name)).unwrap();
        }
        let found = reopen(dir.path());
        assert!(!found.lost && !found.tampered, "without {missing:?}");
        let spent = found.clock.map_or(0, |clock| clock.evaluation_minutes);
        assert_eq!(spent, 0);
    }
}

#[test]
fn an_unwritable_slot_is_told_and_serves_again() {
    let dir = used();
    let (mut store, _) = Store::open(dir.path()).unwrap();
    let read_only = File::open(dir.path().join("clock.a")).unwrap();
    let good = std::mem::replace(&mut store.slots.a.1, read_only);
    let error = store.write(&Record::Clock(clock(4, 3))).unwrap_err();
    assert!(error.to_string().starts_with("writing "), "{error}");
    store.slots.a.1 = good;
    store.write(&Record::Clock(clock(4, 3))).unwrap();
    drop(store);
    assert_eq!(reopen(dir.path()).clock, Some(clock(4, 3)));
}

#[test]
fn slots_belong_to_their_generation() {
    let dir = used();
    let (key, _) = NodeKey::open(dir.path()).unwrap();
    let bytes = fs::read(dir.path().join("clock.b")).unwrap();
    let swapped = ClockRecord::decode(Slot::A, &bytes, |b| key.code(b));
    assert_eq!(swapped, Err(SlotError::Tampered));
}

mod agent {
    use std::collections::BTreeMap;

    use api::smart::{Acknowledged, Digest, IdToken, Octets, ReportText, Sudi};
    use licensing::Wall;
    use smart_agent::record::{Attempt, IntervalRecord, LedgerRecord, Marks, Record, StateRecord};
    use smart_agent::trust::TrustRecord;
    use smart_agent::{Identity, Restored};

    use super::*;

    fn text(said: &str) -> ReportText {
        serde_json::from_value(serde_json::json!(said)).unwrap()
    }

    fn report(report_id: u64) -> Record {
        let text = text(&format!("report {report_id}"));
        Record::Report { report_id, text }
    }

    fn marks(acknowledged: u64, below: u64) -> Marks {
        let digest = Digest([7; 32]);
        Marks {
            acknowledged,
            below,
            head: Some(Acknowledged {
                report_id: 9,
                digest,
            }),
        }
    }

    fn records() -> Vec<Record> {
        let attempt = Attempt {
            idtoken: IdToken::new("0123456789abcdef".to_owned()).unwrap(),
            force: true,
        };
        let state = StateRecord {
            attempt: Some(attempt),
            calendar: Some(Wall(5)),
            ..StateRecord::default()
        };
        let interval = |after| IntervalRecord {
            after,
            ..IntervalRecord::default()
        };
        let ledger = LedgerRecord {
            reports: BTreeMap::from([(8, text("eight")), (9, text("nine"))]),
            marks: marks(8, 8),
            interval: None,
        };
        vec![
            Record::Interval(interval(0)),
            report(1),
            report(2),
            report(3),
            Record::Trust(TrustRecord {
                roots: vec![Octets(vec![1, 2])],
                crls: vec![Octets(vec![3])],
            }),
            Record::Marks(marks(2, 2)),
            Record::State(state),
            Record::Ledger(ledger),
            Record::Interval(interval(9)),
            report(10),
            Record::State(StateRecord::default()),
        ]
    }

    fn open(dir: &Path) -> (AgentStore, Restored) {
        let store = Store::open(dir).unwrap().0;
        let kept = store.open_agent().unwrap();
        (kept.store, kept.restored)
    }

    //= L10
    #[test]
    fn the_agents_records_are_found_as_they_were_kept_after_each_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut expected = Restored::default();
        for record in records() {
            let (mut store, restored) = open(dir.path());
            assert_eq!(restored, expected);
            store.keep(&record).unwrap();
            expected.keep(record);
        }
        assert_eq!(open(dir.path()).1, expected);
        assert_eq!(expected.ledger.reports.len(), 3);
        let mode = fs::metadata(dir.path().join("agent.redb")).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_nodes_key_is_made_once_and_for_this_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let sudi = Sudi {
            udi_pid: "VPC-SI".into(),
            udi_serial_number: "1".into(),
        };
        let public_key = || {
            let store = Store::open(dir.path()).unwrap().0;
            let seed = store.open_agent().unwrap().seed;
            Identity::new(seed, &sudi).unwrap().public_key()
        };
        let first = public_key();
        let path = dir.path().join("identity.key");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(public_key(), first);
        assert_eq!(mode(), 0o600);
        fs::write(&path, b"short").unwrap();
        let second = public_key();
        assert_ne!(second, first);
        assert_eq!(public_key(), second);
        let aside = fs::read(dir.path().join("identity.key.unreadable"));
        assert_eq!(aside.unwrap(), b"short");
    }

    #[test]
    fn the_first_authoritys_root_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _) = open(dir.path());
        store.keep_first_root(b"root").unwrap();
        drop(store);
        let store = Store::open(dir.path()).unwrap().0;
        let kept = store.open_agent().unwrap();
        assert_eq!(kept.first_root.unwrap().0, b"root");
    }

    #[test]
    fn a_disk_that_fails_is_told_and_asked_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.redb");
        fs::create_dir(&path).unwrap();
        let (mut store, restored) = open(dir.path());
        assert_eq!(restored, Restored::default());
        assert!(store.keep(&report(1)).is_err());
        fs::remove_dir(&path).unwrap();
        store.keep(&report(1)).unwrap();
        drop(store);
        assert_eq!(open(dir.path()).1.ledger.reports.len(), 1);
    }

    #[test]
    fn records_of_another_hand_are_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _) = open(dir.path());
        store.keep(&report(1)).unwrap();
        drop(store);
        let path = dir.path().join("agent.redb");
        fs::write(&path, b"not a database, but long enough to look like one").unwrap();
        let (mut store, restored) = open(dir.path());
        assert_eq!(restored, Restored::default());
        assert!(dir.path().join("agent.redb.unreadable").exists());
        store.keep(&report(2)).unwrap();
    }
}

mod snmp {
    use ::snmp::delivery::{Change, Record};

    use super::*;

    #[test]
    fn what_waits_and_how_often_the_engine_began_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap().0;
        let mut kept = store.open_snmp();
        assert_eq!((kept.boots, kept.records), (0, Vec::new()));
        kept.store.keep_boots(7).unwrap();
        let reserved = Record::Reserved { below: 4096 };
        let suppressed = Record::Suppressed(vec!["tgLabSpeedup".to_owned()]);
        let changes = [&reserved, &suppressed].map(|record| Change::Persist(record.clone()));
        kept.store.keep(&changes, true).unwrap();
        let gone = [Change::Delete(suppressed.key())];
        kept.store.keep(&gone, false).unwrap();
        drop((kept.store, store));
        let store = Store::open(dir.path()).unwrap().0;
        let kept = store.open_snmp();
        assert_eq!((kept.boots, kept.records), (7, vec![reserved]));
        let mode = fs::metadata(dir.path().join("snmp.redb")).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }

    //= L16
    #[test]
    fn a_lost_key_loses_nothing_that_waits_and_no_start_of_the_engine() {
        let dir = tempfile::tempdir().unwrap();
        let of = |boots: u32| {
            let store = Store::open(dir.path()).unwrap().0;
            let mut kept = store.open_snmp();
            let record = Record::Reserved {
                below: boots.into(),
            };
            let found = (kept.boots, kept.records);
            kept.store.keep_boots(boots).unwrap();
            let changes = [Change::Persist(record.clone())];
            kept.store.keep(&changes, true).unwrap();
            let told = Record::Suppressed(Vec::new());
            if boots == 1 {
                kept.store.keep(&[Change::Persist(told)], true).unwrap();
            }
            drop((kept.store, store));
            fs::remove_file(dir.path().join("node.key")).unwrap();
            found
        };
        assert_eq!(of(1), (0, Vec::new()));
        // Rows of more than one lost key, too.
        for boots in 2..4 {
            let reserved = Record::Reserved {
                below: u64::from(boots) - 1,
            };
            let kept = vec![reserved, Record::Suppressed(Vec::new())];
            assert_eq!(of(boots), (boots - 1, kept));
        }
    }

    #[test]
    fn records_of_another_hand_are_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap().0;
        let path = dir.path().join("snmp.redb");
        fs::write(&path, b"not a database, but long enough to look like one").unwrap();
        let mut kept = store.open_snmp();
        assert_eq!((kept.boots, kept.records), (0, Vec::new()));
        assert!(dir.path().join("snmp.redb.unreadable").exists());
        kept.store.keep_boots(1).unwrap();
    }
}
