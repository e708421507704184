//! A license authority on a PostgreSQL server that is killed, comes back, refuses, or holds what is not the authority's.
//!
//! It needs PostgreSQL, so that `cargo xtask test --peers` runs it: feature `postgres`.
#![forbid(unsafe_code)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use authority::{Authority, Config, Database, Kept, Settings};
use licensing::Catalog;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::json;
use tests::office::{Office, pem};
use tests::postgres::Postgres;
use tests::wait::eventually;
use tokio::runtime::Runtime;

/// The machine may be busy.
const LIMIT: Duration = Duration::from_secs(60);
const PASSWORD: &str = "opensesame7";

/// Licenses that were entered, and calls that may or may not have entered one.
#[derive(Default)]
struct Entered {
    sure: i64,
    unsure: i64,
}

impl Entered {
    /// Enters one license, always of the same terms; the error, if there is one.
    fn enter(&mut self, office: &Office) -> Option<anyhow::Error> {
        let new = json!({
            "license": "PGW", "quantity": 1, "licenseType": "PERPETUAL", "startDate": "2026-01-01",
        });
        let failed = office.account("POST", "/licenses", Some(new)).err();
        match failed {
            None => self.sure += 1,
            Some(_) => self.unsure += 1,
        }
        failed
    }
}

/// Both who reads and who writes is told.
fn told(error: &anyhow::Error) -> Result<()> {
    let why = format!("{error:#}");
    let is = why.contains("503") && why.contains("doesn't reach its database");
    ensure!(is, "{why}");
    Ok(())
}

//= L10
#[test]
fn a_server_that_is_killed_and_comes_back_is_waited_for_and_nothing_is_half_done() -> Result<()> {
    let mut postgres = Postgres::start()?;
    postgres.sql("postgres", "CREATE DATABASE books")?;
    let dir = tempfile::tempdir()?;
    let office = Office::start(Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database: Some(Database::new(&postgres.url("postgres", "books"), None)?),
        ..Config::new(dir.path().join("authority"))
    })?;
    let mut entered = Entered::default();
    for _ in 0..3 {
        // It is killed while licenses are entered.
        let (done, begun) = mpsc::channel();
        let failed = thread::scope(|scope| -> Result<_> {
            let (office, entered) = (&office, &mut entered);
            let entering = scope.spawn(move || {
                loop {
                    if let Some(error) = entered.enter(office) {
                        return error;
                    }
                    // Who listens has heard enough.
                    let _ = done.send(());
                }
            });
            for _ in 0..5 {
                begun.recv_timeout(LIMIT)?;
            }
            postgres.kill()?;
            Ok(entering.join().expect("it returns"))
        })?;
        told(&failed)?;
        let read = || Ok(office.account("GET", "/licenses", None).err());
        told(&eventually("a reader is told", LIMIT, read)?)?;
        postgres.begin()?;
        eventually("licenses are entered again", LIMIT, || {
            Ok(entered.enter(&office).is_none().then_some(()))
        })?;
    }
    let number = |sql| -> Result<i64> { Ok(postgres.sql("books", sql)?.parse()?) };
    let owned = number("SELECT sum(quantity) FROM licenses")?;
    let Entered { sure, unsure } = entered;
    let bounds = sure..=sure + unsure;
    ensure!(bounds.contains(&owned), "{owned} owned of {bounds:?}");
    let audited = "SELECT count(*) FROM audit WHERE action = 'add-licenses'";
    assert_eq!(number(audited)?, owned);
    let events = "SELECT count(*) FROM events WHERE kind = 'LICENSES_ADDED'";
    assert_eq!(number(events)?, owned);
    Ok(())
}

/// What an authority on a database is refused with; none: it was opened, and ended.
fn refusal(runtime: &Runtime, dir: &Path, database: &Database) -> Option<String> {
    runtime.block_on(async {
        match Authority::open(settings(dir, database)).await {
            Ok((authority, _)) => {
                authority.close().await;
                None
            }
            Err(error) => Some(error.to_string()),
        }
    })
}

fn settings(dir: &Path, database: &Database) -> Settings {
    Settings {
        state_dir: dir.to_owned(),
        database: Some(database.clone()),
        catalog: Catalog::staros().into(),
        speedup: None,
        silent_days: 31,
        kept: Kept::default(),
    }
}

/// A file with a password.
fn password(dir: &Path, text: &str, mode: u32) -> Result<PathBuf> {
    let file = dir.join("database.password");
    fs::write(&file, text)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
    Ok(file)
}

#[test]
fn what_is_wrong_with_a_database_is_said_without_its_password() -> Result<()> {
    let mut postgres = Postgres::start()?;
    let role = format!("CREATE ROLE tollgate LOGIN PASSWORD '{PASSWORD}'");
    for sql in [
        role.as_str(),
        "CREATE DATABASE books OWNER tollgate",
        "CREATE DATABASE others OWNER tollgate",
        "CREATE DATABASE latin OWNER tollgate TEMPLATE template0 ENCODING 'LATIN1'
         LC_COLLATE 'C' LC_CTYPE 'C'",
    ] {
        postgres.sql("postgres", sql)?;
    }
    postgres.sql("others", "CREATE TABLE theirs (id int)")?;
    let dir = tempfile::tempdir()?;
    let runtime = Runtime::new()?;
    let said = |postgres: &Postgres, name: &str, text: &str, mode: u32| -> Result<String> {
        let file = password(dir.path(), text, mode)?;
        let database = Database::new(&postgres.url("tollgate", name), Some(file))?;
        let said = refusal(&runtime, dir.path(), &database).unwrap_or_default();
        ensure!(!said.contains(PASSWORD), "{said}");
        Ok(said)
    };
    let right = format!("{PASSWORD}\n");
    for (name, text, mode, expected) in [
        ("books", "wrong", 0o600, "the database refuses the login"),
        ("books", &right, 0o640, "others may read this password"),
        ("absent", &right, 0o600, "there is no such database"),
        (
            "others",
            &right,
            0o600,
            "tables that no license authority made",
        ),
        (
            "latin",
            &right,
            0o600,
            "the encoding of the database is LATIN1",
        ),
    ] {
        let said = said(&postgres, name, text, mode)?;
        ensure!(said.contains(expected), "{name}: {said}");
    }
    assert_eq!(said(&postgres, "books", &right, 0o600)?, "");
    assert_eq!(said(&postgres, "books", PASSWORD, 0o600)?, "", "once more");

    // One authority at a time.
    let file = password(dir.path(), PASSWORD, 0o600)?;
    let books = Database::new(&postgres.url("tollgate", "books"), Some(file))?;
    let first = runtime.block_on(Authority::open(settings(dir.path(), &books)))?;
    let second = refusal(&runtime, dir.path(), &books).context("it was opened")?;
    ensure!(second.contains("another license authority has"), "{second}");
    runtime.block_on(first.0.close());
    assert_eq!(refusal(&runtime, dir.path(), &books), None);

    let newer = "INSERT INTO _sqlx_migrations VALUES (99, 'later', now(), true, '', 0)";
    postgres.sql("books", newer)?;
    let said = refusal(&runtime, dir.path(), &books).context("it was opened")?;
    ensure!(said.contains("the store is of version 99"), "{said}");

    postgres.kill()?;
    let said = eventually("it is gone", LIMIT, || {
        let said = refusal(&runtime, dir.path(), &books);
        Ok(said.filter(|said| !said.contains("version 99")))
    })?;
    ensure!(said.contains("the database can't be reached"), "{said}");
    Ok(())
}

/// A root in a file, and a certificate for `localhost` below it with its key, in PEM.
fn certificates(dir: &Path, name: &str) -> Result<(PathBuf, String, String)> {
    let root_key = KeyPair::generate()?;
    let mut issuing = CertificateParams::new([])?;
    issuing.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    issuing.distinguished_name.push(DnType::CommonName, name);
    let root = issuing.self_signed(&root_key)?;
    let file = dir.join(name);
    fs::write(&file, pem("CERTIFICATE", root.der()))?;
    let key = KeyPair::generate()?;
    let params = CertificateParams::new(["localhost".to_owned()])?;
    let issuer = Issuer::from_params(&issuing, root_key);
    let certificate = params.signed_by(&key, &issuer)?;
    let certificate = pem("CERTIFICATE", certificate.der());
    Ok((file, certificate, pem("PRIVATE KEY", &key.serialize_der())))
}

#[test]
fn a_server_elsewhere_is_spoken_to_in_secret_below_the_root_that_is_named() -> Result<()> {
    let mut postgres = Postgres::start()?;
    for sql in [
        &format!("CREATE ROLE tollgate LOGIN PASSWORD '{PASSWORD}'"),
        "CREATE DATABASE books OWNER tollgate",
    ] {
        postgres.sql("postgres", sql)?;
    }
    let dir = tempfile::tempdir()?;
    let (root, certificate, key) = certificates(dir.path(), "root.pem")?;
    let (other, ..) = certificates(dir.path(), "other.pem")?;
    postgres.kill()?;
    let port = postgres.secure(&certificate, &key)?.port();
    postgres.begin()?;
    let runtime = Runtime::new()?;
    let at = |host: &str, root: &Path| -> Result<Database> {
        let file = password(dir.path(), PASSWORD, 0o600)?;
        let root = root.display();
        let url = format!(
            "postgres://tollgate@{host}:{port}/books?sslmode=verify-full&sslrootcert={root}"
        );
        Ok(Database::new(&url, Some(file))?)
    };
    for (host, root, why) in [
        ("localhost", &other, "UnknownIssuer"),
        ("127.0.0.1", &root, "not valid for name"),
    ] {
        let said = refusal(&runtime, dir.path(), &at(host, root)?).context("it was opened")?;
        ensure!(said.contains("is not trusted"), "{said}");
        ensure!(said.contains(why) && said.contains("sslrootcert"), "{said}");
        ensure!(!said.contains(PASSWORD), "{said}");
    }
    let books = at("localhost", &root)?;
    let (authority, _) = runtime.block_on(Authority::open(settings(dir.path(), &books)))?;
    let lines = "SELECT count(*) FILTER (WHERE s.ssl), count(*) FILTER (WHERE NOT s.ssl)
        FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'tollgate'";
    let lines = postgres.sql("books", lines)?;
    let (secret, clear) = lines.split_once('|').context("two numbers")?;
    ensure!(secret.parse::<u32>()? > 0 && clear == "0", "{lines}");
    runtime.block_on(authority.close());
    Ok(())
}
