//! `[bulkstats]` as it is written.

use std::path::PathBuf;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct Bulkstats {
    pub(in super::super) collection: bool,
    pub(in super::super) sample_interval_min: u32,
    pub(in super::super) transfer_interval_min: u32,
    pub(in super::super) limit_mib: u64,
    pub(in super::super) historical_days: u32,
    pub(in super::super) historical_mib: u64,
    pub(in super::super) file: Vec<BulkstatsFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct BulkstatsFile {
    pub(in super::super) number: u8,
    pub(in super::super) remotefile: Option<String>,
    #[serde(default)]
    pub(in super::super) header: String,
    #[serde(default)]
    pub(in super::super) footer: String,
    #[serde(default)]
    pub(in super::super) gzip: bool,
    #[serde(default)]
    pub(in super::super) schemas: Vec<String>,
    pub(in super::super) primary: Option<BulkstatsReceiver>,
    pub(in super::super) secondary: Option<BulkstatsReceiver>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct BulkstatsReceiver {
    pub(in super::super) address: String,
    pub(in super::super) port: Option<u16>,
    pub(in super::super) mechanism: BulkstatsMechanism,
    pub(in super::super) login: Option<String>,
    pub(in super::super) password_file: Option<PathBuf>,
    pub(in super::super) key_file: Option<PathBuf>,
    pub(in super::super) host_key: Option<String>,
    pub(in super::super) roots: Option<PathBuf>,
    pub(in super::super) method: Option<BulkstatsMethod>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in super::super) enum BulkstatsMechanism {
    Sftp,
    Ftp,
    Ftps,
    Tftp,
    Http,
    Https,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in super::super) enum BulkstatsMethod {
    Put,
    Post,
}

impl Default for Bulkstats {
    fn default() -> Self {
        Self {
            collection: false,
            sample_interval_min: 15,
            transfer_interval_min: 480,
            limit_mib: 32,
            historical_days: 0,
            historical_mib: 256,
            file: Vec::new(),
        }
    }
}
