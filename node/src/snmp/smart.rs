//! The Smart Agent as managers are shown it.

use api::{AgentStatus, RegisteredStatus, RegistrationState};
use snmp::view::{Agent, Attempts, Registered, Registration};

/// What CISCO-SMART-LIC-MIB shows of it.
pub(super) fn shown(status: &AgentStatus) -> Agent {
    Agent {
        registration: registration(status),
        initial: attempts(&status.initial),
        deregistration: attempts(&status.deregistration),
        renewal: attempts(&status.renewal),
        authorization: attempts(&status.authorization),
        authorized_until: status.communication_deadline,
    }
}

fn registration(status: &AgentStatus) -> Registration {
    match (&status.registered, status.registration) {
        (Some(registered), _) => Registration::Completed(stands(registered)),
        (None, RegistrationState::Registering) => Registration::InProgress,
        (
            None,
            RegistrationState::Unregistered
            | RegistrationState::Registered
            | RegistrationState::OutOfRange
            | RegistrationState::Deregistering,
        ) => Registration::None,
    }
}

fn stands(registered: &RegisteredStatus) -> Registered {
    Registered {
        smart_account: registered.smart_account.clone(),
        virtual_account: registered.virtual_account.clone(),
        since: registered.since,
        expires: registered.expires,
    }
}

fn attempts(attempts: &api::Attempts) -> Attempts {
    Attempts {
        last: attempts.last,
        failure: attempts.failure.clone(),
        next: attempts.next,
    }
}
