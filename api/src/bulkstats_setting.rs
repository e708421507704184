//! What an operator sets of bulk statistics, while the node runs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an operator may set of bulk statistics. It is kept, and in force with the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum BulkstatsSetting {
    /// `bulkstats collection`, and its `no` form.
    Collection {
        /// Samples are taken.
        on: bool,
    },
    /// `sample-interval <minutes>`.
    SampleInterval {
        /// From one sample to the next.
        minutes: u32,
    },
    /// `transfer-interval <minutes>`.
    TransferInterval {
        /// From one transfer to the next.
        minutes: u32,
    },
    /// `limit <mebibytes>`.
    Limit {
        /// Waiting to be transferred at most.
        mib: u64,
    },
    /// `historical collection days <n>`; its `no` form: 0.
    HistoricalDays {
        /// What was transferred is kept here so long.
        days: u32,
    },
    /// `historical collection limit <mebibytes>`.
    HistoricalLimit {
        /// Kept so at most.
        mib: u64,
    },
    /// The `default` forms of those: as the configuration says.
    Default {
        /// Of which.
        what: BulkstatsKey,
    },
    /// `file <n>`: there is such a file. It may be of the configuration already.
    File {
        /// 1 to 4.
        number: u8,
    },
    /// `no file <n>`: there is none, whatever the configuration says.
    NoFile {
        /// 1 to 4.
        number: u8,
    },
    /// `default file <n>`: as the configuration says.
    DefaultFile {
        /// 1 to 4.
        number: u8,
    },
    /// What is said in the block of a file; it begins the file if there is none.
    Part {
        /// 1 to 4.
        number: u8,
        /// What.
        part: BulkstatsPart,
    },
}

/// What an operator may set of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "set", deny_unknown_fields)]
pub enum BulkstatsPart {
    /// `header format <text>`; its `no` form: empty.
    Header {
        /// The format.
        format: String,
    },
    /// `footer format <text>`; likewise.
    Footer {
        /// The format.
        format: String,
    },
    /// `remotefile format <text>`.
    Remotefile {
        /// The format.
        format: String,
    },
    /// `gzip`, and its `no` form.
    Gzip {
        /// The file is compressed.
        on: bool,
    },
    /// `<schema> schema <name> format <text>`: in place of the one of this kind and name, or behind all.
    Schema {
        /// The line.
        line: String,
    },
    /// `no <schema> schema <name>`.
    NoSchema {
        /// Its kind.
        schema: String,
        /// Its name.
        name: String,
    },
    /// `receiver <address> primary|secondary ...`.
    Receiver {
        /// It is the secondary.
        secondary: bool,
        /// Who it is.
        receiver: Box<BulkstatsReceiverSetting>,
    },
    /// `no receiver primary|secondary`.
    NoReceiver {
        /// The secondary.
        secondary: bool,
    },
    /// The `default` forms: as the file of the configuration has it, if there is one.
    Default {
        /// Of which.
        what: BulkstatsFileKey,
    },
}

/// A receiver; what is not given has the default of the configuration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkstatsReceiverSetting {
    /// Its address or name.
    pub address: String,
    /// `sftp`, `ftp`, `ftps`, `tftp`, `http` or `https`.
    pub mechanism: String,
    /// Where it listens.
    pub port: Option<u16>,
    /// The name that it knows the node by.
    pub login: Option<String>,
    /// A secret.
    pub password: Option<String>,
    /// The path of a private key, which the node reads.
    pub key_file: Option<String>,
    /// By SFTP: its host key.
    pub host_key: Option<String>,
    /// By FTPS and HTTPS: the path of root certificates, which the node reads.
    pub roots: Option<String>,
    /// By HTTP: `put` or `post`.
    pub method: Option<String>,
}

/// What is set of all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkstatsKey {
    /// `bulkstats collection`.
    Collection,
    /// `sample-interval`.
    SampleInterval,
    /// `transfer-interval`.
    TransferInterval,
    /// `limit`.
    Limit,
    /// `historical collection`.
    Historical,
}

/// What is set of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkstatsFileKey {
    /// `header format`.
    Header,
    /// `footer format`.
    Footer,
    /// `remotefile format`.
    Remotefile,
    /// `gzip`.
    Gzip,
    /// All schemas.
    Schemas,
    /// `receiver ... primary`.
    Primary,
    /// `receiver ... secondary`.
    Secondary,
}

impl BulkstatsSetting {
    /// The words of the command, without what goes with them.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Collection { on: true } => "bulkstats collection",
            Self::Collection { on: false } => "no bulkstats collection",
            Self::SampleInterval { .. } => "sample-interval",
            Self::TransferInterval { .. } => "transfer-interval",
            Self::Limit { .. } => "limit",
            Self::HistoricalDays { days: 0 } => "no historical collection",
            Self::HistoricalDays { .. } | Self::HistoricalLimit { .. } => "historical collection",
            Self::Default { what } => what.words(),
            Self::File { .. } => "file",
            Self::NoFile { .. } => "no file",
            Self::DefaultFile { .. } => "default file",
            Self::Part { part, .. } => part.words(),
        }
    }

    /// The command, without formats and secrets.
    pub fn command(&self) -> String {
        let words = self.words();
        match self {
            Self::Part { number, .. } => format!("file {number} {words}"),
            Self::File { number } | Self::NoFile { number } | Self::DefaultFile { number } => {
                format!("{words} {number}")
            }
            Self::Collection { .. }
            | Self::SampleInterval { .. }
            | Self::TransferInterval { .. }
            | Self::Limit { .. }
            | Self::HistoricalDays { .. }
            | Self::HistoricalLimit { .. }
            | Self::Default { .. } => words.to_owned(),
        }
    }

    /// The key of the configuration that it is about; none: it is of a file.
    pub fn key(&self) -> Option<&'static str> {
        Some(match self {
            Self::Collection { .. } => BulkstatsKey::Collection.name(),
            Self::SampleInterval { .. } => BulkstatsKey::SampleInterval.name(),
            Self::TransferInterval { .. } => BulkstatsKey::TransferInterval.name(),
            Self::Limit { .. } => BulkstatsKey::Limit.name(),
            Self::HistoricalDays { .. } => BulkstatsKey::Historical.name(),
            Self::HistoricalLimit { .. } => "historical_mib",
            Self::Default { what } => what.name(),
            Self::File { .. }
            | Self::NoFile { .. }
            | Self::DefaultFile { .. }
            | Self::Part { .. } => return None,
        })
    }

    /// Number of the file that it is about; none: all.
    pub fn file(&self) -> Option<u8> {
        match self {
            Self::File { number }
            | Self::NoFile { number }
            | Self::DefaultFile { number }
            | Self::Part { number, .. } => Some(*number),
            Self::Collection { .. }
            | Self::SampleInterval { .. }
            | Self::TransferInterval { .. }
            | Self::Limit { .. }
            | Self::HistoricalDays { .. }
            | Self::HistoricalLimit { .. }
            | Self::Default { .. } => None,
        }
    }
}

impl BulkstatsPart {
    /// The words of the command, without what goes with them.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Header { .. } => "header format",
            Self::Footer { .. } => "footer format",
            Self::Remotefile { .. } => "remotefile format",
            Self::Gzip { on: true } => "gzip",
            Self::Gzip { on: false } => "no gzip",
            Self::Schema { .. } => "schema",
            Self::NoSchema { .. } => "no schema",
            Self::Receiver { .. } => "receiver",
            Self::NoReceiver { .. } => "no receiver",
            Self::Default { what } => what.words(),
        }
    }
}

impl BulkstatsKey {
    /// As the configuration has it.
    fn name(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::SampleInterval => "sample_interval_min",
            Self::TransferInterval => "transfer_interval_min",
            Self::Limit => "limit_mib",
            Self::Historical => "historical_days",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Collection => "default bulkstats collection",
            Self::SampleInterval => "default sample-interval",
            Self::TransferInterval => "default transfer-interval",
            Self::Limit => "default limit",
            Self::Historical => "default historical collection",
        }
    }
}

impl BulkstatsFileKey {
    fn words(self) -> &'static str {
        match self {
            Self::Header => "default header format",
            Self::Footer => "default footer format",
            Self::Remotefile => "default remotefile format",
            Self::Gzip => "default gzip",
            Self::Schemas => "default schema",
            Self::Primary => "default receiver primary",
            Self::Secondary => "default receiver secondary",
        }
    }
}

/// Without its secret.
impl fmt::Debug for BulkstatsReceiverSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Before an @ a password may be.
        let host = self.address.rsplit('@').next().unwrap_or_default();
        write!(f, "BulkstatsReceiverSetting({} {host})", self.mechanism)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_as_documented_and_keep_their_secrets() {
        let part = |part| BulkstatsSetting::Part { number: 2, part };
        let receiver = BulkstatsReceiverSetting {
            address: "192.0.2.10".into(),
            mechanism: "http".into(),
            port: Some(8_080),
            login: Some("csv".into()),
            password: Some("hunter2".into()),
            key_file: None,
            host_key: None,
            roots: None,
            method: Some("put".into()),
        };
        let cases = [
            (
                r#"{"do":"collection","on":false}"#,
                BulkstatsSetting::Collection { on: false },
                "no bulkstats collection",
                None,
            ),
            (
                r#"{"do":"default","what":"sample-interval"}"#,
                BulkstatsSetting::Default {
                    what: BulkstatsKey::SampleInterval,
                },
                "default sample-interval",
                None,
            ),
            (
                r#"{"do":"part","number":2,"part":{"set":"schema","line":"apn schema a format %apn%"}}"#,
                part(BulkstatsPart::Schema {
                    line: "apn schema a format %apn%".into(),
                }),
                "schema",
                Some(2),
            ),
            (
                r#"{"do":"part","number":2,"part":{"set":"receiver","secondary":true,"receiver":{"address":"192.0.2.10","mechanism":"http","port":8080,"login":"csv","password":"hunter2","key_file":null,"host_key":null,"roots":null,"method":"put"}}}"#,
                part(BulkstatsPart::Receiver {
                    secondary: true,
                    receiver: Box::new(receiver),
                }),
                "receiver",
                Some(2),
            ),
        ];
        for (text, setting, words, file) in cases {
            assert_eq!(serde_json::to_string(&setting).unwrap(), text);
            let read = serde_json::from_str::<BulkstatsSetting>(text);
            assert_eq!(read.unwrap(), setting);
            assert_eq!((setting.words(), setting.file()), (words, file));
            assert!(!format!("{setting:?}").contains("hunter2"));
        }
    }
}
