use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use licensing::snapshot::Snapshot;
use licensing::{AlarmKind, LicenseCount, Mono, Now};

use super::*;
use crate::Counters;
use crate::delivery::{Config, Delivery, Input, Target};
use crate::fixture::{AT, GGSN, GRE, alarm, enterprise, snapshot};
use crate::groups::{Own, System};
use crate::notifications::News;
use crate::objects::{Mib, Tree};
use crate::usm::EngineId;

fn view(node: Snapshot) -> View {
    let config = Config {
        targets: vec![Target::new("nms-1", "192.0.2.1:162".parse().unwrap())],
        enterprise: enterprise(),
        started: Mono(0),
    };
    let now = Now {
        wall: AT,
        ..Now::default()
    };
    let mut delivery = Delivery::new(config, Vec::new(), &node, now).unwrap();
    delivery.handle(Input::News(News::Forked), &node, now);
    View {
        own: Own {
            system: Arc::new(System {
                descr: "tollgate".into(),
                object_id: enterprise(),
                contact: String::new(),
                name: "gw1".into(),
                location: String::new(),
                modules: Vec::new(),
            }),
            uptime: 0,
            engine_id: EngineId::new(b"\x80\x00\x7e\xd9\x05node").unwrap(),
            boots: 1,
            time: 0,
            max_bytes: 65_507,
            counters: Counters::default(),
        },
        node: Arc::new(node),
        told: Arc::new(delivery.shown()),
    }
}

fn tree(node: Snapshot) -> Tree<View> {
    let mib = Mib::new(vec![group(&enterprise())]).unwrap();
    Tree::new(Arc::new(mib), view(node))
}

fn get(tree: &mut Tree<View>, below: &[u32]) -> Value {
    tree.get(&enterprise().join(&[1]).join(below))
}

/// A snapshot in which everything has a value.
fn full() -> Snapshot {
    let mut node = snapshot();
    node.alarms = vec![alarm(7, AlarmKind::AtLimit { service: GGSN }, 9)];
    node.alarms[0].repeated = Some(AT);
    for (place, service) in node.services.iter_mut().enumerate() {
        service.tag.drift = Some(-(place as i64));
        service.tag.grace_left_s = Some(60);
        service.tag.registered.policy = Some(Policy::Allow);
        service.tag.registered.last_lic_count = Some(3);
        service.tag.registered.max_lic_count = Some(4);
        service.tag.registered.report_success = Some(5);
        service.tag.registered.report_failure = Some(6);
    }
    node.services[GGSN.at()].tag.entitlement = Some(licensing::Entitlement {
        licenses: LicenseCount(1),
        until: None,
    });
    node
}

//= L15
#[test]
fn a_walk_meets_every_object_once_in_order_and_each_is_of_its_type() {
    let mut tree = tree(full());
    let mib = Mib::new(vec![group(&enterprise())]).unwrap();
    let listed: Vec<_> = mib.listed().collect();
    let mut met = BTreeSet::new();
    let mut last = tree.seek(Bound::Unbounded);
    while let Some(bound) = last {
        let object = listed
            .iter()
            .find(|listed| listed.readable && bound.name.is_within(&listed.oid))
            .unwrap_or_else(|| panic!("{}", bound.name));
        let syntax = object.syntax.unwrap();
        assert!(
            syntax.admits(&bound.value),
            "{}: {:?}",
            object.name,
            bound.value
        );
        assert_eq!(tree.get(&bound.name), bound.value);
        met.insert(object.name);
        last = tree.seek(Bound::Excluded(&bound.name));
        if let Some(next) = &last {
            assert!(next.name > bound.name);
        }
    }
    // No target is away.
    let absent = ["tgRecountDrift", "tgTargetAwaySince"];
    for object in listed.iter().filter(|listed| listed.readable) {
        let there = met.contains(object.name);
        assert_eq!(there, !absent.contains(&object.name), "{}", object.name);
    }
}

//= L15
#[test]
fn a_tag_shows_its_state_and_statistics_for_each_mode() {
    let mut tree = tree(full());
    // GGSN has tag id 2 among services, GRE 0 among features.
    assert_eq!(get(&mut tree, &[3, 1, 3, 1, 2]), Value::text("GGSN"));
    assert_eq!(get(&mut tree, &[3, 1, 9, 1, 2]), Value::Gauge32(9_500));
    assert_eq!(get(&mut tree, &[3, 1, 12, 1, 2]), Value::Gauge32(10_000));
    assert_eq!(get(&mut tree, &[3, 1, 6, 1, 2]), Value::Integer(3));
    assert_eq!(get(&mut tree, &[3, 1, 3, 2, 0]), Value::text("GRE"));
    assert_eq!(get(&mut tree, &[3, 1, 8, 2, 0]), Value::Integer(3));
    assert_eq!(get(&mut tree, &[3, 1, 12, 2, 0]), Value::NoSuchInstance);
    assert_eq!(get(&mut tree, &[3, 1, 3, 1, 99]), Value::NoSuchInstance);
    assert_eq!(get(&mut tree, &[4, 1, 5, 1, 2, 2]), Value::Gauge32(3));
    assert_eq!(get(&mut tree, &[4, 1, 5, 1, 2, 1]), Value::NoSuchInstance);
}

//= L16
#[test]
fn outstanding_alarms_the_log_and_targets_are_there() {
    let mut tree = tree(full());
    assert_eq!(get(&mut tree, &[2, 10, 0]), Value::Gauge32(1));
    assert_eq!(
        get(&mut tree, &[6, 1, 2, 7]),
        Value::text("starLicenseExceeded")
    );
    assert_eq!(get(&mut tree, &[6, 1, 3, 7]), Value::Integer(2));
    assert_eq!(get(&mut tree, &[6, 1, 4, 7]), Value::text("GGSN"));
    assert_eq!(get(&mut tree, &[6, 1, 5, 7]), Value::Gauge32(1_795_300_000));
    assert_eq!(get(&mut tree, &[6, 1, 7, 7]), Value::Integer(9));
    let ready = Oid::from([1, 3, 6, 1, 4, 1, 9, 9, 831, 1, 2]);
    assert_eq!(
        get(&mut tree, &[7, 1, 4, 1]),
        Value::ObjectIdentifier(ready)
    );
    assert_eq!(get(&mut tree, &[8, 1, 2, 1]), Value::text("nms-1"));
    // Ready, its standing, the alarm's two, and the fork.
    assert_eq!(get(&mut tree, &[8, 1, 5, 1]), Value::Counter64(5));
}

//= L12
#[test]
fn every_tie_of_the_catalog_is_a_row() {
    let node = snapshot();
    let ties: usize = node.features.iter().map(|row| row.services.len()).sum();
    let mut tree = tree(node);
    assert_eq!(
        (group(&enterprise()).tables[2].rows)(tree.snapshot()).len(),
        ties
    );
    let gre = u32::from(snapshot().features[GRE.at()].tag.tag_id.0);
    assert_eq!(get(&mut tree, &[5, 1, 3, gre, 2]), Value::Integer(1));
}
