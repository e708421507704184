//! What is kept between commands: where the authority is, its root, and the token of a session.

use std::fs;
use std::path::{Path, PathBuf};

use api::Failure;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::authority_command::args::With;
use crate::secrets::{first_line, write_private};

/// The environment variable that names the folder.
const DIR_VARIABLE: &str = "TOLLGATE_ADMIN_DIR";
/// The environment variable that holds a token.
const TOKEN_VARIABLE: &str = "TOLLGATE_ADMIN_TOKEN";
/// The folder, from the home directory on.
const DIR_DEFAULT: &str = ".tollgate";
/// Where an authority with the default configuration is.
const AUTHORITY_DEFAULT: &str = "https://localhost:8443";

const ROOT: &str = "root.pem";
const AUTHORITY: &str = "authority";
const TOKEN: &str = "token";

/// The folder, and what was typed in place of what is in it.
pub struct Keep<'a> {
    dir: PathBuf,
    with: &'a With,
}

impl<'a> Keep<'a> {
    /// The option, else what the environment says, else the default.
    pub fn of(with: &'a With) -> Result<Self, Failure> {
        let named = with.dir.clone();
        let named = named.or_else(|| std::env::var_os(DIR_VARIABLE).map(PathBuf::from));
        let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(DIR_DEFAULT));
        let dir = named.or_else(home).ok_or_else(|| {
            let todo = "name a folder with --dir or TOLLGATE_ADMIN_DIR";
            Failure::new("there is no home directory", "environment", todo)
        })?;
        Ok(Self { dir, with })
    }

    /// Where the authority is.
    pub fn authority(&self) -> String {
        let named = self.with.authority.clone();
        let kept = || first_line(&self.dir.join(AUTHORITY)).ok();
        named
            .or_else(kept)
            .unwrap_or_else(|| AUTHORITY_DEFAULT.into())
    }

    /// Its root, in DER.
    pub fn root(&self) -> Result<CertificateDer<'static>, Failure> {
        let named = self.with.root.clone();
        root(&named.unwrap_or_else(|| self.dir.join(ROOT)))
    }

    /// The token to call with.
    pub fn token(&self) -> Result<String, Failure> {
        if let Some(file) = &self.with.token_file {
            return first_line(file);
        }
        if let Ok(token) = std::env::var(TOKEN_VARIABLE) {
            return Ok(token);
        }
        first_line(&self.dir.join(TOKEN)).map_err(|_| {
            let todo = "tollgate authority admin login --user NAME";
            Failure::new("you are not logged in", self.place(TOKEN), todo)
        })
    }

    /// Keeps a root, and where the authority is if that was said.
    pub fn trust(&self, file: &Path) -> Result<CertificateDer<'static>, Failure> {
        let der = root(file)?;
        let text = fs::read_to_string(file).map_err(|error| unread(file, &error))?;
        self.make()?;
        write_private(&self.dir.join(ROOT), &text, true)?;
        if let Some(authority) = &self.with.authority {
            write_private(&self.dir.join(AUTHORITY), &format!("{authority}\n"), true)?;
        }
        Ok(der)
    }

    /// Keeps the token of a session.
    pub fn keep_token(&self, token: &str) -> Result<(), Failure> {
        self.make()?;
        write_private(&self.dir.join(TOKEN), &format!("{token}\n"), true)
    }

    /// Forgets it; true if one was kept.
    pub fn forget_token(&self) -> bool {
        fs::remove_file(self.dir.join(TOKEN)).is_ok()
    }

    fn make(&self) -> Result<(), Failure> {
        use std::os::unix::fs::DirBuilderExt;
        let mut builder = fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|error| {
            let what = format!("the folder can't be made: {error}");
            let todo = "name another with --dir or TOLLGATE_ADMIN_DIR";
            Failure::new(what, self.dir.display().to_string(), todo)
        })
    }

    fn place(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

fn root(file: &Path) -> Result<CertificateDer<'static>, Failure> {
    let text = fs::read(file).map_err(|error| unread(file, &error))?;
    CertificateDer::from_pem_slice(&text).map_err(|_| {
        let what = "there is no certificate in PEM in it";
        Failure::new(what, file.display().to_string(), TRUST)
    })
}

/// How one gets a root.
const TRUST: &str = "tollgate authority admin trust FILE, which is pki/root.pem of the authority";

fn unread(file: &Path, error: &std::io::Error) -> Failure {
    let what = format!("the authority's root certificate can't be read: {error}");
    Failure::new(what, file.display().to_string(), TRUST)
}
