//! Secrets that the node keeps in files: encrypted by its key, and good for nothing without it.
//!
//! ```text
//! sealed:BASE64   nonce (12 octets, random), text by AES-256-GCM, tag (16)
//! ```

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::key::NodeKey;
use super::{StoreError, file_error};

/// How such a text begins.
const SEALED: &str = "sealed:";

/// Encrypts a secret by the key of the node whose state directory this is.
pub(crate) fn seal(dir: &Path, secret: &str) -> Result<String, StoreError> {
    let (key, _) = NodeKey::open(dir)?;
    let mut nonce = [0; NONCE_LEN];
    let filled = OsRng
        .try_fill_bytes(&mut nonce)
        .map_err(std::io::Error::other);
    filled.map_err(file_error("sealing a secret in", dir))?;
    let mut text = secret.as_bytes().to_vec();
    let nonce_of = Nonce::assume_unique_for_key(nonce);
    let sealed = cipher(&key).seal_in_place_append_tag(nonce_of, Aad::empty(), &mut text);
    sealed.expect("a secret is shorter than 64 GiB");
    let all = [nonce.as_slice(), &text].concat();
    Ok(format!("{SEALED}{}", STANDARD.encode(all)))
}

/// Whether a text is sealed.
pub(crate) fn is_sealed(text: &str) -> bool {
    text.starts_with(SEALED)
}

/// Whether there is a key; else [`seal`] makes one. Errors: it can't be read.
pub(crate) fn has_key(dir: &Path) -> Result<bool, StoreError> {
    Ok(NodeKey::kept(dir)?.is_some())
}

/// The secret of a sealed text; none: it is not whole, or another node's, or the key is lost. Nothing is written.
/// Errors: the key can't be read.
pub(crate) fn unseal(dir: &Path, sealed: &str) -> Result<Option<Zeroizing<String>>, StoreError> {
    let key = NodeKey::kept(dir)?;
    Ok(key.and_then(|key| opened(&key, sealed)))
}

fn opened(key: &NodeKey, sealed: &str) -> Option<Zeroizing<String>> {
    let mut all = STANDARD.decode(sealed.strip_prefix(SEALED)?).ok()?;
    let (nonce, text) = all.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let opened = cipher(key).open_in_place(nonce, Aad::empty(), text);
    let secret = std::str::from_utf8(opened.ok()?).ok()?;
    let secret = Zeroizing::new(secret.to_owned());
    zeroize::Zeroize::zeroize(&mut all);
    Some(secret)
}

fn cipher(key: &NodeKey) -> LessSafeKey {
    let key = Zeroizing::new(key.code(b"key of sealed secrets"));
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice());
    LessSafeKey::new(key.expect("it has the 32 octets that the cipher wants"))
}

#[cfg(test)]
mod tests {
    use super::*;

    //= TS 33.117 4.2.3.2.3
    #[test]
    fn a_secret_is_opened_by_the_node_that_sealed_it_and_by_no_other() {
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sealed = seal(own.path(), "maplesyrup").unwrap();
        assert!(is_sealed(&sealed) && !sealed.contains("maple"));
        let opened = |text: &str| {
            let secret = unseal(own.path(), text).unwrap();
            secret.map(|secret| secret.to_string())
        };
        assert_eq!(opened(&sealed).as_deref(), Some("maplesyrup"));
        assert_ne!(seal(own.path(), "maplesyrup").unwrap(), sealed);
        assert_eq!(unseal(other.path(), &sealed).unwrap(), None, "no key");
        seal(other.path(), "maplesyrup").unwrap();
        assert_eq!(unseal(other.path(), &sealed).unwrap(), None, "another key");
        for at in [7, 20, sealed.len() - 3] {
            let mut altered = sealed.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(opened(std::str::from_utf8(&altered).unwrap()), None, "{at}");
        }
        for cut in ["maplesyrup", "sealed:", "sealed:AAAA", "sealed:?"] {
            assert_eq!(opened(cut), None);
        }
    }
}
