//! The UEs that one worker has sessions of by S11.

use gtp::v1::Nsapi;

use crate::hashing::Keyed;
use crate::segmented::Segmented;
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
    sessions: Sessions,
}

/// Sessions by the number of their default bearer, or [`NONE`]; most UEs have one.
#[derive(Debug)]
enum Sessions {
    One { number: Nsapi, place: u32 },
    Several(Box<[u32; NUMBERS]>),
}

impl Ue {
    /// The session whose default bearer has this number.
    pub(crate) fn session(&self, number: Nsapi) -> Option<u32> {
        let place = self.places()[usize::from(number.number())];
        (place != NONE).then_some(place)
    }

    /// All of them, by the numbers of their default bearers.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = u32> + use<> {
        self.places().into_iter().filter(|place| *place != NONE)
    }

    fn places(&self) -> [u32; NUMBERS] {
        match &self.sessions {
            Sessions::One { number, place } => {
                let mut places = [NONE; NUMBERS];
                places[usize::from(number.number())] = *place;
                places
            }
            Sessions::Several(places) => **places,
        }
    }
}

/// All of them, found by place and by whose they are. One without a session is not kept.
#[derive(Debug)]
pub(crate) struct Ues {
    ues: Slab<Ue>,
    places: Segmented<Identity, u32, Keyed>,
    /// Room for the sessions of UEs that have several, to be used again.
    #[expect(clippy::vec_box, reason = "boxes come from UEs and go to others")]
    spare: Vec<Box<[u32; NUMBERS]>>,
}

/// Most room that waits to be used again.
const SPARE_MAX: usize = 1024;

impl Ues {
    pub(crate) fn new(keyed: Keyed) -> Self {
        Self {
            ues: Slab::new(),
            places: Segmented::with_hasher(&keyed),
            spare: Vec::new(),
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
        let Some(place) = self.find(identity) else {
            let place = self.ues.insert(Ue {
                teid,
                peer_teid,
                sessions: Sessions::One {
                    number,
                    place: session,
                },
            });
            self.places.insert(identity, place);
            return place;
        };
        if let Some(ue) = self.ues.get_mut(place) {
            ue.peer_teid = peer_teid;
            let mut places = ue.places();
            places[usize::from(number.number())] = session;
            match &mut ue.sessions {
                Sessions::One { number: had, place } if *had == number => *place = session,
                Sessions::Several(room) => **room = places,
                sessions @ Sessions::One { .. } => {
                    let mut room = self.spare.pop().unwrap_or_else(|| Box::new(places));
                    *room = places;
                    *sessions = Sessions::Several(room);
                }
            }
        }
        place
    }

    /// Takes a session from its UE; the UE, if that was its last.
    pub(crate) fn leave(&mut self, identity: Identity, number: Nsapi) -> Option<Ue> {
        let place = self.find(identity)?;
        let ue = self.ues.get_mut(place)?;
        let has_others = match &mut ue.sessions {
            Sessions::One { number: had, .. } => *had != number,
            Sessions::Several(places) => {
                places[usize::from(number.number())] = NONE;
                places.iter().any(|place| *place != NONE)
            }
        };
        if has_others {
            return None;
        }
        self.places.remove(&identity);
        let mut ue = self.ues.remove(place)?;
        let none = Sessions::One {
            number,
            place: NONE,
        };
        if let Sessions::Several(room) = std::mem::replace(&mut ue.sessions, none)
            && self.spare.len() < SPARE_MAX
        {
            self.spare.push(room);
        }
        Some(ue)
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
    fn a_record_is_small() {
        assert!(size_of::<Option<Ue>>() <= 24, "{}", size_of::<Option<Ue>>());
    }

    #[test]
    fn room_for_several_sessions_is_used_again() {
        let mut ues = Ues::new(Keyed::new([1, 2]));
        let number = |number| Nsapi::new(number).unwrap();
        for subscriber in 0..3 {
            let imsi = gtp::v1::Imsi::from_number(240_010_000_000_001 + subscriber, 15);
            let who = Identity::of_imsi(imsi.unwrap());
            ues.join(who, 0x100, 7, number(5), 40);
            assert_eq!(ues.spare.len(), usize::from(subscriber > 0));
            let place = ues.join(who, 0x100, 7, number(6), 41);
            assert!(ues.spare.is_empty());
            let sessions = ues.get(place).unwrap().sessions();
            assert_eq!(sessions.collect::<Vec<_>>(), [40, 41]);
            assert!(ues.leave(who, number(5)).is_none());
            let left = ues.get(place).unwrap().sessions();
            assert_eq!(left.collect::<Vec<_>>(), [41]);
            assert!(ues.leave(who, number(6)).is_some());
        }
    }

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
