//! The node's key: 32 random bytes that no other node has.

use std::fs;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;

use super::{StoreError, create_whole, file_error};

const KEY_BYTES: usize = 32;
const SERIAL_CHARACTERS: usize = 11;
/// Digits and letters that are not taken for one another.
const SERIAL_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";

/// The key of the codes that tell our files from those of another hand.
#[derive(Clone)]
pub(super) struct NodeKey([u8; KEY_BYTES]);

impl NodeKey {
    /// Reads the key, or makes one. One that is not there or is cut short makes all codes wrong: what they guard counts
    /// as tampered with.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("node.key");
        let read = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(file_error("reading", &path)(error)),
        };
        if let Ok(key) = read.try_into() {
            return Ok(Self(key));
        }
        let mut key = [0; KEY_BYTES];
        let filled = OsRng
            .try_fill_bytes(&mut key)
            .map_err(std::io::Error::other);
        filled.map_err(file_error("making a key for", &path))?;
        create_whole(&path, &key)?;
        Ok(Self(key))
    }

    /// The code of these bytes.
    pub(super) fn code(&self, bytes: &[u8]) -> [u8; 32] {
        let mut mac = self.mac();
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// Whether this is the code of these bytes, in a time that does not tell where it differs.
    pub(super) fn is_code(&self, bytes: &[u8], code: &[u8]) -> bool {
        let mut mac = self.mac();
        mac.update(bytes);
        mac.verify_slice(code).is_ok()
    }

    /// A serial number that says nothing of the key.
    pub(super) fn serial(&self) -> String {
        let code = self.code(b"serial number of the UDI");
        let letters = code
            .iter()
            .map(|byte| SERIAL_ALPHABET[usize::from(byte & 31)]);
        letters.take(SERIAL_CHARACTERS).map(char::from).collect()
    }

    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("an HMAC takes keys of every length")
    }
}

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeKey")
    }
}
