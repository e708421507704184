//! Waiting for what another process does, with a deadline.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two looks at a process that tells us nothing by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Looks until `look` finds something, at most for `limit`; `what` is in the error.
pub fn eventually<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("not within {limit:?}: {what}");
        }
        thread::park_timeout(LOOK_AGAIN);
    }
}

/// Waits for a datagram, as long as the socket does; that this process was stopped meanwhile is no end of it.
pub fn datagram(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            received => return received,
        }
    }
}

/// Looks until `holds`, at most for `limit`; `what` is in the error.
pub fn until(what: &str, limit: Duration, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    eventually(what, limit, || Ok(holds()?.then_some(())))
}
