use api::smart::{
    Acknowledgement, Answer, EntitlementRequest, FailureCode, InstanceId, RequestBody,
    TrustRequest, Verdict,
};
use licensing::{LicenseCount, Wall};
use serde_json::json;

use crate::admin::{accounts, devices, licenses, pools};
use crate::moment::DAY_MS;
use crate::rig::{Failed, Node, PGW, Rig, START, copy_store, demand, open, report};
use crate::secret::digest;

fn code<T: std::fmt::Debug>(answer: Result<T, Failed>) -> FailureCode {
    answer.unwrap_err().0
}

fn granted(verdict: &api::smart::TagVerdict) -> Option<u32> {
    verdict.granted.map(|granted| granted.licenses.0)
}

//= L11
#[tokio::test]
async fn a_node_registers_and_is_authorized() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let token = rig.token(json!({})).await;
    let mut node = Node::new(1);
    let answer = rig
        .try_register(&mut node, &token.token.unwrap(), false)
        .await
        .unwrap();
    assert_eq!(answer.renew_s, 180 * 86_400);
    assert_eq!(answer.smart_account, "example.org");
    assert_eq!(answer.virtual_account, "Default");
    let identity = rig
        .authority
        .pki
        .identity(&answer.certificates[0].0)
        .unwrap();
    assert_eq!(identity.instance, answer.product_instance_identifier);
    assert_eq!(identity.key, node.key.public_key_raw());
    assert_eq!(identity.not_after.0 - START.0, 365 * DAY_MS);
    let behind = START.0 - identity.not_before.0;
    assert!(
        behind > 3_600_000,
        "good for a clock that is an hour behind"
    );
    assert_eq!(answer.certificates[1], rig.authority.pki.issuing());
    rig.acknowledge(&node).await.unwrap();
    let verdict = rig.ask(&node, 2, 3, None).await;
    assert_eq!(verdict.verdict, Verdict::Authorized);
    assert_eq!(granted(&verdict), Some(3));
    assert_eq!(verdict.granted.unwrap().until, None);
    assert_eq!(rig.alerts().await, []);
}

#[tokio::test]
async fn tokens_are_refused_each_for_its_reason() {
    let mut rig = Rig::new().await;
    let short = rig.token(json!({ "expiresAfterDays": 1 })).await;
    let revoked = rig.token(json!({})).await;
    let mut tx = rig.authority.store.write().await.unwrap();
    let done = crate::admin::tokens::revoke(&mut tx, rig.place, revoked.id, rig.by()).await;
    done.unwrap();
    tx.commit().await.unwrap();
    let once = rig.token(json!({ "usesMax": 1 })).await.token.unwrap();
    rig.register(&mut Node::new(1), &once).await;
    rig.pass_days(1);
    let cases = [
        ("bm90LW9uZS1vZi1vdXJz", FailureCode::TokenUnknown),
        (&short.token.unwrap(), FailureCode::TokenExpired),
        (&revoked.token.unwrap(), FailureCode::TokenRevoked),
        (&once, FailureCode::TokenUsedUp),
    ];
    for (token, expected) in cases {
        let answer = rig.try_register(&mut Node::new(2), token, false).await;
        assert_eq!(code(answer), expected);
    }
    assert_eq!(rig.number("SELECT count(*) FROM instances").await, 1);
    assert_eq!(
        rig.number("SELECT CAST(sum(uses) AS BIGINT) FROM registration_tokens")
            .await,
        1
    );
    let secrets = rig.number("SELECT count(*) FROM registration_tokens WHERE length(digest) = 32");
    assert_eq!(secrets.await, 3, "digests alone are kept");
}

#[tokio::test]
async fn a_registration_whose_answer_was_lost_is_the_same_registration() {
    let rig = Rig::new().await;
    let token = rig.token(json!({ "usesMax": 1 })).await.token.unwrap();
    let mut node = Node::new(1);
    let first = rig.try_register(&mut node, &token, false).await.unwrap();
    (node.instance, node.serial, node.certificate) = (None, None, None);
    let again = rig.try_register(&mut node, &token, false).await.unwrap();
    assert_eq!(
        first.product_instance_identifier,
        again.product_instance_identifier
    );
    rig.acknowledge(&node).await.unwrap();
    rig.acknowledge(&node).await.unwrap();
    assert_eq!(rig.number("SELECT count(*) FROM certificates").await, 1);
    let answer = rig.try_register(&mut node, &token, false).await;
    assert_eq!(code(answer), FailureCode::TokenUsedUp);
}

#[tokio::test]
async fn an_acknowledgement_that_comes_late_voids_no_certificate_that_was_issued_since() {
    let mut rig = Rig::new().await;
    let token = rig.token(json!({ "usesMax": 1 })).await.token.unwrap();
    let mut node = Node::new(1);
    rig.try_register(&mut node, &token, false).await.unwrap();
    let late = Acknowledgement {
        id_cert_serial_number: node.serial.clone().unwrap(),
    };
    let late = node.message(RequestBody::Acknowledgement(late), rig.now.wall);
    rig.pass(1_000);
    rig.try_register(&mut node, &token, true).await.unwrap();
    rig.send(&node, &late.octets()).await.unwrap();
    rig.acknowledge(&node).await.unwrap();
    assert_eq!(rig.number("SELECT count(*) FROM certificates").await, 1);
    assert!(rig.ask_all(&node, vec![]).await.is_ok());
}

#[tokio::test]
async fn a_registration_that_was_not_confirmed_ends_with_its_token() {
    let mut rig = Rig::new().await;
    let revoked = rig.token(json!({ "usesMax": 2 })).await;
    let short = rig.token(json!({ "expiresAfterDays": 1 })).await;
    let id = revoked.id;
    let mut cases = Vec::new();
    for (number, token, code) in [
        (1, revoked, FailureCode::TokenRevoked),
        (2, short, FailureCode::TokenExpired),
    ] {
        let token = token.token.unwrap();
        let mut node = Node::new(number);
        rig.try_register(&mut node, &token, false).await.unwrap();
        (node.instance, node.serial, node.certificate) = (None, None, None);
        cases.push((node, token, code));
    }
    let mut tx = rig.authority.store.write().await.unwrap();
    let done = crate::admin::tokens::revoke(&mut tx, rig.place, id, rig.by()).await;
    done.unwrap();
    tx.commit().await.unwrap();
    rig.pass_days(1);
    let made = rig.number("SELECT count(*) FROM certificates").await;
    for (mut node, token, expected) in cases {
        let answer = rig.try_register(&mut node, &token, false).await;
        assert_eq!(code(answer), expected);
    }
    assert_eq!(rig.number("SELECT count(*) FROM certificates").await, made);
}

#[tokio::test]
async fn a_device_registers_again_only_with_force_and_the_old_one_goes_on_until_then() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let token = rig.token(json!({ "usesMax": 9 })).await.token.unwrap();
    let mut old = Node::new(1);
    rig.register(&mut old, &token).await;
    rig.ask(&old, 8, 8, None).await;
    let mut new = Node::new(1);
    let answer = rig.try_register(&mut new, &token, false).await;
    assert_eq!(code(answer), FailureCode::AlreadyRegistered);
    rig.try_register(&mut new, &token, true).await.unwrap();
    let verdict = rig.ask(&old, 8, 8, Some(8)).await;
    assert_eq!(
        verdict.verdict,
        Verdict::Authorized,
        "its answer may be lost"
    );
    rig.acknowledge(&new).await.unwrap();
    let gone = rig.ask_all(&old, vec![]).await;
    assert_eq!(code(gone), FailureCode::InstanceRemoved);
    assert_eq!(
        granted(&rig.ask(&new, 9, 9, None).await),
        Some(9),
        "its licenses returned"
    );
}

//= L2
#[tokio::test]
async fn lab_nodes_are_for_lab_authorities() {
    for (speedup, lab) in [(None, true), (Some(1), false)] {
        let rig = Rig::with(speedup).await;
        let token = rig.token(json!({})).await.token.unwrap();
        let node = Node::new(1);
        let body = node.registration(&token, false, lab);
        assert_eq!(code(rig.post(&node, body).await), FailureCode::LabMismatch);
    }
}

//= L5
#[tokio::test]
async fn more_use_than_is_owned_is_out_of_compliance_for_all_who_use_it() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let (a, b, c) = (rig.node(1).await, rig.node(2).await, rig.node(3).await);
    assert_eq!(rig.ask(&a, 6, 6, None).await.verdict, Verdict::Authorized);
    let over = rig.ask(&b, 5, 5, None).await;
    assert_eq!(
        (over.verdict, granted(&over)),
        (Verdict::OutOfCompliance, Some(4))
    );
    assert_eq!(
        rig.ask(&a, 6, 6, Some(6)).await.verdict,
        Verdict::OutOfCompliance
    );
    assert_eq!(rig.ask(&c, 0, 0, None).await.verdict, Verdict::Authorized);
    let lacking = ("INSUFFICIENT_LICENSES".to_owned(), Some(1));
    assert_eq!(rig.alerts().await, [lacking]);
    rig.own(json!({ "quantity": 1 })).await;
    assert_eq!(rig.alerts().await, []);
    let enough = rig.ask(&b, 5, 5, Some(4)).await;
    assert_eq!(
        (enough.verdict, granted(&enough)),
        (Verdict::Authorized, Some(5))
    );
}

//= L5
#[tokio::test]
async fn what_is_asked_ahead_and_can_not_be_met_is_no_growth() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let (a, b) = (rig.node(1).await, rig.node(2).await);
    rig.ask(&a, 8, 8, None).await;
    let short = rig.ask(&b, 1, 5, None).await;
    assert_eq!(
        (short.verdict, granted(&short)),
        (Verdict::Authorized, Some(2))
    );
    assert_eq!(rig.alerts().await, []);
}

//= L11
#[tokio::test]
async fn a_tag_that_is_not_sold_is_invalid_and_a_feature_has_no_grant() {
    let rig = Rig::new().await;
    rig.own(json!({ "license": "GRE", "quantity": 1 })).await;
    let node = rig.node(1).await;
    let catalog = licensing::Catalog::staros();
    let gre = catalog.feature_named("GRE").unwrap();
    let gre = catalog.features()[gre.at()].tag.as_str().to_owned();
    let other = PGW.replace("PW10GTWY", "OTHER");
    let tags = vec![
        demand(&other, 1, 1, None),
        demand(&gre, 1, 1, None),
        demand(PGW, 0, 0, None),
    ];
    let answer = rig.ask_all(&node, tags).await.unwrap();
    let said = answer.verdicts.iter().map(|v| (v.verdict, granted(v)));
    let said: Vec<_> = said.collect();
    assert_eq!(
        said,
        [
            (Verdict::InvalidTag, None),
            (Verdict::Authorized, None),
            (Verdict::Authorized, Some(0)),
        ]
    );
    let limits = (answer.renew_s, answer.ooc_retry_s, answer.deadline_s);
    assert_eq!(limits, (30 * 86_400, 12 * 3_600, 90 * 86_400));
}

//= L6
#[tokio::test]
async fn a_pool_may_answer_with_verdicts_alone() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let mut tx = rig.authority.store.write().await.unwrap();
    let edit = serde_json::from_value(json!({ "license": "PGW", "grants": false })).unwrap();
    pools::set_grants(&rig.authority, &mut tx, rig.place, edit, rig.by())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let node = rig.node(1).await;
    let said = rig.ask(&node, 10, 30, None).await;
    assert_eq!((said.verdict, granted(&said)), (Verdict::Authorized, None));
    let said = rig.ask(&node, 11, 30, None).await;
    assert_eq!(
        (said.verdict, granted(&said)),
        (Verdict::OutOfCompliance, None)
    );
}

//= L5
#[tokio::test]
async fn a_term_ends_on_its_date() {
    let mut rig = Rig::new().await;
    let ends = crate::admin::text_of(START.0 + 30 * DAY_MS);
    rig.own(json!({ "licenseType": "TERM", "endDate": ends }))
        .await;
    let node = rig.node(1).await;
    let said = rig.ask(&node, 4, 4, None).await;
    assert_eq!(
        said.granted.unwrap().until,
        Some(Wall(START.0 + 30 * DAY_MS))
    );
    let asked = |held| vec![demand(PGW, 4, 4, held)];
    rig.pass(10 * DAY_MS);
    let answer = rig.ask_all(&node, asked(Some(4))).await.unwrap();
    assert_eq!(answer.renew_s, 20 * 86_400, "asked on the day, not in 30");
    rig.pass(20 * DAY_MS - 1);
    let answer = rig.ask_all(&node, asked(Some(4))).await.unwrap();
    assert_eq!(answer.verdicts[0].verdict, Verdict::Authorized);
    assert_eq!(answer.renew_s, 1);
    rig.pass(1);
    rig.authority.sweep(rig.now).await.unwrap();
    assert_eq!(
        rig.alerts().await,
        [("INSUFFICIENT_LICENSES".to_owned(), Some(4))]
    );
    let said = rig.ask(&node, 4, 4, None).await;
    assert_eq!(
        (said.verdict, granted(&said)),
        (Verdict::OutOfCompliance, Some(0))
    );
}

#[tokio::test]
async fn licenses_paid_by_use_cover_what_is_used() {
    let rig = Rig::new().await;
    rig.own(json!({ "billingType": "USAGE" })).await;
    let node = rig.node(1).await;
    let said = rig.ask(&node, 500, 600, None).await;
    assert_eq!(
        (said.verdict, granted(&said)),
        (Verdict::Authorized, Some(600))
    );
}

#[tokio::test]
async fn a_message_counts_once_and_only_now() {
    let rig = Rig::new().await;
    let node = rig.node(1).await;
    let body = RequestBody::TrustPool(TrustRequest {});
    let early = node.message(body.clone(), Wall(rig.now.wall.0 - 3_600_001));
    let answer = rig.send(&node, &early.octets()).await;
    assert_eq!(code(answer), FailureCode::ClockSkew);
    let late = node.message(body, Wall(rig.now.wall.0 + 3_600_000));
    assert!(rig.send(&node, &late.octets()).await.is_ok());
    let id_cert_serial_number = node.serial.clone().unwrap();
    let body = RequestBody::Acknowledgement(api::smart::Acknowledgement {
        id_cert_serial_number,
    });
    let message = node.message(body, rig.now.wall).octets();
    assert!(rig.send(&node, &message).await.is_ok());
    let answer = rig.send(&node, &message).await;
    assert_eq!(code(answer), FailureCode::Replayed);
}

#[tokio::test]
async fn a_message_is_of_the_instance_that_it_names() {
    let rig = Rig::new().await;
    let (a, b) = (rig.node(1).await, rig.node(2).await);
    let mut thief = Node::new(3);
    (thief.instance, thief.serial) = (a.instance.clone(), a.serial.clone());
    thief.certificate.clone_from(&a.certificate);
    assert_eq!(
        code(rig.ask_all(&thief, vec![]).await),
        FailureCode::SignatureInvalid
    );
    let mut other = rig.node(4).await;
    other.serial.clone_from(&b.serial);
    assert_eq!(
        code(rig.ask_all(&other, vec![]).await),
        FailureCode::CertificateInvalid
    );
    let mut unknown = rig.node(5).await;
    unknown.instance = Some(InstanceId::new("0a1b2c3d-0000-4000-8000-00000000000f").unwrap());
    assert_eq!(
        code(rig.ask_all(&unknown, vec![]).await),
        FailureCode::InstanceUnknown
    );

    let message = a.message(RequestBody::TrustPool(TrustRequest {}), rig.now.wall);
    let peer = b.key.public_key_raw();
    let answer = rig
        .authority
        .answer(&message.octets(), Some(peer), rig.now)
        .await;
    let reply = rig.opened(&answer.unwrap());
    assert!(format!("{:?}", reply.body).contains("SignatureInvalid"));
    let mut naked = rig.node(6).await;
    naked.certificate = None;
    assert_eq!(
        code(rig.ask_all(&naked, vec![]).await),
        FailureCode::CertificateInvalid
    );
    let mut forged = a.message(RequestBody::TrustPool(TrustRequest {}), rig.now.wall);
    forged.signature.value.0[0] ^= 1;
    let answer = rig.authority.answer(&forged.octets(), None, rig.now).await;
    assert_eq!(answer.unwrap_err().to_string(), "the signature is not good");
}

#[tokio::test]
async fn reports_count_once_in_their_order() {
    let rig = Rig::new().await;
    let mut node = rig.node(1).await;
    for license_ms in [5, 7, 11] {
        node.report(license_ms);
    }
    let [first, second, third] = [0, 1, 2].map(|at| node.reports[at].clone());
    let send = |reports, oldest| rig.ask_with(&node, vec![], reports, Some(oldest));
    let receipt = send(vec![first.clone(), third.clone()], 1)
        .await
        .unwrap()
        .receipt;
    assert_eq!(receipt.last.unwrap().report_id, 1);
    assert_eq!(
        (receipt.taken, receipt.forked),
        (vec![1], false),
        "2 is asked for"
    );
    let receipt = send(vec![first, second, third], 1).await.unwrap().receipt;
    assert_eq!(receipt.last.unwrap().report_id, 3);
    assert_eq!(receipt.taken, [1, 2, 3]);
    let sum = "SELECT CAST(sum(license_ms) AS BIGINT) FROM usage_sums";
    assert_eq!(rig.number(sum).await, 23);
    assert_eq!(
        rig.number("SELECT CAST(sum(reports) AS BIGINT) FROM usage_sums")
            .await,
        3
    );
}

#[tokio::test]
async fn a_report_that_two_registrations_of_a_node_bring_counts_once() {
    let rig = Rig::new().await;
    let token = rig.token(json!({ "usesMax": 9 })).await.token.unwrap();
    let mut node = Node::new(1);
    rig.register(&mut node, &token).await;
    let first = node.report(5);
    let asked = EntitlementRequest {
        tags: vec![],
        reports: vec![first],
        oldest_report: Some(1),
    };
    let late = node.message(RequestBody::Entitlement(asked), rig.now.wall);
    rig.try_register(&mut node, &token, true).await.unwrap();
    rig.send(&node, &late.octets()).await.unwrap();
    // Without a receipt the node brings it along to its new registration, and what it used since.
    node.report(7);
    let receipt = rig.ask_all(&node, vec![]).await.unwrap().receipt;
    assert_eq!((receipt.taken, receipt.forked), (vec![1, 2], false));
    assert_eq!(receipt.last.unwrap().report_id, 2);
    let sum = "SELECT CAST(sum(license_ms) AS BIGINT) FROM usage_sums";
    assert_eq!(rig.number(sum).await, 12);
    // The same numbers of another key are other reports.
    let mut other = rig.node(2).await;
    other.report(5);
    rig.ask_all(&other, vec![]).await.unwrap();
    assert_eq!(rig.number(sum).await, 17);
}

#[tokio::test]
async fn a_gap_and_a_fork_are_told_and_shown_and_both_go_on() {
    let rig = Rig::new().await;
    let mut node = rig.node(1).await;
    let first = node.report(5);
    rig.ask_with(&node, vec![], vec![first.clone()], Some(1))
        .await
        .unwrap();
    let third = report(3, Some(digest(b"lost")), 7);
    let receipt = rig
        .ask_with(&node, vec![], vec![third.clone()], Some(3))
        .await;
    let receipt = receipt.unwrap().receipt;
    assert_eq!(
        (receipt.last.unwrap().report_id, receipt.forked),
        (3, false)
    );
    assert_eq!(rig.alerts().await, [("REPORTS_MISSING".to_owned(), None)]);

    let clone = report(3, Some(digest(first.as_str().as_bytes())), 9);
    let receipt = rig
        .ask_with(&node, vec![], vec![clone], Some(1))
        .await
        .unwrap()
        .receipt;
    assert_eq!((receipt.taken, receipt.forked), (vec![], true));
    assert_eq!(
        receipt.last.unwrap().digest,
        digest(third.as_str().as_bytes())
    );
    let renumbered = report(4, Some(digest(third.as_str().as_bytes())), 9);
    let receipt = rig
        .ask_with(&node, vec![], vec![renumbered], Some(1))
        .await
        .unwrap()
        .receipt;
    assert_eq!(
        (receipt.taken, receipt.forked),
        (vec![4], true),
        "it goes on"
    );
    let kinds: Vec<_> = rig
        .alerts()
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, ["REPORTS_MISSING", "REPORTS_FORKED"]);
    assert_eq!(
        rig.number("SELECT CAST(sum(license_ms) AS BIGINT) FROM usage_sums")
            .await,
        21
    );
}

#[tokio::test]
async fn an_instance_that_leaves_or_is_removed_gives_its_licenses_back() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let (a, b, c) = (rig.node(1).await, rig.node(2).await, rig.node(3).await);
    rig.ask(&a, 4, 4, None).await;
    rig.ask(&b, 6, 6, None).await;
    rig.deregister(&a).await.unwrap();
    rig.deregister(&a).await.unwrap();
    assert_eq!(granted(&rig.ask(&c, 4, 8, None).await), Some(4));
    let mut tx = rig.authority.store.write().await.unwrap();
    let piid = b.instance.as_ref().unwrap().as_str();
    let found = devices::find(&mut tx, rig.place.account, piid)
        .await
        .unwrap();
    devices::remove(&rig.authority, &mut tx, &found, rig.by())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        code(rig.ask_all(&b, vec![]).await),
        FailureCode::InstanceRemoved
    );
    assert_eq!(granted(&rig.ask(&c, 4, 8, Some(4)).await), Some(8));
    let Ok(Answer::TrustPool(pool)) = rig.post(&c, RequestBody::TrustPool(TrustRequest {})).await
    else {
        panic!("no trust pool");
    };
    assert_eq!(pool.roots, [rig.authority.pki.root().clone()]);
    let (_, crl) = x509_parser::parse_x509_crl(&pool.crls[0].0).unwrap();
    assert_eq!(crl.iter_revoked_certificates().count(), 2);
}

//= L11
#[tokio::test]
async fn a_renewal_gives_another_certificate_and_voids_the_one_before_once_it_is_stored() {
    let mut rig = Rig::new().await;
    let mut node = rig.node(1).await;
    rig.pass_days(180);
    let old = node.serial.clone();
    rig.renew(&mut node).await.unwrap();
    let new = std::mem::replace(&mut node.serial, old.clone());
    assert_ne!(new, old);
    assert!(rig.ask_all(&node, vec![]).await.is_ok(), "both are good");
    node.serial = new;
    rig.acknowledge(&node).await.unwrap();
    node.serial = old;
    assert_eq!(
        code(rig.ask_all(&node, vec![]).await),
        FailureCode::CertificateInvalid
    );
}

#[tokio::test]
async fn nobody_takes_the_place_of_a_device_of_another_smart_account_by_its_name() {
    let mut rig = Rig::new().await;
    let node = rig.node(1).await;
    let (here, ours) = (rig.place, node.key.public_key_raw().to_vec());
    let secret = rig.authority.new_setup_secret().await.unwrap();
    let setup = json!({
        "secret": secret.reveal(), "domain": "other.org", "name": "Other",
        "user": "eve", "password": "analytical engine",
    });
    let setup = serde_json::from_value(setup).unwrap();
    let other = accounts::set_up(&rig.authority, setup, rig.now).await;
    rig.place.account = other.unwrap().id;
    let mut tx = rig.authority.store.read().await.unwrap();
    let found = accounts::find_virtual(&mut tx, rig.place.account, accounts::DEFAULT).await;
    drop(tx);
    rig.place.va = found.unwrap().id;
    let token = rig.token(json!({ "usesMax": 2 })).await.token.unwrap();
    let mut same_name = Node::new(1);
    assert_ne!(same_name.key.public_key_raw(), ours);
    assert_eq!(same_name.sudi, node.sudi);
    rig.try_register(&mut same_name, &token, true)
        .await
        .unwrap();
    rig.acknowledge(&same_name).await.unwrap();
    assert!(rig.ask_all(&same_name, vec![]).await.is_ok());
    assert!(rig.ask_all(&node, vec![]).await.is_ok(), "it goes on");
    // The device itself may go there; it has proved to be itself by its key.
    let mut moved = node;
    let (old, certificate) = (moved.instance.clone(), moved.certificate.clone());
    rig.try_register(&mut moved, &token, true).await.unwrap();
    rig.acknowledge(&moved).await.unwrap();
    assert_ne!((moved.instance, moved.certificate), (old, certificate));
    let left = "SELECT count(*) FROM instances WHERE state = 'registered'";
    assert_eq!(
        rig.number(left).await,
        1,
        "one device of that name is there"
    );
    assert_ne!(here.account, rig.place.account);
}

#[tokio::test]
async fn a_node_that_never_says_that_it_has_its_certificate_gets_no_end_of_them() {
    let mut rig = Rig::new().await;
    let mut node = rig.node(1).await;
    let old = node.serial.clone();
    for _ in 0..9 {
        rig.pass(1_000);
        rig.renew(&mut node).await.unwrap();
        node.serial = old.clone();
    }
    let kept = rig.number("SELECT count(*) FROM certificates").await;
    assert_eq!(kept, 5, "that which it uses, and the newest ones");
    assert!(rig.ask_all(&node, vec![]).await.is_ok());
    rig.renew(&mut node).await.unwrap();
    assert!(rig.acknowledge(&node).await.is_ok(), "the newest is good");
}

#[tokio::test]
async fn an_authority_restored_from_an_older_copy_takes_its_nodes_in_again() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let token = rig.token(json!({})).await.token.unwrap();
    // The copy: the store as it was before the node came.
    let copy = tempfile::tempdir().unwrap();
    copy_store(rig.dir.path(), copy.path()).await;
    let mut node = Node::new(1);
    rig.register(&mut node, &token).await;
    node.report(5);
    rig.ask_all(&node, vec![demand(PGW, 2, 2, None)])
        .await
        .unwrap();
    let pki = copy.path().join("pki");
    std::fs::create_dir(&pki).unwrap();
    for file in std::fs::read_dir(rig.dir.path().join("pki")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), pki.join(file.file_name())).unwrap();
    }
    let (authority, secret) = open(copy.path(), None, START).await;
    assert!(secret.is_none());
    let restored = Rig {
        authority,
        dir: copy,
        ..rig
    };
    assert_eq!(
        code(restored.ask_all(&node, vec![]).await),
        FailureCode::InstanceUnknown
    );
    restored.renew(&mut node).await.unwrap();
    restored.acknowledge(&node).await.unwrap();
    node.report(7);
    let answer = restored
        .ask_all(&node, vec![demand(PGW, 2, 2, Some(2))])
        .await
        .unwrap();
    assert_eq!(answer.receipt.taken, [1, 2]);
    assert_eq!(
        answer.verdicts[0].granted.unwrap().licenses,
        LicenseCount(2)
    );
    assert_eq!(
        restored
            .number("SELECT CAST(sum(license_ms) AS BIGINT) FROM usage_sums")
            .await,
        12
    );
}

#[tokio::test]
async fn licenses_and_instances_move_between_virtual_accounts() {
    let rig = Rig::new().await;
    rig.own(json!({})).await;
    let node = rig.node(1).await;
    rig.ask(&node, 4, 4, None).await;
    let mut tx = rig.authority.store.write().await.unwrap();
    let new = serde_json::from_value(json!({ "name": "West" })).unwrap();
    let west = accounts::add_virtual(&mut tx, rig.place.account, new, rig.by());
    let west = west.await.unwrap().id;
    tx.commit().await.unwrap();
    let items = |quantity: u32| {
        let item =
            json!({ "license": "PGW", "quantity": quantity, "targetVirtualAccount": "West" });
        [(serde_json::from_value(item).unwrap(), west)]
    };
    let mut tx = rig.authority.store.write().await.unwrap();
    let many = items(11);
    let too_many = licenses::transfer(&rig.authority, &mut tx, rig.place, &many, rig.by()).await;
    let why = too_many.unwrap_err().to_string();
    assert_eq!(
        why,
        "there are 10 licenses of PGW to move, not 11; nothing was moved"
    );
    drop(tx);
    let mut tx = rig.authority.store.write().await.unwrap();
    let items = items(7);
    licenses::transfer(&rig.authority, &mut tx, rig.place, &items, rig.by())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let lacking = ("INSUFFICIENT_LICENSES".to_owned(), Some(1));
    let out = ("LICENSES_STILL_OUT".to_owned(), Some(1));
    assert_eq!(rig.alerts().await, [lacking, out]);
    let said = rig.ask(&node, 4, 4, Some(4)).await;
    assert_eq!(
        (said.verdict, granted(&said)),
        (Verdict::OutOfCompliance, Some(3))
    );

    let mut tx = rig.authority.store.write().await.unwrap();
    let piid = node.instance.as_ref().unwrap().as_str();
    let found = devices::find(&mut tx, rig.place.account, piid)
        .await
        .unwrap();
    let target = (west, "West".to_owned());
    devices::transfer(&rig.authority, &mut tx, &found, &target, rig.by())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rig.alerts().await, []);
    let said = rig.ask(&node, 4, 7, Some(3)).await;
    assert_eq!(
        (said.verdict, granted(&said)),
        (Verdict::Authorized, Some(7))
    );
    let sums = "SELECT in_use FROM pools WHERE va = 1";
    assert_eq!(rig.number(sums).await, 0);
}

#[tokio::test]
async fn an_instance_that_is_not_heard_of_is_shown_and_keeps_what_it_holds() {
    let mut rig = Rig::new().await;
    rig.own(json!({})).await;
    let (a, b) = (rig.node(1).await, rig.node(2).await);
    rig.ask(&a, 6, 6, None).await;
    rig.pass_days(32);
    assert_eq!(granted(&rig.ask(&b, 1, 10, None).await), Some(4));
    rig.authority.sweep(rig.now).await.unwrap();
    assert_eq!(rig.alerts().await, [("INSTANCE_SILENT".to_owned(), None)]);
    assert_eq!(granted(&rig.ask(&b, 1, 10, Some(4)).await), Some(4));
    rig.ask(&a, 6, 6, Some(6)).await;
    assert_eq!(rig.alerts().await, []);
}

#[tokio::test]
async fn in_a_lab_certificates_terms_and_tokens_age_together() {
    let mut rig = Rig::with(Some(86_400)).await;
    let ends = crate::admin::text_of(START.0 + 100 * DAY_MS);
    rig.own(json!({ "licenseType": "TERM", "endDate": ends }))
        .await;
    let node = rig.node(1).await;
    let token = rig
        .token(json!({ "expiresAfterDays": 30 }))
        .await
        .token
        .unwrap();
    assert_eq!(
        rig.ask(&node, 1, 1, None).await.verdict,
        Verdict::Authorized
    );
    rig.pass(100_000);
    assert_eq!(rig.now.date.0 - START.0, 100 * DAY_MS);
    assert_eq!(
        rig.ask(&node, 1, 1, None).await.verdict,
        Verdict::OutOfCompliance
    );
    let answer = rig.try_register(&mut Node::new(2), &token, false).await;
    assert_eq!(code(answer), FailureCode::TokenExpired);
    rig.pass(266_000);
    assert_eq!(
        code(rig.ask_all(&node, vec![]).await),
        FailureCode::CertificateInvalid
    );
    // It goes on where it was when it starts again, at another speed.
    let Rig {
        authority,
        dir,
        now,
        ..
    } = rig;
    authority.close().await;
    let (again, _) = open(dir.path(), Some(1), Wall(now.wall.0 + 1_000)).await;
    let date = again.at(Wall(now.wall.0 + 2_000)).date;
    assert_eq!(date.0, now.date.0 + DAY_MS + 1_000);
}

//= L10
#[tokio::test]
async fn an_authority_that_can_not_write_says_so_and_orders_nothing() {
    let rig = Rig::new().await;
    let node = rig.node(1).await;
    rig.authority.close().await;
    assert_eq!(
        code(rig.ask_all(&node, vec![]).await),
        FailureCode::TryAgain
    );
}

#[tokio::test]
async fn until_it_is_set_up_each_start_shows_another_secret() {
    let dir = tempfile::tempdir().unwrap();
    let (first, secret) = open(dir.path(), None, START).await;
    first.close().await;
    let (second, again) = open(dir.path(), None, START).await;
    assert!(secret.is_some() && again.is_some() && secret != again);
    let setup = json!({
        "secret": secret, "domain": "example.org", "name": "Example",
        "user": "ada", "password": "analytical engine",
    });
    let old = serde_json::from_value(setup.clone()).unwrap();
    let now = second.at(START);
    assert!(accounts::set_up(&second, old, now).await.is_err());
    let mut new = setup;
    new["secret"] = json!(again);
    let new = serde_json::from_value(new).unwrap();
    assert!(accounts::set_up(&second, new, now).await.is_ok());
    second.close().await;
    assert_eq!(open(dir.path(), None, START).await.1, None);
}

#[tokio::test]
async fn what_is_of_long_ago_is_let_go() {
    let mut rig = Rig::new().await;
    rig.own(json!({})).await;
    let node = rig.node(1).await;
    rig.ask(&node, 11, 11, None).await;
    rig.ask(&node, 1, 1, None).await;
    let events = "SELECT count(*) FROM events";
    let nonces = "SELECT count(*) FROM nonces";
    rig.authority.sweep(rig.now).await.unwrap();
    let before = [rig.number(events).await, rig.number(nonces).await];
    assert_eq!(
        before,
        [4, 3],
        "entered, registered, raised, cleared; and messages"
    );
    rig.pass_days(401);
    rig.authority.sweep(rig.now).await.unwrap();
    // What is new is that the instance has fallen silent.
    let after = [rig.number(events).await, rig.number(nonces).await];
    assert_eq!(after, [1, 0]);
    assert_eq!(rig.number("SELECT count(*) FROM alerts").await, 1);
    assert_eq!(rig.number("SELECT count(*) FROM audit").await, 0);
}

//= L9
#[tokio::test]
async fn licenses_moved_away_are_shown_as_out_until_their_instances_have_asked() {
    let rig = Rig::new().await;
    let id = rig.own(json!({})).await;
    let node = rig.node(1).await;
    rig.ask(&node, 2, 8, None).await;
    assert_eq!(rig.alerts().await, []);
    let mut tx = rig.authority.store.write().await.unwrap();
    let edit = serde_json::from_value(json!({ "quantity": 5 })).unwrap();
    let authority = &rig.authority;
    licenses::edit(authority, &mut tx, rig.place, id, Some(edit), rig.by())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let out = ("LICENSES_STILL_OUT".to_owned(), Some(3));
    assert_eq!(rig.alerts().await, std::slice::from_ref(&out));
    let said = rig.ask(&node, 2, 8, Some(8)).await;
    assert_eq!(granted(&said), Some(5), "growth stops");
    assert_eq!(
        rig.alerts().await,
        [out],
        "until it says that it holds less"
    );
    rig.ask(&node, 2, 8, Some(5)).await;
    assert_eq!(rig.alerts().await, []);
}

//= L11
#[tokio::test]
async fn certificates_of_the_authority_are_made_anew_by_the_sweep_or_people_are_told() {
    let mut rig = Rig::new().await;
    let node = rig.node(1).await;
    rig.deregister(&node).await.unwrap();
    let key = rig.dir.path().join("pki/root.key");
    let away = rig.dir.path().join("root.key");
    std::fs::rename(&key, &away).unwrap();
    rig.pass_days(14 * 365);
    let old = rig.authority.pki.chain();
    rig.authority.sweep(rig.now).await.unwrap();
    rig.authority.sweep(rig.now).await.unwrap();
    let told = ("CERTIFICATES_NOT_RENEWED".to_owned(), None);
    assert_eq!(rig.alerts().await, [told]);
    assert_eq!(rig.authority.pki.chain(), old);
    std::fs::rename(&away, &key).unwrap();
    rig.authority.sweep(rig.now).await.unwrap();
    assert_eq!(rig.alerts().await, []);
    assert_ne!(rig.authority.pki.chain()[..2], old[..2]);
    rig.node(2).await;
    rig.pass_days(4 * 365);
    rig.authority.sweep(rig.now).await.unwrap();
    let kinds: Vec<_> = rig
        .alerts()
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, ["INSTANCE_SILENT", "ROOT_CERTIFICATE_ENDS"]);
}
