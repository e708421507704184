//! Object identifiers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use thiserror::Error;

/// An object identifier; they order as a walk meets them, arc by arc.
///
/// It has at least two arcs, of which the first two follow X.660 (at most `2.x` and `1.39`), and no more than
/// [`Oid::ARCS_MAX`] (RFC 2578 section 3.5), unless somebody joined it longer: what grows by joining is bounded by who
/// joins. Sixteen arcs are held in place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Oid(SmallVec<[u32; 16]>);

/// Why arcs or a text are not an object identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OidError {
    /// One arc can't be encoded.
    #[error("an object identifier has at least two arcs")]
    TooShort,
    /// More than [`Oid::ARCS_MAX`].
    #[error("an object identifier has at most {} arcs", Oid::ARCS_MAX)]
    TooLong,
    /// The first arc is above 2, or the second above 39 below 0 and 1, or too large to be encoded below 2.
    #[error("an object identifier begins with 0.0 to 0.39, 1.0 to 1.39 or 2.0")]
    Beginning,
    /// A part between dots is not a number of 32 bits.
    #[error("the arcs of an object identifier are numbers up to 4294967295 with dots between")]
    Arc,
}

impl Oid {
    /// Most arcs of an object identifier in SMIv2.
    pub const ARCS_MAX: usize = 128;

    /// Takes arcs that come from outside.
    pub fn new(arcs: &[u32]) -> Result<Self, OidError> {
        let [first, second, ..] = *arcs else {
            return Err(OidError::TooShort);
        };
        let begins = match first {
            0 | 1 => second < 40,
            2 => second <= u32::MAX - 80,
            _ => false,
        };
        match () {
            () if !begins => Err(OidError::Beginning),
            () if arcs.len() > Self::ARCS_MAX => Err(OidError::TooLong),
            () => Ok(Self(SmallVec::from_slice(arcs))),
        }
    }

    /// Where something begins or ends, which need not be an identifier itself.
    pub(crate) fn bound(arcs: &[u32]) -> Self {
        Self(SmallVec::from_slice(arcs))
    }

    /// All arcs.
    pub fn arcs(&self) -> &[u32] {
        &self.0
    }

    /// This one with more arcs at its end.
    #[must_use]
    pub fn join(&self, arcs: &[u32]) -> Self {
        let mut joined = self.0.clone();
        joined.extend_from_slice(arcs);
        Self(joined)
    }

    /// Instance of a scalar: `.0` at the end.
    #[must_use]
    pub fn instance(&self) -> Self {
        self.join(&[0])
    }

    /// Whether this one is `root`, or below it.
    pub fn is_within(&self, root: &Self) -> bool {
        self.0.starts_with(&root.0)
    }

    /// The arcs below `root`, if it is within.
    pub fn below(&self, root: &Self) -> Option<&[u32]> {
        self.0.strip_prefix(root.0.as_slice())
    }
}

/// For tables of known identifiers; fewer than two arcs or too many stop the build.
impl<const N: usize> From<[u32; N]> for Oid {
    fn from(arcs: [u32; N]) -> Self {
        const { assert!(N >= 2 && N <= Self::ARCS_MAX) };
        Self(SmallVec::from_slice(&arcs))
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, arc) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            write!(f, "{arc}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.to_string()
    }
}

impl TryFrom<String> for Oid {
    type Error = OidError;

    fn try_from(text: String) -> Result<Self, OidError> {
        text.parse()
    }
}

/// Reads `1.3.6.1`, with a dot before it or without.
impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        let text = text.strip_prefix('.').unwrap_or(text);
        let mut arcs: SmallVec<[u32; 16]> = SmallVec::new();
        for part in text.split('.') {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let arc = part.parse().ok().filter(|_| digits);
            arcs.push(arc.ok_or(OidError::Arc)?);
            if arcs.len() > Self::ARCS_MAX {
                return Err(OidError::TooLong);
            }
        }
        Self::new(&arcs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_and_printed() {
        let oid: Oid = "1.3.6.1.4.1.8164.2.1349".parse().unwrap();
        assert_eq!(oid, Oid::from([1, 3, 6, 1, 4, 1, 8164, 2, 1349]));
        assert_eq!(oid.to_string(), "1.3.6.1.4.1.8164.2.1349");
        assert_eq!(".0.0".parse(), Ok(Oid::from([0, 0])));
        assert_eq!("2.4294967215".parse(), Ok(Oid::from([2, 4_294_967_215])));
    }

    #[test]
    fn what_is_no_object_identifier_is_refused() {
        let long = vec!["1"; 129].join(".");
        for (text, why) in [
            ("", OidError::Arc),
            ("1", OidError::TooShort),
            ("1..3", OidError::Arc),
            ("1.+3", OidError::Arc),
            ("1.3.", OidError::Arc),
            ("1.3.4294967296", OidError::Arc),
            ("1.40", OidError::Beginning),
            ("3.1", OidError::Beginning),
            ("2.4294967216", OidError::Beginning),
            (long.as_str(), OidError::TooLong),
        ] {
            assert_eq!(text.parse::<Oid>(), Err(why), "{text}");
        }
        assert!(Oid::new(&[1; 128]).is_ok());
        assert_eq!(Oid::new(&[1; 129]), Err(OidError::TooLong));
    }

    #[test]
    fn they_order_arc_by_arc_and_not_as_text() {
        let of = |text: &str| text.parse::<Oid>().unwrap();
        let mut walk = [of("1.3.10"), of("1.3.9.1"), of("1.3.9"), of("1.3.9.0")];
        walk.sort();
        assert_eq!(
            walk,
            [of("1.3.9"), of("1.3.9.0"), of("1.3.9.1"), of("1.3.10")]
        );
    }

    #[test]
    fn what_is_below_a_root_has_its_arcs() {
        let root = Oid::from([1, 3, 6]);
        let instance = root.join(&[7]).instance();
        assert_eq!(instance.below(&root), Some(&[7, 0][..]));
        assert!(root.is_within(&root) && instance.is_within(&root));
        assert_eq!(root.below(&instance), None);
        assert!(!Oid::from([1, 3, 60]).is_within(&root));
    }
}
