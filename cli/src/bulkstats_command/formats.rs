//! What files were written with, and which rows of them are wanted.

use api::Failure;
use bulkstats::config::{ConfigError, SchemaConfig};
use bulkstats::nearest;
use bulkstats::read::{ReadError, ReadRow, Reader};
use bulkstats::series::about;
use bulkstats::table::{About, Schema};

use crate::grammar::FilesArgs;

const ASKED: &str = "command line";
const HELP: &str = "see tollgate bulkstats read --help";

/// The names of rows that no schema has.
const ENDS: [&str; 2] = ["header", "footer"];

/// The formats, and which rows are wanted.
#[derive(Debug)]
pub struct Formats {
    pub reader: Reader,
    schemas: Vec<SchemaConfig>,
    /// Names of the schemas whose rows are wanted; empty: of all, but not headers and footers.
    names: Vec<String>,
    /// Variables and the values that they are to have.
    only: Vec<(String, String)>,
}

impl Formats {
    /// As they were given.
    pub fn of(args: &FilesArgs) -> Result<Self, Failure> {
        let lines = args.schema.iter().map(|text| text.trim());
        let (lines, names): (Vec<&str>, Vec<&str>) =
            lines.partition(|text| text.contains(char::is_whitespace));
        let schemas = lines.iter().map(|line| SchemaConfig::parse(line));
        let schemas: Vec<SchemaConfig> = schemas.collect::<Result<_, _>>().map_err(refused)?;
        let reader = Reader::new(&schemas, &args.header, &args.footer).map_err(unread)?;
        let known = || {
            schemas
                .iter()
                .map(|schema| schema.name.as_str())
                .chain(ENDS)
        };
        for name in &names {
            if !known().any(|known| known == *name) {
                let what = format!("no schema {name:?}{}", nearest_of(known(), name));
                return Err(Failure::new(what, ASKED, HELP));
            }
        }
        if schemas.is_empty() && args.header.is_empty() && args.footer.is_empty() {
            let what = "no schema is given as its line";
            return Err(Failure::new(what, ASKED, HELP));
        }
        let mut formats = Self {
            reader,
            names: names.iter().map(ToString::to_string).collect(),
            only: Vec::new(),
            schemas,
        };
        for text in &args.only {
            let Some((name, value)) = text.split_once('=') else {
                let what = format!("{text:?} is no VARIABLE=VALUE");
                return Err(Failure::new(what, "--where", HELP));
            };
            formats.known(name)?;
            formats.only.push((name.to_owned(), value.to_owned()));
        }
        Ok(formats)
    }

    /// Is this row asked for?
    pub fn wants(&self, row: &ReadRow) -> bool {
        let named = match self.names.is_empty() {
            true => !ENDS.contains(&row.name.as_str()),
            false => self.names.contains(&row.name),
        };
        let has = |(name, wanted): &(String, String)| {
            row.value(name)
                .is_some_and(|value| value.to_string() == *wanted)
        };
        named && self.only.iter().all(has)
    }

    /// Names of the schemas that are wanted, in the order in which they were given.
    pub fn wanted(&self) -> Vec<&str> {
        let all = self.schemas.iter().map(|schema| schema.name.as_str());
        match self.names.is_empty() {
            true => all.collect(),
            false => {
                let named = |name: &&str| self.names.iter().any(|wanted| wanted == name);
                all.chain(ENDS).filter(named).collect()
            }
        }
    }

    /// The kind of a schema. Errors: headers and footers are of none.
    pub fn kind(&self, name: &str) -> Result<Schema, Failure> {
        let found = self.schemas.iter().find(|schema| schema.name == name);
        found
            .map(|schema| schema.schema)
            .ok_or_else(|| Failure::new("it has no rows", name, HELP))
    }

    /// What a variable of a schema is; none: it is of a header or footer, or there is no such.
    pub fn about(&self, name: &str, variable: &str) -> Option<About> {
        let schema = self.schemas.iter().find(|schema| schema.name == name)?;
        about(schema.schema, variable)
    }

    /// The one schema whose format has a variable, and what that is.
    pub fn with_variable(&self, variable: &str) -> Result<(String, About), Failure> {
        let wanted = self.wanted();
        let having = self.schemas.iter().filter(|schema| {
            wanted.contains(&schema.name.as_str()) && variables(schema).contains(&variable)
        });
        let having: Vec<&SchemaConfig> = having.collect();
        match having.as_slice() {
            [] => Err(self.missing(variable)),
            [one] => Ok((one.name.clone(), self.variable(&one.name, variable)?)),
            [first, ..] => {
                let names: Vec<&str> = having.iter().map(|schema| schema.name.as_str()).collect();
                let what = format!("%{variable}% is in several schemas: {}", names.join(", "));
                let todo = format!("name one: --schema {}", first.name);
                Err(Failure::new(what, ASKED, todo))
            }
        }
    }

    /// A variable that the format of this schema has.
    pub fn variable(&self, name: &str, variable: &str) -> Result<About, Failure> {
        let schema = self.schemas.iter().find(|schema| schema.name == name);
        let there = schema.filter(|schema| variables(schema).contains(&variable));
        there
            .and_then(|schema| about(schema.schema, variable))
            .ok_or_else(|| match schema {
                None => self.missing(variable),
                Some(schema) => absent(variable, &variables(schema)),
            })
    }

    /// Some format has the variable.
    fn known(&self, variable: &str) -> Result<(), Failure> {
        let mut all = self.schemas.iter().flat_map(variables);
        match all.any(|known| known == variable) {
            true => Ok(()),
            false => Err(self.missing(variable)),
        }
    }

    fn missing(&self, variable: &str) -> Failure {
        let all: Vec<&str> = self.schemas.iter().flat_map(variables).collect();
        absent(variable, &all)
    }
}

/// The variables that a schema's format has, in order.
fn variables(schema: &SchemaConfig) -> Vec<&str> {
    // It was checked: percent signs come in pairs, and what lies between two is a name or nothing.
    let pieces = schema.format.split('%').skip(1).step_by(2);
    pieces.filter(|name| !name.is_empty()).collect()
}

fn absent(variable: &str, known: &[&str]) -> Failure {
    let nearest = nearest_of(known.iter().copied(), variable);
    let what = format!("the formats have no %{variable}%{nearest}");
    Failure::new(what, ASKED, HELP)
}

fn nearest_of<'n>(names: impl Iterator<Item = &'n str>, name: &str) -> String {
    nearest(names, name).map_or_else(String::new, |nearest| format!("; the nearest is {nearest}"))
}

fn refused(error: ConfigError) -> Failure {
    Failure::new(error.to_string(), "--schema", HELP)
}

fn unread(error: ReadError) -> Failure {
    let todo = "files of this format can't be read back in one way only";
    match error {
        ReadError::Config(error) => refused(error),
        error @ (ReadError::Adjacent { .. }
        | ReadError::Unclear { .. }
        | ReadError::Alike { .. }
        | ReadError::Line { .. }) => Failure::new(error.to_string(), "--schema", todo),
    }
}
