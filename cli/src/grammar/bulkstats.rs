//! `bulkstats ...`

use std::path::PathBuf;

use bulkstats::table::{Schema, common};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command, Subcommand, ValueHint};

use super::{BulkstatsMode, SocketArgs};

/// `bulkstats ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "\
Examples:
  tollgate bulkstats force transfer
  tollgate bulkstats read sent/*.csv --schema 'apn schema a format \"PPM,%apn%\"'
  tollgate bulkstats plot --help

docs/bulkstats.md says what schemas, files and variables there are."
)]
pub struct BulkstatsArgs {
    /// What to do.
    #[command(subcommand)]
    pub bulkstats: Bulkstats,
}

/// What one may do with bulk statistics.
#[derive(Debug, Subcommand)]
pub enum Bulkstats {
    /// Take a sample, or send files, before it is time
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true,
        after_help = "Examples:\n  tollgate bulkstats force gather\n  tollgate bulkstats force transfer"
    )]
    Force {
        /// What.
        #[command(subcommand)]
        what: ForceBulkstats,
    },
    /// Collect bulk statistics
    #[command(after_help = "\
Examples:
  tollgate bulkstats collection
  tollgate no bulkstats collection
  tollgate default bulkstats collection          the configuration's again")]
    Collection(SocketArgs),
    /// Set what is collected, when, and who gets it
    ///
    /// In the shell it leads to a mode of its own, and there `file` to that of a file; here those of a file name it by --file. What is
    /// set is kept, in place of what the configuration file says, and in force at once.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true,
        after_help = "\
Examples:
  tollgate bulkstats mode sample-interval 15
  tollgate bulkstats mode footer format EndOfFile --file 1
  tollgate bulkstats mode no file 1"
    )]
    Mode {
        /// What.
        #[command(subcommand)]
        mode: Box<BulkstatsMode>,
    },
    /// Print what stands in files of bulk statistics; no node is asked
    Read(ReadArgs),
    /// Draw a variable over time, from files; no node is asked
    Plot(PlotArgs),
}

/// What one may do before it is time.
#[derive(Debug, Subcommand)]
pub enum ForceBulkstats {
    /// Take one sample more of each file, now
    #[command(after_help = "Example:\n  tollgate bulkstats force gather")]
    Gather(SocketArgs),
    /// Complete the files, and send all that wait
    #[command(after_help = "Example:\n  tollgate bulkstats force transfer")]
    Transfer(SocketArgs),
}

/// Which files, and how they were written.
#[derive(Debug, Args)]
pub struct FilesArgs {
    /// Files, with gzip or without; - is standard input
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// The configuration of the node that wrote them: its schemas, headers
    /// and footers
    #[arg(long, value_name = "TOML", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Of the configuration only the file with this number
    #[arg(long, value_name = "NUMBER", requires = "config")]
    pub file: Option<u8>,
    /// A schema as the node has it: KIND schema NAME format "FORMAT".
    ///
    /// Once for each schema that is in the files, unless --config says them. One word is the name of one of them: only its rows are read; `header` and
    /// `footer` are names, too.
    #[arg(long, value_name = "LINE|NAME", required_unless_present = "config")]
    pub schema: Vec<String>,
    /// The header format, if the files have headers
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "",
        hide_default_value = true,
        conflicts_with = "config"
    )]
    pub header: String,
    /// The footer format, if the files have footers
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "",
        hide_default_value = true,
        conflicts_with = "config"
    )]
    pub footer: String,
    /// Only rows with this value of a variable; all of them, if there are several
    #[arg(long = "where", value_name = "VARIABLE=VALUE")]
    pub only: Vec<String>,
}

/// `bulkstats read`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate bulkstats read a.csv b.csv.gz --schema \\
    'smart-license schema sl format \"PPM,%epochtime%,%tagid%,%cur_call_count%\"'
  tollgate bulkstats read *.csv --config gateway.toml
  tollgate bulkstats read *.csv --config gateway.toml --schema sl --csv
  tollgate bulkstats read *.csv --schema \"$LINE\" --where tagid=3 --csv
  curl -s http://collector/a.csv.gz | tollgate bulkstats read - --schema \"$LINE\"

Files are read in the order of their first times. Lines that are of none of
the formats are told on standard error, with their file and number; then the
exit code is 1, and what could be read is printed all the same.")]
pub struct ReadArgs {
    /// The files.
    #[command(flatten)]
    pub files: FilesArgs,
    /// Print JSON: an array of rows, each with its schema, file and line
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV with the names of the variables in its first line; of one
    /// schema
    #[arg(long)]
    pub csv: bool,
}

/// `bulkstats plot`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate bulkstats plot *.csv --config gateway.toml --var cur_call_count
  tollgate bulkstats plot *.csv --config gateway.toml \\
    --var cur_call_count --by tagid -o calls.svg
  tollgate bulkstats plot *.csv --schema \"$LINE\" --var max_call_count \\
    --where mode=REGISTERED

Rows want a time: %epochtime%, or %date% and %time%, or %localdate% and
%localtime% with or without %localtzoffset%. A line is broken where a sample is
missing. Of more than eight series the eight that reach highest are drawn.")]
pub struct PlotArgs {
    /// The files.
    #[command(flatten)]
    pub files: FilesArgs,
    /// The variable to draw
    #[arg(long, value_name = "VARIABLE", value_parser = Variable, hide_possible_values = true)]
    pub var: String,
    /// One line for each value of this variable; of rows with the same value
    /// and time the sum [default: the variables that tell rows apart]
    #[arg(long, value_name = "VARIABLE", value_parser = Variable, hide_possible_values = true)]
    pub by: Vec<String>,
    /// Write an SVG there, and print no chart; - is standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// Any word; shells complete it to the name of a variable.
#[derive(Clone)]
struct Variable;

impl TypedValueParser for Variable {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let own = Schema::ALL.into_iter().flat_map(Schema::variables);
        let mut names: Vec<&str> = own.chain(common()).map(|about| about.name).collect();
        names.sort_unstable();
        names.dedup();
        Some(Box::new(names.into_iter().map(PossibleValue::new)))
    }
}
