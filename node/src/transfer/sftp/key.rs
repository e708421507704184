//! Keys as people write them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use russh::keys::ssh_key::Fingerprint;
use russh::keys::{self, Algorithm, HashAlg, PublicKey};
use thiserror::Error;

/// The one key that a receiver is believed by.
///
/// `SHA256:...` as `ssh-keygen -l` prints it, or a line as in a `.pub` file or of `ssh-keyscan`. Of a fingerprint it is not
/// known what kind of key it is; a receiver that has several is then compared by each, Ed25519 first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    fingerprint: Fingerprint,
    kind: Option<Algorithm>,
}

/// A private key in OpenSSH's or PKCS#8's text form, without a passphrase.
#[derive(Clone)]
pub struct PrivateKey(Arc<keys::PrivateKey>);

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Neither a fingerprint nor a public key.
    #[error("it is no host key: SHA256:<base64>, or <kind> <base64>")]
    HostKey,
    /// No private key.
    #[error("it is no private key that can be read here: OpenSSH or PKCS#8, Ed25519 or ECDSA")]
    PrivateKey,
    /// A private key that wants a passphrase.
    #[error("it is encrypted, and there is nobody here to ask for a passphrase")]
    Encrypted,
    /// An RSA key.
    #[error("it is an RSA key; only Ed25519 and ECDSA keys are taken")]
    Rsa,
}

impl FromStr for HostKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with("SHA256:") {
            let fingerprint = text.parse().map_err(|_| KeyError::HostKey)?;
            let kind = None;
            return Ok(Self { fingerprint, kind });
        }
        // `ssh-keyscan` has the host in front.
        let found = PublicKey::from_openssh(text).or_else(|error| {
            let (_host, line) = text.split_once(' ').ok_or(error)?;
            PublicKey::from_openssh(line)
        });
        let key = found.map_err(|_| KeyError::HostKey)?;
        if key.algorithm().is_rsa() {
            return Err(KeyError::Rsa);
        }
        Ok(Self {
            fingerprint: key.fingerprint(HashAlg::Sha256),
            kind: Some(key.algorithm()),
        })
    }
}

impl HostKey {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn kind(&self) -> Option<Algorithm> {
        self.kind.clone()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.0.algorithm())
    }
}

impl FromStr for PrivateKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = keys::decode_secret_key(text, None).map_err(|error| {
            match matches!(error, keys::Error::KeyIsEncrypted) {
                true => KeyError::Encrypted,
                false => KeyError::PrivateKey,
            }
        })?;
        match key.algorithm().is_rsa() {
            true => Err(KeyError::Rsa),
            false => Ok(Self(Arc::new(key))),
        }
    }
}

impl PrivateKey {
    pub(super) fn inner(&self) -> Arc<keys::PrivateKey> {
        Arc::clone(&self.0)
    }
}
