//! Events: edges, each told once, in order, to every surface that must decide what it means there.

use serde::{Deserialize, Serialize};

use crate::alarm::Alarm;
use crate::compliance::{Compliance, Mode, Policy};
use crate::count::SessionCount;
use crate::tag::{FeatureIndex, ServiceIndex, TagRef};

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A condition began.
    AlarmRaised {
        /// The alarm.
        alarm: Alarm,
    },
    /// A condition still stands and is said again, under the same id.
    AlarmRepeated {
        /// The alarm.
        alarm: Alarm,
    },
    /// A condition ended.
    AlarmCleared {
        /// The alarm, as it stood; `value` is the figure at its end.
        alarm: Alarm,
    },
    /// `license smart enable` took effect.
    SmartLicensingEnabled,
    /// `no license smart enable` took effect.
    SmartLicensingDisabled,
    /// The node's mode changed.
    ModeChanged {
        /// From this.
        from: Mode,
        /// To this.
        to: Mode,
    },
    /// The first use of the evaluation period.
    EvaluationStarted,
    /// A warning before the evaluation period ends (rule L3).
    EvaluationWarning {
        /// License time left, in seconds.
        remaining_s: u64,
    },
    /// A warning while the authority stays silent (section on faults: days 30, 60, 80, 85).
    SilenceWarning {
        /// License time since it was last heard, in seconds.
        silent_s: u64,
    },
    /// The standing of a tag changed.
    ComplianceChanged {
        /// The tag.
        tag: TagRef,
        /// From this; none: the tag was not in use.
        from: Option<Compliance>,
        /// To this; none: the tag is not in use any more.
        to: Option<Compliance>,
    },
    /// The policy of a tag changed.
    PolicyChanged {
        /// The tag.
        tag: TagRef,
        /// From this.
        from: Policy,
        /// To this.
        to: Policy,
    },
    /// The ceiling of a service changed; none: unlimited.
    CeilingChanged {
        /// The service.
        service: ServiceIndex,
        /// From this.
        from: Option<SessionCount>,
        /// To this.
        to: Option<SessionCount>,
    },
    /// A feature was enabled in the configuration.
    FeatureEnabled {
        /// The feature.
        feature: FeatureIndex,
    },
    /// A feature was disabled in the configuration.
    FeatureDisabled {
        /// The feature.
        feature: FeatureIndex,
    },
    /// The wall clock moved against the monotonic one by more than five minutes.
    ClockJumped {
        /// By so many seconds, forward positive.
        by_s: i64,
    },
    /// The speed of the license clock of a lab node was set.
    LabSpeedup {
        /// License seconds a second.
        speedup: u32,
    },
}
