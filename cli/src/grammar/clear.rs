//! `clear ...`.

use std::net::IpAddr;

use api::ClearWhom;
use clap::{Args, Subcommand};

use super::{NameArgs, SocketArgs};

/// `clear ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Example:\n  tollgate clear subscribers imsi 240010000000001"
)]
pub struct ClearArgs {
    /// What of it.
    #[command(subcommand)]
    pub clear: Clear,
}

/// What one may clear.
#[derive(Debug, Subcommand)]
pub enum Clear {
    /// End sessions: their peers are asked to delete them
    ///
    /// Each session's SGSN, SGW, MME, ePDG or TWAN gets a Delete Bearer Request, or a Delete PDP Context Request. A session
    /// counts until it is answered, or was not answered n3_requests times; its license is free then. New calls are not
    /// held up, nor refused. Sessions that other processes count here (admission clients) are theirs to end.
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true,
        after_help = "\
Examples:
  tollgate clear subscribers imsi 240010000000001
  tollgate clear subscribers apn internet --reactivate
  tollgate clear subscribers peer 10.1.2.3
  tollgate clear subscribers service PGW -noconfirm
  tollgate clear subscribers all -noconfirm

It asks before it clears, unless -noconfirm is there. Emergency sessions are
cleared by imsi and apn alone. Exit: 0 so many are cleared as it says, 1 none
matched, or it was not confirmed."
    )]
    Subscribers(ClearSubscribers),
    /// The lock of an account
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true,
        after_help = "Example:\n  tollgate clear administrator lock maja"
    )]
    Administrator {
        /// What of it.
        #[command(subcommand)]
        what: ClearAdministrator,
    },
    /// Statistics of bulk statistics, or samples that wait
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true,
        after_help = "Examples:\n  tollgate clear bulkstats counters\n  tollgate clear bulkstats data"
    )]
    Bulkstats {
        /// What of them.
        #[command(subcommand)]
        what: ClearBulkstats,
    },
}

/// What of accounts one may clear.
#[derive(Debug, Subcommand)]
pub enum ClearAdministrator {
    /// Forget wrong passwords of an account, which opens it if it is locked
    #[command(after_help = "Example:\n  tollgate clear administrator lock maja")]
    Lock(NameArgs),
}

/// What of bulk statistics one may clear.
#[derive(Debug, Subcommand)]
pub enum ClearBulkstats {
    /// Begin the statistics of all files anew
    #[command(after_help = "Example:\n  tollgate clear bulkstats counters")]
    Counters(SocketArgs),
    /// Drop all samples that wait, complete files too, but for what is on its way
    #[command(after_help = "Example:\n  tollgate clear bulkstats data")]
    Data(SocketArgs),
}

/// Whose sessions one may clear.
#[derive(Debug, Args)]
pub struct ClearSubscribers {
    /// Whose.
    #[command(subcommand)]
    pub whose: ClearWhose,
}

/// Whose sessions, with the options.
#[derive(Debug, Subcommand)]
pub enum ClearWhose {
    /// A subscriber's, its emergency session too
    Imsi {
        /// The IMSI, 6 to 15 digits
        imsi: String,
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
    /// Those of an access point name
    Apn {
        /// Name in the configuration, letter case apart
        apn: String,
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
    /// Those of a peer, and what is relayed to it, but for emergency sessions
    Peer {
        /// The address that it signals from
        address: IpAddr,
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
    /// Those that take a service's license
    Service {
        /// Name in the catalog, letter case apart
        service: String,
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
    /// All, but for emergency sessions
    All {
        /// The options.
        #[command(flatten)]
        options: ClearOptions,
    },
}

/// How one may clear.
#[derive(Debug, Args)]
pub struct ClearOptions {
    /// Do not ask; `-noconfirm` is understood as well
    #[arg(long)]
    pub noconfirm: bool,
    /// Ask the UEs to connect again (cause Reactivation Requested)
    #[arg(long)]
    pub reactivate: bool,
    /// Where the node is.
    #[command(flatten)]
    pub socket: SocketArgs,
}

impl ClearSubscribers {
    /// As it is asked of a node.
    pub fn whom(self) -> (ClearWhom, ClearOptions) {
        match self.whose {
            ClearWhose::Imsi { imsi, options } => (ClearWhom::Imsi(imsi), options),
            ClearWhose::Apn { apn, options } => (ClearWhom::Apn(apn), options),
            ClearWhose::Peer { address, options } => (ClearWhom::Peer(address), options),
            ClearWhose::Service { service, options } => (ClearWhom::Service(service), options),
            ClearWhose::All { options } => (ClearWhom::All, options),
        }
    }
}
