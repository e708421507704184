//! What a license authority orders about a tag, in place of what the catalog says (rule L2).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalog::OocRule;

/// The orders about one tag that are in force; by default there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagOrder {
    /// The rule out of compliance (rule L5); none: the catalog's holds.
    pub rule: Option<OocRule>,
    /// What becomes of a block.
    pub shadow: Shadow,
}

/// What becomes of the block of a tag: whether new calls that it refuses are refused, or let through and counted.
///
/// It concerns blocks alone: ceilings hold as ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shadow {
    /// Nothing is ordered: they are refused.
    #[default]
    Off,
    /// They are let through.
    Observe,
    /// They are let through, and an alarm stands.
    Warn,
    /// This share of the subscribers is refused, always the same ones; the others' calls are let through.
    Ramp {
        /// 1 to 100.
        percent: u8,
    },
    /// They are refused.
    Block,
}

impl Shadow {
    /// Percent of the subscribers whose new calls a block refuses: 0 to 100.
    pub fn refused_percent(self) -> u8 {
        match self {
            Self::Off | Self::Block => 100,
            Self::Observe | Self::Warn => 0,
            Self::Ramp { percent } => percent.min(100),
        }
    }
}

impl fmt::Display for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.pad("off"),
            Self::Observe => f.pad("observe"),
            Self::Warn => f.pad("warn"),
            Self::Ramp { percent } => f.pad(&format!("ramp {percent} %")),
            Self::Block => f.pad("block"),
        }
    }
}
