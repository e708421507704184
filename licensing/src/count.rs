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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_license_begun_is_a_license_taken() {
        let per = NonZeroU32::new(10_000).unwrap();
        for (sessions, licenses) in [
            (0, 0),
            (1, 1),
            (9_999, 1),
            (10_000, 1),
            (10_001, 2),
            (20_000, 2),
        ] {
            assert_eq!(SessionCount(sessions).licenses(per), LicenseCount(licenses));
        }
        let one = NonZeroU32::MIN;
        assert_eq!(SessionCount(u32::MAX).licenses(one), LicenseCount(u32::MAX));
        assert_eq!(
            SessionCount(u32::MAX).licenses(NonZeroU32::MAX),
            LicenseCount(1)
        );
    }

    #[test]
    fn licenses_cover_their_sessions_and_never_wrap() {
        let per = NonZeroU32::new(10_000).unwrap();
        assert_eq!(LicenseCount(0).sessions(per), SessionCount(0));
        assert_eq!(LicenseCount(3).sessions(per), SessionCount(30_000));
        assert_eq!(LicenseCount(429_497).sessions(per), SessionCount(u32::MAX));
    }
}
