//! Sockets: one of each family that targets have.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;

/// Longest datagram.
const DATAGRAM_BYTES: usize = 65_536;

/// A datagram that arrived.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) from: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// The sockets, at ports that the system chose.
#[derive(Debug)]
pub(super) struct Sockets {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    buffers: [Vec<u8>; 2],
}

impl Sockets {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            v4: None,
            v6: None,
            buffers: [vec![0; DATAGRAM_BYTES], vec![0; DATAGRAM_BYTES]],
        }
    }

    /// Binds what these addresses need and is not there; inside of a runtime.
    pub(super) async fn bind(
        &mut self,
        targets: impl Iterator<Item = SocketAddr>,
    ) -> io::Result<()> {
        for to in targets {
            let (socket, any): (_, IpAddr) = match to {
                SocketAddr::V4(_) => (&mut self.v4, Ipv4Addr::UNSPECIFIED.into()),
                SocketAddr::V6(_) => (&mut self.v6, Ipv6Addr::UNSPECIFIED.into()),
            };
            if socket.is_none() {
                *socket = Some(UdpSocket::bind((any, 0)).await?);
            }
        }
        Ok(())
    }

    pub(super) async fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let socket = if to.is_ipv4() { &self.v4 } else { &self.v6 };
        match socket {
            Some(socket) => socket.send_to(bytes, to).await.map(drop),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The next datagram of either; never, if there is no socket. Errors: those that an earlier sending caused.
    pub(super) async fn receive(&mut self) -> io::Result<Datagram> {
        let [first, second] = &mut self.buffers;
        tokio::select! {
            received = receive(self.v4.as_ref(), first) => received,
            received = receive(self.v6.as_ref(), second) => received,
        }
    }
}

/// The next datagram of a socket; never, without one.
pub(super) async fn receive(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> io::Result<Datagram> {
    let Some(socket) = socket else {
        return std::future::pending().await;
    };
    let (length, from) = socket.recv_from(buffer).await?;
    let bytes = buffer[..length].to_vec();
    Ok(Datagram { from, bytes })
}
