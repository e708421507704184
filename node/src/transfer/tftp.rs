//! TFTP: a file in blocks, each acknowledged before the next one goes.
//!
//! A request goes to each address of the server in turn, every [`REQUEST_AGAIN`]. A block that is not acknowledged goes
//! again every [`AGAIN`]; how long is the transfer's deadline. An acknowledgement
//! that comes twice is no reason to send anything, so that one delayed datagram does not double all that follow (RFC 1123,
//! section 4.2.3.1). Block numbers begin again at 0 after 65,535, as servers do.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout;

use super::{Cause, Sent};
use crate::transport::resolver_said;

/// Until what was not answered goes again.
const AGAIN: Duration = Duration::from_secs(1);
/// Until another address of a server that has not answered is asked, or the same one again. It may take long to begin, and
/// a request that comes twice opens the file twice.
const REQUEST_AGAIN: Duration = Duration::from_secs(5);
/// Most addresses of a name that are asked.
const ADDRESSES_MAX: usize = 8;
/// Octets of a block: what fits into a frame of Ethernet with IPv6.
const BLOCK_BYTES: usize = 1_428;
/// Octets of a block where nothing was agreed (RFC 1350).
const BLOCK_BYTES_AGREED_BY_NONE: usize = 512;
/// Longest datagram that is taken, in bytes: acknowledgements and errors are short.
const DATAGRAM_BYTES_MAX: usize = 1_024;

const WRITE: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OACK: u16 = 6;

/// The code of an error: whoever says this is nobody that we speak with (RFC 1350).
const UNKNOWN_TRANSFER: u16 = 5;
/// The code of an error: these options can't be agreed to (RFC 2347).
const REFUSED_OPTIONS: u16 = 8;

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// A block has come; 0: the file may.
    Taken(u16),
    /// The file may come, in blocks of so many octets.
    Agreed(usize),
}

pub(super) async fn send(to: (&str, u16), name: &str, octets: &[u8]) -> Result<Sent, Cause> {
    let found = lookup_host(to).await.map_err(|error| Cause::Unresolved {
        why: resolver_said(&error),
    })?;
    let addresses: Vec<SocketAddr> = found.take(ADDRESSES_MAX).collect();
    let (mut talk, answer) = begin(&addresses, &request(name, octets.len()), name).await?;
    let block_bytes = match answer {
        Said::Taken(_) => BLOCK_BYTES_AGREED_BY_NONE,
        Said::Agreed(bytes) => bytes,
    };
    // The last block is shorter than the others, and empty if there is no rest.
    let blocks = octets.len() / block_bytes + 1;
    for n in 0..blocks {
        let at = n * block_bytes;
        let block = &octets[at..octets.len().min(at + block_bytes)];
        let number = number(n);
        talk.ask(&data(number, block), number, name).await?;
    }
    Ok(Sent::Now)
}

/// Asks one address after the other, again and again, until one answers.
///
/// Each request is from a port of its own: what an earlier one has begun after all gets nothing, and does not mix its
/// answers with those of the file.
async fn begin(
    addresses: &[SocketAddr],
    request: &[u8],
    name: &str,
) -> Result<(Talk, Said), Cause> {
    loop {
        let (mut silent, mut why) = (false, "it has no address".to_owned());
        for server in addresses {
            let mut talk = match Talk::begin(*server, request).await {
                Ok(talk) => talk,
                Err(error) => {
                    why = error.kind().to_string();
                    continue;
                }
            };
            match timeout(REQUEST_AGAIN, talk.answer(0, name)).await {
                Ok(said) => return Ok((talk, said?)),
                Err(_) => silent = true,
            }
        }
        if !silent {
            return Err(Cause::Unreachable { why });
        }
    }
}

struct Talk {
    socket: UdpSocket,
    server: SocketAddr,
    /// The server has answered, and `server` is the port that it does so from.
    known: bool,
}

impl Talk {
    async fn begin(server: SocketAddr, request: &[u8]) -> std::io::Result<Self> {
        let own: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(own).await?;
        socket.send_to(request, server).await?;
        Ok(Self {
            socket,
            server,
            known: false,
        })
    }

    /// Sends a datagram until this block is acknowledged.
    async fn ask(&mut self, datagram: &[u8], block: u16, name: &str) -> Result<Said, Cause> {
        loop {
            let sent = self.socket.send_to(datagram, self.server).await;
            sent.map_err(unreachable)?;
            if let Ok(said) = timeout(AGAIN, self.answer(block, name)).await {
                return said;
            }
        }
    }

    async fn answer(&mut self, block: u16, name: &str) -> Result<Said, Cause> {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        loop {
            let received = self.socket.recv_from(&mut buffer).await;
            let (length, from) = received.map_err(unreachable)?;
            let datagram = &buffer[..length];
            if from.ip() != self.server.ip() {
                continue;
            }
            // The port of the first answer is the one that the whole transfer is with (RFC 1350, section 4).
            if self.known && from != self.server {
                self.refuse(from, datagram, UNKNOWN_TRANSFER).await;
                continue;
            }
            (self.server, self.known) = (from, true);
            let said = parse(datagram, name);
            if said.is_err() && datagram.starts_with(&OACK.to_be_bytes()) {
                self.refuse(from, datagram, REFUSED_OPTIONS).await;
            }
            let said = said?;
            let awaited = match said {
                Said::Taken(taken) => taken == block,
                // The agreement comes again if our first block was lost.
                Said::Agreed(_) => block == 0,
            };
            if awaited {
                return Ok(said);
            }
        }
    }

    /// Tells who said this that it ends here. No error is answered with another.
    async fn refuse(&self, from: SocketAddr, said: &[u8], code: u16) {
        if !said.starts_with(&ERROR.to_be_bytes()) {
            let told = [&ERROR.to_be_bytes()[..], &code.to_be_bytes(), &[0]].concat();
            // Whether it comes is not for us to know.
            let _sent = self.socket.send_to(&told, from).await;
        }
    }
}

/// The number of a block, of which the first is 0 here and 1 there.
fn number(block: usize) -> u16 {
    (block as u16).wrapping_add(1)
}

fn unreachable(error: std::io::Error) -> Cause {
    Cause::Unreachable {
        why: error.kind().to_string(),
    }
}

/// With the options that make it faster, and tell the server whether it has the space.
fn request(name: &str, size: usize) -> Vec<u8> {
    let mut request = WRITE.to_be_bytes().to_vec();
    let (block, size) = (BLOCK_BYTES.to_string(), size.to_string());
    for word in [name, "octet", "blksize", &block, "tsize", &size] {
        request.extend_from_slice(word.as_bytes());
        request.push(0);
    }
    request
}

fn data(number: u16, block: &[u8]) -> Vec<u8> {
    [&DATA.to_be_bytes()[..], &number.to_be_bytes(), block].concat()
}

fn parse(datagram: &[u8], name: &str) -> Result<Said, Cause> {
    let refused = |why: &str| Cause::Protocol {
        why: why.to_owned(),
    };
    let [a, b, rest @ ..] = datagram else {
        return Err(refused("a TFTP datagram of less than two bytes"));
    };
    match (u16::from_be_bytes([*a, *b]), rest) {
        (ACK, [a, b, ..]) => Ok(Said::Taken(u16::from_be_bytes([*a, *b]))),
        (ERROR, [a, b, ..]) => Err(error(u16::from_be_bytes([*a, *b]), name)),
        (OACK, options) => agreed(options).ok_or_else(|| refused("TFTP options of no sense")),
        (kind, _) => Err(refused(&format!("a TFTP datagram of type {kind}"))),
    }
}

/// Options that a server agrees to; none: it may not have said this.
fn agreed(options: &[u8]) -> Option<Said> {
    let mut bytes = BLOCK_BYTES_AGREED_BY_NONE;
    let words: Vec<&[u8]> = options.split(|octet| *octet == 0).collect();
    for pair in words.chunks_exact(2) {
        if pair[0].eq_ignore_ascii_case(b"blksize") {
            bytes = std::str::from_utf8(pair[1]).ok()?.parse().ok()?;
        }
    }
    (8..=BLOCK_BYTES)
        .contains(&bytes)
        .then_some(Said::Agreed(bytes))
}

/// RFC 1350, section 5, and RFC 2347.
fn error(code: u16, name: &str) -> Cause {
    let words = match code {
        1 => "file not found",
        2 => "access violation",
        4 => "illegal operation",
        5 => "unknown transfer",
        7 => "no such user",
        8 => "options are refused",
        _ => "not defined",
    };
    let (name, said) = (name.to_owned(), format!("error {code}, {words}"));
    match code {
        1 | 2 => Cause::Denied { name, said },
        3 => Cause::NoSpace,
        6 => Cause::NameTaken { name },
        _ => Cause::Refused {
            step: "take the file",
            said,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_options() {
        let wanted = b"\x00\x02in/a.csv\0octet\0blksize\x001428\0tsize\x007\0";
        assert_eq!(request("in/a.csv", 7), wanted);
    }

    #[test]
    fn the_number_after_the_highest_is_0() {
        let numbers = [0, 65_533, 65_534, 65_535, 65_536, 131_071].map(number);
        assert_eq!(numbers, [1, 65_534, 65_535, 0, 1, 0]);
    }

    #[tokio::test]
    async fn another_address_is_asked_where_one_says_nothing() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let addresses = [&silent, &server].map(|socket| socket.local_addr().unwrap());
        let served = async {
            let mut buffer = [0; 512];
            let (length, client) = server.recv_from(&mut buffer).await.unwrap();
            server.send_to(b"\0\x04\0\0", client).await.unwrap();
            buffer[..length].to_vec()
        };
        let (begun, heard) = tokio::join!(begin(&addresses, b"asked", "n"), served);
        let (talk, said) = begun.unwrap();
        assert_eq!((talk.server, said), (addresses[1], Said::Taken(0)));
        assert_eq!(heard, b"asked");
        let nobody = begin(&[], b"asked", "n").await;
        let why = "it has no address".to_owned();
        assert_eq!(nobody.err(), Some(Cause::Unreachable { why }));
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(parse(&[0, 4, 1, 2], "n"), Ok(Said::Taken(0x102)));
        assert_eq!(parse(b"\0\x06BLKSIZE\x00900\0", "n"), Ok(Said::Agreed(900)));
        assert_eq!(parse(b"\0\x06tsize\x007\0", "n"), Ok(Said::Agreed(512)));
        assert_eq!(parse(b"\0\x06", "n"), Ok(Said::Agreed(512)));
        let name = || "n".to_owned();
        for (datagram, cause) in [
            (&[0, 5, 0, 3][..], Cause::NoSpace),
            (&[0, 5, 0, 6, b'x'], Cause::NameTaken { name: name() }),
            (
                &[0, 5, 0, 2],
                Cause::Denied {
                    name: name(),
                    said: "error 2, access violation".into(),
                },
            ),
            (
                &[0, 5, 1, 0],
                Cause::Refused {
                    step: "take the file",
                    said: "error 256, not defined".into(),
                },
            ),
        ] {
            assert_eq!(parse(datagram, "n"), Err(cause));
        }
        for none in [
            &b""[..],
            b"\0",
            b"\0\x04\0",
            b"\0\x03\0\x01",
            b"\0\x06blksize\x001429\0",
            b"\0\x06blksize\x007\0",
            b"\0\x06blksize\0x\0",
        ] {
            let parsed = parse(none, "n");
            assert!(matches!(parsed, Err(Cause::Protocol { .. })), "{none:?}");
        }
    }
}
