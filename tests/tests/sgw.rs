//! Two nodes as processes, an SGW and a PGW, and an MME that calls the SGW. Between the two, what each sends is recorded on
//! its way, and tshark judges all of it, on S11 and on S5/S8.
#![forbid(unsafe_code)]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use api::{ClearWhom, Request};
use gtp::v2::{
    Arp, BearerQos, Cause, CauseIe, Ebi, FTeid, FlowQos, IeType, Imsi, Indication, InterfaceType,
    Message, MessageType, Paa, PdnType, Plmn, RatType, SelectionMode, Tai, UserLocation, Writer,
};
use tests::capture::Capture;
use tests::gateway::Site;
use tests::gtpv2::{Answer, Peer};
use tests::node::{APNS, Configuration, Node};
use tests::relay::{Noise, Relay};
use tests::tshark;
use tests::wait::{datagram, until};

const SGW: u8 = 1;
const MME: u8 = 3;
const PGW: u8 = 4;
const OTHER_SGW: u8 = 5;
/// The port that the nodes send their requests to: another than they listen on, so that what they send can be recorded.
const TAP_PORT: u16 = 3123;
/// Nothing is sent again, and nobody given up, before a busy machine has had its time.
const PATIENT: &str = "echo_interval_s = 0\nrecount_interval_s = 1\nt3_response_s = 30\nn3_requests = 3\necho_port = 3123";
/// T3 and N3 give a peer up after three seconds.
const IMPATIENT: &str = "echo_interval_s = 0\nrecount_interval_s = 1\nt3_response_s = 1\nn3_requests = 3\necho_port = 3123";
/// What is lost is soon sent again, and until it gets through.
const STUBBORN: &str = "echo_interval_s = 0\nrecount_interval_s = 1\nt3_response_s = 1\nn3_requests = 10\necho_port = 3123";
/// Sessions a license, and so the ceiling in evaluation: the SGW has room for one more than the PGW.
const SGW_CEILING: u32 = 4;
const PGW_CEILING: u32 = 3;
const LIMIT: Duration = Duration::from_secs(120);

const SGW_APNS: &str = r#"
[[apn]]
name = "internet"
service = "SGW"

[[apn]]
name = "ims"
service = "SGW"

[[apn]]
name = "patient"
service = "SGW"

[[apn]]
name = "internet"
service = "SAEGW"
pool = "mobiles"
"#;

const PGW_APNS: &str = r#"
[[apn]]
name = "internet"
service = "PGW"
pool = "mobiles"

[[apn]]
name = "ims"
service = "PGW"
pool = "mobiles"

[[apn]]
name = "patient"
service = "PGW"
pool = "mobiles"
backoff_s = 60
"#;

/// All of it.
struct Network {
    sgw: Option<Node>,
    pgw: Option<Node>,
    mme: Mme,
    /// Towards the PGW, and towards the SGW.
    taps: Vec<Relay>,
    /// Messages of theirs that made a session.
    seen: usize,
    /// Lines of `[gn]`, of both.
    timers: &'static str,
    site: Site,
}

/// An MME; its endpoint for a UE is the subscriber's number.
struct Mme {
    peer: Peer,
    /// Where the SGW's requests come to.
    asked_at: UdpSocket,
    pgw: SocketAddr,
}

impl Mme {
    /// Asks for a connection; `teid` is the SGW's endpoint for the UE, 0 for its first.
    fn create(&mut self, subscriber: u32, teid: u32, ebi: u8, apn: &str) -> Result<Answer> {
        let pgw = FTeid::new(InterfaceType::S5S8_PGW_C, 0, self.pgw.ip());
        self.create_at(pgw, subscriber, teid, ebi, apn)
    }

    fn create_at(
        &mut self,
        pgw: FTeid,
        subscriber: u32,
        teid: u32,
        ebi: u8,
        apn: &str,
    ) -> Result<Answer> {
        let ebi = Ebi::new(ebi)?;
        let imsi = Imsi::from_number(240_010_000_000_000 + u64::from(subscriber), 15)?;
        let plmn = Plmn::from_text("240", "01")?;
        let own = FTeid::new(InterfaceType::S11_MME_C, subscriber, self.peer.ip()?);
        let flags = Indication::default().with(Indication::DAF);
        // Of a session that is at the PGW already the PGW is to be told at once.
        let comes = pgw.teid != 0;
        let flags = if comes {
            flags.with(Indication::OI)
        } else {
            flags
        };
        let pgw_user = FTeid {
            interface: InterfaceType::S5S8_PGW_U,
            ..pgw
        };
        let kind = MessageType::CREATE_SESSION_REQUEST;
        self.peer.exchange(kind, Some(teid), |writer| {
            writer
                .imsi(imsi)
                .user_location(0, &location(plmn))
                .serving_network(plmn)
                .rat_type(RatType(6))
                .indication(flags)
                .f_teid(0, &own)
                .f_teid(1, &pgw)
                .apn(apn)
                .selection_mode(SelectionMode::Verified)
                .pdn_type(PdnType::Ipv4)
                .paa(&Paa::dynamic(PdnType::Ipv4))
                .pco(&[0x80])
                .bearer_context(0, |bearer| {
                    bearer.ebi(0, ebi);
                    if comes {
                        bearer.f_teid(3, &pgw_user);
                    }
                    bearer.bearer_qos(&BearerQos {
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

    /// The eNodeB of a bearer, and where the UE is if `reports`.
    fn modify(&mut self, teid: u32, ebi: u8, reports: bool) -> Result<Answer> {
        let (ip, ebi) = (self.peer.ip()?, Ebi::new(ebi)?);
        let plmn = Plmn::from_text("240", "01")?;
        let kind = MessageType::MODIFY_BEARER_REQUEST;
        self.peer.exchange(kind, Some(teid), |writer| {
            if reports {
                writer.user_location(0, &location(plmn));
            }
            writer.bearer_context(0, |bearer| {
                let enodeb = FTeid::new(InterfaceType::S1U_ENB_U, 0x5000_0000, ip);
                bearer.ebi(0, ebi).f_teid(0, &enodeb);
            });
        })
    }

    fn delete(&mut self, teid: u32, ebi: u8) -> Result<Answer> {
        let ebi = Ebi::new(ebi)?;
        let kind = MessageType::DELETE_SESSION_REQUEST;
        self.peer.exchange(kind, Some(teid), |writer| {
            let flags = Indication::default().with(Indication::OI);
            writer.ebi(0, ebi).indication(flags);
        })
    }

    /// Waits for a Delete Bearer Request from the SGW; its octets, and the bearer that it is about.
    fn asked_to_delete(&self) -> Result<(Vec<u8>, u8)> {
        let mut octets = vec![0; 4096];
        let (length, from) = datagram(&self.asked_at, &mut octets).context("nothing")?;
        octets.truncate(length);
        let capture = self.peer.capture();
        capture.record(from, self.peer_address()?, &octets)?;
        let message = Message::parse(&octets)?;
        ensure!(message.header.kind == MessageType::DELETE_BEARER_REQUEST);
        let ies = message.ie_set()?;
        let linked = ies.get(IeType::EBI, 0).context("no linked bearer")?[0];
        Ok((octets, linked))
    }

    fn peer_address(&self) -> Result<SocketAddr> {
        Ok(SocketAddr::new(self.peer.ip()?, 2123))
    }

    /// Answers it; `teid` is the SGW's endpoint for the UE.
    fn answer_deletion(&self, request: &[u8], teid: u32) -> Result<()> {
        let asked = Message::parse(request)?;
        let linked = asked.ie_set()?.get(IeType::EBI, 0).context("no bearer")?[0];
        let mut octets = Vec::new();
        let kind = MessageType::DELETE_BEARER_RESPONSE;
        let mut writer = Writer::new(&mut octets, kind, Some(teid), asked.header.sequence);
        let cause = CauseIe::new(Cause::REQUEST_ACCEPTED);
        writer.cause(&cause).ebi(0, Ebi::new(linked)?).recovery(3);
        self.peer.send(writer.finish()?)
    }
}

fn location(plmn: Plmn) -> UserLocation {
    UserLocation {
        tai: Some(Tai { plmn, tac: 9 }),
        ..UserLocation::default()
    }
}

impl Network {
    /// Both nodes, in evaluation.
    fn open() -> Result<Self> {
        Self::open_noisy(PATIENT, Noise::default())
    }

    /// The same with other timers; `noise` is between them.
    fn open_noisy(timers: &'static str, noise: Noise) -> Result<Self> {
        let mut network = Self::without_pgw(timers, noise)?;
        network.start_pgw()?;
        Ok(network)
    }

    fn without_pgw(timers: &'static str, noise: Noise) -> Result<Self> {
        let site = Site::new()?;
        let subnet = site.subnet();
        let mut configuration = Configuration::new(subnet.gtp_c(SGW), site.dir().join("sgw"));
        configuration.gn = timers.into();
        configuration.apns = format!("{APNS}{SGW_APNS}");
        let configuration = configuration.with_sessions_per_license(SGW_CEILING)?;
        let mut taps = Vec::new();
        for (host, name) in [(PGW, "to-pgw.pcap"), (SGW, "to-sgw.pcap")] {
            let front = UdpSocket::bind((subnet.ip(host), TAP_PORT))?;
            let capture = Arc::new(Capture::create(site.dir().join(name))?);
            let node = subnet.gtp_c(host);
            taps.push(Relay::start_noisy(front, node, capture, noise)?);
        }
        let capture = Capture::create(site.dir().join("mme.pcap"))?;
        let asked_at = UdpSocket::bind((subnet.ip(MME), TAP_PORT))?;
        asked_at.set_read_timeout(Some(LIMIT))?;
        let mme = Mme {
            peer: Peer::new(subnet.socket(MME)?, configuration.listen, capture)?,
            asked_at,
            pgw: subnet.gtp_c(PGW),
        };
        let sgw = Some(evaluated(&configuration)?);
        Ok(Self {
            sgw,
            pgw: None,
            mme,
            taps,
            seen: 0,
            timers,
            site,
        })
    }

    fn start_pgw(&mut self) -> Result<()> {
        let subnet = self.site.subnet();
        let state = self.site.dir().join("pgw");
        let mut configuration = Configuration::new(subnet.gtp_c(PGW), state);
        configuration.gn = self.timers.into();
        configuration.apns = format!("{APNS}{PGW_APNS}");
        let configuration = configuration.with_sessions_per_license(PGW_CEILING)?;
        self.pgw = Some(evaluated(&configuration)?);
        Ok(())
    }

    fn sgw(&self) -> Result<&Node> {
        self.sgw.as_ref().context("the SGW is down")
    }

    fn pgw(&self) -> Result<&Node> {
        self.pgw.as_ref().context("the PGW is down")
    }

    /// Sessions at the SGW, and at the PGW.
    fn counts(&self) -> Result<(u64, u64)> {
        Ok((counted(self.sgw()?, "SGW")?, counted(self.pgw()?, "PGW")?))
    }

    fn until_counts(&self, expected: (u64, u64)) -> Result<()> {
        let what = format!("{expected:?} sessions at SGW and PGW");
        until(&what, LIMIT, || Ok(self.counts()? == expected))
            .with_context(|| format!("{:?}", self.counts()))
    }

    /// Ends all; what tshark finds fault with in what the nodes have sent.
    fn faults(mut self) -> Result<Vec<String>> {
        for node in [self.sgw.take(), self.pgw.take()].into_iter().flatten() {
            // A recount has found what the counters say (rule L14).
            let services = node.control().snapshot()?.services;
            assert!(
                services
                    .iter()
                    .all(|row| row.tag.drift.is_none_or(|d| d == 0))
            );
            node.terminate()?;
        }
        let from_sgw = format!("ip.src == {}", self.site.subnet().ip(SGW));
        let mut faults = tshark::faults(self.mme.peer.capture().path(), &from_sgw)?;
        for tap in self.taps {
            let capture = tap.finish()?;
            faults.extend(tshark::faults(capture.path(), "gtpv2")?);
            // The endpoints of an SGW for signalling and user data, and those of a PGW.
            let names = ["gtpv2.f_teid_interface_type"];
            for (kind, expected) in [(32, "6,4"), (33, "7,5")] {
                let made = format!("gtpv2.message_type == {kind} && !(gtpv2.cause >= 64)");
                let rows = tshark::fields(capture.path(), &made, &names)?;
                ensure!(rows.iter().all(|row| row[0] == expected), "{rows:?}");
                self.seen += rows.len();
            }
        }
        ensure!(self.seen >= 2, "no call was seen on S5/S8");
        Ok(faults)
    }
}

fn evaluated(configuration: &Configuration) -> Result<Node> {
    let node = Node::start(configuration)?;
    let enable = Request::SmartLicensing { enable: true };
    node.control().change(&enable)?;
    Ok(node)
}

fn counted(node: &Node, name: &str) -> Result<u64> {
    let summary = node.control().sessions()?;
    let mut services = summary.services.iter();
    let service = services.find(|service| service.name == name);
    Ok(service.map_or(0, |service| service.sessions))
}

/// The Cause element of an answer.
fn cause(answer: &Answer) -> Result<CauseIe> {
    let ies = answer.message()?.ie_set()?;
    Ok(CauseIe::parse(
        ies.get(IeType::CAUSE, 0).context("no cause")?,
    )?)
}

/// A UE's connections are made, reported on and deleted through both; at the PGW's ceiling a call is refused there, and
/// gives its place at the SGW back; operators of either clear sessions.
#[test]
fn tshark_finds_no_fault_with_an_sgw_and_a_pgw_and_both_count_the_same() -> Result<()> {
    let mut network = Network::open()?;
    let accepted = Cause::REQUEST_ACCEPTED;
    let first = network.mme.create(1, 0, 5, "internet")?;
    assert_eq!(first.cause()?, accepted);
    let teid = first.endpoint(0)?.teid;
    assert_eq!(first.endpoint(1)?.address(), Some(network.mme.pgw.ip()));
    assert_eq!(network.mme.modify(teid, 5, false)?.cause()?, accepted);
    assert_eq!(network.mme.modify(teid, 5, true)?.cause()?, accepted);
    let second = network.mme.create(1, teid, 6, "ims")?;
    assert_eq!(
        (second.cause()?, second.endpoint(0)?.teid),
        (accepted, teid)
    );
    assert_eq!(network.counts()?, (2, 2));
    let third = network.mme.create(2, 0, 5, "internet")?;
    assert_eq!(third.cause()?, accepted);
    // The PGW is full, the SGW has room for one more.
    for _ in 0..2 {
        let refused = cause(&network.mme.create(3, 0, 5, "internet")?)?;
        assert_eq!(refused.cause, Cause::NO_RESOURCES_AVAILABLE);
        assert!(refused.from_remote_node);
        assert_eq!(network.counts()?, (3, 3));
    }
    let later = network.mme.create(3, 0, 5, "patient")?;
    assert_eq!(cause(&later)?.cause, Cause::APN_CONGESTION);
    let ies = later.message()?.ie_set()?;
    assert!(ies.get(IeType::EPC_TIMER, 0).is_some());
    // A collapsed connection of the same UE is no SGW's and no PGW's.
    let ourselves = FTeid::new(InterfaceType::S5S8_PGW_C, 0, network.mme.peer.node());
    let collapsed = network.mme.create_at(ourselves, 1, teid, 7, "internet")?;
    assert_eq!(collapsed.cause()?, accepted);
    assert_eq!(counted(network.sgw()?, "SAEGW")?, 1);
    // Made anew, a session is replaced at both.
    let again = network.mme.create(1, teid, 5, "internet")?;
    assert_eq!(again.cause()?, accepted);
    assert_eq!(network.counts()?, (3, 3));
    assert_eq!(network.mme.delete(teid, 5)?.cause()?, accepted);
    assert_eq!(network.counts()?, (2, 2));

    // The PGW's operator clears a session; the MME is asked first.
    let clear = |imsi: &str| Request::Clear {
        whom: ClearWhom::Imsi(imsi.into()),
        reactivate: false,
    };
    network.pgw()?.control().ask(&clear("240010000000002"))?;
    let (request, linked) = network.mme.asked_to_delete()?;
    assert_eq!((linked, network.counts()?), (5, (2, 2)));
    let other = third.endpoint(0)?.teid;
    network.mme.answer_deletion(&request, other)?;
    network.until_counts((1, 1))?;
    // The SGW's operator clears all that the other UE has, the relayed connection and the collapsed one.
    network.sgw()?.control().ask(&clear("240010000000001"))?;
    for _ in 0..2 {
        let (request, _) = network.mme.asked_to_delete()?;
        network.mme.answer_deletion(&request, teid)?;
    }
    network.until_counts((0, 0))?;
    assert_eq!(counted(network.sgw()?, "SAEGW")?, 0);
    assert_eq!(network.faults()?, Vec::<String>::new());
    Ok(())
}

/// What is refused here for a license never gets to the PGW; what the PGW does not answer is given up, and both leave the
/// place free.
#[test]
fn a_pgw_that_was_never_there_costs_nothing_but_the_wait() -> Result<()> {
    let mut network = Network::without_pgw(IMPATIENT, Noise::default())?;
    let began = Instant::now();
    let silent = network.mme.create(1, 0, 5, "internet")?;
    assert_eq!(silent.cause()?, Cause::REMOTE_PEER_NOT_RESPONDING);
    assert!(began.elapsed() >= Duration::from_millis(2_500));
    assert_eq!(counted(network.sgw()?, "SGW")?, 0);
    network.start_pgw()?;
    for subscriber in 1..4 {
        let made = network.mme.create(subscriber, 0, 5, "internet")?;
        assert_eq!(made.cause()?, Cause::REQUEST_ACCEPTED);
    }
    assert_eq!(network.counts()?, (3, 3));
    assert_eq!(network.faults()?, Vec::<String>::new());
    Ok(())
}

/// The PGW is killed and comes back: with its first answer the SGW knows, ends what the PGW has lost, and asks the MME to
/// have it made anew. The SGW is killed and comes back: with its first request the PGW knows.
#[test]
fn whoever_is_killed_takes_only_its_own_sessions_along() -> Result<()> {
    let mut network = Network::open()?;
    let accepted = Cause::REQUEST_ACCEPTED;
    let lost = network.mme.create(1, 0, 5, "internet")?;
    assert_eq!(lost.cause()?, accepted);
    let pgw = network.pgw.take().context("the PGW is down")?;
    network.pgw = Some(pgw.crash_and_restart()?);
    assert_eq!(network.counts()?, (1, 0));
    let made = network.mme.create(2, 0, 5, "internet")?;
    assert_eq!(made.cause()?, accepted);
    let (request, linked) = network.mme.asked_to_delete()?;
    assert_eq!(linked, 5);
    network
        .mme
        .answer_deletion(&request, lost.endpoint(0)?.teid)?;
    network.until_counts((1, 1))?;

    let sgw = network.sgw.take().context("the SGW is down")?;
    network.sgw = Some(sgw.crash_and_restart()?);
    assert_eq!(network.counts()?, (0, 1));
    let again = network.mme.create(3, 0, 5, "internet")?;
    assert_eq!(again.cause()?, accepted);
    network.until_counts((1, 1))?;
    let gone = network.mme.delete(made.endpoint(0)?.teid, 5)?;
    assert_eq!(gone.cause()?, Cause::CONTEXT_NOT_FOUND);
    assert_eq!(
        network.mme.delete(again.endpoint(0)?.teid, 5)?.cause()?,
        accepted
    );
    assert_eq!(network.counts()?, (0, 0));
    assert_eq!(network.faults()?, Vec::<String>::new());
    Ok(())
}

/// Another SGW has a session at the PGW, and the MME brings its UE to this one.
#[test]
fn a_session_comes_from_another_sgw_with_its_place_at_the_pgw() -> Result<()> {
    let mut network = Network::open()?;
    let site = &network.site;
    let capture = Capture::create(site.dir().join("other-sgw.pcap"))?;
    let socket = site.subnet().socket(OTHER_SGW)?;
    let mut other = Peer::new(socket, site.subnet().gtp_c(PGW), capture)?;
    let made = create_on_s5(&mut other)?;
    assert_eq!(made.cause()?, Cause::REQUEST_ACCEPTED);
    assert_eq!(network.counts()?, (0, 1));
    let pgw = made.endpoint(1)?;
    let came = network.mme.create_at(pgw, 1, 0, 5, "internet")?;
    assert_eq!(came.cause()?, Cause::REQUEST_ACCEPTED);
    assert_eq!(came.endpoint(1)?, pgw);
    assert_eq!(network.counts()?, (1, 1));
    let teid = came.endpoint(0)?.teid;
    assert_eq!(
        network.mme.delete(teid, 5)?.cause()?,
        Cause::REQUEST_ACCEPTED
    );
    assert_eq!(network.counts()?, (0, 0));
    let again = network.mme.create(1, 0, 5, "internet")?;
    assert_eq!(again.cause()?, Cause::REQUEST_ACCEPTED);
    assert_eq!(network.faults()?, Vec::<String>::new());
    Ok(())
}

/// A call of the first subscriber by an SGW that is not the node.
fn create_on_s5(sgw: &mut Peer) -> Result<Answer> {
    let (ip, ebi) = (sgw.ip()?, Ebi::new(5)?);
    let imsi = Imsi::from_number(240_010_000_000_001, 15)?;
    let plmn = Plmn::from_text("240", "01")?;
    let kind = MessageType::CREATE_SESSION_REQUEST;
    sgw.exchange(kind, Some(0), |writer| {
        writer
            .imsi(imsi)
            .serving_network(plmn)
            .rat_type(RatType(6))
            .f_teid(0, &FTeid::new(InterfaceType::S5S8_SGW_C, 0x77, ip))
            .apn("internet")
            .selection_mode(SelectionMode::Verified)
            .pdn_type(PdnType::Ipv4)
            .paa(&Paa::dynamic(PdnType::Ipv4))
            .bearer_context(0, |bearer| {
                let user = FTeid::new(InterfaceType::S5S8_SGW_U, 0x77, ip);
                bearer.ebi(0, ebi).f_teid(2, &user).bearer_qos(&BearerQos {
                    arp: Arp {
                        priority_level: 9,
                        may_preempt: false,
                        preemptable: true,
                    },
                    flow: FlowQos::default(),
                });
            });
    })
}

/// One datagram in four is lost between the two, and one in three comes twice.
#[test]
fn a_bad_path_between_the_two_leaves_nothing_behind() -> Result<()> {
    let noise = Noise { repeat: 3, lose: 4 };
    let mut network = Network::open_noisy(STUBBORN, noise)?;
    for subscriber in 1..7 {
        let made = network.mme.create(subscriber, 0, 5, "internet")?;
        assert_eq!(made.cause()?, Cause::REQUEST_ACCEPTED);
        assert_eq!(network.counts()?, (1, 1));
        let teid = made.endpoint(0)?.teid;
        let modified = network.mme.modify(teid, 5, true)?;
        assert_eq!(modified.cause()?, Cause::REQUEST_ACCEPTED);
        let deleted = network.mme.delete(teid, 5)?;
        assert_eq!(deleted.cause()?, Cause::REQUEST_ACCEPTED);
        assert_eq!(network.counts()?, (0, 0));
    }
    assert_eq!(network.faults()?, Vec::<String>::new());
    Ok(())
}
