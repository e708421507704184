//! scapy as the SGSN: its requests are answered, and it reads in the answers what the node means.
#![forbid(unsafe_code)]

use anyhow::Result;
use tests::node::{Configuration, Node};
use tests::scapy::{self, Decoded, Ie, Scapy};
use tests::sgsn::Sgsn;
use tests::subnet::Subnet;

const GGSN: u8 = 1;
const SGSN: u8 = 2;
const CREATE: u8 = 16;
const UPDATE: u8 = 18;
const DELETE: u8 = 20;
const CONTROL: u32 = 0x0a0b_0c0d;
const ACCEPTED: u64 = 128;
const NON_EXISTENT: u64 = 192;

/// A node, and scapy at a socket.
struct Caller {
    scapy: Scapy,
    sgsn: Sgsn,
    node: Node,
    subnet: Subnet,
    _dir: tempfile::TempDir,
}

impl Caller {
    fn new() -> Result<Self> {
        let (subnet, dir) = (Subnet::take()?, tempfile::tempdir()?);
        let node = Node::start(&Configuration::new(
            subnet.gtp_c(GGSN),
            dir.path().join("state"),
        ))?;
        let sgsn = Sgsn::new(subnet.socket(SGSN)?, node.address())?;
        Ok(Self {
            scapy: Scapy::start()?,
            sgsn,
            node,
            subnet,
            _dir: dir,
        })
    }

    /// Sends what scapy makes of it; the answer as scapy reads it, which must agree with the harness's own reader.
    fn call(&mut self, kind: u8, teid: u32, ies: &[Ie]) -> Result<Decoded> {
        let seq = self.sgsn.seq();
        let request = self.scapy.encode(kind, teid, seq, ies)?;
        let answer = self.sgsn.exchange(&request)?;
        let read = self.scapy.decode(&answer.bytes)?;
        assert_eq!((read.kind, read.seq), (u64::from(kind) + 1, u64::from(seq)));
        assert_eq!(read.teid, u64::from(answer.teid));
        assert_eq!(read.length as usize, answer.bytes.len() - 8);
        assert_eq!(
            read.ies.len(),
            answer.ies.len(),
            "scapy found as many elements: {:?}",
            read.ies
        );
        Ok(read)
    }

    fn create(&mut self, pdp_type: u8) -> Result<Decoded> {
        let sgsn = self.subnet.ip(SGSN);
        self.call(
            CREATE,
            0,
            &[
                scapy::imsi("240010123456789"),
                scapy::recovery(3),
                scapy::selection_mode(),
                scapy::teid_data(11),
                scapy::teid_control(CONTROL),
                scapy::nsapi(5),
                scapy::end_user_address(pdp_type),
                scapy::apn("internet"),
                scapy::gsn_address(sgsn),
                scapy::gsn_address(sgsn),
                scapy::msisdn("46702123456"),
                scapy::qos(2),
            ],
        )
    }

    fn update(&mut self, teid: u32, nsapi: u8) -> Result<Decoded> {
        let sgsn = self.subnet.ip(SGSN);
        self.call(
            UPDATE,
            teid,
            &[
                scapy::teid_data(77),
                scapy::teid_control(CONTROL + 1),
                scapy::nsapi(nsapi),
                scapy::gsn_address(sgsn),
                scapy::gsn_address(sgsn),
                scapy::qos(1),
            ],
        )
    }

    fn secondary(&mut self, teid: u32, nsapi: u8, linked: u8) -> Result<Decoded> {
        let sgsn = self.subnet.ip(SGSN);
        self.call(
            CREATE,
            teid,
            &[
                scapy::teid_data(12),
                scapy::nsapi(nsapi),
                scapy::nsapi(linked),
                scapy::gsn_address(sgsn),
                scapy::gsn_address(sgsn),
                scapy::qos(2),
                scapy::tft(),
            ],
        )
    }

    fn delete(&mut self, teid: u32, nsapi: u8, all: bool) -> Result<Decoded> {
        self.call(DELETE, teid, &[scapy::teardown(all), scapy::nsapi(nsapi)])
    }

    /// (sessions, secondary contexts) that the node has.
    fn counts(&self) -> Result<(u64, u64)> {
        let summary = self.node.control().sessions()?;
        Ok((summary.sessions, summary.secondary_contexts))
    }
}

#[test]
fn a_context_of_scapys_is_made_changed_and_deleted() -> Result<()> {
    let mut caller = Caller::new()?;
    let made = caller.create(0x21)?;
    assert_eq!(made.cause()?, ACCEPTED);
    assert_eq!(made.teid, u64::from(CONTROL));
    let ggsn = caller.subnet.ip(GGSN).to_string();
    assert_eq!(made.gsn_addresses(), [ggsn.as_str(), ggsn.as_str()]);
    assert!(
        made.text("IE_EndUserAddress", "PDPAddress")?
            .starts_with("10.")
    );
    assert_eq!(made.number("IE_EndUserAddress", "PDPTypeNumber")?, 0x21);
    assert_eq!(made.number("IE_QoS", "allocation_retention_prioiry")?, 2);
    let teid = u32::try_from(made.number("IE_TEICP", "TEICI")?)?;
    assert_eq!(caller.counts()?, (1, 0));

    let changed = caller.update(teid, 5)?;
    assert_eq!(changed.cause()?, ACCEPTED);
    assert_eq!(
        changed.teid,
        u64::from(CONTROL + 1),
        "the peer's new TEID is used at once"
    );
    assert_eq!(changed.number("IE_QoS", "allocation_retention_prioiry")?, 1);

    let gone = caller.delete(teid, 5, true)?;
    assert_eq!(gone.cause()?, ACCEPTED);
    assert_eq!(gone.teid, u64::from(CONTROL + 1));
    assert_eq!(caller.counts()?, (0, 0));
    let again = caller.delete(teid, 5, true)?;
    assert_eq!(again.cause()?, NON_EXISTENT);
    Ok(())
}

#[test]
fn addresses_of_both_kinds_are_read_by_scapy() -> Result<()> {
    let mut caller = Caller::new()?;
    let made = caller.create(0x8d)?;
    assert_eq!(made.cause()?, ACCEPTED);
    assert_eq!(made.number("IE_EndUserAddress", "length")?, 22);
    assert!(
        made.text("IE_EndUserAddress", "PDPAddress")?
            .starts_with("10.")
    );
    assert!(
        made.text("IE_EndUserAddress", "IPv6_PDPAddress")?
            .starts_with("2001:db8:")
    );
    Ok(())
}

/// A secondary context holds no permit of its own, and goes with its primary.
//= L13
#[test]
fn secondary_contexts_of_scapys_are_made_and_deleted() -> Result<()> {
    let mut caller = Caller::new()?;
    let made = caller.create(0x21)?;
    let teid = u32::try_from(made.number("IE_TEICP", "TEICI")?)?;
    for nsapi in [6, 7] {
        let secondary = caller.secondary(teid, nsapi, 5)?;
        assert_eq!(secondary.cause()?, ACCEPTED, "{secondary:?}");
        assert_ne!(
            secondary.number("IE_TEIDI", "TEIDI")?,
            made.number("IE_TEIDI", "TEIDI")?
        );
    }
    assert_eq!(caller.counts()?, (1, 2));
    let snapshot = caller.node.control().snapshot()?;
    let ggsn = snapshot.services.iter().find(|row| row.tag.name == "GGSN");
    assert_eq!(ggsn.map(|row| row.sessions.0), Some(1));

    let changed = caller.update(teid, 6)?;
    assert_eq!(changed.cause()?, ACCEPTED);
    let gone = caller.delete(teid, 7, false)?;
    assert_eq!(gone.cause()?, ACCEPTED);
    assert_eq!(caller.counts()?, (1, 1));
    let gone = caller.delete(teid, 5, true)?;
    assert_eq!(gone.cause()?, ACCEPTED);
    assert_eq!(caller.counts()?, (0, 0));
    Ok(())
}
