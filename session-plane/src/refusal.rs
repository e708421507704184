//! What becomes of a refusal by the gate: the one place that maps its reason to a cause, notes it for the history and
//! counts its subscriber (rules L15, L17).

use std::sync::Arc;
use std::time::Duration;

use enforcer::{Refusal, RefusalSeen};
use gtp::v1::BackOffTime;
use gtp::v1::value::APN_MAX_BYTES;
use gtp::{v1, v2};
use licensing::{Now, ServiceIndex};
use rand::Rng;

use crate::call::Call;
use crate::config::{BackOff, GtpVersion};
use crate::plane::SessionPlane;
use crate::subscribers::RefusedCall;

/// A Back-Off Time can't say more (TS 29.060 7.7.102, TS 29.274 8.87).
const BACK_OFF_MAX: Duration = Duration::from_hours(310);

impl SessionPlane {
    /// The refusal as the peer is told it: the cause's number in the call's GTP version, and the back-off time. An access
    /// point name with a back-off time answers with the cause that stands for congestion and that time, unless the peer
    /// wants that with any cause; others answer with the cause configured for the reason.
    pub(crate) fn reject_refused(
        &mut self,
        call: &Call<'_>,
        refusal: Refusal,
        style: BackOff,
        now: Now,
    ) -> (u8, Option<BackOffTime>) {
        let apn = self.config.apns.get(usize::from(call.apn));
        let (service, wait) = apn.map_or((ServiceIndex(0), None), |a| (a.service, a.back_off));
        let congested = wait.is_some() && style == BackOff::WithCongestion;
        let cause = match (call.access.version(), congested) {
            (GtpVersion::V1, true) => v1::Cause::APN_CONGESTION.0,
            (GtpVersion::V2, true) => v2::Cause::APN_CONGESTION.0,
            (GtpVersion::V1, false) => self.config.causes.of(refusal.reason).0,
            (GtpVersion::V2, false) => self.config.causes_v2.of(refusal.reason).0,
        };
        let back_off = wait.map(|wait| self.jittered(wait));
        let name = self.asked_for(call);
        let refused = RefusedCall {
            at: now.wall,
            service,
            reason: refusal.reason,
            apn: Arc::clone(&name),
            cause,
        };
        let new_subscriber = self.refused.note(call.who, refused, now.mono);
        self.counters.plain.refused += 1;
        self.counters.plain.refused_subscribers += u64::from(new_subscriber);
        let by_apn = &mut self.counters.plain.refused_by_apn;
        if let Some(apn) = by_apn.get_mut(usize::from(call.apn)) {
            apn.count(refusal.reason);
            apn.subscribers += u64::from(new_subscriber);
        }
        self.shared.refusals.push(RefusalSeen {
            at: now.wall,
            service,
            reason: refusal.reason,
            sessions: refusal.sessions,
            ceiling: refusal.ceiling,
            apn: name,
            cause,
            new_subscriber,
        });
        (cause, back_off)
    }

    /// Up to half as long again, so that those refused together do not come back together.
    fn jittered(&mut self, wait: Duration) -> BackOffTime {
        let wait = wait.min(BACK_OFF_MAX);
        BackOffTime::at_least(wait.mul_f64(self.random.random_range(1.0..=1.5)))
    }

    /// The name that was asked for; the one configured is shared, only a wildcard's callers need a name of their own.
    fn asked_for(&self, call: &Call<'_>) -> Arc<str> {
        match self.shared.apns.served(call.apn) {
            Some(served) if !served.wildcard => Arc::clone(&served.name),
            Some(_) | None => {
                let mut buffer = [0; APN_MAX_BYTES];
                call.asked.network_identifier(&mut buffer).into()
            }
        }
    }
}
