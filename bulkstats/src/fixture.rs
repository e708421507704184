//! A node for tests: every number that can be is another one.

use std::sync::Arc;

use licensing::snapshot::{
    EmergencyCounts, Evaluation, FeatureStatus, Lab, ModeStatistics, NodeIdentity, Recount,
    RefusedCounts, ServiceStatus, SmartLicensing, Snapshot, State, TagStatus,
};
use licensing::{
    Alarm, AlarmId, AlarmKind, Catalog, Compliance, Entitlement, FeatureIndex, LicenseCount, Mode,
    Now, OocRule, Policy, ServiceIndex, SessionCount, Shadow, Tag, TagId, Thresholds, Wall,
};

use crate::collector::{FileStatus, LastTransfer, Statistics, Status, TransferError};
use crate::config::{FileConfig, Mechanism, Receiver};
use crate::view::{Agent, AgentMessages, Apn, Causes, Ended, Messages, Plane, Process, View, Zone};

pub const GGSN: ServiceIndex = ServiceIndex(2);
pub const GRE: FeatureIndex = FeatureIndex(0);

/// 2026-11-21 22:26:40 UTC.
pub const AT: Wall = Wall(1_795_300_000_000);

fn tag(tag_id: TagId, name: &str, tag: &Tag, description: &str, rule: OocRule) -> TagStatus {
    TagStatus {
        shadow: Shadow::Off,
        eased: false,
        let_through: 0,
        tag_id,
        name: name.into(),
        tag: tag.clone(),
        description: description.into(),
        in_use: false,
        compliance: None,
        policy: Policy::Allow,
        state: State::Allow,
        since: AT,
        rule,
        grace_left_s: None,
        entitlement: None,
        licenses: LicenseCount(0),
        evaluation: ModeStatistics::default(),
        registered: ModeStatistics::default(),
        refused: RefusedCounts::default(),
        drift: None,
        proved: None,
    }
}

fn services(catalog: &Catalog) -> Vec<ServiceStatus> {
    let listed = (0..).map(ServiceIndex).zip(catalog.services());
    let rows = listed.map(|(service, listed)| ServiceStatus {
        service,
        tag: tag(
            listed.tag_id,
            &listed.name,
            &listed.tag,
            &listed.description,
            listed.rule,
        ),
        sessions: SessionCount(0),
        priority_sessions: SessionCount(0),
        admitted: 0,
        peak: SessionCount(0),
        peak_at: None,
        sessions_per_license: listed.sessions_per_license.get(),
        ceiling: None,
        blocked_by: None,
    });
    rows.collect()
}

fn features(catalog: &Catalog) -> Vec<FeatureStatus> {
    let listed = (0..).map(FeatureIndex).zip(catalog.features());
    let rows = listed.map(|(feature, listed)| FeatureStatus {
        feature,
        tag: tag(
            listed.tag_id,
            &listed.name,
            &listed.tag,
            &listed.description,
            listed.rule,
        ),
        enabled: false,
        sessions: SessionCount(0),
        services: listed.services.clone(),
        tie: listed.tie,
    });
    rows.collect()
}

/// GGSN and GRE in use, the node registered.
pub fn snapshot() -> Snapshot {
    let catalog = Catalog::staros();
    let product = catalog.product("VPC_SI").unwrap();
    let mut snapshot = Snapshot {
        seq: 7,
        at: Now {
            wall: AT,
            ..Now::default()
        },
        node: NodeIdentity {
            name: "gw1".into(),
            pid: "VPC-SI".into(),
            serial: "9FR4BQX7K2M".into(),
            product: product.name.clone(),
            product_tag: product.tag.clone(),
            version: "0.1.0".into(),
            catalog: licensing::snapshot::CatalogOrigin::Embedded,
        },
        lab: Some(Lab {
            speedup: 1,
            unsigned_catalog: false,
        }),
        smart: SmartLicensing {
            enabled: true,
            ever_enabled: true,
            mode: Mode::Registered,
            total_enabled: 11,
            total_disabled: 10,
        },
        evaluation: Evaluation {
            total_s: 7_776_000,
            used_s: 86_400,
            remaining_s: 7_689_600,
            running: true,
            expired: false,
        },
        recovery: None,
        authority_silent_s: Some(61),
        services: services(&catalog),
        features: features(&catalog),
        emergency: EmergencyCounts {
            sessions: 62,
            admitted: 63,
        },
        unidentified_calls: 64,
        alarms: vec![Alarm {
            id: AlarmId(1),
            kind: AlarmKind::EvaluationMode,
            raised: AT,
            repeated: None,
            value: 0,
        }],
        thresholds: Thresholds::default(),
        recount: Some(Recount {
            at: Wall(1_795_299_991_999),
            sessions: 9_500,
            drift: 65,
        }),
        refusals_lost: 66,
    };
    use_ggsn(&mut snapshot.services[GGSN.at()]);
    use_gre(&mut snapshot.features[GRE.at()]);
    snapshot
}

fn use_ggsn(ggsn: &mut ServiceStatus) {
    ggsn.sessions = SessionCount(9_500);
    ggsn.priority_sessions = SessionCount(21);
    ggsn.peak = SessionCount(9_900);
    ggsn.ceiling = Some(SessionCount(12_000));
    let tag = &mut ggsn.tag;
    tag.in_use = true;
    tag.compliance = Some(Compliance::Authorized);
    tag.licenses = LicenseCount(1);
    tag.entitlement = Some(Entitlement {
        licenses: LicenseCount(22),
        until: None,
    });
    tag.evaluation = ModeStatistics {
        policy: Some(Policy::Allow),
        cur_call_count: 0,
        max_call_count: 23,
        last_lic_count: None,
        max_lic_count: None,
        report_success: Some(24),
        report_failure: Some(25),
        policy_change_allow: 26,
        policy_change_block: 27,
        policy_change_bounce: 28,
    };
    tag.registered = ModeStatistics {
        policy: Some(Policy::Block),
        cur_call_count: 9_501,
        max_call_count: 9_902,
        last_lic_count: Some(29),
        max_lic_count: Some(30),
        report_success: Some(31),
        report_failure: Some(32),
        policy_change_allow: 33,
        policy_change_block: 34,
        policy_change_bounce: 35,
    };
    tag.refused = RefusedCounts {
        blocked: 36,
        at_ceiling: 37,
        low_priority: 38,
        unsettled: 43,
        by_feature: 39,
        subscribers: 40,
    };
    tag.let_through = 41;
    tag.drift = Some(-42);
    tag.proved = Some(Wall(1_795_299_990_000));
}

fn use_gre(gre: &mut FeatureStatus) {
    gre.enabled = true;
    gre.sessions = SessionCount(50);
    gre.tag.in_use = true;
    gre.tag.licenses = LicenseCount(1);
    gre.tag.policy = Policy::Block;
    gre.tag.state = State::Block;
    gre.tag.compliance = Some(Compliance::OutOfCompliance { since: AT });
    gre.tag.grace_left_s = Some(51);
    gre.tag.registered.cur_call_count = 52;
}

/// That node, with traffic.
pub fn view() -> View {
    View {
        uptime_s: 4_321,
        address: Some("192.0.2.1".parse().unwrap()),
        zone: Zone {
            name: "CET".into(),
            offset_s: 3_600,
        },
        node: Arc::new(snapshot()),
        process: Process {
            control_age_ms: 101,
            state_written: true,
            workers: 107,
            workers_alive: 102,
            queue_drops: 103,
            socket_drops: Some(104),
            send_failures: 105,
            permits_dropped: 106,
        },
        plane: plane(),
        agent: agent(),
        bulkstats: Arc::new(bulkstats()),
    }
}

/// Of two files: one whose secondary takes what the primary does not, and one that nobody takes.
fn bulkstats() -> Status {
    let receiver = |address: &str| {
        Some(Receiver {
            address: address.into(),
            mechanism: Mechanism::Sftp,
            login: None,
        })
    };
    let mut first = FileConfig::new(1, "first.csv");
    first.primary = receiver("192.0.2.11");
    first.secondary = receiver("192.0.2.12");
    let mut third = FileConfig::new(3, "third.csv");
    third.primary = receiver("192.0.2.13");
    Status {
        collection: true,
        files: vec![file(first), waiting(file(third))],
        samples: 401,
        skipped: 402,
        repeated: 403,
        lost: 404,
        discarding: true,
        storage_failing: false,
        ..Status::default()
    }
}

fn file(config: FileConfig) -> FileStatus {
    FileStatus {
        lacks: None,
        config,
        awaiting_records: 405,
        awaiting_bytes: 406,
        awaiting_files: 0,
        awaiting_since: None,
        on_secondary: true,
        primary_error: Some(TransferError::Full),
        secondary_error: None,
        failing: false,
        statistics: Statistics {
            collected_records: 407,
            collected_bytes: 408,
            transmitted_records: 409,
            transmitted_bytes: 410,
            discarded_records: 411,
            discarded_bytes: 412,
            last: Some(LastTransfer {
                at: Wall(1_795_299_000_000),
                took_s: 413,
                records: 414,
                bytes: 415,
            }),
            last_attempt: Some(Wall(1_795_299_100_000)),
        },
    }
}

/// No receiver has taken any of it.
fn waiting(status: FileStatus) -> FileStatus {
    FileStatus {
        awaiting_files: 416,
        awaiting_since: Some(Wall(1_795_200_000_000)),
        on_secondary: false,
        failing: true,
        statistics: Statistics {
            last: None,
            ..status.statistics.clone()
        },
        ..status
    }
}

fn plane() -> Plane {
    Plane {
        sessions: 201,
        secondary_contexts: 202,
        peers: 203,
        created: 204,
        ended: Ended {
            deleted: 205,
            replaced: 206,
            cleared: 207,
            inactive: 208,
            not_made: 209,
            peer_lost: 210,
            stopped: 211,
        },
        refused: 212,
        refused_subscribers: 213,
        datagrams: 214,
        dropped: 215,
        retransmissions: 216,
        repeated: 217,
        unanswered: 218,
        peer_restarts: 219,
        paths_down: 220,
        not_allowed: 222,
        overload_refused: 223,
        overload_dropped: 224,
        restless_restarts: 225,
        emergency: vec![0, 0, 221],
        apns: vec![
            Apn {
                name: "internet".into(),
                service: "GGSN".into(),
                sessions: 222,
                refused: RefusedCounts {
                    blocked: 223,
                    by_feature: 224,
                    at_ceiling: 225,
                    low_priority: 226,
                    unsettled: 232,
                    subscribers: 231,
                },
            },
            Apn {
                name: "*".into(),
                service: "PGW".into(),
                sessions: 0,
                refused: RefusedCounts::default(),
            },
        ],
        messages: vec![Messages {
            version: 2,
            kind: 32,
            name: Some("Create Session Request"),
            received: 227,
            sent: 228,
        }],
        causes: vec![Causes {
            version: 1,
            request: 16,
            name: Some("Create PDP Context Request"),
            cause: 199,
            answered: 229,
            heard: 230,
        }],
    }
}

fn agent() -> Agent {
    Agent {
        registration: "registered",
        virtual_account: Some("Core, north".into()),
        registered: Some(Wall(1_795_000_001_000)),
        renew: Some(Wall(1_795_000_002_000)),
        expires: Some(Wall(1_795_000_003_000)),
        deadline: Some(Wall(1_795_000_004_000)),
        silent_since: None,
        last_report: 301,
        reports_waiting: 302,
        forked: false,
        orders_serial: 303,
        orders_refused: 304,
        stale_answers: 305,
        roots: 306,
        messages: AgentMessages {
            success: 307,
            failed: 308,
            queued: 309,
            dropped: 310,
            last: Some(Wall(1_795_000_005_000)),
        },
    }
}
