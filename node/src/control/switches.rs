//! What operators switch: smart licensing, features, the speed of a lab node's license clock.

use api::Reply;
use enforcer::verdicts::Input;
use licensing::FeatureIndex;

use super::{Control, Denial, Denied, deny};
use crate::clock::SPEEDUP_MAX;

impl Control {
    /// Smart licensing is enabled by the configuration where no operator has ever enabled it.
    pub(super) fn enable_at_start(&mut self) {
        let now = self.clock.now();
        if self.smart_enable && !self.enforcer.snapshot(now).smart.ever_enabled {
            self.tell(Input::SmartLicensing { enable: true }, now);
            self.publish(now);
        }
    }

    pub(super) fn switch(&mut self, enable: bool) -> Reply {
        let now = self.clock.now();
        let before = self.enforcer.snapshot(now).smart.enabled;
        self.tell(Input::SmartLicensing { enable }, now);
        self.publish(now);
        Reply::Done {
            changed: before != enable,
        }
    }

    pub(super) fn switch_feature(&mut self, name: &str, enabled: bool) -> Result<Reply, Denied> {
        let feature = self.feature_named(name)?;
        let now = self.clock.now();
        let before = self.enforcer.snapshot(now).features[feature.at()].enabled;
        self.tell(Input::Feature { feature, enabled }, now);
        self.publish(now);
        Ok(Reply::Done {
            changed: before != enabled,
        })
    }

    pub(super) fn feature_named(&self, name: &str) -> Result<FeatureIndex, Denied> {
        self.catalog.feature_named(name).map_or_else(
            || {
                let known: Vec<_> = self
                    .catalog
                    .features()
                    .iter()
                    .map(|f| f.name.as_str())
                    .collect();
                let known = known.join(", ");
                let what = format!("no feature is called {name:?}");
                let todo = format!("name one of {known}");
                deny(Denial::Unknown, what, "name", todo)
            },
            Ok,
        )
    }

    pub(super) fn speed_up(&mut self, speedup: u32) -> Result<Reply, Denied> {
        if self.lab.is_none() {
            let what = "this node is not marked lab: its license clock has the speed of time";
            let todo = "add a [lab] section to the configuration of a test node";
            return deny(Denial::NotHere, what, "request", todo);
        }
        if !(1..=SPEEDUP_MAX).contains(&speedup) {
            let what = format!("{speedup} license seconds a second");
            let todo = format!("give 1 to {SPEEDUP_MAX}");
            return deny(Denial::Invalid, what, "speedup", todo);
        }
        let now = self.clock.now();
        let changed = self.clock.speedup() != speedup;
        self.tell(Input::LabSpeedup { speedup }, now);
        self.clock.set_speedup(speedup);
        self.publish(now);
        Ok(Reply::Done { changed })
    }
}
