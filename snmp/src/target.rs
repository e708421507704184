//! Targets: how a receiver of notifications is spoken to, and what it says to informs.
//!
//! ```text
//!   trap ----------------------------------------------> octets
//!   inform -> is its engine known? --no--> a question for it --report--> learned: send the inform again
//!                                  --yes-> octets --report, not in its time window--> learned: again
//!                                                 --response--> acknowledged
//! ```
//!
//! When to send, to repeat and to give up is decided elsewhere. A request id is the msgID of SNMPv3 too.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use licensing::time::Mono;

use crate::message::{
    CommunityMessage, EncodeError, Kind, MESSAGE_MAX_BYTES, Notification, Pdu, Scoped, Status,
    V3Message, Version, v1_trap, version_of,
};
use crate::usm::{EngineId, Fault, KeyError, Keys, Level, Local, Remote, Report, User, seal};
use crate::{Community, Oid};

/// How many informs of one target may be waiting for an answer; of more the oldest are forgotten.
pub const ASKED_MAX: usize = 1024;

/// How a receiver is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// SNMPv1: traps only.
    V1 {
        /// What the receiver knows us by.
        community: Community,
        /// The address that its traps say that they come from.
        agent: Ipv4Addr,
    },
    /// SNMPv2c.
    V2c {
        /// What the receiver knows us by.
        community: Community,
    },
    /// SNMPv3 with USM.
    V3 {
        /// Whom the receiver knows us as.
        user: User,
        /// No higher than the user's secrets reach.
        level: Level,
    },
}

/// A receiver of notifications.
#[derive(Debug)]
pub struct Target {
    way: Way,
}

#[derive(Debug)]
enum Way {
    V1(Community, Ipv4Addr),
    V2c(Community),
    V3(Box<Secured>),
}

#[derive(Debug)]
struct Secured {
    name: Vec<u8>,
    level: Level,
    /// With this engine, for traps; none if the user has keys for another engine only.
    keys: Result<Keys, KeyError>,
    /// For informs.
    remote: Remote,
    /// Their ids, as long as no answer came.
    asked: VecDeque<i32>,
}

/// What is to be sent for an inform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// The inform.
    Inform(Vec<u8>),
    /// The question for the receiver's engine, without which there can be no inform.
    Question(Vec<u8>),
}

/// What a datagram from the receiver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The inform with this request id has arrived.
    Acknowledged(i32),
    /// It has, but the receiver could not do anything with it.
    Failed(i32, Status),
    /// The receiver's engine or time is known now: the inform with this request id goes again at once. Whoever sends it
    /// bounds how often, so that two engines of one address don't keep it busy.
    Learned(i32),
    /// The receiver says by the name of a counter that it can't read our messages; nobody may vouch for that. The inform is
    /// sent again in its time.
    Refused(i32, Oid),
    /// Not an answer to an inform of this target's, or not from who it says.
    Ignored(Ignored),
}

/// Why a datagram says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Not SNMP, of another version, or not an answer.
    Malformed,
    /// Another community.
    Community,
    /// No question of ours has its id: nothing in it is believed.
    Unasked,
    /// What USM has against it.
    Fault(Fault),
}

impl Target {
    /// A target whose engine, if it should need one, is not known yet. `local` is the id of this engine.
    pub fn new(security: Security, local: &EngineId) -> Self {
        let way = match security {
            Security::V1 { community, agent } => Way::V1(community, agent),
            Security::V2c { community } => Way::V2c(community),
            Security::V3 { user, level } => Way::V3(Box::new(Secured {
                name: user.name.clone().into_bytes(),
                level: level.min(user.level()),
                keys: user.keys(local),
                remote: Remote::new(user, level),
                asked: VecDeque::new(),
            })),
        };
        Self { way }
    }

    /// Octets of a trap.
    pub fn trap(
        &self,
        local: &mut Local,
        now: Mono,
        request_id: i32,
        notification: &Notification,
    ) -> Result<Vec<u8>, EncodeError> {
        let secured = match &self.way {
            Way::V1(community, agent) => {
                return bounded(v1_trap(community.octets(), *agent, notification)?);
            }
            Way::V2c(community) => {
                return v2c(community, notification.pdu(request_id, false));
            }
            Way::V3(secured) => secured,
        };
        let keys = secured.keys.as_ref().map_err(unencodable)?;
        let around = crate::usm::Sealed {
            id: request_id & i32::MAX,
            reportable: false,
            level: secured.level,
            engine_id: local.id().octets().to_vec(),
            boots: local.boots(),
            time: local.time(now),
            user: secured.name.clone(),
            salt: local.salt(),
        };
        seal(
            around,
            keys,
            scoped(local, notification.pdu(request_id, false)),
        )
    }

    /// Octets of an inform, or of what has to be known before. `request_id` is not negative.
    pub fn inform(
        &mut self,
        local: &mut Local,
        now: Mono,
        request_id: i32,
        notification: &Notification,
    ) -> Result<Outbound, EncodeError> {
        let pdu = notification.pdu(request_id, true);
        let secured = match &mut self.way {
            Way::V1(..) => return Err(EncodeError::NotInV1),
            Way::V2c(community) => return v2c(community, pdu).map(Outbound::Inform),
            Way::V3(secured) => secured,
        };
        let id = request_id & i32::MAX;
        secured.ask(id);
        let salt = local.salt();
        if let Some((around, keys)) = secured.remote.sealed(id, salt, now) {
            return seal(around, keys, scoped(local, pdu)).map(Outbound::Inform);
        }
        let (around, nobody, scoped) = Remote::question(id);
        seal(around, &nobody, scoped).map(Outbound::Question)
    }

    /// The engine of the receiver, once an inform has found it.
    pub fn engine(&self) -> Option<&EngineId> {
        match &self.way {
            Way::V1(..) | Way::V2c(_) => None,
            Way::V3(secured) => secured.remote.engine(),
        }
    }

    /// Takes a datagram that came from the receiver's address.
    pub fn handle_datagram(&mut self, now: Mono, bytes: &[u8]) -> Heard {
        let heard = match &mut self.way {
            Way::V1(..) => Err(Ignored::Malformed),
            Way::V2c(community) => heard_v2c(community, bytes),
            Way::V3(secured) => secured.heard(now, bytes),
        };
        heard.unwrap_or_else(Heard::Ignored)
    }
}

impl Secured {
    fn ask(&mut self, id: i32) {
        self.asked.retain(|asked| *asked != id);
        if self.asked.len() == ASKED_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(id);
    }

    fn heard(&mut self, now: Mono, bytes: &[u8]) -> Result<Heard, Ignored> {
        if version_of(bytes) != Ok(Version::V3) {
            return Err(Ignored::Malformed);
        }
        let message = V3Message::decode(bytes).map_err(|_| Ignored::Malformed)?;
        if !message.header.is_usm() {
            return Err(Ignored::Malformed);
        }
        let id = message.header.id;
        if !self.asked.contains(&id) {
            return Err(Ignored::Unasked);
        }
        let report = self.remote.handle(now, bytes, &message);
        match report.map_err(Ignored::Fault)? {
            Report::Learned => Ok(Heard::Learned(id)),
            Report::Refused(name) => Ok(Heard::Refused(id, name)),
            Report::Answer(pdu) if pdu.request_id & i32::MAX == id => {
                self.asked.retain(|asked| *asked != id);
                answer(&pdu)
            }
            Report::Answer(_) => Err(Ignored::Malformed),
        }
    }
}

fn heard_v2c(community: &Community, bytes: &[u8]) -> Result<Heard, Ignored> {
    if version_of(bytes) != Ok(Version::V2c) {
        return Err(Ignored::Malformed);
    }
    let message = CommunityMessage::decode_v2c(bytes).map_err(|_| Ignored::Malformed)?;
    if !community.is(&message.community) {
        return Err(Ignored::Community);
    }
    answer(&message.pdu)
}

fn answer(pdu: &Pdu) -> Result<Heard, Ignored> {
    let Kind::Response { status, .. } = pdu.kind else {
        return Err(Ignored::Malformed);
    };
    Ok(match status {
        Status::NO_ERROR => Heard::Acknowledged(pdu.request_id),
        status => Heard::Failed(pdu.request_id, status),
    })
}

fn v2c(community: &Community, pdu: Pdu) -> Result<Vec<u8>, EncodeError> {
    let message = CommunityMessage {
        is_v1: false,
        community: community.octets().to_vec(),
        pdu,
    };
    bounded(message.encode()?)
}

/// Notifications are of our own default context.
fn scoped(local: &Local, pdu: Pdu) -> Scoped {
    Scoped {
        engine_id: local.id().octets().to_vec(),
        context: Vec::new(),
        pdu,
    }
}

fn bounded(bytes: Vec<u8>) -> Result<Vec<u8>, EncodeError> {
    if bytes.len() > MESSAGE_MAX_BYTES {
        return Err(EncodeError::TooLong {
            bytes: bytes.len(),
            max: MESSAGE_MAX_BYTES,
        });
    }
    Ok(bytes)
}

fn unencodable(error: &KeyError) -> EncodeError {
    EncodeError::Unencodable(error.to_string())
}
