//! A node that is SAEGW and PGW on one port, and MMEs that call it; tshark judges what the node sends.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use api::Request;
use gtp::v2::{
    Arp, BearerQos, Cause, Ebi, FTeid, FlowQos, Imei, Imsi, Indication, IndicationFlag,
    InterfaceType, MessageType, Paa, PdnType, Plmn, RatType, SelectionMode, Writer,
};
use tests::capture::Capture;
use tests::gateway::{Gateway, Site};
use tests::gtpv2::{Answer, Peer};
use tests::node::APNS;
use tests::tshark;

const MME: u8 = 3;
const OTHER_MME: u8 = 4;
/// Sessions a license, and so the ceiling in evaluation.
const CEILING: u32 = 3;

const SAEGW_APNS: &str = r#"
[[apn]]
name = "internet"
service = "SAEGW"
pool = "mobiles"

[[apn]]
name = "ims"
service = "SAEGW"
pool = "mobiles"

[[apn]]
name = "sos"
service = "SAEGW"
pool = "mobiles"
emergency = true

[[apn]]
name = "patient"
service = "SAEGW"
pool = "mobiles"
backoff_s = 60

[[apn]]
name = "internet"
service = "PGW"
pool = "mobiles"

[[apn]]
name = "roaming"
service = "SGW"
"#;

/// An MME; its endpoint for a UE is the subscriber's number.
struct Mme(Peer);

/// What a Create Session Request asks for.
struct Calling {
    subscriber: u32,
    /// The node's endpoint for the UE, 0 for the UE's first connection.
    teid: u32,
    ebi: u8,
    apn: &'static str,
    pdn_type: PdnType,
    mei: Option<Imei>,
    flags: Indication,
}

impl Calling {
    fn new(subscriber: u32, ebi: u8, apn: &'static str) -> Self {
        Self {
            subscriber,
            teid: 0,
            ebi,
            apn,
            pdn_type: PdnType::Ipv4,
            mei: None,
            flags: Indication::default().with(Indication::DAF),
        }
    }
}

impl Mme {
    fn create(&mut self, call: &Calling) -> Result<Answer> {
        let ebi = Ebi::new(call.ebi)?;
        let imsi = Imsi::from_number(240_010_000_000_000 + u64::from(call.subscriber), 15)?;
        let plmn = Plmn::from_text("240", "01")?;
        let own = FTeid::new(InterfaceType::S11_MME_C, call.subscriber, self.0.ip()?);
        let pgw = FTeid::new(InterfaceType::S5S8_PGW_C, 0, self.0.node());
        let kind = MessageType::CREATE_SESSION_REQUEST;
        self.0.exchange(kind, Some(call.teid), |writer| {
            match call.mei {
                None => writer.imsi(imsi),
                Some(mei) => writer.mei(mei),
            };
            writer
                .rat_type(RatType(6))
                .serving_network(plmn)
                .indication(call.flags)
                .f_teid(0, &own)
                .f_teid(1, &pgw)
                .apn(call.apn)
                .selection_mode(SelectionMode::Verified)
                .pdn_type(call.pdn_type)
                .paa(&Paa::dynamic(call.pdn_type))
                .bearer_context(0, |bearer| {
                    bearer.ebi(0, ebi).bearer_qos(&BearerQos {
                        arp: Arp {
                            priority_level: 9,
                            may_preempt: false,
                            preemptable: true,
                        },
                        flow: FlowQos {
                            qci: 9,
                            ..FlowQos::default()
                        },
                    });
                })
                .recovery(3);
        })
    }

    /// The eNodeB of some bearers.
    fn modify(&mut self, teid: u32, numbers: &[u8], own: Option<u32>) -> Result<Answer> {
        let ip = self.0.ip()?;
        let numbers: Vec<_> = numbers.iter().map(|ebi| Ebi::new(*ebi)).collect();
        let kind = MessageType::MODIFY_BEARER_REQUEST;
        self.0.exchange(kind, Some(teid), |writer| {
            if let Some(own) = own {
                writer.f_teid(0, &FTeid::new(InterfaceType::S11_MME_C, own, ip));
            }
            for ebi in numbers.into_iter().flatten() {
                writer.bearer_context(0, |bearer| {
                    let enodeb = FTeid::new(InterfaceType::S1U_ENB_U, 0x5000_0000, ip);
                    bearer.ebi(0, ebi).f_teid(0, &enodeb);
                });
            }
        })
    }

    /// A request that says little more than whom it is about.
    fn ask(
        &mut self,
        kind: MessageType,
        teid: u32,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Result<Answer> {
        self.0.exchange(kind, Some(teid), fill)
    }

    fn delete(&mut self, teid: u32, ebi: u8, flag: IndicationFlag) -> Result<Answer> {
        let ebi = Ebi::new(ebi)?;
        self.ask(MessageType::DELETE_SESSION_REQUEST, teid, |writer| {
            writer
                .ebi(0, ebi)
                .indication(Indication::default().with(flag));
        })
    }
}

fn open() -> Result<(Gateway, Mme, Mme)> {
    let site = Site::new()?;
    let mut configuration = site.configuration().with_sessions_per_license(CEILING)?;
    configuration.apns = format!("{APNS}{SAEGW_APNS}");
    let mme = |host, name| -> Result<Mme> {
        let capture = Capture::create(site.dir().join(name))?;
        let socket = site.subnet().socket(host)?;
        Ok(Mme(Peer::new(socket, configuration.listen, capture)?))
    };
    let mmes = (mme(MME, "mme.pcap")?, mme(OTHER_MME, "other-mme.pcap")?);
    let gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    gateway.node()?.control().change(&enable)?;
    Ok((gateway, mmes.0, mmes.1))
}

/// Sessions of SAEGW and of PGW.
fn counted(gateway: &Gateway) -> Result<(u64, u64)> {
    let summary = gateway.node()?.control().sessions()?;
    let of = |name: &str| {
        let mut services = summary.services.iter();
        let service = services.find(|service| service.name == name);
        service.map_or(0, |service| service.sessions)
    };
    Ok((of("SAEGW"), of("PGW")))
}

/// The life of a UE, from its first attach to its detach through another MME, and calls up to the ceiling and past it.
fn live(gateway: &Gateway, mme: &mut Mme, other: &mut Mme) -> Result<()> {
    let accepted = Cause::REQUEST_ACCEPTED;
    let first = mme.create(&Calling::new(1, 5, "internet"))?;
    assert_eq!(first.cause()?, accepted);
    let teid = first.endpoint(0)?.teid;
    assert_eq!(mme.modify(teid, &[5], None)?.cause()?, accepted);
    let second = Calling {
        teid,
        pdn_type: PdnType::Ipv4v6,
        ..Calling::new(1, 6, "ims")
    };
    let second = mme.create(&second)?;
    assert_eq!(
        (second.cause()?, second.endpoint(0)?.teid),
        (accepted, teid)
    );
    assert_eq!(counted(gateway)?, (2, 0));
    let partly = mme.modify(teid, &[5, 6, 9], None)?;
    assert_eq!(partly.cause()?, Cause::REQUEST_ACCEPTED_PARTIALLY);
    let release = MessageType::RELEASE_ACCESS_BEARERS_REQUEST;
    assert_eq!(mme.ask(release, teid, |_| {})?.cause()?, accepted);
    assert_eq!(mme.modify(teid, &[5, 6], None)?.cause()?, accepted);
    assert_eq!(
        mme.create(&Calling::new(2, 5, "internet"))?.cause()?,
        accepted
    );
    let refused = mme.create(&Calling::new(3, 5, "internet"))?;
    assert_eq!(refused.cause()?, Cause::NO_RESOURCES_AVAILABLE);
    let later = mme.create(&Calling::new(3, 5, "patient"))?;
    assert_eq!(later.cause()?, Cause::APN_CONGESTION);
    let emergency = Calling {
        mei: Some(Imei::parse(&[
            0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21,
        ])?),
        ..Calling::new(4, 5, "sos")
    };
    assert_eq!(mme.create(&emergency)?.cause()?, accepted);
    assert_eq!(counted(gateway)?, (4, 0));
    // Another MME takes the UE over; what this one still says is not done.
    assert_eq!(
        other.modify(teid, &[5, 6], Some(0x0BAD))?.cause()?,
        accepted
    );
    let (ip, ebi) = (mme.0.ip()?, Ebi::new(5)?);
    let late = mme.ask(MessageType::DELETE_SESSION_REQUEST, teid, |writer| {
        let own = FTeid::new(InterfaceType::S11_MME_C, 1, ip);
        writer.ebi(0, ebi).f_teid(0, &own);
    })?;
    assert_eq!(late.cause()?, Cause::INVALID_PEER);
    assert_eq!(other.delete(teid, 6, Indication::OI)?.cause()?, accepted);
    let gone = other.delete(teid, 6, Indication::OI)?;
    assert_eq!(gone.cause()?, Cause::CONTEXT_NOT_FOUND);
    assert_eq!(gone.message()?.header.teid, Some(0x0BAD));
    assert_eq!(other.delete(teid, 5, Indication::SI)?.cause()?, accepted);
    assert_eq!(counted(gateway)?, (2, 0));
    Ok(())
}

/// What is answered though little is done.
fn tell(mme: &mut Mme) -> Result<()> {
    let created = mme.create(&Calling::new(5, 5, "internet"))?;
    let teid = created.endpoint(0)?.teid;
    let imsi = Imsi::from_number(240_010_000_000_005, 15)?;
    for kind in [
        MessageType::SUSPEND_NOTIFICATION,
        MessageType::RESUME_NOTIFICATION,
    ] {
        let answer = mme.ask(kind, teid, |writer| {
            writer.imsi(imsi);
        })?;
        assert_eq!(answer.cause()?, Cause::REQUEST_ACCEPTED);
    }
    let change = MessageType::CHANGE_NOTIFICATION_REQUEST;
    let answer = mme.ask(change, teid, |writer| {
        writer.imsi(imsi).rat_type(RatType(6));
    })?;
    assert_eq!(answer.cause()?, Cause::REQUEST_ACCEPTED);
    let (default, dedicated) = (Ebi::new(5)?, Ebi::new(7)?);
    let answer = mme.ask(MessageType::DELETE_BEARER_COMMAND, teid, |writer| {
        writer.bearer_context(0, |bearer| {
            bearer.ebi(0, dedicated);
        });
    })?;
    assert_eq!(answer.cause()?, Cause::CONTEXT_NOT_FOUND);
    let answer = mme.ask(MessageType::BEARER_RESOURCE_COMMAND, teid, |writer| {
        writer.ebi(0, default).pti(9);
    })?;
    assert_eq!(answer.cause()?, Cause::SERVICE_NOT_SUPPORTED);
    for kind in [
        MessageType::MODIFY_BEARER_COMMAND,
        MessageType::CREATE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST,
        MessageType::DELETE_INDIRECT_DATA_FORWARDING_TUNNEL_REQUEST,
    ] {
        ensure!(!mme.ask(kind, teid, |_| {})?.cause()?.is_accepted());
    }
    let without_body = MessageType::CREATE_SESSION_REQUEST;
    let missing = mme.ask(without_body, 0, |_| {})?;
    assert_eq!(missing.cause()?, Cause::MANDATORY_IE_MISSING);
    Ok(())
}

const ANSWERS: [&str; 12] = [
    "Bearer Resource Failure Indication",
    "Change Notification Response",
    "Create Indirect Data Forwarding Tunnel Response",
    "Create Session Response",
    "Delete Bearer Failure Indication",
    "Delete Indirect Data Forwarding Tunnel Response",
    "Delete Session Response",
    "Modify Bearer Failure Indication",
    "Modify Bearer Response",
    "Release Access Bearers Response",
    "Resume Acknowledge",
    "Suspend Acknowledge",
];

/// Every answer that an SAEGW gives here, each kind of them among these.
#[test]
fn tshark_finds_no_fault_with_what_an_saegw_answers() -> Result<()> {
    let (mut gateway, mut mme, mut other) = open()?;
    live(&gateway, &mut mme, &mut other)?;
    tell(&mut mme)?;
    assert_eq!(
        gateway.sent_by_gtpv2()?,
        BTreeSet::from(ANSWERS.map(Into::into))
    );
    let from_node = format!("ip.src == {}", mme.0.node());
    for mme in [&mme, &other] {
        let capture = mme.0.capture().path();
        assert_eq!(tshark::faults(capture, &from_node)?, Vec::<String>::new());
    }
    let capture = mme.0.capture().path();
    let created = format!("{from_node} && gtpv2.message_type == 33 && gtpv2.cause == 16");
    let names = ["gtpv2.f_teid_interface_type", "gtpv2.pdn_type"];
    let rows = tshark::fields(capture, &created, &names)?;
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0], ["11,7,1,5", "1"]);
    assert_eq!(rows[1], ["11,7,1,5", "3"]);
    let modified = format!("{from_node} && gtpv2.message_type == 35");
    let names = ["gtpv2.cause", "gtpv2.ebi", "gtpv2.f_teid_interface_type"];
    let rows = tshark::fields(capture, &modified, &names)?;
    assert_eq!(rows[0], ["16,16", "5", "1"]);
    assert_eq!(rows[1], ["17,16,16,64", "5,6,9", "1,1"]);
    gateway.terminate()?;
    Ok(())
}

/// A UE's life by S11 on two workers: sessions of one UE are with one of them, whichever endpoint a request names.
#[test]
fn the_workers_of_a_node_share_what_mmes_bring() -> Result<()> {
    let (mut gateway, mut mme, _) = open()?;
    for subscriber in 0..16 {
        let first = mme.create(&Calling::new(subscriber, 5, "internet"))?;
        assert_eq!(first.cause()?, Cause::REQUEST_ACCEPTED);
        let teid = first.endpoint(0)?.teid;
        let second = Calling {
            teid,
            ..Calling::new(subscriber, 6, "ims")
        };
        let second = mme.create(&second)?;
        assert_eq!(second.endpoint(0)?.teid, teid);
        for ebi in [5, 6] {
            let deleted = mme.delete(teid, ebi, Indication::OI)?;
            assert_eq!(deleted.cause()?, Cause::REQUEST_ACCEPTED);
        }
    }
    let summary = gateway.node()?.control().sessions()?;
    assert_eq!(summary.sessions, 0);
    ensure!(summary.workers.iter().all(|worker| worker.datagrams > 0));
    let named = summary.peers.iter().map(|peer| peer.sessions).sum::<u64>();
    assert_eq!(named, 0);
    ensure!(
        summary
            .messages
            .iter()
            .any(|row| { row.message == "GTPv2 Delete Session Request" && row.received == 32 })
    );
    gateway.terminate()?;
    Ok(())
}
