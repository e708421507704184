//! Living emergency calls by who makes them: one a UE (TS 23.401 4.3.12).
//!
//! A UE may have one emergency PDN connection, whatever its number, its access point name and the access, and MME or SGSN
//! see to it. A second one that reaches us tells that the first is gone for whoever asks: it takes its place, as a
//! colliding session would (TS 29.274 7.2.1). It is not refused, because no emergency call is (rule L8).

use std::collections::HashMap;

use crate::hashing::Keyed;
use crate::session::Identity;

/// Where each caller's emergency session is in the table.
#[derive(Debug)]
pub(crate) struct Emergencies(HashMap<Identity, u32, Keyed>);

impl Emergencies {
    pub(crate) fn new(keyed: Keyed) -> Self {
        Self(HashMap::with_hasher(keyed))
    }

    pub(crate) fn session_of(&self, who: Identity) -> Option<u32> {
        self.0.get(&who).copied()
    }

    /// A session has begun; the one that its caller had, if it is still there, is to end.
    pub(crate) fn began(&mut self, who: Identity, session: u32) -> Option<u32> {
        self.0.insert(who, session)
    }

    /// A session, of whatever kind, has ended.
    pub(crate) fn ended(&mut self, who: Identity, session: u32) {
        if self.session_of(who) == Some(session) {
            self.0.remove(&who);
        }
    }
}
