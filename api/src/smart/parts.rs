//! The small values that messages are made of.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Shortest registration token, in bytes.
pub const ID_TOKEN_BYTES_MIN: usize = 16;
/// Longest registration token, in bytes.
pub const ID_TOKEN_BYTES_MAX: usize = 512;

/// Why a text is not the value that it should be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PartError {
    /// Not a decimal number of 64 bits.
    #[error("a nonce is a decimal number below 2^64")]
    Nonce,
    /// Not a UUID.
    #[error("a product instance identifier is a UUID in lower case")]
    InstanceId,
    /// Not a serial number.
    #[error("a serial number is 1 to 40 lower-case hexadecimal digits")]
    Serial,
    /// Not base64.
    #[error("not base64 with padding")]
    Base64,
    /// Not a digest.
    #[error("a digest is 64 lower-case hexadecimal digits")]
    Digest,
    /// Not a registration token.
    #[error(
        "a registration token has {ID_TOKEN_BYTES_MIN} to {ID_TOKEN_BYTES_MAX} characters of letters, digits and % + / = _ . ~ -"
    )]
    IdToken,
    /// Not a version that is understood here.
    #[error("version {0} is not understood, only {version}", version = super::VERSION)]
    Version(String),
}

/// The version of the format; only [`super::VERSION`] is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version;

/// A number that stands for one attempt to send: an answer repeats it. Drawn at random; on the wire a decimal string,
/// because readers of JSON lose digits of such numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Nonce(pub u64);

/// The product instance identifier: a UUID in lower case that the authority gives out at registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId(String);

/// The serial number of a certificate: lower-case hexadecimal digits, no leading zero octet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(String);

/// Octets; base64 with padding on the wire.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Octets(pub Vec<u8>);

/// A SHA-256 digest; lower-case hexadecimal digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

/// A registration token, as an operator got it from the authority. It is a secret: it shows itself nowhere but in
/// [`IdToken::reveal`] and in the message that it is for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdToken(String);

impl InstanceId {
    /// Checks the form and takes the text over.
    pub fn new(text: impl Into<String>) -> Result<Self, PartError> {
        let text = text.into();
        let hyphens = [8, 13, 18, 23];
        let good = text.len() == 36
            && text.bytes().enumerate().all(|(at, octet)| {
                if hyphens.contains(&at) {
                    octet == b'-'
                } else {
                    lower_hex(octet)
                }
            });
        good.then_some(Self(text)).ok_or(PartError::InstanceId)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serial {
    /// Of the octets of a serial number, as a certificate has them.
    pub fn of(octets: &[u8]) -> Self {
        let significant = octets.iter().position(|octet| *octet != 0);
        let octets = &octets[significant.unwrap_or(octets.len().saturating_sub(1))..];
        Self(if octets.is_empty() {
            "00".into()
        } else {
            hex(octets)
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IdToken {
    /// Checks the form and takes the text over.
    pub fn new(text: impl Into<String>) -> Result<Self, PartError> {
        let text = text.into();
        let good = (ID_TOKEN_BYTES_MIN..=ID_TOKEN_BYTES_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"%+/=_.~-".contains(&octet));
        good.then_some(Self(text)).ok_or(PartError::IdToken)
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

fn lower_hex(octet: u8) -> bool {
    matches!(octet, b'0'..=b'9' | b'a'..=b'f')
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl TryFrom<String> for Version {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        if text == super::VERSION {
            return Ok(Self);
        }
        let shown = text.chars().take(16).filter(|c| !c.is_control());
        Err(PartError::Version(shown.collect()))
    }
}

impl From<Version> for String {
    fn from(Version: Version) -> Self {
        super::VERSION.into()
    }
}

impl TryFrom<String> for Nonce {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        let nonce = text.parse().map(Self).map_err(|_| PartError::Nonce)?;
        let exact = String::from(nonce) == text;
        exact.then_some(nonce).ok_or(PartError::Nonce)
    }
}

impl From<Nonce> for String {
    fn from(nonce: Nonce) -> Self {
        nonce.0.to_string()
    }
}

impl TryFrom<String> for InstanceId {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        Self::new(text)
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.0
    }
}

impl TryFrom<String> for Serial {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        let good = (1..=40).contains(&text.len()) && text.bytes().all(lower_hex);
        good.then_some(Self(text)).ok_or(PartError::Serial)
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.0
    }
}

impl TryFrom<String> for Octets {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        let octets = STANDARD.decode(text).map_err(|_| PartError::Base64)?;
        Ok(Self(octets))
    }
}

impl From<Octets> for String {
    fn from(octets: Octets) -> Self {
        STANDARD.encode(octets.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        if text.len() != 64 || !text.bytes().all(lower_hex) {
            return Err(PartError::Digest);
        }
        let mut digest = [0; 32];
        for (octet, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| PartError::Digest)?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| PartError::Digest)?;
        }
        Ok(Self(digest))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        hex(&digest.0)
    }
}

impl TryFrom<String> for IdToken {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        Self::new(text)
    }
}

impl From<IdToken> for String {
    fn from(token: IdToken) -> Self {
        token.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Octets({} bytes)", self.0.len())
    }
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(..)")
    }
}
