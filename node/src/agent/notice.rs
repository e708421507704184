//! What people are to know of the agent, in the log.

use smart_agent::Notice;
use snmp::notifications::News;

/// Writes a notice into the log.
pub(super) fn log(notice: &Notice) {
    match notice {
        Notice::Registered => event!(REGISTERED),
        Notice::RegistrationFailed(why) => event!(REGISTRATION_FAILED, %why),
        Notice::Deregistered => event!(DEREGISTERED),
        Notice::RegistrationEnded(why) => {
            event!(REGISTRATION_ENDED, %why);
        }
        Notice::DeregistrationFailed(why) => event!(DEREGISTRATION_FAILED, %why),
        Notice::IdRenewed => event!(ID_RENEWED),
        Notice::IdNotRenewed(why) => {
            event!(ID_NOT_RENEWED, %why);
        }
        Notice::AuthorizationRenewed => event!(AUTHORIZATION_RENEWED),
        Notice::AuthorizationNotRenewed(why) => {
            event!(AUTHORIZATION_NOT_RENEWED, %why);
        }
        Notice::CommunicationFailed(why) => {
            event!(AUTHORITY_SILENT, %why);
        }
        Notice::CommunicationRestored => event!(AUTHORITY_ANSWERS),
        Notice::CertificateOutOfRange => event!(CERTIFICATE_OUT_OF_RANGE),
        Notice::CertificateDropped => {
            event!(CERTIFICATE_DROPPED);
        }
        Notice::CertificateInRange => event!(CERTIFICATE_IN_RANGE),
        Notice::CertificateExpires { at } => {
            event!(CERTIFICATE_EXPIRES, at_ms = at.0);
        }
        Notice::TrustPoolChanged => event!(TRUST_POOL_CHANGED),
        Notice::TrustRefused(why) => event!(TRUST_REFUSED, %why),
        Notice::RootExpires { fingerprint, at } => {
            event!(ROOT_EXPIRES, %fingerprint, at_ms = at.0);
        }
        Notice::Forked => event!(FORKED),
        Notice::OrdersTaken(serial) => {
            event!(ORDERS_TAKEN, serial);
        }
        Notice::OrdersSetAside(why) => {
            event!(ORDERS_SET_ASIDE, %why);
        }
        Notice::OrdersRefused(why) => {
            event!(ORDERS_REFUSED, %why);
        }
        Notice::NotWritten => {
            event!(AGENT_NOT_WRITTEN);
        }
    }
}

/// What managers are told of a notice; none: the table of alarms has it, or it is for the log alone.
pub fn news(notice: &Notice) -> Option<News> {
    Some(match notice {
        Notice::Registered => News::Registered,
        Notice::RegistrationFailed(_) => News::RegistrationFailed,
        Notice::Deregistered => News::Deregistered,
        Notice::RegistrationEnded(why) => News::RegistrationEnded(why.to_string()),
        Notice::DeregistrationFailed(why) => News::DeregistrationFailed(why.to_string()),
        Notice::IdRenewed => News::IdRenewed,
        Notice::IdNotRenewed(_) => News::IdNotRenewed,
        Notice::AuthorizationRenewed => News::AuthorizationRenewed,
        Notice::AuthorizationNotRenewed(_) => News::AuthorizationNotRenewed,
        Notice::CommunicationFailed(_) => News::CommunicationFailed,
        Notice::CommunicationRestored => News::CommunicationRestored,
        Notice::CertificateOutOfRange => News::CertificateOutOfRange,
        Notice::CertificateDropped => News::CertificateDropped,
        Notice::CertificateInRange => News::CertificateInRange,
        Notice::CertificateExpires { .. } => News::CertificateExpires,
        Notice::TrustPoolChanged => News::TrustPoolChanged,
        Notice::TrustRefused(why) => News::TrustRefused(why.clone()),
        Notice::RootExpires { .. }
        | Notice::OrdersTaken(_)
        | Notice::OrdersSetAside(_)
        | Notice::OrdersRefused(_) => return None,
        Notice::Forked => News::Forked,
        Notice::NotWritten => News::AgentNotWritten,
    })
}
