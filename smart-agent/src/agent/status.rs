//! What the agent shows of itself.

use std::time::Duration;

use api::smart::RequestType;
use api::{
    AgentStatus, Attempts, CallHomeRow, RegisteredStatus, RegistrationState, RootStatus, Silence,
};
use licensing::{LicenseTime, Mono, Now, Wall};

use super::Agent;
use super::dates::later;
use crate::config::ROOT_WARNING_S;
use crate::trust::{Origin, Root};

impl Agent {
    /// The agent at this instant.
    pub fn status(&self, now: Now) -> AgentStatus {
        let silence = self.mail.silence.as_ref();
        AgentStatus {
            registration: self.registration_state(),
            registered: self.registered_status(),
            initial: self.attempts(RequestType::Registration, now),
            authorization: self.authorization_attempts(now),
            renewal: self.renewal_attempts(now),
            deregistration: self.attempts(RequestType::Deregistration, now),
            communication_deadline: self.due.deadline.map(|at| self.wall_of(at, now)),
            silence: silence.map(|(since, why)| Silence {
                since: *since,
                why: why.to_string(),
            }),
            trust_pool: self.roots(now),
            call_home: self.call_home(),
            last_report: self.ledger.last_report(),
            reports_waiting: self.ledger.waiting() as u64,
            forked: self.forked,
            orders: self.orders_status(now),
            stale_answers: self.mail.stale_answers,
            not_written: self.keeping.failures > 0,
        }
    }

    fn registration_state(&self) -> RegistrationState {
        match (&self.state.registration, &self.state.attempt) {
            (None, None) => RegistrationState::Unregistered,
            (None, Some(_)) => RegistrationState::Registering,
            (Some(_), _) if self.state.leaving => RegistrationState::Deregistering,
            (Some(_), _) if self.range.is_out() => RegistrationState::OutOfRange,
            (Some(_), _) => RegistrationState::Registered,
        }
    }

    fn registered_status(&self) -> Option<RegisteredStatus> {
        let registration = self.state.registration.as_ref()?;
        let certificate = self.certificate.as_ref()?;
        Some(RegisteredStatus {
            instance: registration.instance.clone(),
            smart_account: registration.smart_account.clone(),
            virtual_account: registration.virtual_account.clone(),
            since: registration.since,
            renewed: registration.renewed,
            renew_at: registration.renew_at,
            expires: certificate.not_after,
            serial: certificate.serial.clone(),
        })
    }

    fn attempts(&self, kind: RequestType, now: Now) -> Attempts {
        let want = self.mail.of(kind);
        Attempts {
            last: want.last,
            failure: want.failure.as_ref().map(ToString::to_string),
            next: want.next().map(|at| wall_at(at, now)),
        }
    }

    fn authorization_attempts(&self, now: Now) -> Attempts {
        let attempts = self.attempts(RequestType::Entitlement, now);
        let due = self.due.authorization.map(|at| self.wall_of(at, now));
        Attempts {
            next: attempts.next.or(due),
            ..attempts
        }
    }

    fn renewal_attempts(&self, now: Now) -> Attempts {
        let attempts = self.attempts(RequestType::Renew, now);
        let due = self.state.registration.as_ref().map(|found| found.renew_at);
        Attempts {
            next: attempts.next.or(due),
            ..attempts
        }
    }

    fn call_home(&self) -> Vec<CallHomeRow> {
        let rows = self.mail.call_home.rows().into_iter();
        let queued = rows.map(|row| CallHomeRow {
            in_queue: self.mail.in_queue(row.subtype),
            ..row
        });
        queued.collect()
    }

    fn roots(&self, now: Now) -> Vec<RootStatus> {
        let limit = later(self.date(now), Duration::from_secs(ROOT_WARNING_S));
        let shown = |root: &Root| RootStatus {
            subject: root.certificate.subject.clone(),
            fingerprint: root.certificate.fingerprint,
            not_before: root.certificate.not_before,
            not_after: root.certificate.not_after,
            by_operator: root.origin == Origin::Operator,
            expiring: root.certificate.not_after <= limit,
        };
        self.trust.roots().iter().map(shown).collect()
    }

    /// The wall clock at a license time, if both run on as they do.
    fn wall_of(&self, at: LicenseTime, now: Now) -> Wall {
        later(now.wall, at.since(now.license) / self.config.speedup.max(1))
    }
}

fn wall_at(at: Mono, now: Now) -> Wall {
    later(now.wall, at.since(now.mono))
}
