//! Messages of Smart Agents: who sent one, whether it is of now, and what it is answered.
//!
//! A message is answered in one transaction, committed before the answer is written. A refusal commits nothing. Whatever
//! the size of a pool, a message touches only rows that are found by their key.

mod entitlement;
mod orders;
mod registration;
#[cfg(test)]
mod tests;

use api::smart::{
    Answer, Envelope, FailureCode, Header, LabClock, Octets, Reply, ReplyBody, ReplyEnvelope,
    ReplyHeader, Request, RequestBody, SKEW_MAX_S, SignedOrders, TrustAnswer, Version, WireError,
};
use ring::signature::{ED25519, UnparsedPublicKey};
use thiserror::Error;

use crate::authority::Authority;
use crate::instances::{self, Instance, State};
use crate::journal::{self, AlertKind};
use crate::moment::Moment;
use crate::pki::PkiError;
use crate::store::{self, StoreError, Tx};

pub(crate) use self::orders::{CATALOG, read_kind};

/// Seconds after which a node may ask again when the authority could not answer.
const TRY_AGAIN_S: u32 = 30;

/// Why octets have no signed answer.
#[derive(Debug, Error)]
pub enum SmartError {
    /// They are no message, or its signature is not good: there is no telling whom to answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The answer can't be signed.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// Why a request is not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It may not be.
    Code(FailureCode, String),
    /// It can't be now.
    Store(StoreError),
    Pki(PkiError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Zero) {
            return Self::Code(FailureCode::Malformed, error.to_string());
        }
        Self::Store(error)
    }
}

impl From<PkiError> for Refusal {
    fn from(error: PkiError) -> Self {
        Self::Pki(error)
    }
}

pub(crate) fn refused<T>(code: FailureCode, why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Code(code, why.into()))
}

/// What a message is answered.
struct Judged {
    answer: Answer,
    /// The text of the orders that go with it.
    orders: Option<String>,
}

/// Who sent a message, proved by its signature.
struct Sender<'a> {
    header: &'a Header,
    /// The raw Ed25519 key that the message was signed with.
    key: &'a [u8],
}

impl Authority {
    /// Answers a message; `peer` is the raw public key of the certificate that the connection was made with.
    ///
    /// Errors: there is no signed answer to it.
    pub async fn answer(
        &self,
        octets: &[u8],
        peer: Option<&[u8]>,
        now: Moment,
    ) -> Result<Vec<u8>, SmartError> {
        let envelope = Envelope::read(octets)?;
        let key = &envelope.credential.public_key.0;
        let request = envelope.open(|text, signature| {
            let key = UnparsedPublicKey::new(&ED25519, key);
            key.verify(text, &signature.value.0).is_ok()
        })?;
        let sender = Sender {
            header: &request.header,
            key,
        };
        let (body, orders) = match self.judge(&request, &sender, peer, now).await {
            Ok(judged) => (ReplyBody::Ok(judged.answer), judged.orders),
            Err(refusal) => (failed(refusal, &request), None),
        };
        Ok(self.seal(&request, body, orders, now)?)
    }

    fn seal(
        &self,
        request: &Request,
        body: ReplyBody,
        orders: Option<String>,
        now: Moment,
    ) -> Result<Vec<u8>, PkiError> {
        let header = &request.header;
        let header = ReplyHeader {
            version: Version,
            timestamp: now.wall,
            calendar: now.date,
            nonce: header.nonce,
            request_type: request.body.kind(),
            product_instance_identifier: header.product_instance_identifier.clone(),
            lab: self.speedup.map(|speedup| LabClock { speedup }),
        };
        let mut signed = Ok(());
        let mut sign = |text: &[u8]| {
            self.pki.sign(text).unwrap_or_else(|error| {
                signed = Err(error);
                Vec::new()
            })
        };
        let orders = orders.map(|text| SignedOrders::of_text(text, self.pki.chain(), &mut sign));
        let reply = Reply {
            header,
            body,
            orders,
        };
        let envelope = ReplyEnvelope::seal(&reply, self.pki.chain(), sign);
        signed.map(|()| envelope.octets())
    }

    async fn judge(
        &self,
        request: &Request,
        sender: &Sender<'_>,
        peer: Option<&[u8]>,
        now: Moment,
    ) -> Result<Judged, Refusal> {
        check_time(sender.header, now)?;
        check_peer(&request.body, sender.key, peer)?;
        if let RequestBody::TrustPool(_) = request.body {
            let answer = Answer::TrustPool(self.trust_pool(now).await?);
            return Ok(Judged {
                answer,
                orders: None,
            });
        }
        let mut tx = self.store.write().await?;
        let mut due = None;
        let answer = match &request.body {
            RequestBody::Registration(asked) => {
                registration::register(self, &mut tx, sender, asked, now).await?
            }
            RequestBody::Renew(asked) => {
                registration::renew(self, &mut tx, sender, asked, now).await?
            }
            RequestBody::Entitlement(asked) => {
                let instance = self.known(&mut tx, sender, now).await?;
                due = orders::due(self, &mut tx, &instance, sender.header, now).await?;
                entitlement::authorize(self, &mut tx, &instance, sender, asked, now).await?
            }
            RequestBody::Acknowledgement(asked) => {
                let instance = self.known(&mut tx, sender, now).await?;
                due = orders::due(self, &mut tx, &instance, sender.header, now).await?;
                registration::acknowledge(&mut tx, &instance, asked).await?
            }
            RequestBody::Deregistration(asked) => {
                entitlement::deregister(self, &mut tx, sender, asked, now).await?
            }
            RequestBody::TrustPool(_) => Answer::Acknowledgement {},
        };
        tx.commit().await?;
        Ok(Judged {
            answer,
            orders: due,
        })
    }

    /// The living instance that sent a message, which was not seen before; it has been heard of now.
    async fn known(
        &self,
        tx: &mut Tx,
        sender: &Sender<'_>,
        now: Moment,
    ) -> Result<Instance, Refusal> {
        let instance = self.identified(tx, sender, now).await?;
        match instance.state {
            State::Pending => instances::confirm(tx, &instance, &self.tags, now).await?,
            State::Registered => {}
            State::Deregistered | State::Removed => {
                let why = "the product instance was removed from its account";
                return refused(FailureCode::InstanceRemoved, why);
            }
        }
        check_certificate(tx, &instance, sender.header, now).await?;
        heard(tx, &instance, sender.header, now).await?;
        Ok(instance)
    }

    /// The instance that sent a message, living or not.
    async fn identified(
        &self,
        tx: &mut Tx,
        sender: &Sender<'_>,
        now: Moment,
    ) -> Result<Instance, Refusal> {
        let Some(id) = &sender.header.product_instance_identifier else {
            let why = "the message names no product instance";
            return refused(FailureCode::InstanceUnknown, why);
        };
        let Some(instance) = instances::by_piid(tx, id.as_str()).await? else {
            let why = "this authority holds no such product instance";
            return refused(FailureCode::InstanceUnknown, why);
        };
        if instance.key != sender.key {
            let why = "the message is signed with another key than the product instance's";
            return refused(FailureCode::SignatureInvalid, why);
        }
        remember(tx, instance.id, sender.header, now).await?;
        Ok(instance)
    }

    async fn trust_pool(&self, now: Moment) -> Result<TrustAnswer, Refusal> {
        let crl = self.crl(now).await?;
        let fits = crl.len() <= api::smart::CRL_BYTES_MAX;
        if !fits {
            tracing::warn!(
                bytes = crl.len(),
                "the revocation list is too long for the trust pools of nodes"
            );
        }
        Ok(TrustAnswer {
            roots: vec![self.pki.root().clone()],
            crls: fits.then(|| Octets(crl.to_vec())).into_iter().collect(),
        })
    }
}

fn failed(refusal: Refusal, request: &Request) -> ReplyBody {
    let (code, message, retry_after_s) = match refusal {
        Refusal::Code(code, message) => (code, message, None),
        Refusal::Store(error) => {
            tracing::error!(%error, kind = %request.body.kind(), "a message was not answered");
            let message = "the authority can't write its books now".to_owned();
            (FailureCode::TryAgain, message, Some(TRY_AGAIN_S))
        }
        Refusal::Pki(error) => {
            tracing::error!(%error, kind = %request.body.kind(), "a message was not answered");
            let message = "the authority can't make a certificate now".to_owned();
            (FailureCode::TryAgain, message, Some(TRY_AGAIN_S))
        }
    };
    ReplyBody::Failed {
        code,
        message,
        retry_after_s,
    }
}

fn check_time(header: &Header, now: Moment) -> Result<(), Refusal> {
    let apart_s = header.timestamp.0.abs_diff(now.wall.0) / 1_000;
    if header.timestamp.0.abs_diff(now.wall.0) > SKEW_MAX_S * 1_000 {
        let why = format!("the clocks of node and authority are {apart_s} s apart");
        return refused(FailureCode::ClockSkew, why);
    }
    Ok(())
}

/// The key that the message was signed with is that of the connection, but for a node that has no certificate yet.
fn check_peer(body: &RequestBody, key: &[u8], peer: Option<&[u8]>) -> Result<(), Refusal> {
    let Some(peer) = peer else {
        return match body {
            RequestBody::Registration(_) | RequestBody::TrustPool(_) => Ok(()),
            RequestBody::Renew(_)
            | RequestBody::Entitlement(_)
            | RequestBody::Acknowledgement(_)
            | RequestBody::Deregistration(_) => {
                let why = "the connection was made without the identity certificate";
                refused(FailureCode::CertificateInvalid, why)
            }
        };
    };
    if peer != key {
        let why = "the message is signed with another key than the connection was made with";
        return refused(FailureCode::SignatureInvalid, why);
    }
    Ok(())
}

/// A nonce counts once as long as its timestamp would be taken.
async fn remember(tx: &mut Tx, instance: i64, header: &Header, now: Moment) -> Result<(), Refusal> {
    let skew_ms = i64::try_from(SKEW_MAX_S * 1_000).unwrap_or(i64::MAX);
    let expires = header.timestamp.0.max(now.wall.0).saturating_add(skew_ms);
    let new = store::query(
        "INSERT INTO nonces (instance, nonce, expires) VALUES ($1, $2, $3)
         ON CONFLICT (instance, nonce) DO NOTHING",
    )
    .bind(instance)
    .bind(String::from(header.nonce))
    .bind(expires)
    .execute(tx)
    .await?;
    if new == 0 {
        let why = "a message with this nonce was taken already";
        return refused(FailureCode::Replayed, why);
    }
    Ok(())
}

/// The certificate that the message names is one of the instance's, and good.
async fn check_certificate(
    tx: &mut Tx,
    instance: &Instance,
    header: &Header,
    now: Moment,
) -> Result<(), Refusal> {
    let serial = header.id_cert_serial_number.as_ref();
    let row: Option<(i64, Option<i64>)> = store::query_as(
        "SELECT ends, revoked FROM certificates WHERE serial = $1 AND instance = $2",
    )
    .bind(serial.map_or("", |serial| serial.as_str()))
    .bind(instance.id)
    .fetch_optional(tx)
    .await?;
    match row {
        None => refused(
            FailureCode::CertificateInvalid,
            "the identity certificate is not one that the product instance has",
        ),
        Some((_, Some(_))) => refused(
            FailureCode::CertificateRevoked,
            "the identity certificate was revoked",
        ),
        Some((ends, None)) if ends < now.date.0 => refused(
            FailureCode::CertificateInvalid,
            "the identity certificate has expired",
        ),
        Some((_, None)) => Ok(()),
    }
}

/// The instance was heard of.
async fn heard(
    tx: &mut Tx,
    instance: &Instance,
    header: &Header,
    now: Moment,
) -> Result<(), StoreError> {
    let last_sent = header.timestamp.0.max(instance.last_sent);
    store::query(
        "UPDATE instances SET last_contact = $1, last_sent = $2, silent = 0 WHERE id = $3",
    )
    .bind(now.date.0)
    .bind(last_sent)
    .bind(instance.id)
    .execute(tx)
    .await?;
    if instance.silent {
        let kind = AlertKind::InstanceSilent;
        journal::clear(tx, instance.place, kind, &instance.piid, now).await?;
    }
    Ok(())
}
