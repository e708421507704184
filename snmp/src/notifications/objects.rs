//! Objects that notifications carry: their names, and their values as functions of what the notification is about.

use licensing::snapshot::{Snapshot, State, TagRow};
use licensing::{Alarm, Compliance, FeatureIndex, Mode, Policy, ServiceIndex, TagRef};

use super::Mib;
use crate::objects::Syntax;
use crate::{Oid, Value, VarBind};

/// Which instance a varbind names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A scalar: `.0`.
    Scalar,
    /// The column of a table by service: context 1, and the service's place in the catalog from 1.
    Service,
    /// The column of a table by tag: its place from 1 among services and features; `.0` if it is about no tag.
    Tag,
}

/// One object.
#[derive(Debug)]
pub struct Object {
    /// Name in its MIB.
    pub name: &'static str,
    /// Its MIB.
    pub mib: Mib,
    /// Arcs below the MIB: below `.1.3.6.1.4.1.8164.1`, `.1.3.6.1.4.1.9.9.831.0`, or `.1` of ours.
    pub arcs: &'static [u32],
    /// Which instance.
    pub place: Place,
    /// Its type.
    pub syntax: Syntax,
    /// What it is.
    pub help: &'static str,
    /// Its value.
    pub value: fn(&Subject<'_>) -> Value,
}

/// What a notification is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The node.
    pub snapshot: &'a Snapshot,
    /// The alarm that it carries, if it does.
    pub alarm: Option<&'a Alarm>,
    /// The service or feature, if it is about one.
    pub tag: Option<TagRef>,
    /// The standing that its tag has now, if it is about that.
    pub compliance: Option<Compliance>,
    /// The figure that goes with it, if one does.
    pub figure: i64,
    /// Another figure, if two go with it.
    pub further: i64,
    /// A sentence, if one goes with it.
    pub text: &'a str,
}

impl Object {
    /// The varbind of this object.
    pub fn bind(&self, subject: &Subject<'_>, enterprise: &Oid) -> VarBind {
        let place = match self.place {
            Place::Scalar => vec![0],
            Place::Service => vec![1, subject.service_place()],
            Place::Tag => vec![subject.row_place()],
        };
        VarBind::new(self.oid(enterprise).join(&place), (self.value)(subject))
    }

    /// Its name, without an instance.
    pub fn oid(&self, enterprise: &Oid) -> Oid {
        match self.mib {
            Mib::Starent => Oid::from([1, 3, 6, 1, 4, 1, 8164, 1]).join(self.arcs),
            Mib::CiscoSmartLic => Oid::from([1, 3, 6, 1, 4, 1, 9, 9, 831, 0]).join(self.arcs),
            Mib::Tollgate => enterprise.join(&[1]).join(self.arcs),
        }
    }
}

impl<'a> Subject<'a> {
    /// The node and nothing else.
    pub fn node(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            alarm: None,
            tag: None,
            compliance: None,
            figure: 0,
            further: 0,
            text: "",
        }
    }

    pub(super) fn row(&self) -> Option<TagRow<'a>> {
        let snapshot = self.snapshot;
        match self.tag? {
            TagRef::Service(ServiceIndex(at)) => {
                let service = snapshot.services.get(usize::from(at));
                service.map(TagRow::Service)
            }
            TagRef::Feature(FeatureIndex(at)) => {
                let feature = snapshot.features.get(usize::from(at));
                feature.map(TagRow::Feature)
            }
        }
    }

    /// Place of the tag among services and features, from 1; 0: it is about none.
    pub(super) fn row_place(&self) -> u32 {
        match self.tag {
            None => 0,
            Some(TagRef::Service(ServiceIndex(at))) => 1 + u32::from(at),
            Some(TagRef::Feature(FeatureIndex(at))) => {
                // A catalog has at most 64 services.
                let services = u32::try_from(self.snapshot.services.len()).unwrap_or(u32::MAX);
                1 + services + u32::from(at)
            }
        }
    }

    fn service_place(&self) -> u32 {
        match self.tag {
            Some(TagRef::Service(ServiceIndex(at))) => 1 + u32::from(at),
            Some(TagRef::Feature(_)) | None => 0,
        }
    }
}

/// As people read it.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Integer(n) => n.to_string(),
        Value::Counter32(n) | Value::Gauge32(n) | Value::TimeTicks(n) => n.to_string(),
        Value::Counter64(n) => n.to_string(),
        Value::OctetString(octets) => String::from_utf8_lossy(octets).into_owned(),
        Value::ObjectIdentifier(oid) => oid.to_string(),
        Value::IpAddress(address) => address.to_string(),
        Value::Opaque(_)
        | Value::Unspecified
        | Value::NoSuchObject
        | Value::NoSuchInstance
        | Value::EndOfMibView => String::new(),
    }
}

pub(super) fn unsigned(figure: i64) -> Value {
    Value::Gauge32(u32::try_from(figure.max(0)).unwrap_or(u32::MAX))
}

pub(super) fn signed(figure: i64) -> Value {
    let bounded = figure.clamp(i32::MIN.into(), i32::MAX.into());
    Value::Integer(i32::try_from(bounded).unwrap_or(i32::MAX))
}

/// UTF-8 of at most 255 octets, as an SnmpAdminString has.
pub fn admin(text: &str) -> Value {
    Value::text(&text[..text.floor_char_boundary(255)])
}

/// At most 255 octets, as a DisplayString has: what is not printable ASCII becomes a question mark.
pub fn display(text: &str) -> Value {
    let printable = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    Value::text(text.chars().map(printable).take(255).collect::<String>())
}

/// The figure of the subject as Gauge32 or Unsigned32.
pub(super) fn figure(subject: &Subject<'_>) -> Value {
    unsigned(subject.figure)
}

/// Days, the last one begun counts.
pub(super) fn days(subject: &Subject<'_>) -> Value {
    unsigned(
        subject
            .figure
            .max(0)
            .unsigned_abs()
            .div_ceil(86_400)
            .cast_signed(),
    )
}

pub(super) fn tag_name(subject: &Subject<'_>) -> Value {
    display(subject.row().map_or("", |row| &row.tag().name))
}

pub(super) fn sessions(subject: &Subject<'_>) -> Value {
    Value::Gauge32(subject.row().map_or(0, |row| row.sessions().0))
}

/// Sessions of the ceiling; the largest number: none.
pub(super) fn ceiling(subject: &Subject<'_>) -> Value {
    let ceiling = match subject.row() {
        Some(TagRow::Service(service)) => service.ceiling,
        Some(TagRow::Feature(_)) | None => None,
    };
    Value::Gauge32(ceiling.map_or(u32::MAX, |sessions| sessions.0))
}

/// Numbers of [`Policy`].
pub const POLICIES: Syntax = Syntax::Named(&[("allow", 1), ("block", 2)]);
/// Numbers of [`State`].
pub const STATES: Syntax = Syntax::Named(&[("allow", 1), ("allowAtLimit", 2), ("block", 3)]);
/// Numbers of [`Mode`].
pub const MODES: Syntax = Syntax::Named(&[("evaluation", 1), ("registered", 2)]);

/// The number of a policy.
pub fn policy_number(policy: Policy) -> i32 {
    match policy {
        Policy::Allow => 1,
        Policy::Block => 2,
    }
}

/// The number of a state.
pub fn state_number(state: State) -> i32 {
    match state {
        State::Allow => 1,
        State::AllowAtLimit => 2,
        State::Block => 3,
    }
}

/// The number of a mode.
pub fn mode_number(mode: Mode) -> i32 {
    match mode {
        Mode::Evaluation => 1,
        Mode::Registered => 2,
    }
}
