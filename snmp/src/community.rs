//! Communities: the passwords of SNMPv1 and SNMPv2c.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A community; wiped when it goes, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Community(Zeroizing<Vec<u8>>);

impl Community {
    /// Takes its octets.
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(octets.into()))
    }

    /// Its octets: to be sent, or stored encrypted, never shown.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Whether a message carries this one; how long that takes doesn't depend on where it differs.
    pub fn is(&self, octets: &[u8]) -> bool {
        self.0.ct_eq(octets).into()
    }
}

impl fmt::Debug for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Community")
    }
}
