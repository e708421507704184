//! Secrets: what is drawn at random, and digests of it, which is all that is kept.

use api::smart::Digest;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use zeroize::Zeroizing;

/// Memory of a password's digest, in KiB, and passes over it: the least that OWASP names for Argon2id.
const PASSWORD_KIB: u32 = 19_456;
const PASSWORD_PASSES: u32 = 2;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// A secret that somebody sent: wherever it is printed, it is not, and its memory is wiped.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Random octets, fit for keys.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    SystemRandom::new()
        .fill(&mut octets)
        .expect("the operating system gives random octets once it has started");
    octets
}

/// A secret of 256 bits, as people copy it.
pub(crate) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

/// SHA-256.
pub(crate) fn digest(octets: &[u8]) -> Digest {
    let found = ring::digest::digest(&ring::digest::SHA256, octets);
    let mut digest = [0; 32];
    digest.copy_from_slice(found.as_ref());
    Digest(digest)
}

/// A random UUID (RFC 9562, version 4), in lower case.
pub(crate) fn uuid() -> String {
    let mut octets = random::<16>();
    octets[6] = octets[6] & 0x0f | 0x40;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex: String = octets.iter().map(|o| format!("{o:02x}")).collect();
    let groups = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    groups.join("-")
}

/// What is kept of a password. It takes tens of milliseconds on purpose: not for a thread that has others to serve.
pub(crate) fn password_digest(password: &str) -> String {
    let salt = random::<SALT_BYTES>();
    encoded(&salt, &argon2id(password, &salt))
}

/// What would be kept of a password that nobody has: to look at it takes as long as at another.
pub(crate) fn no_password() -> String {
    encoded(&random::<SALT_BYTES>(), &random::<HASH_BYTES>())
}

fn encoded(salt: &[u8], hash: &[u8]) -> String {
    let coded = |octets: &[u8]| STANDARD_NO_PAD.encode(octets);
    format!(
        "$argon2id$v=19$m={PASSWORD_KIB},t={PASSWORD_PASSES},p=1${}${}",
        coded(salt),
        coded(hash)
    )
}

/// Whether what is kept is of this password; as slow as [`password_digest`].
pub(crate) fn password_is(password: &str, kept: &str) -> bool {
    let mut parts = kept.rsplit('$');
    let decode = |part: Option<&str>| STANDARD_NO_PAD.decode(part.unwrap_or_default());
    let (Ok(hash), Ok(salt)) = (decode(parts.next()), decode(parts.next())) else {
        return false;
    };
    let found = argon2id(password, &salt);
    // Digests of them, so that the time of the comparison says nothing of the hash.
    found.len() == HASH_BYTES && digest(&found) == digest(&hash)
}

fn argon2id(password: &str, salt: &[u8]) -> Vec<u8> {
    let params = Params::new(PASSWORD_KIB, PASSWORD_PASSES, 1, Some(HASH_BYTES))
        .expect("the constants are in the bounds of the algorithm");
    let mut hash = vec![0; HASH_BYTES];
    let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        password.as_bytes(),
        salt,
        &mut hash,
    );
    // Only a salt that is too short fails, and then nothing is equal to it.
    if made.is_err() {
        hash.clear();
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let kept = password_digest("correct horse");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(!kept.contains("correct"));
        assert!(password_is("correct horse", &kept));
        assert!(!password_is("correct hors", &kept));
        assert!(!password_is("", "") && !password_is("x", "$$"));
        assert_ne!(kept, password_digest("correct horse"), "salted");
        let nobody = no_password();
        assert_eq!(nobody.len(), kept.len());
        assert!(!password_is("correct horse", &nobody));
    }

    #[test]
    fn uuids_are_version_4() {
        let uuid = uuid();
        assert!(api::smart::InstanceId::new(uuid.clone()).is_ok(), "{uuid}");
        assert_eq!(&uuid[14..15], "4");
    }
}
