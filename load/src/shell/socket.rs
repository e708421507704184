//! UDP sockets that take a burst.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use gtp::v1::MAX_MESSAGE_BYTES;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_recv_buffer_size_force;
use socket2::{Domain, Protocol, Socket, Type};

use super::LoadError;

/// Receive buffer of each socket, as far as the system lets us. Unit: octets.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;
/// Most datagrams taken from one socket before the others have their turn.
const MOST_AT_ONCE: usize = 256;

/// The sockets: the first has the GTP-C port, the others have any.
#[derive(Debug)]
pub(super) struct Sockets {
    sockets: Vec<UdpSocket>,
    local: IpAddr,
    buffer: Box<[u8; MAX_MESSAGE_BYTES]>,
}

impl Sockets {
    /// Binds `count` sockets on `local`; if that names no address, on the one from which `peer` is reached.
    pub fn bind(local: IpAddr, port: u16, count: u16, peer: SocketAddr) -> Result<Self, LoadError> {
        let local = match local.is_unspecified() {
            true => route_to(peer).map_err(|source| LoadError::Socket {
                doing: "find the address from which the gateway is reached",
                source,
            })?,
            false => local,
        };
        let ports = std::iter::once(port).chain(std::iter::repeat(0));
        let sockets = ports
            .take(usize::from(count))
            .map(|port| {
                let address = SocketAddr::new(local, port);
                open(address).map_err(|source| LoadError::Bind { address, source })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            sockets,
            local,
            buffer: Box::new([0; MAX_MESSAGE_BYTES]),
        })
    }

    /// The address that all of them have.
    pub fn local_ip(&self) -> IpAddr {
        self.local
    }

    /// Sends a datagram. One that the system has no room for is lost, as it may be on the way; it is sent again.
    pub fn send(&self, path: u16, to: SocketAddr, datagram: &[u8]) -> Result<(), LoadError> {
        let Some(socket) = self.sockets.get(usize::from(path)) else {
            return Ok(());
        };
        match socket.send_to(datagram, to) {
            Ok(_) => Ok(()),
            Err(error) if is_passing(&error) => Ok(()),
            Err(source) => Err(LoadError::Socket {
                doing: "send",
                source,
            }),
        }
    }

    /// Waits for datagrams, at most so long, and hands each to `take`.
    pub fn receive(
        &mut self,
        wait: Duration,
        mut take: impl FnMut(u16, SocketAddr, &[u8]),
    ) -> Result<(), LoadError> {
        let readable = self.wait(wait).map_err(|source| LoadError::Socket {
            doing: "wait for a datagram",
            source,
        })?;
        for path in readable {
            for _ in 0..MOST_AT_ONCE {
                match self.sockets[usize::from(path)].recv_from(&mut self.buffer[..]) {
                    Ok((len, from)) => take(path, from, &self.buffer[..len]),
                    Err(error) if is_passing(&error) => break,
                    Err(source) => {
                        return Err(LoadError::Socket {
                            doing: "receive",
                            source,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// The sockets that have something to read.
    fn wait(&self, wait: Duration) -> io::Result<Vec<u16>> {
        let mut polled: Vec<_> = self
            .sockets
            .iter()
            .map(|socket| PollFd::new(socket, PollFlags::IN))
            .collect();
        let timeout = Timespec {
            tv_sec: wait.as_secs().cast_signed(),
            tv_nsec: wait.subsec_nanos().into(),
        };
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok((0..)
            .zip(&polled)
            .filter(|(_, polled)| !polled.revents().is_empty())
            .map(|(path, _)| path)
            .collect())
    }
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER_BYTES).is_err() {
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    }
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The address of ours that the system would send from to `peer`; nothing is sent.
fn route_to(peer: SocketAddr) -> io::Result<IpAddr> {
    let any = match peer {
        SocketAddr::V4(_) => IpAddr::from([0; 4]),
        SocketAddr::V6(_) => IpAddr::from([0; 16]),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(peer)?;
    Ok(socket.local_addr()?.ip())
}

/// Nothing there, interrupted, or what the network told about an earlier datagram: the sockets go on.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock
            | io::ErrorKind::Interrupted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    ) || error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error())
}
