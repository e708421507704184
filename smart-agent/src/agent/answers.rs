//! Answers: whether they are the authority's, and what they say.

use std::time::Duration;

use api::smart::{
    Answer, AuthorizationAnswer, FailureCode, Nonce, Octets, Reply, ReplyBody, ReplyEnvelope,
    RequestType, SKEW_MAX_S, TrustAnswer, Verdict, WireError,
};
use licensing::{Now, Wall};
use rand::Rng;

use super::Agent;
use super::mail::Flight;
use super::usage::left_ms;
use crate::certificate::Certificate;
use crate::config::{OOC_AUTH_S, RENEW_AUTH_S, TRUST_S};
use crate::error::Failure;
use crate::identity::verify;
use crate::input::{Notice, Ticket, Told};
use crate::trust::{Purpose, TrustError};

/// Longest wait that a poll interval may name.
const POLL_MAX: Duration = Duration::from_secs(3_600);
/// A deadline that the authority may name, at most: 90 days (rule L10).
const DEADLINE_S: u64 = 90 * 86_400;
/// Shortest time from an authorization to the next one by the authority's word alone, in license time: a minute. What an
/// operator or a change of use asks for does not wait for it.
const AUTH_LEAST: Duration = Duration::from_secs(60);
/// What nodes wait longer than told, by chance, is at most this part of it,
const SPREAD_PART: u32 = 20;
/// and at most ten minutes of license time, well within the hour by which a grant outlasts its end.
const SPREAD_MAX: Duration = Duration::from_secs(600);

/// An answer that is the authority's.
struct Authentic {
    reply: Reply,
    signer: Certificate,
    chain: Vec<Octets>,
}

impl From<TrustError> for Failure {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::UnknownRoot(fingerprint) => Self::WrongAuthority(fingerprint),
            TrustError::Empty
            | TrustError::Expired
            | TrustError::NotYetValid
            | TrustError::Revoked
            | TrustError::Purpose
            | TrustError::Chain(_)
            | TrustError::Form(_)
            | TrustError::NotARoot
            | TrustError::Crl(_)
            | TrustError::Full => Self::Answer(format!("the signer's certificate: {error}")),
        }
    }
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        Self::Answer(error.to_string())
    }
}

impl Agent {
    /// An answer came. One that is not to the message on its way came late, or twice, and says nothing.
    pub(super) fn answered(&mut self, nonce: Nonce, octets: &[u8], now: Now) {
        let Some(flight) = self.mail.flight.take_if(|flight| flight.nonce == nonce) else {
            self.mail.stale_answers += 1;
            return;
        };
        match self.authenticate(&flight, octets, now) {
            Ok(authentic) => self.heed(&flight, authentic, now),
            Err(failure) => self.failed(flight.kind, failure, now),
        }
    }

    /// Signature and chain first, then whether it is for us, and of now.
    fn authenticate(&self, flight: &Flight, octets: &[u8], now: Now) -> Result<Authentic, Failure> {
        let envelope = ReplyEnvelope::read(octets)?;
        let date = if self.config.lab {
            envelope.calendar
        } else {
            self.date(now)
        };
        let mut signer = None;
        let reply = envelope.open(|text, envelope| {
            let found = self.trust.verify(&envelope.chain, Purpose::Signer, date)?;
            verify(&found.public_key, text, &envelope.signature.value.0)?;
            signer = Some(found);
            Ok::<_, Failure>(())
        })?;
        let header = &reply.header;
        let ours = header.nonce == flight.nonce
            && header.request_type == flight.kind
            && header.product_instance_identifier == flight.header.product_instance_identifier;
        if !ours {
            return Err(Failure::Misdirected);
        }
        check_clocks(now.wall, header.timestamp)?;
        if header.lab.is_some() != self.config.lab {
            return Err(Failure::LabMismatch);
        }
        Ok(Authentic {
            signer: signer.ok_or(Failure::Misdirected)?,
            reply,
            chain: envelope.chain,
        })
    }

    fn heed(&mut self, flight: &Flight, authentic: Authentic, now: Now) {
        let header = &authentic.reply.header;
        if self.calendar.named(header.calendar, now) {
            self.state.calendar = Some(header.calendar);
            self.keeping.state = true;
        }
        if let Some(lab) = header.lab
            && lab.speedup.max(1) != self.config.speedup
        {
            self.config.speedup = lab.speedup.max(1);
            let speedup = self.config.speedup;
            self.tell(Told::LabSpeedup { speedup });
        }
        self.date_orders(now);
        let body = authentic.reply.body.clone();
        match body {
            ReplyBody::Ok(answer) => self.heed_answer(flight, answer, &authentic, now),
            ReplyBody::OkPoll { poll_interval_s } => {
                let wait = Duration::from_secs(poll_interval_s.max(1).into());
                self.poll(flight, wait.min(POLL_MAX), now);
            }
            ReplyBody::Failed {
                code,
                message,
                retry_after_s,
            } => self.heed_refusal(flight, code, message, retry_after_s, now),
        }
        if let Some(orders) = &authentic.reply.orders {
            self.take_orders(orders, now);
        }
    }

    fn heed_refusal(
        &mut self,
        flight: &Flight,
        code: FailureCode,
        message: String,
        retry_after_s: Option<u32>,
        now: Now,
    ) {
        let gone = matches!(
            code,
            FailureCode::InstanceRemoved | FailureCode::InstanceUnknown
        );
        if gone && flight.kind == RequestType::Deregistration {
            // What was asked for is so.
            self.mail.call_home.row(flight.kind).success += 1;
            self.deregistered(now);
            return;
        }
        let message: String = message.chars().filter(|c| !c.is_control()).collect();
        self.failed(flight.kind, Failure::Refused { code, message }, now);
        if let Some(seconds) = retry_after_s {
            let wait = Duration::from_secs(seconds.into());
            self.wait_at_least(flight.kind, wait, now);
        }
    }

    fn heed_answer(&mut self, flight: &Flight, answer: Answer, authentic: &Authentic, now: Now) {
        let outcome = match (flight.kind, answer) {
            (RequestType::Registration | RequestType::Renew, Answer::Registration(answer)) => {
                self.registered(flight.kind, answer, &authentic.signer, now)
            }
            (RequestType::Entitlement, Answer::Authorization(answer)) => {
                self.authorized(&answer, authentic.reply.header.calendar, now);
                Ok(())
            }
            (RequestType::Acknowledgement, Answer::Acknowledgement {}) => {
                self.acknowledged();
                Ok(())
            }
            (RequestType::Deregistration, Answer::Deregistration { receipt }) => {
                self.ledger.receipt(&receipt);
                self.mail.call_home.row(flight.kind).success += 1;
                self.deregistered(now);
                return;
            }
            (RequestType::TrustPool, Answer::TrustPool(answer)) => {
                self.refresh(&answer, &authentic.chain, now)
            }
            (
                _,
                Answer::Registration(_)
                | Answer::Authorization(_)
                | Answer::Acknowledgement {}
                | Answer::Deregistration { .. }
                | Answer::TrustPool(_),
            ) => Err(Failure::Misdirected),
        };
        match outcome {
            Ok(()) => self.reached(flight, authentic, now),
            Err(failure) => self.failed(flight.kind, failure, now),
        }
    }

    /// A message was done.
    fn reached(&mut self, flight: &Flight, authentic: &Authentic, now: Now) {
        let ticket: Option<Ticket> = self.succeeded(flight, now);
        if let Some(registration) = &mut self.state.registration
            && registration.signer.as_ref() != Some(&authentic.signer.serial)
        {
            registration.signer = Some(authentic.signer.serial.clone());
            self.keeping.state = true;
        }
        self.tell(Told::AuthorityReached);
        if std::mem::take(&mut self.behind) {
            self.tell(Told::StateTampered);
        }
        if let Some(ticket) = ticket {
            self.done(ticket, Ok(()));
        }
    }

    /// The authority knows that the certificate is stored.
    fn acknowledged(&mut self) {
        if let Some(registration) = &mut self.state.registration {
            registration.acknowledged = true;
            self.keeping.state = true;
        }
    }

    /// The standing of every tag that was asked for, at this date of the authority.
    fn authorized(&mut self, answer: &AuthorizationAnswer, date: Wall, now: Now) {
        let follows = self.ledger.receipt(&answer.receipt);
        if follows.more {
            self.want(RequestType::Entitlement);
        }
        self.behind |= follows.behind;
        if answer.receipt.forked && !self.forked {
            self.notice(Notice::Forked);
        }
        self.forked = answer.receipt.forked;
        self.take_verdicts(&answer.verdicts, date, now);
        let next = self.next_authorization(answer, date);
        self.due.authorization = Some(now.license.after(next));
        let deadline_s = answer.deadline_s.clamp(1, DEADLINE_S);
        self.due.deadline = Some(now.license.after(Duration::from_secs(deadline_s)));
        self.notice(Notice::AuthorizationRenewed);
    }

    /// License time until authorization is asked for again: as the authority says, within the bounds of rule L11, and on
    /// the day on which a grant ends. What comes before its 30 days comes to many nodes at once, as the end of a term
    /// does: each waits a little longer than told, by chance.
    fn next_authorization(&mut self, answer: &AuthorizationAnswer, date: Wall) -> Duration {
        let objected = answer.verdicts.iter().any(|verdict| match verdict.verdict {
            Verdict::Authorized => false,
            Verdict::OutOfCompliance | Verdict::InvalidTag => true,
        });
        let grants = answer.verdicts.iter().filter_map(|verdict| verdict.granted);
        let ends = grants.filter_map(|grant| left_ms(grant, date));
        let ends = ends.min().map(Duration::from_millis);
        let told = Duration::from_secs(answer.renew_s);
        let most = Duration::from_secs(RENEW_AUTH_S);
        let soon = ends.unwrap_or(most).min(told);
        let spread = (soon / SPREAD_PART).min(SPREAD_MAX);
        let renew = (soon + self.random.random_range(Duration::ZERO..=spread)).min(most);
        let retry = Duration::from_secs(answer.ooc_retry_s.min(OOC_AUTH_S));
        let next = if objected { retry.min(renew) } else { renew };
        next.max(AUTH_LEAST)
    }

    fn refresh(&mut self, answer: &TrustAnswer, chain: &[Octets], now: Now) -> Result<(), Failure> {
        let date = self.date(now);
        let refreshed = self.trust.refresh(answer, chain, date);
        self.due.trust = Some(now.license.after(Duration::from_secs(TRUST_S)));
        match refreshed {
            Ok(changed) => {
                self.keeping.trust |= changed;
                if changed {
                    self.notice(Notice::TrustPoolChanged);
                }
                Ok(())
            }
            Err(error) => {
                self.notice(Notice::TrustRefused(error.to_string()));
                Err(Failure::Answer(format!("the trust pool: {error}")))
            }
        }
    }
}

/// The two wall clocks are at most an hour apart.
pub(super) fn check_clocks(ours: Wall, theirs: Wall) -> Result<(), Failure> {
    let apart_ms = ours.0.abs_diff(theirs.0);
    if apart_ms > SKEW_MAX_S * 1_000 {
        let apart_s = i64::try_from(apart_ms.div_ceil(1_000)).unwrap_or(i64::MAX);
        let ahead = if ours < theirs { -1 } else { 1 };
        return Err(Failure::ClockSkew(apart_s * ahead));
    }
    Ok(())
}
