//! SNMP as its node shows it: who is sent notifications, which there were, and what managers asked. No secret is in it.

use std::net::SocketAddr;

use licensing::Wall;
use serde::{Deserialize, Serialize};

/// Most notifications of the history of one answer: as many as a node keeps.
pub const TRAPS_LIMIT_MAX: u32 = 5_000;

/// SNMP of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpView {
    /// Time since the thread of SNMP said so, in milliseconds.
    pub age_ms: u64,
    /// That thread does not work: this is the last that it said.
    pub stalled: bool,
    /// The agent.
    pub server: SnmpServer,
    /// What is set and not in force, because its secret can't be opened.
    #[serde(default)]
    pub left_out: Vec<SnmpLeftOut>,
    /// Communities that may read, in the order of the configuration.
    pub communities: Vec<SnmpCommunity>,
    /// Users, in the order of the configuration.
    pub users: Vec<SnmpUser>,
    /// Who is sent notifications, in the order of the configuration, then those that are left out; no one: notifications are
    /// counted and listed only.
    pub targets: Vec<SnmpTarget>,
    /// Notifications in all.
    pub notifies: NotifyTotals,
    /// Every notification that there is, in the order of the manual.
    pub types: Vec<NotifyRow>,
    /// The last ones, oldest first: as many as were asked for.
    pub history: Vec<TrapRow>,
}

/// What an operator had set and the node left out at its start; it stands in the node's settings as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpLeftOut {
    /// `community`, `user` or `target`.
    pub what: String,
    /// Its name; empty: it has none.
    pub name: String,
    /// Why, and of which file.
    pub why: String,
}

/// The agent, which managers ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpServer {
    /// Where managers ask; none: nowhere.
    pub listen: Option<SocketAddr>,
    /// snmpEngineID, in hexadecimal digits.
    pub engine_id: String,
    /// snmpEngineBoots.
    pub engine_boots: u32,
    /// snmpEngineTime, in seconds.
    pub engine_time_s: u32,
    /// sysContact.
    pub contact: String,
    /// sysLocation.
    pub location: String,
    /// The arc of TOLLGATE-MIB.
    pub enterprise: String,
    /// Most notifications a second that one target is sent.
    pub storm_limit: u32,
    /// What was counted since the process began; each wraps at 2^32.
    pub counters: Vec<SnmpCounter>,
    /// Snapshots that walks of managers hold now.
    pub walks_held: u64,
}

/// One counter of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpCounter {
    /// As MIBs name it.
    pub name: String,
    /// Its value.
    pub value: u32,
}

/// A community of SNMPv1 and SNMPv2c; what managers send is a password, and not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpCommunity {
    /// The name by which operators set it or take it away, which is no secret; none: it has none.
    pub name: Option<String>,
    /// There is something that it may read.
    pub reads: bool,
}

/// A user of SNMPv3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpUser {
    /// Its name.
    pub name: String,
    /// How it authenticates, as the configuration names it; none: not at all.
    pub auth: Option<String>,
    /// How it encrypts; none: not at all.
    pub privacy: Option<String>,
    /// There is something that it may read.
    pub reads: bool,
}

/// A target, and what became of what it was to be sent since the process began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnmpTarget {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// `v1`, `v2c` or `v3`.
    pub version: String,
    /// The user by which it is spoken to; none: a community.
    pub user: Option<String>,
    /// Sent informs, repeated so; none: traps.
    pub inform: Option<InformTimes>,
    /// Notifications that may wait for it.
    pub queue: u64,
    /// It is left out: all that it is to be sent waits.
    #[serde(default)]
    pub left_out: bool,
    /// Notifications that wait for it, held ones apart.
    pub waiting: u64,
    /// Notifications that are held, because more came than are sent.
    pub held: u64,
    /// Sent, each counted once.
    pub sent: u64,
    /// Informs sent again.
    pub repeated: u64,
    /// Informs acknowledged.
    pub acknowledged: u64,
    /// For which others stand: more came than are sent.
    pub coalesced: u64,
    /// Dropped: its queue was full.
    pub dropped: u64,
    /// Since when it does not acknowledge; none: it does, or is sent traps.
    pub away_since: Option<Wall>,
}

/// How informs are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InformTimes {
    /// How long an acknowledgement is waited for, in milliseconds.
    pub timeout_ms: u64,
    /// Times that it is sent again before its target is taken to be away.
    pub retries: u8,
}

/// Notifications since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyTotals {
    /// Those for targets.
    pub total: u64,
    /// Suppressed ones.
    pub discarded: u64,
    /// When there was one for targets last.
    pub last: Option<Wall>,
    /// Length of a period, in seconds.
    pub period_s: u64,
    /// For targets in this period.
    pub current_period: u64,
    /// In the one before.
    pub previous_period: u64,
}

/// One notification that there is, and how often there was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyRow {
    /// Its name.
    pub name: String,
    /// Its MIB.
    pub mib: String,
    /// Its number in that.
    pub number: u32,
    /// How often it came about, suppressed or not.
    pub generated: u64,
    /// How often of that it was suppressed.
    pub discarded: u64,
    /// It is suppressed now.
    pub suppressed: bool,
    /// When it came about last.
    pub last: Option<Wall>,
}

/// One notification of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapRow {
    /// Rises with each one since the process began, from 1: its place in the notification log of the MIB.
    pub place: u64,
    /// When it was issued.
    pub at: Wall,
    /// Its name.
    pub name: String,
    /// Its MIB.
    pub mib: String,
    /// Its number in that.
    pub number: u32,
    /// Names and values of its varbinds.
    pub text: String,
}
