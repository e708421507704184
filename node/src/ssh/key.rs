//! The host key: made at the first start that serves SSH, and kept.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use rand::TryRngCore;
use rand::rngs::OsRng;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use zeroize::Zeroizing;

use crate::error::NodeError;
use crate::store::create_whole;

/// The file, in OpenSSH's form, mode 0600.
const FILE: &str = "ssh_host_ed25519_key";

/// The key that is kept, or a new one. Errors: it can't be read or written.
pub(super) fn host_key(state_dir: &Path) -> Result<PrivateKey, NodeError> {
    let path = state_dir.join(FILE);
    let wrong = |source: io::Error| NodeError::HostKey {
        path: path.clone(),
        source,
    };
    let other = |error: &dyn std::fmt::Display| wrong(io::Error::other(error.to_string()));
    match fs::read(&path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            return PrivateKey::from_openssh(&*text).map_err(|error| other(&error));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(wrong(error)),
    }
    let mut seed = Zeroizing::new([0; 32]);
    let filled = OsRng.try_fill_bytes(seed.as_mut_slice());
    filled.map_err(|error| other(&error))?;
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    let text = key
        .to_openssh(LineEnding::LF)
        .map_err(|error| other(&error))?;
    create_whole(&path, text.as_bytes())?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use russh::keys::HashAlg;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_its_owners() {
        let dir = tempfile::tempdir().unwrap();
        let fingerprint = || {
            let key = host_key(dir.path()).unwrap();
            key.public_key().fingerprint(HashAlg::Sha256).to_string()
        };
        let first = fingerprint();
        assert_eq!(fingerprint(), first);
        let path = dir.path().join(FILE);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&path, "no key").unwrap();
        assert!(host_key(dir.path()).is_err());
        fs::remove_file(&path).unwrap();
        assert_ne!(fingerprint(), first);
    }
}
