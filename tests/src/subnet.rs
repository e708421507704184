//! Loopback addresses of a test's own.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use anyhow::{Context, Result, bail};

/// The port of GTP-C.
pub const GTP_C: u16 = 2123;

/// The subnets are 127.77.N.0/24.
const SECOND_OCTET: u8 = 77;
/// The address of a subnet whose port says that the subnet is taken.
const MARK: u8 = 254;
const MARK_PORT: u16 = 47_123;
/// Of the ports of 127.0.0.1 that go with the subnets, one each: below those that the system gives to whoever asks for any.
const FIRST_PORT: u16 = 21_000;

/// 253 loopback addresses that nobody else has while this value lives, in this process or another.
#[derive(Debug)]
pub struct Subnet {
    third: u8,
    /// The kernel gives it to one owner at a time, and takes it back when the owner dies.
    _mark: UdpSocket,
}

impl Subnet {
    /// Takes a free subnet.
    pub fn take() -> Result<Self> {
        let start = std::process::id() as u8;
        for step in 0..=u8::MAX {
            let third = start.wrapping_add(step);
            let address = Ipv4Addr::new(127, SECOND_OCTET, third, MARK);
            if let Ok(mark) = UdpSocket::bind((address, MARK_PORT)) {
                return Ok(Self { third, _mark: mark });
            }
        }
        bail!("no free subnet among 127.{SECOND_OCTET}.0.0/16: is loopback up?")
    }

    /// Address number `host`, 1 to 253.
    pub fn ip(&self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, SECOND_OCTET, self.third, host)
    }

    /// Address number `host` with the port of GTP-C.
    pub fn gtp_c(&self, host: u8) -> SocketAddr {
        SocketAddr::from((self.ip(host), GTP_C))
    }

    /// An address for TCP, by the name of `localhost` too, that is nobody else's while this value lives, also while nobody
    /// listens there.
    pub fn tcp(&self) -> SocketAddr {
        let port = FIRST_PORT + u16::from(self.third);
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    /// A socket on address number `host`, at the port of GTP-C.
    pub fn socket(&self, host: u8) -> Result<UdpSocket> {
        let address = self.gtp_c(host);
        UdpSocket::bind(address).with_context(|| format!("bind {address}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_owners_never_share() {
        let taken = [Subnet::take().unwrap(), Subnet::take().unwrap()];
        assert_ne!(taken[0].ip(1), taken[1].ip(1));
    }
}
