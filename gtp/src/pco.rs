//! Protocol configuration options: what a UE asks for, and what it is told (TS 24.008 10.5.6.3). They are the same in
//! GTPv1 and GTPv2, and in the additional and the extended options of TS 29.274 8.94 and 8.128.
//!
//! Of all protocols and containers only name servers, by container or by IPCP (RFC 1332, RFC 1877), and the link MTU are
//! understood; the others go unanswered.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Most name servers of one family in an answer.
pub const DNS_MAX: usize = 4;
/// Most octets of an answer.
pub const ANSWER_MAX_BYTES: usize = 1 + (3 + 16) + DNS_MAX * (3 + 4) + DNS_MAX * (3 + 16) + (3 + 2);

/// The first octet: the extension bit, and PPP for IP PDP type as the configuration protocol.
const PPP: u8 = 0x80;
const IPCP: u16 = 0x8021;
const DNS_V6: u16 = 0x0003;
const DNS_V4: u16 = 0x000D;
const LINK_MTU: u16 = 0x0010;
/// Codes of IPCP packets (RFC 1661 5).
const CONFIGURE_REQUEST: u8 = 1;
const CONFIGURE_NAK: u8 = 3;
/// Options of IPCP (RFC 1877 1.1, 1.3).
const PRIMARY_DNS: u8 = 129;
const SECONDARY_DNS: u8 = 131;

/// What a UE asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Name servers' IPv4 addresses, by container.
    pub dns_v4: bool,
    /// Name servers' IPv6 addresses.
    pub dns_v6: bool,
    /// The link MTU of IPv4.
    pub mtu: bool,
    /// Name servers by an IPCP Configure-Request.
    pub ipcp: Option<IpcpAsked>,
}

/// What an IPCP Configure-Request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IpcpAsked {
    /// Its identifier, which the answer has too.
    pub identifier: u8,
    /// The primary name server.
    pub primary: bool,
    /// The secondary one.
    pub secondary: bool,
}

/// What there is to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer<'a> {
    /// Name servers by IPv4, the first [`DNS_MAX`] of which are told.
    pub dns_v4: &'a [Ipv4Addr],
    /// Name servers by IPv6, likewise.
    pub dns_v6: &'a [Ipv6Addr],
    /// Link MTU of IPv4, in octets.
    pub mtu: Option<u16>,
}

/// The value of the element that answers.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    octets: [u8; ANSWER_MAX_BYTES],
    len: usize,
}

impl Asked {
    /// Reads the value of an element with options; none if it is malformed, which is no reason to refuse anything.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (_, mut rest) = value.split_first()?;
        let mut asked = Self::default();
        while !rest.is_empty() {
            let (&[p0, p1, length], behind) = rest.split_first_chunk::<3>()?;
            let (contents, behind) = behind.split_at_checked(usize::from(length))?;
            match u16::from_be_bytes([p0, p1]) {
                DNS_V4 => asked.dns_v4 = true,
                DNS_V6 => asked.dns_v6 = true,
                LINK_MTU => asked.mtu = true,
                IPCP => asked.ipcp = IpcpAsked::parse(contents).or(asked.ipcp),
                _ => {}
            }
            rest = behind;
        }
        Some(asked)
    }

    /// The answer: of what was asked for, what there is. None if that is nothing.
    pub fn answer(&self, offer: &Offer<'_>) -> Option<Answer> {
        let mut answer = Answer {
            octets: [0; ANSWER_MAX_BYTES],
            len: 0,
        };
        answer.push(&[PPP]);
        if let Some(ipcp) = self.ipcp {
            ipcp.answer(offer.dns_v4, &mut answer);
        }
        if self.dns_v4 {
            for server in offer.dns_v4.iter().take(DNS_MAX) {
                answer.option(DNS_V4, &server.octets());
            }
        }
        if self.dns_v6 {
            for server in offer.dns_v6.iter().take(DNS_MAX) {
                answer.option(DNS_V6, &server.octets());
            }
        }
        if let Some(mtu) = offer.mtu.filter(|_| self.mtu) {
            answer.option(LINK_MTU, &mtu.to_be_bytes());
        }
        (answer.len > 1).then_some(answer)
    }
}

impl IpcpAsked {
    /// None of what is no Configure-Request, or malformed.
    fn parse(packet: &[u8]) -> Option<Self> {
        let (&[code, identifier, l0, l1], behind) = packet.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(4)?;
        let mut rest = behind.get(..length)?;
        let mut asked = Self {
            identifier,
            ..Self::default()
        };
        while let Some((&[kind, length], _)) = rest.split_first_chunk::<2>() {
            match kind {
                PRIMARY_DNS => asked.primary = true,
                SECONDARY_DNS => asked.secondary = true,
                _ => {}
            }
            rest = rest.get(usize::from(length).max(2)..)?;
        }
        (code == CONFIGURE_REQUEST).then_some(asked)
    }

    /// A Configure-Nak, which suggests the addresses in place of those in the request (RFC 1661 5.3, RFC 1877 1.1).
    fn answer(self, servers: &[Ipv4Addr], answer: &mut Answer) {
        let asked = [(self.primary, PRIMARY_DNS), (self.secondary, SECONDARY_DNS)];
        let told = asked.into_iter().zip(servers);
        let told = told.filter(|((asked, _), _)| *asked);
        let options = told.clone().count() as u8;
        if options == 0 {
            return;
        }
        let length = 4 + 6 * options;
        answer.push(&IPCP.to_be_bytes());
        answer.push(&[length, CONFIGURE_NAK, self.identifier, 0, length]);
        for ((_, kind), server) in told {
            answer.push(&[kind, 6]);
            answer.push(&server.octets());
        }
    }
}

impl Answer {
    /// The value of the element.
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.len]
    }

    /// `contents`: at most 16 octets.
    fn option(&mut self, kind: u16, contents: &[u8]) {
        self.push(&kind.to_be_bytes());
        self.push(&[contents.len() as u8]);
        self.push(contents);
    }

    fn push(&mut self, more: &[u8]) {
        self.octets[self.len..self.len + more.len()].copy_from_slice(more);
        self.len += more.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 53), Ipv4Addr::new(10, 0, 1, 53)];
    const V6: [Ipv6Addr; 1] = [Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53)];
    const OFFER: Offer<'static> = Offer {
        dns_v4: &V4,
        dns_v6: &V6,
        mtu: Some(1400),
    };
    /// As a handset sends it: IPCP for both name servers, P-CSCF, name servers of both families, bearer control, MTU.
    const HANDSET: &[u8] = &[
        0x80, 0x80, 0x21, 0x10, 0x01, 0x07, 0x00, 0x10, 0x81, 0x06, 0, 0, 0, 0, 0x83, 0x06, 0, 0,
        0, 0, 0x00, 0x0C, 0x00, 0x00, 0x0D, 0x00, 0x00, 0x03, 0x00, 0x00, 0x05, 0x00, 0x00, 0x10,
        0x00,
    ];

    #[test]
    fn what_a_handset_asks_for_is_found_and_answered() {
        let asked = Asked::parse(HANDSET).unwrap();
        let ipcp = IpcpAsked {
            identifier: 7,
            primary: true,
            secondary: true,
        };
        let expected = Asked {
            dns_v4: true,
            dns_v6: true,
            mtu: true,
            ipcp: Some(ipcp),
        };
        assert_eq!(asked, expected);
        let answer = asked.answer(&OFFER).unwrap();
        let mut octets = vec![0x80, 0x80, 0x21, 16, 3, 7, 0, 16];
        octets.extend([129, 6, 10, 0, 0, 53, 131, 6, 10, 0, 1, 53]);
        octets.extend([0, 0x0D, 4, 10, 0, 0, 53, 0, 0x0D, 4, 10, 0, 1, 53]);
        octets.extend([0, 3, 16]);
        octets.extend(V6[0].octets());
        octets.extend([0, 0x10, 2, 0x05, 0x78]);
        assert_eq!(answer.octets(), octets);
    }

    #[test]
    fn nothing_is_told_that_was_not_asked_for_or_is_not_there() {
        let only = |octets: &[u8], offer: &Offer<'_>| {
            let answer = Asked::parse(octets).unwrap().answer(offer);
            answer.map(|answer| answer.octets().to_vec())
        };
        let none = Offer::default();
        assert_eq!(only(HANDSET, &none), None);
        assert_eq!(only(&[0x80], &OFFER), None);
        assert_eq!(only(&[0x80, 0, 0x0C, 0], &OFFER), None, "P-CSCF");
        let mtu = only(&[0x80, 0, 0x10, 0], &OFFER);
        assert_eq!(mtu, Some(vec![0x80, 0, 0x10, 2, 0x05, 0x78]));
        let one = Offer {
            dns_v4: &V4[..1],
            ..none
        };
        let by_ipcp = only(&HANDSET[..20], &one);
        let primary = vec![0x80, 0x80, 0x21, 10, 3, 7, 0, 10, 129, 6, 10, 0, 0, 53];
        assert_eq!(by_ipcp, Some(primary), "there is no secondary one");
        let acknowledged = [0x80, 0x80, 0x21, 10, 2, 7, 0, 10, 129, 6, 0, 0, 0, 0];
        assert_eq!(only(&acknowledged, &OFFER), None, "no request");
    }

    #[test]
    fn what_is_malformed_is_nothing_and_the_most_fits() {
        for end in 0..HANDSET.len() {
            let cut = Asked::parse(&HANDSET[..end]);
            let whole = [1, 20, 23, 26, 29, 32].contains(&end);
            assert_eq!(cut.is_some(), whole, "{end} octets");
        }
        let lying = [0x80, 0x80, 0x21, 6, 1, 7, 0, 40, 129, 6, 0, 0x0D, 0];
        assert_eq!(Asked::parse(&lying).unwrap().ipcp, None);
        let endless = [0x80, 0x80, 0x21, 8, 1, 7, 0, 8, 129, 0, 131, 0];
        let ipcp = Asked::parse(&endless).unwrap().ipcp.unwrap();
        assert!(
            ipcp.primary && ipcp.secondary,
            "an option of no octets ends"
        );
        let (v4, v6) = ([V4[0]; 9], [V6[0]; 9]);
        let many = Offer {
            dns_v4: &v4,
            dns_v6: &v6,
            mtu: Some(u16::MAX),
        };
        let answer = Asked::parse(HANDSET).unwrap().answer(&many).unwrap();
        assert_eq!(answer.octets().len(), ANSWER_MAX_BYTES);
    }
}
