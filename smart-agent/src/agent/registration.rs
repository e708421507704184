//! Registration: how it begins, is renewed and ends.
//!
//! ```text
//! unregistered --register--> registering --answer kept--> registered, unacknowledged --acknowledged--> registered
//!      ^                        | refused, given up              ^                                     |       |
//!      |<-----------------------+                                +------- renewed, every 180 days -----+       |
//!      +<------ the authority is told, or removed the instance <------ leaving <------ deregister -------------+
//! ```
//!
//! A registration that stands goes on while another one is asked for with `force`, until that one is there.

use std::time::Duration;

use api::LicenseCommand;
use api::smart::{IdToken, RegistrationAnswer, RequestType};
use licensing::Now;
use rand::Rng;

use super::Agent;
use super::dates::later;
use crate::certificate::Certificate;
use crate::config::RENEW_ID_S;
use crate::error::{Failure, OperatorError};
use crate::input::{Notice, Output, Ticket, Told};
use crate::record::{Attempt, Registration};
use crate::trust::{Origin, Purpose};

/// A restart asks for authorization within this time, so that a fleet that starts at once doesn't ask at once.
const RESUME_WITHIN: Duration = Duration::from_secs(5);

impl Agent {
    /// Takes up what a restart found half done; `known`: there is a record of it; `registered`: so the verdicts hold.
    pub(super) fn resume(&mut self, known: bool, registered: bool, now: Now) {
        if known && self.state.registration.is_some() != registered {
            // Killed between the agent's record and the verdicts': they are told again.
            self.tell(match self.state.registration {
                Some(_) => Told::Registered,
                None => Told::Deregistered,
            });
        }
        if self.state.attempt.is_some() {
            self.want(RequestType::Registration);
        }
        let Some(registration) = &self.state.registration else {
            return;
        };
        if !registration.acknowledged {
            self.want(RequestType::Acknowledgement);
        }
        if self.state.leaving {
            self.want(RequestType::Deregistration);
        }
        for kind in [RequestType::Entitlement, RequestType::TrustPool] {
            self.want(kind);
            let wait = self.random.random_range(Duration::ZERO..=RESUME_WITHIN);
            self.wait_at_least(kind, wait, now);
        }
    }

    /// An operator asks for something.
    pub(super) fn command(&mut self, ticket: Ticket, command: LicenseCommand, now: Now) {
        let begun = match command {
            LicenseCommand::Register { idtoken, force } => {
                self.register(ticket, idtoken, force, now)
            }
            LicenseCommand::RenewId => self.renew(RequestType::Renew, ticket, now),
            LicenseCommand::RenewAuth => {
                let begun = self.renew(RequestType::Entitlement, ticket, now);
                begun.inspect(|()| self.due.authorization = Some(now.license))
            }
            LicenseCommand::Deregister => self.deregister(ticket, now),
        };
        if let Err(error) = begun {
            self.done(ticket, Err(error));
        }
    }

    pub(super) fn done(&mut self, ticket: Ticket, result: Result<(), OperatorError>) {
        self.outputs.push_back(Output::Done { ticket, result });
    }

    fn register(
        &mut self,
        ticket: Ticket,
        idtoken: String,
        force: bool,
        now: Now,
    ) -> Result<(), OperatorError> {
        self.check_enabled()?;
        let idtoken = IdToken::new(idtoken).map_err(|_| OperatorError::TokenMalformed)?;
        if let Some(standing) = self.state.registration.as_ref().filter(|_| !force) {
            let account = standing.virtual_account.clone();
            return Err(OperatorError::AlreadyRegistered(account));
        }
        self.check_idle()?;
        self.state.attempt = Some(Attempt { idtoken, force });
        self.keeping.state = true;
        let ticket = Some(ticket);
        self.mail
            .want_now(RequestType::Registration, ticket, now.mono);
        Ok(())
    }

    fn deregister(&mut self, ticket: Ticket, now: Now) -> Result<(), OperatorError> {
        self.check_enabled()?;
        self.check_registered()?;
        self.check_idle()?;
        self.state.leaving = true;
        self.keeping.state = true;
        self.ledger.close(self.date(now));
        let ticket = Some(ticket);
        self.want(RequestType::Entitlement);
        self.mail
            .want_now(RequestType::Deregistration, ticket, now.mono);
        Ok(())
    }

    fn renew(&mut self, kind: RequestType, ticket: Ticket, now: Now) -> Result<(), OperatorError> {
        self.check_enabled()?;
        self.check_registered()?;
        self.check_idle()?;
        if self.mail.of(kind).ticket.is_some() {
            return Err(OperatorError::InProgress);
        }
        self.mail.want_now(kind, Some(ticket), now.mono);
        Ok(())
    }

    fn check_enabled(&self) -> Result<(), OperatorError> {
        let enabled = self.enabled.then_some(());
        enabled.ok_or(OperatorError::NotEnabled)
    }

    fn check_registered(&self) -> Result<(), OperatorError> {
        let registered = self.state.registration.is_some().then_some(());
        registered.ok_or(OperatorError::NotRegistered)
    }

    fn check_idle(&self) -> Result<(), OperatorError> {
        let busy = self.state.attempt.is_some() || self.state.leaving;
        let idle = (!busy).then_some(());
        idle.ok_or(OperatorError::InProgress)
    }

    /// The authority registered the node, or renewed its registration: it stands once it is kept.
    pub(super) fn registered(
        &mut self,
        kind: RequestType,
        answer: RegistrationAnswer,
        signer: &Certificate,
        now: Now,
    ) -> Result<(), Failure> {
        let certificate = self.judge(kind, &answer, now)?;
        let date = self.date(now);
        let renewing = kind == RequestType::Renew;
        let before = self.state.registration.take();
        if !renewing {
            self.ledger.begin_instance(before.is_some(), date);
            self.begin_tags();
            self.forget_orders();
            self.state.attempt = None;
            self.due.report = now.mono;
        }
        let wait = Duration::from_secs(answer.renew_s.clamp(1, RENEW_ID_S));
        let half = (certificate.not_after.0 - date.0).max(0) / 2;
        let begun = before.as_ref().filter(|_| renewing);
        self.state.registration = Some(Registration {
            instance: answer.product_instance_identifier,
            certificates: answer.certificates,
            acknowledged: false,
            since: begun.map_or(now.wall, |before| before.since),
            renewed: renewing.then_some(now.wall),
            // Never so late that no time is left to try again.
            renew_at: later(date, wait).min(licensing::Wall(date.0.saturating_add(half))),
            smart_account: answer.smart_account,
            virtual_account: answer.virtual_account,
            signer: Some(signer.serial.clone()),
            orders: begun.and_then(|before| before.orders.clone()),
        });
        self.certificate = Some(certificate);
        self.keeping.state = true;
        self.keep(now);
        self.tell(Told::Registered);
        self.notice(if renewing {
            Notice::IdRenewed
        } else {
            Notice::Registered
        });
        self.mail
            .want_now(RequestType::Acknowledgement, None, now.mono);
        if !renewing {
            self.mail.want_now(RequestType::Entitlement, None, now.mono);
            self.mail.want_now(RequestType::TrustPool, None, now.mono);
        }
        Ok(())
    }

    /// Whether the certificate is one for this node.
    fn judge(
        &self,
        kind: RequestType,
        answer: &RegistrationAnswer,
        now: Now,
    ) -> Result<Certificate, Failure> {
        let bad = |why: &str| Failure::Answer(why.to_owned());
        let date = self.date(now);
        let judged = self
            .trust
            .verify(&answer.certificates, Purpose::Identity, date);
        let certificate =
            judged.map_err(|error| bad(&format!("the identity certificate: {error}")))?;
        let instance = answer.product_instance_identifier.as_str();
        if certificate.public_key != self.identity.public_key() {
            return Err(bad("the identity certificate has another key"));
        }
        if certificate.subject_serial.as_deref() != Some(instance) {
            return Err(bad("the identity certificate is another instance's"));
        }
        let standing = self.state.registration.as_ref();
        let renewed = standing.filter(|_| kind == RequestType::Renew);
        if renewed.is_some_and(|found| found.instance.as_str() != instance) {
            return Err(bad("the renewed registration is another instance's"));
        }
        Ok(certificate)
    }

    /// A registration was refused, or given up: all is as it was before.
    pub(super) fn not_registered(&mut self, failure: &Failure) {
        self.state.attempt = None;
        self.keeping.state = true;
        let ticket = self.mail.unwant(RequestType::Registration);
        self.tell(Told::RegistrationFailed);
        self.notice(Notice::RegistrationFailed(failure.clone()));
        if let Some(ticket) = ticket {
            self.done(ticket, Err(failure.clone().into()));
        }
    }

    /// A deregistration was refused, or is given up. If nobody waits for it, because the process was killed since, it goes
    /// on: the authority may have been told.
    pub(super) fn not_deregistered(&mut self, failure: &Failure) {
        if let Some(ticket) = self.mail.of(RequestType::Deregistration).ticket {
            self.state.leaving = false;
            self.keeping.state = true;
            self.mail.unwant(RequestType::Deregistration);
            self.notice(Notice::DeregistrationFailed(failure.clone()));
            self.done(ticket, Err(failure.clone().into()));
        }
    }

    /// The authority forgot the node, because it was asked to.
    pub(super) fn deregistered(&mut self, now: Now) {
        let ticket = self.mail.unwant(RequestType::Deregistration);
        self.mail.of_mut(RequestType::Deregistration).failure = None;
        self.end_registration(now);
        self.notice(Notice::Deregistered);
        if let Some(ticket) = ticket {
            self.done(ticket, Ok(()));
        }
    }

    /// The registration is over.
    pub(super) fn end_registration(&mut self, now: Now) {
        self.state.registration = None;
        self.state.leaving = false;
        self.certificate = None;
        self.forked = false;
        self.forget_orders();
        self.due.authorization = None;
        self.due.trust = None;
        self.due.deadline = None;
        self.ledger.drop_interval(self.date(now));
        self.begin_tags();
        for kind in RequestType::ALL {
            if kind == RequestType::Registration {
                continue;
            }
            if let Some(ticket) = self.mail.unwant(kind) {
                self.done(ticket, Err(OperatorError::NotRegistered));
            }
        }
        self.keeping.state = true;
        self.keep(now);
        self.tell(Told::Deregistered);
    }

    /// A root of an operator's file.
    pub(super) fn add_root(&mut self, der: &[u8]) {
        match self.trust.add_root(der, Origin::Operator) {
            Ok(false) => {}
            Ok(true) => {
                self.keeping.trust = true;
                self.notice(Notice::TrustPoolChanged);
            }
            Err(error) => self.notice(Notice::TrustRefused(error.to_string())),
        }
    }
}
