//! Answers that are not what they should be.

use anyhow::{Context, Result, ensure};
use api::LicenseCommand;
use api::smart::{ReplyEnvelope, RequestType};
use parking_lot::Mutex;
use std::sync::Arc;
use tests::courier::{Answering, Passage};
use tests::gateway::Gateway;
use tests::office::Office;

use crate::stage::{
    PLENTY, Stage, Watch, answered, asking, ceiling, deregister, grow, held, instance, passed,
    settled, status,
};

/// Renews the authorization while one answer meets this: what the agent says of it before it asks again. What it holds and
/// is stays as it was.
fn meets(
    stage: &Stage,
    gateway: &Gateway,
    fate: impl FnOnce(&Passage) -> Result<Answering> + Send + 'static,
) -> Result<String> {
    let (id, before) = (instance(gateway)?, ceiling(gateway)?);
    let stands = || -> Result<()> {
        assert_eq!(instance(gateway)?, id);
        assert!(ceiling(gateway)? >= before, "{before:?}");
        Ok(())
    };
    let (again, hold) = held(passed);
    stage.courier.next(RequestType::Entitlement, fate);
    stage.courier.next(RequestType::Entitlement, hold);
    let asked = asking(gateway.node()?, LicenseCommand::RenewAuth);
    again.came()?;
    let failure = status(gateway)?.authorization.failure;
    stands()?;
    again.release();
    // A cause that is final is told at once, any other only if it lasts; the agent asks again in any case.
    let _told = answered(asked);
    settled(gateway)?;
    stands()?;
    failure.context("the answer was taken for a good one")
}

/// Keeps the answer to the next message, and passes it on.
fn kept(stage: &Stage, gateway: &Gateway) -> Result<Vec<u8>> {
    let answer = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&answer);
    stage
        .courier
        .next(RequestType::Entitlement, move |passage| {
            let answer = passage.deliver()?;
            keep.lock().clone_from(&answer);
            Ok(Answering::Whole(answer))
        });
    gateway
        .node()?
        .control()
        .license(LicenseCommand::RenewAuth)?;
    settled(gateway)?;
    Ok(std::mem::take(&mut *answer.lock()))
}

/// An answer that says what lowers a ceiling, and so many licenses fewer than it did, signed as it was.
fn forged(octets: &[u8]) -> Result<Vec<u8>> {
    let mut envelope = ReplyEnvelope::read(octets)?;
    let said = &envelope.response;
    let forged = said.replace("\"AUTHORIZED\"", "\"OUT_OF_COMPLIANCE\"");
    ensure!(forged != *said, "it says that use is covered: {said}");
    envelope.response = forged;
    Ok(envelope.octets())
}

//= L10
#[test]
fn an_answer_that_is_not_the_authoritys_word_to_this_message_lowers_nothing() -> Result<()> {
    let stage = Stage::open(PLENTY)?;
    let (other_dir, more) = (tempfile::tempdir()?, "report_usage_s = 1");
    let other = Office::open(other_dir.path(), Some(1))?;
    let mut gateway = stage.registered(more, 2)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    // One license is granted in it; later there are more.
    let old = kept(&stage, &gateway)?;
    let neighbour = stage.registered(more, 1)?;
    let neighbours = kept(&stage, &neighbour)?;
    grow(&mut gateway, 2..25)?;
    settled(&gateway)?;
    let watch = Watch::begin(&gateway)?;

    let half = meets(&stage, &gateway, |passage| {
        passage.deliver().map(Answering::Half)
    })?;
    assert_eq!(
        half,
        "the license authority's answer was cut off: the connection broke off"
    );
    let short = meets(&stage, &gateway, |passage| {
        let mut answer = passage.deliver()?;
        answer.truncate(answer.len() / 2);
        Ok(Answering::Whole(answer))
    })?;
    let form =
        "the license authority's answer is not good: the message is not of the form of one: ";
    assert!(short.starts_with(form), "{short}");
    let signature = meets(&stage, &gateway, |passage| {
        Ok(Answering::Whole(forged(&passage.deliver()?)?))
    })?;
    assert_eq!(
        signature,
        "the license authority's answer is not good: the signature is not good"
    );
    let (address, root) = (other.address(), other.root().to_vec());
    let wrong = meets(&stage, &gateway, move |passage| {
        let answer = passage.deliver_elsewhere(address, &root)?;
        Ok(Answering::Whole(answer))
    })?;
    let fingerprint = other.fingerprint()?;
    assert_eq!(
        wrong,
        format!(
            "the license authority's certificate is not signed by a root of the trust pool; the SHA-256 fingerprint of its own root is {fingerprint}"
        )
    );
    let misdirected = "the license authority's answer is for another request or another node";
    for answer in [old, neighbours] {
        let said = meets(&stage, &gateway, |_| Ok(Answering::Whole(answer)))?;
        assert_eq!(said, misdirected);
    }
    watch.end()?;
    deregister(&gateway)?;
    stage.conserved(&id)
}

/// The second copy is not looked at.
#[test]
fn an_answer_that_comes_twice_is_one() -> Result<()> {
    let stage = Stage::open(5)?;
    let mut gateway = stage.registered("report_usage_s = 1", 5)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    for _ in 0..3 {
        stage.courier.next(RequestType::Entitlement, |passage| {
            passage.deliver().map(Answering::Twice)
        });
    }
    gateway
        .node()?
        .control()
        .license(LicenseCommand::RenewAuth)?;
    grow(&mut gateway, 5..25)?;
    settled(&gateway)?;
    let shown = status(&gateway)?;
    let failed = shown.call_home.iter().map(|row| row.failed).sum::<u64>();
    assert_eq!((failed, shown.stale_answers), (0, 0));
    watch.end()?;
    deregister(&gateway)?;
    stage.conserved(&id)
}

/// A connection to an authority that the node does not trust gets no message.
//= L10
//= TS 33.117 4.2.3.4.4.1
#[test]
fn an_authority_below_another_root_is_told_nothing() -> Result<()> {
    let stage = Stage::open(5)?;
    let mut gateway = stage.registered("report_usage_s = 1", 5)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    let fingerprint = stage.courier.be_another()?;
    let seen = stage.courier.seen().kinds.len();
    let said = gateway
        .node()?
        .control()
        .unlicensed(LicenseCommand::RenewAuth)?;
    assert_eq!(
        said,
        format!(
            "the license authority's certificate is not signed by a root of the trust pool; the SHA-256 fingerprint of its own root is {fingerprint}; nothing has changed (license smart renew auth): compare the fingerprint with the one that the license authority shows; if they are the same, name its root certificate in agent.trust_pool, and restart the node"
        )
    );
    assert_eq!(stage.courier.seen().kinds.len(), seen);
    gateway.crash_and_restart()?;
    assert_eq!(instance(&gateway)?, id);
    stage.courier.be_itself();
    gateway
        .node()?
        .control()
        .license(LicenseCommand::RenewAuth)?;
    watch.end()?;
    deregister(&gateway)?;
    stage.conserved(&id)
}
