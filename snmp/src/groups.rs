//! The groups of objects about the agent itself: system and snmp (RFC 3418), snmpEngine (RFC 3411), snmpMPDStats
//! (RFC 3412), snmpUnknownContexts (RFC 3413), usmStats (RFC 3414), the contexts of VACM (RFC 3415).

use std::sync::Arc;

use crate::objects::{Column, Group, Index, Row, Scalar, Syntax, Table};
use crate::usm::{EngineId, Fault};
use crate::{Counters, Oid, Value};

/// What an operator says of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// sysDescr.
    pub descr: String,
    /// sysObjectID.
    pub object_id: Oid,
    /// sysContact.
    pub contact: String,
    /// sysName.
    pub name: String,
    /// sysLocation.
    pub location: String,
    /// Modules of the MIB that it has: sysORID and sysORDescr, there since it started.
    pub modules: Vec<(Oid, String)>,
}

/// The agent at one time.
#[derive(Clone, Debug)]
pub struct Own {
    /// What an operator says of the node.
    pub system: Arc<System>,
    /// sysUpTime, in hundredths of a second.
    pub uptime: u32,
    /// snmpEngineID.
    pub engine_id: EngineId,
    /// snmpEngineBoots.
    pub boots: u32,
    /// snmpEngineTime, in seconds.
    pub time: u32,
    /// snmpEngineMaxMessageSize, in octets.
    pub max_bytes: u32,
    /// What was counted.
    pub counters: Counters,
}

/// A snapshot that has the agent in it.
pub trait Managed {
    /// The agent when the snapshot was taken.
    fn own(&self) -> &Own;
}

/// The agent alone is a snapshot.
impl Managed for Own {
    fn own(&self) -> &Own {
        self
    }
}

/// What the node offers to do: applications (72: end to end, and applications).
const SERVICES: i32 = 72;

/// snmpEnableAuthenTraps: authenticationFailure is never sent.
const DISABLED: i32 = 2;

/// All groups of this module.
pub fn groups<S: Managed>() -> Vec<Group<S>> {
    vec![
        system(),
        snmp(),
        engine(),
        mpd_stats(),
        contexts_unknown(),
        usm_stats(),
        contexts(),
    ]
}

fn scalar<S>(
    name: &'static str,
    arcs: &'static [u32],
    syntax: Syntax,
    help: &'static str,
    value: fn(&S) -> Option<Value>,
) -> Scalar<S> {
    Scalar {
        name,
        arcs,
        syntax,
        help,
        value,
    }
}

fn group<S>(root: Oid, scalars: Vec<Scalar<S>>, tables: Vec<Table<S>>) -> Group<S> {
    Group {
        root,
        scalars,
        tables,
    }
}

fn system<S: Managed>() -> Group<S> {
    use Syntax::{DisplayString, Integer32, ObjectIdentifier, TimeStamp, TimeTicks};
    let scalars = vec![
        scalar(
            "sysDescr",
            &[1],
            DisplayString,
            "What the node is.",
            |s: &S| Some(Value::text(s.own().system.descr.as_str())),
        ),
        scalar(
            "sysObjectID",
            &[2],
            ObjectIdentifier,
            "What product it is.",
            |s: &S| Some(Value::ObjectIdentifier(s.own().system.object_id.clone())),
        ),
        scalar(
            "sysUpTime",
            &[3],
            TimeTicks,
            "Time since the agent started.",
            |s: &S| Some(Value::TimeTicks(s.own().uptime)),
        ),
        scalar(
            "sysContact",
            &[4],
            DisplayString,
            "Who looks after it.",
            |s: &S| Some(Value::text(s.own().system.contact.as_str())),
        ),
        scalar("sysName", &[5], DisplayString, "Its name.", |s: &S| {
            Some(Value::text(s.own().system.name.as_str()))
        }),
        scalar(
            "sysLocation",
            &[6],
            DisplayString,
            "Where it is.",
            |s: &S| Some(Value::text(s.own().system.location.as_str())),
        ),
        scalar(
            "sysServices",
            &[7],
            Integer32,
            "Layers at which it serves: 4 and 7.",
            |_: &S| Some(Value::Integer(SERVICES)),
        ),
        scalar(
            "sysORLastChange",
            &[8],
            TimeStamp,
            "When its modules changed: at the start.",
            |_: &S| Some(Value::TimeTicks(0)),
        ),
    ];
    group(Oid::from([1, 3, 6, 1, 2, 1, 1]), scalars, vec![modules()])
}

fn modules<S: Managed>() -> Table<S> {
    use Syntax::{DisplayString, Integer32, ObjectIdentifier, TimeStamp};
    let column = |name, arc, syntax, help, value| Column {
        name,
        arc,
        syntax,
        help,
        value,
    };
    Table {
        name: "sysORTable",
        entry: "sysOREntry",
        arcs: &[9],
        index: &["sysORIndex"],
        help: "Modules of the MIB that the agent has.",
        rows: |s: &S| {
            let modules = 0..s.own().system.modules.len();
            let place = |key: usize| u32::try_from(key + 1).unwrap_or(u32::MAX);
            let row = |key| Row {
                index: Index::of(place(key)),
                key,
            };
            modules.map(row).collect()
        },
        columns: vec![
            column("sysORIndex", 1, Integer32, "Its place.", None),
            column(
                "sysORID",
                2,
                ObjectIdentifier,
                "The module.",
                Some(|s: &S, key| {
                    let module = s.own().system.modules.get(key);
                    module.map(|(id, _)| Value::ObjectIdentifier(id.clone()))
                }),
            ),
            column(
                "sysORDescr",
                3,
                DisplayString,
                "What it is about.",
                Some(|s: &S, key| {
                    let module = s.own().system.modules.get(key);
                    module.map(|(_, descr)| Value::text(descr.as_str()))
                }),
            ),
            column(
                "sysORUpTime",
                4,
                TimeStamp,
                "Since when it is there: the start.",
                Some(|_: &S, _| Some(Value::TimeTicks(0))),
            ),
        ],
    }
}

/// A counter of the agent's.
fn counter<S>(
    name: &'static str,
    arcs: &'static [u32],
    help: &'static str,
    value: fn(&S) -> Option<Value>,
) -> Scalar<S> {
    scalar(name, arcs, Syntax::Counter32, help, value)
}

fn snmp<S: Managed>() -> Group<S> {
    let enabled = Syntax::Named(&[("enabled", 1), ("disabled", 2)]);
    let scalars = vec![
        counter("snmpInPkts", &[1], "Messages received.", |s: &S| {
            Some(Value::Counter32(s.own().counters.in_pkts))
        }),
        counter(
            "snmpInBadVersions",
            &[3],
            "Messages of a version that there is not.",
            |s: &S| Some(Value::Counter32(s.own().counters.in_bad_versions)),
        ),
        counter(
            "snmpInBadCommunityNames",
            &[4],
            "Messages with an unknown community.",
            |s: &S| Some(Value::Counter32(s.own().counters.in_bad_community_names)),
        ),
        counter(
            "snmpInBadCommunityUses",
            &[5],
            "Requests that their community may not make.",
            |s: &S| Some(Value::Counter32(s.own().counters.in_bad_community_uses)),
        ),
        counter(
            "snmpInASNParseErrs",
            &[6],
            "Datagrams that are not SNMP.",
            |s: &S| Some(Value::Counter32(s.own().counters.in_asn_parse_errs)),
        ),
        scalar(
            "snmpEnableAuthenTraps",
            &[30],
            enabled,
            "Whether authenticationFailure is sent: never.",
            |_: &S| Some(Value::Integer(DISABLED)),
        ),
        counter(
            "snmpSilentDrops",
            &[31],
            "Requests whose shortest answer would be too long.",
            |s: &S| Some(Value::Counter32(s.own().counters.silent_drops)),
        ),
        counter(
            "snmpProxyDrops",
            &[32],
            "Requests that a proxy dropped: it is none.",
            |_: &S| Some(Value::Counter32(0)),
        ),
    ];
    group(Oid::from([1, 3, 6, 1, 2, 1, 11]), scalars, Vec::new())
}

fn engine<S: Managed>() -> Group<S> {
    use Syntax::{Integer32, SnmpEngineId};
    let scalars = vec![
        scalar(
            "snmpEngineID",
            &[1],
            SnmpEngineId,
            "The engine's id.",
            |s: &S| Some(Value::OctetString(s.own().engine_id.octets().to_vec())),
        ),
        scalar(
            "snmpEngineBoots",
            &[2],
            Integer32,
            "How often it has started.",
            |s: &S| i32::try_from(s.own().boots).ok().map(Value::Integer),
        ),
        scalar(
            "snmpEngineTime",
            &[3],
            Integer32,
            "Seconds since it last did.",
            |s: &S| i32::try_from(s.own().time).ok().map(Value::Integer),
        ),
        scalar(
            "snmpEngineMaxMessageSize",
            &[4],
            Integer32,
            "The longest message that it takes, in octets.",
            |s: &S| i32::try_from(s.own().max_bytes).ok().map(Value::Integer),
        ),
    ];
    group(Oid::from([1, 3, 6, 1, 6, 3, 10, 2, 1]), scalars, Vec::new())
}

fn mpd_stats<S: Managed>() -> Group<S> {
    let scalars = vec![
        counter(
            "snmpUnknownSecurityModels",
            &[1],
            "Messages of another security model than USM.",
            |s: &S| Some(Value::Counter32(s.own().counters.unknown_security_models)),
        ),
        counter(
            "snmpInvalidMsgs",
            &[2],
            "Messages whose flags contradict each other.",
            |s: &S| Some(Value::Counter32(s.own().counters.invalid_msgs)),
        ),
        counter(
            "snmpUnknownPDUHandlers",
            &[3],
            "PDUs that are not for an agent, or not for this one.",
            |s: &S| Some(Value::Counter32(s.own().counters.unknown_pdu_handlers)),
        ),
    ];
    group(Oid::from([1, 3, 6, 1, 6, 3, 11, 2, 1]), scalars, Vec::new())
}

fn contexts_unknown<S: Managed>() -> Group<S> {
    let scalars = vec![
        counter(
            "snmpUnavailableContexts",
            &[4],
            "Requests about a context that is not available: none.",
            |_: &S| Some(Value::Counter32(0)),
        ),
        counter(
            "snmpUnknownContexts",
            &[5],
            "Requests about a context that there is not.",
            |s: &S| Some(Value::Counter32(s.own().counters.unknown_contexts)),
        ),
    ];
    group(Oid::from([1, 3, 6, 1, 6, 3, 12, 1]), scalars, Vec::new())
}

fn usm_stats<S: Managed>() -> Group<S> {
    fn of<S: Managed>(fault: Fault) -> impl Fn(&S) -> Option<Value> {
        move |s| Some(Value::Counter32(s.own().counters.usm[fault as usize]))
    }
    let scalars = vec![
        counter(
            "usmStatsUnsupportedSecLevels",
            &[1],
            "Messages at a level that their user has no keys for.",
            |s: &S| of(Fault::UnsupportedLevel)(s),
        ),
        counter(
            "usmStatsNotInTimeWindows",
            &[2],
            "Messages that were not timely.",
            |s: &S| of(Fault::NotInTimeWindow)(s),
        ),
        counter(
            "usmStatsUnknownUserNames",
            &[3],
            "Messages of users that there are not.",
            |s: &S| of(Fault::UnknownUser)(s),
        ),
        counter(
            "usmStatsUnknownEngineIDs",
            &[4],
            "Messages for another engine, and questions for this one's id.",
            |s: &S| of(Fault::UnknownEngine)(s),
        ),
        counter(
            "usmStatsWrongDigests",
            &[5],
            "Messages with a wrong MAC.",
            |s: &S| of(Fault::WrongDigest)(s),
        ),
        counter(
            "usmStatsDecryptionErrors",
            &[6],
            "Messages that can't be decrypted.",
            |s: &S| of(Fault::Decryption)(s),
        ),
    ];
    group(Oid::from([1, 3, 6, 1, 6, 3, 15, 1, 1]), scalars, Vec::new())
}

fn contexts<S: Managed>() -> Group<S> {
    let table = Table {
        name: "vacmContextTable",
        entry: "vacmContextEntry",
        arcs: &[1],
        index: &["vacmContextName"],
        help: "Contexts: the default one, which has no name.",
        rows: |_: &S| {
            vec![Row {
                index: Index::default().octets(b""),
                key: 0,
            }]
        },
        columns: vec![Column {
            name: "vacmContextName",
            arc: 1,
            syntax: Syntax::SnmpAdminString,
            help: "Its name.",
            value: Some(|_: &S, _| Some(Value::text(""))),
        }],
    };
    group(
        Oid::from([1, 3, 6, 1, 6, 3, 16, 1, 1]),
        Vec::new(),
        vec![table],
    )
}
