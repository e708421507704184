//! What is told beside the snapshot: alarms with their urgency, and SNMP.

use api::{Failure, Reply, Request, TRAPS_LIMIT_MAX};
use axum::http::StatusCode;

use super::{Interface, Refused};
use crate::alarms;

impl Interface {
    /// The alarms of one snapshot, and those that were raised until then.
    pub(super) async fn alarms(&self) -> Reply {
        // Asked for so that the last snapshot is one of now, if the control thread works.
        let stalled = self.ask(Request::Snapshot).await.is_err();
        let (snapshot, raised) = self.current.load_raised();
        Reply::Alarms {
            age_ms: self.age_ms(&snapshot),
            stalled,
            alarms: alarms::view(&snapshot, &raised),
            snapshot: Box::new(snapshot.as_ref().clone()),
        }
    }

    /// SNMP, with the newest `history` notifications. Errors: more than one answer holds.
    pub(super) async fn snmp(&self, history: u32) -> Result<Reply, Refused> {
        if history > TRAPS_LIMIT_MAX {
            let todo = format!("ask for at most {TRAPS_LIMIT_MAX}");
            let failure = Failure::new(format!("{history} notifications"), "history", todo);
            return Err((StatusCode::BAD_REQUEST, failure));
        }
        let (snapshot, age_ms, stalled) = self.now().await;
        let now = self.clock.now().mono;
        let history = usize::try_from(history).unwrap_or(usize::MAX);
        let mut snmp = Box::new(self.snmp.view(history, now));
        snmp.stalled = self.vitals.snmp_stalled(now);
        Ok(Reply::Snmp {
            snapshot,
            age_ms,
            stalled,
            snmp,
        })
    }
}
