//! A node for tests: the embedded catalog, GGSN, MME and GRE in use.

use licensing::snapshot::{
    EmergencyCounts, Evaluation, FeatureStatus, ModeStatistics, NodeIdentity, RefusedCounts,
    ServiceStatus, SmartLicensing, Snapshot, State, TagStatus,
};
use licensing::{
    Alarm, AlarmId, AlarmKind, Catalog, Compliance, FeatureIndex, LicenseCount, Mode, Now, OocRule,
    Policy, ServiceIndex, SessionCount, Shadow, Tag, TagId, Threshold, Thresholds, Wall,
};

use crate::Oid;
use crate::notifications::DEFAULT_ENTERPRISE;

pub const GGSN: ServiceIndex = ServiceIndex(2);
pub const GRE: FeatureIndex = FeatureIndex(0);

/// 2026-11-22.
pub const AT: Wall = Wall(1_795_300_000_000);

pub fn enterprise() -> Oid {
    Oid::from(DEFAULT_ENTERPRISE)
}

pub fn alarm(id: u64, kind: AlarmKind, value: i64) -> Alarm {
    Alarm {
        id: AlarmId(id),
        kind,
        raised: AT,
        repeated: None,
        value,
    }
}

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

/// The node, registered.
pub fn snapshot() -> Snapshot {
    let catalog = Catalog::staros();
    let product = catalog.product("VPC_SI").unwrap();
    let services = catalog.services().iter();
    let services = (0..).map(ServiceIndex).zip(services);
    let services = services.map(|(service, listed)| ServiceStatus {
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
    let features = catalog.features().iter();
    let features = (0..).map(FeatureIndex).zip(features);
    let features = features.map(|(feature, listed)| FeatureStatus {
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
        lab: None,
        smart: SmartLicensing {
            enabled: true,
            ever_enabled: true,
            mode: Mode::Registered,
            total_enabled: 1,
            total_disabled: 0,
        },
        evaluation: Evaluation {
            total_s: 7_776_000,
            used_s: 86_400,
            remaining_s: 7_689_600,
            running: false,
            expired: false,
        },
        recovery: None,
        authority_silent_s: Some(60),
        services: services.collect(),
        features: features.collect(),
        emergency: EmergencyCounts::default(),
        unidentified_calls: 0,
        alarms: Vec::new(),
        thresholds: Thresholds {
            remaining: Some(Threshold {
                raise_percent: 10,
                clear_percent: 20,
            }),
            congestion: None,
        },
        recount: None,
        refusals_lost: 0,
    };
    let ggsn = &mut snapshot.services[GGSN.at()];
    ggsn.sessions = SessionCount(9_500);
    ggsn.ceiling = Some(SessionCount(10_000));
    ggsn.tag.in_use = true;
    ggsn.tag.licenses = LicenseCount(1);
    ggsn.tag.compliance = Some(Compliance::Authorized);
    let gre = &mut snapshot.features[GRE.at()];
    gre.enabled = true;
    gre.sessions = SessionCount(40);
    gre.tag.in_use = true;
    gre.tag.licenses = LicenseCount(1);
    gre.tag.policy = Policy::Block;
    gre.tag.state = State::Block;
    gre.tag.compliance = Some(Compliance::OutOfCompliance { since: AT });
    snapshot
}
