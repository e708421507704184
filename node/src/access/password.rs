//! Passwords as files have them: their Argon2id hash in the form that `argon2 -e` prints, and never the password.
//!
//! ```text
//! $argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH      both in base64 without padding
//! ```

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Memory and passes of what is made here: the least that OWASP names for Argon2id.
const KIB: u32 = 19_456;
const PASSES: u32 = 2;
/// Most of what is read: each guess costs as much.
const KIB_MAX: u32 = 65_536;
const PASSES_MAX: u32 = 10;
const LANES_MAX: u32 = 4;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Fewest letters of a password, and most bytes.
pub(crate) const PASSWORD_LETTERS_MIN: usize = 8;
pub(crate) const PASSWORD_BYTES_MAX: usize = 255;

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    params: (u32, u32, u32),
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// A text is no such hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is no hash such as $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH")]
pub struct NoHash;

impl PasswordHash {
    /// Of a password, with a salt of its own. It takes tens of milliseconds on purpose. Errors: the system has no random
    /// octets.
    pub(crate) fn of(password: &str) -> std::io::Result<Self> {
        let mut salt = vec![0; SALT_BYTES];
        let filled = OsRng.try_fill_bytes(&mut salt);
        filled.map_err(std::io::Error::other)?;
        let params = (KIB, PASSES, 1);
        let hash = argon2id(password, &salt, params, HASH_BYTES);
        Ok(Self { params, salt, hash })
    }

    /// One that no password has, so that a guess at an account that is not there takes as long as any other.
    pub(crate) fn of_nobody() -> Self {
        Self {
            params: (KIB, PASSES, 1),
            salt: vec![0; SALT_BYTES],
            hash: Vec::new(),
        }
    }

    /// Is it of this password? As slow as [`PasswordHash::of`].
    pub(crate) fn is(&self, password: &str) -> bool {
        let length = self.hash.len().max(HASH_BYTES);
        let found = argon2id(password, &self.salt, self.params, length);
        // Digests of them, so that the time of the comparison says nothing of the hash.
        !found.is_empty()
            && !self.hash.is_empty()
            && Sha256::digest(&found) == Sha256::digest(&self.hash)
    }
}

fn argon2id(password: &str, salt: &[u8], (m, t, p): (u32, u32, u32), length: usize) -> Vec<u8> {
    let mut hash = vec![0; length];
    let made = Params::new(m, t, p, Some(length)).and_then(|params| {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(password.as_bytes(), salt, &mut hash)
    });
    // Parameters that the algorithm does not have: nothing is equal to it.
    if made.is_err() {
        hash.clear();
    }
    hash
}

impl FromStr for PasswordHash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let parts: Vec<&str> = text.split('$').collect();
        let ["", "argon2id", "v=19", params, salt, hash] = parts[..] else {
            return Err(NoHash);
        };
        let params: Vec<&str> = params.split(',').collect();
        let [m, t, p] = params[..] else {
            return Err(NoHash);
        };
        let number = |text: &str, key: &str, most: u32| -> Result<u32, NoHash> {
            let digits = text.strip_prefix(key).ok_or(NoHash)?;
            let number = digits.parse().map_err(|_| NoHash)?;
            (1..=most).contains(&number).then_some(number).ok_or(NoHash)
        };
        let params = (
            number(m, "m=", KIB_MAX)?,
            number(t, "t=", PASSES_MAX)?,
            number(p, "p=", LANES_MAX)?,
        );
        let octets = |text: &str, least: usize| {
            let octets = STANDARD_NO_PAD.decode(text).map_err(|_| NoHash)?;
            let fits = (least..=64).contains(&octets.len());
            fits.then_some(octets).ok_or(NoHash)
        };
        let (salt, hash) = (octets(salt, 8)?, octets(hash, 16)?);
        Ok(Self { params, salt, hash })
    }
}

/// As files have it.
impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (m, t, p) = self.params;
        let coded = |octets: &[u8]| STANDARD_NO_PAD.encode(octets);
        let (salt, hash) = (coded(&self.salt), coded(&self.hash));
        write!(f, "$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}")
    }
}

/// Without the hash.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    //= TS 33.117 4.2.3.2.3
    #[test]
    fn a_password_is_known_again_and_no_other() {
        let kept = PasswordHash::of("correct horse").unwrap().to_string();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert!(!kept.contains("correct"));
        let read: PasswordHash = kept.parse().unwrap();
        assert!(read.is("correct horse"));
        assert!(!read.is("correct hors"));
        assert!(!PasswordHash::of_nobody().is(""));
        assert!(!PasswordHash::of_nobody().is("correct horse"));
        assert_ne!(
            PasswordHash::of("correct horse").unwrap().to_string(),
            kept,
            "salted"
        );
    }

    #[test]
    fn what_argon2_of_debian_prints_is_read() {
        // printf sesame-sesame | argon2 somesalt -id -e -m 12 -t 2
        let text = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$";
        let hash = STANDARD_NO_PAD.encode(argon2id("sesame", b"somesalt", (64, 1, 1), 32));
        let read: PasswordHash = format!("{text}{hash}").parse().unwrap();
        assert!(read.is("sesame") && !read.is("sesam"));
    }

    #[test]
    fn what_is_no_hash_or_costs_too_much_is_none() {
        let tail = "c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let of = |head: &str| format!("{head}${tail}").parse::<PasswordHash>();
        assert!(of("$argon2id$v=19$m=64,t=1,p=1").is_ok());
        let none = [
            "$argon2id$v=19$m=65537,t=1,p=1",
            "$argon2id$v=19$m=64,t=11,p=1",
            "$argon2id$v=19$m=64,t=1,p=5",
            "$argon2id$v=19$m=0,t=1,p=1",
            "$argon2i$v=19$m=64,t=1,p=1",
            "$argon2id$v=16$m=64,t=1,p=1",
            "$argon2id$v=19$m=64,t=1",
        ];
        for head in none {
            assert_eq!(of(head), Err(NoHash), "{head}");
        }
        assert_eq!("sesame".parse::<PasswordHash>(), Err(NoHash));
    }
}
