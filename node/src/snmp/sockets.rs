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
    /// Binds what these addresses need; inside of a runtime.
    pub(super) async fn bind(targets: &[SocketAddr]) -> io::Result<Self> {
        let any = |address: IpAddr| async move {
            let needed = targets.iter().any(|to| to.is_ipv4() == address.is_ipv4());
            match needed {
                true => UdpSocket::bind((address, 0)).await.map(Some),
                false => Ok(None),
            }
        };
        Ok(Self {
            v4: any(Ipv4Addr::UNSPECIFIED.into()).await?,
            v6: any(Ipv6Addr::UNSPECIFIED.into()).await?,
            buffers: [vec![0; DATAGRAM_BYTES], vec![0; DATAGRAM_BYTES]],
        })
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
