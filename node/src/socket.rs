//! The Gn socket: its receive buffer, and what the kernel says of it.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use rustix::net::sockopt;
use socket2::{Domain, Protocol, Socket, Type};

use crate::steering::{self, GtpSockets};

/// What a burst of datagrams may take while the receiver is not scheduled, in bytes, the kernel's records included.
pub const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// Longest wait of a receive; the receiver looks for a shutdown that often.
const RECEIVE_WAIT: Duration = Duration::from_millis(100);

/// Longest wait of a worker for room in the send buffer; an answer that finds none is counted and not sent.
const SEND_WAIT: Duration = Duration::from_millis(10);

/// A socket, and the receive buffer that it got, in bytes.
#[derive(Debug)]
pub(crate) struct GnSocket {
    pub(crate) socket: UdpSocket,
    pub(crate) receive_buffer_bytes: usize,
}

/// Binds one UDP socket, or one for each worker where the system picks among them as we say, and why not those, if so many
/// were asked for. Errors: the address can't be had, or not as it was chosen.
pub(crate) fn bind_all(
    address: SocketAddr,
    workers: u16,
    choice: GtpSockets,
) -> io::Result<(Vec<GnSocket>, Option<String>)> {
    // Alone, so that no other process has the port.
    let only = bind(address, false)?;
    if workers < 2 || choice == GtpSockets::One {
        return Ok((vec![only], None));
    }
    let address = only.socket.local_addr()?;
    drop(only);
    match bind_steered(address, workers) {
        Ok(sockets) => Ok((sockets, None)),
        Err(why) if choice == GtpSockets::Auto => {
            Ok((vec![bind(address, false)?], Some(why.to_string())))
        }
        Err(why) => Err(why),
    }
}

/// In the order of the workers: the kernel numbers them as they are bound.
fn bind_steered(address: SocketAddr, workers: u16) -> io::Result<Vec<GnSocket>> {
    let sockets = (0..workers).map(|_| bind(address, true));
    let sockets = sockets.collect::<io::Result<Vec<_>>>()?;
    if let Some(first) = sockets.first() {
        steering::attach(&first.socket, workers)?;
    }
    Ok(sockets)
}

/// Binds a UDP socket with a receive buffer of [`RECEIVE_BUFFER_BYTES`], or as much of it as we may have; `beside` others on
/// the port or alone.
pub(crate) fn bind(address: SocketAddr, beside: bool) -> io::Result<GnSocket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER_BYTES).is_err() {
        socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    }
    // The kernel doubles what it is asked for, to have room for its own records, and reports the double (socket(7)).
    let receive_buffer_bytes = socket.recv_buffer_size()? / 2;
    if receive_buffer_bytes < RECEIVE_BUFFER_BYTES {
        event!(
            RECEIVE_BUFFER,
            receive_buffer_bytes,
            wanted_bytes = RECEIVE_BUFFER_BYTES
        );
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if beside {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    socket.set_read_timeout(Some(RECEIVE_WAIT))?;
    socket.set_write_timeout(Some(SEND_WAIT))?;
    Ok(GnSocket {
        socket: socket.into(),
        receive_buffer_bytes,
    })
}

/// Datagrams that the kernel dropped because a receive buffer was full, of all sockets of this address; none: it does not say.
pub(crate) fn drops(address: SocketAddr) -> Option<u64> {
    let table = match address.ip() {
        IpAddr::V4(_) => "/proc/net/udp",
        IpAddr::V6(_) => "/proc/net/udp6",
    };
    drops_in(&fs::read_to_string(table).ok()?, address)
}

/// The sum of the last column of the rows of a local address in the kernel's table of UDP sockets.
fn drops_in(table: &str, address: SocketAddr) -> Option<u64> {
    let local = kernel_form(address);
    let of_row = |row: &str| -> Option<u64> {
        let mut columns = row.split_ascii_whitespace();
        if columns.nth(1)? != local {
            return None;
        }
        columns.last()?.parse().ok()
    };
    let all = table.lines().skip(1).filter_map(of_row);
    all.reduce(u64::saturating_add)
}

/// Address and port as the kernel prints them: 32-bit words in the machine's order, in hexadecimal digits.
fn kernel_form(address: SocketAddr) -> String {
    let words = |octets: &[u8]| -> String {
        let words = octets.chunks_exact(4).map(|word| {
            let word = <[u8; 4]>::try_from(word).map(u32::from_ne_bytes);
            format!("{:08X}", word.unwrap_or_default())
        });
        words.collect()
    };
    let ip = match address.ip() {
        IpAddr::V4(ip) => words(&ip.octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    };
    format!("{ip}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_finds_itself_in_the_kernels_table() {
        let bound = bind("127.0.61.1:0".parse().unwrap(), false).unwrap();
        let address = bound.socket.local_addr().unwrap();
        assert_eq!(drops(address), Some(0));
        assert_eq!(drops("127.0.61.1:1".parse().unwrap()), None);
        assert!(bound.receive_buffer_bytes > 0);
    }

    #[test]
    fn drops_are_the_last_column() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
                     36: 0100007F:084B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 9 2 0000 17\n";
        let address = "127.0.0.1:2123".parse().unwrap();
        assert_eq!(drops_in(table, address), Some(17));
        let row = table.lines().nth(1).unwrap();
        assert_eq!(drops_in(&format!("{table}{row}\n"), address), Some(34));
    }
}
