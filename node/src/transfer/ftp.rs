//! FTP in passive mode, with TLS for commands and data or without.

use std::io;

use suppaftp::FtpError;
use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::{FileType, Mode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Account, Cause, GOODBYE, PART, Roots, Sent, connect};

/// What is said where no account is configured (RFC 1635).
const ANONYMOUS: (&str, &str) = ("anonymous", "tollgate@");

pub(super) async fn send(
    to: (&str, u16),
    account: Option<&Account>,
    tls: Option<&Roots>,
    name: &str,
    octets: &[u8],
) -> Result<Sent, Cause> {
    let mut ftp = open(to, tls).await?;
    log_in(&mut ftp, account).await?;
    let step = "take octets as they are";
    let binary = ftp.transfer_type(FileType::Binary).await;
    binary.map_err(|error| cause(step, name, error))?;
    if is_there(&mut ftp, name, octets).await? {
        return Ok(Sent::Before);
    }
    let part = format!("{name}{PART}");
    if let Err(error) = store(&mut ftp, &part, octets).await {
        if let FtpError::UnexpectedResponse(_) = error {
            // It may not have been made at all.
            let _removed = ftp.rm(&part).await;
        }
        return Err(cause("take the file", name, error));
    }
    let named = ftp.rename(part.as_str(), name).await;
    named.map_err(|error| cause("name the file", name, error))?;
    // It has the file, whatever it says to this.
    let _gone = timeout(GOODBYE, ftp.quit()).await;
    Ok(Sent::Now)
}

async fn open(to: (&str, u16), tls: Option<&Roots>) -> Result<AsyncRustlsFtpStream, Cause> {
    let stream = connect(to).await?;
    let peer = stream.peer_addr();
    let peer = peer.map_err(|error| Cause::broke("greet", &error))?;
    let greeted = AsyncRustlsFtpStream::connect_with_stream(stream).await;
    let mut ftp = greeted.map_err(|error| cause("greet", "", error))?;
    if let Some(roots) = tls {
        let connector = AsyncRustlsConnector::from(TlsConnector::from(roots.config()));
        let secured = ftp.into_secure(connector, to.0).await;
        ftp = secured.map_err(|error| cause("speak TLS", "", error))?;
    }
    // Data goes to the host that was asked for, whatever address it says that it has (RFC 2577).
    ftp.set_passive_nat_workaround(true);
    ftp.set_mode(match peer.is_ipv6() {
        true => Mode::ExtendedPassive,
        false => Mode::Passive,
    });
    Ok(ftp)
}

async fn log_in(ftp: &mut AsyncRustlsFtpStream, account: Option<&Account>) -> Result<(), Cause> {
    let (user, password) = account.map_or(ANONYMOUS, |a| (&a.user, a.password.as_str()));
    match ftp.login(user, password).await {
        Ok(()) => Ok(()),
        // 421: it has no time for anybody.
        Err(FtpError::UnexpectedResponse(said)) if said.status.code() != 421 => Err(Cause::Login {
            user: user.to_owned(),
        }),
        Err(error) => Err(cause("take the login", "", error)),
    }
}

/// Whether the file is there already. Errors: another one has its name.
async fn is_there(
    ftp: &mut AsyncRustlsFtpStream,
    name: &str,
    octets: &[u8],
) -> Result<bool, Cause> {
    let taken = || Cause::NameTaken {
        name: name.to_owned(),
    };
    let size = match ftp.size(name).await {
        Ok(size) => Some(size),
        // No such file, or one that we may not look at, or a server without this command (RFC 3659).
        Err(FtpError::UnexpectedResponse(said)) if said.status.code() != 421 => None,
        Err(error) => return Err(cause("look for the file", name, error)),
    };
    if size.is_some_and(|size| size != octets.len()) {
        return Err(taken());
    }
    match is_same(ftp, name, octets).await {
        Ok(true) => Ok(true),
        Ok(false) => Err(taken()),
        // Renaming takes the place of what is there: neither command may have found anything.
        Err(FtpError::UnexpectedResponse(said)) if size.is_none() && said.status.code() == 550 => {
            Ok(false)
        }
        // What can't be read may be another file: one that is there twice is better than one that is lost.
        Err(FtpError::UnexpectedResponse(said)) if said.status.code() != 421 => Err(taken()),
        Err(error) => Err(cause("read the file", name, error)),
    }
}

/// Whether the file there has these octets.
async fn is_same(
    ftp: &mut AsyncRustlsFtpStream,
    name: &str,
    octets: &[u8],
) -> Result<bool, FtpError> {
    let mut stream = ftp.retr_as_stream(name).await?;
    let mut found = Vec::new();
    // One more than there should be tells that there are more.
    let mut bounded = (&mut stream).take(octets.len() as u64 + 1);
    let read = bounded.read_to_end(&mut found).await;
    read.map_err(FtpError::ConnectionError)?;
    match stream.finish().await {
        // What came is what counts: whoever reads no further is told of a broken transfer.
        Ok(()) | Err(FtpError::UnexpectedResponse(_)) => Ok(found == octets),
        Err(error) => Err(error),
    }
}

async fn store(ftp: &mut AsyncRustlsFtpStream, part: &str, octets: &[u8]) -> Result<(), FtpError> {
    let mut stream = ftp.put_with_stream(part).await?;
    let written = stream.write_all(octets).await;
    // Why it takes no more is said on the other connection.
    match (written, stream.finish().await) {
        (Ok(()), finished) => finished,
        (Err(_), Err(said @ FtpError::UnexpectedResponse(_))) => Err(said),
        (Err(error), _) => Err(FtpError::ConnectionError(error)),
    }
}

/// The cause of a failure. No text of the server is in it.
fn cause(step: &'static str, name: &str, error: FtpError) -> Cause {
    match error {
        FtpError::ConnectionError(error) if error.kind() == io::ErrorKind::InvalidData => {
            Cause::Protocol {
                why: "no answer of FTP".into(),
            }
        }
        FtpError::ConnectionError(error) => Cause::broke(step, &error),
        // The crate says so twice.
        FtpError::SecureError(why) => Cause::tls(&why.trim_start_matches("Secure error: ")),
        FtpError::UnexpectedResponse(said) => refused(step, name, said.status.code()),
        FtpError::BadResponse
        | FtpError::InvalidAddress(_)
        | FtpError::DataConnectionAlreadyOpen => Cause::Protocol {
            why: "no answer of FTP".into(),
        },
    }
}

/// What a reply says (RFC 959, section 4.2).
fn refused(step: &'static str, name: &str, code: u32) -> Cause {
    let said = format!("reply {code}");
    match code {
        421 => Cause::Closed { step },
        452 | 552 => Cause::NoSpace,
        530 | 532 | 550 | 553 if !name.is_empty() => Cause::Denied {
            name: name.to_owned(),
            said,
        },
        _ => Cause::Refused { step, said },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_one_cause() {
        let of = |code| refused("take the file", "n", code);
        assert_eq!((of(452), of(552)), (Cause::NoSpace, Cause::NoSpace));
        let (name, said) = ("n".to_owned(), "reply 553".to_owned());
        assert_eq!(of(553), Cause::Denied { name, said });
        let step = "take the file";
        assert_eq!(of(421), Cause::Closed { step });
        let said = "reply 451".to_owned();
        assert_eq!(of(451), Cause::Refused { step, said });
        let said = "reply 550".to_owned();
        let greeting = refused("greet", "", 550);
        assert_eq!(
            greeting,
            Cause::Refused {
                step: "greet",
                said
            }
        );
    }
}
