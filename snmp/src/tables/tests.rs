use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use licensing::snapshot::Snapshot;
use licensing::{AlarmKind, LicenseCount, Mono, Now, Policy};

use super::*;
use crate::Counters;
use crate::delivery::{Config, Delivery, Input, Target};
use crate::fixture::{AT, GGSN, GRE, alarm, enterprise, snapshot};
use crate::groups::{Own, System};
use crate::notifications::{News, Which, table};
use crate::objects::{Mib, Tree};
use crate::usm::EngineId;
use crate::view::{Agent, Attempts, Registered, Registration};

fn view(node: Snapshot) -> View {
    let config = Config {
        targets: vec![Target::new("nms-1", "192.0.2.1:162".parse().unwrap())],
        suppressed: Default::default(),
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
        agent: Arc::new(agent()),
        told: Arc::new(delivery.shown()),
    }
}

/// An agent whose every field says something.
fn agent() -> Agent {
    let attempts = |at: i64, failure: Option<&str>| Attempts {
        last: Some(Wall(AT.0 + at * 1_000)),
        failure: failure.map(Into::into),
        next: Some(Wall(AT.0 + (at + 1) * 1_000)),
    };
    Agent {
        registration: Registration::Completed(Registered {
            smart_account: "Example M\u{f6}bil".into(),
            virtual_account: "Core".into(),
            since: Wall(AT.0 + 1_000),
            expires: Wall(AT.0 + 2_000),
        }),
        initial: attempts(40, Some("token used up")),
        deregistration: attempts(50, Some("not answered")),
        renewal: attempts(10, Some("no answer")),
        authorization: attempts(20, Some("refused")),
        authorized_until: Some(Wall(AT.0 + 30_000)),
    }
}

fn tree(node: Snapshot) -> Tree<View> {
    tree_of(view(node))
}

fn tree_of(view: View) -> Tree<View> {
    Tree::new(Arc::new(mib()), view)
}

fn mib() -> Mib<View> {
    Mib::new(vec![group(&enterprise()), smart_licensing()]).unwrap()
}

fn get(tree: &mut Tree<View>, below: &[u32]) -> Value {
    tree.get(&enterprise().join(&[1]).join(below))
}

/// A snapshot in which everything has a value.
fn full() -> Snapshot {
    let mut node = snapshot();
    let expired = AlarmKind::EvaluationExpired;
    node.alarms = vec![
        alarm(7, AlarmKind::AtLimit { service: GGSN }, 9),
        alarm(8, expired, 0),
    ];
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
    let listed: Vec<_> = mib().listed().collect();
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
    assert_eq!(get(&mut tree, &[2, 10, 0]), Value::Gauge32(2));
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
    // Ready, its standing, two of each alarm, and the fork.
    assert_eq!(get(&mut tree, &[8, 1, 5, 1]), Value::Counter64(7));
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

/// What a walk of CISCO-SMART-LIC-MIB gives: arcs below ciscoSlaMIBObjects, and values.
fn walked(tree: &mut Tree<View>) -> Vec<(String, Value)> {
    let root = Oid::from([1, 3, 6, 1, 4, 1, 9, 9, 831]);
    let mut all = Vec::new();
    let mut last = tree.seek(Bound::Included(&root));
    while let Some(bound) = last.filter(|bound| bound.name.is_within(&root)) {
        let name = bound.name.to_string();
        let below = name.strip_prefix("1.3.6.1.4.1.9.9.831.0.").unwrap();
        all.push((below.to_owned(), bound.value.clone()));
        last = tree.seek(Bound::Excluded(&bound.name));
    }
    all
}

fn at(seconds: u32) -> Value {
    Value::Gauge32(1_795_300_000 + seconds)
}

//= L18
#[test]
fn a_walk_of_cisco_smart_lic_mib_gives_each_value_at_its_place() {
    let node = full();
    let gre = 1 + node.services.len();
    let tag = |row: &licensing::snapshot::TagStatus| {
        (row.tag.as_str().to_owned(), row.description.clone())
    };
    let (ggsn_tag, ggsn_text) = tag(&node.services[GGSN.at()].tag);
    let (gre_tag, gre_text) = tag(&node.features[GRE.at()].tag);
    let text = |text: &str| Value::text(text);
    let expected = [
        ("1.0".to_owned(), Value::Gauge32(1)),
        ("2.0".into(), text("PID:VPC-SI,SN:9FR4BQX7K2M")),
        ("3.0".into(), text("Smart Licensing Agent, Version 0.1.0")),
        ("4.0".into(), Value::Integer(1)),
        ("5.1.1.2.3".into(), Value::Gauge32(1)),
        (format!("5.1.1.2.{gre}"), Value::Gauge32(1)),
        ("5.1.1.3.3".into(), text(&ggsn_tag)),
        (format!("5.1.1.3.{gre}"), text(&gre_tag)),
        ("5.1.1.4.3".into(), text("1.0")),
        (format!("5.1.1.4.{gre}"), text("1.0")),
        ("5.1.1.5.3".into(), Value::Integer(3)),
        (format!("5.1.1.5.{gre}"), Value::Integer(4)),
        ("5.1.1.6.3".into(), text(&ggsn_text)),
        (format!("5.1.1.6.{gre}"), text(&gre_text)),
        ("5.1.1.7.3".into(), text("GGSN")),
        (format!("5.1.1.7.{gre}"), text("GRE")),
        ("5.1.1.8.3".into(), Value::Integer(1)),
        (format!("5.1.1.8.{gre}"), Value::Integer(1)),
        ("6.1.0".into(), Value::Integer(5)),
        ("6.2.0".into(), text("Core")),
        ("6.3.0".into(), at(2)),
        ("6.4.0".into(), text("Example M\u{f6}bil")),
        ("6.5.1.0".into(), at(40)),
        ("6.5.2.0".into(), Value::Integer(2)),
        ("6.5.3.0".into(), text("token used up")),
        ("6.5.4.0".into(), at(41)),
        ("6.6.1.0".into(), at(10)),
        ("6.6.2.0".into(), Value::Integer(2)),
        ("6.6.3.0".into(), text("no answer")),
        ("6.6.4.0".into(), at(11)),
        ("7.1.0".into(), at(30)),
        ("7.2.0".into(), text("OUT OF COMPLIANCE")),
        ("7.3.0".into(), at(0)),
        ("7.4.1.0".into(), Value::Integer(2)),
        ("7.4.2.0".into(), at(0)),
        ("7.4.3.0".into(), Value::Gauge32(7_689_600)),
        ("7.5.1.0".into(), at(20)),
        ("7.5.2.0".into(), Value::Integer(2)),
        ("7.5.3.0".into(), text("refused")),
        ("7.5.4.0".into(), at(21)),
        ("8.1.0".into(), Value::Integer(1)),
        ("8.2.0".into(), Value::Integer(1)),
        ("9.1.0".into(), Value::Integer(3)),
        ("9.2.0".into(), text("not answered")),
    ];
    assert_eq!(walked(&mut tree(node)), expected);
}

//= L18
#[test]
fn what_the_agent_has_no_fact_for_is_not_there() {
    let mut view = view(snapshot());
    view.agent = Arc::new(Agent::default());
    let node = Arc::make_mut(&mut view.node);
    for place in 0..node.features.len() {
        node.features[place].tag.compliance = None;
        node.features[place].tag.licenses = LicenseCount(0);
    }
    let there: Vec<_> = walked(&mut tree_of(view.clone()));
    let names: Vec<_> = there.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "1.0",
        "2.0",
        "3.0",
        "4.0",
        "5.1.1.2.3",
        "5.1.1.3.3",
        "5.1.1.4.3",
        "5.1.1.5.3",
        "5.1.1.6.3",
        "5.1.1.7.3",
        "5.1.1.8.3",
        "6.1.0",
        "7.2.0",
        "7.4.1.0",
        "7.4.3.0",
        "8.1.0",
        "8.2.0",
    ];
    assert_eq!(names, expected);
    let value = |name: &str| there.iter().find(|row| row.0 == name).map(|row| &row.1);
    assert_eq!(value("6.1.0"), Some(&Value::Integer(1)));
    assert_eq!(value("7.2.0"), Some(&Value::text("AUTHORIZED")));
}

//= L18
#[test]
fn an_agent_that_is_off_enforces_nothing_and_one_without_use_is_initialized() {
    let mut node = snapshot();
    let shown = |node: &Snapshot| {
        let there = walked(&mut tree(node.clone()));
        let modes = there
            .iter()
            .filter(|(name, _)| name.starts_with("5.1.1.5."));
        let modes: Vec<_> = modes.map(|(_, value)| value.clone()).collect();
        let status = there.iter().find(|(name, _)| name == "7.2.0").unwrap();
        (modes, status.1.clone())
    };
    let in_use = shown(&node).0.len();
    node.smart.enabled = false;
    let off = vec![Value::Integer(10); in_use];
    assert_eq!(shown(&node), (off, Value::text("DISABLED")));
    node.smart.enabled = true;
    let tags = node.services.iter_mut().map(|row| &mut row.tag);
    tags.chain(node.features.iter_mut().map(|row| &mut row.tag))
        .for_each(|tag| tag.compliance = None);
    let (modes, status) = shown(&node);
    assert!(!modes.is_empty() && modes.iter().all(|mode| *mode == Value::Integer(1)));
    assert_eq!(status, Value::text("No Licenses in Use"));
}

//= L18
#[test]
fn a_registration_stands_where_its_attempts_have_brought_it() {
    let Registration::Completed(registered) = agent().registration else {
        panic!("it is registered");
    };
    let failed = Attempts {
        failure: Some("refused".into()),
        ..Attempts::default()
    };
    let root = Oid::from([1, 3, 6, 1, 4, 1, 9, 9, 831, 0, 6]);
    let [yes, no] = [Value::Integer(1), Value::Integer(2)];
    for (registration, attempts, status, success) in [
        (
            Registration::None,
            Attempts::default(),
            1,
            Value::NoSuchInstance,
        ),
        (
            Registration::InProgress,
            Attempts::default(),
            2,
            Value::NoSuchInstance,
        ),
        (Registration::None, failed.clone(), 3, no.clone()),
        (Registration::InProgress, failed.clone(), 4, no.clone()),
        (
            Registration::Completed(registered.clone()),
            Attempts::default(),
            5,
            yes,
        ),
        (Registration::Completed(registered.clone()), failed, 5, no),
    ] {
        let mut view = view(snapshot());
        view.agent = Arc::new(Agent {
            registration,
            initial: attempts,
            ..Agent::default()
        });
        let begun = match &view.agent.registration {
            Registration::Completed(_) => seconds(registered.since),
            Registration::None | Registration::InProgress => None,
        };
        let mut tree = tree_of(view);
        assert_eq!(tree.get(&root.join(&[1, 0])), Value::Integer(status));
        assert_eq!(tree.get(&root.join(&[5, 2, 0])), success, "{status}");
        let began = tree.get(&root.join(&[5, 1, 0]));
        assert_eq!(began, begun.unwrap_or(Value::NoSuchInstance), "{status}");
    }
}

#[test]
fn a_switch_of_notifications_is_off_once_all_that_it_is_about_are_suppressed() {
    let ours = |name: &str| Which::named(name).unwrap();
    let entitlement = ours("ciscoSlaSmartAgentNotifyEntitlementEnforceMode");
    let all = table().filter(|(_, row)| row.mib == crate::notifications::Mib::CiscoSmartLic);
    let others: BTreeSet<_> = all
        .map(|(which, _)| which)
        .filter(|w| *w != entitlement)
        .collect();
    let mut but_one = others.clone();
    but_one.remove(&ours("ciscoSlaSmartAgentNotifyReady"));
    for (suppressed, expected) in [
        (BTreeSet::from([entitlement]), [1, 2]),
        (but_one, [1, 1]),
        (others, [2, 1]),
    ] {
        let mut view = view(snapshot());
        Arc::make_mut(&mut view.told).suppressed = suppressed;
        let there = walked(&mut tree_of(view));
        let switches = there.iter().filter(|(name, _)| name.starts_with("8."));
        let switches: Vec<_> = switches.map(|(_, value)| value.clone()).collect();
        assert_eq!(switches, expected.map(Value::Integer));
    }
}

#[test]
fn a_long_text_ends_between_letters() {
    let mut view = view(snapshot());
    let Registration::Completed(mut registered) = agent().registration else {
        panic!("it is registered");
    };
    registered.virtual_account = format!("a{}", "\u{f6}".repeat(200));
    view.agent = Arc::new(Agent {
        registration: Registration::Completed(registered),
        ..agent()
    });
    let name = Oid::from([1, 3, 6, 1, 4, 1, 9, 9, 831, 0, 6, 2, 0]);
    let expected = format!("a{}", "\u{f6}".repeat(127));
    assert_eq!(tree_of(view).get(&name), Value::text(expected));
}
