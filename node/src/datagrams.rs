//! Datagrams in batches: many read with one call of the system, many sent with one.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg};
use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};
use smallvec::SmallVec;

/// Most datagrams that are read, or sent, at once.
pub const BATCH_DATAGRAMS: usize = 64;

/// Whether to wait for the first datagram, as long as the socket's own bound of a receive says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until one is there.
    First,
    /// Take what is there.
    No,
}

/// Room for datagrams that come. It stays in the thread that made it.
pub struct Incoming {
    headers: MultiHeaders<SockaddrStorage>,
    octets: Vec<u8>,
    each_bytes: usize,
}

impl Incoming {
    /// Room for [`BATCH_DATAGRAMS`]; of a longer one than `each_bytes`, at least 1, the rest is lost.
    pub fn new(each_bytes: usize) -> Self {
        let each_bytes = each_bytes.max(1);
        Self {
            headers: MultiHeaders::preallocate(BATCH_DATAGRAMS, None),
            octets: vec![0; each_bytes * BATCH_DATAGRAMS],
            each_bytes,
        }
    }

    /// Reads what is there, at most [`BATCH_DATAGRAMS`], and gives each with its sender to `take`, in the order in which
    /// they came; returns how many it read.
    ///
    /// # Errors
    ///
    /// Why nothing was read.
    pub fn receive(
        &mut self,
        socket: impl AsFd,
        wait: Wait,
        mut take: impl FnMut(SocketAddr, &[u8]),
    ) -> io::Result<usize> {
        let flags = match wait {
            Wait::First => MsgFlags::MSG_WAITFORONE,
            Wait::No => MsgFlags::MSG_DONTWAIT,
        };
        let mut rooms = self.octets.chunks_exact_mut(self.each_bytes);
        let mut slices: [_; BATCH_DATAGRAMS] =
            std::array::from_fn(|_| [IoSliceMut::new(rooms.next().unwrap_or_default())]);
        let socket = socket.as_fd().as_raw_fd();
        let read = recvmmsg(socket, &mut self.headers, slices.iter_mut(), flags, None)?;
        let mut count = 0;
        for datagram in read {
            count += 1;
            // A datagram may be empty.
            let octets = datagram.iovs().next().unwrap_or_default();
            if let Some(peer) = datagram.address.as_ref().and_then(address) {
                take(peer, octets);
            }
        }
        Ok(count)
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("each_bytes", &self.each_bytes)
            .finish_non_exhaustive()
    }
}

fn address(of: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = of.as_sockaddr_in().map(|v4| SocketAddrV4::from(*v4).into());
    v4.or_else(|| {
        of.as_sockaddr_in6()
            .map(|v6| SocketAddrV6::from(*v6).into())
    })
}

/// Datagrams that wait to be sent, in one piece of memory that is used again.
#[derive(Debug, Default)]
pub struct Outgoing {
    octets: Vec<u8>,
    datagrams: Vec<(SocketAddrAny, Range<usize>)>,
}

impl Outgoing {
    /// Puts one in.
    pub fn push(&mut self, to: SocketAddr, octets: &[u8]) {
        let from = self.octets.len();
        self.octets.extend_from_slice(octets);
        self.datagrams.push((to.into(), from..self.octets.len()));
    }

    /// Whether one call of the system would take no more.
    pub fn is_full(&self) -> bool {
        self.datagrams.len() >= BATCH_DATAGRAMS
    }

    /// Sends all, in their order, and is empty then. One that can't be sent keeps no other back: it is given to `failed`
    /// with the reason, and is not tried again.
    pub fn send(&mut self, socket: impl AsFd, mut failed: impl FnMut(SocketAddr, io::Error)) {
        let mut at = 0;
        while let Some(rest) = self.datagrams.get(at..).filter(|rest| !rest.is_empty()) {
            let (to, _) = &rest[0];
            match send_some(&socket, &self.octets, rest) {
                Ok(sent) if sent > 0 => at += sent,
                Err(Errno::INTR) => {}
                outcome => {
                    let error = outcome.err().unwrap_or(Errno::IO).into();
                    if let Ok(to) = to.clone().try_into() {
                        failed(to, error);
                    }
                    at += 1;
                }
            }
        }
        self.octets.clear();
        self.datagrams.clear();
    }
}

/// Sends the first of these, at most [`BATCH_DATAGRAMS`]; returns how many. The error is the first one's: the system keeps
/// that of another, which the next call begins with, to itself.
fn send_some(
    socket: impl AsFd,
    octets: &[u8],
    datagrams: &[(SocketAddrAny, Range<usize>)],
) -> rustix::io::Result<usize> {
    let datagrams = &datagrams[..datagrams.len().min(BATCH_DATAGRAMS)];
    let slices = datagrams
        .iter()
        .map(|(_, range)| IoSlice::new(&octets[range.clone()]));
    let slices: SmallVec<[_; BATCH_DATAGRAMS]> = slices.collect();
    let ancillary = datagrams.iter().map(|_| SendAncillaryBuffer::default());
    let mut ancillary: SmallVec<[_; BATCH_DATAGRAMS]> = ancillary.collect();
    let parts = datagrams.iter().zip(&slices).zip(&mut ancillary);
    let messages = parts.map(|(((to, _), slice), ancillary)| {
        MMsgHdr::new_with_addr(to, std::slice::from_ref(slice), ancillary)
    });
    let mut messages: SmallVec<[_; BATCH_DATAGRAMS]> = messages.collect();
    sendmmsg(socket, &mut messages, SendFlags::empty())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use super::*;

    fn bind(address: &str) -> UdpSocket {
        let socket = UdpSocket::bind(address).unwrap();
        let limit = Some(Duration::from_secs(120));
        socket.set_read_timeout(limit).unwrap();
        socket
    }

    fn received(incoming: &mut Incoming, socket: &UdpSocket) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut all = Vec::new();
        let read = incoming.receive(socket, Wait::First, |peer, octets| {
            all.push((peer, octets.to_vec()));
        });
        assert_eq!(read.unwrap(), all.len());
        all
    }

    #[test]
    fn what_is_sent_arrives_in_its_order_with_its_sender() {
        for (ours, theirs) in [("127.0.61.7:0", "127.0.61.8:0"), ("[::1]:0", "[::1]:0")] {
            let (ours, theirs) = (bind(ours), bind(theirs));
            let (from, to) = (ours.local_addr().unwrap(), theirs.local_addr().unwrap());
            let mut outgoing = Outgoing::default();
            let datagrams: Vec<Vec<u8>> = (0..150_u8).map(|n| vec![n; usize::from(n)]).collect();
            for datagram in &datagrams {
                outgoing.push(to, datagram);
            }
            assert!(outgoing.is_full());
            outgoing.send(&ours, |to, error| panic!("{to}: {error}"));
            assert!(!outgoing.is_full());
            outgoing.send(&ours, |to, error| panic!("{to}: {error}"));
            let mut incoming = Incoming::new(256);
            let mut all = Vec::new();
            for expected in [64, 64, 22] {
                let some = received(&mut incoming, &theirs);
                assert_eq!(some.len(), expected);
                all.extend(some);
            }
            let expected: Vec<_> = datagrams.into_iter().map(|octets| (from, octets)).collect();
            assert_eq!(all, expected);
            let none = incoming.receive(&theirs, Wait::No, |_, _| {});
            assert_eq!(none.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }

    #[test]
    fn a_datagram_that_can_not_be_sent_keeps_no_other_back() {
        let (ours, theirs) = (bind("127.0.61.9:0"), bind("127.0.61.10:0"));
        let to = theirs.local_addr().unwrap();
        let nowhere: SocketAddr = "127.0.61.10:0".parse().unwrap();
        let other_family: SocketAddr = "[::1]:9".parse().unwrap();
        let mut outgoing = Outgoing::default();
        // First, in the middle, two in a row, the last of one call and the first of the next, and the last.
        let bad = [0, 5, 6, 63, 64, 70, 129];
        for n in 0..130_u8 {
            let to = match bad.iter().position(|at| *at == n) {
                Some(1) => other_family,
                Some(_) => nowhere,
                None => to,
            };
            outgoing.push(to, &[n]);
        }
        // Longer than any datagram.
        outgoing.push(to, &[0; 65_508]);
        let mut failures = Vec::new();
        outgoing.send(&ours, |to, error| {
            failures.push((to, Errno::from_io_error(&error)));
        });
        let refused = (nowhere, Some(Errno::INVAL));
        let mut expected = vec![refused; bad.len()];
        expected[1] = (other_family, Some(Errno::AFNOSUPPORT));
        expected.push((to, Some(Errno::MSGSIZE)));
        assert_eq!(failures, expected);
        let mut incoming = Incoming::new(16);
        let good: Vec<_> = (0..130).filter(|n| !bad.contains(n)).collect();
        let mut numbers = Vec::new();
        while numbers.len() < good.len() {
            let some = received(&mut incoming, &theirs);
            numbers.extend(some.iter().map(|(_, octets)| octets[0]));
        }
        assert_eq!(numbers, good);
    }

    #[test]
    fn of_a_long_datagram_the_beginning_is_read_and_the_next_is_whole() {
        let (ours, theirs) = (bind("127.0.61.11:0"), bind("127.0.61.12:0"));
        let to = theirs.local_addr().unwrap();
        for datagram in [&[1; 9][..], &[2; 65_507], &[], &[3; 10], &[4; 11]] {
            ours.send_to(datagram, to).unwrap();
        }
        let mut incoming = Incoming::new(10);
        let octets = received(&mut incoming, &theirs).into_iter().map(|(_, o)| o);
        let expected = [vec![1; 9], vec![2; 10], vec![], vec![3; 10], vec![4; 10]];
        assert_eq!(octets.collect::<Vec<_>>(), expected);
    }
}
