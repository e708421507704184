//! What people are to know of the agent, in the log.

use smart_agent::Notice;
use snmp::notifications::News;

/// Writes a notice into the log.
pub(super) fn log(notice: &Notice) {
    match notice {
        Notice::Registered => tracing::info!("registered with the license authority"),
        Notice::RegistrationFailed(why) => tracing::error!(%why, "registration failed"),
        Notice::Deregistered => tracing::info!("the registration has ended"),
        Notice::RegistrationEnded(why) => {
            tracing::error!(%why, "the license authority has ended the registration");
        }
        Notice::DeregistrationFailed(why) => tracing::error!(%why, "deregistration failed"),
        Notice::IdRenewed => tracing::info!("the identity certificate was renewed"),
        Notice::IdNotRenewed(why) => {
            tracing::warn!(%why, "the identity certificate was not renewed");
        }
        Notice::AuthorizationRenewed => tracing::info!("the authorization was renewed"),
        Notice::AuthorizationNotRenewed(why) => {
            tracing::warn!(%why, "the authorization was not renewed");
        }
        Notice::CommunicationFailed(why) => {
            tracing::warn!(%why, "no answer from the license authority");
        }
        Notice::CommunicationRestored => tracing::info!("the license authority answers again"),
        Notice::CertificateOutOfRange => tracing::error!(
            "the date is outside of the identity certificate's validity: correct the clock within the hour"
        ),
        Notice::CertificateDropped => {
            tracing::error!("the identity certificate is not used any more: correct the clock");
        }
        Notice::CertificateInRange => tracing::info!("the identity certificate is valid again"),
        Notice::CertificateExpires { at } => {
            tracing::warn!(
                at_ms = at.0,
                "the identity certificate ends soon and is not renewed"
            );
        }
        Notice::TrustPoolChanged => tracing::info!("the trust pool has changed"),
        Notice::TrustRefused(why) => tracing::warn!(%why, "the trust pool takes something not"),
        Notice::RootExpires { fingerprint, at } => {
            tracing::warn!(
                %fingerprint,
                at_ms = at.0,
                "a root of the trust pool expires"
            );
        }
        Notice::Forked => tracing::error!(
            "the license authority sees two nodes of this identity, or that this one's state was restored"
        ),
        Notice::OrdersTaken(serial) => {
            tracing::info!(serial, "orders of the license authority are in force");
        }
        Notice::OrdersSetAside(why) => {
            tracing::error!(%why, "some orders of the license authority are not in force");
        }
        Notice::OrdersRefused(why) => {
            tracing::error!(%why, "orders of the license authority are refused");
        }
        Notice::NotWritten => {
            tracing::error!(
                "nothing is sent to the license authority until the disk takes records"
            );
        }
    }
}

/// What managers are told of a notice; none: the table of alarms has it, or it is for the log alone.
pub(super) fn news(notice: &Notice) -> Option<News> {
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
