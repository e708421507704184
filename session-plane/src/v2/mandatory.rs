//! Which information elements a request must carry, and in which form: one table a message, checked before anything
//! else is done with it (TS 29.274 7.2, 7.7.6 to 7.7.8).

use gtp::v2::value::octet;
use gtp::v2::{
    Apn, BearerQos, Cause, CauseIe, Ebi, FTeid, IeSet, IeType, Imei, Imsi, Paa, ValueError,
};

use crate::session::Access;

/// One element that must be there.
pub(super) struct Mandatory {
    kind: IeType,
    instance: u8,
    /// In the first Bearer Context, not in the message itself.
    of_bearer: bool,
    when: When,
    form: fn(&[u8]) -> Result<(), ValueError>,
}

/// When an element must be there. One that a procedure takes if it is there is still refused if it is malformed; all
/// that are in no table are as good as absent then (TS 29.274 7.7.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Mandatory.
    Always,
    /// Conditional, and due in every request that is served here.
    Due,
    /// Conditional: due by this access.
    By(Access),
    /// Conditional: due unless there is an equipment identity, as in an emergency call without a subscriber.
    WithoutMei,
    /// Conditional: due unless the PGW has the connection already, as its endpoint tells.
    OfNew,
    /// Only if it is there.
    Optional,
}

const fn always(kind: IeType, form: fn(&[u8]) -> Result<(), ValueError>) -> Mandatory {
    Mandatory {
        kind,
        instance: 0,
        of_bearer: false,
        when: When::Always,
        form,
    }
}

impl Mandatory {
    const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    const fn of_bearer(self) -> Self {
        Self {
            of_bearer: true,
            ..self
        }
    }

    const fn instance(self, instance: u8) -> Self {
        Self { instance, ..self }
    }

    /// The endpoint for user data, by its instance.
    const fn user_plane(instance: u8, access: Access) -> Self {
        always(IeType::F_TEID, fteid)
            .of_bearer()
            .instance(instance)
            .when(When::By(access))
    }
}

/// Create Session Request on S5/S8, S2a and S2b (TS 29.274 tables 7.2.1-1, 7.2.1-2).
pub(super) static CREATE_SESSION: [Mandatory; 11] = [
    always(IeType::RAT_TYPE, rat_type),
    always(IeType::F_TEID, fteid),
    always(IeType::APN, apn),
    always(IeType::BEARER_CONTEXT, group),
    always(IeType::EBI, ebi).of_bearer(),
    always(IeType::BEARER_QOS, qos).of_bearer(),
    always(IeType::IMSI, imsi).when(When::WithoutMei),
    always(IeType::PAA, paa).when(When::Due),
    Mandatory::user_plane(2, Access::S5),
    Mandatory::user_plane(5, Access::S2b),
    Mandatory::user_plane(6, Access::S2a),
];

/// Create Session Request on S11 (TS 29.274 tables 7.2.1-1, 7.2.1-2).
pub(super) static CREATE_SESSION_S11: [Mandatory; 10] = [
    always(IeType::RAT_TYPE, rat_type),
    always(IeType::F_TEID, fteid),
    always(IeType::APN, apn),
    always(IeType::BEARER_CONTEXT, group),
    always(IeType::EBI, ebi).of_bearer(),
    always(IeType::BEARER_QOS, qos).of_bearer(),
    always(IeType::IMSI, imsi).when(When::WithoutMei),
    always(IeType::F_TEID, fteid).instance(1).when(When::Due),
    always(IeType::PAA, paa).when(When::OfNew),
    always(IeType::F_TEID, fteid)
        .of_bearer()
        .when(When::Optional),
];

/// Modify Bearer Request on S5/S8 and S2b (TS 29.274 tables 7.2.7-1, 7.2.7-2); of each bearer context the number is
/// looked at where it is served.
pub(super) static MODIFY_BEARER: [Mandatory; 2] = [
    always(IeType::F_TEID, fteid).when(When::Optional),
    always(IeType::BEARER_CONTEXT, group).when(When::Optional),
];

/// Delete Bearer Request on S5/S8 (TS 29.274 table 7.2.9.2-1): the default bearer, or dedicated ones.
pub(super) static DELETE_BEARER: [Mandatory; 1] = [always(IeType::EBI, ebi).when(When::Optional)];

/// Create Bearer Request and Update Bearer Request on S5/S8 (TS 29.274 tables 7.2.3-1, 7.2.15-1).
pub(super) static REFUSED_BEARERS: [Mandatory; 2] = [
    always(IeType::BEARER_CONTEXT, group),
    always(IeType::EBI, ebi).of_bearer(),
];

/// Delete Session Request on S5/S8, S2a and S2b (TS 29.274 table 7.2.9.1-1).
pub(super) static DELETE_SESSION: [Mandatory; 1] = [always(IeType::EBI, ebi).when(When::Optional)];

/// Change Notification Request (TS 29.274 table 7.3.14-1).
pub(super) static CHANGE_NOTIFICATION: [Mandatory; 3] = [
    always(IeType::RAT_TYPE, rat_type),
    always(IeType::IMSI, imsi).when(When::Optional),
    always(IeType::MEI, mei).when(When::Optional),
];

/// Resume Notification (TS 29.274 table 7.4.3-1).
pub(super) static RESUME: [Mandatory; 1] = [always(IeType::IMSI, imsi)];

/// Delete Bearer Command (TS 29.274 tables 7.2.17.1-1, 7.2.17.1-2).
pub(super) static BEARER_COMMAND: [Mandatory; 2] = [
    always(IeType::BEARER_CONTEXT, group),
    always(IeType::EBI, ebi).of_bearer(),
];

/// Bearer Resource Command (TS 29.274 table 7.2.5-1).
pub(super) static RESOURCE_COMMAND: [Mandatory; 2] =
    [always(IeType::EBI, ebi), always(IeType::PTI, pti)];

/// Checks a request: everything that must be there is (else cause 70, or 103 if it is conditional), and is well formed
/// (else cause 69); the answer names the first that is not. What is missing goes before what is malformed.
pub(super) fn check(
    table: &[Mandatory],
    ies: &IeSet<'_>,
    access: Option<Access>,
) -> Result<(), CauseIe> {
    let bearer = ies.group(IeType::BEARER_CONTEXT, 0).and_then(Result::ok);
    let found = |row: &Mandatory| match row.of_bearer {
        true => bearer.as_ref()?.get(row.kind, row.instance),
        false => ies.get(row.kind, row.instance),
    };
    // Of a bearer context that can't be read nothing is missing: it is malformed itself.
    let readable = |row: &&Mandatory| !row.of_bearer || bearer.is_some();
    let missing = |row: &&Mandatory| row.is_due(ies, access) && found(row).is_none();
    if let Some(row) = table.iter().filter(readable).find(missing) {
        return Err(row.fault(row.absence()));
    }
    let malformed = |row: &&Mandatory| found(row).is_some_and(|value| (row.form)(value).is_err());
    match table.iter().find(malformed) {
        Some(row) => Err(row.fault(Cause::MANDATORY_IE_INCORRECT)),
        None => Ok(()),
    }
}

impl Mandatory {
    fn is_due(&self, ies: &IeSet<'_>, access: Option<Access>) -> bool {
        match self.when {
            When::Always | When::Due => true,
            When::By(by) => access == Some(by),
            When::WithoutMei => ies.get(IeType::MEI, 0).is_none(),
            When::OfNew => {
                let pgw = ies.get(IeType::F_TEID, 1).map(FTeid::parse);
                !matches!(pgw, Some(Ok(pgw)) if pgw.teid != 0)
            }
            When::Optional => false,
        }
    }

    fn absence(&self) -> Cause {
        match self.when {
            When::Always => Cause::MANDATORY_IE_MISSING,
            When::Due | When::By(_) | When::WithoutMei | When::OfNew | When::Optional => {
                Cause::CONDITIONAL_IE_MISSING
            }
        }
    }

    fn fault(&self, cause: Cause) -> CauseIe {
        CauseIe {
            bearer_context_error: self.of_bearer,
            ..CauseIe::about(cause, self.kind, self.instance)
        }
    }
}

fn rat_type(value: &[u8]) -> Result<(), ValueError> {
    octet("RAT Type", value).map(drop)
}

fn mei(value: &[u8]) -> Result<(), ValueError> {
    Imei::parse(value).map(drop)
}

fn pti(value: &[u8]) -> Result<(), ValueError> {
    octet("Procedure Transaction ID", value).map(drop)
}

fn fteid(value: &[u8]) -> Result<(), ValueError> {
    FTeid::parse(value).map(drop)
}

fn apn(value: &[u8]) -> Result<(), ValueError> {
    Apn::parse(value).map(drop)
}

fn group(value: &[u8]) -> Result<(), ValueError> {
    match IeSet::parse(value) {
        Ok(_) => Ok(()),
        Err(_) => Err(ValueError::Length {
            what: "Bearer Context",
            have: value.len(),
        }),
    }
}

fn ebi(value: &[u8]) -> Result<(), ValueError> {
    Ebi::parse(value).map(drop)
}

fn qos(value: &[u8]) -> Result<(), ValueError> {
    BearerQos::parse(value).map(drop)
}

fn imsi(value: &[u8]) -> Result<(), ValueError> {
    Imsi::parse_short(value).map(drop)
}

fn paa(value: &[u8]) -> Result<(), ValueError> {
    Paa::parse(value).map(drop)
}
