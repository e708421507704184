//! The UEs that one worker has sessions of by S11.

use std::collections::HashMap;

use gtp::v1::Nsapi;

use crate::hashing::Keyed;
use crate::session::{Identity, NONE};
use crate::slab::Slab;

/// Numbers that a bearer may have.
const NUMBERS: usize = Nsapi::MAX as usize + 1;

/// What the sessions of one UE by S11 have in common. SGW and MME have one endpoint each for all PDN connections of a
/// UE (TS 29.274 5.5.2, 7.2.1), and a bearer's number is the UE's own, whatever the access point name.
#[derive(Debug)]
pub(crate) struct Ue {
    /// Our tunnel endpoint for signalling.
    pub teid: u32,
    /// The MME's.
    pub peer_teid: u32,
    /// Its sessions by the number of their default bearer, or [`NONE`].
    sessions: [u32; NUMBERS],
}

impl Ue {
    /// The session whose default bearer has this number.
    pub(crate) fn session(&self, number: Nsapi) -> Option<u32> {
        let place = self.sessions[usize::from(number.number())];
        (place != NONE).then_some(place)
    }

    /// All of them, by the numbers of their default bearers.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = u32> + use<> {
        self.sessions.into_iter().filter(|place| *place != NONE)
    }
}

/// All of them, found by place and by whose they are. One without a session is not kept.
#[derive(Debug)]
pub(crate) struct Ues {
    ues: Slab<Ue>,
    places: HashMap<Identity, u32, Keyed>,
}

impl Ues {
    pub(crate) fn new(keyed: Keyed) -> Self {
        Self {
            ues: Slab::new(),
            places: HashMap::with_hasher(keyed),
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> u32 {
        assert_eq!(self.places.len(), self.ues.len() as usize);
        self.ues.len()
    }

    pub(crate) fn find(&self, identity: Identity) -> Option<u32> {
        self.places.get(&identity).copied()
    }

    pub(crate) fn get(&self, place: u32) -> Option<&Ue> {
        self.ues.get(place)
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut Ue> {
        self.ues.get_mut(place)
    }

    /// Gives a UE a session, and the UE a record if that is its first; a UE that has one keeps our endpoint.
    pub(crate) fn join(
        &mut self,
        identity: Identity,
        teid: u32,
        peer_teid: u32,
        number: Nsapi,
        session: u32,
    ) -> u32 {
        let place = self.find(identity).unwrap_or_else(|| {
            let place = self.ues.insert(Ue {
                teid,
                peer_teid,
                sessions: [NONE; NUMBERS],
            });
            self.places.insert(identity, place);
            place
        });
        if let Some(ue) = self.ues.get_mut(place) {
            ue.peer_teid = peer_teid;
            ue.sessions[usize::from(number.number())] = session;
        }
        place
    }

    /// Takes a session from its UE; the UE, if that was its last.
    pub(crate) fn leave(&mut self, identity: Identity, number: Nsapi) -> Option<Ue> {
        let place = self.find(identity)?;
        let ue = self.ues.get_mut(place)?;
        ue.sessions[usize::from(number.number())] = NONE;
        if ue.sessions().next().is_some() {
            return None;
        }
        self.places.remove(&identity);
        self.ues.remove(place)
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Ue)> {
        self.ues.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ue_lasts_from_its_first_session_to_its_last() {
        let mut ues = Ues::new(Keyed::new([1, 2]));
        let who = Identity::of_imsi(gtp::v1::Imsi::from_number(240_010_000_000_001, 15).unwrap());
        let number = |number| Nsapi::new(number).unwrap();
        let place = ues.join(who, 0x100, 7, number(5), 40);
        assert_eq!(ues.join(who, 0x200, 8, number(6), 41), place);
        let ue = ues.get(place).unwrap();
        assert_eq!((ue.teid, ue.peer_teid), (0x100, 8));
        assert_eq!(ue.session(number(6)), Some(41));
        assert_eq!(ue.session(number(7)), None);
        assert_eq!(ue.sessions().collect::<Vec<_>>(), [40, 41]);
        assert!(ues.leave(who, number(5)).is_none());
        assert!(ues.leave(who, number(7)).is_none());
        assert_eq!(ues.leave(who, number(6)).unwrap().teid, 0x100);
        assert_eq!((ues.len(), ues.find(who)), (0, None));
        assert!(ues.leave(who, number(6)).is_none());
    }
}
