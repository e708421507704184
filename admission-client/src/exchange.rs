//! One request and its answer: HTTP/1.1 on the node's Unix socket, a connection for each.

use std::io::{Error, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use api::{
    Answer, ClientLease, ClientRequest, Failure, REQUEST_PATH, Reply, Request, UNKNOWN_LEASE,
};

use crate::ClientError;

/// Longest wait for an answer; it is tried twice.
pub const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn ask(socket: &Path, request: &ClientRequest) -> Result<ClientLease, ClientError> {
    let not_understood = |error: serde_json::Error| ClientError::NotUnderstood(error.to_string());
    let request = Request::Client(request.clone());
    let body = serde_json::to_string(&request).map_err(not_understood)?;
    let answer = exchange(socket, &body)?;
    let text = String::from_utf8_lossy(&answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Err(Error::from(ErrorKind::UnexpectedEof).into());
    };
    match serde_json::from_str(body).map_err(not_understood)? {
        Answer::Reply(Reply::Lease { lease }) => Ok(lease),
        Answer::Reply(_) => Err(ClientError::NotUnderstood("another reply".to_owned())),
        Answer::Failure(failure) => Err(failed(head, failure)),
    }
}

fn failed(head: &str, failure: Failure) -> ClientError {
    let status = head.split(' ').nth(1);
    if status == Some("404") && failure.place == UNKNOWN_LEASE {
        ClientError::UnknownLease(failure)
    } else {
        ClientError::Refused(failure)
    }
}

/// Sends the body and reads to the end of the connection.
fn exchange(socket: &Path, body: &str) -> Result<Vec<u8>, Error> {
    let deadline = Instant::now() + ANSWER_WAIT;
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(ANSWER_WAIT))?;
    let length = body.len();
    let head = format!(
        "POST {REQUEST_PATH} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || answer.len() > ANSWER_BYTES_MAX {
            return Err(Error::from(ErrorKind::TimedOut));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut piece)? {
            0 => return Ok(answer),
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
}
