//! Format texts: static text, escapes and variables, checked once and then written straight.
//!
//! ```text
//! PPM,smart-license,sl,%localdate%,%localtime%,%mode%,%tagid%,%cur_call_count%\n
//! ```
//!
//! `\n` is a new line, `\t` a tabulator, `\\` and `\"` are themselves, `%name%` is a variable and `%%` a percent sign. A
//! variable that the schema does not have is an error when it is configured, never an empty field later.

use thiserror::Error;

use crate::moment::Moment;
use crate::table::{
    About, AgentRows, ApnRows, COMMON, DataType, FileRows, GtpcRows, Rows, Schema, SmartRows,
    SystemRows, TollgateRows, common,
};
use crate::value::Value;
use crate::view::View;

/// Why a text is no format. Places are characters of the text, from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// A variable that is not there.
    #[error("no variable %{name}% here, at character {at}; the nearest is %{nearest}%")]
    Unknown {
        /// As it was written.
        name: String,
        /// Where its first percent sign is.
        at: usize,
        /// The variable whose name takes the fewest changes.
        nearest: &'static str,
    },
    /// A variable that may not stand in the name of a file.
    #[error("%{name}% at character {at} can't stand in the name of a file")]
    NotInName {
        /// The variable.
        name: &'static str,
        /// Where its first percent sign is.
        at: usize,
    },
    /// A percent sign without its other one.
    #[error("the percent sign at character {at} has no other one; a percent sign itself is %%")]
    Unclosed {
        /// Where it is.
        at: usize,
    },
    /// A backslash before something that is not escaped.
    #[error("at character {at} a backslash is not followed by n, t, \\ or \"")]
    Escape {
        /// Where the backslash is.
        at: usize,
    },
    /// Something that is not printable ASCII.
    #[error("character {at} is not printable ASCII")]
    Character {
        /// Where it is.
        at: usize,
    },
}

/// A format text in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub schema: Option<Schema>,
    pub parts: Vec<Part>,
}

/// Static text, or a variable by its place in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Common(usize),
    Own(usize),
}

impl Format {
    /// Of a schema's rows; without a schema of a header, footer or name.
    pub fn parse(text: &str, schema: Option<Schema>) -> Result<Self, FormatError> {
        let own = schema.map_or_else(Vec::new, Schema::variables);
        let mut format = Self {
            schema,
            parts: Vec::new(),
        };
        let mut characters = text.chars().enumerate().map(|(at, c)| (at + 1, c));
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => match characters.next() {
                    Some((_, 'n')) => format.push('\n'),
                    Some((_, 't')) => format.push('\t'),
                    Some((_, c @ ('\\' | '"'))) => format.push(c),
                    Some(_) | None => return Err(FormatError::Escape { at }),
                },
                '%' => {
                    let mut closed = false;
                    let name = characters.by_ref().map(|(_, c)| c);
                    let name: String = name
                        .take_while(|c| {
                            closed = *c == '%';
                            !closed
                        })
                        .collect();
                    match (closed, name.is_empty()) {
                        (false, _) => return Err(FormatError::Unclosed { at }),
                        (true, true) => format.push('%'),
                        (true, false) => format.parts.push(variable(&own, name, at)?),
                    }
                }
                ' '..='~' => format.push(c),
                _ => return Err(FormatError::Character { at }),
            }
        }
        Ok(format)
    }

    fn push(&mut self, c: char) {
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            Some(Part::Common(_) | Part::Own(_)) | None => {
                self.parts.push(Part::Text(c.to_string()));
            }
        }
    }

    /// Ends it with a new line, as each row of a file does, unless it does already or is empty.
    #[must_use]
    pub fn ended(mut self) -> Self {
        let ended = match self.parts.last() {
            Some(Part::Text(text)) => text.ends_with('\n'),
            Some(Part::Common(_) | Part::Own(_)) => false,
            None => true,
        };
        if !ended {
            self.push('\n');
        }
        self
    }

    /// What a part's variable is; none: it is text.
    pub fn about(&self, part: &Part) -> Option<About> {
        match part {
            Part::Text(_) => None,
            Part::Common(at) => COMMON.get(*at).map(|variable| variable.about),
            Part::Own(at) => self.schema.and_then(|s| s.variables().get(*at).copied()),
        }
    }

    /// Writes it with common variables only, as in headers, footers and names. In the name of a file a variable that is longer
    /// than may stand there is cut, has `_` for `/`, and is `-` if it is empty.
    pub fn write_common(&self, moment: &Moment, in_name: bool, out: &mut Vec<u8>) {
        for part in &self.parts {
            let before = out.len();
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Common(at) => {
                    let Some(variable) = COMMON.get(*at) else {
                        continue;
                    };
                    (variable.value)(moment).write(variable.about.data, out);
                    if let Some(most) = variable.about.in_name.filter(|_| in_name) {
                        out.truncate(before.saturating_add(most));
                        named(before, out);
                    }
                }
                Part::Own(_) => {}
            }
        }
    }
}

/// What was written from there on is a part of a name.
fn named(from: usize, out: &mut Vec<u8>) {
    if out.len() == from {
        out.push(b'-');
    }
    let slashes = out.iter_mut().skip(from).filter(|byte| **byte == b'/');
    slashes.for_each(|byte| *byte = b'_');
}

fn variable(own: &[About], name: String, at: usize) -> Result<Part, FormatError> {
    if let Some(place) = own.iter().position(|about| about.name == name) {
        return Ok(Part::Own(place));
    }
    if let Some(place) = common().position(|about| about.name == name) {
        return Ok(Part::Common(place));
    }
    let names = own.iter().copied().chain(common()).map(|about| about.name);
    let nearest = nearest(names, &name).unwrap_or_default();
    Err(FormatError::Unknown { name, at, nearest })
}

/// Of these names the one that takes the fewest changes to become the name.
pub fn nearest<'n>(names: impl Iterator<Item = &'n str>, name: &str) -> Option<&'n str> {
    names.min_by_key(|known| distance(known, name))
}

/// Letters to put in, leave out or change to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (n, x) in a.bytes().enumerate() {
        let mut corner = n;
        row[0] = n + 1;
        for (m, y) in b.bytes().enumerate() {
            let changed = corner + usize::from(x != y);
            corner = row[m + 1];
            row[m + 1] = changed.min(corner + 1).min(row[m] + 1);
        }
    }
    row[b.len()]
}

/// The rows of one schema, ready to be written.
#[derive(Debug)]
pub(crate) struct Lines(Box<dyn WriteRows + Send + Sync>);

impl Lines {
    /// Of a format of this schema.
    pub fn new(format: &Format, schema: Schema) -> Self {
        Self(match schema {
            Schema::SmartLicense => Steps::<SmartRows>::boxed(format),
            Schema::TollgateLicense => Steps::<TollgateRows>::boxed(format),
            Schema::System => Steps::<SystemRows>::boxed(format),
            Schema::Apn => Steps::<ApnRows>::boxed(format),
            Schema::Gtpc => Steps::<GtpcRows>::boxed(format),
            Schema::Agent => Steps::<AgentRows>::boxed(format),
            Schema::Bulkstats => Steps::<FileRows>::boxed(format),
        })
    }

    /// Appends all rows; how many.
    pub fn write(&self, moment: &Moment, view: &View, out: &mut Vec<u8>) -> u64 {
        self.0.write_rows(moment, view, out)
    }
}

trait WriteRows: std::fmt::Debug {
    fn write_rows(&self, moment: &Moment, view: &View, out: &mut Vec<u8>) -> u64;
}

/// A format without anything to be looked up.
struct Steps<R: Rows>(Vec<Step<R>>);

enum Step<R: Rows> {
    Text(Box<[u8]>),
    Common(DataType, for<'m> fn(&'m Moment) -> Value<'m>),
    Own(DataType, for<'v> fn(&'v View, R::Row<'v>) -> Value<'v>),
}

impl<R: Rows> Steps<R> {
    fn boxed(format: &Format) -> Box<dyn WriteRows + Send + Sync> {
        let steps = format.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(Step::Text(text.as_bytes().into())),
            Part::Common(at) => {
                let variable = COMMON.get(*at)?;
                Some(Step::Common(variable.about.data, variable.value))
            }
            Part::Own(at) => {
                let variable = R::VARIABLES.get(*at)?;
                Some(Step::Own(variable.about.data, variable.value))
            }
        });
        Box::new(Self(steps.collect()))
    }
}

impl<R: Rows> WriteRows for Steps<R> {
    fn write_rows(&self, moment: &Moment, view: &View, out: &mut Vec<u8>) -> u64 {
        let mut rows = 0;
        for row in R::rows(view) {
            for step in &self.0 {
                match step {
                    Step::Text(text) => out.extend_from_slice(text),
                    Step::Common(data, value) => value(moment).write(*data, out),
                    Step::Own(data, value) => value(view, row).write(*data, out),
                }
            }
            rows += 1;
        }
        rows
    }
}

impl<R: Rows> std::fmt::Debug for Steps<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} steps", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixture::{AT, view};

    fn written(text: &str) -> String {
        let format = Format::parse(text, None).unwrap();
        let moment = Moment::new(&view(), AT, "", None);
        let mut out = Vec::new();
        format.write_common(&moment, false, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn refused(text: &str, schema: Option<Schema>) -> FormatError {
        Format::parse(text, schema).unwrap_err()
    }

    #[test]
    fn escapes_and_variables_are_what_they_stand_for() {
        for (text, expected) in [
            ("", ""),
            ("EndOfFile", "EndOfFile"),
            (r#"a\nb\"c\\d\te"#, "a\nb\"c\\d\te"),
            ("100%%,%host%,%%host%%", "100%,gw1,%host%"),
            ("%date%-%time%", "20261121-222640"),
            ("%host%%date3%", "gw1261121"),
        ] {
            assert_eq!(written(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unknown_variable_is_told_with_its_place_and_the_nearest() {
        for (text, name, at, nearest) in [
            ("a,%cur_call_cnt%", "cur_call_cnt", 3, "cur_call_count"),
            ("%host%,%locadate%", "locadate", 8, "localdate"),
            ("%%%Host%", "Host", 3, "host"),
            ("%shema%", "shema", 1, "schemas"),
        ] {
            let error = refused(text, Some(Schema::SmartLicense));
            let name = name.to_owned();
            assert_eq!(error, FormatError::Unknown { name, at, nearest });
        }
        let own = "%tagid%";
        assert!(Format::parse(own, Some(Schema::SmartLicense)).is_ok());
        assert!(matches!(refused(own, None), FormatError::Unknown { .. }));
    }

    #[test]
    fn what_is_no_format_is_told_with_its_place() {
        for (text, error) in [
            ("50%", FormatError::Unclosed { at: 3 }),
            ("%host", FormatError::Unclosed { at: 1 }),
            ("%host%%%%", FormatError::Unclosed { at: 9 }),
            (r"a\x", FormatError::Escape { at: 2 }),
            (r"ab\", FormatError::Escape { at: 3 }),
            ("a\nb", FormatError::Character { at: 2 }),
            ("\u{e9}", FormatError::Character { at: 1 }),
            ("\u{7f}", FormatError::Character { at: 1 }),
        ] {
            assert_eq!(refused(text, None), error, "{text:?}");
        }
    }

    #[test]
    fn each_row_is_a_line() {
        let ended = |text| Format::parse(text, None).unwrap().ended().parts;
        assert_eq!(ended(""), []);
        assert_eq!(ended("a"), [Part::Text("a\n".into())]);
        assert_eq!(ended(r"a\n"), [Part::Text("a\n".into())]);
        assert_eq!(ended("%host%").last(), Some(&Part::Text("\n".into())));
    }

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("mode", "mode", 0),
            ("host", "hots", 2),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected));
        }
    }

    proptest! {
        /// Nothing is a format that is not written, and places are inside of the text.
        #[test]
        fn any_text_is_a_format_or_told_why_not(text in r#"([ -~]|%host%|%mode%|\\[nt"\\]|.){0,40}"#) {
            let characters = text.chars().count();
            match Format::parse(&text, Some(Schema::System)) {
                Ok(format) => {
                    let view = view();
                    let moment = Moment::new(&view, AT, "", None);
                    let lines = Lines::new(&format.ended(), Schema::System);
                    let mut out = Vec::new();
                    prop_assert_eq!(lines.write(&moment, &view, &mut out), 1);
                    let complete = out.is_empty() == text.is_empty() && out.last().is_none_or(|b| *b == b'\n');
                    prop_assert!(complete);
                }
                Err(
                    FormatError::Unknown { at, .. }
                    | FormatError::NotInName { at, .. }
                    | FormatError::Unclosed { at }
                    | FormatError::Escape { at }
                    | FormatError::Character { at },
                ) => prop_assert!((1..=characters).contains(&at)),
            }
        }
    }
}
