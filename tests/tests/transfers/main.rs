//! Files on their way to receivers that nobody here wrote, and everything that such a receiver does wrong.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![forbid(unsafe_code)]

mod deliveries;
mod ftp;
mod http;
mod sftp;
mod tftp;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use node::transfer::{Account, Cause, Mechanism, Receiver, Sent, TransferError, send};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tests::receivers::{PASSWORD, USER};
use tests::subnet::Subnet;
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

/// A transfer takes far less; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);
/// What nobody answers within.
const SHORT: Duration = Duration::from_secs(3);

/// A sender, with a directory of its own and a file to send.
struct Sender {
    dir: TempDir,
    file: PathBuf,
    octets: Vec<u8>,
    runtime: Runtime,
}

impl Sender {
    /// The file has so many bytes, each block another.
    fn with(bytes: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("here.csv");
        let octets: Vec<u8> = (0..bytes).map(|n| (n / 251 + n % 253) as u8).collect();
        fs::write(&file, &octets).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self {
            dir,
            file,
            octets,
            runtime,
        }
    }

    fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn send(&self, name: &str, port: u16, mechanism: &Mechanism) -> Result<Sent, TransferError> {
        self.send_within(name, "127.0.0.1", port, mechanism, LIMIT)
    }

    fn send_within(
        &self,
        name: &str,
        host: &str,
        port: u16,
        mechanism: &Mechanism,
        deadline: Duration,
    ) -> Result<Sent, TransferError> {
        let receiver = Receiver {
            host: host.to_owned(),
            port,
            mechanism: mechanism.clone(),
        };
        assert_no_secret(&format!("{receiver} {receiver:?}"));
        let sent = send(&self.file, name, &receiver, deadline);
        let sent = self.runtime.block_on(sent);
        if let Err(error) = &sent {
            let line = error.to_string();
            assert!(!line.contains('\n'), "{line}");
            assert!(line.starts_with(&receiver.to_string()), "{line}");
            assert_no_secret(&format!("{line} {error:?}"));
        }
        sent
    }

    /// The cause for which a file is not there.
    fn cause(&self, name: &str, port: u16, mechanism: &Mechanism) -> Cause {
        self.send(name, port, mechanism).unwrap_err().cause
    }

    /// That a transfer which was given up has left nothing behind that goes on, with a connection of its own.
    fn works_on_nothing(&self) {
        let ended = async {
            while self.runtime.metrics().num_alive_tasks() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ended = async { tokio::time::timeout(LIMIT, ended).await };
        assert_eq!(self.runtime.block_on(ended), Ok(()));
    }

    /// That a transfer arrives, octet by octet, is not written again, and does not take the place of another file.
    fn arrives(&self, home: &Path, port: u16, mechanism: &Mechanism) {
        assert_eq!(self.send("a.csv", port, mechanism), Ok(Sent::Now));
        let there = home.join("a.csv");
        assert!(fs::read(&there).unwrap() == self.octets);
        assert!(!home.join("a.csv.part").exists());
        // What an interrupted transfer left is begun anew.
        fs::write(home.join("b.csv.part"), vec![b'x'; self.octets.len() + 1]).unwrap();
        let open = Permissions::from_mode(0o666);
        fs::set_permissions(home.join("b.csv.part"), open).unwrap();
        assert_eq!(self.send("b.csv", port, mechanism), Ok(Sent::Now));
        assert!(fs::read(home.join("b.csv")).unwrap() == self.octets);

        let before = fs::metadata(&there).unwrap().modified().unwrap();
        assert_eq!(self.send("a.csv", port, mechanism), Ok(Sent::Before));
        assert_eq!(fs::metadata(&there).unwrap().modified().unwrap(), before);
        for change in [1, 0] {
            let mut other = self.octets.clone();
            other[0] ^= 1;
            other.truncate(other.len() - change);
            fs::write(&there, &other).unwrap();
            let name = "a.csv".to_owned();
            let cause = self.cause("a.csv", port, mechanism);
            assert_eq!(cause, Cause::NameTaken { name });
            assert!(fs::read(&there).unwrap() == other);
            assert!(!home.join("a.csv.part").exists());
        }
    }

    /// That a file which the receiver does not give back is neither believed to be the same one nor replaced.
    fn is_not_taken_for_another(&self, home: &Path, port: u16, mechanism: &Mechanism) {
        assert_eq!(self.send("a.csv", port, mechanism), Ok(Sent::Now));
        let there = home.join("a.csv");
        // Of the same size, as rows of statistics are.
        let mut other = self.octets.clone();
        other[0] ^= 1;
        fs::write(&there, &other).unwrap();
        fs::set_permissions(&there, Permissions::from_mode(0o200)).unwrap();
        let name = "a.csv".to_owned();
        let cause = self.cause("a.csv", port, mechanism);
        assert_eq!(cause, Cause::NameTaken { name });
        assert!(fs::read(&there).unwrap() == other);
    }
}

fn assert_no_secret(text: &str) {
    assert!(!text.contains(PASSWORD), "{text}");
    // `user:password` of Basic.
    assert!(!text.contains("Y2FuYXJ5"), "{text}");
    assert!(!text.contains("PRIVATE KEY"), "{text}");
}

fn account() -> Account {
    with_password(PASSWORD)
}

fn with_password(password: &str) -> Account {
    Account {
        user: USER.into(),
        password: Zeroizing::new(password.into()),
    }
}

/// A root in PEM, and a certificate below it for `localhost` and 127.0.0.1, with its key.
fn certificates() -> (String, String) {
    certificates_for(&["localhost", "127.0.0.1"])
}

/// The same for these names.
fn certificates_for(names: &[&str]) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = pem("CERTIFICATE", params.self_signed(&key).unwrap().der());
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let params = CertificateParams::new(names).unwrap();
    let made = params.signed_by(&key, &issuer).unwrap();
    let own = pem("CERTIFICATE", made.der()) + &pem("PRIVATE KEY", &key.serialize_der());
    (root, own)
}

/// What is said of the certificate of another host; the names in it are not.
fn of_another_host() -> Cause {
    let why = "certificate not valid for name \"127.0.0.1\"".to_owned();
    Cause::Certificate { why }
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64);
    let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned() + "\n");
    let lines: String = lines.collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

/// That nobody listens at an address, that a name has none, and that a file here or a name is none, whatever the mechanism.
fn refuses_before_it_is_there(mechanism: &Mechanism) {
    let sender = Sender::with(10);
    let nobody = Subnet::take().unwrap();
    let port = nobody.tcp().port();
    let why = "connection refused".to_owned();
    let cause = sender.cause("a.csv", port, mechanism);
    assert_eq!(cause, Cause::Unreachable { why });
    let sent = sender.send_within("a.csv", "no-such-host.invalid", port, mechanism, LIMIT);
    let cause = sent.unwrap_err().cause;
    assert!(matches!(cause, Cause::Unresolved { .. }), "{cause:?}");
    let long = "n".repeat(251);
    for name in [
        "",
        "in/",
        "in/../a.csv",
        "..",
        "./a.csv",
        "a\r\nDELE b",
        &long,
    ] {
        let cause = sender.cause(name, port, mechanism);
        assert_eq!(cause, Cause::Name(name.to_owned()));
    }
    fs::remove_file(&sender.file).unwrap();
    let cause = sender.cause("a.csv", port, mechanism);
    assert!(matches!(cause, Cause::LocalFile { .. }), "{cause:?}");
}
