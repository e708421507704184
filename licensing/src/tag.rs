//! Tags: the names of licensable things, and their places in the catalog.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest tag accepted, in bytes.
pub const TAG_MAX_BYTES: usize = 255;

/// Name of one licensable thing, `regid.YYYY-MM.<reverse domain>.<NAME>,<version>_<uuid>`.
///
/// It holds no white space: breaks inside printed tags are artefacts of the page they were printed on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// Why a text is not a tag.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TagError {
    /// Nothing there.
    #[error("a tag is not empty")]
    Empty,
    /// Longer than [`TAG_MAX_BYTES`].
    #[error("a tag has at most {TAG_MAX_BYTES} bytes, this one has {0}")]
    TooLong(usize),
    /// White space or a control character at this byte.
    #[error("a tag holds no white space or control character, this one has one at byte {0}")]
    WhiteSpace(usize),
    /// Not of the form `regid.YYYY-MM.<reverse domain>.<NAME>,<version>_<uuid>`.
    #[error("a tag has the form regid.YYYY-MM.<reverse domain>.<NAME>,<version>_<uuid>: {0}")]
    Form(&'static str),
}

impl Tag {
    /// Checks the form and takes the text over.
    pub fn new(text: impl Into<String>) -> Result<Self, TagError> {
        let text = text.into();
        if text.is_empty() {
            return Err(TagError::Empty);
        }
        if text.len() > TAG_MAX_BYTES {
            return Err(TagError::TooLong(text.len()));
        }
        if let Some((at, _)) = text
            .char_indices()
            .find(|(_, c)| c.is_whitespace() || c.is_control())
        {
            return Err(TagError::WhiteSpace(at));
        }
        check_form(&text)?;
        Ok(Self(text))
    }

    /// The whole tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_form(text: &str) -> Result<(), TagError> {
    let rest = text
        .strip_prefix("regid.")
        .ok_or(TagError::Form("it does not begin with regid."))?;
    let (date, rest) = rest
        .split_once('.')
        .ok_or(TagError::Form("nothing follows the date"))?;
    let date = date.as_bytes();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if date.len() != 7 || date[4] != b'-' || !digits(&date[..4]) || !digits(&date[5..]) {
        return Err(TagError::Form("the date is not YYYY-MM"));
    }
    let (name, version) = rest
        .split_once(',')
        .ok_or(TagError::Form("no comma before the version"))?;
    if name
        .rsplit_once('.')
        .is_none_or(|(domain, name)| domain.is_empty() || name.is_empty())
    {
        return Err(TagError::Form("no reverse domain before the name"));
    }
    let (version, uuid) = version
        .split_once('_')
        .ok_or(TagError::Form("no underscore between version and uuid"))?;
    if version.is_empty() {
        return Err(TagError::Form("the version is empty"));
    }
    check_uuid(uuid)
}

fn check_uuid(uuid: &str) -> Result<(), TagError> {
    let groups = [8, 4, 4, 4, 12];
    let mut parts = uuid.split('-');
    for length in groups {
        let good = parts.next().is_some_and(|part| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit())
        });
        if !good {
            return Err(TagError::Form(
                "the uuid is not 8-4-4-4-12 hexadecimal digits",
            ));
        }
    }
    match parts.next() {
        None => Ok(()),
        Some(_) => Err(TagError::Form("the uuid has more than five groups")),
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;

    fn try_from(text: String) -> Result<Self, TagError> {
        Self::new(text)
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The small number of a tag, unique among services and, apart from them, among features (seed: TagId).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TagId(pub u16);

impl fmt::Display for TagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of a service in the catalog, 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceIndex(pub u8);

/// Place of a feature in the catalog, 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureIndex(pub u8);

impl ServiceIndex {
    /// As an index into the catalog's services.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

impl FeatureIndex {
    /// As an index into the catalog's features.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// A service tag or a feature tag, by its place in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TagRef {
    /// A counted service.
    Service(ServiceIndex),
    /// An on/off feature.
    Feature(FeatureIndex),
}

/// A set of features, one bit a [`FeatureIndex`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct FeatureSet(pub u64);

impl FeatureSet {
    /// No feature.
    pub const EMPTY: Self = Self(0);

    /// With this one as well.
    #[must_use]
    pub const fn with(self, feature: FeatureIndex) -> Self {
        Self(self.0 | 1 << (feature.0 & 63))
    }

    /// Without this one.
    #[must_use]
    pub const fn without(self, feature: FeatureIndex) -> Self {
        Self(self.0 & !(1 << (feature.0 & 63)))
    }

    /// Is it in?
    pub const fn contains(self, feature: FeatureIndex) -> bool {
        self.0 >> (feature.0 & 63) & 1 == 1
    }

    /// Those in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// None in it?
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The features, in the catalog's order.
    pub fn iter(self) -> impl Iterator<Item = FeatureIndex> {
        (0..64).map(FeatureIndex).filter(move |f| self.contains(*f))
    }
}

impl FromIterator<FeatureIndex> for FeatureSet {
    fn from_iter<I: IntoIterator<Item = FeatureIndex>>(features: I) -> Self {
        features.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "regid.2017-02.com.cisco.ASR5K-00-PW10GTWY,1.0_85a577a1-017d-4dc6-8bf7-4fac7c4d465a";

    #[test]
    fn a_tag_is_taken_over_whole() {
        assert_eq!(Tag::new(GOOD).unwrap().as_str(), GOOD);
        assert_eq!(Tag::new(GOOD).unwrap().to_string(), GOOD);
    }

    #[test]
    fn what_is_not_a_tag_is_refused() {
        assert_eq!(Tag::new(""), Err(TagError::Empty));
        let long = format!("{GOOD}{}", "0".repeat(TAG_MAX_BYTES));
        assert_eq!(Tag::new(long.clone()), Err(TagError::TooLong(long.len())));
        for (from, to) in [
            ("regid.", "regex."),
            ("2017-02", "2017-2"),
            ("2017-02", "2017_02"),
            ("2017-02", "20x7-02"),
            ("com.cisco.ASR5K-00-PW10GTWY", "ASR5K-00-PW10GTWY"),
            ("ASR5K-00-PW10GTWY", ""),
            (",1.0", "1.0"),
            ("1.0_", "_"),
            ("_85a577a1", "85a577a1"),
            ("85a577a1", "85a577a"),
            ("85a577a1", "85a577ag"),
            ("4fac7c4d465a", "4fac7c4d465a-0"),
            ("-4fac7c4d465a", ""),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert!(
                matches!(Tag::new(text.clone()), Err(TagError::Form(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: FeatureSet = [FeatureIndex(63), FeatureIndex(0), FeatureIndex(7)]
            .into_iter()
            .collect();
        let order: Vec<u8> = set.iter().map(|feature| feature.0).collect();
        assert_eq!(order, [0, 7, 63]);
        let less = set.without(FeatureIndex(0)).without(FeatureIndex(5));
        assert!(!less.contains(FeatureIndex(0)) && less.contains(FeatureIndex(63)));
        assert_eq!(set.intersection(less), less);
        assert!(FeatureSet::EMPTY.is_empty() && !set.is_empty());
    }
}
