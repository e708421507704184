//! Keys: from passwords, localized to an engine, and what they do to octets.

use std::fmt;

use cfb_mode::cipher::KeyIvInit;
use cfb_mode::{Decryptor, Encryptor};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use super::EngineId;

/// Shortest password, in octets (RFC 3414 section 11.2).
const PASSWORD_MIN_BYTES: usize = 8;

/// How far a password is stretched, in octets (RFC 3414 section A.2).
const STRETCHED_BYTES: usize = 1_048_576;

/// How messages are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthProtocol {
    /// HMAC-SHA-1-96.
    Sha1,
    /// HMAC-SHA-256-192.
    Sha256,
    /// HMAC-SHA-384-256.
    Sha384,
    /// HMAC-SHA-512-384.
    Sha512,
}

/// How they are encrypted, both in CFB mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivProtocol {
    /// AES with a key of 128 bits (RFC 3826).
    Aes128,
    /// AES with one of 256 bits, which an authentication protocol of SHA-2 gives; there is no standard for stretching a
    /// shorter one.
    Aes256,
}

/// A secret; wiped when it goes, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<Vec<u8>>);

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Fewer than eight octets.
    #[error("a password has at least {PASSWORD_MIN_BYTES} octets")]
    PasswordTooShort,
    /// Not as long as the protocol's hash, or too short for the cipher.
    #[error("the key has {found} octets, the protocol wants {wanted}")]
    Length {
        /// What it has.
        found: usize,
        /// What it should.
        wanted: usize,
    },
    /// It is localized to another engine, and can't be brought to this one.
    #[error("the key is localized to another engine")]
    OtherEngine,
}

impl Key {
    /// Takes the octets of a key.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// Its octets: to be stored encrypted, never shown.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} octets)", self.0.len())
    }
}

impl AuthProtocol {
    /// Octets of its hash, and of its keys.
    pub fn key_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Octets of a MAC in a message.
    pub fn mac_bytes(self) -> usize {
        match self {
            Self::Sha1 => 12,
            Self::Sha256 => 24,
            Self::Sha384 => 32,
            Self::Sha512 => 48,
        }
    }

    /// The key of a password (Ku), good for any engine. It costs a megabyte of hashing, by design.
    pub fn key_of(self, password: &[u8]) -> Result<Key, KeyError> {
        if password.len() < PASSWORD_MIN_BYTES {
            return Err(KeyError::PasswordTooShort);
        }
        let stretched = password.iter().copied().cycle().take(STRETCHED_BYTES);
        let stretched = Zeroizing::new(stretched.collect::<Vec<u8>>());
        Ok(Key::new(self.hash(&[&stretched])))
    }

    /// The key that a user has with one engine (Kul).
    pub fn localize(self, key: &Key, engine: &EngineId) -> Key {
        Key::new(self.hash(&[key.octets(), engine.octets(), key.octets()]))
    }

    fn hash(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha1 => hash::<Sha1>(parts),
            Self::Sha256 => hash::<Sha256>(parts),
            Self::Sha384 => hash::<Sha384>(parts),
            Self::Sha512 => hash::<Sha512>(parts),
        }
    }

    /// The MAC of octets given in parts.
    pub(super) fn mac(self, key: &Key, parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, parts),
            Self::Sha384 => mac::<Hmac<Sha384>>(key, parts),
            Self::Sha512 => mac::<Hmac<Sha512>>(key, parts),
        };
        mac.truncate(self.mac_bytes());
        mac
    }

    /// Whether this is the MAC of the octets; how long that takes doesn't depend on where it differs.
    pub(super) fn is_mac(self, key: &Key, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.mac(key, parts).ct_eq(mac).into()
    }
}

fn hash<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().to_vec()
}

fn mac<M: Mac + KeyInit>(key: &Key, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac =
        <M as KeyInit>::new_from_slice(key.octets()).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

impl PrivProtocol {
    /// Octets of its key.
    pub fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    /// Encrypts in place.
    pub(super) fn encrypt(
        self,
        key: &Key,
        iv: &[u8; 16],
        octets: &mut [u8],
    ) -> Result<(), KeyError> {
        let (key, wrong) = self.cut(key)?;
        match self {
            Self::Aes128 => Encryptor::<aes::Aes128>::new_from_slices(key, iv)
                .map_err(|_| wrong)?
                .encrypt(octets),
            Self::Aes256 => Encryptor::<aes::Aes256>::new_from_slices(key, iv)
                .map_err(|_| wrong)?
                .encrypt(octets),
        }
        Ok(())
    }

    /// Decrypts in place.
    pub(super) fn decrypt(
        self,
        key: &Key,
        iv: &[u8; 16],
        octets: &mut [u8],
    ) -> Result<(), KeyError> {
        let (key, wrong) = self.cut(key)?;
        match self {
            Self::Aes128 => Decryptor::<aes::Aes128>::new_from_slices(key, iv)
                .map_err(|_| wrong)?
                .decrypt(octets),
            Self::Aes256 => Decryptor::<aes::Aes256>::new_from_slices(key, iv)
                .map_err(|_| wrong)?
                .decrypt(octets),
        }
        Ok(())
    }

    /// The first octets of a localized key are the cipher's.
    fn cut(self, key: &Key) -> Result<(&[u8], KeyError), KeyError> {
        let (wanted, found) = (self.key_bytes(), key.octets().len());
        let wrong = KeyError::Length { found, wanted };
        key.octets()
            .get(..wanted)
            .map(|key| (key, wrong))
            .ok_or(wrong)
    }
}
