//! Which information elements a request must carry, and in which form: one table a message, checked before anything
//! else is done with it (TS 29.060 7.3, 11.1.5, 11.1.7).

use gtp::v1::value::{gsn_address, number};
use gtp::v1::{Apn, Cause, EndUserAddress, IeSet, IeType, Imsi, Nsapi, QosProfile, ValueError};

/// One element that must be there.
pub(crate) struct Mandatory {
    pub kind: IeType,
    /// How many of the same type come before it.
    pub nth: usize,
    /// In every request, or in some.
    pub when: When,
    form: fn(&[u8]) -> Result<(), ValueError>,
}

/// When an element must be there. One that a procedure takes if it is there is still refused if it is malformed; all
/// that are in no table are as good as absent then (TS 29.060 11.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// Unless the header names a tunnel endpoint: the peer has told us its own before.
    WithoutTeid,
    /// Unless there is an IMEI: an emergency call without a subscriber (TS 29.060 7.3.1).
    WithoutImei,
    /// Only if it is there.
    Optional,
}

const fn always(kind: IeType, form: fn(&[u8]) -> Result<(), ValueError>) -> Mandatory {
    Mandatory {
        kind,
        nth: 0,
        when: When::Always,
        form,
    }
}

const fn second(kind: IeType, form: fn(&[u8]) -> Result<(), ValueError>) -> Mandatory {
    Mandatory {
        nth: 1,
        ..always(kind, form)
    }
}

impl Mandatory {
    const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }
}

/// Create PDP Context Request without a linked NSAPI (TS 29.060 7.3.1, table 5).
pub(crate) static CREATE: [Mandatory; 9] = [
    always(IeType::IMSI, imsi).when(When::WithoutImei),
    always(IeType::TEID_DATA_I, teid),
    always(IeType::TEID_CONTROL_PLANE, teid).when(When::WithoutTeid),
    always(IeType::NSAPI, nsapi),
    always(IeType::END_USER_ADDRESS, end_user_address),
    always(IeType::ACCESS_POINT_NAME, apn),
    always(IeType::GSN_ADDRESS, address),
    second(IeType::GSN_ADDRESS, address),
    always(IeType::QOS_PROFILE, qos),
];

/// Create PDP Context Request with a linked NSAPI: a secondary context (TS 29.060 7.3.1, table 5).
pub(crate) static CREATE_SECONDARY: [Mandatory; 7] = [
    always(IeType::TEID_DATA_I, teid),
    always(IeType::TEID_CONTROL_PLANE, teid).when(When::WithoutTeid),
    always(IeType::NSAPI, nsapi),
    second(IeType::NSAPI, nsapi),
    always(IeType::GSN_ADDRESS, address),
    second(IeType::GSN_ADDRESS, address),
    always(IeType::QOS_PROFILE, qos),
];

/// Update PDP Context Request from an SGSN (TS 29.060 7.3.3, table 7).
pub(crate) static UPDATE: [Mandatory; 6] = [
    always(IeType::TEID_DATA_I, teid),
    always(IeType::TEID_CONTROL_PLANE, teid).when(When::Optional),
    always(IeType::NSAPI, nsapi),
    always(IeType::GSN_ADDRESS, address),
    second(IeType::GSN_ADDRESS, address),
    always(IeType::QOS_PROFILE, qos),
];

/// Delete PDP Context Request (TS 29.060 7.3.5, table 10).
pub(crate) static DELETE: [Mandatory; 1] = [always(IeType::NSAPI, nsapi)];

/// Checks a request: everything that must be there is (else cause 202), and is well formed (else cause 201). What is
/// missing goes before what is malformed (11.1).
pub(crate) fn check(table: &[Mandatory], ies: &IeSet<'_>, teid: u32) -> Result<(), Cause> {
    let missing = |row: &Mandatory| row.is_due(ies, teid) && ies.nth(row.kind, row.nth).is_none();
    if table.iter().any(missing) {
        return Err(Cause::MANDATORY_IE_MISSING);
    }
    let malformed = |row: &Mandatory| {
        let value = ies.nth(row.kind, row.nth);
        value.is_some_and(|value| (row.form)(value).is_err())
    };
    match table.iter().any(malformed) {
        true => Err(Cause::MANDATORY_IE_INCORRECT),
        false => Ok(()),
    }
}

impl Mandatory {
    fn is_due(&self, ies: &IeSet<'_>, teid: u32) -> bool {
        match self.when {
            When::Always => true,
            When::WithoutTeid => teid == 0,
            When::WithoutImei => ies.get(IeType::IMEI).is_none(),
            When::Optional => false,
        }
    }
}

fn imsi(value: &[u8]) -> Result<(), ValueError> {
    Imsi::parse(value).map(drop)
}

fn teid(value: &[u8]) -> Result<(), ValueError> {
    number("tunnel endpoint identifier", value).map(drop)
}

fn nsapi(value: &[u8]) -> Result<(), ValueError> {
    Nsapi::parse(value).map(drop)
}

fn end_user_address(value: &[u8]) -> Result<(), ValueError> {
    EndUserAddress::parse(value).map(drop)
}

fn apn(value: &[u8]) -> Result<(), ValueError> {
    Apn::parse(value).map(drop)
}

fn address(value: &[u8]) -> Result<(), ValueError> {
    gsn_address(value).map(drop)
}

fn qos(value: &[u8]) -> Result<(), ValueError> {
    QosProfile::parse(value).map(drop)
}
