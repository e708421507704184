//! Registration: tokens, identity certificates, and how one registration of a device takes the place of another.

use api::smart::{
    Acknowledgement, Answer, FailureCode, Header, InstanceId, Octets, Registration,
    RegistrationAnswer, Renewal, Serial,
};

use super::{Refusal, Sender, check_certificate, heard, refused};
use crate::authority::Authority;
use crate::instances::{self, Instance, NewInstance, State};
use crate::journal::{self, Place};
use crate::moment::Moment;
use crate::pki::{IDENTITY_MS, Identity, Subject, csr_key};
use crate::secret::{digest, uuid};
use crate::store::{self, StoreError, Tx};

/// Seconds after which a registration is to be renewed: 180 days (rule L11).
const RENEW_S: u64 = 180 * 86_400;

/// Most certificates of an instance beside the one that it uses.
const UNCLAIMED_MAX: i64 = 4;

/// A registration token as the store has it.
struct Token {
    id: i64,
    va: i64,
    expires: i64,
    uses_max: i64,
    uses: i64,
    revoked: Option<i64>,
}

/// Registers a device. The same key again, before the node said that it has its certificate, is the same registration.
pub(super) async fn register(
    authority: &Authority,
    tx: &mut Tx,
    sender: &Sender<'_>,
    asked: &Registration,
    now: Moment,
) -> Result<Answer, Refusal> {
    check_lab(authority, asked.lab)?;
    check_csr(&asked.csr, sender.key)?;
    let Some(product) = authority.tags.product(&asked.software_tag_identifier) else {
        let why = "the product tag is not one that is sold here";
        return refused(FailureCode::ProductUnknown, why);
    };
    let token = token(tx, asked.idtoken.reveal()).await?;
    check_token(&token, now)?;
    let same_key = instances::by_key(tx, sender.key).await?;
    let answered = |of: &&Instance| of.state == State::Pending && of.token == Some(token.id);
    if let Some(pending) = same_key.iter().find(answered) {
        return issue(authority, tx, pending, sender, now).await;
    }
    check_uses(&token)?;
    let sudi = &sender.header.sudi;
    let device = (sudi.udi_pid.as_str(), sudi.udi_serial_number.as_str());
    let account: i64 = store::query_scalar("SELECT account FROM virtual_accounts WHERE id = $1")
        .bind(token.va)
        .fetch_one(tx)
        .await?;
    let registered = instances::of_device(tx, account, device, sender.key).await?;
    if !registered.is_empty() && !asked.force {
        let why = "this device is registered already; register it with force to replace that";
        return refused(FailureCode::AlreadyRegistered, why);
    }
    store::query("UPDATE registration_tokens SET uses = uses + 1 WHERE id = $1")
        .bind(token.id)
        .execute(tx)
        .await?;
    let new = NewInstance {
        piid: &uuid(),
        place: Place {
            account,
            va: token.va,
        },
        udi: device,
        hostname: asked.hostname.as_deref().unwrap_or_default(),
        product,
        version: &asked.software_version,
        key: sender.key,
        token: Some(token.id),
    };
    let instance = make(tx, &new, "INSTANCE_REGISTERED", now).await?;
    issue(authority, tx, &instance, sender, now).await
}

async fn make(
    tx: &mut Tx,
    new: &NewInstance<'_>,
    event: &str,
    now: Moment,
) -> Result<Instance, StoreError> {
    instances::insert(tx, new, now).await?;
    let made = instances::by_piid(tx, new.piid).await?;
    let made = made.ok_or_else(|| StoreError::Value("an instance that was just made".into()))?;
    journal::event(tx, new.place, event, new.piid, &made.udi_text(), now).await?;
    Ok(made)
}

fn check_lab(authority: &Authority, lab: bool) -> Result<(), Refusal> {
    match (authority.speedup.is_some(), lab) {
        (true, true) | (false, false) => Ok(()),
        (true, false) => refused(
            FailureCode::LabMismatch,
            "this is a lab authority, and registers lab nodes only",
        ),
        (false, true) => refused(
            FailureCode::LabMismatch,
            "a lab node registers with a lab authority only",
        ),
    }
}

/// The signing request is of the key that the message was signed with; nothing else is taken from it.
fn check_csr(csr: &Octets, key: &[u8]) -> Result<(), Refusal> {
    match csr_key(&csr.0) {
        Some(requested) if requested == key => Ok(()),
        Some(_) => refused(
            FailureCode::SignatureInvalid,
            "the signing request is of another key than the message",
        ),
        None => refused(
            FailureCode::Malformed,
            "the signing request is not a good one of an Ed25519 key",
        ),
    }
}

async fn token(tx: &mut Tx, secret: &str) -> Result<Token, Refusal> {
    let row: Option<(i64, i64, i64, i64, i64, Option<i64>)> = store::query_as(
        "SELECT id, va, expires, uses_max, uses, revoked FROM registration_tokens WHERE digest = $1",
    )
    .bind(digest(secret.as_bytes()).0.to_vec())
    .fetch_optional(tx)
    .await?;
    let Some((id, va, expires, uses_max, uses, revoked)) = row else {
        let why = "this authority did not make the registration token";
        return refused(FailureCode::TokenUnknown, why);
    };
    Ok(Token {
        id,
        va,
        expires,
        uses_max,
        uses,
        revoked,
    })
}

fn check_token(token: &Token, now: Moment) -> Result<(), Refusal> {
    if token.revoked.is_some() {
        let why = "the registration token was revoked";
        return refused(FailureCode::TokenRevoked, why);
    }
    if token.expires <= now.date.0 {
        let why = "the registration token has expired";
        return refused(FailureCode::TokenExpired, why);
    }
    Ok(())
}

/// Its last use may be that of the very registration whose answer was lost.
fn check_uses(token: &Token) -> Result<(), Refusal> {
    if token.uses >= token.uses_max {
        let why = format!(
            "the registration token was used {} times, as often as it may be",
            token.uses
        );
        return refused(FailureCode::TokenUsedUp, why);
    }
    Ok(())
}

/// Makes an identity certificate, and the answer with it.
async fn issue(
    authority: &Authority,
    tx: &mut Tx,
    instance: &Instance,
    sender: &Sender<'_>,
    now: Moment,
) -> Result<Answer, Refusal> {
    let (account, virtual_account): (String, String) = store::query_as(
        "SELECT a.domain, v.name FROM virtual_accounts v JOIN smart_accounts a ON a.id = v.account
         WHERE v.id = $1",
    )
    .bind(instance.place.va)
    .fetch_one(tx)
    .await?;
    let Ok(id) = InstanceId::new(instance.piid.clone()) else {
        return Err(StoreError::Value(instance.piid.clone()).into());
    };
    let subject = Subject {
        instance: &id,
        udi: &instance.udi_text(),
        account: &account,
        virtual_account: &virtual_account,
    };
    let (certificate, serial) = authority.pki.issue(&instance.key, &subject, now)?;
    let ends = now.date.0.saturating_add(IDENTITY_MS);
    drop_unclaimed(tx, instance.id, sender.header).await?;
    keep_certificate(tx, instance.id, &serial, ends).await?;
    Ok(Answer::Registration(RegistrationAnswer {
        product_instance_identifier: id,
        certificates: vec![certificate, authority.pki.issuing()],
        smart_account: account,
        virtual_account,
        renew_s: RENEW_S,
    }))
}

/// Makes room for another certificate of a node that does not say that it has one of those before, which it may still get
/// an answer with. That which it uses stays.
async fn drop_unclaimed(tx: &mut Tx, instance: i64, header: &Header) -> Result<(), StoreError> {
    let used = header.id_cert_serial_number.as_ref();
    store::query(
        "DELETE FROM certificates WHERE instance = $1 AND serial <> $2 AND revoked IS NULL
         AND serial NOT IN (SELECT serial FROM certificates WHERE instance = $1 AND serial <> $2
                            ORDER BY ends DESC LIMIT $3)",
    )
    .bind(instance)
    .bind(used.map_or("", |serial| serial.as_str()))
    .bind(UNCLAIMED_MAX - 1)
    .execute(tx)
    .await?;
    Ok(())
}

async fn keep_certificate(
    tx: &mut Tx,
    instance: i64,
    serial: &Serial,
    ends: i64,
) -> Result<(), StoreError> {
    store::query("INSERT INTO certificates (serial, instance, ends) VALUES ($1, $2, $3)")
        .bind(serial.as_str())
        .bind(instance)
        .bind(ends)
        .execute(tx)
        .await?;
    Ok(())
}

/// Another certificate for an instance; one that these books don't know, because they were restored from an older copy, is
/// taken in again by the certificate that it has.
pub(super) async fn renew(
    authority: &Authority,
    tx: &mut Tx,
    sender: &Sender<'_>,
    asked: &Renewal,
    now: Moment,
) -> Result<Answer, Refusal> {
    check_csr(&asked.csr, sender.key)?;
    let named = sender.header.product_instance_identifier.as_ref();
    let held = match named {
        Some(id) => instances::by_piid(tx, id.as_str()).await?,
        None => None,
    };
    let instance = match held {
        Some(_) => authority.known(tx, sender, now).await?,
        None => take_in(authority, tx, sender, asked, now).await?,
    };
    store::query("UPDATE instances SET renewed = $1 WHERE id = $2")
        .bind(now.date.0)
        .bind(instance.id)
        .execute(tx)
        .await?;
    issue(authority, tx, &instance, sender, now).await
}

async fn take_in(
    authority: &Authority,
    tx: &mut Tx,
    sender: &Sender<'_>,
    asked: &Renewal,
    now: Moment,
) -> Result<Instance, Refusal> {
    let identity = authority.pki.identity(&asked.certificate.0);
    let named = sender.header.product_instance_identifier.as_ref();
    let good = |identity: &Identity| {
        identity.key == sender.key
            && named == Some(&identity.instance)
            && (identity.not_before..=identity.not_after).contains(&now.date)
    };
    let Some(identity) = identity.filter(good) else {
        let why = "the identity certificate is not a valid one that this authority gave this node";
        return refused(FailureCode::CertificateInvalid, why);
    };
    let Some(product) = authority.tags.product(&asked.software_tag_identifier) else {
        let why = "the product tag is not one that is sold here";
        return refused(FailureCode::ProductUnknown, why);
    };
    let Some(place) = place_of(tx, &identity).await? else {
        let why = "the Smart Account of the identity certificate is not held here";
        return refused(FailureCode::InstanceUnknown, why);
    };
    let sudi = &sender.header.sudi;
    let device = (sudi.udi_pid.as_str(), sudi.udi_serial_number.as_str());
    for other in instances::of_device(tx, place.account, device, sender.key).await? {
        if other.registered > identity.not_after.0 - IDENTITY_MS {
            let why = "this device was registered again since";
            return refused(FailureCode::AlreadyRegistered, why);
        }
    }
    let new = NewInstance {
        piid: identity.instance.as_str(),
        place,
        udi: device,
        hostname: "",
        product,
        version: "",
        key: sender.key,
        token: None,
    };
    let instance = make(tx, &new, "INSTANCE_TAKEN_IN", now).await?;
    let serial = &identity.serial;
    keep_certificate(tx, instance.id, serial, identity.not_after.0).await?;
    super::remember(tx, instance.id, sender.header, now).await?;
    instances::confirm(tx, &instance, &authority.tags, now).await?;
    check_certificate(tx, &instance, sender.header, now).await?;
    heard(tx, &instance, sender.header, now).await?;
    Ok(instance)
}

/// The virtual account that an identity certificate names, or the default one of its Smart Account.
async fn place_of(tx: &mut Tx, identity: &Identity) -> Result<Option<Place>, StoreError> {
    let row: Option<(i64, i64)> = store::query_as(
        "SELECT v.account, v.id FROM virtual_accounts v JOIN smart_accounts a ON a.id = v.account
         WHERE a.domain = $1 AND (v.name = $2 OR v.is_default = 1)
         ORDER BY v.name = $2 DESC LIMIT 1",
    )
    .bind(&identity.account)
    .bind(&identity.virtual_account)
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|(account, va)| Place { account, va }))
}

/// The node has stored a certificate: those before it are void. One that was issued since, to a node that asked again before
/// this came, is not.
pub(super) async fn acknowledge(
    tx: &mut Tx,
    instance: &Instance,
    asked: &Acknowledgement,
) -> Result<Answer, Refusal> {
    let serial = asked.id_cert_serial_number.as_str();
    let ends: Option<i64> =
        store::query_scalar("SELECT ends FROM certificates WHERE serial = $1 AND instance = $2")
            .bind(serial)
            .bind(instance.id)
            .fetch_optional(tx)
            .await?;
    let Some(ends) = ends else {
        let why = "the certificate is not one that the product instance was given";
        return refused(FailureCode::CertificateInvalid, why);
    };
    store::query("DELETE FROM certificates WHERE instance = $1 AND serial <> $2 AND ends <= $3")
        .bind(instance.id)
        .bind(serial)
        .bind(ends)
        .execute(tx)
        .await?;
    Ok(Answer::Acknowledgement {})
}
