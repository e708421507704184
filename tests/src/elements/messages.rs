//! Message by message: the elements that a message may have, and messages at random.

use anyhow::Result;
use gtp::v2::{IeType, MessageType};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

use super::values::row;

/// One element of a message or of a group.
struct Slot {
    kind: IeType,
    instance: u8,
    least: u8,
    most: u8,
    /// Its own elements, if it is a group.
    inner: &'static [Slot],
}

const fn must(kind: IeType) -> Slot {
    Slot {
        kind,
        instance: 0,
        least: 1,
        most: 1,
        inner: &[],
    }
}

const fn may(kind: IeType, instance: u8) -> Slot {
    Slot {
        instance,
        least: 0,
        ..must(kind)
    }
}

/// Several of one type and instance.
const fn list(kind: IeType, instance: u8) -> Slot {
    Slot {
        most: 4,
        ..may(kind, instance)
    }
}

const fn bearers(instance: u8, least: u8, inner: &'static [Slot]) -> Slot {
    Slot {
        kind: IeType::BEARER_CONTEXT,
        instance,
        least,
        most: 3,
        inner,
    }
}

/// A message: its type, and its elements in the order of its table. The names are those of the tables of TS 29.274 7.1
/// and 7.2; what the planes neither read nor send is there where another codec knows it too.
struct Kind {
    kind: MessageType,
    slots: &'static [Slot],
}

const BEARER_AND_CAUSE: &[Slot] = &[must(IeType::EBI), must(IeType::CAUSE)];

static KINDS: [Kind; 15] = [
    Kind {
        kind: MessageType::ECHO_REQUEST,
        slots: &[must(IeType::RECOVERY), may(IeType::NODE_FEATURES, 0)],
    },
    Kind {
        kind: MessageType::ECHO_RESPONSE,
        slots: &[must(IeType::RECOVERY), may(IeType::NODE_FEATURES, 0)],
    },
    Kind {
        kind: MessageType::VERSION_NOT_SUPPORTED,
        slots: &[],
    },
    Kind {
        kind: MessageType::CREATE_SESSION_REQUEST,
        slots: &[
            may(IeType::IMSI, 0),
            may(IeType::MSISDN, 0),
            may(IeType::MEI, 0),
            may(IeType::ULI, 0),
            may(IeType::SERVING_NETWORK, 0),
            must(IeType::RAT_TYPE),
            may(IeType::INDICATION, 0),
            must(IeType::F_TEID),
            may(IeType::F_TEID, 1),
            must(IeType::APN),
            may(IeType::SELECTION_MODE, 0),
            may(IeType::PDN_TYPE, 0),
            may(IeType::PAA, 0),
            may(IeType::APN_RESTRICTION, 0),
            may(IeType::AMBR, 0),
            may(IeType::EBI, 0),
            may(IeType::PCO, 0),
            bearers(
                0,
                1,
                &[
                    must(IeType::EBI),
                    may(IeType::BEARER_TFT, 0),
                    may(IeType::F_TEID, 0),
                    may(IeType::F_TEID, 1),
                    may(IeType::F_TEID, 2),
                    may(IeType::F_TEID, 3),
                    may(IeType::F_TEID, 4),
                    may(IeType::F_TEID, 5),
                    may(IeType::F_TEID, 6),
                    must(IeType::BEARER_QOS),
                    may(IeType::F_TEID, 7),
                ],
            ),
            bearers(1, 0, &[must(IeType::EBI), may(IeType::F_TEID, 0)]),
            may(IeType::RECOVERY, 0),
            may(IeType::FQ_CSID, 0),
            may(IeType::FQ_CSID, 1),
            may(IeType::UE_TIME_ZONE, 0),
            may(IeType::CHARGING_CHARACTERISTICS, 0),
            may(IeType::SIGNALLING_PRIORITY_INDICATION, 0),
            may(IeType::IP_ADDRESS, 0),
            may(IeType::PORT_NUMBER, 0),
            may(IeType::PRIVATE_EXTENSION, 0),
        ],
    },
    Kind {
        kind: MessageType::CREATE_SESSION_RESPONSE,
        slots: &[
            must(IeType::CAUSE),
            may(IeType::F_TEID, 0),
            may(IeType::F_TEID, 1),
            may(IeType::PAA, 0),
            may(IeType::APN_RESTRICTION, 0),
            may(IeType::AMBR, 0),
            may(IeType::EBI, 0),
            may(IeType::PCO, 0),
            bearers(
                0,
                1,
                &[
                    must(IeType::EBI),
                    must(IeType::CAUSE),
                    may(IeType::F_TEID, 0),
                    may(IeType::F_TEID, 1),
                    may(IeType::F_TEID, 2),
                    may(IeType::F_TEID, 3),
                    may(IeType::F_TEID, 4),
                    may(IeType::F_TEID, 5),
                    may(IeType::F_TEID, 6),
                    may(IeType::BEARER_QOS, 0),
                    may(IeType::CHARGING_ID, 0),
                ],
            ),
            bearers(1, 0, BEARER_AND_CAUSE),
            may(IeType::RECOVERY, 0),
            may(IeType::FQ_CSID, 0),
            may(IeType::EPC_TIMER, 0),
            may(IeType::INDICATION, 0),
            may(IeType::PRIVATE_EXTENSION, 0),
        ],
    },
    Kind {
        kind: MessageType::MODIFY_BEARER_REQUEST,
        slots: &[
            may(IeType::MEI, 0),
            may(IeType::ULI, 0),
            may(IeType::SERVING_NETWORK, 0),
            may(IeType::RAT_TYPE, 0),
            may(IeType::INDICATION, 0),
            may(IeType::F_TEID, 0),
            may(IeType::AMBR, 0),
            may(IeType::DELAY_VALUE, 0),
            bearers(
                0,
                0,
                &[
                    must(IeType::EBI),
                    may(IeType::F_TEID, 0),
                    may(IeType::F_TEID, 1),
                    may(IeType::F_TEID, 2),
                    may(IeType::F_TEID, 3),
                ],
            ),
            bearers(1, 0, &[must(IeType::EBI)]),
            may(IeType::RECOVERY, 0),
            may(IeType::UE_TIME_ZONE, 0),
            may(IeType::IMSI, 0),
        ],
    },
    Kind {
        kind: MessageType::MODIFY_BEARER_RESPONSE,
        slots: &[
            must(IeType::CAUSE),
            may(IeType::MSISDN, 0),
            may(IeType::EBI, 0),
            may(IeType::APN_RESTRICTION, 0),
            may(IeType::PCO, 0),
            bearers(
                0,
                0,
                &[
                    must(IeType::EBI),
                    must(IeType::CAUSE),
                    may(IeType::F_TEID, 0),
                    may(IeType::CHARGING_ID, 0),
                ],
            ),
            bearers(1, 0, BEARER_AND_CAUSE),
            may(IeType::RECOVERY, 0),
            may(IeType::INDICATION, 0),
        ],
    },
    Kind {
        kind: MessageType::DELETE_SESSION_REQUEST,
        slots: &[
            may(IeType::CAUSE, 0),
            may(IeType::EBI, 0),
            may(IeType::ULI, 0),
            may(IeType::INDICATION, 0),
            may(IeType::PCO, 0),
            may(IeType::NODE_TYPE, 0),
            may(IeType::F_TEID, 0),
            may(IeType::UE_TIME_ZONE, 0),
        ],
    },
    Kind {
        kind: MessageType::DELETE_SESSION_RESPONSE,
        slots: &[
            must(IeType::CAUSE),
            may(IeType::RECOVERY, 0),
            may(IeType::PCO, 0),
            may(IeType::INDICATION, 0),
        ],
    },
    Kind {
        kind: MessageType::CREATE_BEARER_REQUEST,
        slots: &[
            may(IeType::PTI, 0),
            must(IeType::EBI),
            may(IeType::PCO, 0),
            bearers(
                0,
                1,
                &[
                    must(IeType::EBI),
                    must(IeType::BEARER_TFT),
                    may(IeType::F_TEID, 1),
                    must(IeType::BEARER_QOS),
                    may(IeType::CHARGING_ID, 0),
                ],
            ),
            // In no table of this message: an element is read wherever it comes.
            may(IeType::FLOW_QOS, 0),
            may(IeType::ARP, 0),
        ],
    },
    Kind {
        kind: MessageType::DELETE_BEARER_REQUEST,
        slots: &[
            may(IeType::EBI, 0),
            list(IeType::EBI, 1),
            bearers(0, 0, BEARER_AND_CAUSE),
            may(IeType::PTI, 0),
            may(IeType::CAUSE, 0),
            may(IeType::INDICATION, 0),
        ],
    },
    Kind {
        kind: MessageType::DELETE_BEARER_RESPONSE,
        slots: &[
            must(IeType::CAUSE),
            may(IeType::EBI, 0),
            bearers(0, 0, BEARER_AND_CAUSE),
            may(IeType::RECOVERY, 0),
            may(IeType::ULI, 0),
            may(IeType::UE_TIME_ZONE, 0),
        ],
    },
    Kind {
        kind: MessageType::RELEASE_ACCESS_BEARERS_REQUEST,
        slots: &[
            list(IeType::EBI, 0),
            may(IeType::NODE_TYPE, 0),
            may(IeType::INDICATION, 0),
        ],
    },
    Kind {
        kind: MessageType::RELEASE_ACCESS_BEARERS_RESPONSE,
        slots: &[
            must(IeType::CAUSE),
            may(IeType::RECOVERY, 0),
            may(IeType::INDICATION, 0),
        ],
    },
    Kind {
        kind: MessageType::MODIFY_ACCESS_BEARERS_REQUEST,
        slots: &[
            may(IeType::INDICATION, 0),
            may(IeType::F_TEID, 0),
            may(IeType::DELAY_VALUE, 0),
            bearers(0, 0, &[must(IeType::EBI), may(IeType::F_TEID, 0)]),
            bearers(1, 0, &[must(IeType::EBI)]),
            may(IeType::RECOVERY, 0),
        ],
    },
];

/// A datagram at random: a message of any kind, its elements in any order, or a Create Session Response with a Create
/// Bearer Request piggybacked (TS 29.274 5.5.1).
pub fn random(random: &mut StdRng) -> Result<Vec<Value>> {
    let at = random.random_range(0..KINDS.len());
    let mut messages = vec![message(random, &KINDS[at])?];
    let behind = KINDS
        .iter()
        .find(|kind| kind.kind == MessageType::CREATE_BEARER_REQUEST);
    if KINDS[at].kind == MessageType::CREATE_SESSION_RESPONSE
        && random.random_bool(0.3)
        && let Some(behind) = behind
    {
        messages[0]["piggyback"] = true.into();
        messages.push(message(random, behind)?);
    }
    Ok(messages)
}

fn message(random: &mut StdRng, of: &Kind) -> Result<Value> {
    let has_teid = !matches!(
        of.kind,
        MessageType::ECHO_REQUEST | MessageType::ECHO_RESPONSE | MessageType::VERSION_NOT_SUPPORTED
    );
    let priority = (has_teid && random.random_bool(0.2)).then(|| random.random_range(0..16));
    Ok(json!({
        "type": of.kind.0,
        "teid": has_teid.then(|| random.random::<u32>()),
        "seq": random.random_range(0..1 << 24),
        "priority": priority,
        "piggyback": false,
        "elements": elements(random, of.slots)?,
    }))
}

fn elements(random: &mut StdRng, slots: &[Slot]) -> Result<Vec<Value>> {
    let mut elements = Vec::new();
    for slot in slots {
        let count = match slot.least {
            0 if random.random_bool(0.6) => 0,
            least => random.random_range(least..=slot.most),
        };
        for _ in 0..count {
            let value = match slot.inner.is_empty() {
                true => (row(slot.kind)?.random)(random),
                false => json!({"elements": self::elements(random, slot.inner)?}),
            };
            elements.push(json!({"type": slot.kind.0, "instance": slot.instance, "value": value}));
        }
    }
    elements.shuffle(random);
    Ok(elements)
}
