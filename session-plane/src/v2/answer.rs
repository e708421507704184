//! Answers to Create Session, Modify Bearer, Delete Session and Release Access Bearers Request, and their octets (TS
//! 29.274 7.2.2, 7.2.8, 7.2.10.1, 7.2.22).

use gtp::pco;
use gtp::v1::Nsapi;
use gtp::v2::{
    ApnRestriction, Cause, CauseIe, Ebi, EpcTimer, FTeid, IeType, Ies, InterfaceType, MessageType,
    Paa, PdnType, WriteError, Writer,
};

use super::notices::Repeated;
use super::{Done, Rejected, answer_kind};
use crate::config::PlaneConfig;
use crate::session::{Access, Session};

/// One answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub kind: MessageType,
    /// The peer's tunnel endpoint.
    pub teid: u32,
    pub sequence: u32,
    pub cause: CauseIe,
    /// What an accepted Create Session carries.
    pub granted: Option<Granted>,
    /// What became of each bearer.
    pub bearers: Bearers,
    /// What became of each that was to be removed.
    pub removed: Bearers,
    /// What of the request comes back with it.
    pub repeated: Repeated,
    /// Elements that another node has told, as octets.
    pub passed: Vec<u8>,
    /// With cause 113.
    pub back_off: Option<EpcTimer>,
    /// A refused Create Session carries an endpoint and an address all the same.
    pub padded: bool,
}

/// What was made.
#[derive(Debug)]
pub(super) struct Granted {
    pub access: Access,
    /// Our tunnel endpoint for signalling and for user data, the default bearer's charging identifier.
    pub teid: u32,
    /// By S11: the SGW's tunnel endpoint for the signalling of the UE.
    pub ue_teid: Option<u32>,
    pub number: Nsapi,
    pub address: Paa,
    /// What the UE is told of what it asked for, and in which element.
    pub options: Option<(IeType, pco::Answer)>,
}

/// Causes, by the number of the bearer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bearers([Option<BearerAnswer>; 16]);

/// What became of one bearer.
#[derive(Clone, Copy, Debug)]
struct BearerAnswer {
    cause: Cause,
    charging_id: Option<u32>,
    /// By S11: our tunnel endpoint for user data from the eNodeB.
    s1u: Option<u32>,
}

impl Bearers {
    pub(super) fn set(&mut self, number: Nsapi, cause: Cause, charging_id: Option<u32>) {
        self.0[usize::from(number.number())] = Some(BearerAnswer {
            cause,
            charging_id,
            s1u: None,
        });
    }

    /// With our endpoint for the eNodeB's user data.
    pub(super) fn serve(&mut self, number: Nsapi, session: Option<&Session>) {
        if let Some(answer) = &mut self.0[usize::from(number.number())] {
            answer.s1u = session.map(|session| session.context.teid);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    fn iter(&self) -> impl Iterator<Item = (Ebi, BearerAnswer)> {
        let numbered = (0..).zip(self.0);
        numbered.filter_map(|(number, answer)| Some((Ebi::new(number).ok()?, answer?)))
    }
}

impl Answer {
    pub(super) fn new(request: MessageType, teid: u32, sequence: u32, cause: Cause) -> Self {
        let kind = answer_kind(request);
        Self {
            kind: kind.unwrap_or(MessageType::VERSION_NOT_SUPPORTED),
            teid,
            sequence,
            cause: CauseIe::new(cause),
            granted: None,
            bearers: Bearers::default(),
            removed: Bearers::default(),
            repeated: Repeated::default(),
            passed: Vec::new(),
            back_off: None,
            padded: false,
        }
    }

    /// With what a procedure has done, or why it has not.
    pub(super) fn says(self, outcome: Result<Done, Rejected>) -> Self {
        match outcome {
            Ok(done) => Self {
                cause: CauseIe::new(done.cause),
                granted: done.granted,
                bearers: done.bearers,
                removed: done.removed,
                passed: done.passed,
                ..self
            },
            Err(rejected) => Self {
                cause: rejected.cause,
                back_off: rejected.back_off,
                ..self
            },
        }
    }

    /// Its octets.
    pub(super) fn write<'b>(
        &self,
        config: &PlaneConfig,
        out: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], WriteError> {
        let mut writer = Writer::new(out, self.kind, Some(self.teid), self.sequence);
        writer.cause(&self.cause);
        for (kind, value) in self.repeated.iter() {
            writer.ie(kind, 0, value);
        }
        let creates = self.kind == MessageType::CREATE_SESSION_RESPONSE;
        if let Some(granted) = &self.granted {
            granted.write(config, &mut writer);
        } else if self.padded && creates && !self.cause.cause.is_accepted() {
            let nobody = FTeid::new(InterfaceType::S5S8_PGW_C, 0, config.control.ip());
            writer.f_teid(1, &nobody).paa(&Paa::dynamic(PdnType::Ipv4));
        }
        for (instance, list) in [(0, self.bearers), (1, self.removed)] {
            for (ebi, answer) in list.iter() {
                writer.bearer_context(instance, |bearer| answer.write(config, ebi, bearer));
            }
        }
        for ie in Ies::new(&self.passed).filter_map(Result::ok) {
            writer.ie(ie.kind, ie.instance, ie.value);
        }
        if self.cause.cause.is_accepted() {
            writer.recovery(config.recovery);
        }
        if let Some(back_off) = self.back_off {
            writer.epc_timer(0, back_off);
        }
        writer.finish()
    }
}

impl BearerAnswer {
    fn write(&self, config: &PlaneConfig, ebi: Ebi, bearer: &mut Writer<'_>) {
        bearer.ebi(0, ebi).cause(&CauseIe::new(self.cause));
        if let Some(teid) = self.s1u {
            bearer.f_teid(0, &FTeid::new(InterfaceType::S1U_SGW_U, teid, config.user));
        }
        if let Some(id) = self.charging_id {
            bearer.charging_id(id);
        }
    }
}

impl Granted {
    /// Which instance an element has depends on the access (TS 29.274 tables 7.2.2-1, 7.2.2-2).
    fn write(&self, config: &PlaneConfig, writer: &mut Writer<'_>) {
        let (control, user, instance) = match self.access {
            Access::Gn | Access::S11 | Access::S5 => {
                (InterfaceType::S5S8_PGW_C, InterfaceType::S5S8_PGW_U, 2)
            }
            Access::S2b => (InterfaceType::S2B_PGW_C, InterfaceType::S2B_PGW_U, 4),
            Access::S2a => (InterfaceType::S2A_PGW_C, InterfaceType::S2A_PGW_U, 5),
        };
        if let Some(teid) = self.ue_teid {
            let sgw = FTeid::new(InterfaceType::S11_SGW_C, teid, config.control.ip());
            writer.f_teid(0, &sgw);
        }
        writer
            .f_teid(1, &FTeid::new(control, self.teid, config.control.ip()))
            .paa(&self.address);
        if matches!(self.access, Access::S11 | Access::S5) {
            writer.apn_restriction(ApnRestriction(0));
        }
        if let Some((kind, options)) = &self.options {
            writer.ie(*kind, 0, options.octets());
        }
        writer.bearer_context(0, |bearer| {
            if let Ok(ebi) = Ebi::new(self.number.number()) {
                bearer.ebi(0, ebi);
            }
            bearer.cause(&CauseIe::new(Cause::REQUEST_ACCEPTED));
            if self.access == Access::S11 {
                bearer.f_teid(
                    0,
                    &FTeid::new(InterfaceType::S1U_SGW_U, self.teid, config.user),
                );
            }
            bearer
                .f_teid(instance, &FTeid::new(user, self.teid, config.user))
                .charging_id(self.teid);
        });
    }
}
