//! Every message that a node sends, as tshark and scapy read it.
//!
//! A peer of the harness calls two nodes and records all datagrams both ways; it builds its requests and reads the
//! answers octet by octet. tshark then judges the capture, and each value that tshark reads is compared with what the
//! peer read.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result, anyhow, ensure};
use api::{Request, SessionSummary};
use tests::capture::Capture;
use tests::node::{Configuration, Node};
use tests::sgsn::{Call, Message, Received, Sgsn, cause, ie, kind};
use tests::subnet::Subnet;
use tests::tshark;

const GGSN: u8 = 1;
const SGSN: u8 = 3;
const WATCHFUL_GGSN: u8 = 5;
const THIRD_SGSN: u8 = 6;
/// Sessions a license, and so the ceiling in evaluation.
const CEILING: u32 = 6;

/// A pool of four addresses, an APN that takes them, and one whose refusals carry a back-off time.
const MORE_APNS: &str = r#"
[[pool]]
name = "tiny"
ipv4 = ["10.200.0.0/30"]

[[apn]]
name = "tiny"
service = "ePDG"
pool = "tiny"

[[apn]]
name = "patient"
service = "GGSN"
pool = "mobiles"
backoff_s = 60
"#;

/// One answer that came, under the name of what provoked it.
struct Answer {
    name: &'static str,
    message: Received,
}

/// All that came, and the capture of it.
struct Wire {
    answers: Vec<Answer>,
    capture: Arc<Capture>,
    sent: Vec<SessionSummary>,
    subnet: Subnet,
    _dir: tempfile::TempDir,
}

impl Wire {
    /// A filter for what the nodes sent.
    fn of_nodes(&self) -> String {
        let hosts = [GGSN, WATCHFUL_GGSN];
        let sources = hosts.map(|host| format!("ip.src == {}", self.subnet.ip(host)));
        sources.join(" || ")
    }

    fn of(&self, name: &str) -> Result<&Received> {
        let answer = self.answers.iter().find(|answer| answer.name == name);
        Ok(&answer
            .with_context(|| format!("no answer to {name}"))?
            .message)
    }
}

/// A peer and the answers that it has got.
struct Caller {
    sgsn: Sgsn,
    answers: Vec<Answer>,
}

impl Caller {
    fn send(&mut self, name: &'static str, bytes: &[u8]) -> Result<&Received> {
        let message = self.sgsn.exchange(bytes).with_context(|| name.to_owned())?;
        self.answers.push(Answer { name, message });
        Ok(&self.answers[self.answers.len() - 1].message)
    }

    fn create(&mut self, name: &'static str, call: &Call) -> Result<&Received> {
        let request = call.request(self.sgsn.seq(), self.sgsn.ip()?);
        self.send(name, &request.bytes())
    }

    fn message(&mut self, kind: u8, teid: u32) -> Message {
        Message::new(kind, teid, self.sgsn.seq())
    }
}

/// The node that refuses with 199 above its ceiling, and everything that a peer can make it say.
fn ordinary(caller: &mut Caller) -> Result<()> {
    let echo = caller.message(kind::ECHO_REQUEST, 0).bytes();
    caller.send("echo", &echo)?;

    let v4 = Call {
        recovery: Some(1),
        ..Call::new(1, "internet")
    };
    let control = caller
        .create("create IPv4", &v4)?
        .teid_of(ie::TEID_CONTROL)?;
    let v6 = Call {
        pdp_type: 0x57,
        ..Call::new(2, "internet")
    };
    caller.create("create IPv6", &v6)?;
    let both = Call {
        pdp_type: 0x8d,
        ..Call::new(3, "internet.mnc001.mcc001.gprs")
    };
    caller.create("create IPv4v6", &both)?;
    caller.create("create emergency", &Call::new(9, "sos"))?;
    let priority = Call {
        priority_level: Some(1),
        ..Call::new(4, "blue-light")
    };
    caller.create("create priority", &priority)?;

    let sgsn = caller.sgsn.ip()?;
    let update = |message: Message, nsapi: u8| {
        message
            .tv(ie::TEID_DATA, &[0, 0, 7, 7])
            .tv(ie::TEID_CONTROL, &v4.control.to_be_bytes())
            .tv(ie::NSAPI, &[nsapi])
            .gsn_addresses(sgsn)
            .tlv(ie::QOS, &[2, 0x0b, 0x92, 0x1f])
    };
    let message = update(caller.message(kind::UPDATE_REQUEST, control), 5);
    caller.send("update", &message.bytes())?;
    let message = update(caller.message(kind::UPDATE_REQUEST, 0x00ab_cdef), 5);
    caller.send("update of nothing", &message.bytes())?;
    let message = update(caller.message(kind::UPDATE_REQUEST, control), 11);
    caller.send("update of another NSAPI", &message.bytes())?;

    let message = secondary(caller.message(kind::CREATE_REQUEST, control), 6, 5, sgsn);
    caller.send("create secondary", &message.bytes())?;
    let message = secondary(caller.message(kind::CREATE_REQUEST, control), 7, 12, sgsn);
    caller.send("create secondary of nothing", &message.bytes())?;

    for subscriber in [5, 6] {
        caller.create(
            "create up to the ceiling",
            &Call::new(subscriber, "internet"),
        )?;
    }
    caller.create("create above the ceiling", &Call::new(7, "internet"))?;
    caller.create("create with a back-off", &Call::new(8, "patient"))?;
    errors(caller)?;
    extension(caller)?;

    let message = caller
        .message(kind::DELETE_REQUEST, control)
        .tv(ie::NSAPI, &[6]);
    caller.send("delete secondary", &message.bytes())?;
    let message = caller
        .message(kind::DELETE_REQUEST, control)
        .tv(ie::TEARDOWN, &[0xff])
        .tv(ie::NSAPI, &[5]);
    caller.send("delete", &message.bytes())?;
    let message = caller
        .message(kind::DELETE_REQUEST, control)
        .tv(ie::TEARDOWN, &[0xff])
        .tv(ie::NSAPI, &[5]);
    caller.send("delete of nothing", &message.bytes())?;
    Ok(())
}

fn secondary(message: Message, nsapi: u8, linked: u8, sgsn: std::net::Ipv4Addr) -> Message {
    message
        .tv(ie::TEID_DATA, &[0, 0, 8, nsapi])
        .tv(ie::NSAPI, &[nsapi])
        .tv(ie::NSAPI, &[linked])
        .gsn_addresses(sgsn)
        .tlv(ie::QOS, &[2, 0x0b, 0x92, 0x1f])
        .tlv(ie::TFT, &[0x21, 0x30, 0x00, 0x02, 0x30, 0x11])
}

/// Requests that are wrong, each in one way.
fn errors(caller: &mut Caller) -> Result<()> {
    let sgsn = caller.sgsn.ip()?;
    let call = |apn: &str| Call::new(20, apn);
    caller.create("create to an unknown APN", &call("nowhere"))?;
    let ppp = Call {
        pdp_type: 0x01,
        ..call("internet")
    };
    caller.create("create of an unknown PDP type", &ppp)?;

    let whole = call("internet").request(caller.sgsn.seq(), sgsn).bytes();
    let mut cut = whole.clone();
    // The QoS profile is last: its length goes beyond the message.
    let length_of_qos = cut.len() - 5;
    cut[length_of_qos] = 40;
    caller.send("create with a length beyond its end", &cut)?;

    let seq = caller.sgsn.seq();
    let without_nsapi = Message::new(kind::CREATE_REQUEST, 0, seq)
        .tv(ie::IMSI, &tests::sgsn::tbcd("001010000000020"))
        .tv(ie::TEID_DATA, &[0, 0, 0, 1])
        .tv(ie::TEID_CONTROL, &[0, 0, 0, 2])
        .tlv(ie::END_USER_ADDRESS, &[0xf1, 0x21])
        .tlv(ie::APN, &tests::sgsn::labels("internet"))
        .gsn_addresses(sgsn)
        .tlv(ie::QOS, &[2, 0x0b, 0x92, 0x1f]);
    caller.send("create without NSAPI", &without_nsapi.bytes())?;

    let seq = caller.sgsn.seq();
    let short_address = Message::new(kind::CREATE_REQUEST, 0, seq)
        .tv(ie::IMSI, &tests::sgsn::tbcd("001010000000020"))
        .tv(ie::TEID_DATA, &[0, 0, 0, 1])
        .tv(ie::TEID_CONTROL, &[0, 0, 0, 2])
        .tv(ie::NSAPI, &[5])
        .tlv(ie::END_USER_ADDRESS, &[0xf1])
        .tlv(ie::APN, &tests::sgsn::labels("internet"))
        .gsn_addresses(sgsn)
        .tlv(ie::QOS, &[2, 0x0b, 0x92, 0x1f]);
    caller.send("create with a short address", &short_address.bytes())?;

    let mut last = cause::ACCEPTED;
    for subscriber in 30..35 {
        last = caller
            .create("create from a tiny pool", &Call::new(subscriber, "tiny"))?
            .cause()?;
    }
    ensure!(
        last == cause::ALL_ADDRESSES_OCCUPIED,
        "the tiny pool gave five addresses: {last}"
    );

    let mut version_3 = caller.message(kind::ECHO_REQUEST, 0).bytes();
    version_3[0] = 0x72;
    caller.send("version 3", &version_3)?;
    Ok(())
}

/// A request with an extension header that must be understood gets two answers, in either order: its refusal, and what
/// is understood (TS 29.060 11.1.14, TS 29.281 5.2.1).
fn extension(caller: &mut Caller) -> Result<()> {
    let call = Call::new(21, "internet");
    let seq = caller.sgsn.seq();
    let mut bytes = call.request(seq, caller.sgsn.ip()?).bytes();
    // E; then, before the elements, type 0xc1 (comprehension required), one unit of four octets, nothing further.
    bytes[0] |= 4;
    bytes[3] += 4;
    bytes.splice(11..12, [0xc1, 1, 0, 0, 0]);
    caller.sgsn.send(&bytes)?;
    for _ in 0..2 {
        let message = caller.sgsn.receive().context("extension header")?;
        let name = match message.kind {
            kind::CREATE_RESPONSE => "create with an extension header",
            _ => "extension headers understood",
        };
        caller.answers.push(Answer { name, message });
    }
    Ok(())
}

/// A node that looks after its paths every second, as a lab node may.
fn watchful(caller: &mut Caller) -> Result<()> {
    caller.create("create to be watched", &Call::new(1, "internet"))?;
    let message = caller.sgsn.receive()?;
    caller.answers.push(Answer {
        name: "echo of its own",
        message,
    });
    Ok(())
}

fn wire() -> Result<Wire> {
    let (subnet, dir) = (Subnet::take()?, tempfile::tempdir()?);
    let capture = Arc::new(Capture::create(dir.path().join("wire.pcap"))?);
    let plain =
        |host: u8, name: &str| Configuration::new(subnet.gtp_c(host), dir.path().join(name));
    let tiny = Configuration {
        apns: tests::node::APNS.to_owned() + MORE_APNS,
        ..plain(GGSN, "a")
    };
    let watching = Configuration {
        gn: "echo_interval_s = 1".to_owned(),
        ..plain(WATCHFUL_GGSN, "c")
    };
    type Script = fn(&mut Caller) -> Result<()>;
    let runs: [(Configuration, u32, u8, Script); 2] = [
        (tiny, CEILING, SGSN, ordinary),
        (watching, 1, THIRD_SGSN, watchful),
    ];
    let (mut answers, mut sent) = (Vec::new(), Vec::new());
    for (configuration, ceiling, host, script) in runs {
        let node = Node::start(&configuration.with_sessions_per_license(ceiling)?)?;
        node.control()
            .change(&Request::SmartLicensing { enable: true })?;
        let mut sgsn = Sgsn::new(subnet.socket(host)?, node.address())?;
        sgsn.record(Arc::clone(&capture));
        let mut caller = Caller { sgsn, answers };
        script(&mut caller)?;
        answers = caller.answers;
        sent.push(node.control().sessions()?);
    }
    Ok(Wire {
        answers,
        capture,
        sent,
        subnet,
        _dir: dir,
    })
}

static WIRE: LazyLock<Result<Wire>> = LazyLock::new(wire);

fn recorded() -> Result<&'static Wire> {
    WIRE.as_ref().map_err(|error| anyhow!("{error:#}"))
}

/// The packets of the nodes, in the order in which they came.
fn from_nodes(wire: &Wire, fields: &[&str]) -> Result<Vec<Vec<String>>> {
    tshark::fields(wire.capture.path(), &wire.of_nodes(), fields)
}

#[test]
fn tshark_finds_no_fault_with_anything_that_a_node_sends() -> Result<()> {
    // What the peer got wrong on purpose is in the capture too, and is found.
    let wire = recorded()?;
    let all = tshark::faults(wire.capture.path(), "gtp")?;
    assert!(!all.is_empty());
    let ours = tshark::faults(wire.capture.path(), &wire.of_nodes())?;
    assert_eq!(ours, Vec::<String>::new());
    Ok(())
}

#[test]
fn every_message_type_that_a_node_sends_is_in_the_capture() -> Result<()> {
    let wire = recorded()?;
    let counted = wire.sent.iter().flat_map(|summary| &summary.messages);
    let sent: BTreeSet<&str> = counted
        .filter(|count| count.sent > 0)
        .map(|count| count.message.as_str())
        .collect();
    let all = [
        "Create PDP Context Response",
        "Delete PDP Context Response",
        "Echo Request",
        "Echo Response",
        "Supported Extension Headers Notification",
        "Update PDP Context Response",
        "Version Not Supported",
    ];
    assert_eq!(sent, BTreeSet::from(all));
    let rows = from_nodes(wire, &["gtp.message"])?;
    let captured: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let numbers = ["0x01", "0x02", "0x03", "0x11", "0x13", "0x15", "0x1f"];
    assert_eq!(captured, BTreeSet::from(numbers));
    Ok(())
}

/// TS 29.060 7.3.2, 7.3.4, 7.3.6 and 11.1.
#[test]
fn answers_have_the_causes_of_the_specification() -> Result<()> {
    let wire = recorded()?;
    let causes = [
        ("create IPv4", cause::ACCEPTED),
        ("create IPv6", cause::ACCEPTED),
        ("create IPv4v6", cause::ACCEPTED),
        ("create emergency", cause::ACCEPTED),
        ("create priority", cause::ACCEPTED),
        ("update", cause::ACCEPTED),
        ("update of nothing", cause::NON_EXISTENT),
        ("update of another NSAPI", cause::NON_EXISTENT),
        ("create secondary", cause::ACCEPTED),
        ("create secondary of nothing", cause::CONTEXT_NOT_FOUND),
        ("create above the ceiling", cause::NO_RESOURCES),
        ("create to an unknown APN", cause::UNKNOWN_APN),
        ("create of an unknown PDP type", cause::UNKNOWN_PDP_TYPE),
        (
            "create with a length beyond its end",
            cause::INVALID_MESSAGE_FORMAT,
        ),
        ("create without NSAPI", cause::MANDATORY_IE_MISSING),
        ("create with a short address", cause::MANDATORY_IE_INCORRECT),
        (
            "create with an extension header",
            cause::UNKNOWN_MANDATORY_EXTENSION,
        ),
        ("delete secondary", cause::ACCEPTED),
        ("delete", cause::ACCEPTED),
        ("delete of nothing", cause::NON_EXISTENT),
        ("create with a back-off", cause::APN_CONGESTION),
    ];
    let wrong: Vec<String> = causes
        .iter()
        .filter_map(|(name, expected)| {
            let came = wire.of(name).and_then(Received::cause);
            let right = came.as_ref().is_ok_and(|cause| cause == expected);
            (!right).then(|| format!("{name}: {expected} expected, {came:?} came"))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    Ok(())
}

#[test]
fn an_accepted_context_has_what_the_specification_demands() -> Result<()> {
    let wire = recorded()?;
    let v4 = wire.of("create IPv4")?;
    assert_eq!(
        v4.teid,
        Call::new(1, "internet").control,
        "the header has the peer's TEID"
    );
    let address = v4.ie(ie::END_USER_ADDRESS)?;
    assert_eq!(
        (address.len(), &address[..4]),
        (6, &[0xf1, 0x21, 10, 0][..])
    );
    let v6 = wire.of("create IPv6")?.ie(ie::END_USER_ADDRESS)?;
    assert_eq!(
        (v6.len(), &v6[..6]),
        (18, &[0xf1, 0x57, 0x20, 0x01, 0x0d, 0xb8][..])
    );
    let both = wire.of("create IPv4v6")?.ie(ie::END_USER_ADDRESS)?;
    assert_eq!(
        (both.len(), &both[..2], &both[6..10]),
        (22, &[0xf1, 0x8d][..], &[0x20, 0x01, 0x0d, 0xb8][..])
    );
    for name in [
        "create IPv4",
        "create IPv6",
        "create IPv4v6",
        "create emergency",
        "create priority",
    ] {
        let answer = wire.of(name)?;
        let kinds: Vec<u8> = answer.ies.iter().map(|(kind, _)| *kind).collect();
        assert!(kinds.is_sorted(), "{name}: elements ascend: {kinds:?}");
        for needed in [
            ie::TEID_DATA,
            ie::TEID_CONTROL,
            ie::CHARGING_ID,
            ie::END_USER_ADDRESS,
            ie::GSN_ADDRESS,
            ie::QOS,
        ] {
            assert!(answer.has(needed), "{name}: {needed} is missing: {kinds:?}");
        }
        assert_ne!(answer.teid_of(ie::TEID_CONTROL)?, 0, "{name}");
        assert_eq!(
            kinds
                .iter()
                .filter(|kind| **kind == ie::GSN_ADDRESS)
                .count(),
            2,
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn a_refusal_carries_its_cause_and_no_context() -> Result<()> {
    let wire = recorded()?;
    let refused = wire.of("create above the ceiling")?;
    assert_eq!(refused.teid, Call::new(7, "internet").control);
    for kind in [
        ie::TEID_DATA,
        ie::TEID_CONTROL,
        ie::END_USER_ADDRESS,
        ie::BACK_OFF_TIME,
    ] {
        assert!(!refused.has(kind), "{:?}", refused.ies);
    }
    let congested = wire.of("create with a back-off")?;
    // 60 s and up to half as long again, in units of 2 s up to 31 of them, else in minutes, rounded up.
    let back_off = congested.ie(ie::BACK_OFF_TIME)?;
    let unit_s = if back_off[0] >> 5 == 0 { 2 } else { 60 };
    let wait_s = u32::from(back_off[0] & 0x1f) * unit_s;
    assert!((60..=120).contains(&wait_s), "{back_off:?}");
    Ok(())
}

#[test]
fn tshark_reads_the_values_that_the_peer_read() -> Result<()> {
    let wire = recorded()?;
    let fields = [
        "gtp.message",
        "gtp.teid",
        "gtp.seq_number",
        "gtp.cause",
        "gtp.recovery",
        "gtp.teid_data",
        "gtp.teid_cp",
        "gtp.chrg_id",
        "gtp.user_ipv4",
        "gtp.gsn_ipv4",
        "gtp.ggsn_back_off_timer",
    ];
    let rows = from_nodes(wire, &fields)?;
    assert_eq!(rows.len(), wire.answers.len());
    for (row, answer) in rows.iter().zip(&wire.answers) {
        assert_eq!(row, &as_tshark_prints(&answer.message)?, "{}", answer.name);
    }
    Ok(())
}

/// The same fields, from what the harness's own reader found.
fn as_tshark_prints(message: &Received) -> Result<Vec<String>> {
    let values = |kind: u8| {
        message
            .ies
            .iter()
            .filter(move |(of, _)| *of == kind)
            .map(|(_, value)| value)
    };
    let joined = |kind: u8, print: &dyn Fn(&[u8]) -> String| -> String {
        let printed: Vec<String> = values(kind).map(|value| print(value)).collect();
        printed.join(",")
    };
    let decimal = |value: &[u8]| value[0].to_string();
    let hexadecimal = |value: &[u8]| format!("0x{}", tests::python::hex(value));
    let address = |value: &[u8]| match value {
        [a, b, c, d] => format!("{a}.{b}.{c}.{d}"),
        _ => String::new(),
    };
    let user = |value: &[u8]| match value[1] {
        0x21 | 0x8d => address(&value[2..6]),
        _ => String::new(),
    };
    Ok(vec![
        format!("{:#04x}", message.kind),
        format!("{:#010x}", message.teid),
        message
            .seq
            .map_or(String::new(), |seq| format!("{seq:#06x}")),
        joined(ie::CAUSE, &decimal),
        joined(ie::RECOVERY, &decimal),
        joined(ie::TEID_DATA, &hexadecimal),
        joined(ie::TEID_CONTROL, &hexadecimal),
        joined(ie::CHARGING_ID, &hexadecimal),
        joined(ie::END_USER_ADDRESS, &user),
        joined(ie::GSN_ADDRESS, &address),
        joined(ie::BACK_OFF_TIME, &|value| (value[0] & 0x1f).to_string()),
    ])
}
