//! What is collected, into which files, and who receives them; checked when it is configured.

use thiserror::Error;

use crate::format::{Format, FormatError, Part};
use crate::plan::{FilePlan, ZIPPED};
use crate::table::Schema;

/// Numbers of `file <n>` blocks, from 1.
pub const FILES: u8 = 4;

/// Longest line of a schema, in characters: what the command line takes.
pub const LINE_MAX: usize = 1_021;

/// Longest format text of a header or footer, in characters.
pub const HEADER_MAX: usize = 2_047;

/// Longest name of a schema, in characters.
pub const NAME_MAX: usize = 31;

/// Longest name of a file at its receiver, in bytes, whatever its variables are.
pub const REMOTE_MAX: usize = 180;

/// Schemas of one file at most.
pub const SCHEMAS_MAX: usize = 64;

/// From one sample to the next, in minutes, at most: a week.
pub const SAMPLE_MAX_MIN: u32 = 10_080;

/// From one transfer to the next, in minutes, at most.
pub const TRANSFER_MAX_MIN: u32 = 999_999;

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `bulkstats collection`: samples are taken.
    pub collection: bool,
    /// `file <n>` blocks.
    pub files: Vec<FileConfig>,
    /// `sample-interval`, in minutes, 1 to [`SAMPLE_MAX_MIN`].
    pub sample_interval_min: u32,
    /// `transfer-interval`, in minutes, 1 to [`TRANSFER_MAX_MIN`].
    pub transfer_interval_min: u32,
    /// `limit`: bytes that wait to be transferred at most.
    pub limit_bytes: u64,
    /// `historical collection`: days that what was transferred is kept here; 0: only the last file of each block is.
    pub historical_days: u32,
    /// Bytes of what is kept so at most; of more the oldest goes.
    pub historical_bytes: u64,
}

/// One `file <n>` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileConfig {
    /// 1 to [`FILES`].
    pub number: u8,
    /// `header format`; empty: none.
    pub header: String,
    /// `footer format`; empty: none.
    pub footer: String,
    /// `remotefile format`: the name at the receiver, with its directories.
    pub remote: String,
    /// The file is compressed when it is complete, and its name ends in `.gz`.
    pub gzip: bool,
    /// Who gets it; none: it is kept here as what was transferred.
    pub primary: Option<Receiver>,
    /// Who gets it while the primary does not.
    pub secondary: Option<Receiver>,
    /// What is in it, in order.
    pub schemas: Vec<SchemaConfig>,
}

/// A receiver, as it is shown; its secrets stay with whoever transfers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its address or name.
    pub address: String,
    /// How it is spoken to.
    pub mechanism: Mechanism,
    /// The name that it knows the node by; none: it asks for none.
    pub login: Option<String>,
}

/// How a receiver is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// SSH file transfer.
    Sftp,
    /// FTP, or FTPS.
    Ftp,
    /// TFTP.
    Tftp,
    /// HTTP or HTTPS, PUT or POST.
    Http,
}

/// `<schema> schema <name> format "<format>"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaConfig {
    /// Which rows and variables there are.
    pub schema: Schema,
    /// Its name, 1 to [`NAME_MAX`] letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The format text, with its escapes.
    pub format: String,
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// A line that is none of a schema.
    #[error("not a line of a schema, which is <schema> schema <name> format \"<format>\": {0}")]
    Line(&'static str),
    /// A line that is too long.
    #[error("a line has at most {LINE_MAX} characters, this one has {0}")]
    LineTooLong(usize),
    /// A kind of schema that is not there.
    #[error(
        "no schema {0:?}; there are smart-license, tollgate-license, system, apn, gtpc and agent"
    )]
    Schema(String),
    /// A name that a schema can't have.
    #[error(
        "{0:?} is no name of a schema: 1 to {NAME_MAX} letters, digits, hyphens, underscores and points"
    )]
    Name(String),
    /// Two schemas of a file with one name and kind.
    #[error("file {file} has two schemas {schema} {name}")]
    Twice {
        /// The file.
        file: u8,
        /// Their kind.
        schema: Schema,
        /// Their name.
        name: String,
    },
    /// A file with nothing in it.
    #[error("file {0} has no schema")]
    NoSchema(u8),
    /// More schemas than a file takes.
    #[error("a file has at most {SCHEMAS_MAX} schemas, file {file} has {found}")]
    Schemas {
        /// The file.
        file: u8,
        /// So many.
        found: usize,
    },
    /// A number that no file has.
    #[error("files have the numbers 1 to {FILES}, not {0}")]
    Number(u8),
    /// A number that two files have.
    #[error("two files have the number {0}")]
    NumberTwice(u8),
    /// A header or footer that is too long.
    #[error("the {what} format has at most {HEADER_MAX} characters, this one has {found}")]
    HeaderTooLong {
        /// `header` or `footer`.
        what: &'static str,
        /// So many.
        found: usize,
    },
    /// A name at the receiver that can be too long.
    #[error("the name of a file has at most {REMOTE_MAX} bytes, this one can have {0}")]
    RemoteTooLong(usize),
    /// A name at the receiver that is none.
    #[error("the remotefile format {0:?} makes no name of a file")]
    Remote(String),
    /// A name that says that the file is compressed, which compressing it does.
    #[error(
        "a remotefile format does not end in {ZIPPED}: the name of a file that is compressed gets it"
    )]
    Zipped,
    /// A secondary receiver without a primary one.
    #[error("file {0} has a secondary receiver and no primary one")]
    NoPrimary(u8),
    /// A file that nobody gets and that is not kept.
    #[error(
        "nobody gets file {0}, and it is not kept: it wants a receiver, or historical collection of a day or more"
    )]
    Nowhere(u8),
    /// A number outside of its range.
    #[error("{what} is 1 to {most} minutes, not {found}")]
    Interval {
        /// `sample-interval` or `transfer-interval`.
        what: &'static str,
        /// Its greatest value.
        most: u32,
        /// What it is.
        found: u32,
    },
    /// A format text that is refused.
    #[error("{what}: {error}")]
    Format {
        /// What has it: a schema's name, `header`, `footer` or `remotefile`.
        what: String,
        /// Why.
        #[source]
        error: FormatError,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            collection: false,
            files: Vec::new(),
            sample_interval_min: 15,
            transfer_interval_min: 480,
            limit_bytes: 32 << 20,
            historical_days: 0,
            historical_bytes: 256 << 20,
        }
    }
}

impl SchemaConfig {
    /// Of a line, as the command line has it.
    pub fn parse(line: &str) -> Result<Self, ConfigError> {
        let characters = line.chars().count();
        if characters > LINE_MAX {
            return Err(ConfigError::LineTooLong(characters));
        }
        let (schema, rest) = word(line).ok_or(ConfigError::Line("it is empty"))?;
        let rest = expect("schema", rest, "no word schema after the kind")?;
        let (name, rest) = word(rest).ok_or(ConfigError::Line("no name"))?;
        let rest = expect("format", rest, "no word format after the name")?;
        let config = Self {
            schema: Schema::named(schema).ok_or_else(|| ConfigError::Schema(schema.to_owned()))?,
            name: name.to_owned(),
            format: unquoted(rest.trim())?.to_owned(),
        };
        config.format()?;
        Ok(config)
    }

    /// The line.
    pub fn line(&self) -> String {
        let Self {
            schema,
            name,
            format,
        } = self;
        format!("{schema} schema {name} format \"{format}\"")
    }

    /// Characters of the shortest line that says it: without quotation marks where it needs none.
    fn characters(&self) -> usize {
        let bare = !self.format.is_empty() && !self.format.contains(['"', ' ']);
        self.line().chars().count() - if bare { 2 } else { 0 }
    }

    /// Checked.
    pub(crate) fn format(&self) -> Result<Format, ConfigError> {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = &self.name;
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(letter) {
            return Err(ConfigError::Name(name.clone()));
        }
        let characters = self.characters();
        if characters > LINE_MAX {
            return Err(ConfigError::LineTooLong(characters));
        }
        let format = format_of(name, &self.format, Some(self.schema))?;
        Ok(format.ended())
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn expect<'t>(wanted: &str, text: &'t str, why: &'static str) -> Result<&'t str, ConfigError> {
    match word(text) {
        Some((found, rest)) if found == wanted => Ok(rest),
        Some(_) | None => Err(ConfigError::Line(why)),
    }
}

/// A text in quotation marks, or one without white space.
fn unquoted(text: &str) -> Result<&str, ConfigError> {
    let Some(inner) = text.strip_prefix('"') else {
        return match text.find(|c: char| c.is_whitespace() || c == '"') {
            None => Ok(text),
            Some(_) => Err(ConfigError::Line(
                "a format with spaces wants quotation marks",
            )),
        };
    };
    let mut escaped = false;
    let end = inner.char_indices().find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    match end {
        None => Err(ConfigError::Line("the quotation mark is not closed")),
        Some((end, _)) if end + 1 < inner.len() => {
            Err(ConfigError::Line("something follows the format"))
        }
        Some((end, _)) => Ok(&inner[..end]),
    }
}

pub(crate) fn format_of(
    what: &str,
    text: &str,
    schema: Option<Schema>,
) -> Result<Format, ConfigError> {
    Format::parse(text, schema).map_err(|error| ConfigError::Format {
        what: what.to_owned(),
        error,
    })
}

/// The format of a header or footer.
pub(crate) fn bound(what: &'static str, text: &str) -> Result<Format, ConfigError> {
    let found = text.chars().count();
    if found > HEADER_MAX {
        return Err(ConfigError::HeaderTooLong { what, found });
    }
    Ok(format_of(what, text, None)?.ended())
}

/// The format of a file's name at its receiver.
pub(crate) fn remote(text: &str) -> Result<Format, ConfigError> {
    let format = format_of("remotefile", text, None)?;
    let mut longest = 0;
    for part in &format.parts {
        longest += match (format.about(part), part) {
            (Some(about), _) => about.in_name.ok_or_else(|| not_in_name(text, about.name))?,
            (None, Part::Text(text)) => text.len(),
            (None, _) => 0,
        };
    }
    let last = text.rsplit('/').next().unwrap_or_default();
    if last.is_empty()
        || text.contains(['\\', ' ', ','])
        || text.split('/').any(|part| matches!(part, "." | ".."))
    {
        return Err(ConfigError::Remote(text.to_owned()));
    }
    if text.ends_with(ZIPPED) {
        return Err(ConfigError::Zipped);
    }
    match longest <= REMOTE_MAX {
        true => Ok(format),
        false => Err(ConfigError::RemoteTooLong(longest)),
    }
}

fn not_in_name(text: &str, name: &'static str) -> ConfigError {
    let before = text.split(&format!("%{name}%")).next().unwrap_or_default();
    ConfigError::Format {
        what: "remotefile".to_owned(),
        error: FormatError::NotInName {
            name,
            at: before.chars().count() + 1,
        },
    }
}

impl FileConfig {
    /// The name at the receiver of a file that is given none.
    pub fn default_remote(number: u8) -> String {
        format!("bulkstats_%host%_%date%_%time%_{number}.csv")
    }

    /// What is in it is the same, whoever gets it.
    pub(crate) fn same_text(&self, other: &Self) -> bool {
        let text = |of: &Self| Self {
            primary: None,
            secondary: None,
            ..of.clone()
        };
        text(self) == text(other)
    }

    /// A file with this name at its receiver and nothing in it yet.
    pub fn new(number: u8, remote: &str) -> Self {
        Self {
            number,
            header: String::new(),
            footer: String::new(),
            remote: remote.to_owned(),
            gzip: false,
            primary: None,
            secondary: None,
            schemas: Vec::new(),
        }
    }

    /// Its bounds, and that no schema is there twice.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let file = self.number;
        let found = self.schemas.len();
        if !(1..=FILES).contains(&file) {
            return Err(ConfigError::Number(file));
        }
        if found > SCHEMAS_MAX {
            return Err(ConfigError::Schemas { file, found });
        }
        if self.secondary.is_some() && self.primary.is_none() {
            return Err(ConfigError::NoPrimary(file));
        }
        for (n, schema) in self.schemas.iter().enumerate() {
            let same =
                |other: &SchemaConfig| (other.schema, &other.name) == (schema.schema, &schema.name);
            if self.schemas[..n].iter().any(same) {
                let (schema, name) = (schema.schema, schema.name.clone());
                return Err(ConfigError::Twice { file, schema, name });
            }
        }
        Ok(())
    }
}

impl Config {
    /// The files, ready to be written, as soon as they lack nothing. Errors: something in it is refused.
    pub fn plans(&self) -> Result<Vec<FilePlan>, ConfigError> {
        for (what, found, most) in [
            ("sample-interval", self.sample_interval_min, SAMPLE_MAX_MIN),
            (
                "transfer-interval",
                self.transfer_interval_min,
                TRANSFER_MAX_MIN,
            ),
        ] {
            if !(1..=most).contains(&found) {
                return Err(ConfigError::Interval { what, most, found });
            }
        }
        for (n, file) in self.files.iter().enumerate() {
            let number = file.number;
            if self.files[..n].iter().any(|other| other.number == number) {
                return Err(ConfigError::NumberTwice(number));
            }
        }
        self.files.iter().cloned().map(FilePlan::new).collect()
    }

    /// What a file lacks to be collected; none: nothing. It may be configured so, line by line.
    pub fn lacks(&self, file: &FileConfig) -> Option<ConfigError> {
        if file.primary.is_none() && self.historical_days == 0 {
            return Some(ConfigError::Nowhere(file.number));
        }
        let empty = file.schemas.is_empty();
        empty.then_some(ConfigError::NoSchema(file.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"smart-license schema sl1 format "PPM,%mode%,\"%tagid%\" %host%""#;

    #[test]
    fn a_line_is_a_schema_and_back() {
        let parsed = SchemaConfig::parse(LINE).unwrap();
        assert_eq!(parsed.schema, Schema::SmartLicense);
        assert_eq!(parsed.name, "sl1");
        assert_eq!(parsed.format, r#"PPM,%mode%,\"%tagid%\" %host%"#);
        assert_eq!(parsed.line(), LINE);
        let bare = SchemaConfig::parse("apn schema a.b-c_1 format PPM,%apn%").unwrap();
        assert_eq!(bare.format, "PPM,%apn%");
        let spaced = SchemaConfig::parse("  apn   schema x \tformat  \"%apn%\" ").unwrap();
        assert_eq!(spaced.format, "%apn%");
    }

    #[test]
    fn a_line_that_is_none_is_told_why() {
        for (line, error) in [
            ("", ConfigError::Line("it is empty")),
            ("apn", ConfigError::Line("no word schema after the kind")),
            (
                "apn scheme x",
                ConfigError::Line("no word schema after the kind"),
            ),
            ("apn schema", ConfigError::Line("no name")),
            (
                "apn schema x",
                ConfigError::Line("no word format after the name"),
            ),
            (
                "apn schema x format a b",
                ConfigError::Line("a format with spaces wants quotation marks"),
            ),
            (
                "apn schema x format \"a\" b",
                ConfigError::Line("something follows the format"),
            ),
            (
                "apn schema x format \"a",
                ConfigError::Line("the quotation mark is not closed"),
            ),
            (
                r#"apn schema x format "a\""#,
                ConfigError::Line("the quotation mark is not closed"),
            ),
            ("sgw schema x format a", ConfigError::Schema("sgw".into())),
            ("apn schema a,b format a", ConfigError::Name("a,b".into())),
        ] {
            assert_eq!(SchemaConfig::parse(line), Err(error), "{line}");
        }
        let long = "n".repeat(32);
        let line = format!("apn schema {long} format a");
        assert_eq!(SchemaConfig::parse(&line), Err(ConfigError::Name(long)));
        assert!(SchemaConfig::parse(&format!("apn schema {} format a", "n".repeat(31))).is_ok());
        let unknown = SchemaConfig::parse("apn schema x format %apm%");
        let message = "x: no variable %apm% here, at character 1; the nearest is %apn%";
        assert_eq!(unknown.unwrap_err().to_string(), message);
    }

    #[test]
    fn a_line_has_1021_characters_at_most() {
        let line = |n: usize| format!("apn schema x format \"{} a\"", "a".repeat(n));
        let room = LINE_MAX - line(0).len();
        let longest = SchemaConfig::parse(&line(room)).unwrap();
        assert_eq!(longest.line().len(), 1_021);
        let error = SchemaConfig::parse(&line(room + 1)).unwrap_err();
        assert_eq!(error, ConfigError::LineTooLong(1_022));
        let spaced = SchemaConfig {
            format: format!("{} a", "a".repeat(room + 1)),
            ..longest
        };
        let error = spaced.format().unwrap_err();
        assert_eq!(error, ConfigError::LineTooLong(1_022));
        // Without quotation marks, as it was written.
        let bare = |n: usize| format!("apn schema x format {}", "a".repeat(n));
        let room = LINE_MAX - bare(0).len();
        let longest = SchemaConfig::parse(&bare(room)).unwrap();
        let mut file = FileConfig::new(1, "x");
        file.schemas.push(longest);
        assert!(FilePlan::new(file).is_ok());
        let error = SchemaConfig::parse(&bare(room + 1)).unwrap_err();
        assert_eq!(error, ConfigError::LineTooLong(1_022));
    }

    #[test]
    fn a_header_has_2047_characters_at_most() {
        let mut file = FileConfig::new(1, "x");
        file.header = "h".repeat(2_047);
        file.footer = "f".repeat(2_047);
        assert!(FilePlan::new(file.clone()).is_ok());
        file.footer.push('f');
        let error = FilePlan::new(file).unwrap_err();
        let (what, found) = ("footer", 2_048);
        assert_eq!(error, ConfigError::HeaderTooLong { what, found });
    }

    #[test]
    fn a_name_of_a_file_is_bounded_and_is_one() {
        let refused = |text: &str| remote(text).unwrap_err();
        let usual = "/opt/csvdrop/%host%_bulkstats_%localdate%_%localtime%_%localtz%_15_15.csv";
        assert!(remote(usual).is_ok());
        for none in [
            "", "/", "a/", "a b", "a,b", r"a\tb", "../a", "a/../b", "./a",
        ] {
            assert_eq!(refused(none), ConfigError::Remote(none.into()), "{none}");
        }
        assert_eq!(refused("a.csv.gz"), ConfigError::Zipped);
        let room = "a".repeat(REMOTE_MAX - 63);
        assert!(remote(&format!("%host%{room}")).is_ok());
        assert_eq!(
            refused(&format!("%host%a{room}")),
            ConfigError::RemoteTooLong(181)
        );
        let error = FormatError::NotInName {
            name: "schemas",
            at: 8,
        };
        let what = "remotefile".to_owned();
        assert_eq!(
            refused("%host%-%schemas%"),
            ConfigError::Format { what, error }
        );
    }

    #[test]
    fn what_a_file_can_not_be_is_refused() {
        let mut file = FileConfig::new(1, "x");
        let refused = |file: &FileConfig| FilePlan::new(file.clone()).unwrap_err();
        for number in [0, 5] {
            let file = FileConfig::new(number, "x");
            assert_eq!(refused(&file), ConfigError::Number(number));
        }
        file.secondary = Some(Receiver {
            address: "192.0.2.9".into(),
            mechanism: Mechanism::Sftp,
            login: None,
        });
        assert_eq!(refused(&file), ConfigError::NoPrimary(1));
        file.secondary = None;
        file.schemas = vec![SchemaConfig::parse(LINE).unwrap(); 2];
        let (schema, name) = (Schema::SmartLicense, "sl1".to_owned());
        let file_number = 1;
        let twice = ConfigError::Twice {
            file: file_number,
            schema,
            name,
        };
        assert_eq!(refused(&file), twice);
        file.schemas = vec![SchemaConfig::parse(LINE).unwrap(); 65];
        assert_eq!(refused(&file), ConfigError::Schemas { file: 1, found: 65 });
    }

    #[test]
    fn intervals_and_numbers_are_checked() {
        let config = |sample, transfer| Config {
            sample_interval_min: sample,
            transfer_interval_min: transfer,
            ..Config::default()
        };
        for good in [config(1, 1), config(10_080, 999_999), Config::default()] {
            assert!(good.plans().unwrap().is_empty());
        }
        for (sample, transfer, what, found) in [
            (0, 1, "sample-interval", 0),
            (10_081, 1, "sample-interval", 10_081),
            (1, 0, "transfer-interval", 0),
            (1, 1_000_000, "transfer-interval", 1_000_000),
        ] {
            let error = config(sample, transfer).plans().unwrap_err();
            let told = matches!(error, ConfigError::Interval { what: w, found: f, .. } if (w, f) == (what, found));
            assert!(told, "{error}");
        }
        let nowhere = Config {
            files: vec![FileConfig::new(3, "x")],
            ..Config::default()
        };
        assert_eq!(nowhere.plans().unwrap().len(), 1, "line by line");
        let lacks = |config: &Config| config.lacks(&config.files[0]);
        assert_eq!(lacks(&nowhere), Some(ConfigError::Nowhere(3)));
        let mut empty = Config {
            historical_days: 1,
            files: vec![FileConfig::new(2, "x")],
            ..Config::default()
        };
        assert_eq!(lacks(&empty), Some(ConfigError::NoSchema(2)));
        let schemas = &mut empty.files[0].schemas;
        schemas.push(SchemaConfig::parse(LINE).unwrap());
        assert_eq!(empty.plans().unwrap().len(), 1);
        let twice = Config {
            files: vec![empty.files[0].clone(), empty.files[0].clone()],
            ..empty
        };
        assert_eq!(twice.plans().unwrap_err(), ConfigError::NumberTwice(2));
        assert_eq!(Config::default().transfer_interval_min, 480);
        assert_eq!(Config::default().limit_bytes, 33_554_432);
    }
}
