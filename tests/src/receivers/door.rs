//! A relay to a receiver that is there or away, as a test says.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::thread;

use anyhow::Result;

/// Who comes while it is shut is turned away at once.
#[derive(Debug)]
pub struct Door {
    /// Its TCP port on loopback.
    pub port: u16,
    open: Arc<AtomicBool>,
    to: Arc<AtomicU16>,
}

impl Door {
    /// One before a receiver at a port of loopback; it is shut.
    pub fn before(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let open = Arc::new(AtomicBool::new(false));
        let is_open = Arc::clone(&open);
        let to = Arc::new(AtomicU16::new(to));
        let leads = Arc::clone(&to);
        // It ends with the process of the test.
        thread::spawn(move || {
            for client in listener.incoming().map_while(io::Result::ok) {
                if is_open.load(Ordering::SeqCst) {
                    let to = leads.load(Ordering::SeqCst);
                    thread::spawn(move || pass(&client, to));
                }
            }
        });
        Ok(Self { port, open, to })
    }

    /// Opens or shuts it, for whoever comes from now on.
    pub fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::SeqCst);
    }

    /// Another receiver is behind it, for whoever comes from now on.
    pub fn lead_to(&self, port: u16) {
        self.to.store(port, Ordering::SeqCst);
    }
}

fn pass(client: &TcpStream, to: u16) -> io::Result<()> {
    let server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], to)))?;
    let (mut from, mut back) = (server.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || {
        let _ended = io::copy(&mut from, &mut back);
        let _closed = back.shutdown(Shutdown::Both);
    });
    let (mut said, mut on) = (client.try_clone()?, server.try_clone()?);
    let _ended = io::copy(&mut said, &mut on);
    let _closed = server.shutdown(Shutdown::Both);
    let _answered = answers.join();
    Ok(())
}
