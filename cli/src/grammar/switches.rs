//! `feature ...`, `no ...` and `lab ...`.

use clap::{Args, Subcommand};

use super::{
    ConfirmArgs, NameArgs, NoLoggingArgs, NoSnmpArgs, PlainCollection, SocketArgs, ThresholdArgs,
};

/// `feature <name> enable`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tollgate feature GRE enable
  tollgate no feature GRE enable
  tollgate show license smart-tags feature       the names")]
pub struct FeatureArgs {
    /// Name of the feature in the catalog, letter case apart
    pub name: String,
    /// The word `enable`
    #[arg(value_parser = ["enable"], hide_possible_values = true, value_name = "enable")]
    pub enable: String,
    /// Whether it is asked.
    #[command(flatten)]
    pub confirm: ConfirmArgs,
}

/// `no ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Examples:\n  tollgate no license smart enable\n  tollgate no feature GRE enable"
)]
pub struct NoArgs {
    /// What to take back.
    #[command(subcommand)]
    pub no: No,
}

/// What one may take back.
#[derive(Debug, Subcommand)]
pub enum No {
    /// Change the licensing of a node
    License(NoLicenseArgs),
    /// Disable an on/off feature of a node
    Feature(FeatureArgs),
    /// Take back what is set of SNMP
    Snmp(NoSnmpArgs),
    /// Collect bulk statistics no more
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
    /// Warn managers no more
    Threshold(ThresholdArgs),
    /// Take back what is set of logging
    Logging(NoLoggingArgs),
    /// Take an administrator away
    Administrator(NameArgs),
    /// Take an operator away
    Operator(NameArgs),
    /// Take an inspector away
    Inspector(NameArgs),
}

/// `no license ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Examples:\n  tollgate no license smart enable\n  tollgate no license smart proxy"
)]
pub struct NoLicenseArgs {
    /// What of it.
    #[command(subcommand)]
    pub license: NoLicense,
}

/// What of licensing one may take back.
#[derive(Debug, Subcommand)]
pub enum NoLicense {
    /// Smart licensing
    #[command(
        subcommand_required = true,
        arg_required_else_help = true,
        infer_subcommands = true
    )]
    Smart {
        /// What of it.
        #[command(subcommand)]
        smart: NoSmart,
    },
}

/// What of smart licensing one may take back.
#[derive(Debug, Subcommand)]
pub enum NoSmart {
    /// Keep the last verdicts, and ask nothing more of the authority
    #[command(after_help = "Example:\n  tollgate no license smart enable")]
    Enable(ConfirmArgs),
    /// The license authority is the configuration's again
    #[command(after_help = "Example:\n  tollgate no license smart url")]
    Url(SocketArgs),
    /// Go to the license authority directly, without the proxy that was set or that the configuration has
    #[command(after_help = "\
Examples:
  tollgate no license smart proxy
  tollgate license smart proxy default           the configuration's again")]
    Proxy(SocketArgs),
}

/// `lab ...`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    infer_subcommands = true,
    after_help = "Example:\n  tollgate lab speedup 86400"
)]
pub struct LabArgs {
    /// What of it.
    #[command(subcommand)]
    pub lab: Lab,
}

/// What of a lab node one may change.
#[derive(Debug, Subcommand)]
pub enum Lab {
    /// Set the speed of the license clock, in license seconds a second
    ///
    /// Evaluation, grace and silence run by it, nothing else does. A node that its configuration does not mark `[lab]`
    /// refuses.
    #[command(after_help = "\
Examples:
  tollgate lab speedup 86400                     a day a second
  tollgate lab speedup 1                         as on any other node")]
    Speedup {
        /// License seconds a second
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        speedup: u32,
        /// Where the node is.
        #[command(flatten)]
        socket: SocketArgs,
    },
}
