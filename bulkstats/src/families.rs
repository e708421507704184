//! The same table as families of OpenMetrics: names, types, units and help texts derive from it, and values are the same
//! functions of the view.
//!
//! A variable `some-thing` of schema `system` is `tollgate_system_some_thing`, with its unit and, of a counter, `_total`
//! behind it. Keys become labels; the texts of a row become labels of one family `_info`. Schema `smart-license` is left
//! out: `tollgate-license` counts the same, by mode.

use std::borrow::Cow;

use licensing::Wall;

use crate::moment::Moment;
use crate::table::{
    About, AgentRows, ApnRows, COMMON, DataType, FileRows, GtpcRows, Kind, Rows, Schema,
    SystemRows, TollgateRows,
};
use crate::value::Value;
use crate::view::View;

/// Upper bounds of a histogram's buckets, in seconds; one more bucket holds all that took longer.
pub const BOUNDS_S: [f64; 15] = [
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
    0.05, 0.1, 0.5, 2.5,
];

/// What a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// It only rises, until the process begins anew.
    Counter,
    /// It is a level.
    Gauge,
    /// Its value is 1, and its labels say something.
    Info,
    /// How often something took how long.
    Histogram,
}

/// One family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name, without its unit and without what the type puts behind it.
    pub name: String,
    /// What it is.
    pub kind: Type,
    /// Its base unit, which stands behind the name.
    pub unit: Option<&'static str>,
    /// What it is, in a sentence.
    pub help: &'static str,
    /// Names of the labels, those of the texts included.
    pub labels: Vec<String>,
    /// The variable that it is; empty: it is of no single one.
    pub variable: &'static str,
}

/// One value of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'v> {
    /// Names and values; a text that is absent has none.
    pub labels: Vec<(String, Cow<'v, str>)>,
    /// The value.
    pub value: Number,
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A count.
    Whole(u64),
    /// In a base unit.
    Real(f64),
}

/// A histogram, which whoever runs the node fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// Its name, without its unit, which is seconds.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Its label.
    pub label: &'static str,
}

/// How long messages took.
pub const PROCEDURES: Histogram = Histogram {
    name: "tollgate_gtpc_procedure_duration",
    help: "From the receipt of a message to the end of its handling, its answer sent; one message of each batch is measured.",
    label: "procedure",
};

/// How long decisions on new calls took.
pub const ADMISSIONS: Histogram = Histogram {
    name: "tollgate_admission_duration",
    help: "Handling of a request for a new call, without its wait; by GTP of the messages that are measured, by the admission API of each batch.",
    label: "way",
};

impl Type {
    /// As OpenMetrics writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Info => "info",
            Self::Histogram => "histogram",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Counter => "_total",
            Self::Info => "_info",
            Self::Gauge | Self::Histogram => "",
        }
    }
}

impl Family {
    /// As it stands in a query; of a histogram without `_bucket`, `_sum` and `_count`.
    pub fn written(&self) -> String {
        let unit = self
            .unit
            .map_or_else(String::new, |unit| format!("_{unit}"));
        format!("{}{unit}{}", self.name, self.kind.suffix())
    }
}

impl Histogram {
    fn family(self) -> Family {
        Family {
            name: self.name.to_owned(),
            kind: Type::Histogram,
            unit: Some("seconds"),
            help: self.help,
            labels: vec![self.label.to_owned()],
            variable: "",
        }
    }
}

/// All families, in the order of the table, histograms last.
pub fn families() -> Vec<Family> {
    let mut families = common();
    families.extend(of::<TollgateRows>(Schema::TollgateLicense));
    families.extend(of::<SystemRows>(Schema::System));
    families.extend(of::<ApnRows>(Schema::Apn));
    families.extend(of::<GtpcRows>(Schema::Gtpc));
    families.extend(of::<AgentRows>(Schema::Agent));
    families.extend(of::<FileRows>(Schema::Bulkstats));
    families.extend([PROCEDURES.family(), ADMISSIONS.family()]);
    families
}

/// All families but the histograms, each with what it has of a view that is of now.
pub fn collect(view: &View, now: Wall, mut take: impl FnMut(Family, Vec<Sample<'_>>)) {
    let moment = Moment::new(view, now, "", None);
    for family in common() {
        let samples = common_samples(&family, &moment);
        take(family, samples);
    }
    samples_of::<TollgateRows>(Schema::TollgateLicense, view, &mut take);
    samples_of::<SystemRows>(Schema::System, view, &mut take);
    samples_of::<ApnRows>(Schema::Apn, view, &mut take);
    samples_of::<GtpcRows>(Schema::Gtpc, view, &mut take);
    samples_of::<AgentRows>(Schema::Agent, view, &mut take);
    samples_of::<FileRows>(Schema::Bulkstats, view, &mut take);
}

/// Of the common variables those that are about the node, not about a file or the hour.
const ABOUT_NODE: [&str; 2] = ["host", "version-no"];
const UPTIME: &str = "uptime";

fn common() -> Vec<Family> {
    let uptime = COMMON.iter().find(|variable| variable.about.name == UPTIME);
    let mut families = vec![Family {
        name: "tollgate_node".to_owned(),
        kind: Type::Info,
        unit: None,
        help: "The node, by its host name, and its version.",
        labels: ABOUT_NODE.map(label).to_vec(),
        variable: "",
    }];
    families.extend(uptime.map(|variable| Family {
        name: "tollgate_node_uptime".to_owned(),
        kind: Type::Gauge,
        unit: Some("seconds"),
        help: variable.about.help,
        labels: Vec::new(),
        variable: UPTIME,
    }));
    families
}

fn common_samples<'m>(family: &Family, moment: &'m Moment) -> Vec<Sample<'m>> {
    let value = |name: &str| {
        let row = COMMON.iter().find(|variable| variable.about.name == name);
        row.map_or(Value::Absent, |variable| (variable.value)(moment))
    };
    let sample = match family.kind {
        Type::Info => Sample {
            labels: ABOUT_NODE
                .iter()
                .filter_map(|name| Some((label(name), text(value(name))?)))
                .collect(),
            value: Number::Whole(1),
        },
        Type::Counter | Type::Gauge | Type::Histogram => Sample {
            labels: Vec::new(),
            value: Number::Whole(moment.uptime_s),
        },
    };
    vec![sample]
}

/// What the names of a schema begin with.
const fn prefix(schema: Schema) -> &'static str {
    match schema {
        Schema::SmartLicense => "tollgate_smart",
        Schema::TollgateLicense => "tollgate_license",
        Schema::System => "tollgate_system",
        Schema::Apn => "tollgate_apn",
        Schema::Gtpc => "tollgate_gtpc",
        Schema::Agent => "tollgate_agent",
        Schema::Bulkstats => "tollgate_bulkstats",
    }
}

/// What the labels of `_info` say.
const fn info_help(schema: Schema) -> &'static str {
    match schema {
        Schema::TollgateLicense | Schema::SmartLicense => {
            "How a service or feature stands: compliance, policy and state."
        }
        Schema::System => "The mode in force.",
        Schema::Apn => "The access point.",
        Schema::Gtpc => "The message type.",
        Schema::Agent => "How the Smart Agent is registered.",
        Schema::Bulkstats => "The file.",
    }
}

fn label(name: &str) -> String {
    name.replace('-', "_")
}

/// It says what the row is about.
fn names_row(about: &About) -> bool {
    about.key || about.label
}

/// A text of the row, for `_info`.
fn is_text(about: &About) -> bool {
    about.data == DataType::String && !names_row(about)
}

fn labels_of<R: Rows>(which: fn(&About) -> bool) -> Vec<String> {
    let rows = R::VARIABLES.iter().filter(|own| which(&own.about));
    rows.map(|own| label(own.about.name)).collect()
}

/// The family of the texts, if there are any, and one a number.
fn of<R: Rows>(schema: Schema) -> Vec<Family> {
    let keys = labels_of::<R>(names_row);
    let texts = labels_of::<R>(is_text);
    let numbers = R::VARIABLES.iter().map(|own| own.about);
    let numbers = numbers.filter(|about| !names_row(about) && !is_text(about));
    let info = (!texts.is_empty()).then(|| Family {
        name: prefix(schema).to_owned(),
        kind: Type::Info,
        unit: None,
        help: info_help(schema),
        labels: [keys.clone(), texts].concat(),
        variable: "",
    });
    let numbers = numbers.map(|about| {
        let (kind, unit) = (kind(&about), unit(&about));
        let instant = if is_instant(&about) { "_timestamp" } else { "" };
        Family {
            name: format!("{}_{}{instant}", prefix(schema), label(about.name)),
            kind,
            unit: unit.map(|(unit, _)| unit),
            help: about.help,
            labels: keys.clone(),
            variable: about.name,
        }
    });
    info.into_iter().chain(numbers).collect()
}

fn samples_of<R: Rows>(
    schema: Schema,
    view: &View,
    take: &mut impl FnMut(Family, Vec<Sample<'_>>),
) {
    for family in of::<R>(schema) {
        let samples = match family.kind {
            Type::Info => {
                let rows = R::rows(view);
                let rows = rows.map(|row| Sample {
                    labels: [
                        named::<R>(view, row, names_row),
                        named::<R>(view, row, is_text),
                    ]
                    .concat(),
                    value: Number::Whole(1),
                });
                rows.collect()
            }
            Type::Counter | Type::Gauge | Type::Histogram => numbers::<R>(&family, view),
        };
        take(family, samples);
    }
}

/// What a family of numbers has: a sample a row that has the number.
fn numbers<'v, R: Rows>(family: &Family, view: &'v View) -> Vec<Sample<'v>> {
    let mut own = R::VARIABLES.iter();
    let Some(own) = own.find(|own| own.about.name == family.variable) else {
        return Vec::new();
    };
    let scale = unit(&own.about).map_or(1.0, |(_, scale)| scale);
    let rows = R::rows(view).filter_map(|row| {
        let value = match (own.value)(view, row) {
            Value::Int(n) if scale == 1.0 => Number::Whole(n),
            Value::Int(n) => Number::Real(n as f64 * scale),
            Value::Thousandths(n) => Number::Real(n as f64 / 1_000.0 * scale),
            Value::Text(_) | Value::Absent => return None,
        };
        Some(Sample {
            labels: named::<R>(view, row, names_row),
            value,
        })
    });
    rows.collect()
}

/// What some variables of a row say, those that are absent left out.
fn named<'v, R: Rows>(
    view: &'v View,
    row: R::Row<'v>,
    which: fn(&About) -> bool,
) -> Vec<(String, Cow<'v, str>)> {
    let variables = R::VARIABLES.iter().filter(|own| which(&own.about));
    let said = variables.filter_map(|own| {
        let said = text((own.value)(view, row))?;
        Some((label(own.about.name), said))
    });
    said.collect()
}

fn text(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Int(n) => Some(Cow::Owned(n.to_string())),
        Value::Thousandths(_) | Value::Absent => None,
    }
}

fn kind(about: &About) -> Type {
    match about.kind {
        Kind::Counter => Type::Counter,
        Kind::Gauge | Kind::Info => Type::Gauge,
    }
}

/// A time since 1970.
fn is_instant(about: &About) -> bool {
    about.kind == Kind::Info && about.unit == "s"
}

/// The base unit, and what a value is times this.
fn unit(about: &About) -> Option<(&'static str, f64)> {
    match about.unit {
        "s" => Some(("seconds", 1.0)),
        "ms" => Some(("seconds", 0.001)),
        "%" => Some(("ratio", 0.01)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
