//! The node's key: 32 random bytes that no other node has.

use std::fs;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{StoreError, beside, file_error, put_in_place, write_beside};

const KEY_BYTES: usize = 32;
const SERIAL_CHARACTERS: usize = 11;
/// Digits and letters that are not taken for one another.
const SERIAL_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";

/// The key of the codes that tell our files from those of another hand.
#[derive(Clone)]
pub(super) struct NodeKey(Zeroizing<[u8; KEY_BYTES]>);

impl NodeKey {
    fn of(key: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// Reads the key, and whether it was set up; or makes one, or takes that of a first start cut short, both to be set
    /// up once all that it guards is there. One that is lost makes all codes wrong: what they guard counts as tampered
    /// with.
    pub(super) fn open(dir: &Path) -> Result<(Self, bool), StoreError> {
        let path = path(dir);
        if let Some(key) = read(&path)? {
            return Ok((Self::of(key), true));
        }
        if let Some(key) = read(&beside(&path))? {
            return Ok((Self::of(key), false));
        }
        let mut key = [0; KEY_BYTES];
        let filled = OsRng
            .try_fill_bytes(&mut key)
            .map_err(std::io::Error::other);
        filled.map_err(file_error("making a key for", &path))?;
        write_beside(&path, &key)?;
        Ok((Self::of(key), false))
    }

    /// The key that is there, set up or not. Errors: it may be there, and can't be read.
    pub(super) fn kept(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = path(dir);
        let key = match read(&path)? {
            None => read(&beside(&path))?,
            key => key,
        };
        Ok(key.map(Self::of))
    }

    /// Gives a key that was not set up its name.
    pub(super) fn set_up(dir: &Path) -> Result<(), StoreError> {
        put_in_place(&path(dir))
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
        Hmac::new_from_slice(self.0.as_slice()).expect("an HMAC takes keys of every length")
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join("node.key")
}

/// The key in a file; none: there is no whole one.
fn read(path: &Path) -> Result<Option<[u8; KEY_BYTES]>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes.try_into().ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error("reading", path)(error)),
    }
}

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeKey")
    }
}
