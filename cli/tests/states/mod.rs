//! Snapshots of a node in each state that it may be in, made by hand over the embedded catalog.

#![allow(dead_code, reason = "each test takes what it needs")]

use api::{
    Addresses, ApnSessions, CallCounters, CauseCount, ClientSessions, CounterInterval,
    CountersHistory, DropCount, EndCount, Interface, KindSessions, LogFacility, LogFilter,
    LogSeverity, LoggingView, MessageCount, Outlook, PeerList, PeerRow, PeerSessions, PeerState,
    PoolUse, Preview, PreviewEffect, ServiceForecast, ServicePreview, ServiceSessions,
    SessionSummary, SubscriberRefusal, SubscriberSession, SubscriberView, SyslogFacility,
    SyslogProtocol, SyslogServerView, SyslogState, WorkerSessions,
};
use cli::show::View;
use licensing::alarm::{Alarm, AlarmId, AlarmKind};
use licensing::catalog::{Feature, Service};
use licensing::snapshot::{
    CatalogOrigin, EmergencyCounts, Evaluation, FeatureStatus, Lab, ModeStatistics, NodeIdentity,
    Recount, Recovery, RefusedCounts, ServiceStatus, SmartLicensing, State, TagStatus,
};
use licensing::tag::{Tag, TagId};
use licensing::{
    Catalog, Compliance, Entitlement, FeatureIndex, LicenseCount, LicenseTime, Mode, Mono, Now,
    OnOoc, OocRule, Policy, RefusalReason, RefusalRecord, ServiceIndex, SessionCount, Shadow,
    Snapshot, Wall,
};

mod agent;
mod told;

/// Sunday November 22 05:05:42 UTC 2026.
const AT: i64 = 1_795_323_942_000;
const DAY_S: u64 = 86_400;

const PGW: usize = 0;
const SAEGW: usize = 1;
const GGSN: usize = 2;
const SGW: usize = 3;
const MME: usize = 4;
const EPDG: usize = 5;
const GRE: usize = 0;
const MPLS: usize = 1;
const RECOVERY: usize = 2;
const VOLTE: usize = 4;

/// Every state, by name.
pub fn all() -> Vec<(&'static str, View)> {
    [
        ("never-enabled", never_enabled()),
        ("evaluation", evaluation()),
        ("evaluation-nearly-full", evaluation_nearly_full()),
        ("evaluation-at-limit", evaluation_at_limit()),
        ("evaluation-expired", evaluation_expired()),
        ("registered", registered()),
        ("registered-then-disabled", registered_then_disabled()),
        ("state-lost", state_lost()),
    ]
    .map(|(name, view)| (name, told::with_alarms(view)))
    .into()
}

/// A part of one.
const CONFIGURATION: &str = "\
config
  license smart enable
  feature GRE enable
  snmp user noc auth sha-256 read 1.3.6.1 --auth-file /etc/tollgate/noc.auth
  node
    name ggsn-1
    state-dir /var/lib/tollgate
  #exit
end
";

fn view(snapshot: Snapshot) -> View {
    View {
        agent: agent::unregistered(),
        configuration: CONFIGURATION.to_owned(),
        preview: ("license smart enable".to_owned(), preview()),
        ..View::of(snapshot)
    }
}

/// A row of each kind.
fn preview() -> Preview {
    let row = |service: &str, effect, sessions, calls, refused_an_hour| ServicePreview {
        service: service.to_owned(),
        sessions,
        ceiling: Some(10_000),
        effect,
        calls,
        refused_an_hour,
    };
    let services = vec![
        row(
            "PGW",
            PreviewEffect::AtCeiling,
            12_345,
            30_000,
            Some(22_345),
        ),
        row("SAEGW", PreviewEffect::Unchanged, 0, 0, Some(0)),
        row("GGSN", PreviewEffect::Blocked, 40, 900, Some(3_600)),
        row("SGW", PreviewEffect::Partly, 7, 90, None),
    ];
    Preview {
        window_s: 900,
        services,
    }
}

fn never_enabled() -> View {
    let mut snapshot = base();
    snapshot.smart = SmartLicensing {
        enabled: false,
        ever_enabled: false,
        mode: Mode::Evaluation,
        total_enabled: 0,
        total_disabled: 0,
    };
    snapshot.evaluation = clock(0, false);
    for row in &mut snapshot.services {
        row.ceiling = None;
        row.tag.since = Wall(0);
        row.tag.evaluation.policy = None;
    }
    for row in &mut snapshot.features {
        row.tag.since = Wall(0);
        row.tag.evaluation.policy = None;
    }
    let ggsn = &mut snapshot.services[GGSN];
    hold(ggsn, 12_345);
    ggsn.tag.compliance = None;
    view(snapshot)
}

fn evaluation() -> View {
    let mut snapshot = base();
    hold(&mut snapshot.services[GGSN], 100);
    enable(&mut snapshot.features[GRE], 40);
    let mut view = view(snapshot);
    view.sessions = sessions();
    view.peers = peers();
    view.counters = counters();
    view.forecast = forecast();
    view.subscriber = subscriber();
    view.logging = logging();
    let of_two = [&["version"][..], &["system", "uptime"]].map(|words| {
        let surface = cli::show::Surface::named(words).unwrap();
        (surface, Ok(view.clone()))
    });
    view.details = of_two.into();
    let gone = api::Failure::new("a worker does not answer", "worker 0", "see the log");
    let resources = cli::show::Surface::named(&["resources"]).unwrap();
    view.details.push((resources, Err(gone)));
    view
}

fn evaluation_nearly_full() -> View {
    let mut snapshot = base();
    snapshot.evaluation = clock(89 * DAY_S + 12 * 3_600, true);
    hold(&mut snapshot.services[GGSN], 9_990);
    snapshot.alarms = vec![alarm(1, AlarmKind::EvaluationMode, -3_600)];
    let mut view = view(snapshot);
    view.snmp = told::quiet();
    view.agent = agent::registering();
    view
}

fn evaluation_at_limit() -> View {
    let mut snapshot = base();
    snapshot.lab = Some(Lab {
        speedup: 1,
        unsigned_catalog: false,
    });
    let ggsn = &mut snapshot.services[GGSN];
    hold(ggsn, 10_000);
    ggsn.tag.state = State::AllowAtLimit;
    ggsn.tag.since = wall(-5);
    ggsn.tag.refused = RefusedCounts {
        at_ceiling: 3,
        low_priority: 4,
        subscribers: 1,
        ..RefusedCounts::default()
    };
    ggsn.tag.drift = Some(0);
    ggsn.tag.proved = Some(wall(-1));
    let pgw = &mut snapshot.services[PGW];
    hold(pgw, 10_002);
    pgw.priority_sessions = SessionCount(2);
    pgw.tag.state = State::AllowAtLimit;
    snapshot.emergency = EmergencyCounts {
        sessions: 1,
        admitted: 4,
    };
    snapshot.recount = Some(Recount {
        at: wall(-1),
        sessions: 20_003,
        drift: 0,
    });
    snapshot.alarms = vec![
        alarm(1, AlarmKind::EvaluationMode, -3_600),
        alarm(
            2,
            AlarmKind::AtLimit {
                service: index(GGSN),
            },
            -5,
        ),
    ];
    let mut view = view(snapshot);
    view.subscriber = subscriber();
    view.history = vec![
        refusal(RefusalReason::AtCeiling, Compliance::Evaluation),
        refusal(RefusalReason::AtCeiling, Compliance::Evaluation),
        refusal(RefusalReason::LowPriority, Compliance::Evaluation),
    ];
    view
}

fn evaluation_expired() -> View {
    let mut snapshot = base();
    snapshot.lab = Some(Lab {
        speedup: 86_400,
        unsigned_catalog: true,
    });
    snapshot.evaluation = clock(90 * DAY_S, false);
    hold(&mut snapshot.services[GGSN], 10_000);
    for row in &mut snapshot.services {
        block(&mut row.tag);
        row.tag.compliance = row.tag.in_use.then_some(Compliance::EvaluationExpired);
    }
    for row in &mut snapshot.features {
        block(&mut row.tag);
    }
    snapshot.refusals_lost = 1_200;
    snapshot.services[GGSN].tag.refused = RefusedCounts {
        blocked: 7,
        at_ceiling: 1,
        low_priority: 0,
        unsettled: 0,
        by_feature: 0,
        subscribers: 8,
    };
    snapshot.services[SAEGW].tag.refused = RefusedCounts {
        blocked: 2,
        subscribers: 2,
        ..RefusedCounts::default()
    };
    snapshot.alarms = vec![alarm(3, AlarmKind::EvaluationExpired, -60)];
    let mut view = view(snapshot);
    let mut refused = refusal(RefusalReason::ServiceBlocked, Compliance::EvaluationExpired);
    refused.policy = Policy::Block;
    refused.timer_left_s = None;
    view.history = vec![refused];
    view
}

fn registered() -> View {
    let mut snapshot = base();
    snapshot.smart.mode = Mode::Registered;
    snapshot.evaluation = clock(10 * DAY_S, false);
    snapshot.authority_silent_s = Some(3_600);
    for row in &mut snapshot.services {
        row.ceiling = None;
        row.tag.registered.policy = Some(Policy::Allow);
    }
    for row in &mut snapshot.features {
        row.tag.registered.policy = Some(Policy::Allow);
    }
    granted(&mut snapshot.services[PGW]);
    blocked_for_use(&mut snapshot.services[GGSN]);
    hold(&mut snapshot.services[SAEGW], 42);
    snapshot.services[SAEGW].tag.compliance = Some(Compliance::Waiting);
    snapshot.services[SAEGW].ceiling = Some(SessionCount(20_000));
    hold(&mut snapshot.services[SGW], 70_000);
    snapshot.services[SGW].tag.compliance = Some(Compliance::Authorized);
    hold(&mut snapshot.services[MME], 5);
    snapshot.services[MME].tag.compliance = Some(Compliance::InvalidTag);
    snapshot.services[MME].tag.rule.on_ooc = OnOoc::Allow;
    by_feature(&mut snapshot);
    snapshot.alarms = vec![
        alarm(
            1,
            AlarmKind::ServiceOutOfCompliance {
                service: index(GGSN),
            },
            -600,
        ),
        alarm(
            2,
            AlarmKind::FeatureOutOfCompliance {
                feature: feature(GRE),
            },
            -500,
        ),
        alarm(
            3,
            AlarmKind::GraceExpired {
                service: None,
                feature: Some(feature(MPLS)),
            },
            -400,
        ),
    ];
    let mut view = view(snapshot);
    view.snmp = told::away();
    view.bulkstats = told::bulkstats();
    view.bulkstats_data = told::bulkstats_data();
    view.agent = agent::registered();
    let mut by_feature = refusal(
        RefusalReason::FeatureBlocked {
            feature: feature(MPLS),
        },
        Compliance::OutOfCompliance {
            since: wall(-9_000_000),
        },
    );
    by_feature.service = index(EPDG);
    by_feature.policy = Policy::Block;
    by_feature.ceiling = None;
    view.history = vec![by_feature];
    view
}

fn granted(pgw: &mut ServiceStatus) {
    hold(pgw, 25_001);
    pgw.ceiling = Some(SessionCount(30_000));
    pgw.priority_sessions = SessionCount(12);
    pgw.tag.compliance = Some(Compliance::Authorized);
    pgw.tag.entitlement = Some(Entitlement {
        licenses: LicenseCount(3),
        until: Some(wall(86_400 * 200)),
    });
    pgw.tag.registered = ModeStatistics {
        policy: Some(Policy::Allow),
        cur_call_count: 25_001,
        max_call_count: 29_999,
        last_lic_count: Some(3),
        max_lic_count: Some(3),
        report_success: Some(17),
        report_failure: Some(1),
        policy_change_allow: 1,
        policy_change_block: 0,
        policy_change_bounce: 0,
    };
}

fn blocked_for_use(ggsn: &mut ServiceStatus) {
    hold(ggsn, 31_000);
    block(&mut ggsn.tag);
    ggsn.tag.compliance = Some(Compliance::OutOfCompliance { since: wall(-600) });
    ggsn.tag.registered.policy = Some(Policy::Block);
    ggsn.tag.registered.policy_change_block = 1;
    ggsn.tag.refused.blocked = 55;
    ggsn.tag.refused.subscribers = 20;
}

/// GRE is out of compliance in its grace; MPLS is past it and blocks a service that it is tied to.
fn by_feature(snapshot: &mut Snapshot) {
    let gre = &mut snapshot.features[GRE];
    enable(gre, 25);
    gre.tag.compliance = Some(Compliance::OutOfCompliance { since: wall(-500) });
    gre.tag.grace_left_s = Some(12 * DAY_S + 3_600);
    let mpls = &mut snapshot.features[MPLS];
    enable(mpls, 0);
    block(&mut mpls.tag);
    mpls.tag.grace_left_s = Some(0);
    mpls.tag.compliance = Some(Compliance::OutOfCompliance {
        since: wall(-9_000_000),
    });
    let volte = &mut snapshot.features[VOLTE];
    enable(volte, 3);
    volte.tag.compliance = Some(Compliance::OutOfCompliance { since: wall(-500) });
    volte.tag.rule.on_ooc = OnOoc::Allow;
    let epdg = &mut snapshot.services[EPDG];
    hold(epdg, 3);
    epdg.tag.state = State::Block;
    epdg.tag.compliance = Some(Compliance::Authorized);
    epdg.blocked_by = Some(feature(MPLS));
    epdg.tag.refused.by_feature = 2;
    epdg.tag.refused.subscribers = 1;
}

fn registered_then_disabled() -> View {
    let mut view = registered();
    let snapshot = &mut view.snapshot;
    snapshot.smart.enabled = false;
    snapshot.smart.total_disabled = 1;
    snapshot.node.catalog = CatalogOrigin::Ordered;
    agent::ordered(&mut view.agent, &snapshot.services[PGW].tag.tag);
    snapshot.authority_silent_s = Some(91 * DAY_S);
    let pgw = &mut snapshot.services[PGW].tag;
    pgw.compliance = Some(Compliance::AuthorizationExpired);
    snapshot.services[MME].tag.in_use = false;
    snapshot.services[MME].tag.compliance = None;
    block(&mut snapshot.services[MME].tag);
    tried_out(snapshot);
    snapshot.alarms = [
        AlarmKind::AuthorizationExpired,
        AlarmKind::AuthorityUnreachable,
        AlarmKind::ControlStalled,
    ]
    .into_iter()
    .zip(4..)
    .map(|(kind, id)| alarm(id, kind, -86_400))
    .collect();
    view.stalled_ms = Some(65_000);
    view.snmp.stalled = true;
    view.snmp.age_ms = 65_000;
    view.snmp.left_out = told::left_out();
    view.snmp.targets[0].left_out = true;
    agent::silent(&mut view.agent);
    view.subscriber.lot = Some(17);
    view
}

/// The block of GGSN refuses some, that of VoLTE nobody.
fn tried_out(snapshot: &mut Snapshot) {
    let ggsn = &mut snapshot.services[GGSN].tag;
    (ggsn.shadow, ggsn.eased) = (Shadow::Ramp { percent: 25 }, true);
    ggsn.let_through = 41;
    let volte = &mut snapshot.features[VOLTE].tag;
    (volte.shadow, volte.eased) = (Shadow::Observe, true);
    volte.rule.on_ooc = OnOoc::Block;
    volte.let_through = 3;
}

fn state_lost() -> View {
    let mut snapshot = base();
    snapshot.evaluation = clock(90 * DAY_S, false);
    snapshot.recovery = Some(Recovery {
        remaining_s: 6 * DAY_S + 60,
    });
    hold(&mut snapshot.services[GGSN], 3);
    snapshot.services[GGSN].tag.drift = Some(-2);
    enable(&mut snapshot.features[RECOVERY], 3);
    snapshot.recount = Some(Recount {
        at: wall(-2),
        sessions: 1,
        drift: 2,
    });
    snapshot.unidentified_calls = 3;
    snapshot.emergency.sessions = 120;
    snapshot.alarms = [
        AlarmKind::UnidentifiedCalls,
        AlarmKind::EmergencyShare,
        AlarmKind::StateLost,
        AlarmKind::StateTampered,
        AlarmKind::StateNotWritten,
        AlarmKind::ClockTampered,
        AlarmKind::CountDrift {
            service: Some(index(GGSN)),
            feature: None,
        },
        AlarmKind::GraceExpired {
            service: None,
            feature: None,
        },
        AlarmKind::EvaluationEnded {
            service: Some(index(GGSN)),
            feature: None,
        },
        AlarmKind::RemainingLow {
            service: index(GGSN),
        },
        AlarmKind::LicenseCongestion {
            service: index(GGSN),
        },
        AlarmKind::AuthorityCertificateExpiring,
    ]
    .into_iter()
    .zip(1..)
    .map(|(kind, id)| alarm(id, kind, -10))
    .collect();
    view(snapshot)
}

/// Smart licensing enabled, in evaluation, nothing in use.
fn base() -> Snapshot {
    let catalog = Catalog::staros();
    let services = catalog.services().iter().zip(0..);
    let features = catalog.features().iter().zip(0..);
    Snapshot {
        seq: 7,
        at: Now {
            mono: Mono(61_000_000_000),
            wall: wall(0),
            license: LicenseTime(61_000),
        },
        node: identity(&catalog),
        lab: None,
        smart: SmartLicensing {
            enabled: true,
            ever_enabled: true,
            mode: Mode::Evaluation,
            total_enabled: 1,
            total_disabled: 0,
        },
        evaluation: clock(60, true),
        recovery: None,
        authority_silent_s: None,
        services: services
            .map(|(s, place)| service_row(s, ServiceIndex(place)))
            .collect(),
        features: features
            .map(|(f, place)| feature_row(f, FeatureIndex(place)))
            .collect(),
        emergency: EmergencyCounts::default(),
        alarms: Vec::new(),
        thresholds: licensing::Thresholds::default(),
        refusals_lost: 0,
        unidentified_calls: 0,
        recount: None,
    }
}

fn identity(catalog: &Catalog) -> NodeIdentity {
    let product = catalog.product("VPC_SI").unwrap();
    NodeIdentity {
        name: "gw1".into(),
        pid: "TOLLGATE".into(),
        serial: "0123456789AB".into(),
        product: product.name.clone(),
        product_tag: product.tag.clone(),
        version: "0.1.0".into(),
        catalog: CatalogOrigin::Embedded,
    }
}

fn service_row(service: &Service, place: ServiceIndex) -> ServiceStatus {
    ServiceStatus {
        service: place,
        tag: tag_status(
            service.tag_id,
            &service.name,
            &service.tag,
            &service.description,
            service.rule,
        ),
        sessions: SessionCount(0),
        priority_sessions: SessionCount(0),
        admitted: 0,
        peak: SessionCount(0),
        peak_at: None,
        sessions_per_license: service.sessions_per_license.get(),
        ceiling: Some(SessionCount(service.sessions_per_license.get())),
        blocked_by: None,
    }
}

fn feature_row(feature: &Feature, place: FeatureIndex) -> FeatureStatus {
    FeatureStatus {
        feature: place,
        tag: tag_status(
            feature.tag_id,
            &feature.name,
            &feature.tag,
            &feature.description,
            feature.rule,
        ),
        enabled: false,
        sessions: SessionCount(0),
        services: feature.services.clone(),
        tie: feature.tie,
    }
}

fn tag_status(tag_id: TagId, name: &str, tag: &Tag, description: &str, rule: OocRule) -> TagStatus {
    TagStatus {
        shadow: Shadow::Off,
        eased: false,
        let_through: 0,
        tag_id,
        name: name.to_owned(),
        tag: tag.clone(),
        description: description.to_owned(),
        in_use: false,
        compliance: None,
        policy: Policy::Allow,
        state: State::Allow,
        since: wall(-3_600),
        rule,
        grace_left_s: None,
        entitlement: None,
        licenses: LicenseCount(0),
        evaluation: ModeStatistics {
            policy: Some(Policy::Allow),
            ..ModeStatistics::default()
        },
        registered: ModeStatistics::default(),
        refused: RefusedCounts::default(),
        drift: None,
        proved: None,
    }
}

fn hold(row: &mut ServiceStatus, sessions: u32) {
    row.sessions = SessionCount(sessions);
    row.peak = SessionCount(sessions);
    row.peak_at = (sessions > 0).then(|| wall(-3_600));
    row.tag.in_use = true;
    row.tag.licenses = LicenseCount(sessions.div_ceil(row.sessions_per_license));
    row.tag.compliance = Some(Compliance::Evaluation);
    row.tag.evaluation.cur_call_count = sessions;
    row.tag.evaluation.max_call_count = sessions;
}

fn enable(row: &mut FeatureStatus, sessions: u32) {
    row.enabled = true;
    row.sessions = SessionCount(sessions);
    row.tag.in_use = true;
    row.tag.licenses = LicenseCount(1);
    row.tag.compliance = Some(Compliance::Evaluation);
    row.tag.evaluation.cur_call_count = sessions;
    row.tag.evaluation.max_call_count = sessions;
}

fn block(tag: &mut TagStatus) {
    tag.policy = Policy::Block;
    tag.state = State::Block;
    tag.since = wall(-60);
    tag.evaluation.policy = Some(Policy::Block);
    tag.evaluation.policy_change_block = 1;
}

fn clock(used_s: u64, running: bool) -> Evaluation {
    let total_s = 90 * DAY_S;
    Evaluation {
        total_s,
        used_s,
        remaining_s: total_s - used_s,
        running,
        expired: used_s == total_s,
    }
}

fn alarm(id: u64, kind: AlarmKind, raised_s: i64) -> Alarm {
    Alarm {
        id: AlarmId(id),
        kind,
        raised: wall(raised_s),
        repeated: None,
        value: 0,
    }
}

fn refusal(reason: RefusalReason, compliance: Compliance) -> RefusalRecord {
    RefusalRecord {
        at: wall(-1),
        service: index(GGSN),
        reason,
        sessions: SessionCount(10_000),
        ceiling: Some(SessionCount(10_000)),
        policy: Policy::Allow,
        policy_since: wall(-3_600),
        compliance,
        timer_left_s: Some(90 * DAY_S - 60),
        apn: "internet.operator.example".into(),
        cause: 199,
    }
}

fn sessions() -> SessionSummary {
    SessionSummary {
        sessions: 101,
        emergency: 1,
        secondary_contexts: 4,
        services: vec![ServiceSessions {
            service: index(GGSN),
            name: "GGSN".into(),
            sessions: 101,
        }],
        kinds: vec![
            kind(Interface::Gn, Addresses::Ipv4, 95),
            kind(Interface::Gn, Addresses::Ipv4v6, 6),
            kind(Interface::S11, Addresses::Elsewhere, 2),
        ],
        apns: vec![ApnSessions {
            apn: "internet".into(),
            service: "GGSN".into(),
            sessions: 101,
        }],
        peers: vec![PeerSessions {
            peer: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap(),
            sessions: 101,
        }],
        workers: vec![WorkerSessions {
            worker: 0,
            sessions: 101,
            datagrams: 230,
        }],
        clients: vec![ClientSessions {
            client: "mme-1.operator.example".into(),
            services: vec!["MME".into(), "ePDG".into(), "SaMOG".into()],
            sessions: 40,
            admitted: 35,
            refused: 2,
            restored: 12,
            lease_left_ms: 4_100,
        }],
        pools: vec![PoolUse {
            pool: "internet".into(),
            used: 100,
            size: 65_534,
        }],
        ended: vec![EndCount {
            reason: "deleted by its peer".into(),
            sessions: 12,
        }],
        messages: vec![MessageCount {
            message: "Create PDP Context Request".into(),
            received: 105,
            sent: 0,
        }],
        causes: vec![
            CauseCount {
                cause: 128,
                name: "Request accepted".into(),
                answers: 101,
                heard: 2,
            },
            CauseCount {
                cause: 199,
                name: "No resources available".into(),
                answers: 4,
                heard: 0,
            },
        ],
        dropped: vec![DropCount {
            reason: "shorter than a header".into(),
            datagrams: 2,
        }],
    }
}

fn kind(interface: Interface, addresses: Addresses, sessions: u64) -> KindSessions {
    KindSessions {
        interface,
        addresses,
        sessions,
    }
}

/// One service of each outlook.
fn forecast() -> Vec<ServiceForecast> {
    let row = |service: &str, ceiling, hours, outlook| ServiceForecast {
        service: service.to_owned(),
        sessions: 298_335,
        ceiling,
        hours,
        outlook,
    };
    let growth = |per_day, hours_until| Outlook::Growth {
        level: 479_038,
        per_day,
        hours_until,
        coverage_percent: 82,
    };
    let insufficient = |coverage_percent| Outlook::InsufficientData { coverage_percent };
    let (some, most) = (Some(600_000), Some(4_294_967_295));
    vec![
        row(
            "PGW",
            some,
            336,
            growth([-1_200, 4_800, 12_000], [Some(242), Some(605), None]),
        ),
        row("SAEGW", some, 336, growth([-9, -5, -1], [None; 3])),
        row(
            "GGSN",
            most,
            672,
            growth(
                [1_000_000, 2_000_000, 99_000_000],
                [Some(1_040), Some(51_532), Some(87_600)],
            ),
        ),
        row("SGW", None, 336, Outlook::NoCeiling),
        row("MME", some, 13, insufficient(None)),
        row("ePDG", some, 96, insufficient(Some(95))),
    ]
}

/// Two days of calls, of which the first quarter of an hour and one that goes on are here.
fn counters() -> CountersHistory {
    let counted = CallCounters {
        arrived: 1_250_117,
        rejected: 250_000,
        connected: 1_000_001,
        disconnected: 999_900,
        failed: 116,
        handed_over: 3,
    };
    CountersHistory {
        current: Some(CounterInterval {
            until: wall(0),
            counted: CallCounters::default(),
        }),
        intervals: vec![CounterInterval {
            until: wall(-342),
            counted,
        }],
    }
}

/// One with two sessions, that was refused a third.
/// A syslog server that was always reached, and one that is away.
fn logging() -> LoggingView {
    let reached = SyslogServerView {
        address: "192.0.2.50".into(),
        port: 514,
        protocol: SyslogProtocol::Udp,
        facility: SyslogFacility::Local7,
        level: LogSeverity::Info,
        state: SyslogState::Reached,
        failure: None,
        queued: 0,
        queue: 1_024,
        sent: 4_711,
        dropped: 0,
    };
    let away = SyslogServerView {
        address: "logs.example".into(),
        port: 6514,
        protocol: SyslogProtocol::Tls,
        facility: SyslogFacility::Local0,
        level: LogSeverity::Warning,
        state: SyslogState::Away,
        failure: Some("invalid peer certificate: UnknownIssuer".into()),
        queued: 16,
        queue: 16,
        sent: 0,
        dropped: 23,
    };
    LoggingView {
        filters: LogFacility::ALL
            .map(|facility| LogFilter {
                facility,
                level: LogSeverity::Info,
            })
            .into(),
        servers: vec![reached, away],
    }
}

fn subscriber() -> SubscriberView {
    let session = SubscriberSession {
        apn: "internet".into(),
        service: index(GGSN),
        emergency: false,
        interface: Interface::Gn,
        peer: Some("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap()),
        number: 5,
        secondary_contexts: 1,
        addresses: vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        worker: 0,
    };
    SubscriberView {
        imsi: "240010000000001".into(),
        lot: Some(17),
        sessions: vec![
            SubscriberSession {
                apn: "sos".into(),
                emergency: true,
                interface: Interface::S2b,
                peer: None,
                number: 6,
                secondary_contexts: 0,
                addresses: Vec::new(),
                ..session.clone()
            },
            session,
        ],
        refused: vec![SubscriberRefusal {
            at: wall(-1),
            service: index(GGSN),
            reason: RefusalReason::AtCeiling,
            apn: "internet.operator.example".into(),
            cause: 199,
        }],
    }
}

fn peers() -> PeerList {
    let quiet = PeerRow {
        peer: "10.200.100.1".parse().unwrap(),
        gtp_version: 1,
        state: PeerState::Up,
        sessions: 60,
        restart_counter: None,
        restarts: 0,
        unanswered: 0,
        echo_age_ms: None,
    };
    let restarted = PeerRow {
        peer: "10.200.100.2".parse().unwrap(),
        gtp_version: 2,
        state: PeerState::Ending,
        sessions: 1_000_000,
        restart_counter: Some(255),
        restarts: 1_003,
        unanswered: 0,
        echo_age_ms: Some(59_999),
    };
    let silent = PeerRow {
        peer: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap(),
        state: PeerState::Down,
        sessions: 41,
        restart_counter: Some(3),
        restarts: 1,
        unanswered: 5,
        echo_age_ms: Some(7_200_000),
        ..restarted.clone()
    };
    PeerList {
        total: 10_000,
        down: 1,
        ending: 1,
        peers: vec![quiet, restarted, silent],
    }
}

fn wall(after_s: i64) -> Wall {
    Wall(AT + after_s * 1_000)
}

fn index(place: usize) -> ServiceIndex {
    ServiceIndex(u8::try_from(place).unwrap())
}

fn feature(place: usize) -> FeatureIndex {
    FeatureIndex(u8::try_from(place).unwrap())
}
