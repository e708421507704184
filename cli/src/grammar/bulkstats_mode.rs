//! `bulkstats collection`, and what is said in `bulkstats mode`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SocketArgs;

/// What one may say in `bulkstats mode`.
#[derive(Debug, Subcommand)]
pub enum BulkstatsMode {
    /// Set the minutes from one sample to the next
    #[command(after_help = "Example:\n  tollgate bulkstats mode sample-interval 15")]
    SampleInterval(MinutesArgs),
    /// Set the minutes from one transfer to the next
    #[command(after_help = "Example:\n  tollgate bulkstats mode transfer-interval 60")]
    TransferInterval(MinutesArgs),
    /// Set how much may wait to be transferred
    #[command(after_help = "Example:\n  tollgate bulkstats mode limit 32")]
    Limit(MebibytesArgs),
    /// Keep what was transferred
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Historical {
        /// What of it.
        #[command(subcommand)]
        what: Historical,
    },
    /// Begin a file, or go on with it: in the shell, what follows is of it
    ///
    /// A file is collected once it has a schema and somebody gets it, or it is kept here; show bulkstats tells what is missing.
    #[command(after_help = "Example:\n  tollgate bulkstats mode file 1")]
    File(NumberArgs),
    /// Set the first line of a file
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Header {
        /// What of it.
        #[command(subcommand)]
        what: FormatWord,
    },
    /// Set the last line of a file
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Footer {
        /// What of it.
        #[command(subcommand)]
        what: FormatWord,
    },
    /// Set the name of a file at its receiver
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Remotefile {
        /// What of it.
        #[command(subcommand)]
        what: FormatWord,
    },
    /// Compress a file when it is complete
    #[command(after_help = "Example:\n  tollgate bulkstats mode gzip --file 1")]
    Gzip(BlockArgs),
    /// Say who gets a file
    ///
    /// What waits goes to them at once. A password is asked for, or read from a file; it is never a word of a command. A private
    /// key and root certificates are files of the node, with their whole paths.
    #[command(after_help = "\
Examples:
  tollgate bulkstats mode receiver 192.0.2.10 primary mechanism sftp login csv \\
      host-key SHA256:qyHvG36HIR+lbO/Wu2m3Hc/ZfuvJ0FktKXRmao7bgPQ --file 1
  tollgate bulkstats mode receiver 192.0.2.11 secondary mechanism https \\
      login csv port 8443 roots /etc/tollgate/root.pem --file 1 \\
      --password-file password")]
    Receiver(ReceiverArgs),
    /// Rows of each service tag and mode
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    SmartLicense {
        /// What of it.
        #[command(subcommand)]
        what: SchemaWord,
    },
    /// Rows of each service and feature, with what was refused
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    TollgateLicense {
        /// What of it.
        #[command(subcommand)]
        what: SchemaWord,
    },
    /// A row of the node
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    System {
        /// What of it.
        #[command(subcommand)]
        what: SchemaWord,
    },
    /// Rows of each access point
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Apn {
        /// What of it.
        #[command(subcommand)]
        what: SchemaWord,
    },
    /// Rows of each message of GTP-C
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Gtpc {
        /// What of it.
        #[command(subcommand)]
        what: SchemaWord,
    },
    /// A row of the Smart Agent
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Agent {
        /// What of it.
        #[command(subcommand)]
        what: SchemaWord,
    },
    /// Take back
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    No {
        /// What.
        #[command(subcommand)]
        no: NoBulkstatsMode,
    },
    /// As the configuration file says, again
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Default {
        /// What.
        #[command(subcommand)]
        default: DefaultBulkstatsMode,
    },
}

/// `historical ...`.
#[derive(Debug, Subcommand)]
pub enum Historical {
    /// Keep files here so many days, and so many mebibytes of them, after their transfer
    #[command(after_help = "\
Examples:
  tollgate bulkstats mode historical collection days 7
  tollgate bulkstats mode historical collection days 7 limit 256")]
    Collection(HistoricalArgs),
}

/// `format TEXT`.
#[derive(Debug, Subcommand)]
pub enum FormatWord {
    /// Its format: text with variables, %host% say
    #[command(after_help = "\
Examples:
  tollgate bulkstats mode header format 'Version-%version-no%,%date%' --file 1
  tollgate bulkstats mode footer format EndOfFile --file 1
  tollgate bulkstats mode remotefile format '%host%_%date%_%time%.csv' --file 1")]
    Format(FormatArgs),
}

/// `schema NAME format TEXT`.
#[derive(Debug, Subcommand)]
pub enum SchemaWord {
    /// Put such rows into a file: in place of the schema of that name, or behind all
    ///
    /// show bulkstats variables lists what there is. A name that is not there is refused with the nearest.
    #[command(after_help = "\
Example:
  tollgate bulkstats mode apn schema a format 'a,%apn%,%sessions%' --file 1")]
    Schema(SchemaArgs),
}

/// The `no` forms.
#[derive(Debug, Subcommand)]
pub enum NoBulkstatsMode {
    /// Keep what was transferred no longer
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Historical {
        /// What of it.
        #[command(subcommand)]
        what: PlainCollection,
    },
    /// There is no such file, whatever the configuration file says
    ///
    /// What waits for its receiver is kept here, counted as discarded, and told of.
    File(NumberArgs),
    /// A file has no first line
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Header {
        /// What of it.
        #[command(subcommand)]
        what: PlainFormat,
    },
    /// A file has no last line
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Footer {
        /// What of it.
        #[command(subcommand)]
        what: PlainFormat,
    },
    /// Compress a file no more
    Gzip(BlockArgs),
    /// It gets a file no more
    ///
    /// What waits waits for the next one, unless the file is kept here.
    Receiver(WhichArgs),
    /// Rows of each service tag and mode
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    SmartLicense {
        /// What of it.
        #[command(subcommand)]
        what: NoSchemaWord,
    },
    /// Rows of each service and feature, with what was refused
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    TollgateLicense {
        /// What of it.
        #[command(subcommand)]
        what: NoSchemaWord,
    },
    /// A row of the node
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    System {
        /// What of it.
        #[command(subcommand)]
        what: NoSchemaWord,
    },
    /// Rows of each access point
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Apn {
        /// What of it.
        #[command(subcommand)]
        what: NoSchemaWord,
    },
    /// Rows of each message of GTP-C
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Gtpc {
        /// What of it.
        #[command(subcommand)]
        what: NoSchemaWord,
    },
    /// A row of the Smart Agent
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Agent {
        /// What of it.
        #[command(subcommand)]
        what: NoSchemaWord,
    },
}

/// `no <kind> schema NAME`.
#[derive(Debug, Subcommand)]
pub enum NoSchemaWord {
    /// Put them into a file no more
    Schema(NoSchemaArgs),
}

/// The `default` forms.
#[derive(Debug, Subcommand)]
pub enum DefaultBulkstatsMode {
    /// The minutes from one sample to the next
    SampleInterval(SocketArgs),
    /// The minutes from one transfer to the next
    TransferInterval(SocketArgs),
    /// How much may wait to be transferred
    Limit(SocketArgs),
    /// How long what was transferred is kept
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Historical {
        /// What of it.
        #[command(subcommand)]
        what: PlainCollection,
    },
    /// A file: there is none unless the configuration file has it
    File(NumberArgs),
    /// The first line of a file
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Header {
        /// What of it.
        #[command(subcommand)]
        what: PlainFormat,
    },
    /// The last line of a file
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Footer {
        /// What of it.
        #[command(subcommand)]
        what: PlainFormat,
    },
    /// The name of a file at its receiver
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Remotefile {
        /// What of it.
        #[command(subcommand)]
        what: PlainFormat,
    },
    /// Whether a file is compressed
    Gzip(BlockArgs),
    /// Who gets a file
    Receiver(WhichArgs),
    /// All that is in a file
    Schema(BlockArgs),
}

/// `collection`, and no more.
#[derive(Debug, Subcommand)]
pub enum PlainCollection {
    /// What was collected
    Collection(SocketArgs),
}

/// `format`, and no more.
#[derive(Debug, Subcommand)]
pub enum PlainFormat {
    /// Its format
    Format(BlockArgs),
}

/// `bulkstats collection`, of `no` and `default`.
#[derive(Debug, Subcommand)]
pub enum CollectionWord {
    /// Bulk statistics
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Bulkstats {
        /// What of them.
        #[command(subcommand)]
        what: PlainCollection,
    },
}

/// Minutes.
#[derive(Debug, Args)]
pub struct MinutesArgs {
    /// Minutes
    pub minutes: u32,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// Mebibytes.
#[derive(Debug, Args)]
pub struct MebibytesArgs {
    /// Mebibytes, 1 to 96; of more, the oldest file is dropped
    pub mebibytes: u64,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// `historical collection days N [limit MEBIBYTES]`.
#[derive(Debug, Args)]
pub struct HistoricalArgs {
    /// The words `days` and a number, `limit` and mebibytes, or both
    #[arg(value_name = "days DAYS | limit MEBIBYTES", required = true)]
    pub words: Vec<String>,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// The number of a file.
#[derive(Debug, Args)]
pub struct NumberArgs {
    /// Its number
    #[arg(value_parser = ["1", "2", "3", "4"])]
    pub number: String,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// Which file.
#[derive(Debug, Args)]
pub struct BlockArgs {
    /// Number of the file; in the shell, `file` says it
    #[arg(id = "block", long = "file", value_name = "NUMBER", required = true, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub block: u8,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

/// A format.
#[derive(Debug, Args)]
pub struct FormatArgs {
    /// The text, in quotes if there are blanks in it
    #[arg(allow_hyphen_values = true)]
    pub text: String,
    /// Which file.
    #[command(flatten)]
    pub block: BlockArgs,
}

/// `NAME format TEXT`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Its name, at most 31 letters, digits, hyphens, underscores and points
    pub name: String,
    /// The word `format`
    #[arg(value_parser = ["format"], hide_possible_values = true, value_name = "format")]
    pub format: String,
    /// Text with variables, in quotes if there are blanks in it
    #[arg(allow_hyphen_values = true)]
    pub text: String,
    /// Which file.
    #[command(flatten)]
    pub block: BlockArgs,
}

/// The name of a schema.
#[derive(Debug, Args)]
pub struct NoSchemaArgs {
    /// Its name
    pub name: String,
    /// Which file.
    #[command(flatten)]
    pub block: BlockArgs,
}

/// Which receiver.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// Which of the two
    #[arg(value_parser = ["primary", "secondary"])]
    pub which: String,
    /// Which file.
    #[command(flatten)]
    pub block: BlockArgs,
}

/// `receiver ADDRESS primary|secondary mechanism M ...`.
#[derive(Debug, Args)]
pub struct ReceiverArgs {
    /// Its address, or name
    pub address: String,
    /// Which of the two
    #[arg(value_parser = ["primary", "secondary"])]
    pub which: String,
    /// The word `mechanism`
    #[arg(value_parser = ["mechanism"], hide_possible_values = true, value_name = "mechanism")]
    pub word: String,
    /// How it is spoken to
    #[arg(value_parser = ["sftp", "ftp", "ftps", "tftp", "http", "https"])]
    pub mechanism: String,
    /// `login` and a name, `port` and a number, `host-key` and the key of an
    /// SFTP server, `key` and a file of the node with a private key, `roots` and
    /// a file of the node with certificates, `method` and put or post
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// The file whose first line is the password, - for standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Which file.
    #[command(flatten)]
    pub block: BlockArgs,
}
