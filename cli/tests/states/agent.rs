//! The Smart Agent in the states that the node is in.

use api::smart::{Digest, InstanceId, Order, OrderKind, RequestType, Serial};
use api::{
    AgentMessages, AgentStatus, AgentView, Attempts, CallHomeRow, CatalogStanding, CatalogStatus,
    EventCounts, OrderStatus, OrdersStatus, ProxyStatus, RegisteredStatus, RegistrationState,
    RootStatus, Silence, TransportStatus,
};
use licensing::{OocRule, Shadow, Tag, Wall};

use super::wall;

const DAY: i64 = 86_400;

fn attempts(last: i64, failure: Option<&str>, next: i64) -> Attempts {
    Attempts {
        last: Some(wall(last)),
        failure: failure.map(str::to_owned),
        next: Some(wall(next)),
    }
}

fn rows(counts: [(u64, u64, u64, u64); 6]) -> Vec<CallHomeRow> {
    let rows = RequestType::ALL.into_iter().zip(counts);
    let row =
        |(subtype, (success, failed, in_queue, dropped)): (_, (u64, u64, _, _))| CallHomeRow {
            subtype,
            success,
            failed,
            in_queue,
            dropped,
            last_sent: (success + failed > 0).then(|| wall(-3_600)),
        };
    rows.map(row).collect()
}

fn root(by_operator: bool, days_left: i64) -> RootStatus {
    RootStatus {
        subject: "CN=tollgate license root 3f2a9c01".into(),
        fingerprint: Digest([if by_operator { 0x5a } else { 0xc3 }; 32]),
        not_before: wall(-100 * DAY),
        not_after: wall(days_left * DAY),
        by_operator,
        expiring: days_left < 60,
    }
}

fn transport() -> TransportStatus {
    TransportStatus {
        url: Some("https://authority.example:8443/v1/smart".into()),
        url_set: false,
        proxy: None,
        proxy_set: false,
        send_hostname: true,
        report_usage_s: 300,
        ooc_retry_s: 60,
    }
}

/// Nothing is configured, nobody was asked.
pub fn unregistered() -> AgentView {
    AgentView {
        status: AgentStatus {
            call_home: rows([(0, 0, 0, 0); 6]),
            ..AgentStatus::default()
        },
        transport: TransportStatus {
            url: None,
            ..transport()
        },
        messages: AgentMessages {
            usage: 3_600,
            ..AgentMessages::default()
        },
        events: EventCounts { taken: 4, lost: 0 },
    }
}

/// A registration is on its way, and the proxy refuses.
pub fn registering() -> AgentView {
    let mut view = unregistered();
    view.transport = TransportStatus {
        proxy: Some(ProxyStatus {
            host: "proxy.example".into(),
            port: 3128,
            username: Some("gw1".into()),
        }),
        send_hostname: false,
        ..transport()
    };
    view.status.registration = RegistrationState::Registering;
    view.status.initial = attempts(
        -20,
        Some(
            "the proxy proxy.example:3128 refuses: it does not take the user name and password (HTTP status 407)",
        ),
        12,
    );
    view.status.call_home = rows([
        (0, 0, 0, 0),
        (0, 3, 1, 0),
        (0, 0, 0, 0),
        (0, 0, 0, 0),
        (0, 0, 0, 0),
        (0, 0, 0, 0),
    ]);
    view.status.silence = Some(Silence {
        since: wall(-40),
        why: "the proxy proxy.example:3128 refuses: it does not take the user name and password (HTTP status 407)".into(),
    });
    view.status.trust_pool = vec![root(true, 20)];
    view
}

/// It stands, was renewed once, and works.
pub fn registered() -> AgentView {
    let registered = RegisteredStatus {
        instance: InstanceId::new("5b0f2c1e-9a41-4d0e-8f63-2f1c0d9e7a10").unwrap(),
        smart_account: "Example Mobile".into(),
        virtual_account: "East".into(),
        since: wall(-190 * DAY),
        renewed: Some(wall(-10 * DAY)),
        renew_at: wall(170 * DAY),
        expires: wall(355 * DAY),
        serial: Serial::of(&[0x4f, 0x01, 0xa2]),
    };
    let status = AgentStatus {
        registration: RegistrationState::Registered,
        registered: Some(registered),
        authorization: attempts(-3_600, None, 30 * DAY - 3_600),
        renewal: attempts(-10 * DAY, None, 170 * DAY),
        communication_deadline: Some(wall(90 * DAY - 3_600)),
        trust_pool: vec![root(true, 7_000), root(false, 20)],
        call_home: rows([
            (2_113, 4, 1, 0),
            (1, 1, 0, 0),
            (2, 0, 0, 0),
            (1, 0, 0, 0),
            (0, 0, 0, 0),
            (7, 0, 0, 0),
        ]),
        last_report: 2_113,
        reports_waiting: 1,
        ..AgentStatus::default()
    };
    AgentView {
        status,
        transport: transport(),
        messages: AgentMessages {
            usage: 16_416_000,
            switches: 2,
            commands: 3,
            told: 4_231,
        },
        events: EventCounts { taken: 61, lost: 5 },
    }
}

/// The same, and nobody answers any more.
pub fn silent(view: &mut AgentView) {
    let why =
        "the license authority can't be reached at authority.example:8443: connection refused";
    let status = &mut view.status;
    status.authorization = attempts(-60, Some(why), 3_540);
    status.communication_deadline = Some(Wall(wall(-DAY).0));
    status.silence = Some(Silence {
        since: wall(-91 * DAY),
        why: why.into(),
    });
    status.reports_waiting = 512;
    status.forked = true;
    status.not_written = true;
    status.stale_answers = 2;
}

/// It has a catalog by order, an order about a tag of it, and one about a tag that it does not have.
pub fn ordered(view: &mut AgentView, tag: &Tag) {
    let unknown = "regid.2026-11.org.example.XYZ,1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a";
    let order = |tag: &Tag, what, not_after| Order {
        tag: tag.clone(),
        not_after,
        what,
    };
    let until = Some(wall(30 * DAY));
    let observe = OrderKind::Shadow(Shadow::Observe);
    view.status.orders = OrdersStatus {
        serial: 7,
        taken: Some(wall(-DAY)),
        orders: vec![
            OrderStatus {
                in_force: true,
                pending: false,
                set_aside: false,
                order: order(tag, OrderKind::Rule(OocRule::FEATURE), None),
            },
            OrderStatus {
                in_force: false,
                pending: false,
                set_aside: true,
                order: order(&Tag::new(unknown).unwrap(), observe, until),
            },
        ],
        catalog: Some(CatalogStatus {
            standing: CatalogStanding::InForce,
            sha256: Digest([0x5c; 32]),
            not_after: until,
            refusal: None,
        }),
        ..OrdersStatus::default()
    };
}
