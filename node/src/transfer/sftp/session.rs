//! A client of SFTP version 3 (draft-ietf-secsh-filexfer-02), as OpenSSH's and most others serve it: what it takes to
//! leave a file there. Handles are octets, of any kind.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::super::Cause;

/// Longest packet that is taken, in bytes; OpenSSH sends up to this.
const PACKET_BYTES_MAX: u32 = 256 << 10;
/// Octets of a file in one request; every server takes it.
pub(super) const BLOCK_BYTES: usize = 32 << 10;

const INIT: u8 = 1;
const VERSION: u8 = 2;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const WRITE: u8 = 6;
const REMOVE: u8 = 13;
const STAT: u8 = 17;
const RENAME: u8 = 18;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const ATTRS: u8 = 105;
const EXTENDED: u8 = 200;
const EXTENDED_REPLY: u8 = 201;

const FSYNC: &str = "fsync@openssh.com";
const STATVFS: &str = "statvfs@openssh.com";

/// The attributes have a size.
const ATTR_SIZE: u32 = 1;

/// What a file is opened for.
#[derive(Clone, Copy, Debug)]
pub(super) enum For {
    /// To be read.
    Reading = 0x01,
    /// To be written, from nothing, whether it was there or not.
    Writing = 0x02 | 0x08 | 0x10,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Its answer was this status, which is not OK.
    Status(u32),
    /// The connection, or what came over it, is of no more use.
    Lost(Cause),
}

/// A session, with one request of ours on its way at a time; writes have several.
#[derive(Debug)]
pub(super) struct Session<S> {
    stream: S,
    next: u32,
    fsync: bool,
    statvfs: bool,
}

/// A file that is open there.
#[derive(Clone, Debug)]
pub(super) struct File(Vec<u8>);

/// The body of a packet, read from its front.
struct Body<'a>(&'a [u8]);

pub(super) const OK: u32 = 0;
pub(super) const EOF: u32 = 1;
pub(super) const NO_SUCH_FILE: u32 = 2;
pub(super) const PERMISSION_DENIED: u32 = 3;
pub(super) const FAILURE: u32 = 4;
pub(super) const UNSUPPORTED: u32 = 8;

/// A status in words of ours.
pub(super) fn words(status: u32) -> String {
    let words = match status {
        OK => "OK",
        EOF => "end of file",
        NO_SUCH_FILE => "no such file or directory",
        PERMISSION_DENIED => "permission denied",
        FAILURE => "failure",
        5 => "bad message",
        6 => "no connection",
        7 => "connection lost",
        UNSUPPORTED => "not supported",
        _ => "unknown",
    };
    format!("status {status}, {words}")
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Says which version we speak, and hears which extensions there are.
    pub(super) async fn open(stream: S) -> Result<Self, Cause> {
        let mut session = Self {
            stream,
            next: 0,
            fsync: false,
            statvfs: false,
        };
        let step = "open an SFTP session";
        session
            .put(step, &packet(INIT, &[&3_u32.to_be_bytes()]))
            .await?;
        let octets = session.packet(step).await?;
        let mut body = Body(&octets);
        let (kind, version) = (body.u8()?, body.u32()?);
        if (kind, version) != (VERSION, 3) {
            let why = format!("packet {kind} of SFTP version {version}, and no version 3");
            return Err(Cause::Protocol { why });
        }
        while !body.0.is_empty() {
            let (name, _data) = (body.octets()?, body.octets()?);
            session.fsync |= name == FSYNC.as_bytes();
            session.statvfs |= name == STATVFS.as_bytes();
        }
        Ok(session)
    }

    /// Opens a file.
    pub(super) async fn file(&mut self, name: &str, what: For) -> Result<File, Said> {
        let no_attributes = 0_u32.to_be_bytes();
        let parts = [
            &text(name)[..],
            &(what as u32).to_be_bytes(),
            &no_attributes,
        ];
        let answer = self.ask("open the file", OPEN, &parts, HANDLE).await?;
        Ok(File(Body(&answer).octets()?.to_vec()))
    }

    /// How many bytes a file has, if the server says; none: there is none.
    pub(super) async fn size(&mut self, name: &str) -> Result<Option<Option<u64>>, Said> {
        match self
            .ask("look for the file", STAT, &[&text(name)], ATTRS)
            .await
        {
            Err(Said::Status(NO_SUCH_FILE)) => Ok(None),
            Err(said) => Err(said),
            Ok(answer) => {
                let mut body = Body(&answer);
                let has_size = body.u32()? & ATTR_SIZE != 0;
                Ok(Some(if has_size { Some(body.u64()?) } else { None }))
            }
        }
    }

    /// What a file has from an offset on, up to so many octets; nothing: it ends there.
    pub(super) async fn read(&mut self, file: &File, at: u64, most: u32) -> Result<Vec<u8>, Said> {
        let parts = [&field(&file.0)[..], &at.to_be_bytes(), &most.to_be_bytes()];
        match self.ask("read the file", READ, &parts, DATA).await {
            Err(Said::Status(EOF)) => Ok(Vec::new()),
            Err(said) => Err(said),
            Ok(answer) => Ok(Body(&answer).octets()?.to_vec()),
        }
    }

    /// Sends octets of a file to their place; the answer is taken by [`Session::written`].
    pub(super) async fn write(&mut self, file: &File, at: u64, octets: &[u8]) -> Result<u32, Said> {
        let parts = [&field(&file.0)[..], &at.to_be_bytes(), &field(octets)];
        Ok(self.request("take the file", WRITE, &parts).await?)
    }

    /// The next answer to one of these writes, which is then none of them. A server may do several at once, and answer
    /// them in any order (section 6.1 of the draft).
    pub(super) async fn written(&mut self, pending: &mut Vec<u32>) -> Result<(), Said> {
        let (found, body) = self.answer("take the file", pending).await?;
        is_ok(found, &body)
    }

    /// Waits until a file is on the server's disk, if it can be asked to.
    pub(super) async fn sync(&mut self, file: &File) -> Result<(), Said> {
        if !self.fsync {
            return Ok(());
        }
        let parts = [&text(FSYNC)[..], &field(&file.0)];
        let step = "write the file to its disk";
        let id = self.request(step, EXTENDED, &parts).await?;
        match self.done(step, id).await {
            Err(Said::Status(UNSUPPORTED)) => Ok(()),
            done => done,
        }
    }

    /// Closes a file.
    pub(super) async fn close(&mut self, file: File) -> Result<(), Said> {
        self.order("close the file", CLOSE, &[&field(&file.0)])
            .await
    }

    /// Removes a file.
    pub(super) async fn remove(&mut self, name: &str) -> Result<(), Said> {
        self.order("remove the file", REMOVE, &[&text(name)]).await
    }

    /// Gives a file another name, which no other file has.
    pub(super) async fn rename(&mut self, from: &str, to: &str) -> Result<(), Said> {
        let parts = [&text(from)[..], &text(to)];
        self.order("name the file", RENAME, &parts).await
    }

    /// Bytes that are free where a file is, for us; none: the server does not say.
    pub(super) async fn free(&mut self, name: &str) -> Result<Option<u64>, Said> {
        if !self.statvfs {
            return Ok(None);
        }
        let parts = [&text(STATVFS)[..], &text(name)];
        let asked = self.ask("tell its space", EXTENDED, &parts, EXTENDED_REPLY);
        let answer = asked.await?;
        let mut body = Body(&answer);
        // Sizes of a block and a fragment, fragments, free ones, those that are free for us.
        let (_block, fragment) = (body.u64()?, body.u64()?);
        let (_all, _free, ours) = (body.u64()?, body.u64()?, body.u64()?);
        Ok(Some(fragment.saturating_mul(ours)))
    }

    /// A request that is answered with a status.
    async fn order(&mut self, step: &'static str, kind: u8, parts: &[&[u8]]) -> Result<(), Said> {
        let id = self.request(step, kind, parts).await?;
        self.done(step, id).await
    }

    /// A request that is answered with this kind of packet: what follows its number.
    async fn ask(
        &mut self,
        step: &'static str,
        kind: u8,
        parts: &[&[u8]],
        wanted: u8,
    ) -> Result<Vec<u8>, Said> {
        let id = self.request(step, kind, parts).await?;
        let (found, body) = self.answer(step, &mut vec![id]).await?;
        match found {
            STATUS => Err(Said::Status(Body(&body).u32()?)),
            found if found == wanted => Ok(body),
            found => Err(unexpected(found).into()),
        }
    }

    async fn done(&mut self, step: &'static str, id: u32) -> Result<(), Said> {
        let (found, body) = self.answer(step, &mut vec![id]).await?;
        is_ok(found, &body)
    }

    async fn request(
        &mut self,
        step: &'static str,
        kind: u8,
        parts: &[&[u8]],
    ) -> Result<u32, Cause> {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let number = id.to_be_bytes();
        let mut all = vec![&number[..]];
        all.extend(parts);
        self.put(step, &packet(kind, &all)).await?;
        Ok(id)
    }

    /// The next packet, which must be the answer to one of these requests: its kind, and what follows the number.
    async fn answer(
        &mut self,
        step: &'static str,
        pending: &mut Vec<u32>,
    ) -> Result<(u8, Vec<u8>), Cause> {
        let octets = self.packet(step).await?;
        let mut body = Body(&octets);
        let (kind, found) = (body.u8()?, body.u32()?);
        match pending.iter().position(|id| *id == found) {
            Some(at) => {
                pending.swap_remove(at);
                Ok((kind, body.0.to_vec()))
            }
            None => Err(Cause::Protocol {
                why: format!("an SFTP answer to request {found}, which has none to come"),
            }),
        }
    }

    async fn put(&mut self, step: &'static str, octets: &[u8]) -> Result<(), Cause> {
        let written = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        written.await.map_err(|error| lost(step, &error))
    }

    async fn packet(&mut self, step: &'static str) -> Result<Vec<u8>, Cause> {
        let length = self.stream.read_u32().await;
        let length = length.map_err(|error| lost(step, &error))?;
        if length > PACKET_BYTES_MAX {
            let why = format!("an SFTP packet of {length} bytes");
            return Err(Cause::Protocol { why });
        }
        let mut octets = vec![0; length as usize];
        let read = self.stream.read_exact(&mut octets).await;
        read.map_err(|error| lost(step, &error))?;
        Ok(octets)
    }
}

/// That an answer is the status OK.
fn is_ok(kind: u8, body: &[u8]) -> Result<(), Said> {
    match kind {
        STATUS => match Body(body).u32()? {
            OK => Ok(()),
            status => Err(Said::Status(status)),
        },
        kind => Err(unexpected(kind).into()),
    }
}

/// A channel of SSH knows no other end than this.
fn lost(step: &'static str, _error: &io::Error) -> Cause {
    Cause::Closed { step }
}

fn unexpected(kind: u8) -> Cause {
    let why = format!("an SFTP packet of type {kind}");
    Cause::Protocol { why }
}

impl From<Cause> for Said {
    fn from(cause: Cause) -> Self {
        Self::Lost(cause)
    }
}

fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut packet = Vec::with_capacity(4 + length);
    packet.extend((length as u32).to_be_bytes());
    packet.push(kind);
    for part in parts {
        packet.extend_from_slice(part);
    }
    packet
}

/// Octets behind their number.
fn field(octets: &[u8]) -> Vec<u8> {
    let length = (octets.len() as u32).to_be_bytes();
    [&length, octets].concat()
}

fn text(text: &str) -> Vec<u8> {
    field(text.as_bytes())
}

impl<'a> Body<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Cause> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or_else(|| Cause::Protocol {
            why: "an SFTP packet that ends too early".into(),
        })?;
        self.0 = rest;
        Ok(taken)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Cause> {
        let mut octets = [0; N];
        octets.copy_from_slice(self.take(N)?);
        Ok(octets)
    }

    fn u8(&mut self) -> Result<u8, Cause> {
        Ok(u8::from_be_bytes(self.number()?))
    }

    fn u32(&mut self) -> Result<u32, Cause> {
        Ok(u32::from_be_bytes(self.number()?))
    }

    fn u64(&mut self) -> Result<u64, Cause> {
        Ok(u64::from_be_bytes(self.number()?))
    }

    fn octets(&mut self) -> Result<&'a [u8], Cause> {
        let length = self.u32()?;
        self.take(length as usize)
    }
}
