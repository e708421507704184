use super::authority::{DAY_MS, Keys};
use super::*;
use crate::trust::{Origin, Purpose, TrustError, TrustPool};
use api::smart::{Octets, TrustAnswer};

fn pool(keys: &Keys) -> TrustPool {
    let mut pool = TrustPool::default();
    assert_eq!(pool.add_root(keys.root.der(), Origin::Operator), Ok(true));
    pool
}

fn after(days: i64) -> Wall {
    Wall(START.0 + days * DAY_MS)
}

#[test]
fn a_chain_is_judged_by_roots_dates_and_purpose() {
    let keys = Keys::new(START);
    let other = Keys::new(START);
    let pool = pool(&keys);
    let judged = |chain: &[Octets], at| pool.verify(chain, Purpose::Signer, at).map(drop);
    assert_eq!(judged(&keys.chain(), START), Ok(()));
    assert_eq!(
        judged(&keys.chain(), Wall(START.0 - DAY_MS)),
        Err(TrustError::Empty),
        "the root itself is not valid yet"
    );
    assert_eq!(
        judged(&keys.chain(), after(1_826)),
        Err(TrustError::Expired)
    );
    assert_eq!(judged(&keys.chain(), after(3_651)), Err(TrustError::Empty));
    let last = crate::certificate::digest(other.root.der());
    assert_eq!(
        judged(&other.chain(), START),
        Err(TrustError::UnknownRoot(last))
    );
    let last = crate::certificate::digest(&keys.signer_der.0);
    assert_eq!(
        judged(&keys.chain()[..1], START),
        Err(TrustError::UnknownRoot(last)),
        "the one in between is missing"
    );
    let issuing = [Octets(keys.issuing.der().to_vec())];
    assert!(
        judged(&issuing, START).is_err(),
        "an issuer signs no answers"
    );
    assert!(judged(&[], START).is_err());
    assert!(judged(&[Octets(vec![0x30, 0])], START).is_err());
}

#[test]
fn a_certificate_without_a_purpose_signs_no_answers() {
    let keys = Keys::new(START);
    let chain = [keys.purposeless(START), keys.chain()[1].clone()];
    let judged = pool(&keys).verify(&chain, Purpose::Signer, START);
    assert_eq!(judged.unwrap_err(), TrustError::Purpose);
}

#[test]
fn a_nodes_certificate_signs_no_answers() {
    let mut rig = Rig::registered();
    let (_, chain) = rig.agent.credentials().unwrap();
    let chain = chain.to_vec();
    let pool = rig.agent.trust();
    assert!(pool.verify(&chain, Purpose::Identity, START).is_ok());
    let judged = pool.verify(&chain, Purpose::Signer, START);
    assert_eq!(judged.unwrap_err(), TrustError::Purpose);
    rig.run(SECOND);
}

#[test]
fn a_root_is_self_issued_and_an_authority_and_comes_once() {
    let keys = Keys::new(START);
    let mut pool = pool(&keys);
    assert_eq!(pool.add_root(keys.root.der(), Origin::Authority), Ok(false));
    let issuing = pool.add_root(keys.issuing.der(), Origin::Operator);
    assert_eq!(issuing, Err(TrustError::NotARoot));
    let signer = pool.add_root(&keys.signer_der.0, Origin::Operator);
    assert_eq!(signer, Err(TrustError::NotARoot));
    assert!(pool.add_root(b"no certificate", Origin::Operator).is_err());
    for _ in 1..api::smart::ROOTS_MAX {
        pool.add_root(Keys::new(START).root.der(), Origin::Operator)
            .unwrap();
    }
    let more = pool.add_root(Keys::new(START).root.der(), Origin::Operator);
    assert_eq!(more, Err(TrustError::Full));
}

#[test]
fn a_revoked_signer_is_not_heard_and_an_older_list_does_not_bring_it_back() {
    let keys = Keys::new(START);
    let mut pool = pool(&keys);
    // Serial number 5 is the signer's, 6 nobody's.
    let lists = |serial, at| TrustAnswer {
        roots: Vec::new(),
        crls: vec![Octets(keys.crl(serial, at))],
    };
    assert_eq!(
        pool.refresh(&lists(6, START), &keys.chain(), START),
        Ok(true)
    );
    assert!(pool.verify(&keys.chain(), Purpose::Signer, START).is_ok());
    let refused = pool.refresh(&lists(5, after(1)), &keys.chain(), after(1));
    assert_eq!(refused, Err(TrustError::Revoked), "nobody revokes himself");
    assert!(
        pool.verify(&keys.chain(), Purpose::Signer, after(1))
            .is_ok()
    );

    let mut record = pool.record();
    record.crls = vec![Octets(keys.crl(5, after(2)))];
    let mut pool = TrustPool::restored(&record);
    pool.add_root(keys.root.der(), Origin::Operator).unwrap();
    let judged = pool.verify(&keys.chain(), Purpose::Signer, after(2));
    assert_eq!(judged.unwrap_err(), TrustError::Revoked);
    let older = pool.refresh(&lists(6, after(1)), &keys.chain(), after(2));
    assert_eq!(older, Err(TrustError::Revoked));
}

#[test]
fn the_pool_is_refreshed_from_the_authority_and_kept() {
    let mut rig = Rig::new();
    let next = Keys::new(START);
    rig.authority.more_roots = vec![Octets(next.root.der().to_vec())];
    rig.authority.crl = Some(rig.authority.keys.crl(6, START));
    rig.register().unwrap();
    rig.run(SECOND);
    assert!(rig.notices.contains(&Notice::TrustPoolChanged));
    let status = rig.agent.status(rig.now);
    let by_operator: Vec<_> = status.trust_pool.iter().map(|r| r.by_operator).collect();
    assert_eq!(by_operator, [true, false]);
    assert_eq!(rig.disk.trust.roots.len(), 1, "an operator's come by file");
    assert_eq!(rig.disk.trust.crls.len(), 1);

    // The authority goes over to the other root.
    rig.authority.keys = next;
    rig.kill();
    rig.command(LicenseCommand::RenewAuth).unwrap();
}

#[test]
fn an_authority_that_no_root_vouches_for_is_not_heard() {
    let mut rig = Rig::using(1);
    rig.authority.keys = Keys::new(START);
    let error = rig.command(LicenseCommand::RenewAuth).unwrap_err();
    let root = crate::certificate::digest(rig.authority.keys.root.der());
    assert_eq!(error, OperatorError::Failed(Failure::WrongAuthority(root)));
    assert!(rig.told.iter().all(|told| *told != Told::AuthorityReached));
    assert_eq!(rig.held(service(PGW)), Some(1));
}

#[test]
fn a_root_is_warned_of_sixty_days_before_its_end_once() {
    let mut rig = Rig::using(1);
    rig.way = Way::Closed;
    rig.leap(3_589 * DAY, DAY);
    let warnings = |rig: &Rig| {
        let is = |notice: &&Notice| matches!(notice, Notice::RootExpires { .. });
        rig.notices.iter().filter(is).count()
    };
    assert_eq!(warnings(&rig), 0);
    assert!(!rig.agent.status(rig.now).trust_pool[0].expiring);
    rig.leap(5 * DAY, DAY);
    assert_eq!(warnings(&rig), 1);
    assert!(rig.agent.status(rig.now).trust_pool[0].expiring);
    let told = |rig: &Rig| {
        let told = rig.told.iter().filter_map(|told| match told {
            Told::RootExpiring(expiring) => Some(*expiring),
            Told::Registered
            | Told::RegistrationFailed
            | Told::Deregistered
            | Told::Verdict { .. }
            | Told::Reported { .. }
            | Told::AuthorityUnreachable
            | Told::AuthorityReached
            | Told::StateTampered
            | Told::Order { .. }
            | Told::LabSpeedup { .. } => None,
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(told(&rig), [true]);
    rig.leap(100 * DAY, DAY);
    assert_eq!(warnings(&rig), 1);
    assert_eq!(told(&rig), [true], "once, when it changes");
}

#[test]
fn what_is_no_root_is_said_and_not_taken() {
    let mut rig = Rig::new();
    rig.forget();
    let der = rig.authority.keys.issuing.der().to_vec();
    rig.tell(Input::Root { der });
    let refused = Notice::TrustRefused("it is not a root certificate".into());
    assert_eq!(rig.notices, [refused]);
    assert_eq!(rig.agent.status(rig.now).trust_pool.len(), 1);
}
