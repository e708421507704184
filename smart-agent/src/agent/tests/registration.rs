use super::*;
use api::RegistrationState;

fn state(rig: &Rig) -> RegistrationState {
    rig.agent.status(rig.now).registration
}

//= L11
#[test]
fn a_node_registers_acknowledges_and_asks_for_authorization() {
    let mut rig = Rig::new();
    rig.use_of(service(PGW), 1);
    assert_eq!(state(&rig), RegistrationState::Unregistered);
    rig.register().unwrap();
    rig.run(SECOND);
    assert_eq!(state(&rig), RegistrationState::Registered);
    let sent = [
        RequestType::Registration,
        RequestType::Acknowledgement,
        RequestType::Entitlement,
        RequestType::TrustPool,
    ];
    assert_eq!(rig.sent, sent);
    assert!(rig.authority.the_instance().acknowledged);
    assert_eq!(rig.authority.tokens[TOKEN].uses, 0);
    assert!(rig.verdicts.registered);
    assert_eq!(rig.verdicts.standing[&service(PGW)], Verdict::Authorized);
    assert_eq!(rig.held(service(PGW)), Some(1));
    assert_eq!(
        rig.disk.state.as_ref().unwrap().attempt,
        None,
        "no token stays"
    );
    let registered = rig.agent.status(rig.now).registered.unwrap();
    assert_eq!(registered.renew_at.0 - START.0, 180 * 86_400_000);
    assert_eq!(registered.expires.0 - START.0, 365 * 86_400_000);
}

//= L11
#[test]
fn the_identity_is_renewed_after_180_days_and_the_authorization_every_30() {
    let mut rig = Rig::using(1);
    rig.run(10 * MINUTE);
    rig.forget();
    rig.leap(29 * DAY, HOUR);
    assert_eq!(rig.sent, []);
    rig.leap(DAY + HOUR, HOUR);
    let mut sent = rig.sent.clone();
    sent.sort();
    assert_eq!(sent, [RequestType::Entitlement, RequestType::TrustPool]);
    rig.leap(149 * DAY, HOUR);
    assert!(!rig.sent.contains(&RequestType::Renew));
    let before = rig.agent.status(rig.now).registered.unwrap();
    rig.leap(2 * DAY, HOUR);
    let renewed = [RequestType::Renew, RequestType::Acknowledgement];
    assert!(rig.sent.windows(2).any(|pair| pair == renewed));
    let after = rig.agent.status(rig.now).registered.unwrap();
    assert_eq!(after.instance, before.instance);
    assert_ne!(after.serial, before.serial);
    assert_eq!(after.since, before.since);
    assert!(after.renewed.is_some_and(|at| at > before.since));
    let entitlements = rig.sent.iter();
    let entitlements = entitlements.filter(|kind| **kind == RequestType::Entitlement);
    assert_eq!(entitlements.count(), 6);
    let instance = rig.authority.the_instance();
    assert_eq!(
        instance.serials,
        [after.serial.as_str()],
        "the old one is void"
    );
}

//= L11
#[test]
fn an_operator_renews_at_once() {
    let mut rig = Rig::using(1);
    rig.command(LicenseCommand::RenewAuth).unwrap();
    rig.command(LicenseCommand::RenewId).unwrap();
    rig.run(SECOND);
    let sent = [
        RequestType::Entitlement,
        RequestType::Renew,
        RequestType::Acknowledgement,
    ];
    assert_eq!(rig.sent, sent);
}

//= L11
#[test]
fn deregistering_returns_to_evaluation_and_reports_first() {
    let mut rig = Rig::using(10_001);
    rig.run(MINUTE);
    rig.command(LicenseCommand::Deregister).unwrap();
    assert_eq!(state(&rig), RegistrationState::Unregistered);
    assert!(!rig.verdicts.registered);
    assert!(rig.told.contains(&Told::Deregistered));
    assert_eq!(rig.authority.the_instance().license_ms(), rig.closed_ms);
    assert!(rig.closed_ms >= 2 * 60_000, "{}", rig.closed_ms);
    let disk = rig.disk.state.as_ref().unwrap();
    assert_eq!((&disk.registration, disk.leaving), (&None, false));
    rig.forget();
    rig.leap(40 * DAY, HOUR);
    assert_eq!(rig.sent, [], "nothing is sent in evaluation");
}

#[test]
fn tokens_that_are_refused_change_nothing_and_say_why() {
    let cases = [
        (
            FailureCode::TokenExpired,
            "the registration token has expired; nothing has changed: make another one at the license authority",
        ),
        (
            FailureCode::TokenRevoked,
            "the registration token was revoked; nothing has changed: make another one at the license authority",
        ),
        (
            FailureCode::TokenUsedUp,
            "the registration token was used as often as it may be; nothing has changed: make another one at the license authority",
        ),
        (
            FailureCode::AlreadyRegistered,
            "the license authority holds a registration of this device already; nothing has changed: add `force` to replace it",
        ),
    ];
    for (fate, text) in cases {
        let mut rig = Rig::new();
        rig.authority.tokens.get_mut(TOKEN).unwrap().fate = Some(fate);
        let error = rig.register().unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(state(&rig), RegistrationState::Unregistered);
        let initial = rig.agent.status(rig.now).initial;
        let said = "the license authority refused: ";
        assert!(initial.failure.unwrap().starts_with(said));
        assert_eq!((initial.last.is_some(), initial.next), (true, None));
        assert_eq!(rig.sent, [RequestType::Registration], "asked once");
        assert_eq!(rig.disk.state, Some(Default::default()));
        assert!(rig.told.contains(&Told::RegistrationFailed));
        rig.run(HOUR);
        assert_eq!(rig.sent.len(), 1);
    }
}

#[test]
fn a_token_of_another_authority_and_one_that_is_none() {
    let mut rig = Rig::new();
    let error = rig
        .register_with("YW5vdGhlci1hdXRob3JpdHk=", false)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the license authority does not know this registration token; nothing has changed"
    );
    let error = rig.register_with("two words", false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the registration token is malformed; nothing has changed: copy it whole, 16 to 512 characters without spaces"
    );
    assert_eq!(rig.sent.len(), 1, "a malformed one is not sent");
}

#[test]
fn registering_again_wants_force_and_then_replaces() {
    let mut rig = Rig::using(1);
    let before = rig.agent.status(rig.now).registered;
    let error = rig.register().unwrap_err();
    assert_eq!(
        error.to_string(),
        "this node is registered already, with virtual account Default; nothing has changed: add `force` to register it anew"
    );
    let error = rig.register_with(TOKEN, true).unwrap_err();
    assert_eq!(error, OperatorError::TokenUsedUp);
    assert_eq!(rig.agent.status(rig.now).registered, before);
    assert_eq!(state(&rig), RegistrationState::Registered);
    rig.authority.tokens.get_mut(TOKEN).unwrap().uses = 1;
    rig.register_with(TOKEN, true).unwrap();
    let after = rig.agent.status(rig.now).registered.unwrap();
    assert_ne!(after.instance, before.unwrap().instance);
    assert!(
        !rig.told.contains(&Told::Deregistered),
        "no gap between them"
    );
}

#[test]
fn what_is_not_enabled_or_not_registered_or_busy_is_said() {
    let mut rig = Rig::new();
    let commands = [
        LicenseCommand::RenewAuth,
        LicenseCommand::RenewId,
        LicenseCommand::Deregister,
    ];
    for command in commands {
        let error = rig.command(command).unwrap_err().to_string();
        assert_eq!(error, "this node is not registered; nothing has changed");
    }
    rig.way = Way::Held;
    let register = LicenseCommand::Register {
        idtoken: TOKEN.into(),
        force: false,
    };
    rig.ask(register.clone());
    let error = rig.command(register.clone()).unwrap_err().to_string();
    assert_eq!(
        error,
        "another registration or deregistration is on its way; nothing has changed: wait for its end"
    );
    rig.tell(Input::SmartLicensing { enable: false });
    let error = rig.command(register).unwrap_err().to_string();
    assert_eq!(
        error,
        "smart licensing is not enabled; nothing has changed: configure `license smart enable` first"
    );
    assert_eq!(rig.sent, [RequestType::Registration]);
}

#[test]
fn what_keeps_a_message_from_the_authority_is_said_and_changes_nothing() {
    let fingerprint = crate::certificate::digest(b"root");
    let cases = [
        (
            Failure::NotConfigured,
            "no license authority is configured; nothing has changed",
            1,
        ),
        (
            Failure::NotHttps("http://lic".into()),
            "the license authority's address is not https: http://lic; nothing has changed",
            1,
        ),
        (
            Failure::Unresolved("lic.example.org".into()),
            "the name of the license authority can't be resolved: lic.example.org; nothing has changed",
            4,
        ),
        (
            unreachable_authority(),
            "the license authority can't be reached at 192.0.2.1:443: connection refused; nothing has changed",
            4,
        ),
        (
            Failure::Proxy {
                proxy: "proxy:3128".into(),
                why: "407 Proxy Authentication Required".into(),
            },
            "the proxy proxy:3128 refuses: 407 Proxy Authentication Required; nothing has changed",
            4,
        ),
        (
            Failure::WrongAuthority(fingerprint),
            "the license authority's certificate is not signed by a root of the trust pool; the SHA-256 fingerprint of its own root is 4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2; nothing has changed",
            1,
        ),
        (
            Failure::Status(502),
            "the license authority answered with HTTP status 502; nothing has changed",
            4,
        ),
        (
            Failure::Timeout,
            "the license authority did not answer in time; nothing has changed",
            4,
        ),
    ];
    for (failure, text, tries) in cases {
        let mut rig = Rig::new();
        rig.way = Way::Held;
        let register = LicenseCommand::Register {
            idtoken: TOKEN.into(),
            force: false,
        };
        let ticket = rig.ask(register);
        let mut asked = 0;
        while rig.done.is_empty() {
            if let Some(message) = rig.outbox.pop() {
                asked += 1;
                let nonce = message.nonce;
                let failure = failure.clone();
                rig.tell(Input::NotAnswered { nonce, failure });
            } else {
                rig.step(SECOND);
            }
        }
        assert_eq!(asked, tries, "{failure:?}");
        let (of, result) = rig.done.remove(0);
        assert_eq!(of, ticket);
        assert_eq!(result.unwrap_err().to_string(), text);
        assert_eq!(state(&rig), RegistrationState::Unregistered);
        assert_eq!(rig.disk.state, Some(Default::default()), "no token stays");
        let row = rig.row(RequestType::Registration);
        let dropped = failure.is_configuration();
        assert_eq!(row.dropped, u64::from(dropped));
        assert_eq!(row.failed, if dropped { 0 } else { tries });
    }
}

#[test]
fn without_a_disk_nothing_is_registered() {
    let mut rig = Rig::new();
    rig.disk_full = true;
    let error = rig.register().unwrap_err().to_string();
    assert_eq!(
        error,
        "the agent's state can't be written to disk, and nothing is sent before it is; nothing has changed"
    );
    assert_eq!(rig.sent, []);
    assert_eq!(state(&rig), RegistrationState::Unregistered);
    rig.disk_full = false;
    rig.run(2 * MINUTE);
    rig.register().unwrap();
}

#[test]
fn deregistering_without_the_authority_changes_nothing() {
    let mut rig = Rig::using(1);
    rig.way = Way::Closed;
    let error = rig.command(LicenseCommand::Deregister).unwrap_err();
    let text = "the license authority can't be reached at 192.0.2.1:443: connection refused; nothing has changed";
    assert_eq!(error.to_string(), text);
    assert_eq!(state(&rig), RegistrationState::Registered);
    assert!(!rig.told.contains(&Told::Deregistered));
    assert!(!rig.disk.state.as_ref().unwrap().leaving);
    let why = |rig: &Rig| rig.agent.status(rig.now).deregistration.failure;
    assert_eq!(why(&rig).as_deref(), text.split("; ").next());
    rig.way = Way::Open;
    rig.command(LicenseCommand::Deregister).unwrap();
    assert_eq!(state(&rig), RegistrationState::Unregistered);
    assert_eq!(why(&rig), None);
}

#[test]
fn an_instance_that_an_administrator_removed_is_deregistered() {
    let mut rig = Rig::using(1);
    let id = rig.agent.status(rig.now).registered.unwrap().instance;
    rig.authority.instances.remove(&id);
    rig.authority.removed.insert(id);
    let error = rig.command(LicenseCommand::RenewAuth).unwrap_err();
    assert_eq!(state(&rig), RegistrationState::Unregistered);
    assert!(rig.told.contains(&Told::Deregistered));
    assert_eq!(error, OperatorError::NotRegistered);
    let ended = Notice::RegistrationEnded(refused(FailureCode::InstanceRemoved));
    assert!(rig.notices.contains(&ended));
}

//= L2
#[test]
fn lab_nodes_and_other_authorities_do_not_mix() {
    let mut rig = Rig::new();
    rig.authority.lab = Some(api::smart::LabClock { speedup: 60 });
    let error = rig.register().unwrap_err().to_string();
    assert_eq!(
        error,
        "a lab node registers only with a lab authority, and no other node does; nothing has changed"
    );
    let mut rig = Rig::with(Config {
        lab: true,
        ..config()
    });
    let error = rig.register().unwrap_err().to_string();
    assert!(error.starts_with("a lab node registers only"), "{error}");
    assert_eq!(state(&rig), RegistrationState::Unregistered);
}

#[test]
fn in_the_lab_certificates_age_as_fast_as_terms() {
    let mut rig = Rig::with(Config {
        lab: true,
        speedup: 86_400,
        ..config()
    });
    rig.authority.lab = Some(api::smart::LabClock { speedup: 86_400 });
    // The authority's own days have run for some while.
    rig.authority.ahead_ms = 1_000 * 86_400_000;
    rig.authority.keys = authority::Keys::new(rig.authority.date(START));
    let der = rig.authority.keys.root.der().to_vec();
    rig.tell(Input::Root { der });
    rig.register().unwrap();
    rig.use_of(service(PGW), 1);
    rig.run_by(5 * SECOND, Duration::from_millis(100));
    rig.forget();
    rig.run_by(200 * SECOND, Duration::from_millis(250));
    let entitlements = rig.sent.iter();
    let entitlements = entitlements.filter(|kind| **kind == RequestType::Entitlement);
    assert!((5..=8).contains(&entitlements.count()), "{:?}", rig.sent);
    assert!(rig.sent.contains(&RequestType::Renew));
    assert_eq!(rig.held(service(PGW)), Some(1));
    assert_eq!(state(&rig), RegistrationState::Registered);
    rig.kill();
    rig.run_by(5 * SECOND, Duration::from_millis(100));
    assert_eq!(state(&rig), RegistrationState::Registered);
    rig.authority.lab = Some(api::smart::LabClock { speedup: 100 });
    rig.command(LicenseCommand::RenewAuth).unwrap();
    assert!(rig.told.contains(&Told::LabSpeedup { speedup: 100 }));
}

#[test]
fn an_answer_that_is_not_there_yet_is_asked_for_again() {
    let mut rig = Rig::new();
    rig.authority.polls = 2;
    let begun = rig.now.mono;
    rig.register().unwrap();
    assert_eq!(rig.sent[..3], [RequestType::Registration; 3]);
    let took = rig.now.mono.since(begun);
    assert!((10 * SECOND..12 * SECOND).contains(&took), "{took:?}");
    assert_eq!(rig.authority.tokens[TOKEN].uses, 0);
}

#[test]
fn the_call_home_statistics_have_a_row_a_type() {
    let mut rig = Rig::using(1);
    let kinds = rig.agent.status(rig.now).call_home;
    let kinds: Vec<_> = kinds.iter().map(|row| row.subtype).collect();
    assert_eq!(kinds, RequestType::ALL);
    let row = rig.row(RequestType::Registration);
    assert_eq!((row.success, row.failed, row.in_queue), (1, 0, 0));
    assert_eq!(row.last_sent, Some(START));
    assert_eq!(rig.row(RequestType::Renew).last_sent, None);
    let sent = rig.row(RequestType::Entitlement).success;
    rig.way = Way::Held;
    rig.ask(LicenseCommand::RenewAuth);
    let row = rig.row(RequestType::Entitlement);
    assert_eq!((row.success, row.in_queue), (sent, 1));
    assert_eq!(row.last_sent, Some(rig.now.wall));
    rig.run(61 * SECOND);
    let row = rig.row(RequestType::Entitlement);
    assert_eq!((row.success, row.failed, row.in_queue), (sent, 1, 1));
}

#[test]
fn after_no_license_smart_enable_nothing_is_sent() {
    let mut rig = Rig::using(1);
    rig.tell(Input::SmartLicensing { enable: false });
    rig.use_of(service(PGW), 20_000);
    rig.leap(40 * DAY, HOUR);
    assert_eq!(rig.sent, []);
    assert_eq!(rig.told, []);
    rig.tell(Input::SmartLicensing { enable: true });
    rig.run(MINUTE);
    assert!(rig.sent.contains(&RequestType::Entitlement));
}

#[test]
fn no_secret_shows_in_what_is_printed() {
    let mut rig = Rig::new();
    rig.way = Way::Held;
    rig.ask(LicenseCommand::Register {
        idtoken: TOKEN.into(),
        force: false,
    });
    let message = rig.outbox[0].clone();
    let has = |text: &str| text.contains(TOKEN) || text.contains("idtoken: \"");
    assert!(
        String::from_utf8(message.octets.clone())
            .unwrap()
            .contains(TOKEN)
    );
    assert!(!has(&format!("{message:?}")));
    assert!(!has(&format!("{:?}", rig.disk)));
    assert!(!has(&format!("{:?}", rig.agent.status(rig.now))));
}

/// Whoever mends the way does not wait for the end of a pause that grew while it was broken.
#[test]
fn messages_that_failed_go_another_way_at_once() {
    let mut rig = Rig::using(1);
    rig.run(10 * MINUTE);
    rig.way = Way::Closed;
    rig.use_of(service(PGW), 20_001);
    rig.leap(10 * HOUR, MINUTE);
    rig.way = Way::Open;
    rig.forget();
    rig.run(SECOND);
    assert_eq!(rig.sent, [], "the pause is of half an hour at least");
    assert!(rig.agent.status(rig.now).silence.is_some());
    rig.tell(Input::AnotherWay);
    rig.run(SECOND);
    assert!(rig.sent.contains(&RequestType::Entitlement));
    assert_eq!(rig.agent.status(rig.now).silence, None);
    assert_eq!(rig.held(service(PGW)), Some(3));
}

/// A report is under way while the way changes: it is answered late, or fails once it has arrived, or before.
#[test]
fn a_report_that_is_under_way_when_the_way_changes_is_counted_once() {
    for way in [Way::Open, Way::Outward, Way::Closed] {
        let mut rig = Rig::using(10_001);
        rig.run(10 * MINUTE);
        rig.use_of(service(PGW), 30_001);
        rig.way = Way::Held;
        rig.forget();
        let reports = |rig: &Rig| {
            let of_use = rig.sent.iter();
            of_use
                .filter(|kind| **kind == RequestType::Entitlement)
                .count()
        };
        for _ in 0..3600 {
            if reports(&rig) == 0 {
                rig.step(SECOND);
            }
        }
        assert_eq!(reports(&rig), 1, "{way:?}");
        let before = rig.authority.the_instance().license_ms();
        rig.tell(Input::AnotherWay);
        rig.run(2 * SECOND);
        assert_eq!(reports(&rig), 1, "it is not sent again beside itself");
        rig.way = way;
        rig.deliver();
        rig.way = Way::Open;
        rig.run(10 * MINUTE);
        assert!(reports(&rig) > 1, "{way:?}");
        rig.command(LicenseCommand::Deregister).unwrap();
        let instance = rig.authority.the_instance();
        assert!(instance.license_ms() > before);
        assert_eq!(instance.license_ms(), rig.closed_ms, "{way:?}");
        assert!(!instance.forked);
    }
}
