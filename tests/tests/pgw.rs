//! A node that is GGSN and PGW on one port, and an SGW that calls it; tshark judges what the node sends.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::net::IpAddr;

use anyhow::{Result, ensure};
use api::Request;
use gtp::v2::{
    Arp, BearerQos, Cause, CauseIe, Ebi, FTeid, FlowQos, IeType, Imei, Imsi, Indication,
    InterfaceType, MessageType, Paa, PdnType, Plmn, RatType, SelectionMode, Writer,
};
use licensing::{AlarmKind, RefusalReason};
use tests::capture::Capture;
use tests::gateway::{Gateway, Site};
use tests::gtpv2::{Answer, Peer};
use tests::node::APNS;
use tests::sgsn::{Call, Received, cause, ie};
use tests::tshark;

const SGW: u8 = 3;
/// Sessions a license, and so the ceiling in evaluation.
const CEILING: u32 = 2;

/// Access points by GTPv2 beside those by GTPv1.
const PGW_APNS: &str = r#"
[[apn]]
name = "internet"
service = "PGW"
pool = "mobiles"

[[apn]]
name = "sos"
service = "PGW"
pool = "mobiles"
emergency = true

[[apn]]
name = "resolved"
service = "PGW"
pool = "mobiles"
dns = ["10.0.0.53", "10.0.1.53", "2001:db8::53"]
mtu = 1400

[[apn]]
name = "resolved"
service = "GGSN"
pool = "mobiles"
dns = ["10.0.0.53", "10.0.1.53", "2001:db8::53"]
mtu = 1400

[[apn]]
name = "patient"
service = "PGW"
pool = "mobiles"
backoff_s = 60
"#;

/// Protocol configuration options as a handset sends them (TS 24.008 10.5.6.3): both name servers by IPCP and by container,
/// by IPv6, P-CSCF, bearer control, link MTU.
const HANDSET: &[u8] = &[
    0x80, 0x80, 0x21, 0x10, 0x01, 0x07, 0x00, 0x10, 0x81, 0x06, 0, 0, 0, 0, 0x83, 0x06, 0, 0, 0, 0,
    0x00, 0x0C, 0x00, 0x00, 0x0D, 0x00, 0x00, 0x03, 0x00, 0x00, 0x05, 0x00, 0x00, 0x10, 0x00,
];

/// An SGW, or an ePDG.
struct Sgw(Peer);

impl Sgw {
    fn exchange(
        &mut self,
        kind: MessageType,
        teid: Option<u32>,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Result<Answer> {
        self.0.exchange(kind, teid, fill)
    }

    fn create(&mut self, call: &Calling) -> Result<Answer> {
        let (ip, ebi) = (self.0.ip()?, Ebi::new(5)?);
        let imsi = Imsi::from_number(240_010_000_000_000 + call.subscriber, 15)?;
        let plmn = Plmn::from_text("240", "01")?;
        let control = FTeid::new(call.control, 0x6000_0001, ip);
        let user = FTeid::new(call.user, 0x7000_0001, ip);
        self.exchange(MessageType::CREATE_SESSION_REQUEST, Some(0), |writer| {
            match call.mei {
                None => writer.imsi(imsi),
                Some(mei) => writer.mei(mei),
            };
            writer
                .rat_type(RatType(6))
                .serving_network(plmn)
                .f_teid(0, &control)
                .apn(call.apn)
                .selection_mode(SelectionMode::Verified)
                .pdn_type(call.pdn_type)
                .paa(&Paa::dynamic(call.pdn_type))
                .indication(call.flags)
                .recovery(3);
            if call.low_priority {
                writer.low_access_priority(true);
            }
            if let Some(kind) = call.options_in {
                writer.ie(kind, 0, HANDSET);
            }
            writer.bearer_context(0, |bearer| {
                bearer
                    .ebi(0, ebi)
                    .f_teid(call.instance, &user)
                    .bearer_qos(&BearerQos {
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
            });
        })
    }

    fn delete(&mut self, teid: u32) -> Result<Answer> {
        let ebi = Ebi::new(5)?;
        let kind = MessageType::DELETE_SESSION_REQUEST;
        self.exchange(kind, Some(teid), |writer| {
            writer.ebi(0, ebi);
        })
    }

    fn modify(&mut self, teid: u32) -> Result<Answer> {
        let (ip, ebi) = (self.0.ip()?, Ebi::new(5)?);
        let control = FTeid::new(InterfaceType::S5S8_SGW_C, 0x6000_0009, ip);
        let user = FTeid::new(InterfaceType::S5S8_SGW_U, 0x7000_0009, ip);
        let kind = MessageType::MODIFY_BEARER_REQUEST;
        self.exchange(kind, Some(teid), |writer| {
            writer.f_teid(0, &control).bearer_context(0, |bearer| {
                bearer.ebi(0, ebi).f_teid(1, &user);
            });
        })
    }
}

/// What a Create Session Request asks for.
struct Calling {
    subscriber: u64,
    mei: Option<Imei>,
    apn: &'static str,
    pdn_type: PdnType,
    flags: Indication,
    control: InterfaceType,
    user: InterfaceType,
    instance: u8,
    /// It asks for options in this element.
    options_in: Option<IeType>,
    low_priority: bool,
}

impl Calling {
    fn new(subscriber: u64, apn: &'static str) -> Self {
        Self {
            subscriber,
            mei: None,
            apn,
            pdn_type: PdnType::Ipv4,
            flags: Indication::default().with(Indication::DAF),
            control: InterfaceType::S5S8_SGW_C,
            user: InterfaceType::S5S8_SGW_U,
            instance: 2,
            options_in: None,
            low_priority: false,
        }
    }

    fn over_wlan(self) -> Self {
        Self {
            flags: self.flags.with(Indication::HI),
            control: InterfaceType::S2B_EPDG_C,
            user: InterfaceType::S2B_EPDG_U,
            instance: 5,
            ..self
        }
    }
}

fn open() -> Result<(Gateway, Sgw)> {
    open_asking(0)
}

/// One that asks its peers for an Echo so often.
fn open_asking(echo_interval_s: u32) -> Result<(Gateway, Sgw)> {
    let site = Site::new()?;
    let mut configuration = site.configuration().with_sessions_per_license(CEILING)?;
    configuration.apns = format!("{APNS}{PGW_APNS}");
    let socket = site.subnet().socket(SGW)?;
    configuration.gn = format!(
        "echo_interval_s = {echo_interval_s}\necho_port = {}\nrecount_interval_s = 1",
        socket.local_addr()?.port()
    );
    let capture = Capture::create(site.dir().join("pgw.pcap"))?;
    let sgw = Sgw(Peer::new(socket, configuration.listen, capture)?);
    let gateway = site.open(&configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    gateway.node()?.control().change(&enable)?;
    Ok((gateway, sgw))
}

/// Every answer that a PGW gives here: calls of all kinds, up to the ceiling and past it.
#[test]
fn tshark_finds_no_fault_with_what_a_pgw_answers() -> Result<()> {
    let (mut gateway, mut sgw) = open()?;
    let echo = sgw.exchange(MessageType::ECHO_REQUEST, None, |writer| {
        writer.recovery(3);
    })?;
    ensure!(echo.message()?.header.teid.is_none());

    let first = sgw.create(&Calling::new(1, "internet"))?;
    assert_eq!(first.cause()?, Cause::REQUEST_ACCEPTED);
    let both = Calling {
        pdn_type: PdnType::Ipv4v6,
        ..Calling::new(2, "internet")
    };
    assert_eq!(sgw.create(&both)?.cause()?, Cause::REQUEST_ACCEPTED);
    let refused = sgw.create(&Calling::new(3, "internet"))?;
    assert_eq!(refused.cause()?, Cause::NO_RESOURCES_AVAILABLE);
    let later = sgw.create(&Calling::new(3, "patient"))?;
    assert_eq!(later.cause()?, Cause::APN_CONGESTION);
    let mei = Imei::parse(&[0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21])?;
    let emergency = Calling {
        mei: Some(mei),
        ..Calling::new(4, "sos")
    };
    assert_eq!(sgw.create(&emergency)?.cause()?, Cause::REQUEST_ACCEPTED);
    // The GGSN of the same port has a ceiling of its own.
    gateway.accepted(&Call::new(7, "internet"))?;

    let teid = first.endpoint(1)?.teid;
    assert_eq!(sgw.modify(teid)?.cause()?, Cause::REQUEST_ACCEPTED);
    let over_wlan = sgw.create(&Calling::new(1, "internet").over_wlan())?;
    assert_eq!(over_wlan.cause()?, Cause::REQUEST_ACCEPTED);
    // The SGW is told where the session went.
    let farewell = sgw.0.receive()?;
    let asked = farewell.message()?.header;
    assert_eq!(asked.kind, MessageType::DELETE_BEARER_REQUEST);
    assert_eq!(farewell.cause()?, Cause::RAT_CHANGED_TO_NON_3GPP);
    let mut octets = Vec::new();
    let kind = MessageType::DELETE_BEARER_RESPONSE;
    let mut writer = Writer::new(&mut octets, kind, Some(teid), asked.sequence);
    writer.cause(&CauseIe::new(Cause::REQUEST_ACCEPTED));
    sgw.0.send(writer.finish()?)?;
    assert_eq!(sgw.delete(teid)?.cause()?, Cause::CONTEXT_NOT_FOUND);
    let summary = gateway.node()?.control().sessions()?;
    let counted = |name: &str| {
        let mut services = summary.services.iter();
        let service = services.find(|service| service.name == name);
        service.map(|service| service.sessions)
    };
    assert_eq!((counted("PGW"), counted("GGSN")), (Some(3), Some(1)));
    let teid = over_wlan.endpoint(1)?.teid;
    assert_eq!(sgw.delete(teid)?.cause()?, Cause::REQUEST_ACCEPTED);
    let without_body = MessageType::CREATE_SESSION_REQUEST;
    let missing = sgw.exchange(without_body, Some(0), |_| {})?;
    assert_eq!(missing.cause()?, Cause::MANDATORY_IE_MISSING);
    sgw.0.send(&[0x60, 1, 0, 4, 0, 0, 9, 0])?;
    let version = sgw.0.receive()?;
    assert_eq!(
        version.message()?.header.kind,
        MessageType::VERSION_NOT_SUPPORTED
    );

    let sent = gateway.sent_by_gtpv2()?;
    let kinds = [
        "Create Session Response",
        "Delete Bearer Request",
        "Delete Session Response",
        "Echo Response",
        "Modify Bearer Response",
        "Version Not Supported Indication",
    ];
    assert_eq!(sent, BTreeSet::from(kinds.map(Into::into)));
    let from_pgw = format!("ip.src == {}", sgw.0.node());
    let capture = sgw.0.capture().path();
    assert_eq!(tshark::faults(capture, &from_pgw)?, Vec::<String>::new());
    let created = format!("{from_pgw} && gtpv2.message_type == 33 && gtpv2.cause == 16");
    let names = ["gtpv2.f_teid_interface_type", "gtpv2.pdn_type"];
    let rows = tshark::fields(capture, &created, &names)?;
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0], ["7,5", "1"]);
    assert_eq!(rows[1], ["7,5", "3"]);
    assert_eq!(rows[3], ["32,33", "1"]);
    gateway.terminate()?;
    Ok(())
}

/// The path to an SGW is supervised by a question that tshark reads as such.
#[test]
fn tshark_finds_no_fault_with_what_a_pgw_asks() -> Result<()> {
    let (mut gateway, mut sgw) = open_asking(1)?;
    let made = sgw.create(&Calling::new(1, "internet"))?;
    assert_eq!(made.cause()?, Cause::REQUEST_ACCEPTED);
    let question = sgw.0.receive()?;
    let asked = question.message()?.header;
    assert_eq!((asked.kind, asked.teid), (MessageType::ECHO_REQUEST, None));
    let from_pgw = format!("ip.src == {}", sgw.0.node());
    let capture = sgw.0.capture().path();
    assert_eq!(tshark::faults(capture, &from_pgw)?, Vec::<String>::new());
    let echo = format!("{from_pgw} && gtpv2.message_type == 1");
    let rows = tshark::fields(capture, &echo, &["gtpv2.rec"])?;
    assert_eq!(rows, [["1"]]);
    gateway.terminate()?;
    Ok(())
}

/// By GTPv1, and by GTPv2 in each element that options may come in, tshark reads the same of what a UE is told.
#[test]
fn tshark_reads_the_name_servers_and_the_mtu_that_a_ue_is_told() -> Result<()> {
    let (mut gateway, mut sgw) = open()?;
    let over_s5 = |kind| Calling {
        options_in: Some(kind),
        ..Calling::new(1, "resolved")
    };
    let over_s2b = Calling {
        flags: Indication::default(),
        ..over_s5(IeType::APCO).over_wlan()
    };
    for call in [over_s5(IeType::PCO), over_s5(IeType::EPCO), over_s2b] {
        let answer = sgw.create(&call)?;
        assert_eq!(answer.cause()?, Cause::REQUEST_ACCEPTED);
        let deleted = sgw.delete(answer.endpoint(1)?.teid)?;
        assert_eq!(deleted.cause()?, Cause::REQUEST_ACCEPTED);
    }
    let IpAddr::V4(sgsn) = sgw.0.ip()? else {
        anyhow::bail!("the test's peers have IPv4 addresses");
    };
    let request = Call::new(7, "resolved").request(9, sgsn);
    sgw.0.send(&request.tlv(ie::PCO, HANDSET).bytes())?;
    assert_eq!(
        Received::read(sgw.0.receive()?.octets())?.cause()?,
        cause::ACCEPTED
    );

    let from_pgw = format!("ip.src == {}", sgw.0.node());
    let capture = sgw.0.capture().path();
    assert_eq!(tshark::faults(capture, &from_pgw)?, Vec::<String>::new());
    let created = format!("{from_pgw} && (gtpv2.message_type == 33 || gtp.message == 17)");
    let names = [
        "ipcp.opt.pri_dns",
        "ipcp.opt.sec_dns",
        "gsm_a.gm.sm.pco.dns.ipv4",
        "gsm_a.gm.sm.pco.dns.ipv6",
        "gsm_a.gm.sm.pco.ipv4_link_mtu_size",
    ];
    let rows = tshark::fields(capture, &created, &names)?;
    // Of IPCP it shows the options whole: 129 and 131, six octets each.
    let told = [
        "81060a000035",
        "83060a000135",
        "10.0.0.53,10.0.1.53",
        "2001:db8::53",
        "1400",
    ];
    assert_eq!(rows, vec![told; 4]);
    gateway.terminate()?;
    Ok(())
}

/// The last place is for others; what was refused to whom, and when that is an alarm, every surface tells.
//= L8
//= L16
//= L17
#[test]
fn low_priority_is_refused_first_and_calls_without_a_subscriber_are_an_alarm() -> Result<()> {
    let (mut gateway, mut sgw) = open()?;
    let low = |subscriber| Calling {
        low_priority: true,
        ..Calling::new(subscriber, "internet")
    };
    assert_eq!(sgw.create(&low(1))?.cause()?, Cause::REQUEST_ACCEPTED);
    let refused = sgw.create(&low(2))?;
    assert_eq!(refused.cause()?, Cause::NO_RESOURCES_AVAILABLE);
    let other = sgw.create(&Calling::new(3, "internet"))?;
    assert_eq!(other.cause()?, Cause::REQUEST_ACCEPTED);
    let history = gateway.node()?.control().history()?;
    let reasons: Vec<_> = history.iter().map(|record| record.reason).collect();
    assert_eq!(reasons, [RefusalReason::LowPriority]);
    let pgw = &gateway.snapshot()?.services[0].tag;
    assert_eq!((pgw.refused.low_priority, pgw.refused.at_ceiling), (1, 0));

    let without_subscriber = Calling {
        mei: Some(Imei::parse(&[
            0x53, 0x20, 0x43, 0x70, 0x65, 0x87, 0x09, 0x21,
        ])?),
        ..Calling::new(4, "internet")
    };
    for _ in 0..2 {
        let answer = sgw.create(&without_subscriber)?;
        assert_eq!(answer.cause()?, Cause::CONDITIONAL_IE_MISSING);
    }
    let snapshot = gateway.snapshot()?;
    let alarms = snapshot.alarms.iter();
    let kinds = alarms.map(|alarm| alarm.kind);
    let ours = kinds.filter(|kind| *kind == AlarmKind::UnidentifiedCalls);
    assert_eq!((ours.count(), snapshot.unidentified_calls), (1, 2));
    gateway.terminate()?;
    Ok(())
}
