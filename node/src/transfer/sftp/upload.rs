//! One file over one session: looked for, written under another name, on disk, named.

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::{Cause, PART, Sent};
use super::session::{
    BLOCK_BYTES, FAILURE, File, For, NO_SUCH_FILE, PERMISSION_DENIED, Said, Session, words,
};

/// Most writes that have no answer yet.
const WRITES_MAX: usize = 16;

pub(super) async fn upload<S>(
    session: &mut Session<S>,
    name: &str,
    octets: &[u8],
) -> Result<Sent, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if before(session, name, octets).await? == Before::Same {
        return Ok(Sent::Before);
    }
    let part = format!("{name}{PART}");
    let stored = store(session, &part, octets).await;
    if let Err((done, said)) = stored {
        let left = octets.len() as u64 - done;
        return Err(give_up(session, name, &part, left, said).await);
    }
    let status = match session.rename(&part, name).await {
        Ok(()) => return Ok(Sent::Now),
        Err(Said::Status(status)) => status,
        Err(Said::Lost(cause)) => return Err(cause),
    };
    let _removed = session.remove(&part).await;
    // Somebody else got the name meanwhile, or a transfer of ours that was given up.
    match before(session, name, octets).await? {
        Before::Same => Ok(Sent::Before),
        // A server's word for a name that is taken, and it does not let us look.
        Before::Unknown if status == FAILURE => Err(taken(name)),
        Before::Nothing | Before::Unknown => Err(denied(name, status)),
    }
}

/// What a name is before it is the file's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// The file's, octet by octet.
    Same,
    /// No file's.
    Nothing,
    /// Who may not look may still write.
    Unknown,
}

fn taken(name: &str) -> Cause {
    Cause::NameTaken {
        name: name.to_owned(),
    }
}

/// Whether the file is there already. Errors: another one has its name.
async fn before<S>(session: &mut Session<S>, name: &str, octets: &[u8]) -> Result<Before, Cause>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let size = match session.size(name).await {
        Ok(None) => return Ok(Before::Nothing),
        Ok(Some(size)) => size,
        Err(Said::Status(_)) => return Ok(Before::Unknown),
        Err(Said::Lost(cause)) => return Err(cause),
    };
    if size.is_some_and(|size| size != octets.len() as u64) {
        return Err(taken(name));
    }
    match same(session, name, octets).await {
        Ok(true) => Ok(Before::Same),
        // What can't be read may be another file: one that is there twice is better than one that is lost.
        Ok(false) | Err(Said::Status(_)) => Err(taken(name)),
        Err(Said::Lost(cause)) => Err(cause),
    }
}

async fn same<S>(session: &mut Session<S>, name: &str, octets: &[u8]) -> Result<bool, Said>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let file = session.file(name, For::Reading).await?;
    let mut at = 0;
    let same = loop {
        let read = session.read(&file, at as u64, BLOCK_BYTES as u32).await?;
        let rest = &octets[at..];
        if read.is_empty() {
            break rest.is_empty();
        }
        if !rest.starts_with(&read) {
            break false;
        }
        at += read.len();
    };
    session.close(file).await?;
    Ok(same)
}

/// Writes a file, up to the server's disk. Errors: with how many octets it has taken.
async fn store<S>(session: &mut Session<S>, part: &str, octets: &[u8]) -> Result<(), (u64, Said)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let opened = session.file(part, For::Writing).await;
    let file = opened.map_err(|said| (0, said))?;
    let written = write(session, &file, octets).await;
    let all = octets.len() as u64;
    let synced = match written {
        Ok(()) => session.sync(&file).await.map_err(|said| (all, said)),
        Err((_, Said::Lost(_))) => return written,
        Err(_) => written,
    };
    // A disk may be found full only now.
    let closed = session.close(file).await.map_err(|said| (all, said));
    synced.and(closed)
}

async fn write<S>(session: &mut Session<S>, file: &File, octets: &[u8]) -> Result<(), (u64, Said)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let blocks = octets.chunks(BLOCK_BYTES);
    let offsets = (0_u64..).step_by(BLOCK_BYTES);
    let mut pending = Vec::with_capacity(WRITES_MAX);
    let (mut taken, mut refused) = (0, None);
    for (block, at) in blocks.zip(offsets) {
        let sent = session.write(file, at, block).await;
        pending.push(sent.map_err(|said| (taken, said))?);
        if pending.len() == WRITES_MAX {
            match session.written(&mut pending).await {
                Ok(()) => taken += BLOCK_BYTES as u64,
                Err(Said::Lost(cause)) => return Err((taken, Said::Lost(cause))),
                Err(said) => refused = Some(said),
            }
        }
        if refused.is_some() {
            break;
        }
    }
    // Every answer is taken, or the next request would find them.
    while !pending.is_empty() {
        match session.written(&mut pending).await {
            Ok(()) => taken += BLOCK_BYTES as u64,
            Err(Said::Lost(cause)) => return Err((taken, Said::Lost(cause))),
            Err(said) => refused = refused.or(Some(said)),
        }
    }
    match refused {
        None => Ok(()),
        Some(said) => Err((taken.min(octets.len() as u64), said)),
    }
}

/// The cause of what was refused, after what is there of the file was taken away.
async fn give_up<S>(
    session: &mut Session<S>,
    name: &str,
    part: &str,
    left: u64,
    said: Said,
) -> Cause
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let status = match said {
        Said::Status(status) => status,
        Said::Lost(cause) => return cause,
    };
    // SFTP has no word for a full disk.
    let free = session.free(part).await.unwrap_or(None);
    // It may not have been made at all.
    let _removed = session.remove(part).await;
    match free {
        Some(free) if free < left.max(1) => Cause::NoSpace,
        Some(_) | None => denied(name, status),
    }
}

fn denied(name: &str, status: u32) -> Cause {
    let said = words(status);
    match status {
        NO_SUCH_FILE | PERMISSION_DENIED => Cause::Denied {
            name: name.to_owned(),
            said,
        },
        _ => Cause::Refused {
            step: "take the file",
            said,
        },
    }
}
