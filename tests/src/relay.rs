//! A relay between clients and a GGSN that records what passes, so that no capture needs root.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::capture::Capture;

/// How long a thread may take to see that the relay ends.
const LOOK_UP: Duration = Duration::from_millis(100);
const BUFFER_BYTES: usize = 4 << 20;

/// What happens to datagrams on the way, in each direction of each client; 0 is never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noise {
    /// Every so many-th comes twice.
    pub repeat: u32,
    /// Every so many-th does not come.
    pub lose: u32,
}

/// Passes datagrams on, until it is dropped.
#[derive(Debug)]
pub struct Relay {
    capture: Arc<Capture>,
    /// Its threads go on while this is there.
    wanted: Option<Arc<()>>,
    front: Option<JoinHandle<Result<()>>>,
}

/// One direction of one client.
struct Pass {
    client: SocketAddr,
    ggsn: SocketAddr,
    front: UdpSocket,
    back: UdpSocket,
    noise: Noise,
}

impl Relay {
    /// Takes datagrams at `front` and passes them on to `ggsn`, from its own address at a port of its own for each
    /// client; the answers go back. What it records are the datagrams between it and the GGSN.
    pub fn start(front: UdpSocket, ggsn: SocketAddr, capture: Arc<Capture>) -> Result<Self> {
        Self::start_noisy(front, ggsn, capture, Noise::default())
    }

    /// The same on a bad path.
    pub fn start_noisy(
        front: UdpSocket,
        ggsn: SocketAddr,
        capture: Arc<Capture>,
        noise: Noise,
    ) -> Result<Self> {
        let wanted = Arc::new(());
        widen(&front);
        front.set_read_timeout(Some(LOOK_UP))?;
        let (record, running) = (Arc::clone(&capture), Arc::downgrade(&wanted));
        let front = thread::spawn(move || forward(&front, ggsn, &record, &running, noise));
        Ok(Self {
            capture,
            wanted: Some(wanted),
            front: Some(front),
        })
    }

    /// Ends it, and says what it recorded.
    pub fn finish(mut self) -> Result<Arc<Capture>> {
        self.wanted = None;
        if let Some(front) = self.front.take() {
            front.join().map_err(|_| anyhow!("the relay panicked"))??;
        }
        Ok(Arc::clone(&self.capture))
    }
}

/// Datagrams of all clients towards the GGSN.
fn forward(
    front: &UdpSocket,
    ggsn: SocketAddr,
    capture: &Arc<Capture>,
    running: &Weak<()>,
    noise: Noise,
) -> Result<()> {
    let own: IpAddr = front.local_addr()?.ip();
    let mut clients: HashMap<SocketAddr, UdpSocket> = HashMap::new();
    let mut returns = Vec::new();
    let mut count = 0;
    while let Some((datagram, client)) = next(front, running)? {
        let back = match clients.entry(client) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let back = UdpSocket::bind((own, 0))?;
                widen(&back);
                back.set_read_timeout(Some(LOOK_UP))?;
                let pass = Pass {
                    client,
                    ggsn,
                    front: front.try_clone()?,
                    back: back.try_clone()?,
                    noise,
                };
                let (record, running) = (Arc::clone(capture), Weak::clone(running));
                returns.push(thread::spawn(move || pass.back(&record, &running)));
                new.insert(back)
            }
        };
        count += 1;
        for _ in 0..noise.times(count) {
            capture.record(back.local_addr()?, ggsn, &datagram)?;
            back.send_to(&datagram, ggsn)?;
        }
    }
    for thread in returns {
        thread.join().map_err(|_| anyhow!("the relay panicked"))??;
    }
    Ok(())
}

impl Noise {
    /// How often the `count`-th datagram is passed on.
    fn times(self, count: u32) -> u32 {
        let falls_on = |every: u32| every > 0 && count.is_multiple_of(every);
        match (falls_on(self.lose), falls_on(self.repeat)) {
            (true, _) => 0,
            (false, true) => 2,
            (false, false) => 1,
        }
    }
}

impl Pass {
    /// Datagrams of the GGSN towards this client.
    fn back(&self, capture: &Capture, running: &Weak<()>) -> Result<()> {
        let mut count = 0;
        while let Some((datagram, from)) = next(&self.back, running)? {
            if from != self.ggsn {
                continue;
            }
            count += 1;
            for _ in 0..self.noise.times(count) {
                capture.record(from, self.back.local_addr()?, &datagram)?;
                // A client that has gone answers with an ICMP error; there is nobody to tell.
                let _ = self.front.send_to(&datagram, self.client);
            }
        }
        Ok(())
    }
}

/// The next datagram; none once the relay has ended.
fn next(socket: &UdpSocket, running: &Weak<()>) -> Result<Option<(Vec<u8>, SocketAddr)>> {
    let mut buffer = [0; 4096];
    while running.strong_count() > 0 {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => return Ok(Some((buffer[..length].to_vec(), from))),
            Err(error) if again(error.kind()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Nothing came yet, or an ICMP error about a client that has gone.
fn again(kind: ErrorKind) -> bool {
    [
        ErrorKind::WouldBlock,
        ErrorKind::TimedOut,
        ErrorKind::Interrupted,
        ErrorKind::ConnectionRefused,
    ]
    .contains(&kind)
}

/// Asks for a receive buffer that holds a burst, by force where root is; less is no error.
fn widen(socket: &UdpSocket) {
    let forced = rustix::net::sockopt::set_socket_recv_buffer_size_force(socket, BUFFER_BYTES);
    if forced.is_err() {
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size(socket, BUFFER_BYTES);
    }
}
