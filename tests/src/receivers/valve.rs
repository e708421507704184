//! A relay to a receiver that does to connections what a test wants at the time.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use parking_lot::Mutex;

/// Bytes that pass at once where it is slow, and how long the next wait.
const SLOW_BYTES: usize = 64;
const SLOW_PAUSE: Duration = Duration::from_millis(2);

/// What becomes of connections that begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// All passes.
    Open,
    /// They are ended before anything is said.
    Refused,
    /// What clients say passes slowly.
    Slow,
    /// They end after so many bytes of what the client says.
    Cut(usize),
}

/// It passes on connections until it is dropped.
#[derive(Debug)]
pub struct Valve {
    /// Its TCP port on loopback.
    pub port: u16,
    flow: Arc<Mutex<Flow>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Valve {
    /// One before a receiver at a port of loopback; it is open.
    pub fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let flow = Arc::new(Mutex::new(Flow::Open));
        let ended = Arc::new(AtomicBool::new(false));
        let (flows, end) = (Arc::clone(&flow), Arc::clone(&ended));
        let thread = thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if end.load(SeqCst) {
                    return;
                }
                let flow = *flows.lock();
                // It ends with its connections.
                thread::spawn(move || relay(client, to, flow));
            }
        });
        Ok(Self {
            port,
            flow,
            ended,
            thread: Some(thread),
        })
    }

    /// What becomes of connections from now on.
    pub fn set(&self, flow: Flow) {
        *self.flow.lock() = flow;
    }
}

impl Drop for Valve {
    fn drop(&mut self) {
        self.ended.store(true, SeqCst);
        // It waits for a connection, and ends with this one.
        let woken = TcpStream::connect(("127.0.0.1", self.port));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            // It does not panic.
            let _ended = thread.join();
        }
    }
}

fn relay(mut client: TcpStream, to: u16, flow: Flow) -> Result<()> {
    if flow == Flow::Refused {
        return Ok(client.shutdown(Shutdown::Both)?);
    }
    let mut server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], to)))?;
    let (mut from, mut back) = (server.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || {
        let copied = std::io::copy(&mut from, &mut back);
        // The client is told that nothing more comes.
        let _gone = back.shutdown(Shutdown::Both);
        copied
    });
    let passed = pass(&mut client, &mut server, flow);
    for stream in [&client, &server] {
        // The other side may have ended it already.
        let _closed = stream.shutdown(Shutdown::Both);
    }
    let _answered = answers.join();
    passed
}

fn pass(client: &mut TcpStream, server: &mut TcpStream, flow: Flow) -> Result<()> {
    let mut left = match flow {
        Flow::Cut(bytes) => bytes,
        Flow::Open | Flow::Refused | Flow::Slow => usize::MAX,
    };
    let mut buffer = vec![
        0;
        if flow == Flow::Slow {
            SLOW_BYTES
        } else {
            4_096
        }
    ];
    while left > 0 {
        let most = left.min(buffer.len());
        let read = client.read(&mut buffer[..most])?;
        if read == 0 {
            return Ok(());
        }
        if flow == Flow::Slow {
            thread::park_timeout(SLOW_PAUSE);
        }
        server.write_all(&buffer[..read])?;
        left -= read;
    }
    Ok(())
}
