//! What files were written with, and which rows of them are wanted.

use std::fs;
use std::path::Path;

use api::Failure;
use bulkstats::config::{ConfigError, SchemaConfig};
use bulkstats::nearest;
use bulkstats::read::{Piece, ReadError, ReadRow, Reader};
use bulkstats::series::about;
use bulkstats::table::{About, Schema};
use serde::Deserialize;

use crate::grammar::FilesArgs;

const ASKED: &str = "command line";
const HELP: &str = "see tollgate bulkstats read --help";

/// The names of rows that no schema has.
const ENDS: [&str; 2] = ["header", "footer"];

/// The formats, and which rows are wanted.
#[derive(Debug)]
pub struct Formats {
    /// One for each kind of file.
    readers: Vec<Reader>,
    schemas: Vec<SchemaConfig>,
    /// Names of the schemas whose rows are wanted; empty: of all, but not headers and footers.
    names: Vec<String>,
    /// Variables and the values that they are to have.
    only: Vec<(String, String)>,
}

/// What one kind of file is written with.
#[derive(Debug)]
struct Kind {
    schemas: Vec<SchemaConfig>,
    header: String,
    footer: String,
}

impl Formats {
    /// As they were given.
    pub fn of(args: &FilesArgs) -> Result<Self, Failure> {
        let words = args.schema.iter().map(|text| text.trim());
        let (lines, names): (Vec<&str>, Vec<&str>) =
            words.partition(|text| text.contains(char::is_whitespace));
        let mut kinds = match &args.config {
            Some(file) => configured(file, args.file)?,
            None => Vec::new(),
        };
        let lines = lines.iter().map(|line| SchemaConfig::parse(line));
        let lines: Vec<SchemaConfig> = lines.collect::<Result<_, _>>().map_err(refused)?;
        if !lines.is_empty() || !args.header.is_empty() || !args.footer.is_empty() {
            kinds.push(Kind {
                schemas: lines,
                header: args.header.clone(),
                footer: args.footer.clone(),
            });
        }
        if kinds.is_empty() {
            let what = "no schema is given as its line";
            return Err(Failure::new(what, ASKED, HELP));
        }
        let readers = kinds
            .iter()
            .map(|kind| Reader::new(&kind.schemas, &kind.header, &kind.footer));
        let mut formats = Self {
            readers: readers.collect::<Result<_, _>>().map_err(unread)?,
            schemas: one_of_a_name(kinds)?,
            names: names.iter().map(ToString::to_string).collect(),
            only: Vec::new(),
        };
        let known = formats.schemas.iter().map(|schema| schema.name.as_str());
        let known: Vec<&str> = known.chain(ENDS).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            let what = format!("no schema {name:?}{}", nearest_of(known.into_iter(), name));
            return Err(Failure::new(what, ASKED, HELP));
        }
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

    /// What a file has, by the formats that know most of its lines.
    pub fn pieces(&self, text: &str) -> Vec<Piece> {
        let all = self
            .readers
            .iter()
            .map(|reader| reader.pieces(text).collect());
        let bad = |pieces: &Vec<Piece>| {
            let bad = pieces
                .iter()
                .filter(|piece| matches!(piece, Piece::Bad { .. }));
            bad.count()
        };
        all.min_by_key(bad).unwrap_or_default()
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

/// The part of a node's configuration that says what files look like; what else is in it is not looked at.
#[derive(Debug, Deserialize)]
struct Written {
    #[serde(default)]
    bulkstats: Section,
}

#[derive(Debug, Default, Deserialize)]
struct Section {
    #[serde(default)]
    file: Vec<Block>,
}

#[derive(Debug, Deserialize)]
struct Block {
    number: u8,
    #[serde(default)]
    header: String,
    #[serde(default)]
    footer: String,
    #[serde(default)]
    schemas: Vec<String>,
}

/// The kinds of file of a configuration; of one number, if it is given.
fn configured(file: &Path, number: Option<u8>) -> Result<Vec<Kind>, Failure> {
    let place = file.display().to_string();
    let unread = |what: String| Failure::new(what, place.clone(), HELP);
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| unread(format!("it can't be read: {error}")))?;
    let written: Written =
        toml::from_str(&text).map_err(|error| unread(error.message().to_owned()))?;
    let blocks = written.bulkstats.file.into_iter();
    let blocks = blocks.filter(|block| number.is_none_or(|number| block.number == number));
    let kinds = blocks.map(|block| {
        let schemas = block.schemas.iter().map(|line| SchemaConfig::parse(line));
        Ok(Kind {
            schemas: schemas.collect::<Result<_, ConfigError>>()?,
            header: block.header,
            footer: block.footer,
        })
    });
    let kinds: Result<Vec<Kind>, ConfigError> = kinds.collect();
    let kinds = kinds.map_err(|error| unread(error.to_string()))?;
    match kinds.is_empty() {
        true => Err(unread("it has no such file of bulk statistics".to_owned())),
        false => Ok(kinds),
    }
}

/// All schemas, each once. Errors: two of one name differ.
fn one_of_a_name(kinds: Vec<Kind>) -> Result<Vec<SchemaConfig>, Failure> {
    let mut all: Vec<SchemaConfig> = Vec::new();
    for schema in kinds.into_iter().flat_map(|kind| kind.schemas) {
        match all.iter().find(|known| known.name == schema.name) {
            None => all.push(schema),
            Some(known) if *known == schema => {}
            Some(_) => {
                let what = format!("several schemas {:?} are not the same", schema.name);
                return Err(Failure::new(what, ASKED, "choose their file with --file"));
            }
        }
    }
    Ok(all)
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
