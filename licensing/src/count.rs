//! Session counts, license counts, and the one conversion between them.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// Sessions that hold a permit for a tag.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SessionCount(pub u32);

/// Licenses of a tag.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LicenseCount(pub u32);

impl SessionCount {
    /// Licenses that these sessions take: the quotient, rounded up.
    pub const fn licenses(self, sessions_per_license: NonZeroU32) -> LicenseCount {
        LicenseCount(self.0.div_ceil(sessions_per_license.get()))
    }
}

impl LicenseCount {
    /// Sessions that these licenses cover, at most `u32::MAX`.
    pub const fn sessions(self, sessions_per_license: NonZeroU32) -> SessionCount {
        SessionCount(self.0.saturating_mul(sessions_per_license.get()))
    }
}

impl fmt::Display for SessionCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LicenseCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
