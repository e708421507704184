//! Messages: which are wanted, the one that is on its way, and what becomes of them.

use std::time::Duration;

use api::smart::{
    Acknowledgement, Deregistration, EntitlementRequest, Envelope, FailureCode, Header, Nonce,
    Octets, Registration, Renewal, Request, RequestBody, RequestType, TrustRequest, Version,
};
use licensing::{Mono, Now, Wall};
use rand::Rng;

use super::Agent;
use crate::backoff::pause;
use crate::callhome::CallHome;
use crate::config::{ANSWER_GUESS, OPERATOR_TRIES, UNREACHABLE_AFTER};
use crate::error::Failure;
use crate::input::{Message, Notice, Output, Ticket, Told};

/// The order in which messages go, where several are wanted.
const ORDER: [RequestType; 6] = [
    RequestType::Registration,
    RequestType::Acknowledgement,
    RequestType::Renew,
    RequestType::Entitlement,
    RequestType::Deregistration,
    RequestType::TrustPool,
];

/// From one answer to the next message of its type: whatever answers say, no more are sent.
const SPACING: Duration = Duration::from_millis(200);

/// The queue: at most one message of a type waits, because each says all that there is to say.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    wants: [Want; ORDER.len()],
    pub(super) flight: Option<Flight>,
    pub(super) call_home: CallHome,
    /// Messages in a row that nobody answered.
    silent: u32,
    pub(super) silence: Option<(Wall, Failure)>,
    pub(super) stale_answers: u64,
    /// The longest time that an answer took lately.
    pub(super) answer_takes: Duration,
}

/// A message that is wanted, or not.
#[derive(Clone, Debug)]
pub(super) struct Want {
    wanted: bool,
    failures: u32,
    not_before: Mono,
    pub(super) ticket: Option<Ticket>,
    pub(super) last: Option<Wall>,
    pub(super) failure: Option<Failure>,
}

/// The message that is on its way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) nonce: Nonce,
    pub(super) kind: RequestType,
    pub(super) sent: Mono,
    pub(super) header: Header,
}

impl Mail {
    pub(super) fn new(now: Mono) -> Self {
        let want = Want {
            wanted: false,
            failures: 0,
            not_before: now,
            ticket: None,
            last: None,
            failure: None,
        };
        Self {
            wants: ORDER.map(|_| want.clone()),
            flight: None,
            call_home: CallHome::default(),
            silent: 0,
            silence: None,
            stale_answers: 0,
            answer_takes: ANSWER_GUESS,
        }
    }

    pub(super) fn of(&self, kind: RequestType) -> &Want {
        &self.wants[place(kind)]
    }

    pub(super) fn of_mut(&mut self, kind: RequestType) -> &mut Want {
        &mut self.wants[place(kind)]
    }

    /// One is wanted, as soon as its back-off lets it.
    pub(super) fn want(&mut self, kind: RequestType) {
        self.of_mut(kind).wanted = true;
    }

    /// One is wanted now, and somebody waits for it.
    pub(super) fn want_now(&mut self, kind: RequestType, ticket: Option<Ticket>, now: Mono) {
        let want = self.of_mut(kind);
        want.wanted = true;
        want.failures = 0;
        want.not_before = now;
        want.ticket = ticket.or(want.ticket);
    }

    /// What failed on its way waits no longer; what the authority refused does.
    pub(super) fn try_anew(&mut self, now: Mono) {
        for want in &mut self.wants {
            let failure = want.failure.as_ref();
            if failure.is_some_and(|why| why.is_silence() || why.is_configuration()) {
                want.failures = 0;
                want.not_before = now;
            }
        }
    }

    /// None is wanted any more.
    pub(super) fn unwant(&mut self, kind: RequestType) -> Option<Ticket> {
        let want = self.of_mut(kind);
        want.wanted = false;
        want.failures = 0;
        want.ticket.take()
    }

    pub(super) fn in_queue(&self, kind: RequestType) -> u64 {
        let flies = self.flight.as_ref().is_some_and(|f| f.kind == kind);
        u64::from(flies || self.of(kind).wanted)
    }
}

impl Want {
    pub(super) fn next(&self) -> Option<Mono> {
        self.wanted.then_some(self.not_before)
    }
}

fn place(kind: RequestType) -> usize {
    let place = ORDER.iter().position(|of| *of == kind);
    place.expect("the order lists every type")
}

impl Agent {
    /// When something is to be done for a message.
    pub(super) fn mail_due(&self) -> Option<Mono> {
        if let Some(flight) = &self.mail.flight {
            return Some(flight.sent.after(self.config.timers.answer));
        }
        let may = ORDER.into_iter().filter(|kind| self.may_send(*kind));
        may.filter_map(|kind| self.mail.of(kind).next()).min()
    }

    /// Sends the first message that is wanted and may go now, once all that it follows from is kept.
    pub(super) fn post(&mut self, now: Now) {
        self.give_up(now);
        if self.mail.flight.is_some() {
            return;
        }
        let ready = |kind: &RequestType| {
            let next = self.mail.of(*kind).next();
            next.is_some_and(|at| now.mono >= at) && self.may_send(*kind)
        };
        let Some(kind) = ORDER.into_iter().find(ready) else {
            return;
        };
        let Some(body) = self.body(kind) else {
            return;
        };
        if self.keep(now) {
            self.send(kind, body, now);
        }
    }

    /// An answer that takes too long is taken for none.
    fn give_up(&mut self, now: Now) {
        let late = self
            .mail
            .flight
            .as_ref()
            .is_some_and(|flight| now.mono.since(flight.sent) >= self.config.timers.answer);
        if let Some(flight) = self.mail.flight.take_if(|_| late) {
            self.failed(flight.kind, Failure::Timeout, now);
        }
    }

    fn may_send(&self, kind: RequestType) -> bool {
        if !self.enabled {
            return false;
        }
        let registration = self.state.registration.as_ref();
        let identified = self.certificate.is_some() && !self.range.is_dropped();
        let Some(registration) = registration.filter(|_| identified) else {
            return kind == RequestType::Registration && self.state.attempt.is_some();
        };
        let leaving = self.state.leaving;
        let drained = leaving && self.ledger.next().0.len() >= self.ledger.waiting();
        match kind {
            RequestType::Registration => self.state.attempt.is_some(),
            RequestType::Acknowledgement => !registration.acknowledged,
            RequestType::Entitlement => registration.acknowledged && !drained,
            RequestType::Deregistration => drained,
            RequestType::Renew | RequestType::TrustPool => !leaving,
        }
    }

    fn body(&mut self, kind: RequestType) -> Option<RequestBody> {
        let csr = Octets(self.identity.csr().to_vec());
        let product = self.config.product.clone();
        Some(match kind {
            RequestType::Registration => {
                let attempt = self.state.attempt.clone()?;
                RequestBody::Registration(Registration {
                    idtoken: attempt.idtoken,
                    csr,
                    software_tag_identifier: product,
                    software_version: self.config.version.clone(),
                    hostname: self.config.hostname.clone(),
                    force: attempt.force,
                    lab: self.config.lab,
                })
            }
            RequestType::Renew => RequestBody::Renew(Renewal {
                csr,
                certificate: self.certificate.as_ref()?.der.clone(),
                software_tag_identifier: product,
            }),
            RequestType::Entitlement => {
                let (reports, oldest_report) = self.ledger.next();
                RequestBody::Entitlement(EntitlementRequest {
                    tags: self.demands(),
                    reports,
                    oldest_report,
                })
            }
            RequestType::Acknowledgement => RequestBody::Acknowledgement(Acknowledgement {
                id_cert_serial_number: self.certificate.as_ref()?.serial.clone(),
            }),
            RequestType::Deregistration => {
                let (reports, oldest_report) = self.ledger.next();
                RequestBody::Deregistration(Deregistration {
                    reports,
                    oldest_report,
                })
            }
            RequestType::TrustPool => RequestBody::TrustPool(TrustRequest {}),
        })
    }

    fn send(&mut self, kind: RequestType, body: RequestBody, now: Now) {
        let nonce = Nonce(self.random.random());
        // A registration is made as nobody, also while another one stands.
        let registration = self.state.registration.as_ref();
        let registration = registration.filter(|_| kind != RequestType::Registration);
        let certificate = self.certificate.as_ref().filter(|_| registration.is_some());
        let header = Header {
            version: Version,
            timestamp: now.wall,
            nonce,
            sudi: self.config.sudi.clone(),
            product_instance_identifier: registration.map(|found| found.instance.clone()),
            id_cert_serial_number: certificate.map(|found| found.serial.clone()),
            signing_cert_serial_number: registration.and_then(|found| found.signer.clone()),
            orders: registration.map(|_| self.orders_held(now)),
        };
        let identified = registration.is_some();
        let request = Request {
            header: header.clone(),
            body,
        };
        let key = self.identity.public_key();
        let envelope = Envelope::seal(&request, key, |octets| self.identity.sign(octets));
        self.mail.flight = Some(Flight {
            nonce,
            kind,
            sent: now.mono,
            header,
        });
        self.mail.of_mut(kind).wanted = false;
        self.mail.of_mut(kind).last = Some(now.wall);
        self.mail.call_home.row(kind).last_sent = Some(now.wall);
        self.outputs.push_back(Output::Send(Message {
            nonce,
            kind,
            identified,
            octets: envelope.octets(),
        }));
    }

    /// A message that was not sent after all, because the disk failed.
    pub(super) fn unsend(&mut self, message: &Message, now: Now) {
        let is = |flight: &mut Flight| flight.nonce == message.nonce;
        if let Some(flight) = self.mail.flight.take_if(is) {
            self.failed(flight.kind, Failure::NotWritten, now);
        }
    }

    pub(super) fn not_answered(&mut self, nonce: Nonce, failure: Failure, now: Now) {
        match self.mail.flight.take_if(|flight| flight.nonce == nonce) {
            Some(flight) => self.failed(flight.kind, failure, now),
            None => self.mail.stale_answers += 1,
        }
    }

    /// An authentic answer came: it was done, or is being done.
    pub(super) fn succeeded(&mut self, flight: &Flight, now: Now) -> Option<Ticket> {
        let took = now.mono.since(flight.sent);
        // The longest lately: it fades, so that one slow answer is not remembered for ever.
        self.mail.answer_takes = took.max(self.mail.answer_takes.mul_f32(0.9));
        self.mail.call_home.row(flight.kind).success += 1;
        self.mail.silent = 0;
        if self.mail.silence.take().is_some() {
            self.notice(Notice::CommunicationRestored);
        }
        let want = self.mail.of_mut(flight.kind);
        want.failures = 0;
        want.failure = None;
        want.not_before = now.mono.after(SPACING);
        want.ticket.take()
    }

    /// It is to be asked again so much later.
    pub(super) fn poll(&mut self, flight: &Flight, wait: Duration, now: Now) {
        let ticket = self.succeeded(flight, now);
        let want = self.mail.of_mut(flight.kind);
        want.wanted = true;
        want.ticket = ticket;
        want.not_before = now.mono.after(wait);
    }

    /// A message failed. Nothing is lowered by that (rule L10): it is tried again, later and later.
    pub(super) fn failed(&mut self, kind: RequestType, failure: Failure, now: Now) {
        if failure.is_configuration() {
            self.mail.call_home.row(kind).dropped += 1;
        } else {
            self.mail.call_home.row(kind).failed += 1;
        }
        if failure.is_silence() {
            self.silent(&failure, now);
        }
        let want = self.mail.of_mut(kind);
        want.failures += 1;
        want.failure = Some(failure.clone());
        let failures = want.failures;
        let wait = pause(failures, &self.config.timers, &mut self.random);
        let want = self.mail.of_mut(kind);
        want.wanted = true;
        want.not_before = now.mono.after(wait);
        let hopeless = failure.is_final() || failures >= OPERATOR_TRIES;
        self.follow(kind, &failure, failures == 1, hopeless, now);
    }

    fn silent(&mut self, failure: &Failure, now: Now) {
        self.mail.silent += 1;
        if self.mail.silence.is_none() {
            self.mail.silence = Some((now.wall, failure.clone()));
            self.notice(Notice::CommunicationFailed(failure.clone()));
        }
        if self.mail.silent == UNREACHABLE_AFTER && self.state.registration.is_some() {
            self.tell(Told::AuthorityUnreachable);
        }
    }

    /// What follows from a failure beside trying again.
    fn follow(
        &mut self,
        kind: RequestType,
        failure: &Failure,
        first: bool,
        hopeless: bool,
        now: Now,
    ) {
        if let Failure::Refused { code, .. } = failure {
            self.obey(kind, *code, failure, now);
        }
        match kind {
            RequestType::Registration if hopeless => self.not_registered(failure),
            RequestType::Deregistration if hopeless => self.not_deregistered(failure),
            RequestType::Renew => {
                if first {
                    self.tell(Told::RegistrationFailed);
                    self.notice(Notice::IdNotRenewed(failure.clone()));
                }
                self.answer_failed(kind, failure, hopeless);
            }
            RequestType::Entitlement => {
                if first {
                    self.notice(Notice::AuthorizationNotRenewed(failure.clone()));
                }
                self.answer_failed(kind, failure, hopeless);
            }
            RequestType::Registration
            | RequestType::Deregistration
            | RequestType::Acknowledgement
            | RequestType::TrustPool => {}
        }
    }

    /// Orders, and what they are not.
    fn obey(&mut self, kind: RequestType, code: FailureCode, failure: &Failure, now: Now) {
        let registered = self.state.registration.is_some() && kind != RequestType::Registration;
        match code {
            FailureCode::InstanceRemoved | FailureCode::CertificateRevoked if registered => {
                self.end_registration(now);
                self.notice(Notice::RegistrationEnded(failure.clone()));
            }
            FailureCode::InstanceUnknown | FailureCode::CertificateInvalid
                if registered && kind != RequestType::Renew =>
            {
                self.want(RequestType::Renew);
            }
            FailureCode::InstanceRemoved
            | FailureCode::CertificateRevoked
            | FailureCode::InstanceUnknown
            | FailureCode::CertificateInvalid
            | FailureCode::TokenUnknown
            | FailureCode::TokenExpired
            | FailureCode::TokenRevoked
            | FailureCode::TokenUsedUp
            | FailureCode::AlreadyRegistered
            | FailureCode::LabMismatch
            | FailureCode::ProductUnknown
            | FailureCode::SignatureInvalid
            | FailureCode::ClockSkew
            | FailureCode::Replayed
            | FailureCode::Malformed
            | FailureCode::TryAgain
            | FailureCode::Other => {}
        }
    }

    fn answer_failed(&mut self, kind: RequestType, failure: &Failure, hopeless: bool) {
        if !hopeless {
            return;
        }
        if let Some(ticket) = self.mail.of_mut(kind).ticket.take() {
            self.done(ticket, Err(failure.clone().into()));
        }
    }

    /// An authority that says when it may be asked again is not asked before, within the bound of all pauses.
    pub(super) fn wait_at_least(&mut self, kind: RequestType, wait: Duration, now: Now) {
        let wait = wait.min(self.config.timers.backoff_most);
        let want = self.mail.of_mut(kind);
        want.not_before = want.not_before.max(now.mono.after(wait));
    }
}
