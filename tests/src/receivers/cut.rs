//! A relay to a receiver that passes on so many bytes of what a client says, and then no more.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Result;

/// What comes after the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Both connections end.
    Ends,
    /// Nothing passes any more, and the connections stay as long as the relay.
    Stalls,
}

/// It passes on one connection.
#[derive(Debug)]
pub struct Cut {
    /// Its TCP port on loopback.
    pub port: u16,
    /// Who stalls waits until this is gone.
    _ended: SyncSender<()>,
}

impl Cut {
    /// One before a receiver at a port of loopback.
    pub fn start(to: u16, bytes: usize, then: Then) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let (ended, wait) = sync_channel(0);
        // It ends with the connection, or with the test.
        thread::spawn(move || relay(&listener, to, bytes, then, &wait));
        Ok(Self {
            port,
            _ended: ended,
        })
    }
}

fn relay(
    listener: &TcpListener,
    to: u16,
    bytes: usize,
    then: Then,
    ended: &Receiver<()>,
) -> Result<()> {
    let (mut client, _) = listener.accept()?;
    let mut server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], to)))?;
    let (mut from, mut back) = (server.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || std::io::copy(&mut from, &mut back));
    let mut left = bytes;
    let mut buffer = vec![0; 4_096];
    while left > 0 {
        let most = left.min(buffer.len());
        let read = client.read(&mut buffer[..most])?;
        if read == 0 {
            break;
        }
        server.write_all(&buffer[..read])?;
        left -= read;
    }
    if left == 0 && then == Then::Stalls {
        // Nobody sends anything: this is until the relay is dropped.
        let _ended = ended.recv();
    }
    for stream in [&client, &server] {
        // The other side may have ended it already.
        let _closed = stream.shutdown(Shutdown::Both);
    }
    let _answered = answers.join();
    Ok(())
}
