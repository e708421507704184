//! A receiver of informs: an engine whose id, boots and time are its own, and are discovered.

use licensing::time::Mono;

use super::seal::is_authentic;
use super::{BOOTS_MAX, EngineId, Fault, KeyError, Keys, Level, Sealed, TIME_WINDOW_S, User, open};
use crate::Oid;
use crate::message::{Kind, Pdu, Scoped, V3Message};

/// What is known of the engine of a receiver.
#[derive(Debug)]
pub struct Remote {
    user: User,
    level: Level,
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    id: EngineId,
    keys: Keys,
    clock: Clock,
}

/// The notion of another engine's time (RFC 3414 section 2.3); zeros until it has told it.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    boots: u32,
    time: u32,
    at: Mono,
    latest: u32,
}

/// What came from the receiver.
#[derive(Debug, PartialEq, Eq)]
pub enum Report {
    /// An answer to a request of ours, from who it says.
    Answer(Pdu),
    /// Its engine, or its time, is known now: what went out should go again.
    Learned,
    /// It can't do anything with our messages, and says why by the name of a counter. Nobody vouches for it unless it is
    /// authentic; nothing is changed by it.
    Refused(Oid),
}

impl Remote {
    /// A receiver that nothing is known of yet.
    pub fn new(user: User, level: Level) -> Self {
        Self {
            user,
            level,
            known: None,
        }
    }

    /// Its engine, once discovered.
    pub fn engine(&self) -> Option<&EngineId> {
        self.known.as_ref().map(|known| &known.id)
    }

    /// What goes around a message to it, and the keys for it; nothing before its engine is known.
    pub fn sealed(&self, id: i32, salt: u64, now: Mono) -> Option<(Sealed, &Keys)> {
        let known = self.known.as_ref()?;
        let sealed = Sealed {
            id,
            reportable: true,
            level: self.level,
            engine_id: known.id.octets().to_vec(),
            boots: known.clock.boots,
            time: known.clock.time(now),
            user: self.user.name.clone().into_bytes(),
            salt,
        };
        Some((sealed, &known.keys))
    }

    /// The question for its engine: an empty GET without engine and user (RFC 3414 section 4).
    pub fn question(id: i32) -> (Sealed, Keys, Scoped) {
        let sealed = Sealed {
            id,
            reportable: true,
            level: Level::NoAuthNoPriv,
            engine_id: Vec::new(),
            boots: 0,
            time: 0,
            user: Vec::new(),
            salt: 0,
        };
        let nobody = Keys::none();
        let scoped = Scoped {
            engine_id: Vec::new(),
            context: Vec::new(),
            pdu: Pdu {
                kind: Kind::Get,
                request_id: id,
                varbinds: Vec::new(),
            },
        };
        (sealed, nobody, scoped)
    }

    /// Takes a message with the id of one of ours. What is an error here changes nothing.
    pub fn handle(
        &mut self,
        now: Mono,
        bytes: &[u8],
        message: &V3Message,
    ) -> Result<Report, Fault> {
        let level = message.level();
        if level == Level::NoAuthNoPriv {
            return self.handle_unauthentic(now, message);
        }
        let known = self.known.as_mut().ok_or(Fault::UnknownEngine)?;
        if message.security.engine_id != known.id.octets() {
            return Err(Fault::UnknownEngine);
        }
        if message.security.user != self.user.name.as_bytes() {
            return Err(Fault::UnknownUser);
        }
        if level > known.keys.level() {
            return Err(Fault::UnsupportedLevel);
        }
        if !is_authentic(&known.keys, bytes, message) {
            return Err(Fault::WrongDigest);
        }
        let (boots, time) = (message.security.boots, message.security.time);
        let moved = known.clock.update(boots, time, now);
        if !known.clock.is_timely(boots, time, now) {
            return Err(Fault::NotInTimeWindow);
        }
        let pdu = open(&known.keys, message)?.pdu;
        match Complaint::of(&pdu) {
            None if level < self.level => Err(Fault::UnsupportedLevel),
            None => Ok(Report::Answer(pdu)),
            Some(Complaint(Some(Fault::NotInTimeWindow), _)) if moved => Ok(Report::Learned),
            Some(Complaint(_, name)) => Ok(Report::Refused(name)),
        }
    }

    /// Whatever nobody vouches for tells the engine at the most.
    fn handle_unauthentic(&mut self, now: Mono, message: &V3Message) -> Result<Report, Fault> {
        let nobody = Keys::none();
        let pdu = open(&nobody, message)?.pdu;
        match Complaint::of(&pdu) {
            None if self.level > Level::NoAuthNoPriv => Err(Fault::UnsupportedLevel),
            None => Ok(Report::Answer(pdu)),
            Some(Complaint(Some(Fault::UnknownEngine), name)) => {
                let id = EngineId::new(&message.security.engine_id);
                let id = id.map_err(|_| Fault::UnknownEngine)?;
                if self.engine() == Some(&id) {
                    return Ok(Report::Refused(name));
                }
                let learned = self.learn(id, message, now);
                Ok(learned.map_or(Report::Refused(name), |()| Report::Learned))
            }
            Some(Complaint(_, name)) => Ok(Report::Refused(name)),
        }
    }

    /// A user without authentication believes what it is told; any other asks for the time with a proof.
    fn learn(&mut self, id: EngineId, message: &V3Message, now: Mono) -> Result<(), KeyError> {
        let keys = self.user.keys(&id)?;
        let mut clock = Clock::default();
        if self.level == Level::NoAuthNoPriv {
            clock.update(message.security.boots, message.security.time, now);
        }
        self.known = Some(Known { id, keys, clock });
        Ok(())
    }
}

/// A report: the fault, if it is one of USM's, and the name of its counter.
struct Complaint(Option<Fault>, Oid);

impl Complaint {
    fn of(pdu: &Pdu) -> Option<Self> {
        if pdu.kind != Kind::Report {
            return None;
        }
        let name = pdu.varbinds.first().map(|varbind| varbind.name.clone());
        let name = name.unwrap_or_else(|| Oid::from([0, 0]));
        Some(Self(Fault::of_counter(&name), name))
    }
}

impl Clock {
    /// What it shows now.
    fn time(&self, now: Mono) -> u32 {
        if self.boots == 0 && self.latest == 0 {
            return 0;
        }
        let passed = u32::try_from(now.since(self.at).as_secs()).unwrap_or(BOOTS_MAX);
        self.time.saturating_add(passed).min(BOOTS_MAX)
    }

    /// Takes over a time that is later than what was ever received; whether it was.
    fn update(&mut self, boots: u32, time: u32, now: Mono) -> bool {
        let later = boots > self.boots || boots == self.boots && time > self.latest;
        if later {
            *self = Self {
                boots,
                time,
                at: now,
                latest: time,
            };
        }
        later
    }

    /// RFC 3414 section 3.2, 7b 2.
    fn is_timely(&self, boots: u32, time: u32, now: Mono) -> bool {
        let early = self.time(now).saturating_sub(TIME_WINDOW_S);
        self.boots < BOOTS_MAX && (boots > self.boots || boots == self.boots && time >= early)
    }
}
