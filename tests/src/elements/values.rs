//! Element by element: values at random, how our writer writes them, how our reader reads them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result};
use gtp::v2::value::{
    charging_characteristics, ip_address, low_access_priority, number as four_octets, octet,
};
use gtp::v2::{
    Ambr, Apn, ApnRestriction, Arp, BearerQos, Cause, CauseIe, CellId, DelayValue, Ebi, Ecgi,
    EpcTimer, ExtendedMacroEnb, FTeid, FlowQos, IeType, Imei, Imsi, Indication, InterfaceType, Lai,
    MacroEnb, MsTimeZone, Msisdn, NodeType, Offending, Paa, PdnType, Plmn, PrivateExtension,
    RatType, SelectionMode, Tai, UserLocation, Writer,
};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{number, only};
use crate::python::{bytes, hex};

/// What is known of one type of element.
pub(super) struct Row {
    kind: IeType,
    pub random: fn(&mut StdRng) -> Value,
    pub write: fn(&mut Writer<'_>, u8, &Value) -> Result<()>,
    pub read: fn(&[u8]) -> Result<Value>,
}

/// The row of a type.
pub(super) fn row(kind: IeType) -> Result<&'static Row> {
    let row = ROWS.iter().find(|row| row.kind == kind);
    row.with_context(|| format!("no row for {kind}"))
}

/// One line a type: its values at random, how they are written, how they are read.
macro_rules! rows {
    ($($kind:ident: $random:expr, $write:expr, $read:expr;)*) => {
        static ROWS: &[Row] = &[$(Row {
            kind: IeType::$kind,
            random: $random,
            write: $write,
            read: $read,
        },)*];
    };
}

rows! {
    IMSI: |r| digits(r, 6..=15),
        |w, i, v| { only(i)?; w.imsi(Imsi::from_text(text(v, "digits")?)?); Ok(()) },
        |octets| Ok(json!({"digits": Imsi::parse_short(octets)?.to_string()}));
    CAUSE: random_cause, write_cause, read_cause;
    RECOVERY: |r| json!({"counter": r.random::<u8>()}),
        |w, i, v| { only(i)?; w.recovery(number(v, "counter")?); Ok(()) },
        |octets| Ok(json!({"counter": octet("Recovery", octets)?}));
    APN: random_apn,
        |w, i, v| { only(i)?; w.apn(text(v, "name")?); Ok(()) },
        |octets| Ok(json!({"name": Apn::parse(octets)?.to_string()}));
    AMBR: |r| json!({"up": r.random::<u32>(), "down": r.random::<u32>()}),
        |w, i, v| {
            only(i)?;
            let (uplink_kbps, downlink_kbps) = (number(v, "up")?, number(v, "down")?);
            w.ambr(Ambr { uplink_kbps, downlink_kbps });
            Ok(())
        },
        |octets| {
            let ambr = Ambr::parse(octets)?;
            Ok(json!({"up": ambr.uplink_kbps, "down": ambr.downlink_kbps}))
        };
    EBI: |r| json!({"ebi": r.random_range(0..16)}),
        |w, i, v| { w.ebi(i, Ebi::new(number(v, "ebi")?)?); Ok(()) },
        |octets| Ok(json!({"ebi": Ebi::parse(octets)?.number()}));
    IP_ADDRESS: |r| {
            let v6 = r.random();
            json!({"address": if v6 { IpAddr::V6(address_v6(r)) } else { IpAddr::V4(address_v4(r)) }})
        },
        |w, i, v| { w.ip_address(i, text(v, "address")?.parse()?); Ok(()) },
        |octets| Ok(json!({"address": ip_address(octets)?}));
    MEI: |r| digits(r, 15..=16),
        |w, i, v| { only(i)?; w.mei(Imei::parse(&bcd(text(v, "digits")?)?)?); Ok(()) },
        |octets| Ok(json!({"digits": Imei::parse(octets)?.to_string()}));
    MSISDN: |r| digits(r, 1..=15),
        |w, i, v| { only(i)?; w.msisdn(&bcd(text(v, "digits")?)?); Ok(()) },
        |octets| Ok(json!({"digits": Msisdn::parse(octets)?.to_string()}));
    INDICATION: random_indication, write_indication, read_indication;
    PCO: |r| json!({"hex": hex(&[0x80, 0x80, 0x21, 4, 1, r.random(), 0, 4])}),
        |w, i, v| { only(i)?; w.pco(&bytes(text(v, "hex")?)?); Ok(()) },
        as_it_came;
    PAA: random_paa, write_paa, read_paa;
    BEARER_QOS: |r| with(random_flow(r), random_arp(r)),
        |w, i, v| { only(i)?; w.bearer_qos(&BearerQos { arp: arp_of(v)?, flow: flow_of(v)? }); Ok(()) },
        |octets| {
            let qos = BearerQos::parse(octets)?;
            Ok(with(flow_words(&qos.flow), arp_words(qos.arp)))
        };
    FLOW_QOS: random_flow,
        |w, i, v| { only(i)?; w.flow_qos(&flow_of(v)?); Ok(()) },
        |octets| Ok(flow_words(&FlowQos::parse(octets)?));
    RAT_TYPE: |r| json!({"rat": r.random_range(1..11)}),
        |w, i, v| { only(i)?; w.rat_type(RatType(number(v, "rat")?)); Ok(()) },
        |octets| Ok(json!({"rat": octet("RAT Type", octets)?}));
    SERVING_NETWORK: random_plmn,
        |w, i, v| { only(i)?; w.serving_network(plmn_of(v)?); Ok(()) },
        |octets| Ok(plmn_words(Plmn::parse(octets)?));
    BEARER_TFT: |r| json!({"hex": hex(&[0x21, 0x30, r.random(), 2, 0x30, r.random()])}),
        |w, i, v| { only(i)?; w.bearer_tft(&bytes(text(v, "hex")?)?); Ok(()) },
        as_it_came;
    ULI: random_location, write_location, read_location;
    F_TEID: random_fteid, write_fteid, read_fteid;
    DELAY_VALUE: |r| json!({"steps": r.random::<u8>()}),
        |w, i, v| { only(i)?; w.delay_value(DelayValue(number(v, "steps")?)); Ok(()) },
        |octets| Ok(json!({"steps": DelayValue::parse(octets)?.0}));
    CHARGING_ID: |r| json!({"id": r.random::<u32>()}),
        |w, i, v| { only(i)?; w.charging_id(number(v, "id")?); Ok(()) },
        |octets| Ok(json!({"id": four_octets("Charging ID", octets)?}));
    CHARGING_CHARACTERISTICS: |r| json!({"bits": r.random::<u16>()}),
        |w, i, v| { only(i)?; w.charging_characteristics(number(v, "bits")?); Ok(()) },
        |octets| Ok(json!({"bits": charging_characteristics(octets)?}));
    PDN_TYPE: |r| json!({"type": r.random_range(1..6)}),
        |w, i, v| { only(i)?; w.pdn_type(PdnType::parse(&[number(v, "type")?])?); Ok(()) },
        |octets| Ok(json!({"type": PdnType::parse(octets)?.number()}));
    PTI: |r| json!({"id": r.random::<u8>()}),
        |w, i, v| { only(i)?; w.pti(number(v, "id")?); Ok(()) },
        |octets| Ok(json!({"id": octet("Procedure Transaction ID", octets)?}));
    UE_TIME_ZONE: |r| json!({"zone": r.random::<u8>(), "dst": r.random_range(0..3)}),
        |w, i, v| {
            only(i)?;
            w.ue_time_zone(MsTimeZone { zone: number(v, "zone")?, daylight_saving: number(v, "dst")? });
            Ok(())
        },
        |octets| {
            let zone = MsTimeZone::parse(octets)?;
            Ok(json!({"zone": zone.zone, "dst": zone.daylight_saving}))
        };
    PORT_NUMBER: |r| json!({"port": r.random::<u16>()}),
        |w, i, v| { w.port_number(i, number(v, "port")?); Ok(()) },
        |octets| Ok(json!({"port": u16::from_be_bytes(octets.try_into()?)}));
    APN_RESTRICTION: |r| json!({"restriction": r.random::<u8>()}),
        |w, i, v| { only(i)?; w.apn_restriction(ApnRestriction(number(v, "restriction")?)); Ok(()) },
        |octets| Ok(json!({"restriction": octet("APN Restriction", octets)?}));
    SELECTION_MODE: |r| json!({"mode": r.random_range(0..3)}),
        |w, i, v| { only(i)?; w.selection_mode(SelectionMode::parse(&[number(v, "mode")?])?); Ok(()) },
        |octets| Ok(json!({"mode": SelectionMode::parse(octets)?.octet() & 3}));
    // The last octet is there because pycrate takes PFCP's form for GTP's (TS 29.244 8.2.46), and loses the elements behind
    // one that it can't read.
    FQ_CSID: |r| json!({"hex": hex(&[0x01, 192, 0, 2, r.random(), 0, r.random(), 0])}),
        |w, i, v| { w.fq_csid(i, &bytes(text(v, "hex")?)?); Ok(()) },
        as_it_came;
    NODE_TYPE: |r| json!({"node": r.random_range(0..2)}),
        |w, i, v| { only(i)?; w.node_type(NodeType(number(v, "node")?)); Ok(()) },
        |octets| Ok(json!({"node": octet("Node Type", octets)?}));
    NODE_FEATURES: |r| json!({"hex": hex(&[r.random()])}),
        |w, i, v| { only(i)?; w.node_features(octet("Node Features", &bytes(text(v, "hex")?)?)?); Ok(()) },
        as_it_came;
    ARP: random_arp,
        |w, i, v| { only(i)?; w.arp(arp_of(v)?); Ok(()) },
        |octets| Ok(arp_words(Arp::parse(octets)?));
    EPC_TIMER: |r| json!({"unit": r.random_range(0..8), "count": r.random_range(0..32)}),
        |w, i, v| {
            let (unit, count): (u8, u8) = (number(v, "unit")?, number(v, "count")?);
            w.epc_timer(i, EpcTimer::parse(&[unit << 5 | count])?);
            Ok(())
        },
        |octets| {
            let timer = EpcTimer::parse(octets)?.octet();
            Ok(json!({"unit": timer >> 5, "count": timer & 0x1f}))
        };
    SIGNALLING_PRIORITY_INDICATION: |r| json!({"low": u8::from(r.random::<bool>())}),
        |w, i, v| { only(i)?; w.low_access_priority(number::<u8>(v, "low")? == 1); Ok(()) },
        |octets| Ok(json!({"low": u8::from(low_access_priority(octets)?)}));
    PRIVATE_EXTENSION: |r| json!({"hex": hex(&[0x1f, 0xe4, r.random(), r.random()])}),
        |w, i, v| {
            let octets = bytes(text(v, "hex")?)?;
            w.private_extension(i, &PrivateExtension::parse(&octets)?);
            Ok(())
        },
        |octets| {
            let PrivateExtension { enterprise, contents } = PrivateExtension::parse(octets)?;
            let octets = [&enterprise.to_be_bytes(), contents].concat();
            Ok(json!({"hex": hex(&octets)}))
        };
}

fn text<'a>(object: &'a Value, key: &str) -> Result<&'a str> {
    let text = object[key].as_str();
    text.with_context(|| format!("no text {key} in {object}"))
}

fn as_it_came(octets: &[u8]) -> Result<Value> {
    Ok(json!({"hex": hex(octets)}))
}

/// The words of both.
fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(mut more)) = (object.as_object_mut(), more) {
        object.append(&mut more);
    }
    object
}

fn digits(random: &mut StdRng, count: std::ops::RangeInclusive<usize>) -> Value {
    let count = random.random_range(count);
    let digit = |_| char::from(b'0' + random.random_range(0..10));
    json!({"digits": (0..count).map(digit).collect::<String>()})
}

/// Digits as they are packed, with a filler where their number is odd.
fn bcd(digits: &str) -> Result<Vec<u8>> {
    let digits: Option<Vec<u32>> = digits.chars().map(|digit| digit.to_digit(10)).collect();
    let digits = digits.context("digits")?;
    let pair = |pair: &[u32]| (pair.get(1).unwrap_or(&0xf) << 4 | pair[0]) as u8;
    Ok(digits.chunks(2).map(pair).collect())
}

fn random_apn(random: &mut StdRng) -> Value {
    let mut label = || {
        let letters = random.random_range(1..20);
        let letter = |_| char::from(b'a' + random.random_range(0..26));
        (0..letters).map(letter).collect::<String>()
    };
    json!({"name": format!("{}.{}.{}", label(), label(), label())})
}

fn address_v4(random: &mut StdRng) -> Ipv4Addr {
    Ipv4Addr::from_bits(random.random())
}

/// Never one that stands for an IPv4 address, whose text differs between programs.
fn address_v6(random: &mut StdRng) -> Ipv6Addr {
    Ipv6Addr::from_bits(random.random::<u128>() | 1 << 127)
}

fn random_cause(random: &mut StdRng) -> Value {
    let offending = random.random_bool(0.4).then(
        || json!({"type": random.random_range(1..200), "instance": random.random_range(0..16)}),
    );
    let mut bit = || u8::from(random.random::<bool>());
    let (pce, bce, cs) = (bit(), bit(), bit());
    json!({"cause": random.random_range(2..132), "pce": pce, "bce": bce, "cs": cs, "offending": offending})
}

fn write_cause(writer: &mut Writer<'_>, instance: u8, value: &Value) -> Result<()> {
    only(instance)?;
    let bit = |key| Ok::<_, anyhow::Error>(number::<u8>(value, key)? == 1);
    let offending = &value["offending"];
    let offending = match offending.is_null() {
        true => None,
        false => Some(Offending {
            kind: IeType(number(offending, "type")?),
            instance: number(offending, "instance")?,
        }),
    };
    writer.cause(&CauseIe {
        cause: Cause(number(value, "cause")?),
        pdn_connection_error: bit("pce")?,
        bearer_context_error: bit("bce")?,
        from_remote_node: bit("cs")?,
        offending,
    });
    Ok(())
}

fn read_cause(octets: &[u8]) -> Result<Value> {
    let ie = CauseIe::parse(octets)?;
    let offending = ie.offending;
    Ok(json!({
        "cause": ie.cause.0,
        "pce": u8::from(ie.pdn_connection_error),
        "bce": u8::from(ie.bearer_context_error),
        "cs": u8::from(ie.from_remote_node),
        "offending": offending.map(|of| json!({"type": of.kind.0, "instance": of.instance})),
    }))
}

fn random_indication(random: &mut StdRng) -> Value {
    let mut flags = Indication::default();
    for (flag, _) in Indication::FLAGS {
        if random.random_bool(0.1) {
            flags = flags.with(*flag);
        }
    }
    let least = flags.octets().len().max(2);
    let octets = random.random_range(least..=10);
    json!({"flags": names(&flags), "octets": octets})
}

fn names(flags: &Indication) -> Vec<&'static str> {
    let set = Indication::FLAGS
        .iter()
        .filter(|(flag, _)| flags.has(*flag));
    set.map(|(_, name)| *name).collect()
}

fn write_indication(writer: &mut Writer<'_>, instance: u8, value: &Value) -> Result<()> {
    only(instance)?;
    let mut flags = Indication::parse(&vec![0; number(value, "octets")?])?;
    for name in value["flags"].as_array().context("flags")? {
        let named = Indication::FLAGS.iter().find(|(_, known)| name == known);
        let (flag, _) = named.with_context(|| format!("no flag {name}"))?;
        flags = flags.with(*flag);
    }
    writer.indication(flags);
    Ok(())
}

fn read_indication(octets: &[u8]) -> Result<Value> {
    let flags = Indication::parse(octets)?;
    Ok(json!({"flags": names(&flags), "octets": flags.octets().len()}))
}

fn random_paa(random: &mut StdRng) -> Value {
    let kind = random.random_range(1..6);
    let v6 = matches!(kind, 2 | 3).then(|| address_v6(random));
    let v4 = matches!(kind, 1 | 3).then(|| address_v4(random));
    let prefix = v6.map(|_| random.random_range(0..129));
    json!({"type": kind, "prefix": prefix, "v6": v6, "v4": v4})
}

fn write_paa(writer: &mut Writer<'_>, instance: u8, value: &Value) -> Result<()> {
    only(instance)?;
    let v4 = || Ok::<Ipv4Addr, anyhow::Error>(text(value, "v4")?.parse()?);
    let v6 = || Ok::<Ipv6Addr, anyhow::Error>(text(value, "v6")?.parse()?);
    let prefix_bits = || number(value, "prefix");
    let paa = match PdnType::parse(&[number(value, "type")?])? {
        PdnType::Ipv4 => Paa::Ipv4(v4()?),
        PdnType::Ipv6 => Paa::Ipv6 {
            prefix_bits: prefix_bits()?,
            address: v6()?,
        },
        PdnType::Ipv4v6 => Paa::Ipv4v6 {
            prefix_bits: prefix_bits()?,
            v6: v6()?,
            v4: v4()?,
        },
        PdnType::NonIp => Paa::NonIp,
        PdnType::Ethernet => Paa::Ethernet,
    };
    writer.paa(&paa);
    Ok(())
}

fn read_paa(octets: &[u8]) -> Result<Value> {
    let paa = Paa::parse(octets)?;
    let prefix = match paa {
        Paa::Ipv6 { prefix_bits, .. } | Paa::Ipv4v6 { prefix_bits, .. } => Some(prefix_bits),
        Paa::Ipv4(_) | Paa::NonIp | Paa::Ethernet => None,
    };
    let kind = paa.pdn_type().number();
    Ok(json!({"type": kind, "prefix": prefix, "v6": paa.v6(), "v4": paa.v4()}))
}

fn random_arp(random: &mut StdRng) -> Value {
    let mut bit = || u8::from(random.random::<bool>());
    let (pci, pvi) = (bit(), bit());
    json!({"pci": pci, "pl": random.random_range(0..16), "pvi": pvi})
}

/// Both bits say what a bearer may not do (TS 29.274 8.15, TS 29.212 5.3.46, 5.3.47).
fn arp_of(value: &Value) -> Result<Arp> {
    Ok(Arp {
        priority_level: number(value, "pl")?,
        may_preempt: number::<u8>(value, "pci")? == 0,
        preemptable: number::<u8>(value, "pvi")? == 0,
    })
}

fn arp_words(arp: Arp) -> Value {
    let (pci, pvi) = (u8::from(!arp.may_preempt), u8::from(!arp.preemptable));
    json!({"pci": pci, "pl": arp.priority_level, "pvi": pvi})
}

fn random_flow(random: &mut StdRng) -> Value {
    let mut rate = || random.random_range(0..=FlowQos::MAX_KBPS);
    let (mbr_up, mbr_down, gbr_up, gbr_down) = (rate(), rate(), rate(), rate());
    flow_words(&FlowQos {
        qci: random.random(),
        maximum_uplink_kbps: mbr_up,
        maximum_downlink_kbps: mbr_down,
        guaranteed_uplink_kbps: gbr_up,
        guaranteed_downlink_kbps: gbr_down,
    })
}

fn flow_of(value: &Value) -> Result<FlowQos> {
    Ok(FlowQos {
        qci: number(value, "qci")?,
        maximum_uplink_kbps: number(value, "mbr_up")?,
        maximum_downlink_kbps: number(value, "mbr_down")?,
        guaranteed_uplink_kbps: number(value, "gbr_up")?,
        guaranteed_downlink_kbps: number(value, "gbr_down")?,
    })
}

fn flow_words(flow: &FlowQos) -> Value {
    json!({
        "qci": flow.qci,
        "mbr_up": flow.maximum_uplink_kbps,
        "mbr_down": flow.maximum_downlink_kbps,
        "gbr_up": flow.guaranteed_uplink_kbps,
        "gbr_down": flow.guaranteed_downlink_kbps,
    })
}

fn random_plmn(random: &mut StdRng) -> Value {
    let mut digits = |count| digits(random, count)["digits"].take();
    let (mcc, mnc) = (digits(3..=3), digits(2..=3));
    json!({"mcc": mcc, "mnc": mnc})
}

fn plmn_of(value: &Value) -> Result<Plmn> {
    Ok(Plmn::from_text(text(value, "mcc")?, text(value, "mnc")?)?)
}

fn plmn_words(plmn: Plmn) -> Value {
    let digits = plmn.to_string();
    let (mcc, mnc) = digits.split_at(3);
    json!({"mcc": mcc, "mnc": mnc})
}

fn random_location(random: &mut StdRng) -> Value {
    let mut part = |words: &[(&str, u32)]| {
        random.random_bool(0.5).then(|| {
            let codes = words.iter().map(|(word, bound)| {
                (
                    (*word).to_owned(),
                    Value::from(random.random_range(0..*bound)),
                )
            });
            let codes = Value::Object(codes.collect());
            with(codes, random_plmn(random))
        })
    };
    const SIXTEEN_BITS: u32 = 1 << 16;
    let cell = [("lac", SIXTEEN_BITS), ("code", SIXTEEN_BITS)];
    let (cgi, sai) = (part(&cell), part(&cell));
    let rai = part(&[("lac", SIXTEEN_BITS), ("code", 1 << 8)]);
    let (tai, ecgi) = (part(&[("tac", SIXTEEN_BITS)]), part(&[("eci", 1 << 28)]));
    let (lai, macro_enb) = (part(&[("lac", SIXTEEN_BITS)]), part(&[("id", 1 << 20)]));
    let mut extended = part(&[("short", 2), ("id", 1 << 18)]);
    if let Some(extended) = extended.as_mut().filter(|extended| extended["short"] == 0) {
        extended["id"] = Value::from(random.random_range(0..1 << 21));
    }
    json!({
        "cgi": cgi, "sai": sai, "rai": rai, "tai": tai, "ecgi": ecgi, "lai": lai,
        "macro_enb": macro_enb, "extended_macro_enb": extended,
    })
}

/// Of a routeing area the code is the upper octet, and the lower is sent as ones (TS 29.274 8.21.3).
fn write_location(writer: &mut Writer<'_>, instance: u8, value: &Value) -> Result<()> {
    fn part<T>(value: &Value, key: &str, of: impl Fn(&Value) -> Result<T>) -> Result<Option<T>> {
        let part = &value[key];
        (!part.is_null()).then(|| of(part)).transpose()
    }
    let cell = |part: &Value| {
        let (plmn, lac) = (plmn_of(part)?, number(part, "lac")?);
        let code = number(part, "code")?;
        Ok(CellId { plmn, lac, code })
    };
    let routeing_area = |part: &Value| {
        let mut area = cell(part)?;
        area.code = area.code << 8 | 0xff;
        Ok(area)
    };
    let location = UserLocation {
        cgi: part(value, "cgi", cell)?,
        sai: part(value, "sai", cell)?,
        rai: part(value, "rai", routeing_area)?,
        tai: part(value, "tai", |part| {
            let (plmn, tac) = (plmn_of(part)?, number(part, "tac")?);
            Ok(Tai { plmn, tac })
        })?,
        ecgi: part(value, "ecgi", |part| {
            let (plmn, eci) = (plmn_of(part)?, number(part, "eci")?);
            Ok(Ecgi { plmn, eci })
        })?,
        lai: part(value, "lai", |part| {
            let (plmn, lac) = (plmn_of(part)?, number(part, "lac")?);
            Ok(Lai { plmn, lac })
        })?,
        macro_enb: part(value, "macro_enb", |part| {
            let (plmn, id) = (plmn_of(part)?, number(part, "id")?);
            Ok(MacroEnb { plmn, id })
        })?,
        extended_macro_enb: part(value, "extended_macro_enb", |part| {
            Ok(ExtendedMacroEnb {
                plmn: plmn_of(part)?,
                is_short: number::<u8>(part, "short")? == 1,
                id: number(part, "id")?,
            })
        })?,
    };
    writer.user_location(instance, &location);
    Ok(())
}

fn read_location(octets: &[u8]) -> Result<Value> {
    let location = UserLocation::parse(octets)?;
    let cell = |cell: CellId| {
        let words = json!({"lac": cell.lac, "code": cell.code});
        with(words, plmn_words(cell.plmn))
    };
    let routeing_area = |mut area: CellId| {
        area.code >>= 8;
        cell(area)
    };
    let enb = |enb: ExtendedMacroEnb| {
        let words = json!({"short": u8::from(enb.is_short), "id": enb.id});
        with(words, plmn_words(enb.plmn))
    };
    let tai = |tai: Tai| with(json!({"tac": tai.tac}), plmn_words(tai.plmn));
    let ecgi = |ecgi: Ecgi| with(json!({"eci": ecgi.eci}), plmn_words(ecgi.plmn));
    let lai = |lai: Lai| with(json!({"lac": lai.lac}), plmn_words(lai.plmn));
    let macro_enb = |enb: MacroEnb| with(json!({"id": enb.id}), plmn_words(enb.plmn));
    Ok(json!({
        "cgi": location.cgi.map(cell),
        "sai": location.sai.map(cell),
        "rai": location.rai.map(routeing_area),
        "tai": location.tai.map(tai),
        "ecgi": location.ecgi.map(ecgi),
        "lai": location.lai.map(lai),
        "macro_enb": location.macro_enb.map(macro_enb),
        "extended_macro_enb": location.extended_macro_enb.map(enb),
    }))
}

fn random_fteid(random: &mut StdRng) -> Value {
    let v4 = random.random_bool(0.7).then(|| address_v4(random));
    let v6 = (v4.is_none() || random.random_bool(0.3)).then(|| address_v6(random));
    let (interface, teid) = (random.random_range(0..41), random.random::<u32>());
    json!({"interface": interface, "teid": teid, "v4": v4, "v6": v6})
}

fn write_fteid(writer: &mut Writer<'_>, instance: u8, value: &Value) -> Result<()> {
    let fteid = FTeid {
        interface: InterfaceType(number(value, "interface")?),
        teid: number(value, "teid")?,
        v4: value["v4"].as_str().map(str::parse).transpose()?,
        v6: value["v6"].as_str().map(str::parse).transpose()?,
    };
    writer.f_teid(instance, &fteid);
    Ok(())
}

fn read_fteid(octets: &[u8]) -> Result<Value> {
    let fteid = FTeid::parse(octets)?;
    let (interface, teid) = (fteid.interface.0, fteid.teid);
    Ok(json!({"interface": interface, "teid": teid, "v4": fteid.v4, "v6": fteid.v6}))
}
