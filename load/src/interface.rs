//! What is spoken, and the names and numbers that hang on it.

use gtp::{v1, v2};
use serde::{Deserialize, Serialize};

/// The interface on which calls are put on the gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// GTPv1-C on Gn or Gp: we are an SGSN, the gateway is a GGSN.
    #[default]
    Gn,
    /// GTPv2-C on S5 or S8: we are an SGW, the gateway is a PGW.
    S5,
    /// GTPv2-C on S11: we are an MME, the gateway is an SGW, or an SGW and PGW in one.
    S11,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Create PDP Context, or Create Session.
    Create,
    /// Update PDP Context, or Modify Bearer.
    Update,
    /// Release Access Bearers, on S11.
    Release,
    /// Delete PDP Context, or Delete Session.
    Delete,
}

impl Interface {
    /// Its name, as in TS 23.060 and TS 23.401.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gn => "Gn",
            Self::S5 => "S5/S8",
            Self::S11 => "S11",
        }
    }

    /// Short names of a call's procedures: create, update, release, delete.
    pub fn procedures(self) -> [&'static str; 4] {
        match self {
            Self::Gn => ["Create", "Update", "Release", "Delete"],
            Self::S5 | Self::S11 => ["Create", "Modify", "Release", "Delete"],
        }
    }

    /// The last sequence number of a request of ours; the first is 0. GTPv1 has 16 bits; GTPv2 has 24, of which the
    /// highest is set in commands only, and in what they trigger (TS 29.274 7.6).
    pub(crate) fn last_sequence(self) -> u32 {
        match self {
            Self::Gn => 0xFFFF,
            Self::S5 | Self::S11 => 0x007F_FFFF,
        }
    }

    /// Whether a cause accepts.
    pub(crate) fn accepts(self, cause: u8) -> bool {
        match self {
            Self::Gn => v1::Cause(cause).is_accepted(),
            Self::S5 | Self::S11 => v2::Cause(cause).is_accepted(),
        }
    }

    /// Whether a cause says that the gateway does not know the call.
    pub(crate) fn is_gone(self, cause: u8) -> bool {
        match self {
            Self::Gn => v1::Cause(cause) == v1::Cause::NON_EXISTENT,
            Self::S5 | Self::S11 => v2::Cause(cause) == v2::Cause::CONTEXT_NOT_FOUND,
        }
    }

    /// The name of a cause in the interface's own specification.
    pub(crate) fn cause_name(self, cause: u8) -> String {
        match self {
            Self::Gn => v1::Cause(cause).to_string(),
            Self::S5 | Self::S11 => v2::Cause(cause).to_string(),
        }
    }
}
