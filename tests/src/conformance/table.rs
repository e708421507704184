//! The elements of each message that is taken, as the tables of TS 29.274 7.1 and 7.2 have them.

use anyhow::Result;
use gtp::v2::{IeType, MessageType};

use super::run::{self, Faced, Prepared};
use crate::message::Interface;
use crate::planes::Planes;

/// Where an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the message.
    Message,
    /// In the first bearer context of this instance.
    Bearer(u8),
}

/// How the specification wants an element, in the message at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// M.
    Mandatory,
    /// C, and its condition is met: without it the request can't be served.
    Conditional,
    /// C, and what it would tell is told otherwise, or did not change: without it the request can be served.
    Told,
    /// O or CO, or in a message whose one meaning is in another element.
    Optional,
}

/// One element of a message.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Where it is.
    pub place: Place,
    /// Its type.
    pub kind: IeType,
    /// Its instance.
    pub instance: u8,
    /// How it is wanted.
    pub presence: Presence,
    /// Values that it may not have.
    pub malformed: &'static [&'static [u8]],
}

/// One message on one interface.
pub struct Procedure {
    /// The message.
    pub name: &'static str,
    /// Its type.
    pub kind: MessageType,
    /// Where it comes from.
    pub interface: Interface,
    /// What it is to us.
    pub(super) faced: Faced,
    /// Its tables in TS 29.274.
    pub source: &'static str,
    /// Its elements.
    pub rows: &'static [Row],
    /// Prepares a node, and a message of this kind in which every element of the table is right.
    pub(super) prepare: fn(&mut Planes, Interface) -> Result<Prepared>,
}

const fn m(kind: IeType, malformed: &'static [&'static [u8]]) -> Row {
    Row {
        place: Place::Message,
        kind,
        instance: 0,
        presence: Presence::Mandatory,
        malformed,
    }
}

const fn c(kind: IeType, malformed: &'static [&'static [u8]]) -> Row {
    Row {
        presence: Presence::Conditional,
        ..m(kind, malformed)
    }
}

const fn told(kind: IeType, malformed: &'static [&'static [u8]]) -> Row {
    Row {
        presence: Presence::Told,
        ..m(kind, malformed)
    }
}

const fn optional(kind: IeType, malformed: &'static [&'static [u8]]) -> Row {
    Row {
        presence: Presence::Optional,
        ..m(kind, malformed)
    }
}

impl Row {
    const fn instance(self, instance: u8) -> Self {
        Self { instance, ..self }
    }

    const fn bearer(self, instance: u8) -> Self {
        Self {
            place: Place::Bearer(instance),
            ..self
        }
    }
}

/// No value at all.
const EMPTY: &[&[u8]] = &[&[]];
/// No digits.
const IMSI: &[&[u8]] = &[&[], &[0xAA; 8], &[0x42, 0x00], &[0x42; 9]];
/// A label that runs over the end.
const APN: &[&[u8]] = &[&[], &[9, b'a']];
/// An element that runs over the end.
const CONTEXT: &[&[u8]] = &[&[73, 0, 9], &[73]];
/// One octet too few.
const QOS: &[&[u8]] = &[&[], &[9; 21]];
/// Without an address, and with half of one.
const FTEID: &[&[u8]] = &[
    &[],
    &[0x06, 0, 0, 0, 1],
    &[0x86, 0, 0, 0, 1, 192, 0],
    &[0x46, 0, 0, 0, 1, 192, 0, 2, 1],
];
/// Of no type, and with half an address.
const PAA: &[&[u8]] = &[&[], &[7], &[1, 10, 0]];
/// A cause without its bits, and with half an element behind.
const CAUSE: &[&[u8]] = &[&[], &[16], &[16, 0, 73]];

/// What of a Create Session Request is the same on every interface.
const fn create(user: u8, pgw: Presence, user_plane: Presence) -> [Row; 10] {
    [
        c(IeType::IMSI, IMSI),
        m(IeType::RAT_TYPE, EMPTY),
        m(IeType::F_TEID, FTEID),
        Row {
            presence: pgw,
            ..m(IeType::F_TEID, FTEID).instance(1)
        },
        m(IeType::APN, APN),
        c(IeType::PAA, PAA),
        m(IeType::BEARER_CONTEXT, CONTEXT),
        m(IeType::EBI, EMPTY).bearer(0),
        m(IeType::BEARER_QOS, QOS).bearer(0),
        Row {
            presence: user_plane,
            ..m(IeType::F_TEID, FTEID).instance(user).bearer(0)
        },
    ]
}

const CONDITIONAL: Presence = Presence::Conditional;
const CREATE: &str = "tables 7.2.1-1, 7.2.1-2";
const MODIFY: &str = "tables 7.2.7-1, 7.2.7-2, 7.2.7-3";
const DELETE: &str = "table 7.2.9.1-1";

/// The address of the PGW is for an SGW to know; to us it comes as an element that we need not look at.
const CREATE_S5: [Row; 10] = create(2, Presence::Optional, CONDITIONAL);
const CREATE_S2A: [Row; 10] = create(6, Presence::Optional, CONDITIONAL);
const CREATE_S2B: [Row; 10] = create(5, Presence::Optional, CONDITIONAL);
/// The eNodeB's endpoint comes with this message in a hand-over only, and so do bearers to be removed, which are not ours
/// yet.
const CREATE_S11: [Row; 12] = {
    let [a, b, c, d, e, f, g, h, i, j] = create(0, CONDITIONAL, Presence::Told);
    let removed = optional(IeType::BEARER_CONTEXT, CONTEXT).instance(1);
    let number = optional(IeType::EBI, EMPTY).bearer(1);
    [a, b, c, d, e, f, g, h, i, j, removed, number]
};

/// The whole table.
pub static TABLE: &[Procedure] = &[
    Procedure {
        name: "Echo Request",
        kind: MessageType::ECHO_REQUEST,
        interface: Interface::S5,
        faced: Faced::Echo,
        source: "table 7.1.1-1",
        rows: &[
            m(IeType::RECOVERY, EMPTY),
            optional(IeType::NODE_FEATURES, EMPTY),
        ],
        prepare: run::echo_request,
    },
    Procedure {
        name: "Echo Response",
        kind: MessageType::ECHO_RESPONSE,
        interface: Interface::S5,
        faced: Faced::EchoAnswer,
        source: "table 7.1.2-1",
        rows: &[
            m(IeType::RECOVERY, EMPTY),
            optional(IeType::NODE_FEATURES, EMPTY),
        ],
        prepare: run::echo_response,
    },
    create_session(Interface::S5, &CREATE_S5),
    create_session(Interface::S2a, &CREATE_S2A),
    create_session(Interface::S2b, &CREATE_S2B),
    create_session(Interface::S11, &CREATE_S11),
    Procedure {
        name: "Modify Bearer Request",
        kind: MessageType::MODIFY_BEARER_REQUEST,
        interface: Interface::S5,
        faced: Faced::Request,
        source: MODIFY,
        rows: &[
            told(IeType::F_TEID, FTEID),
            told(IeType::BEARER_CONTEXT, CONTEXT),
            m(IeType::EBI, EMPTY).bearer(0),
            told(IeType::F_TEID, FTEID).instance(1).bearer(0),
            optional(IeType::RAT_TYPE, EMPTY),
        ],
        prepare: run::modify_bearer,
    },
    Procedure {
        name: "Modify Bearer Request",
        kind: MessageType::MODIFY_BEARER_REQUEST,
        interface: Interface::S2b,
        faced: Faced::Request,
        source: MODIFY,
        rows: &[optional(IeType::IP_ADDRESS, EMPTY).instance(1)],
        prepare: run::modify_tunnel,
    },
    Procedure {
        name: "Modify Bearer Request",
        kind: MessageType::MODIFY_BEARER_REQUEST,
        interface: Interface::S11,
        faced: Faced::Request,
        source: MODIFY,
        rows: &[
            told(IeType::F_TEID, FTEID),
            told(IeType::BEARER_CONTEXT, CONTEXT),
            m(IeType::EBI, EMPTY).bearer(0),
            told(IeType::F_TEID, FTEID).bearer(0),
            told(IeType::BEARER_CONTEXT, CONTEXT).instance(1),
            m(IeType::EBI, EMPTY).bearer(1),
            optional(IeType::RAT_TYPE, EMPTY),
        ],
        prepare: run::modify_access_bearers,
    },
    delete_session(Interface::S5, &[told(IeType::EBI, EMPTY)]),
    delete_session(Interface::S2a, &[told(IeType::EBI, EMPTY)]),
    delete_session(Interface::S2b, &[told(IeType::EBI, EMPTY)]),
    // The endpoint is that of all PDN connections of the UE.
    delete_session(Interface::S11, &[c(IeType::EBI, EMPTY)]),
    Procedure {
        name: "Release Access Bearers Request",
        kind: MessageType::RELEASE_ACCESS_BEARERS_REQUEST,
        interface: Interface::S11,
        faced: Faced::Request,
        source: "table 7.2.21-1",
        rows: &[
            optional(IeType::NODE_TYPE, EMPTY),
            optional(IeType::INDICATION, EMPTY),
        ],
        prepare: run::release_access_bearers,
    },
    notice(
        "Change Notification Request",
        MessageType::CHANGE_NOTIFICATION_REQUEST,
        "table 7.3.14-1",
        &[
            m(IeType::RAT_TYPE, EMPTY),
            told(IeType::IMSI, IMSI),
            optional(IeType::EBI, EMPTY),
        ],
    ),
    notice(
        "Suspend Notification",
        MessageType::SUSPEND_NOTIFICATION,
        "table 7.4.1-1",
        &[optional(IeType::IMSI, IMSI), optional(IeType::EBI, EMPTY)],
    ),
    notice(
        "Resume Notification",
        MessageType::RESUME_NOTIFICATION,
        "table 7.4.3-1",
        &[m(IeType::IMSI, IMSI), optional(IeType::EBI, EMPTY)],
    ),
    delete_bearer(Interface::S5),
    delete_bearer(Interface::S2a),
    delete_bearer(Interface::S2b),
    delete_bearer(Interface::S11),
    // An SGW between an MME and a PGW of another's.
    Procedure {
        name: "Create Session Request, passed on",
        prepare: run::create_through,
        ..create_session(Interface::S11, &CREATE_S11)
    },
    Procedure {
        name: "Create Session Response of the PGW",
        kind: MessageType::CREATE_SESSION_RESPONSE,
        interface: Interface::S5,
        faced: Faced::Relayed,
        source: "tables 7.2.2-1, 7.2.2-2",
        rows: &[
            m(IeType::CAUSE, CAUSE),
            c(IeType::F_TEID, FTEID).instance(1),
            c(IeType::PAA, PAA),
            m(IeType::BEARER_CONTEXT, CONTEXT),
            m(IeType::EBI, EMPTY).bearer(0),
            m(IeType::CAUSE, CAUSE).bearer(0),
            c(IeType::F_TEID, FTEID).instance(2).bearer(0),
            optional(IeType::BEARER_CONTEXT, CONTEXT).instance(1),
            optional(IeType::EBI, EMPTY).bearer(1),
            optional(IeType::CAUSE, CAUSE).bearer(1),
            optional(IeType::RECOVERY, EMPTY),
        ],
        prepare: run::created_by_pgw,
    },
    Procedure {
        name: "Modify Bearer Request, passed on",
        kind: MessageType::MODIFY_BEARER_REQUEST,
        interface: Interface::S11,
        faced: Faced::Request,
        source: MODIFY,
        rows: &[
            told(IeType::F_TEID, FTEID),
            told(IeType::BEARER_CONTEXT, CONTEXT),
            m(IeType::EBI, EMPTY).bearer(0),
            told(IeType::F_TEID, FTEID).bearer(0),
            optional(IeType::RAT_TYPE, EMPTY),
        ],
        prepare: run::modify_through,
    },
    Procedure {
        name: "Modify Bearer Response of the PGW",
        kind: MessageType::MODIFY_BEARER_RESPONSE,
        interface: Interface::S5,
        faced: Faced::Relayed,
        source: "tables 7.2.8-1, 7.2.8-2",
        rows: &[
            m(IeType::CAUSE, CAUSE),
            // The bearers are the SGW's to tell of.
            optional(IeType::BEARER_CONTEXT, CONTEXT),
            optional(IeType::EBI, EMPTY).bearer(0),
            optional(IeType::CAUSE, CAUSE).bearer(0),
            optional(IeType::BEARER_CONTEXT, CONTEXT).instance(1),
            optional(IeType::EBI, EMPTY).bearer(1),
            optional(IeType::CAUSE, CAUSE).bearer(1),
        ],
        prepare: run::modified_by_pgw,
    },
    Procedure {
        name: "Delete Session Request, passed on",
        prepare: run::delete_through,
        ..delete_session(Interface::S11, &[c(IeType::EBI, EMPTY)])
    },
    Procedure {
        name: "Delete Session Response of the PGW",
        kind: MessageType::DELETE_SESSION_RESPONSE,
        interface: Interface::S5,
        faced: Faced::Relayed,
        source: "table 7.2.10.1-1",
        rows: &[m(IeType::CAUSE, CAUSE), optional(IeType::RECOVERY, EMPTY)],
        prepare: run::deleted_by_pgw,
    },
    Procedure {
        name: "Delete Bearer Request of the PGW",
        kind: MessageType::DELETE_BEARER_REQUEST,
        interface: Interface::S5,
        faced: Faced::Request,
        source: "tables 7.2.9.2-1, 7.2.9.2-2",
        rows: &[
            c(IeType::EBI, EMPTY),
            optional(IeType::BEARER_CONTEXT, CONTEXT),
            optional(IeType::EBI, EMPTY).bearer(0),
            optional(IeType::CAUSE, CAUSE).bearer(0),
        ],
        prepare: run::delete_bearer_by_pgw,
    },
    Procedure {
        name: "Delete Bearer Response, passed on",
        prepare: run::deleted_by_mme,
        ..delete_bearer(Interface::S11)
    },
];

const fn create_session(interface: Interface, rows: &'static [Row]) -> Procedure {
    Procedure {
        name: "Create Session Request",
        kind: MessageType::CREATE_SESSION_REQUEST,
        interface,
        faced: Faced::Request,
        source: CREATE,
        rows,
        prepare: run::create_session,
    }
}

const fn delete_session(interface: Interface, rows: &'static [Row]) -> Procedure {
    Procedure {
        name: "Delete Session Request",
        kind: MessageType::DELETE_SESSION_REQUEST,
        interface,
        faced: Faced::Request,
        source: DELETE,
        rows,
        prepare: run::delete_session,
    }
}

const fn notice(
    name: &'static str,
    kind: MessageType,
    source: &'static str,
    rows: &'static [Row],
) -> Procedure {
    Procedure {
        name,
        kind,
        interface: Interface::S11,
        faced: Faced::Request,
        source,
        rows,
        prepare: match kind {
            MessageType::CHANGE_NOTIFICATION_REQUEST => run::change_notification,
            MessageType::SUSPEND_NOTIFICATION => run::suspend_notification,
            _ => run::resume_notification,
        },
    }
}

/// What the answer says of single bearers makes no difference: the PDN connection is gone with it.
static DELETE_BEARER: [Row; 5] = [
    m(IeType::CAUSE, CAUSE),
    optional(IeType::EBI, EMPTY),
    optional(IeType::BEARER_CONTEXT, CONTEXT),
    optional(IeType::EBI, EMPTY).bearer(0),
    optional(IeType::CAUSE, CAUSE).bearer(0),
];

const fn delete_bearer(interface: Interface) -> Procedure {
    Procedure {
        name: "Delete Bearer Response",
        kind: MessageType::DELETE_BEARER_RESPONSE,
        interface,
        faced: Faced::Ending,
        source: "tables 7.2.10.2-1, 7.2.10.2-2",
        rows: &DELETE_BEARER,
        prepare: run::delete_bearer,
    }
}
