//! Messages that do not arrive, arrive late or twice, and answers that do not.

use anyhow::{Context, Result};
use api::LicenseCommand;
use api::smart::RequestType;
use tests::courier::{Answering, lost, unanswered};
use tests::sgsn::Call;
use tests::wait::until;

use crate::stage::{
    LIMIT, PER_LICENSE, Stage, Watch, answered, asking, ceiling, deregister, grow, held, instance,
    pool, register, settled, status,
};

/// Each kind of message meets an authority that is away, and then one whose answer does not come back.
//= L10
#[test]
fn whichever_message_meets_no_authority_is_made_up_for() -> Result<()> {
    let stage = Stage::open(5)?;
    let away = |kind| {
        stage.courier.next(kind, lost);
        stage.courier.next(kind, unanswered);
    };
    let mut gateway = stage.gateway("report_usage_s = 1")?;
    let first = [
        RequestType::Registration,
        RequestType::Acknowledgement,
        RequestType::Entitlement,
        RequestType::TrustPool,
    ];
    first.into_iter().for_each(away);
    let (_, token) = stage.office.token(1)?;
    register(gateway.node()?, &token)?;
    grow(&mut gateway, 0..15)?;
    until("every message was made up for", LIMIT, || {
        Ok(stage.courier.is_idle())
    })?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    for (kind, command) in [
        (RequestType::Renew, LicenseCommand::RenewId),
        (RequestType::Entitlement, LicenseCommand::RenewAuth),
    ] {
        away(kind);
        gateway.node()?.control().license(command)?;
        settled(&gateway)?;
        assert_eq!(instance(&gateway)?, id);
    }
    grow(&mut gateway, 15..25)?;
    watch.end()?;
    let rows = status(&gateway)?.call_home;
    for row in rows
        .iter()
        .filter(|row| row.subtype != RequestType::Deregistration)
    {
        assert!(row.failed >= 2 && row.success >= 1, "{row:?}");
    }
    let devices = stage.office.account("GET", "/devices", None)?;
    assert_eq!(
        devices["devices"].as_array().map(Vec::len),
        Some(1),
        "{devices}"
    );
    away(RequestType::Deregistration);
    deregister(&gateway)?;
    assert!(stage.courier.is_idle());
    assert_eq!(status(&gateway)?.registered, None);
    let devices = stage.office.account("GET", "/devices", None)?;
    assert_eq!(devices["devices"].as_array().map(Vec::len), Some(0));
    stage.conserved(&id)
}

/// A message overtakes one from before, which then says that less is held than is: nothing is free by that, and its answer is
/// nobody's any more.
//= L6
//= L10
#[test]
fn a_message_that_arrives_late_lowers_nothing_and_its_answer_neither() -> Result<()> {
    let stage = Stage::open(4)?;
    let mut gateway = stage.registered("report_usage_s = 1\nanswer_s = 3", 3)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    let (early, fate) = held(|passage| passage.deliver().map(Answering::Whole));
    stage.courier.next(RequestType::Entitlement, fate);
    let asked = asking(gateway.node()?, LicenseCommand::RenewAuth);
    early.came()?;
    // The agent gives up on it and asks again, and for more as calls come.
    answered(asked)?;
    grow(&mut gateway, 3..25)?;
    settled(&gateway)?;
    assert!(ceiling(&gateway)? >= Some(3 * PER_LICENSE));
    let granted = pool(&stage, "granted")?;
    let received = stage.device(&id)?["lastContactDate"].clone();
    early.release();
    until("the message from before has arrived", LIMIT, || {
        Ok(stage.device(&id)?["lastContactDate"] != received)
    })?;
    assert!(
        pool(&stage, "granted")? >= granted,
        "all that is held is out"
    );
    assert_eq!(pool(&stage, "needed")?, 0);
    gateway
        .node()?
        .control()
        .license(LicenseCommand::RenewAuth)?;
    watch.end()?;
    deregister(&gateway)?;
    stage.conserved(&id)
}

/// The authority gets each message twice, and the node hears what the second one was answered: that it was there already.
#[test]
fn a_message_that_arrives_twice_counts_once() -> Result<()> {
    let stage = Stage::open(5)?;
    let mut gateway = stage.registered("report_usage_s = 1", 5)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    for sessions in [5..15, 15..16] {
        let (again, fate) = held(|passage| passage.deliver().map(Answering::Whole));
        stage.courier.next(RequestType::Entitlement, |passage| {
            let first = passage.deliver()?;
            let second = passage.deliver()?;
            anyhow::ensure!(first != second, "the second answer is another one");
            Ok(Answering::Whole(second))
        });
        stage.courier.next(RequestType::Entitlement, fate);
        let asked = asking(gateway.node()?, LicenseCommand::RenewAuth);
        again.came()?;
        assert_eq!(
            status(&gateway)?.authorization.failure.as_deref(),
            Some("the license authority refused: a message with this nonce was taken already")
        );
        again.release();
        answered(asked)?;
        grow(&mut gateway, sessions)?;
        settled(&gateway)?;
    }
    watch.end()?;
    deregister(&gateway)?;
    stage.conserved(&id)
}

/// The authority is down, and nobody listens where it was.
//= L10
#[test]
fn an_authority_that_is_down_is_said_and_nothing_else_changes() -> Result<()> {
    let mut stage = Stage::open(5)?;
    let mut gateway = stage.registered("report_usage_s = 1", 12)?;
    settled(&gateway)?;
    let id = instance(&gateway)?;
    let before = ceiling(&gateway)?;
    let watch = Watch::begin(&gateway)?;
    stage.office.end();
    let asked = gateway
        .node()?
        .control()
        .unlicensed(LicenseCommand::RenewAuth)?;
    assert_eq!(
        asked,
        "the license authority's answer was cut off: the connection broke off; nothing has changed (license smart renew auth): see that show license transport names a license authority, and look at its log"
    );
    for n in 12..before.context("a ceiling")? {
        gateway.accepted(&Call::new(n, "internet"))?;
    }
    assert!(status(&gateway)?.silence.is_some());
    stage.office.begin()?;
    gateway
        .node()?
        .control()
        .license(LicenseCommand::RenewAuth)?;
    settled(&gateway)?;
    watch.end()?;
    deregister(&gateway)?;
    stage.conserved(&id)
}
