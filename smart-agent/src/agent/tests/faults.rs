use super::*;
use api::RegistrationState;
use api::smart::{Nonce, Octets, ReplyEnvelope};

fn state(rig: &Rig) -> RegistrationState {
    rig.agent.status(rig.now).registration
}

/// Nothing that was told since lowers anything (rule L10).
fn lowers_nothing(rig: &Rig) {
    for told in &rig.told {
        match told {
            Told::Deregistered => panic!("{told:?}"),
            Told::Verdict {
                verdict, granted, ..
            } => {
                assert_eq!(*verdict, Verdict::Authorized);
                assert!(granted.is_none_or(|grant| grant.licenses.0 > 0));
            }
            Told::Registered
            | Told::RegistrationFailed
            | Told::Reported { .. }
            | Told::AuthorityUnreachable
            | Told::AuthorityReached
            | Told::RootExpiring(_)
            | Told::StateTampered
            | Told::Order { .. }
            | Told::LabSpeedup { .. } => {}
        }
    }
    assert!(rig.verdicts.registered);
}

//= L10
#[test]
fn a_silent_authority_is_said_once_asked_ever_later_and_lowers_nothing() {
    let mut rig = Rig::using(10_001);
    let before = rig.verdicts.clone();
    rig.way = Way::Closed;
    rig.use_of(service(PGW), 25_000);
    rig.run(MINUTE);
    rig.leap(100 * DAY, 10 * MINUTE);
    lowers_nothing(&rig);
    assert_eq!(rig.verdicts, before);
    let count = |rig: &Rig, told| rig.told.iter().filter(|of| **of == told).count();
    assert_eq!(count(&rig, Told::AuthorityUnreachable), 1);
    assert_eq!(count(&rig, Told::AuthorityReached), 0);
    let attempts = rig.row(RequestType::Entitlement).failed;
    assert!((2_000..6_000).contains(&attempts), "{attempts}: hourly");
    let silence = rig.agent.status(rig.now).silence.unwrap();
    assert!(silence.since.0 - START.0 < 1_300_000);
    assert!(silence.why.contains("connection refused"));

    rig.way = Way::Open;
    rig.leap(2 * HOUR, MINUTE);
    assert_eq!(rig.agent.status(rig.now).silence, None);
    assert!(count(&rig, Told::AuthorityReached) > 0);
    assert!(rig.notices.contains(&Notice::CommunicationRestored));
    assert!(rig.held(service(PGW)) >= Some(3));
}

/// The authority is away for each message of a life in turn, and comes back.
//= L10
#[test]
fn whichever_message_meets_no_authority_is_made_up_for() {
    for number in 0..11 {
        for way in [Way::Closed, Way::Outward] {
            let mut rig = Rig::new();
            rig.away = Some((number, way));
            rig.use_of(service(PGW), 10_001);
            rig.register().unwrap();
            rig.run(7 * MINUTE);
            rig.use_of(service(PGW), 1);
            rig.run(7 * MINUTE);
            rig.command(LicenseCommand::RenewId).unwrap();
            rig.command(LicenseCommand::RenewAuth).unwrap();
            rig.run(MINUTE);
            lowers_nothing(&rig);
            rig.command(LicenseCommand::Deregister).unwrap();
            let instance = rig.authority.the_instance();
            assert_eq!(instance.license_ms(), rig.closed_ms, "{number} {way:?}");
            assert!(!instance.forked);
            assert_eq!(rig.authority.tokens[TOKEN].uses, 0, "one use");
            assert!(!rig.verdicts.registered);
            assert!(rig.delivered > 8, "{}", rig.delivered);
        }
    }
}

/// The answer to the message that is on its way, and the message.
fn answer(rig: &mut Rig) -> (Nonce, Vec<u8>) {
    let message = rig.outbox.pop().unwrap();
    let wall = rig.wall();
    let octets = rig.authority.answer(&message.octets, wall);
    (message.nonce, octets)
}

fn asking(command: LicenseCommand) -> Rig {
    let mut rig = Rig::using(10_001);
    rig.way = Way::Held;
    rig.ask(command);
    rig
}

//= L10
#[test]
fn an_answer_that_comes_late_twice_or_out_of_order_says_nothing() {
    let mut rig = asking(LicenseCommand::RenewAuth);
    rig.pool(service(PGW)).owned = 0;
    let (first, objection) = answer(&mut rig);
    rig.pool(service(PGW)).owned = 100;
    rig.run(61 * SECOND);
    let late = Input::Answered {
        nonce: first,
        octets: objection.clone(),
    };
    rig.tell(late.clone());
    assert_eq!(rig.agent.status(rig.now).stale_answers, 1, "late");
    rig.run(5 * SECOND);
    let (second, good) = answer(&mut rig);
    rig.tell(late);
    rig.tell(Input::Answered {
        nonce: second,
        octets: objection,
    });
    assert_eq!(rig.agent.status(rig.now).stale_answers, 2, "out of order");
    rig.tell(Input::Answered {
        nonce: second,
        octets: good.clone(),
    });
    assert_eq!(rig.agent.status(rig.now).stale_answers, 3, "twice");
    lowers_nothing(&rig);
    rig.run(10 * SECOND);
    let (third, good) = answer(&mut rig);
    rig.tell(Input::Answered {
        nonce: third,
        octets: good,
    });
    assert!(rig.told.contains(&Told::AuthorityReached));
    lowers_nothing(&rig);
}

/// Each message of a registered node in turn, its answer as `change` makes it; the cause that the agent names.
fn heard(change: impl Fn(&mut Rig, Vec<u8>) -> Vec<u8>) -> String {
    let messages = [
        (RequestType::Renew, LicenseCommand::RenewId),
        (RequestType::Deregistration, LicenseCommand::Deregister),
        (RequestType::Entitlement, LicenseCommand::RenewAuth),
    ];
    let causes = messages.map(|(kind, command)| {
        let mut rig = asking(command);
        rig.pool(service(PGW)).owned = 0;
        let (nonce, octets) = answer(&mut rig);
        let octets = change(&mut rig, octets);
        rig.tell(Input::Answered { nonce, octets });
        lowers_nothing(&rig);
        assert!(!rig.told.contains(&Told::AuthorityReached));
        assert_eq!(rig.row(kind).failed, 1);
        let Notice::CommunicationFailed(cause) = &rig.notices[0] else {
            panic!("{:?}", rig.notices);
        };
        cause.to_string()
    });
    let [first, second, third] = causes;
    assert_eq!(first, second);
    assert_eq!(second, third);
    third
}

//= L10
#[test]
fn an_answer_that_is_not_the_authoritys_word_says_nothing() {
    let cut = heard(|_, octets| octets[..40].to_vec());
    assert!(cut.contains("not of the form"), "{cut}");
    let empty = heard(|_, _| Vec::new());
    assert!(empty.contains("not of the form"), "{empty}");
    let long = heard(|_, _| vec![b' '; api::smart::MESSAGE_BYTES_MAX + 1]);
    assert!(long.contains("at most 1048576 are taken"), "{long}");

    let changed = heard(|_, octets| {
        let mut envelope = ReplyEnvelope::read(&octets).unwrap();
        envelope.response = envelope.response.replacen('1', "2", 1);
        envelope.octets()
    });
    assert!(changed.contains("the signature is not good"), "{changed}");

    let by_a_node = heard(|rig, octets| {
        let mut envelope = ReplyEnvelope::read(&octets).unwrap();
        let (identity, chain) = rig.agent.credentials().unwrap();
        let signature = identity.sign(envelope.response.as_bytes());
        envelope.signature.value = Octets(signature);
        envelope.chain = chain.to_vec();
        envelope.octets()
    });
    assert!(by_a_node.contains("not for this purpose"), "{by_a_node}");

    let other = authority::Keys::new(START);
    let wrong = heard(|_, octets| {
        let mut envelope = ReplyEnvelope::read(&octets).unwrap();
        envelope.chain = other.chain();
        let text = envelope.response.as_bytes();
        let signature = rcgen::SigningKey::sign(&other.signer, text);
        envelope.signature.value = Octets(signature.unwrap());
        envelope.octets()
    });
    let root = "not signed by a root of the trust pool";
    assert!(wrong.contains(root), "{wrong}");
}

fn resigned(change: impl Fn(&mut api::smart::Reply)) -> String {
    heard(|rig, octets| {
        let envelope = ReplyEnvelope::read(&octets).unwrap();
        let opened = envelope.open(|_, _| Ok::<_, api::smart::WireError>(()));
        let mut reply = opened.unwrap();
        change(&mut reply);
        rig.authority.seal(&reply)
    })
}

//= L10
#[test]
fn an_authentic_answer_to_something_else_says_nothing() {
    let misdirected = "the license authority's answer is for another request or another node";
    let other = api::smart::InstanceId::new("ffffffff-0000-4000-8000-000000000000").unwrap();
    let for_another =
        resigned(|reply| reply.header.product_instance_identifier = Some(other.clone()));
    assert_eq!(for_another, misdirected);
    let nonce = resigned(|reply| reply.header.nonce.0 ^= 1);
    assert_eq!(nonce, misdirected);
    let kind = resigned(|reply| reply.header.request_type = RequestType::TrustPool);
    assert_eq!(kind, misdirected);
    let body = resigned(|reply| {
        reply.body = api::smart::ReplyBody::Ok(api::smart::Answer::Acknowledgement {});
    });
    assert_eq!(body, misdirected);
    let old = resigned(|reply| reply.header.timestamp.0 -= 3_600_001);
    assert_eq!(
        old,
        "the clocks of this node and of the license authority are 3601 seconds apart, at most 3600 are allowed; correct the clock"
    );
}

#[test]
fn clocks_may_be_an_hour_apart_and_a_millisecond_more_is_said_as_more() {
    let checked = |apart_ms| super::super::answers::check_clocks(Wall(START.0 + apart_ms), START);
    for apart_ms in [-3_600_000, 0, 3_600_000] {
        assert_eq!(checked(apart_ms), Ok(()));
    }
    assert_eq!(checked(3_600_001), Err(Failure::ClockSkew(3_601)));
    assert_eq!(checked(-3_600_001), Err(Failure::ClockSkew(-3_601)));
}

/// A registration answer for somebody else's key or name is not taken.
#[test]
fn an_identity_for_another_node_is_not_taken() {
    let mut rig = Rig::new();
    rig.way = Way::Held;
    rig.ask(LicenseCommand::Register {
        idtoken: TOKEN.into(),
        force: false,
    });
    let (nonce, octets) = answer(&mut rig);
    let envelope = ReplyEnvelope::read(&octets).unwrap();
    let mut reply = envelope
        .open(|_, _| Ok::<_, api::smart::WireError>(()))
        .unwrap();
    if let api::smart::ReplyBody::Ok(api::smart::Answer::Registration(answer)) = &mut reply.body {
        let other = "ffffffff-0000-4000-8000-000000000000";
        answer.product_instance_identifier = api::smart::InstanceId::new(other).unwrap();
    }
    let octets = rig.authority.seal(&reply);
    rig.tell(Input::Answered { nonce, octets });
    assert_eq!(state(&rig), RegistrationState::Registering, "tried again");
    assert_eq!(rig.disk.state.as_ref().unwrap().registration, None);
    assert!(!rig.verdicts.registered);
}

//= L10
#[test]
fn a_clock_moved_by_a_day_costs_messages_and_nothing_else() {
    for days in [-1, 1] {
        let mut rig = Rig::using(10_001);
        let before = rig.verdicts.clone();
        rig.wrong_ms = days * 86_400_000;
        rig.now.wall.0 += rig.wrong_ms;
        rig.leap(30 * MINUTE, 10 * SECOND);
        lowers_nothing(&rig);
        let in_range = if days > 0 {
            RegistrationState::Registered
        } else {
            // The certificate was made today.
            RegistrationState::OutOfRange
        };
        assert_eq!(state(&rig), in_range);
        let failure = rig.command(LicenseCommand::RenewAuth).unwrap_err();
        lowers_nothing(&rig);
        let text = failure.to_string();
        let skew = "are 86400 seconds apart";
        let early = "the trust pool has no root that is valid now";
        assert!(text.contains(if days > 0 { skew } else { early }), "{text}");
        rig.leap(2 * HOUR, MINUTE);
        lowers_nothing(&rig);
        let dropped = rig.notices.contains(&Notice::CertificateDropped);
        assert_eq!(dropped, days < 0);
        let sent = rig.sent.len();
        rig.leap(3 * HOUR, MINUTE);
        if days < 0 {
            assert_eq!(rig.sent.len(), sent, "nothing is sent with it any more");
        }
        assert_eq!(rig.verdicts, before);

        rig.now.wall.0 -= rig.wrong_ms;
        rig.wrong_ms = 0;
        rig.leap(2 * HOUR, MINUTE);
        assert_eq!(state(&rig), RegistrationState::Registered);
        assert!(rig.told.contains(&Told::AuthorityReached), "{days}");
        rig.command(LicenseCommand::RenewAuth).unwrap();
        lowers_nothing(&rig);
    }
}

#[test]
fn a_certificate_that_is_not_renewed_is_warned_of_once_before_it_ends() {
    let warnings = |rig: &Rig| {
        let is = |notice: &&Notice| matches!(notice, Notice::CertificateExpires { .. });
        rig.notices.iter().filter(is).count()
    };
    // One that is renewed in time is not spoken of.
    let mut rig = Rig::using(1);
    rig.leap(400 * DAY, DAY);
    assert_eq!(warnings(&rig), 0);

    let mut rig = Rig::using(1);
    let end = rig.agent.status(rig.now).registered.unwrap().expires;
    rig.way = Way::Closed;
    let left_days = |rig: &Rig| (end.0 - rig.now.wall.0) / 86_400_000;
    let days = u32::try_from(left_days(&rig)).unwrap();
    assert!(days > 240, "its quarter is more than 60 days: {days}");
    rig.leap(DAY * (days - 62), DAY);
    assert_eq!(warnings(&rig), 0, "{} days left", left_days(&rig));
    rig.leap(4 * DAY, DAY);
    assert!(
        rig.notices
            .contains(&Notice::CertificateExpires { at: end })
    );
    rig.leap(50 * DAY, DAY);
    assert_eq!(warnings(&rig), 1);
}

#[test]
fn a_clock_that_was_wrong_does_not_use_up_the_warning_of_the_certificate() {
    let mut rig = Rig::using(1);
    let end = rig.agent.status(rig.now).registered.unwrap().expires;
    let warning = Notice::CertificateExpires { at: end };
    let warnings = |rig: &Rig| rig.notices.iter().filter(|n| **n == warning).count();
    rig.way = Way::Closed;
    let ahead = end.0 - rig.now.wall.0 - 30 * 86_400_000;
    rig.now.wall.0 += ahead;
    rig.leap(2 * MINUTE, MINUTE);
    assert_eq!(warnings(&rig), 1);
    rig.now.wall.0 -= ahead;
    rig.leap(2 * MINUTE, MINUTE);
    assert_eq!(warnings(&rig), 1);
    let days = u32::try_from((end.0 - rig.now.wall.0) / 86_400_000).unwrap();
    rig.leap(DAY * (days - 50), DAY);
    assert_eq!(warnings(&rig), 2);
}

#[test]
fn a_certificate_outside_its_validity_has_one_hour() {
    let mut rig = Rig::using(1);
    rig.now.wall.0 += 400 * 86_400_000;
    rig.wrong_ms = 400 * 86_400_000;
    rig.step(SECOND);
    assert!(rig.notices.contains(&Notice::CertificateOutOfRange));
    rig.leap(HOUR - 2 * SECOND, MINUTE);
    assert!(!rig.notices.contains(&Notice::CertificateDropped));
    rig.leap(2 * SECOND, SECOND);
    assert!(rig.notices.contains(&Notice::CertificateDropped));
    let sent = rig.sent.len();
    rig.leap(HOUR, MINUTE);
    assert_eq!(rig.sent.len(), sent);
    rig.now.wall.0 -= rig.wrong_ms;
    rig.wrong_ms = 0;
    rig.leap(2 * HOUR, MINUTE);
    assert!(rig.notices.contains(&Notice::CertificateInRange));
    assert!(rig.sent.len() > sent);
    lowers_nothing(&rig);
}

//= L10
#[test]
fn a_full_disk_holds_messages_back_and_loses_no_usage() {
    let mut rig = Rig::using(10_001);
    rig.run(10 * MINUTE);
    rig.disk_full = true;
    rig.forget();
    let disk = rig.disk.clone();
    for sessions in [1, 30_000, 10_001] {
        rig.uses.insert(service(PGW), sessions);
        rig.leap(11 * MINUTE, SECOND);
    }
    assert_eq!(rig.disk, disk);
    let written = rig.sent.iter().filter(|k| **k == RequestType::Entitlement);
    assert_eq!(written.count(), 0, "nothing is sent that is not kept");
    assert!(rig.notices.contains(&Notice::NotWritten));
    assert!(rig.agent.status(rig.now).not_written);
    assert!(rig.reported(service(PGW)).iter().any(|(_, ok)| !ok));
    lowers_nothing(&rig);
    rig.disk_full = false;
    rig.run(2 * HOUR);
    assert!(!rig.agent.status(rig.now).not_written);
    rig.command(LicenseCommand::Deregister).unwrap();
    let used = |licenses: u64, minutes: u64| licenses * minutes * 60_000;
    let least = used(2, 10) + used(1, 11) + used(3, 11) + used(2, 11) + used(2, 120);
    let told = rig.authority.the_instance().license_ms();
    assert!(
        (least..least + used(2, 1)).contains(&told),
        "{least} {told}"
    );
    assert!(!rig.authority.the_instance().forked);
}

//= L10
#[test]
fn an_authority_restored_from_yesterday_gets_again_what_it_lost() {
    let mut rig = Rig::using(10_001);
    rig.run(10 * MINUTE);
    rig.use_of(service(PGW), 1);
    rig.run(10 * MINUTE);
    let backup = rig.authority.instances.clone();
    assert!(rig.authority.the_instance().license_ms() > 0);
    for sessions in [1, 30_000, 10_001, 1] {
        rig.uses.insert(service(PGW), sessions);
        rig.run(10 * MINUTE);
    }
    let before = rig.authority.the_instance().license_ms();
    rig.authority.instances = backup;
    assert!(rig.authority.the_instance().license_ms() < before);
    rig.forget();
    rig.command(LicenseCommand::RenewAuth).unwrap();
    rig.run(10 * SECOND);
    let instance = rig.authority.the_instance();
    assert_eq!(instance.license_ms(), rig.closed_ms);
    assert!(instance.license_ms() >= before && !instance.forked);
    lowers_nothing(&rig);
}

//= L10
#[test]
fn an_authority_that_knows_nothing_of_the_node_takes_it_in_again() {
    let mut rig = Rig::using(10_001);
    rig.run(10 * MINUTE);
    let before = rig.agent.status(rig.now).registered.unwrap();
    rig.authority.instances.clear();
    rig.forget();
    let held = rig.verdicts.clone();
    rig.command(LicenseCommand::RenewAuth).unwrap_err();
    assert_eq!(rig.verdicts, held);
    rig.run(MINUTE);
    let after = rig.agent.status(rig.now).registered.unwrap();
    assert_eq!(after.instance, before.instance);
    assert_ne!(after.serial, before.serial);
    let instance = rig.authority.the_instance();
    assert_eq!(instance.license_ms(), rig.closed_ms);
    assert!(rig.verdicts.registered);
    assert!(!rig.told.contains(&Told::Deregistered));
    assert_eq!(rig.held(service(PGW)), Some(2));
}

#[test]
fn two_nodes_of_one_identity_are_seen_and_both_go_on() {
    let mut first = Rig::using(10_001);
    first.run(6 * MINUTE);
    first.use_of(service(PGW), 1);
    first.run(6 * MINUTE);
    let mut second = Rig::new();
    second.disk = first.disk.clone();
    second.verdicts = first.verdicts.clone();
    second.now = first.now;
    second.starts = 100;
    // There is one authority, handed to whoever acts.
    let mut shared = std::mem::replace(&mut first.authority, Authority::new(START));
    let mut rigs = [first, second];
    for round in 0..6 {
        let [first, second] = &mut rigs;
        let (rig, other) = if round % 2 == 0 {
            (second, first)
        } else {
            (first, second)
        };
        std::mem::swap(&mut shared, &mut rig.authority);
        rig.now = other.now;
        if round == 0 {
            rig.kill();
        }
        rig.use_of(service(PGW), 10_000 * round + 5);
        rig.run(11 * MINUTE);
        std::mem::swap(&mut shared, &mut rig.authority);
    }
    let instance = shared.the_instance();
    assert!(instance.forked);
    for rig in &rigs {
        assert!(rig.verdicts.registered);
        assert!(rig.agent.status(rig.now).forked);
        assert!(rig.notices.contains(&Notice::Forked));
    }
    let told = rigs[0].closed_ms + rigs[1].closed_ms;
    let waiting: u64 = rigs.iter().map(waiting_ms).sum();
    assert_eq!(instance.license_ms() + waiting, told, "each report once");
}

#[test]
fn a_state_restored_from_yesterday_is_seen_and_nothing_counts_twice() {
    let mut rig = Rig::using(10_001);
    rig.run(12 * MINUTE);
    rig.way = Way::Closed;
    rig.use_of(service(PGW), 1);
    rig.run(6 * MINUTE);
    // One report waits in the copy that is made here, and reaches the authority later.
    let yesterday = rig.disk.clone();
    assert!(waiting_ms(&rig) > 0);
    rig.way = Way::Open;
    for sessions in [10_001, 30_000, 5] {
        rig.use_of(service(PGW), sessions);
        rig.run(6 * MINUTE);
    }
    assert_eq!(waiting_ms(&rig), 0);
    assert!(!rig.authority.the_instance().forked);
    rig.disk = yesterday;
    rig.kill();
    for sessions in [10_001, 30_000, 5] {
        rig.use_of(service(PGW), sessions);
        rig.run(6 * MINUTE);
    }
    rig.run(MINUTE);
    let tampered = rig.told.iter().filter(|of| **of == Told::StateTampered);
    assert_eq!(tampered.count(), 1, "said once");
    let instance = rig.authority.the_instance();
    assert_eq!(waiting_ms(&rig), 0);
    assert_eq!(instance.license_ms(), rig.closed_ms);
    assert!(rig.verdicts.registered && !instance.forked);
    let ids: Vec<_> = instance.reports.keys().copied().collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
}

/// What the authority has not acknowledged of what is kept.
fn waiting_ms(rig: &Rig) -> u64 {
    let ledger = &rig.disk.ledger;
    let waiting = ledger.reports.range(ledger.marks.acknowledged + 1..);
    let entries = waiting.flat_map(|(_, text)| text.read().unwrap().entries);
    entries.map(|entry| entry.license_ms).sum()
}

//= L10
#[test]
fn a_disk_that_takes_records_again_is_seen_though_the_authority_is_silent() {
    let mut rig = Rig::using(10_001);
    rig.way = Way::Closed;
    rig.disk_full = true;
    rig.use_of(service(PGW), 30_000);
    rig.run(10 * MINUTE);
    assert!(rig.agent.status(rig.now).not_written);
    let told = |rig: &Rig| {
        let notices = rig.notices.iter();
        notices.filter(|of| **of == Notice::NotWritten).count()
    };
    assert_eq!(told(&rig), 1);
    rig.disk_full = false;
    rig.run_by(2 * HOUR, MINUTE);
    assert!(!rig.agent.status(rig.now).not_written);
    rig.disk_full = true;
    rig.use_of(service(PGW), 1);
    rig.run(10 * MINUTE);
    assert!(rig.agent.status(rig.now).not_written);
    assert_eq!(told(&rig), 2, "another failure is told of again");
}
