//! Reads files back: rows and values, by the formats that they were written with.
//!
//! Only what can be read in one way is read. A variable is followed by text that none of its values can begin with, or by
//! the end of the line; of several schemas each begins with a text of its own, which is not the beginning of another's.

use std::fmt;

use thiserror::Error;

use crate::config::{ConfigError, SchemaConfig, bound};
use crate::format::{Format, Part};
use crate::table::{About, DataType};

/// Why formats can't be read back.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// A format is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two variables without anything between them.
    #[error(
        "{what}: nothing stands between %{first}% and %{second}%, so that nobody can tell where one ends"
    )]
    Adjacent {
        /// The schema's name, `header` or `footer`.
        what: String,
        /// The first.
        first: &'static str,
        /// The one after it.
        second: &'static str,
    },
    /// A variable before text that may be part of its value.
    #[error("{what}: {text:?} follows %{name}% and may be part of its value")]
    Unclear {
        /// The schema's name, `header` or `footer`.
        what: String,
        /// The variable.
        name: &'static str,
        /// What follows it.
        text: String,
    },
    /// Two formats that begin alike.
    #[error("rows of {first} and {second} begin alike")]
    Alike {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// A line that is none of the formats'.
    #[error("line {line} is of none of the formats")]
    Line {
        /// Its number, from 1.
        line: usize,
    },
}

/// A value that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadValue {
    /// A whole number.
    Int(u64),
    /// A number in thousandths.
    Thousandths(u64),
    /// A text.
    Text(String),
    /// Nothing stands there.
    Absent,
}

/// A row that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRow {
    /// The schema's name, `header` or `footer`.
    pub name: String,
    /// Each variable of its format and its value, in order.
    pub values: Vec<(&'static str, ReadValue)>,
}

impl ReadRow {
    /// The value of a variable; none: its format has no such variable.
    pub fn value(&self, name: &str) -> Option<&ReadValue> {
        let mut values = self.values.iter();
        values.find_map(|(known, value)| (*known == name).then_some(value))
    }
}

/// As it stands in a file.
impl fmt::Display for ReadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Thousandths(n) => write!(f, "{}.{:03}", n / 1_000, n % 1_000),
            Self::Text(text) => f.write_str(text),
            Self::Absent => Ok(()),
        }
    }
}

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A row.
    Row {
        /// Number of the line that it begins on, from 1.
        line: usize,
        /// What it says.
        row: ReadRow,
    },
    /// A line that is of none of the formats.
    Bad {
        /// Its number, from 1.
        line: usize,
    },
}

/// A reader of files of some formats.
#[derive(Debug)]
pub struct Reader {
    rows: Vec<Rows>,
}

#[derive(Debug)]
struct Rows {
    name: String,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Text(String),
    Value(About),
}

impl Reader {
    /// Of the formats of one file. Errors: one is refused, or what it makes could be read in more than one way.
    pub fn new(schemas: &[SchemaConfig], header: &str, footer: &str) -> Result<Self, ReadError> {
        let mut rows = Vec::new();
        for (name, text) in [("header", header), ("footer", footer)] {
            if !text.is_empty() {
                rows.push(Rows::new(name, &bound(name, text)?)?);
            }
        }
        for schema in schemas {
            let format = schema.format()?;
            // Of an empty one nothing is written.
            if !format.parts.is_empty() {
                rows.push(Rows::new(&schema.name, &format)?);
            }
        }
        for (n, one) in rows.iter().enumerate() {
            let alike = |other: &&Rows| {
                one.begins().starts_with(other.begins()) || other.begins().starts_with(one.begins())
            };
            if let Some(other) = rows[..n].iter().find(alike) {
                let (first, second) = (other.name.clone(), one.name.clone());
                return Err(ReadError::Alike { first, second });
            }
        }
        Ok(Self { rows })
    }

    /// All rows of a file, in order.
    pub fn read(&self, file: &str) -> Result<Vec<ReadRow>, ReadError> {
        let rows = self.pieces(file).map(|piece| match piece {
            Piece::Row { row, .. } => Ok(row),
            Piece::Bad { line } => Err(ReadError::Line { line }),
        });
        rows.collect()
    }

    /// What a file has, in order: rows, and lines that are of none of the formats, after each of which it goes on.
    pub fn pieces<'r>(&'r self, file: &'r str) -> impl Iterator<Item = Piece> + 'r {
        let (mut rest, mut next_line) = (file, 1);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let line = next_line;
            let taken = self.rows.iter().find_map(|rows| rows.take(rest));
            let (piece, after) = match taken {
                Some((row, after)) => (Piece::Row { line, row }, after),
                None => {
                    let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
                    (Piece::Bad { line }, &rest[end..])
                }
            };
            let before = &rest.as_bytes()[..rest.len() - after.len()];
            next_line += before.iter().filter(|byte| **byte == b'\n').count();
            rest = after;
            Some(piece)
        })
    }
}

impl Rows {
    fn new(name: &str, format: &Format) -> Result<Self, ReadError> {
        let steps = format.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(Step::Text(text.clone())),
            Part::Common(_) | Part::Own(_) => format.about(part).map(Step::Value),
        });
        let steps: Vec<Step> = steps.collect();
        let what = || name.to_owned();
        for pair in steps.windows(2) {
            match pair {
                [Step::Value(first), Step::Value(second)] => {
                    return Err(ReadError::Adjacent {
                        what: what(),
                        first: first.name,
                        second: second.name,
                    });
                }
                [Step::Value(about), Step::Text(text)] if begins_inside(text, about) => {
                    return Err(ReadError::Unclear {
                        what: what(),
                        name: about.name,
                        text: text.clone(),
                    });
                }
                _ => {}
            }
        }
        let name = what();
        Ok(Self { name, steps })
    }

    /// The text that each row begins with.
    fn begins(&self) -> &str {
        match self.steps.first() {
            Some(Step::Text(text)) => text,
            Some(Step::Value(_)) | None => "",
        }
    }

    /// One row at the beginning of this text, and what follows it.
    fn take<'t>(&self, text: &'t str) -> Option<(ReadRow, &'t str)> {
        let mut rest = text;
        let mut values = Vec::new();
        for step in &self.steps {
            match step {
                Step::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Step::Value(about) => {
                    let ends = rest.bytes().position(|byte| !about.alphabet.has(byte));
                    let (value, after) = rest.split_at(ends.unwrap_or(rest.len()));
                    values.push((about.name, parsed(about.data, value)?));
                    rest = after;
                }
            }
        }
        let name = self.name.clone();
        Some((ReadRow { name, values }, rest))
    }
}

/// May the text be the next part of a value?
fn begins_inside(text: &str, about: &About) -> bool {
    let first = text.bytes().next();
    first.is_none_or(|byte| about.alphabet.has(byte))
}

/// None: it is no value of this type.
fn parsed(data: DataType, text: &str) -> Option<ReadValue> {
    if text.is_empty() {
        return Some(ReadValue::Absent);
    }
    match data {
        DataType::Int32 | DataType::Int64 => text.parse().ok().map(ReadValue::Int),
        DataType::Float => {
            let (whole, rest) = text.split_once('.')?;
            let whole: u64 = whole.parse().ok()?;
            let rest: u64 = rest.parse().ok().filter(|_| rest.len() == 3)?;
            let thousandths = whole.checked_mul(1_000)?.checked_add(rest)?;
            Some(ReadValue::Thousandths(thousandths))
        }
        DataType::String => Some(ReadValue::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::FileConfig;
    use crate::fixture::{AT, view};
    use crate::moment::Moment;
    use crate::plan::FilePlan;
    use crate::table::{Schema, common};

    fn schema(line: &str) -> SchemaConfig {
        SchemaConfig::parse(line).unwrap()
    }

    fn refused(lines: &[&str], header: &str) -> ReadError {
        let schemas: Vec<SchemaConfig> = lines.iter().map(|line| schema(line)).collect();
        Reader::new(&schemas, header, "EndOfFile").unwrap_err()
    }

    #[test]
    fn a_file_is_read_with_header_and_footer() {
        let schemas = [
            schema("tollgate-license schema t format PPM,t,%name%,%ceiling_use%,%granted%"),
            schema("system schema s format PPM,s,%epochtime%"),
        ];
        let reader = Reader::new(&schemas, "Version,%date%", "EndOfFile").unwrap();
        let file =
            "Version,20261121\nPPM,t,GGSN,79.166,22\nPPM,t,GRE,,\nPPM,s,1795300000\nEndOfFile\n";
        let rows = reader.read(file).unwrap();
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["header", "t", "t", "s", "footer"]);
        assert_eq!(
            rows[0].values,
            [("date", ReadValue::Text("20261121".into()))]
        );
        let text = |text: &str| ReadValue::Text(text.into());
        let expected = [
            ("name", text("GGSN")),
            ("ceiling_use", ReadValue::Thousandths(79_166)),
            ("granted", ReadValue::Int(22)),
        ];
        assert_eq!(rows[1].values, expected);
        assert_eq!(rows[2].values[1].1, ReadValue::Absent);
        assert_eq!(rows[3].values[0].1, ReadValue::Int(1_795_300_000));
        for (file, line) in [
            ("Version,20261121\nPPM,u\n", 2),
            ("PPM,s,1\nPPM,s,x\n", 2),
            ("PPM,s,1\nPPM,s,2", 2),
            ("PPM,t,GGSN,79.1,\n", 1),
            ("PPM,s,99999999999999999999\n", 1),
            ("\n", 1),
        ] {
            assert_eq!(reader.read(file), Err(ReadError::Line { line }), "{file:?}");
        }
    }

    #[test]
    fn reading_goes_on_after_a_line_of_no_format() {
        let schemas = [schema("system schema s format PPM,%uptime%\\nend,%peers%")];
        let reader = Reader::new(&schemas, "", "").unwrap();
        let file = "x\nPPM,1\nend,2\n\nPPM,3\nPPM,4\nend,5\nPPM,6\nend,7";
        let found: Vec<(usize, Option<String>)> = reader
            .pieces(file)
            .map(|piece| match piece {
                Piece::Row { line, row } => (line, row.value("peers").map(ToString::to_string)),
                Piece::Bad { line } => (line, None),
            })
            .collect();
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            (1, None),
            (2, some("2")),
            (4, None),
            (5, None),
            (6, some("5")),
            (8, None),
            (9, None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_ambiguous_is_refused_and_said_why() {
        let (first, second, what) = ("name", "tagid", "x".to_owned());
        assert_eq!(
            refused(&["tollgate-license schema x format a,%name%%tagid%"], ""),
            ReadError::Adjacent {
                what,
                first,
                second
            }
        );
        let (name, what, text) = ("host", "x".to_owned(), "-a,".to_owned());
        assert_eq!(
            refused(&["system schema x format %host%-a,%uptime%"], ""),
            ReadError::Unclear { what, name, text }
        );
        // A date has digits only.
        let dated = [schema("system schema x format %date%-%time%")];
        assert!(Reader::new(&dated, "", "").is_ok());
        let two = [
            "system schema x format PPM,%uptime%",
            "apn schema y format PPM,%apn%",
        ];
        let (first, second) = ("x".to_owned(), "y".to_owned());
        assert_eq!(refused(&two, ""), ReadError::Alike { first, second });
        let (first, second) = ("header".to_owned(), "x".to_owned());
        assert_eq!(
            refused(&two[..1], "P%date%"),
            ReadError::Alike { first, second }
        );
    }

    /// A schema, and a text with variables of it.
    fn texts() -> impl Strategy<Value = (Schema, String)> {
        let schema = prop::sample::select(Schema::ALL.to_vec());
        schema.prop_flat_map(|schema| {
            let names = schema.variables().into_iter().chain(common());
            let names: Vec<&str> = names.map(|about| about.name).collect();
            let piece = prop_oneof![
                3 => prop::sample::select(names).prop_map(|name| format!("%{name}%")),
                1 => "[ -$&-\\[\\]-~]{0,3}",
                3 => prop::sample::select(vec![",", ";", "|", " ", "\\t", "%%", "\\n", "=", "\\\""]).prop_map(str::to_owned),
            ];
            let text = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
            (Just(schema), text)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Whatever a format says, what it collects is read back to the same values, or it is refused as ambiguous.
        #[test]
        fn what_is_collected_is_read_back((kind, text) in texts()) {
            let config = SchemaConfig { schema: kind, name: "x".into(), format: text };
            let reader = match Reader::new(std::slice::from_ref(&config), "", "") {
                Ok(reader) => reader,
                Err(ReadError::Adjacent { .. } | ReadError::Unclear { .. }) => return Ok(()),
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            let format = config.format().unwrap();
            let mut file = FileConfig::new(1, "x");
            file.schemas.push(config);
            let (view, mut out) = (view(), Vec::new());
            let moment = Moment::new(&view, AT, "a+b", None);
            let written = FilePlan::new(file).unwrap().write_sample(&moment, &view, &mut out);
            let rows = reader.read(std::str::from_utf8(&out).unwrap()).unwrap();
            if format.parts.is_empty() {
                prop_assert!(rows.is_empty());
                return Ok(());
            }
            prop_assert_eq!(rows.len() as u64, written);
            // Each variable by itself has the same values.
            for (place, (name, _)) in rows.first().map_or(&[][..], |row| &row.values).iter().enumerate() {
                let alone = SchemaConfig { schema: kind, name: "y".into(), format: format!("%{name}%") };
                let mut file = FileConfig::new(1, "x");
                file.schemas.push(alone);
                let mut out = Vec::new();
                FilePlan::new(file).unwrap().write_sample(&moment, &view, &mut out);
                let texts = String::from_utf8(out).unwrap();
                for (row, text) in rows.iter().zip(texts.lines()) {
                    prop_assert_eq!(row.values[place].1.to_string(), text);
                }
            }
        }
    }
}
