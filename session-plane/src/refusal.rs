//! What becomes of a refusal by the gate: the one place that maps its reason to a cause, notes it for the history and
//! counts its subscriber (rules L15, L17).

use std::sync::Arc;
use std::time::Duration;

use enforcer::{Refusal, RefusalSeen};
use gtp::v1::value::APN_MAX_BYTES;
use gtp::v1::{Apn as AskedApn, BackOffTime, Cause};
use licensing::{Now, ServiceIndex};
use rand::Rng;

use crate::plane::SessionPlane;
use crate::procedure::Rejected;
use crate::session::Identity;

/// A Back-Off Time can't say more (TS 29.060 7.7.102).
const BACK_OFF_MAX: Duration = Duration::from_hours(310);

/// Whose call was refused, and what it asked for.
pub(crate) struct Refused<'a> {
    pub who: Identity,
    pub asked: AskedApn<'a>,
    /// Place in the configured access point names.
    pub apn: u16,
    pub refusal: Refusal,
}

impl SessionPlane {
    /// The refusal as the peer is told it. An access point name with a back-off time answers with cause 229 and that
    /// time, others with the cause configured for the reason.
    pub(crate) fn reject_refused(&mut self, refused: &Refused<'_>, now: Now) -> Rejected {
        let apn = self.config.apns.get(usize::from(refused.apn));
        let (service, back_off) = apn.map_or((ServiceIndex(0), None), |a| (a.service, a.back_off));
        let rejected = match back_off {
            Some(wait) => Rejected {
                cause: Cause::APN_CONGESTION,
                back_off: Some(self.jittered(wait)),
            },
            None => Rejected::from(self.config.causes.of(refused.refusal.reason)),
        };
        let new_subscriber = self.refused.note(refused.who, service, now.mono);
        self.counters.plain.refused += 1;
        self.counters.plain.refused_subscribers += u64::from(new_subscriber);
        self.shared.refusals.push(RefusalSeen {
            at: now.wall,
            service,
            reason: refused.refusal.reason,
            sessions: refused.refusal.sessions,
            ceiling: refused.refusal.ceiling,
            apn: self.asked_for(refused),
            cause: rejected.cause.0,
            new_subscriber,
        });
        rejected
    }

    /// Up to half as long again, so that those refused together do not come back together.
    fn jittered(&mut self, wait: Duration) -> BackOffTime {
        let wait = wait.min(BACK_OFF_MAX);
        BackOffTime::at_least(wait.mul_f64(self.random.random_range(1.0..=1.5)))
    }

    /// The name that was asked for; the one configured is shared, only a wildcard's callers need a name of their own.
    fn asked_for(&self, refused: &Refused<'_>) -> Arc<str> {
        match self.shared.apns.served(refused.apn) {
            Some(served) if !served.wildcard => Arc::clone(&served.name),
            Some(_) | None => {
                let mut buffer = [0; APN_MAX_BYTES];
                refused.asked.network_identifier(&mut buffer).into()
            }
        }
    }
}
