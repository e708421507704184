//! The table of variables: one row is a name, a type, a help text and a function of the view.
//!
//! What is collected, what can be read back, `show bulkstats variables` and docs/bulkstats.md derive from it.

mod agent;
mod apn;
mod every;
mod files;
mod gtpc;
mod smart;
mod system;
#[cfg(test)]
mod tests;
mod tollgate;

use std::fmt;

use crate::moment::Moment;
use crate::value::{Value, word};
use crate::view::View;

pub(crate) use agent::AgentRows;
pub(crate) use apn::ApnRows;
pub(crate) use every::COMMON;
pub(crate) use files::FileRows;
pub(crate) use gtpc::GtpcRows;
pub(crate) use smart::SmartRows;
pub(crate) use system::SystemRows;
pub(crate) use tollgate::TollgateRows;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataType {
    /// Decimal; rolls over to 0 after 4,294,967,295.
    Int32,
    /// Decimal; rolls over to 0 after 18,446,744,073,709,551,615.
    Int64,
    /// Decimal with three places after the point.
    Float,
    /// Characters, without separators.
    String,
}

/// How a value behaves from one sample to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only rises, until it rolls over or the process begins anew.
    Counter,
    /// It is a level.
    Gauge,
    /// It says what the row is about, or how something is.
    Info,
}

/// Which characters a value of a variable can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Digits.
    Digits,
    /// Digits and a point.
    Decimal,
    /// Digits, colons and a sign.
    Clock,
    /// See [`word`].
    Word,
}

/// What a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// As it is written between percent signs.
    pub name: &'static str,
    /// How its value is written.
    pub data: DataType,
    /// How its value behaves.
    pub kind: Kind,
    /// It tells rows of one sample apart.
    pub apart: bool,
    /// It is marked as that where variables are shown; StarOS has no marks in `smart-license`.
    pub key: bool,
    /// It names the row as its keys do, for people.
    pub label: bool,
    /// Its unit; empty: a number of things, or a text.
    pub unit: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Which characters its value can have.
    pub alphabet: Alphabet,
    /// Longest value, in bytes, of what may stand in a file's name; none: it may not.
    pub in_name: Option<usize>,
}

/// A variable of every schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Common {
    pub about: About,
    pub value: for<'m> fn(&'m Moment) -> Value<'m>,
}

/// A variable of one schema.
pub(crate) struct Own<R: Rows> {
    pub about: About,
    pub value: for<'v> fn(&'v View, R::Row<'v>) -> Value<'v>,
}

/// The rows that a schema has in a sample.
pub(crate) trait Rows: Sized + 'static {
    /// What a row is about.
    type Row<'v>: Copy;
    /// The variables, in order.
    const VARIABLES: &'static [Own<Self>];
    /// The rows, in order.
    fn rows(view: &View) -> impl Iterator<Item = Self::Row<'_>>;
}

/// The kinds of schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Schema {
    /// As StarOS has it: a row a mode and service.
    SmartLicense,
    /// What StarOS has not: a row a service and feature.
    TollgateLicense,
    /// The node: one row.
    System,
    /// A row an access point.
    Apn,
    /// Signalling: a row a message type, and one a request and cause.
    Gtpc,
    /// The Smart Agent: one row.
    Agent,
    /// What becomes of bulk statistics themselves: a row a file.
    Bulkstats,
}

impl Schema {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::SmartLicense,
        Self::TollgateLicense,
        Self::System,
        Self::Apn,
        Self::Gtpc,
        Self::Agent,
        Self::Bulkstats,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmartLicense => "smart-license",
            Self::TollgateLicense => "tollgate-license",
            Self::System => "system",
            Self::Apn => "apn",
            Self::Gtpc => "gtpc",
            Self::Agent => "agent",
            Self::Bulkstats => "bulkstats",
        }
    }

    /// What it has rows of.
    pub const fn rows(self) -> &'static str {
        match self {
            Self::SmartLicense => "One row a mode and service, evaluation first.",
            Self::TollgateLicense => "One row a service and feature, services first.",
            Self::System => "One row.",
            Self::Apn => "One row an access point, in the order of the configuration.",
            Self::Gtpc => {
                "One row a message type that was received or sent, then one row a request and cause that was sent or received."
            }
            Self::Agent => "One row.",
            Self::Bulkstats => {
                "One row a file, by number. Its counters begin anew with `clear bulkstats counters`, too."
            }
        }
    }

    /// Of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|schema| schema.name() == name)
    }

    /// Its own variables, in order, without the common ones.
    pub fn variables(self) -> Vec<About> {
        fn of<R: Rows>() -> Vec<About> {
            R::VARIABLES.iter().map(|variable| variable.about).collect()
        }
        match self {
            Self::SmartLicense => of::<SmartRows>(),
            Self::TollgateLicense => of::<TollgateRows>(),
            Self::System => of::<SystemRows>(),
            Self::Apn => of::<ApnRows>(),
            Self::Gtpc => of::<GtpcRows>(),
            Self::Agent => of::<AgentRows>(),
            Self::Bulkstats => of::<FileRows>(),
        }
    }
}

/// The variables that every schema, header, footer and name of a file has, in order.
pub fn common() -> impl Iterator<Item = About> {
    COMMON.iter().map(|variable| variable.about)
}

impl Alphabet {
    /// Can a value have this?
    pub const fn has(self, byte: u8) -> bool {
        match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Decimal => byte.is_ascii_digit() || byte == b'.',
            Self::Clock => byte.is_ascii_digit() || matches!(byte, b':' | b'+' | b'-'),
            Self::Word => word(byte),
        }
    }
}

impl About {
    const fn of(name: &'static str, data: DataType, kind: Kind, help: &'static str) -> Self {
        let alphabet = match data {
            DataType::Int32 | DataType::Int64 => Alphabet::Digits,
            DataType::Float => Alphabet::Decimal,
            DataType::String => Alphabet::Word,
        };
        Self {
            name,
            data,
            kind,
            apart: false,
            key: false,
            label: false,
            unit: "",
            help,
            alphabet,
            in_name: None,
        }
    }

    /// A text.
    pub(crate) const fn info(name: &'static str, help: &'static str) -> Self {
        Self::of(name, DataType::String, Kind::Info, help)
    }

    /// A number that says what a row is about.
    pub(crate) const fn number(name: &'static str, help: &'static str) -> Self {
        Self::of(name, DataType::Int32, Kind::Info, help)
    }

    pub(crate) const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::of(name, DataType::Int64, Kind::Counter, help)
    }

    pub(crate) const fn counter32(name: &'static str, help: &'static str) -> Self {
        Self::of(name, DataType::Int32, Kind::Counter, help)
    }

    pub(crate) const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::of(name, DataType::Int64, Kind::Gauge, help)
    }

    /// 1 or 0.
    pub(crate) const fn truth(name: &'static str, help: &'static str) -> Self {
        Self::of(name, DataType::Int32, Kind::Gauge, help)
    }

    pub(crate) const fn float(name: &'static str, help: &'static str) -> Self {
        Self::of(name, DataType::Float, Kind::Gauge, help)
    }

    /// A time, in seconds since 1970.
    pub(crate) const fn time(name: &'static str, help: &'static str) -> Self {
        Self::of(name, DataType::Int64, Kind::Info, help).unit("s")
    }

    pub(crate) const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    pub(crate) const fn key(self) -> Self {
        Self {
            key: true,
            ..self.apart()
        }
    }

    pub(crate) const fn apart(self) -> Self {
        Self {
            apart: true,
            ..self
        }
    }

    pub(crate) const fn label(self) -> Self {
        Self {
            label: true,
            ..self
        }
    }

    pub(crate) const fn spelled(self, alphabet: Alphabet) -> Self {
        Self { alphabet, ..self }
    }

    pub(crate) const fn at_most(self, bytes: usize) -> Self {
        Self {
            in_name: Some(bytes),
            ..self
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Int32 => "Int32",
            Self::Int64 => "Int64",
            Self::Float => "Float",
            Self::String => "String",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Counter => "Counter",
            Self::Gauge => "Gauge",
            Self::Info => "Info",
        })
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A variable of a schema.
pub(crate) const fn own<R: Rows>(
    about: About,
    value: for<'v> fn(&'v View, R::Row<'v>) -> Value<'v>,
) -> Own<R> {
    Own { about, value }
}

/// A wall time, in seconds since 1970.
pub(crate) fn seconds(at: Option<licensing::Wall>) -> Value<'static> {
    let at = at.and_then(|at| u64::try_from(at.0.div_euclid(1_000)).ok());
    at.map_or(Value::Absent, Value::Int)
}

/// What may have no source yet.
pub(crate) fn count(n: Option<impl Into<u64>>) -> Value<'static> {
    n.map_or(Value::Absent, |n| Value::Int(n.into()))
}

pub(crate) fn truth(is: bool) -> Value<'static> {
    Value::Int(is.into())
}
