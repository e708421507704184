//! Every notification, its numbers and its varbinds.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use licensing::{AlarmKind, Compliance, Event, Mode, Policy, SessionCount, TagRef};

use super::*;
use crate::Value;
use crate::fixture::{GGSN, GRE, alarm, enterprise, snapshot};

/// Number, name and the objects in order, as STARENT-MIB has them.
const STARENT: [(u32, &str, &[&str]); 16] = [
    (65, "starLicenseExceeded", &["31.9", "31.10", "18.1.1.7"]),
    (81, "starCongestion", &["18.1.1.7", "31.1", "31.2"]),
    (82, "starCongestionClear", &["18.1.1.7"]),
    (94, "starLicenseUnderLimit", &["31.9", "31.10", "18.1.1.7"]),
    (204, "starThreshLicense", &["28.2", "28.1", "18.1.1.7"]),
    (205, "starThreshClearLicense", &["28.2", "28.1", "18.1.1.7"]),
    (1349, "starSmartLicenseServiceOOC", &["31.178", "31.177"]),
    (
        1350,
        "starSmartLicenseServiceOOCClear",
        &["31.178", "31.177"],
    ),
    (1351, "starSmartLicenseEvalMode", &["31.179"]),
    (1352, "starSmartLicenseEvalModeClear", &["31.179"]),
    (1353, "starSmartLicenseEvalModeExpire", &[]),
    (1354, "starSmartLicenseEvalModeExpireClear", &[]),
    (1355, "starSmartLicenseCSSMConntectionFail", &[]),
    (1356, "starSmartLicenseCSSMConnectionFailClear", &[]),
    (1401, "starSmartLicenseFeatureOOC", &["31.196", "31.195"]),
    (
        1402,
        "starSmartLicenseFeatureOOCClear",
        &["31.196", "31.195"],
    ),
];

//= L18
#[test]
fn numbers_and_varbinds_of_starent_mib_are_those_of_the_mib() {
    let rows = table().filter(|(_, row)| row.mib == Mib::Starent);
    let mut found = 0;
    for ((which, row), (number, name, objects)) in rows.zip(STARENT) {
        assert_eq!((row.number, row.name), (number, name));
        let oid = format!("1.3.6.1.4.1.8164.2.{number}");
        assert_eq!(which.oid(&enterprise()).to_string(), oid);
        let had = row.objects.iter().map(|o| o.oid(&enterprise()).to_string());
        let wanted = objects.iter().map(|o| format!("1.3.6.1.4.1.8164.1.{o}"));
        assert_eq!(
            had.collect::<Vec<_>>(),
            wanted.collect::<Vec<_>>(),
            "{name}"
        );
        found += 1;
    }
    assert_eq!(found, STARENT.len());
}

//= L18
#[test]
fn numbers_and_varbinds_of_cisco_smart_lic_mib_are_those_of_the_mib() {
    const DEVICE: &[&str] = &["2"];
    let rows: Vec<_> = table()
        .filter(|(_, row)| row.mib == Mib::CiscoSmartLic)
        .collect();
    let numbers: Vec<_> = rows.iter().map(|(_, row)| row.number).collect();
    let expected = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22,
    ];
    assert_eq!(numbers, expected);
    for (which, row) in rows {
        let wanted = match row.number {
            1 => &["2", "5.1.1.5"][..],
            15 => &["5.1.1.2", "5.1.1.3", "5.1.1.4", "5.1.1.5", "2"],
            22 => &["2", "9.1", "9.2"],
            _ => DEVICE,
        };
        let had = row.objects.iter().map(|o| o.oid(&enterprise()).to_string());
        let wanted = wanted.iter().map(|o| format!("1.3.6.1.4.1.9.9.831.0.{o}"));
        assert_eq!(had.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
        let oid = format!("1.3.6.1.4.1.9.9.831.1.{}", row.number);
        assert_eq!(which.oid(&enterprise()).to_string(), oid);
    }
}

//= L16
#[test]
fn each_raise_has_exactly_one_clear_with_the_same_varbinds() {
    let mut cleared = BTreeSet::new();
    for (_, row) in table() {
        let Kind::Raise { cleared_by } = row.kind else {
            assert!(row.clears.is_empty(), "{}", row.name);
            continue;
        };
        let clear = Which::named(cleared_by).expect(cleared_by).row();
        assert_eq!(clear.kind, Kind::Clear);
        assert!(cleared.insert(cleared_by), "{cleared_by} clears one");
        assert_eq!((clear.mib, row.clears.is_empty()), (row.mib, false));
        let names = |row: &NotificationType| row.objects.iter().map(|o| o.name).collect::<Vec<_>>();
        // StarOS tells of congestion's end with the service alone.
        if row.name != "starCongestion" {
            assert_eq!(names(row), names(clear), "{}", row.name);
        }
    }
    let clears = table().filter(|(_, row)| row.kind == Kind::Clear).count();
    assert_eq!(cleared.len(), clears, "no clear without its raise");
}

#[test]
fn names_are_found_and_stand_for_their_rows() {
    let mut seen = BTreeSet::new();
    for (which, row) in table() {
        assert_eq!(Which::named(row.name), Some(which));
        assert!(std::ptr::eq(which.row(), row));
        assert!(seen.insert(which.oid(&enterprise())), "{}", row.name);
        let text = serde_json::to_string(&which).unwrap();
        assert_eq!(text, format!("{:?}", row.name));
        assert_eq!(serde_json::from_str::<Which>(&text).unwrap(), which);
        for sentence in [row.cause, row.action] {
            assert!(sentence.ends_with('.'), "{}", row.name);
        }
    }
    assert!(serde_json::from_str::<Which>("\"tgNothing\"").is_err());
}

/// The kind after this one; so that a kind that is added must be put into the chain.
fn next(kind: AlarmKind) -> Option<AlarmKind> {
    let (service, feature) = (GGSN, GRE);
    let of_service = (Some(service), None);
    let of_feature = (None, Some(feature));
    Some(match kind {
        AlarmKind::ServiceOutOfCompliance { .. } => AlarmKind::FeatureOutOfCompliance { feature },
        AlarmKind::FeatureOutOfCompliance { .. } => AlarmKind::EvaluationMode,
        AlarmKind::EvaluationMode => AlarmKind::EvaluationExpired,
        AlarmKind::EvaluationExpired => AlarmKind::AuthorityUnreachable,
        AlarmKind::AuthorityUnreachable => AlarmKind::AuthorizationExpired,
        AlarmKind::AuthorizationExpired => AlarmKind::AtLimit { service },
        AlarmKind::AtLimit { .. } => {
            let (service, feature) = of_service;
            AlarmKind::GraceExpired { service, feature }
        }
        AlarmKind::GraceExpired { feature: None, .. } => {
            let (service, feature) = of_feature;
            AlarmKind::GraceExpired { service, feature }
        }
        AlarmKind::GraceExpired { .. } => {
            let (service, feature) = of_service;
            AlarmKind::EvaluationEnded { service, feature }
        }
        AlarmKind::EvaluationEnded { feature: None, .. } => {
            let (service, feature) = of_feature;
            AlarmKind::EvaluationEnded { service, feature }
        }
        AlarmKind::EvaluationEnded { .. } => AlarmKind::RemainingLow { service },
        AlarmKind::RemainingLow { .. } => AlarmKind::LicenseCongestion { service },
        AlarmKind::LicenseCongestion { .. } => AlarmKind::AuthorityCertificateExpiring,
        AlarmKind::AuthorityCertificateExpiring => {
            let (service, feature) = of_service;
            AlarmKind::CountDrift { service, feature }
        }
        AlarmKind::CountDrift { .. } => AlarmKind::StateLost,
        AlarmKind::StateLost => AlarmKind::StateTampered,
        AlarmKind::StateTampered => AlarmKind::StateNotWritten,
        AlarmKind::StateNotWritten => AlarmKind::ClockTampered,
        AlarmKind::ClockTampered => AlarmKind::ControlStalled,
        AlarmKind::ControlStalled => AlarmKind::UnidentifiedCalls,
        AlarmKind::UnidentifiedCalls => AlarmKind::AgentStalled,
        AlarmKind::AgentStalled => AlarmKind::SnmpStalled,
        AlarmKind::SnmpStalled => AlarmKind::BulkstatsStalled,
        AlarmKind::BulkstatsStalled => AlarmKind::BulkstatsUndelivered,
        AlarmKind::BulkstatsUndelivered => AlarmKind::BulkstatsHostKey,
        AlarmKind::BulkstatsHostKey => AlarmKind::BulkstatsDiscarding,
        AlarmKind::BulkstatsDiscarding => AlarmKind::BulkstatsNotWritten,
        AlarmKind::BulkstatsNotWritten => {
            let (service, feature) = of_service;
            AlarmKind::BlockNotApplied { service, feature }
        }
        AlarmKind::BlockNotApplied { .. } => AlarmKind::EmergencyShare,
        AlarmKind::EmergencyShare => return None,
    })
}

/// One of each kind of alarm.
fn kinds() -> impl Iterator<Item = AlarmKind> {
    let first = AlarmKind::ServiceOutOfCompliance { service: GGSN };
    std::iter::successors(Some(first), |kind| next(*kind))
}

/// The event after this one, those of alarms apart.
fn next_event(event: &Event) -> Option<Event> {
    let tag = TagRef::Feature(GRE);
    Some(match event {
        Event::AlarmRaised { .. } | Event::AlarmRepeated { .. } | Event::AlarmCleared { .. } => {
            Event::SmartLicensingEnabled
        }
        Event::SmartLicensingEnabled => Event::SmartLicensingDisabled,
        Event::SmartLicensingDisabled => Event::ModeChanged {
            from: Mode::Evaluation,
            to: Mode::Registered,
        },
        Event::ModeChanged { .. } => Event::EvaluationStarted,
        Event::EvaluationStarted => Event::EvaluationWarning {
            remaining_s: 604_800,
        },
        Event::EvaluationWarning { .. } => Event::SilenceWarning {
            silent_s: 2_592_000,
        },
        Event::SilenceWarning { .. } => Event::ComplianceChanged {
            tag,
            from: Some(Compliance::Authorized),
            to: Some(Compliance::InvalidTag),
        },
        Event::ComplianceChanged { .. } => Event::PolicyChanged {
            tag,
            from: Policy::Allow,
            to: Policy::Block,
        },
        Event::PolicyChanged { .. } => Event::CeilingChanged {
            service: GGSN,
            from: None,
            to: Some(SessionCount(10_000)),
        },
        Event::CeilingChanged { .. } => Event::FeatureEnabled { feature: GRE },
        Event::FeatureEnabled { .. } => Event::FeatureDisabled { feature: GRE },
        Event::FeatureDisabled { .. } => Event::ClockJumped { by_s: -400 },
        Event::ClockJumped { .. } => Event::LabSpeedup { speedup: 1_000 },
        Event::LabSpeedup { .. } => return None,
    })
}

/// The news after this one, those of events apart.
fn next_news(news: &News) -> Option<News> {
    let why = || "no answer".to_owned();
    Some(match news {
        News::Event(_) => News::Ready,
        News::Ready => News::Overall,
        News::Overall => News::Registered,
        News::Registered => News::RegistrationFailed,
        News::RegistrationFailed => News::Deregistered,
        News::Deregistered => News::RegistrationEnded(why()),
        News::RegistrationEnded(_) => News::DeregistrationFailed(why()),
        News::DeregistrationFailed(_) => News::IdRenewed,
        News::IdRenewed => News::IdNotRenewed,
        News::IdNotRenewed => News::AuthorizationRenewed,
        News::AuthorizationRenewed => News::AuthorizationNotRenewed,
        News::AuthorizationNotRenewed => News::CommunicationFailed,
        News::CommunicationFailed => News::CommunicationRestored,
        News::CommunicationRestored => News::CertificateOutOfRange,
        News::CertificateOutOfRange => News::CertificateDropped,
        News::CertificateDropped => News::CertificateInRange,
        News::CertificateInRange => News::CertificateExpires,
        News::CertificateExpires => News::TrustPoolChanged,
        News::TrustPoolChanged => News::TrustRefused(why()),
        News::TrustRefused(_) => News::Forked,
        News::Forked => News::AgentNotWritten,
        News::AgentNotWritten => News::Summary {
            coalesced: 40,
            dropped: 2,
        },
        News::Summary { .. } => return None,
    })
}

/// One of everything that there is to tell.
fn everything() -> Vec<News> {
    let mut all = Vec::new();
    for (id, kind) in (1..).zip(kinds()) {
        let alarm = alarm(id, kind, 86_401);
        let told = alarm.clone();
        all.push(News::Event(Event::AlarmRaised { alarm: told }));
        let told = alarm.clone();
        all.push(News::Event(Event::AlarmRepeated { alarm: told }));
        all.push(News::Event(Event::AlarmCleared { alarm }));
    }
    let events = std::iter::successors(Some(Event::SmartLicensingEnabled), next_event);
    all.extend(events.map(News::Event));
    all.extend(std::iter::successors(Some(News::Ready), next_news));
    all
}

//= L16
#[test]
fn every_kind_of_alarm_and_event_is_told_and_every_row_is_used() {
    let node = snapshot();
    let mut used = BTreeSet::new();
    for news in everything() {
        let issued = issue(&news, &node, 100, &enterprise());
        assert!(!issued.is_empty(), "{news:?}");
        for told in &issued {
            used.insert(told.which);
            let row = told.which.row();
            let kind = match told.phase {
                Phase::Raise | Phase::Repeat => matches!(row.kind, Kind::Raise { .. }),
                Phase::Clear => row.kind == Kind::Clear,
                Phase::Event => row.kind == Kind::Event,
            };
            assert!(kind, "{told:?}");
            assert_eq!(told.alarm.is_some(), told.phase != Phase::Event);
            assert_eq!(told.varbinds.len(), row.objects.len());
        }
    }
    let unused: Vec<_> = table().filter(|(which, _)| !used.contains(which)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

//= L16
#[test]
fn a_repeat_says_the_same_as_its_raise_and_no_kind_shares_a_row() {
    let node = snapshot();
    let mut rows = BTreeSet::new();
    for kind in kinds() {
        for name in of_alarm(kind) {
            assert!(rows.insert(*name), "{name}");
        }
        let alarm = alarm(9, kind, 1);
        let told = alarm.clone();
        let raise = News::Event(Event::AlarmRaised { alarm: told });
        let repeat = News::Event(Event::AlarmRepeated { alarm });
        let raised = issue(&raise, &node, 1, &enterprise());
        let repeated = issue(&repeat, &node, 1, &enterprise());
        let raised: Vec<_> = raised.iter().filter(|i| i.phase == Phase::Raise).collect();
        for (raise, repeat) in raised.into_iter().zip(&repeated) {
            let expected = Issued {
                phase: Phase::Repeat,
                ..raise.clone()
            };
            assert_eq!(*repeat, expected);
        }
    }
}

fn line(value: &Value) -> String {
    match value {
        Value::Integer(n) => format!("Integer32 {n}"),
        Value::Gauge32(n) => format!("Gauge32 {n}"),
        Value::OctetString(octets) => format!("OctetString {:?}", String::from_utf8_lossy(octets)),
        Value::ObjectIdentifier(_)
        | Value::IpAddress(_)
        | Value::Counter32(_)
        | Value::TimeTicks(_)
        | Value::Opaque(_)
        | Value::Counter64(_)
        | Value::Unspecified
        | Value::NoSuchObject
        | Value::NoSuchInstance
        | Value::EndOfMibView => panic!("no notification carries {value:?}"),
    }
}

//= L18
#[test]
fn what_every_notification_says_is_what_is_committed() {
    let node = snapshot();
    let mut text = String::new();
    for news in everything() {
        writeln!(text, "{news:?}").unwrap();
        for told in issue(&news, &node, 100, &enterprise()) {
            let oid = told.which.oid(&enterprise());
            writeln!(text, "  {:?} {} {oid}", told.phase, told.which.row().name).unwrap();
            for varbind in &told.varbinds {
                writeln!(text, "    {} = {}", varbind.name, line(&varbind.value)).unwrap();
            }
        }
    }
    is_committed("notifications.txt", &text);
}

/// Compares with a golden file, or rewrites it.
fn is_committed(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("TOLLGATE_REWRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let differ = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None);
    assert_eq!(kept.lines().count(), text.lines().count());
}

/// Community `public`, request id 7, uptime 1 s; tests/differential.rs has each read by two decoders.
//= L18
#[test]
fn the_octets_of_every_notification_are_what_is_committed() {
    let node = snapshot();
    let all = everything();
    let issued = all
        .iter()
        .flat_map(|news| issue(news, &node, 100, &enterprise()));
    let mut text = String::new();
    let mut told = BTreeSet::new();
    for issued in issued {
        if !told.insert(issued.which) {
            continue;
        }
        let notification = crate::message::Notification {
            uptime: issued.uptime,
            trap: issued.which.oid(&enterprise()),
            varbinds: issued.varbinds,
        };
        let message = crate::message::CommunityMessage {
            is_v1: false,
            community: b"public".to_vec(),
            pdu: notification.pdu(7, false),
        };
        let octets = message.encode().unwrap();
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let (name, oid) = (issued.which.row().name, &notification.trap);
        writeln!(text, "{name} {oid} {hex}").unwrap();
    }
    assert_eq!(told.len(), table().count());
    is_committed("traps-v2c.txt", &text);
}

#[test]
fn the_text_of_a_notification_is_short_names_and_values() {
    let service = GGSN;
    let kind = AlarmKind::ServiceOutOfCompliance { service };
    let alarm = alarm(3, kind, 2);
    let news = News::Event(Event::AlarmRaised { alarm });
    let issued = issue(&news, &snapshot(), 100, &enterprise());
    assert_eq!(issued[0].which.row().short_name(), "SmartLicenseServiceOOC");
    assert_eq!(
        issued[0].text(),
        "SmartLicenseServiceName GGSN SmartLicenseServiceUsage 2"
    );
}

#[test]
fn our_own_are_below_the_configured_arc() {
    let own: Oid = "1.3.6.1.4.1.99999.7".parse().unwrap();
    let which = Which::named("tgForked").unwrap();
    assert_eq!(which.oid(&own).to_string(), "1.3.6.1.4.1.99999.7.0.114");
    let alarm = alarm(5, AlarmKind::StateTampered, 0);
    let news = News::Event(Event::AlarmRaised { alarm });
    let issued = issue(&news, &snapshot(), 100, &own);
    let name = issued[0].varbinds[0].name.to_string();
    assert_eq!(name, "1.3.6.1.4.1.99999.7.1.1.1.0");
    assert_eq!(issued[0].varbinds[0].value, Value::Gauge32(5));
}

#[test]
fn a_catalog_that_the_mib_does_not_know_has_services_of_unknown_type() {
    let mut node = snapshot();
    node.services[GGSN.at()].tag.name = "UPF \u{e9}".into();
    let service = GGSN;
    let alarm = alarm(5, AlarmKind::AtLimit { service }, 0);
    let news = News::Event(Event::AlarmRaised { alarm });
    let issued = issue(&news, &node, 100, &enterprise());
    assert_eq!(issued[0].varbinds[2].value, Value::Integer(1));
    assert_eq!(issued[1].varbinds[1].value, Value::text("UPF ?"));
}

//= L18
#[test]
fn what_is_enforced_of_the_node_is_the_worst_of_what_is_in_use() {
    let mut node = snapshot();
    let told = |node: &_| {
        let issued = issue(&News::Overall, node, 100, &enterprise());
        assert_eq!(issued[0].varbinds[1].name.arcs().last(), Some(&0));
        let mode = EnforceMode::overall(node);
        assert_eq!(issued[0].varbinds[1].value, Value::Integer(mode.number()));
        (mode.number(), mode.words())
    };
    assert_eq!(told(&node), (4, "OUT OF COMPLIANCE"));
    node.services[0].tag.compliance = Some(Compliance::EvaluationExpired);
    assert_eq!(told(&node), (7, "EVAL EXPIRED"));
    node.smart.enabled = false;
    assert_eq!(told(&node), (10, "DISABLED"));
    for service in &mut node.services {
        service.tag.compliance = None;
    }
    for feature in &mut node.features {
        feature.tag.compliance = None;
    }
    assert_eq!(told(&node), (10, "DISABLED"));
    node.smart.enabled = true;
    assert_eq!(told(&node), (1, "No Licenses in Use"));
}

//= L18
#[test]
fn what_is_enforced_of_a_tag_is_what_the_mib_calls_its_standing() {
    let mut node = snapshot();
    let modes = |node: &_| {
        let of = |standing: Option<Compliance>| {
            let event = Event::ComplianceChanged {
                tag: TagRef::Service(GGSN),
                from: None,
                to: standing,
            };
            let issued = issue(&News::Event(event), node, 100, &enterprise());
            issued[0].varbinds[3].value.clone()
        };
        let since = crate::fixture::AT;
        let all = [
            Compliance::Waiting,
            Compliance::Authorized,
            Compliance::OutOfCompliance { since },
            Compliance::Evaluation,
            Compliance::EvaluationExpired,
            Compliance::AuthorizationExpired,
            Compliance::InvalidTag,
        ];
        let mut told: Vec<_> = all.map(|standing| of(Some(standing))).to_vec();
        told.push(of(None));
        told
    };
    assert_eq!(modes(&node), [2, 3, 4, 6, 7, 8, 12, 1].map(Value::Integer));
    node.smart.enabled = false;
    assert_eq!(modes(&node), [10; 8].map(Value::Integer));
}
