//! `ciscoSlaEntitlementEnforceMode`: what is enforced of a tag, and of the node as a whole.

use licensing::Compliance;
use licensing::snapshot::Snapshot;

use super::objects::Subject;
use crate::objects::Syntax;

/// What is enforced: of the modes that the MIB has, those that a node comes to.
///
/// Those that it does not: overage and reservations, which no authority grants it; a grace period of the authorization,
/// since silence lets evaluation time run; and those of policy mode, which the MIB keeps for agents in that mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EnforceMode {
    /// Nothing is in use.
    Initialized = 1,
    /// The authority has not said yet.
    Waiting = 2,
    /// The authority has authorized it.
    Authorized = 3,
    /// It was refused for want of licenses.
    OutOfCompliance = 4,
    /// Evaluation time runs.
    EvaluationPeriod = 6,
    /// Evaluation time is used up.
    EvaluationExpired = 7,
    /// The authority is silent for too long, or the licenses have ended.
    AuthorizationExpired = 8,
    /// Smart licensing is off.
    Disabled = 10,
    /// The authority does not know it.
    InvalidTag = 12,
}

/// All modes of the MIB.
pub const ENFORCE_MODES: Syntax = Syntax::Named(&[
    ("initialized", 1),
    ("waiting", 2),
    ("authorized", 3),
    ("outOfCompliance", 4),
    ("overage", 5),
    ("evaluationPeriod", 6),
    ("evaluationExpired", 7),
    ("authorizationExpired", 8),
    ("gracePeriodExpired", 9),
    ("disabled", 10),
    ("reservedAuthorized", 11),
    ("invalidTag", 12),
    ("notAuthorized", 13),
    ("notApplicable", 14),
    ("inUse", 15),
    ("notInUse", 16),
]);

impl EnforceMode {
    /// Of the tag of a subject, or of the node as a whole if that has none.
    pub fn of(subject: &Subject<'_>) -> Self {
        match subject.tag {
            None => Self::overall(subject.snapshot),
            Some(_) => Self::with(subject.snapshot, subject.compliance),
        }
    }

    /// Of the node as a whole: the worst of what is in use.
    pub fn overall(snapshot: &Snapshot) -> Self {
        let standings = snapshot.rows().filter_map(|row| row.tag().compliance);
        let worst = standings.max_by_key(|standing| gravity(*standing));
        Self::with(snapshot, worst)
    }

    fn with(snapshot: &Snapshot, standing: Option<Compliance>) -> Self {
        match standing {
            _ if !snapshot.smart.enabled => Self::Disabled,
            None => Self::Initialized,
            Some(standing) => standing.into(),
        }
    }

    /// Its number in the MIB.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// As `show license status` words it, without a date.
    pub fn words(self) -> &'static str {
        match self {
            Self::Initialized => "No Licenses in Use",
            Self::Waiting => "WAITING",
            Self::Authorized => "AUTHORIZED",
            Self::OutOfCompliance => "OUT OF COMPLIANCE",
            Self::EvaluationPeriod => "EVAL MODE",
            Self::EvaluationExpired => "EVAL EXPIRED",
            Self::AuthorizationExpired => "AUTHORIZATION EXPIRED",
            Self::Disabled => "DISABLED",
            Self::InvalidTag => "INVALID TAG",
        }
    }
}

impl From<Compliance> for EnforceMode {
    fn from(standing: Compliance) -> Self {
        match standing {
            Compliance::Waiting => Self::Waiting,
            Compliance::Authorized => Self::Authorized,
            Compliance::OutOfCompliance { .. } => Self::OutOfCompliance,
            Compliance::Evaluation => Self::EvaluationPeriod,
            Compliance::EvaluationExpired => Self::EvaluationExpired,
            Compliance::AuthorizationExpired => Self::AuthorizationExpired,
            Compliance::InvalidTag => Self::InvalidTag,
        }
    }
}

fn gravity(compliance: Compliance) -> u8 {
    match compliance {
        Compliance::Authorized => 0,
        Compliance::Waiting => 1,
        Compliance::Evaluation => 2,
        Compliance::InvalidTag => 3,
        Compliance::OutOfCompliance { .. } => 4,
        Compliance::AuthorizationExpired => 5,
        Compliance::EvaluationExpired => 6,
    }
}
