//! How a file of bulk statistics reaches a receiver: by SFTP, FTP, FTPS, TFTP, HTTP or HTTPS.
//!
//! ```text
//! file here -> its octets -> host, port -> login -> NAME.part there -> NAME there        (SFTP, FTP)
//!                                       -> NAME there                                    (HTTP, TFTP)
//! ```
//!
//! A transfer is at least once: whoever was killed before it noted that a file is there sends it again. By SFTP and FTP a
//! file that is there already is compared with the one that is sent. The same octets are a success, and nothing is
//! written; other octets are [`Cause::NameTaken`], and what is there stays. A collector never sees a part of a file under
//! its name. By PUT a receiver is asked not to replace a file (`If-None-Match: *`), and one that knows this says
//! [`Cause::NameTaken`] of the same file too. POST and TFTP have no words for it: the receiver decides. That a TFTP receiver has acknowledged a file is
//! all that there is to know, and it may not be on its disk: tftpd-hpa says nothing of a disk that is full.
//!
//! Nobody is believed who was not named before: a host key is compared with the configured one, a certificate must be
//! below the configured roots. No text of a receiver is in a cause, only its numbers, because it could repeat a secret.
//!
//! Deliberately absent: who is sent what and when, and which receiver is tried next.

mod error;
mod ftp;
mod http;
#[cfg(feature = "sftp")]
mod sftp;
#[cfg(test)]
mod tests;
mod tftp;
mod tls;

use std::fmt;
use std::net::Ipv6Addr;
use std::path::Path;
use std::time::Duration;

use hyper::body::Bytes;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use zeroize::Zeroizing;

pub use error::{Cause, TransferError};
#[cfg(feature = "sftp")]
pub use sftp::{HostKey, KeyError, Login, PrivateKey, Proof};
pub use tls::{Roots, RootsError};

use crate::transport::{DialError, dial};

/// Largest file that is sent, in bytes.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// Longest name of a file there, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// What a name has at its end while the file is not whole.
const PART: &str = ".part";

/// How long a receiver that has been told that we go may take to say something to that.
const GOODBYE: Duration = Duration::from_secs(2);

/// Who gets a file.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub mechanism: Mechanism,
}

/// How a receiver is spoken to, with what it takes to.
#[derive(Clone, Debug)]
pub enum Mechanism {
    /// SSH file transfer, version 3.
    #[cfg(feature = "sftp")]
    Sftp {
        /// The key that it has.
        host_key: HostKey,
        /// Who we are.
        login: Login,
    },
    /// FTP (RFC 959) in passive mode.
    Ftp {
        /// Who we are; none: `anonymous`.
        account: Option<Account>,
        /// `AUTH TLS` (RFC 4217) for commands and data, below these roots; none: all of it can be read on the way.
        tls: Option<Roots>,
    },
    /// TFTP (RFC 1350), with a block size and the size of the file where the receiver agrees (RFC 2347, 2348, 2349).
    Tftp,
    /// HTTP/1.1.
    Http {
        /// What is asked for.
        method: Method,
        /// Who we are, by the Basic scheme; none: nobody is named.
        account: Option<Account>,
        /// HTTPS, below these roots; none: all of it can be read on the way.
        tls: Option<Roots>,
    },
}

/// What is asked of an HTTP receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The file becomes what is at its name.
    Put,
    /// The receiver makes of the file what it does at that name.
    Post,
}

/// A name and a password.
#[derive(Clone)]
pub struct Account {
    /// The name.
    pub user: String,
    /// The password; a secret.
    pub password: Zeroizing<String>,
}

/// That a file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It went there now.
    Now,
    /// It was there before, octet by octet.
    Before,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.user)
    }
}

/// `MECHANISM HOST:PORT`.
impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        f.write_str(self.mechanism.name())?;
        match host.parse::<Ipv6Addr>() {
            Ok(_) => write!(f, " [{host}]:{port}"),
            Err(_) => write!(f, " {host}:{port}"),
        }
    }
}

impl Mechanism {
    /// As URLs name it.
    fn name(&self) -> &'static str {
        match self {
            #[cfg(feature = "sftp")]
            Self::Sftp { .. } => "sftp",
            Self::Ftp { tls: None, .. } => "ftp",
            Self::Ftp { tls: Some(_), .. } => "ftps",
            Self::Tftp => "tftp",
            Self::Http { tls: None, .. } => "http",
            Self::Http { tls: Some(_), .. } => "https",
        }
    }
}

/// Sends a file to a receiver, where it gets this name; never takes longer than the deadline.
///
/// It reads the file first, so that it is no longer needed once octets are on their way. Whatever was begun there and is
/// not finished stays as `NAME.part`, and the next transfer begins it anew.
pub async fn send(
    file: &Path,
    name: &str,
    receiver: &Receiver,
    deadline: Duration,
) -> Result<Sent, TransferError> {
    let whole = async {
        check(name)?;
        let octets = read(file).await?;
        let Receiver {
            host,
            port,
            mechanism,
        } = receiver;
        let (host, port) = (host.as_str(), *port);
        match mechanism {
            #[cfg(feature = "sftp")]
            Mechanism::Sftp { host_key, login } => {
                sftp::send((host, port), host_key, login, name, &octets).await
            }
            Mechanism::Ftp { account, tls } => {
                ftp::send((host, port), account.as_ref(), tls.as_ref(), name, &octets).await
            }
            Mechanism::Tftp => tftp::send((host, port), name, &octets).await,
            Mechanism::Http {
                method,
                account,
                tls,
            } => {
                let target = http::Target {
                    method: *method,
                    account: account.as_ref(),
                    tls: tls.as_ref(),
                };
                http::send((host, port), target, name, octets).await
            }
        }
    };
    let done = timeout(deadline, whole).await;
    let done = done.unwrap_or(Err(Cause::TimedOut { after: deadline }));
    done.map_err(|cause| TransferError {
        receiver: receiver.to_string(),
        cause,
    })
}

/// That a name can go into a command, and with [`PART`] at its end too, and leads nowhere but down.
fn check(name: &str) -> Result<(), Cause> {
    let last = name.rsplit('/').next().unwrap_or_default();
    let leads_up = name.split('/').any(|part| part == "." || part == "..");
    let fits = !last.is_empty() && !leads_up && name.len() <= NAME_BYTES_MAX - PART.len();
    match fits && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(Cause::Name(name.to_owned())),
    }
}

async fn read(file: &Path) -> Result<Bytes, Cause> {
    let refused = |error: std::io::Error| Cause::LocalFile {
        why: error.to_string(),
    };
    let opened = tokio::fs::File::open(file).await.map_err(refused)?;
    let mut octets = Vec::new();
    // One more than there may be tells that there are more.
    let mut bounded = opened.take(FILE_BYTES_MAX + 1);
    bounded.read_to_end(&mut octets).await.map_err(refused)?;
    if octets.len() as u64 > FILE_BYTES_MAX {
        let why = format!("it has more than {FILE_BYTES_MAX} bytes");
        return Err(Cause::LocalFile { why });
    }
    Ok(octets.into())
}

/// A TCP connection.
async fn connect((host, port): (&str, u16)) -> Result<tokio::net::TcpStream, Cause> {
    dial(host, port).await.map_err(|error| match error {
        DialError::Unresolved(why) => Cause::Unresolved { why },
        DialError::Unreachable(why) => Cause::Unreachable { why },
    })
}
