//! Create Session, from the MME to the PGW and back (TS 29.274 7.2.1, 7.2.2; TS 23.401 5.3.2.1, 5.10.2).

use std::net::IpAddr;

use gtp::v1::Nsapi;
use gtp::v2::{Cause, CauseIe, FTeid, IeSet, IeType, Indication, MessageType, Paa};
use licensing::Now;

use super::super::{Rejected, Request, bearer_number, value};
use super::asked::Asked;
use super::pass::{self, PGW_CONTROL, PGW_USER, PGW_USER_S11};
use super::preparations::PREPARED_FOR;
use super::{AtPgw, Farewell, Pending, State, Step, Wanted};
use crate::call::Call;
use crate::config::GtpVersion;
use crate::plane::SessionPlane;
use crate::statistics::Ended;
use crate::transactions::{Leg, Purpose, Said, Transaction};

/// What a PGW has made.
struct Granted<'a> {
    control: FTeid,
    address: IpAddr,
    /// The default bearer's context.
    bearer: IeSet<'a>,
}

impl SessionPlane {
    /// Makes a session that the PGW at this address is asked for; the MME's answer comes with the PGW's. One that the PGW
    /// has already, by another SGW, it is asked to have by us from here on, if the MME says so by the Operation Indication
    /// (TS 23.401 5.3.3.1, 5.5.1.1.3).
    pub(in super::super) fn relay_session(
        &mut self,
        request: &Request<'_>,
        call: &Call<'_>,
        pgw: IpAddr,
    ) -> Result<(), Rejected> {
        if !self.transactions.has_room() {
            return Err(Cause::NO_RESOURCES_AVAILABLE.into());
        }
        if call.comes_here {
            check_user_plane(&request.bearer()?)?;
        }
        let old = self.colliding_relay(call);
        let farewells = self.farewells();
        let made = self.begin_call(call, request.now);
        let made = made.map_err(|obstacle| self.stopped_v2(obstacle, call, request))?;
        let wanted = Wanted {
            key: call.who.with(call.number),
            apn: call.apn,
            pgw,
        };
        let predecessor = old.and_then(|teid| self.take_farewell(teid, farewells, request.now));
        let pending = self.relays.pending.insert(Pending {
            asked: Asked::new(request, call.peer_teid),
            session: made.place,
            teid: made.teid,
            sequence: None,
            step: Step::Create {
                wanted,
                predecessor,
            },
        });
        self.cache.begin(&request.fingerprint);
        self.relays.begin(made.place, pending);
        // What was ours before does not wait for the UE to come: our endpoint is another now.
        let sure = request.flags().has(Indication::OI) || predecessor.is_some();
        let prepares = call.comes_here && !sure;
        match self.relays.unwanted.get_mut(&wanted.same()) {
            _ if prepares => self.prepare_session(pending, request.now),
            Some(next) => *next = Some(pending),
            None => self.ask_for_session(pending, request.now),
        }
        Ok(())
    }

    /// The MME prepares a hand-over: the PGW is told by the first Modify Bearer (TS 23.401 5.5.1.2.2).
    fn prepare_session(&mut self, pending: u32, now: Now) {
        let Some(waiting) = self.relays.pending.remove(pending) else {
            return;
        };
        let (nothing, _) = IeSet::parse_prefix(&[]);
        let body = pass::as_created(&nothing, &waiting.asked.body);
        let (ies, _) = IeSet::parse_prefix(&body);
        let accepted = CauseIe::new(Cause::REQUEST_ACCEPTED);
        match self.granted(&ies) {
            Ok(granted) => {
                self.session_granted(&waiting, accepted, &ies, &granted, now);
                let until = now.mono.after(PREPARED_FOR);
                self.relays.prepare(waiting.session, until);
            }
            Err(invalid) => {
                self.not_made(&waiting, waiting.step.predecessor(), invalid, None, now);
            }
        }
    }

    /// Sends what waits to be asked of a PGW.
    fn ask_for_session(&mut self, pending: u32, now: Now) {
        let Some(waiting) = self.relays.pending.get_mut(pending) else {
            return;
        };
        let Some(wanted) = waiting.step.wanted() else {
            return;
        };
        let (teid, place) = (waiting.teid, waiting.session);
        let body = std::mem::take(&mut waiting.asked.body);
        let (ies, _) = IeSet::parse_prefix(&body);
        let bearer = ies.group(IeType::BEARER_CONTEXT, 0).and_then(Result::ok);
        let session = self.table.session(place);
        let pgw_teid = value(&ies, IeType::F_TEID, PGW_CONTROL, FTeid::parse).map(|at| at.teid);
        let pgw_teid = pgw_teid.unwrap_or(0);
        let leg = session.map(|session| self.leg_to_pgw(wanted.pgw, pgw_teid, session));
        let kind = match pgw_teid {
            0 => MessageType::CREATE_SESSION_REQUEST,
            _ => MessageType::MODIFY_BEARER_REQUEST,
        };
        let sequence = leg.zip(bearer).and_then(|(leg, bearer)| {
            let purpose = Purpose::Relay { pending };
            let asked =
                self.ask_peer_of_relay(leg, kind, purpose, now, |head, config| match pgw_teid {
                    0 => pass::create_session(head, &ies, &bearer, teid, config),
                    _ => pass::take_over(head, &ies, &bearer, teid, config),
                });
            asked.ok()
        });
        if let Some(waiting) = self.relays.pending.get_mut(pending) {
            (waiting.sequence, waiting.asked.body) = (sequence, body);
        }
        if sequence.is_none()
            && let Some(waiting) = self.relays.pending.remove(pending)
        {
            // There is no room for a request, or it would be longer than any may be.
            let cause = CauseIe::new(Cause::NO_RESOURCES_AVAILABLE);
            self.not_made(&waiting, waiting.step.predecessor(), cause, None, now);
        }
    }

    /// Our endpoint of the relayed session that this call takes the place of.
    fn colliding_relay(&self, call: &Call<'_>) -> Option<u32> {
        let place = self.table.by_bearer(call.who, call.number, call.access)?;
        self.relays.get(place)?;
        self.table.session(place).map(|session| session.teid)
    }

    /// The PGW has answered, or did not; `wanted`: the session is still there.
    pub(super) fn session_asked(
        &mut self,
        waiting: &Pending,
        predecessor: Option<AtPgw>,
        wanted: bool,
        transaction: Transaction,
        said: Option<Said<'_>>,
        now: Now,
    ) {
        let Some(Said { cause, ies }) = said else {
            let silent = CauseIe::new(Cause::REMOTE_PEER_NOT_RESPONDING);
            self.listen_on(transaction, now);
            return self.not_made(waiting, predecessor, silent, None, now);
        };
        if !cause.cause.is_accepted() {
            let cause = pass::remote(cause);
            return self.not_made(waiting, predecessor, cause, Some(ies), now);
        }
        let came = (transaction.kind == MessageType::MODIFY_BEARER_REQUEST.0)
            .then(|| pass::as_created(ies, &waiting.asked.body));
        let came = came.as_ref().and_then(|body| IeSet::parse(body).ok());
        let ies = came.as_ref().unwrap_or(ies);
        let granted = match came {
            Some(_) => self.granted(ies),
            None => self.granted_anew(ies),
        };
        match granted.and_then(|granted| self.of_its_bearer(waiting, granted)) {
            Err(invalid) => {
                self.delete_unfit(waiting, ies);
                self.not_made(waiting, predecessor, invalid, None, now);
            }
            Ok(_) if !wanted => {
                self.late_answered(&transaction, said);
                let gone = CauseIe::new(Cause::REQUEST_REJECTED);
                self.not_made(waiting, predecessor, gone, None, now);
            }
            Ok(granted) => {
                let made = self.session_granted(waiting, cause, ies, &granted, now);
                let stays = |old: &AtPgw| made.is_none_or(|made| !made.replaces(old));
                if let Some(old) = predecessor.filter(stays) {
                    self.bid_farewell(Farewell::Pgw(old));
                }
            }
        }
    }

    /// A PGW makes the bearer that it is asked for, or it has made nothing that an MME can use.
    fn of_its_bearer<'a>(
        &self,
        waiting: &Pending,
        granted: Granted<'a>,
    ) -> Result<Granted<'a>, CauseIe> {
        let place = self.waited_for(waiting);
        let session = place.and_then(|place| self.table.session(place));
        let number = bearer_number(&granted.bearer)?;
        match session.is_none_or(|session| session.context.nsapi == number) {
            true => Ok(granted),
            false => Err(CauseIe::new(Cause::INVALID_REPLY_FROM_REMOTE_PEER)),
        }
    }

    /// The session is there, at the PGW too; the MME is told both ends.
    fn session_granted(
        &mut self,
        waiting: &Pending,
        cause: CauseIe,
        ies: &IeSet<'_>,
        granted: &Granted<'_>,
        now: Now,
    ) -> Option<AtPgw> {
        let place = waiting.session;
        let pgw = self.meet(granted.address, GtpVersion::V2, true, now.mono)?;
        // It is of who answers, which need not be where the session is: a PGW can't tell that another has restarted.
        let wanted = waiting.step.wanted();
        let is_there = wanted.is_some_and(|wanted| wanted.pgw == granted.address);
        let counter = ies.get(IeType::RECOVERY, 0).and_then(|value| value.first());
        if let Some(counter) = counter.filter(|_| is_there) {
            self.hear_recovery(granted.address, *counter, now.mono);
        }
        let incarnation = self.shared.restarts.incarnations(granted.address).current;
        let relay = self.relays.relays.get_mut(&place)?;
        (relay.state, relay.pgw_teid) = (State::Up, granted.control.teid);
        self.relays
            .link(place, &mut self.table.peers, pgw, incarnation);
        let session = self.table.session(place)?;
        let (user, apn, number) = (session.teid, session.apn, session.context.nsapi);
        let ue = self.table.ue(self.table.ue_of(session.identity)?)?.teid;
        let unmade = further_bearers(&waiting.asked.body, number);
        let cause = CauseIe {
            cause: match unmade.is_empty() {
                true => cause.cause,
                false => Cause::REQUEST_ACCEPTED_PARTIALLY,
            },
            ..cause
        };
        self.answer_asked(&waiting.asked, cause.cause, now, |head, config| {
            let theirs = (ies, &granted.bearer);
            pass::session_created(head, cause, theirs, (ue, user), &unmade, config)
        });
        let session = self.table.session(place)?;
        let leg = self.leg_to_pgw(granted.address, granted.control.teid, session);
        self.spare_named(leg);
        Some(AtPgw { leg, apn })
    }

    /// The session is not made: it ends here, its permit comes back, and the MME is told why.
    fn not_made(
        &mut self,
        waiting: &Pending,
        predecessor: Option<AtPgw>,
        cause: CauseIe,
        ies: Option<&IeSet<'_>>,
        now: Now,
    ) {
        if let Some(place) = self.waited_for(waiting) {
            self.relays.take(place, &mut self.table.peers);
            self.end_session(place, Ended::NotMade);
        }
        let passed = ies.map(pass::of_refused).unwrap_or_default();
        self.answer_cause(&waiting.asked, cause, passed, now);
        if let Some(old) = predecessor {
            self.bid_farewell(Farewell::Pgw(old));
        }
    }

    /// A PGW has accepted without telling what it must; if it tells at least where, it is told to delete it.
    fn delete_unfit(&mut self, waiting: &Pending, ies: &IeSet<'_>) {
        let control = value(ies, IeType::F_TEID, PGW_CONTROL, FTeid::parse).ok();
        let session = self.table.session(waiting.session);
        if let (Some(control), Some(session)) = (control, session)
            && let Some(address) = self.pgw_address(&control)
        {
            let leg = self.leg_to_pgw(address, control.teid, session);
            self.bid_farewell(Farewell::Pgw(AtPgw { leg, apn: 0 }));
        }
    }

    /// Nobody waits for this answer any more, but for as long as the PGW was asked it is heard if it comes.
    fn listen_on(&mut self, transaction: Transaction, now: Now) {
        let due = now.mono.after(self.config.t3_response);
        let purpose = Purpose::Late;
        let transaction = Transaction {
            purpose,
            ..transaction
        };
        self.transactions.linger_on(transaction, due);
    }

    /// The PGW has answered, or did not, when the session was not wanted any more. What it has made is deleted there,
    /// unless it is asked for the same next.
    pub(crate) fn unwanted_answered(
        &mut self,
        transaction: &Transaction,
        wanted: Wanted,
        said: Option<Said<'_>>,
        now: Now,
    ) {
        let next = self.relays.unwanted.remove(&wanted.same()).flatten();
        let made = self.made_late(transaction, wanted.apn, said);
        let Some(next) = next else {
            if let Some(made) = made {
                self.bid_farewell(Farewell::Pgw(made));
            }
            return;
        };
        let waiting = self.relays.pending.get_mut(next);
        if let (Some(made), Some(Step::Create { predecessor, .. })) =
            (made, waiting.map(|waiting| &mut waiting.step))
        {
            let old = predecessor.replace(made);
            if let Some(old) = old.filter(|old| !made.replaces(old)) {
                self.bid_farewell(Farewell::Pgw(old));
            }
        }
        self.ask_for_session(next, now);
    }

    /// A PGW has answered after it was given up: what it has made is deleted there.
    pub(crate) fn late_answered(&mut self, transaction: &Transaction, said: Option<Said<'_>>) {
        if let Some(made) = self.made_late(transaction, 0, said) {
            self.bid_farewell(Farewell::Pgw(made));
        }
    }

    /// What a PGW has made that nobody waits for.
    fn made_late(
        &self,
        transaction: &Transaction,
        apn: u16,
        said: Option<Said<'_>>,
    ) -> Option<AtPgw> {
        let said = said.filter(|said| said.cause.cause.is_accepted())?;
        let granted = self.granted_anew(said.ies).ok()?;
        let leg = Leg {
            peer: (granted.address, self.config.echo.peer_port).into(),
            peer_teid: granted.control.teid,
            teid: transaction.teid,
            number: bearer_number(&granted.bearer).ok()?,
        };
        Some(AtPgw { leg, apn })
    }

    /// What an answer that makes a session must tell (tables 7.2.2-1, 7.2.2-2); without it the cause is that it does not
    /// (8.4).
    fn granted_anew<'a>(&self, ies: &IeSet<'a>) -> Result<Granted<'a>, CauseIe> {
        let address = value(ies, IeType::PAA, 0, Paa::parse);
        address.map_err(|_| CauseIe::new(Cause::INVALID_REPLY_FROM_REMOTE_PEER))?;
        self.granted(ies)
    }

    /// The same of a session that was there before, whose address the UE has.
    fn granted<'a>(&self, ies: &IeSet<'a>) -> Result<Granted<'a>, CauseIe> {
        let read = || {
            let control = value(ies, IeType::F_TEID, PGW_CONTROL, FTeid::parse).ok()?;
            let bearer = ies.group(IeType::BEARER_CONTEXT, 0)?.ok()?;
            bearer_number(&bearer).ok()?;
            let made = value(&bearer, IeType::CAUSE, 0, CauseIe::parse).ok()?;
            value(&bearer, IeType::F_TEID, PGW_USER, FTeid::parse).ok()?;
            made.cause.is_accepted().then_some(Granted {
                address: self.pgw_address(&control)?,
                control,
                bearer,
            })
        };
        read().ok_or(CauseIe::new(Cause::INVALID_REPLY_FROM_REMOTE_PEER))
    }
}

/// Of a session that comes from another SGW the MME tells where the PGW has its user data (table 7.2.1-2).
fn check_user_plane(bearer: &IeSet<'_>) -> Result<(), CauseIe> {
    let checked = value(bearer, IeType::F_TEID, PGW_USER_S11, FTeid::parse);
    checked.map(drop).map_err(|fault| match fault.cause {
        Cause::MANDATORY_IE_MISSING => CauseIe {
            cause: Cause::CONDITIONAL_IE_MISSING,
            ..fault
        },
        _ => fault,
    })
}

/// Bearers that the MME asked for beside the default one; they are not made.
fn further_bearers(body: &[u8], default: Nsapi) -> Vec<Nsapi> {
    let (ies, _) = IeSet::parse_prefix(body);
    let groups = ies.groups(IeType::BEARER_CONTEXT, 0).skip(1);
    let numbers = groups.filter_map(|group| bearer_number(&group.ok()?).ok());
    numbers.filter(|number| *number != default).collect()
}
