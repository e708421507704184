//! What an SGW passes on from S11 to S5/S8 and back, and what it writes anew (TS 29.274 7.2): endpoints, restart
//! counters and names of nodes are the sender's own; all else goes on as it came, elements without a name here too.

use gtp::v1::Nsapi;
use gtp::v2::{
    Cause, CauseIe, Ebi, FTeid, IeSet, IeType, Indication, InterfaceType, MessageType, WriteError,
    Writer,
};

use crate::config::PlaneConfig;

/// A message of ours in the making: its header, and where it is written.
pub(super) struct Head<'b> {
    pub kind: MessageType,
    pub teid: u32,
    pub sequence: u32,
    pub out: &'b mut Vec<u8>,
}

impl<'b> Head<'b> {
    fn writer(self) -> Writer<'b> {
        Writer::new(self.out, self.kind, Some(self.teid), self.sequence)
    }
}

/// Instances of the PGW's endpoints, for signalling and in a bearer context for user data (tables 7.2.2-1, 7.2.2-2).
pub(super) const PGW_CONTROL: u8 = 1;
pub(super) const PGW_USER: u8 = 2;
/// The latter in a request of an MME, about a session that comes from another SGW (table 7.2.1-2).
pub(super) const PGW_USER_S11: u8 = 3;
/// What of a Create Session Request goes on in a Modify Bearer Request (tables 7.2.1-1, 7.2.7-1).
const REPORTED: [IeType; 10] = [
    IeType::MEI,
    IeType::ULI,
    IeType::SERVING_NETWORK,
    IeType::RAT_TYPE,
    IeType::UE_TIME_ZONE,
    IeType::UCI,
    IeType::FQ_CSID,
    IeType::PRESENCE_REPORTING_AREA_INFORMATION,
    IeType::COUNTER,
    IeType::SERVING_PLMN_RATE_CONTROL,
];

/// Elements that are of one hop: of a request or answer as a whole.
fn is_of_hop(kind: IeType) -> bool {
    matches!(
        kind,
        IeType::F_TEID | IeType::RECOVERY | IeType::LDN | IeType::INDICATION | IeType::CAUSE
    )
}

fn pass(ies: &IeSet<'_>, writer: &mut Writer<'_>, stays: impl Fn(IeType) -> bool) {
    for ie in ies.iter().filter(|ie| !stays(ie.kind)) {
        writer.ie(ie.kind, ie.instance, ie.value);
    }
}

/// Indication flags but for those that are said to an SGW alone: that it is to tell its PGW or not (table 7.2.9.1-1),
/// and that something may be piggybacked, which we do not take.
fn pass_flags(ies: &IeSet<'_>, writer: &mut Writer<'_>) {
    let value = ies.get(IeType::INDICATION, 0);
    let Some(Ok(flags)) = value.map(Indication::parse) else {
        return;
    };
    let only_ours = [Indication::OI, Indication::SI, Indication::PS];
    let flags = only_ours.into_iter().fold(flags, Indication::without);
    if !flags.is_empty() {
        writer.indication(flags);
    }
}

/// Create Session Request to the PGW (tables 7.2.1-1, 7.2.1-2): `ies` are the MME's, of which `bearer` is the default
/// bearer's context; `teid` is our endpoint, for signalling as for user data.
pub(super) fn create_session<'b>(
    head: Head<'b>,
    ies: &IeSet<'_>,
    bearer: &IeSet<'_>,
    teid: u32,
    config: &PlaneConfig,
) -> Result<&'b [u8], WriteError> {
    let mut writer = head.writer();
    // A linked bearer is of S4 and S11 alone.
    pass(ies, &mut writer, |kind| {
        is_of_hop(kind) || matches!(kind, IeType::BEARER_CONTEXT | IeType::EBI)
    });
    pass_flags(ies, &mut writer);
    let control = FTeid::new(InterfaceType::S5S8_SGW_C, teid, config.control.ip());
    let user = FTeid::new(InterfaceType::S5S8_SGW_U, teid, config.user);
    writer.f_teid(0, &control).recovery(config.recovery);
    writer.bearer_context(0, |group| {
        pass(bearer, group, |kind| kind == IeType::F_TEID);
        group.f_teid(2, &user);
    });
    writer.finish()
}

/// Modify Bearer Request to the PGW, of an SGW that takes a session over from another (table 7.2.7-1): as
/// [`create_session`].
pub(super) fn take_over<'b>(
    head: Head<'b>,
    ies: &IeSet<'_>,
    bearer: &IeSet<'_>,
    teid: u32,
    config: &PlaneConfig,
) -> Result<&'b [u8], WriteError> {
    let mut writer = head.writer();
    pass(ies, &mut writer, |kind| !REPORTED.contains(&kind));
    pass_flags(ies, &mut writer);
    let control = FTeid::new(InterfaceType::S5S8_SGW_C, teid, config.control.ip());
    let user = FTeid::new(InterfaceType::S5S8_SGW_U, teid, config.user);
    writer.f_teid(0, &control).recovery(config.recovery);
    writer.bearer_context(0, |group| {
        pass(bearer, group, |kind| kind != IeType::EBI);
        group.f_teid(1, &user);
    });
    writer.finish()
}

/// The answer to that as if the session had been made: with the PGW's endpoints, which the MME has told in its request.
pub(super) fn as_created(answer: &IeSet<'_>, request: &[u8]) -> Vec<u8> {
    let (request, _) = IeSet::parse_prefix(request);
    let mut octets = elements(answer, |kind| kind == IeType::BEARER_CONTEXT);
    if let Some(control) = request.get(IeType::F_TEID, PGW_CONTROL) {
        element(&mut octets, IeType::F_TEID, PGW_CONTROL, control);
    }
    let mut bearer = Vec::new();
    if let Some(Ok(asked)) = request.group(IeType::BEARER_CONTEXT, 0) {
        let accepted = [Cause::REQUEST_ACCEPTED.0, 0];
        element(
            &mut bearer,
            IeType::EBI,
            0,
            asked.get(IeType::EBI, 0).unwrap_or_default(),
        );
        element(&mut bearer, IeType::CAUSE, 0, &accepted);
        let user = asked.get(IeType::F_TEID, PGW_USER_S11).unwrap_or_default();
        element(&mut bearer, IeType::F_TEID, PGW_USER, user);
    }
    let modified = answer.group(IeType::BEARER_CONTEXT, 0).and_then(Result::ok);
    if let Some(id) = modified.and_then(|bearer| bearer.get(IeType::CHARGING_ID, 0)) {
        element(&mut bearer, IeType::CHARGING_ID, 0, id);
    }
    element(&mut octets, IeType::BEARER_CONTEXT, 0, &bearer);
    octets
}

/// Modify Bearer Request to the PGW, of an SGW that stays the same (table 7.2.7-1): no endpoint and no bearer changes
/// there.
pub(super) fn modify_bearer<'b>(head: Head<'b>, ies: &IeSet<'_>) -> Result<&'b [u8], WriteError> {
    let mut writer = head.writer();
    pass(ies, &mut writer, |kind| {
        is_of_hop(kind) || matches!(kind, IeType::BEARER_CONTEXT | IeType::DELAY_VALUE)
    });
    pass_flags(ies, &mut writer);
    writer.finish()
}

/// Delete Session Request to the PGW (table 7.2.9.1-1): with what the MME told, if it was the MME that wanted it.
pub(super) fn delete_session<'b>(
    head: Head<'b>,
    ies: Option<&IeSet<'_>>,
    number: Nsapi,
) -> Result<&'b [u8], WriteError> {
    let mut writer = head.writer();
    if let Ok(ebi) = Ebi::new(number.number()) {
        writer.ebi(0, ebi);
    }
    if let Some(ies) = ies {
        pass(ies, &mut writer, |kind| {
            is_of_hop(kind) || matches!(kind, IeType::EBI | IeType::NODE_TYPE)
        });
        pass_flags(ies, &mut writer);
    }
    writer.finish()
}

/// Delete Bearer Request to the MME as the PGW sent it (table 7.2.9.2-1); its cause says why.
pub(super) fn delete_bearer<'b>(head: Head<'b>, ies: &IeSet<'_>) -> Result<&'b [u8], WriteError> {
    let mut writer = head.writer();
    pass(ies, &mut writer, |kind| {
        is_of_hop(kind) && kind != IeType::CAUSE
    });
    writer.finish()
}

/// What goes on of an answer beside its cause and its bearers (tables 7.2.8-1, 7.2.10.1-1, 7.2.10.2-1), as octets.
pub(super) fn of_answer(ies: &IeSet<'_>) -> Vec<u8> {
    elements(ies, is_of_hop)
}

/// The same of one that refuses a session: of what is not made nothing is told.
pub(super) fn of_refused(ies: &IeSet<'_>) -> Vec<u8> {
    elements(ies, |kind| {
        is_of_hop(kind) || matches!(kind, IeType::PAA | IeType::BEARER_CONTEXT)
    })
}

/// The same of one about bearers that are ours to tell of.
pub(super) fn of_modified(ies: &IeSet<'_>) -> Vec<u8> {
    elements(ies, |kind| {
        is_of_hop(kind) || kind == IeType::BEARER_CONTEXT
    })
}

/// The default bearer of an answer to Delete Bearer Request, as octets.
pub(super) fn linked(number: Nsapi) -> Vec<u8> {
    vec![IeType::EBI.0, 0, 1, 0, number.number()]
}

/// Octets of elements as they came, but for the spare half octet.
fn elements(ies: &IeSet<'_>, stays: impl Fn(IeType) -> bool) -> Vec<u8> {
    let mut octets = Vec::new();
    for ie in ies.iter().filter(|ie| !stays(ie.kind)) {
        element(&mut octets, ie.kind, ie.instance, ie.value);
    }
    octets
}

fn element(octets: &mut Vec<u8>, kind: IeType, instance: u8, value: &[u8]) {
    // It is out of a message, which 16 bits can measure.
    let [l0, l1] = (value.len() as u16).to_be_bytes();
    octets.extend_from_slice(&[kind.0, l0, l1, instance]);
    octets.extend_from_slice(value);
}

/// A cause that came from the node behind us is passed on as that (8.4: CS).
pub(super) fn remote(cause: CauseIe) -> CauseIe {
    CauseIe {
        from_remote_node: !cause.cause.is_accepted(),
        ..cause
    }
}

/// Create Session Response to the MME (tables 7.2.2-1, 7.2.2-2): the PGW's, of which `bearer` is the default bearer's
/// context, with our endpoints beside the PGW's. `control` is the UE's endpoint of ours, `user` the session's;
/// `unmade` are the bearers that were asked for beside the default one.
pub(super) fn session_created<'b>(
    head: Head<'b>,
    cause: CauseIe,
    (ies, bearer): (&IeSet<'_>, &IeSet<'_>),
    (control, user): (u32, u32),
    unmade: &[Nsapi],
    config: &PlaneConfig,
) -> Result<&'b [u8], WriteError> {
    let mut writer = head.writer();
    let control = FTeid::new(InterfaceType::S11_SGW_C, control, config.control.ip());
    writer.cause(&cause).f_teid(0, &control);
    if let Some(pgw) = ies.get(IeType::F_TEID, PGW_CONTROL) {
        writer.ie(IeType::F_TEID, PGW_CONTROL, pgw);
    }
    pass(ies, &mut writer, |kind| {
        is_of_hop(kind) || kind == IeType::BEARER_CONTEXT
    });
    writer.bearer_context(0, |group| {
        pass(bearer, group, |kind| kind == IeType::F_TEID);
        group.f_teid(0, &FTeid::new(InterfaceType::S1U_SGW_U, user, config.user));
        if let Some(pgw) = bearer.get(IeType::F_TEID, PGW_USER) {
            group.ie(IeType::F_TEID, PGW_USER, pgw);
        }
    });
    for number in unmade {
        writer.bearer_context(0, |group| {
            if let Ok(ebi) = Ebi::new(number.number()) {
                group.ebi(0, ebi);
            }
            group.cause(&CauseIe::new(Cause::NO_RESOURCES_AVAILABLE));
        });
    }
    writer.recovery(config.recovery);
    writer.finish()
}
