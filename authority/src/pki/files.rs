//! The folder that the certificates and keys of an authority are kept in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use api::smart::Octets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

const ROOT: &str = "root.pem";
const ISSUING: &str = "issuing.pem";
const SIGNER: &str = "signer.pem";
const ROOT_KEY: &str = "root.key";
const ISSUING_KEY: &str = "issuing.key";
const SIGNER_KEY: &str = "signer.key";

/// Characters of a line in PEM (RFC 7468, section 2).
const LINE: usize = 64;

/// Why a file of certificates can't be used.
#[derive(Debug, Error)]
pub enum PkiFileError {
    /// It can't be read or written.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not PEM of the kind that it should be.
    #[error("{0}: it is not what was written there; put the file back from a backup")]
    Form(PathBuf),
    /// Others than its owner may read a key.
    #[error("{0}: others may read this key; make its mode 0600, and think about who has read it")]
    Open(PathBuf),
}

/// What is kept.
pub(super) struct Kept {
    pub(super) root: Octets,
    pub(super) issuing: Octets,
    pub(super) signer: Octets,
    pub(super) root_key: Zeroizing<Vec<u8>>,
    pub(super) issuing_key: Zeroizing<Vec<u8>>,
    pub(super) signer_key: Zeroizing<Vec<u8>>,
}

impl Kept {
    /// Writes the folder, which appears whole or not at all.
    pub(super) fn write(&self, dir: &Path) -> Result<(), PkiFileError> {
        let beside = dir.with_added_extension("new");
        let failed = |file: &Path| {
            let file = file.to_owned();
            move |source| PkiFileError::Io { file, source }
        };
        if beside.exists() {
            fs::remove_dir_all(&beside).map_err(failed(&beside))?;
        }
        let mut builder = fs::DirBuilder::new();
        let made = builder.mode(0o700).create(&beside);
        made.map_err(failed(&beside))?;
        for (name, der) in self.certificates() {
            put(&beside.join(name), "CERTIFICATE", &der.0, 0o644)?;
        }
        for (name, der) in self.keys() {
            put(&beside.join(name), "PRIVATE KEY", der, 0o600)?;
        }
        let above = dir.parent().filter(|above| !above.as_os_str().is_empty());
        let above = above.unwrap_or(Path::new("."));
        sync(&beside).map_err(failed(&beside))?;
        fs::rename(&beside, dir).map_err(failed(dir))?;
        sync(above).map_err(failed(above))
    }

    /// Reads the folder; the root's key stays where it is.
    pub(super) fn read(dir: &Path) -> Result<Self, PkiFileError> {
        let certificate =
            |name: &str| get(&dir.join(name), "CERTIFICATE").map(|der| Octets(der.to_vec()));
        let key = |name: &str| {
            let file = dir.join(name);
            check_private(&file)?;
            get(&file, "PRIVATE KEY")
        };
        Ok(Self {
            root: certificate(ROOT)?,
            issuing: certificate(ISSUING)?,
            signer: certificate(SIGNER)?,
            root_key: Zeroizing::new(Vec::new()),
            issuing_key: key(ISSUING_KEY)?,
            signer_key: key(SIGNER_KEY)?,
        })
    }

    fn certificates(&self) -> [(&str, &Octets); 3] {
        [
            (ROOT, &self.root),
            (ISSUING, &self.issuing),
            (SIGNER, &self.signer),
        ]
    }

    fn keys(&self) -> [(&str, &[u8]); 3] {
        [
            (ROOT_KEY, &self.root_key),
            (ISSUING_KEY, &self.issuing_key),
            (SIGNER_KEY, &self.signer_key),
        ]
    }
}

/// The root's key, which is read when it is used, and may be kept elsewhere until then.
pub(super) fn root_key(dir: &Path) -> Result<Zeroizing<Vec<u8>>, PkiFileError> {
    let file = dir.join(ROOT_KEY);
    check_private(&file)?;
    get(&file, "PRIVATE KEY")
}

/// Puts another certificate of the issuing authority in the place of that which is there.
pub(super) fn replace_issuing(dir: &Path, der: &Octets) -> Result<(), PkiFileError> {
    replace(dir, ISSUING, der)
}

/// The same of the signer of answers.
pub(super) fn replace_signer(dir: &Path, der: &Octets) -> Result<(), PkiFileError> {
    replace(dir, SIGNER, der)
}

fn replace(dir: &Path, name: &str, der: &Octets) -> Result<(), PkiFileError> {
    let file = dir.join(name);
    let beside = file.with_added_extension("new");
    let failed = |source| PkiFileError::Io {
        file: file.clone(),
        source,
    };
    if beside.exists() {
        fs::remove_file(&beside).map_err(failed)?;
    }
    put(&beside, "CERTIFICATE", &der.0, 0o644)?;
    fs::rename(&beside, &file).map_err(failed)?;
    sync(dir).map_err(failed)
}

/// DER as PEM (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let coded = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    let mut rest = coded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

fn put(file: &Path, label: &str, der: &[u8], mode: u32) -> Result<(), PkiFileError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let written = options.open(file).and_then(|mut open| {
        open.write_all(pem(label, der).as_bytes())?;
        open.sync_all()
    });
    written.map_err(|source| PkiFileError::Io {
        file: file.to_owned(),
        source,
    })
}

fn get(file: &Path, label: &str) -> Result<Zeroizing<Vec<u8>>, PkiFileError> {
    let text = fs::read_to_string(file).map_err(|source| PkiFileError::Io {
        file: file.to_owned(),
        source,
    })?;
    let text = Zeroizing::new(text);
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let body = text.trim().strip_prefix(&begin);
    let body = body.and_then(|body| body.strip_suffix(&end));
    let form = || PkiFileError::Form(file.to_owned());
    let mut coded = Zeroizing::new(String::with_capacity(text.len()));
    coded.extend(body.ok_or_else(form)?.split_whitespace());
    let der = STANDARD.decode(coded.as_bytes()).map_err(|_| form())?;
    Ok(Zeroizing::new(der))
}

fn check_private(file: &Path) -> Result<(), PkiFileError> {
    let metadata = fs::metadata(file).map_err(|source| PkiFileError::Io {
        file: file.to_owned(),
        source,
    })?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(PkiFileError::Open(file.to_owned()));
    }
    Ok(())
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
