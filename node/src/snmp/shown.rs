//! What surfaces are shown of SNMP: its thread writes it, the control interface reads it, neither waits for the other.

use std::sync::Arc;

use api::{
    InformTimes, NotifyRow, NotifyTotals, SnmpCommunity, SnmpCounter, SnmpLeftOut, SnmpServer,
    SnmpTarget, SnmpUser, SnmpView, TrapRow,
};
use licensing::Mono;
use parking_lot::RwLock;
use snmp::Counters;
use snmp::delivery::{
    A_SECOND, Delivery, HistoryRow, NotifyCount, PERIOD, Periods, Target, TargetStatus,
};
use snmp::groups::Own;
use snmp::notifications::Which;
use snmp::target::Security;
use snmp::usm::{AuthProtocol, Fault, PrivProtocol, User};

use crate::config::{NotifyTarget, Snmp, TargetLeftOut};

/// The last that was said of SNMP.
#[derive(Debug)]
pub(crate) struct SnmpCurrent(RwLock<Arc<Shown>>);

/// SNMP at one time.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(super) at: Mono,
    /// As it is configured.
    pub(super) config: Arc<Configured>,
    pub(super) own: Own,
    pub(super) walks_held: usize,
    pub(super) targets: Vec<TargetStatus>,
    pub(super) periods: Periods,
    pub(super) counts: Vec<(Which, NotifyCount, bool)>,
    pub(super) history: Arc<History>,
}

/// The history as of one place of it.
#[derive(Debug, Default)]
pub(super) struct History {
    logged: u64,
    rows: Vec<Arc<HistoryRow>>,
}

/// What is shown of the configuration: nothing secret.
#[derive(Debug)]
pub(super) struct Configured {
    server: SnmpServer,
    left_out: Vec<SnmpLeftOut>,
    communities: Vec<SnmpCommunity>,
    users: Vec<SnmpUser>,
    targets: Vec<SnmpTarget>,
}

impl SnmpCurrent {
    pub(super) fn new(shown: Shown) -> Self {
        Self(RwLock::new(Arc::new(shown)))
    }

    pub(super) fn store(&self, shown: Shown) {
        *self.0.write() = Arc::new(shown);
    }

    pub(super) fn load(&self) -> Arc<Shown> {
        Arc::clone(&self.0.read())
    }

    /// As the API has it, with the newest `history` notifications; whether the thread stalls is for the caller to say.
    pub(crate) fn view(&self, history: usize, now: Mono) -> SnmpView {
        self.load().view(history, now)
    }
}

impl History {
    /// The history now; as it was, if nothing has come since.
    pub(super) fn of(delivery: &Delivery, before: &Arc<Self>) -> Arc<Self> {
        if before.logged == delivery.logged() {
            return Arc::clone(before);
        }
        Arc::new(Self {
            logged: delivery.logged(),
            rows: delivery.history().map(Arc::clone).collect(),
        })
    }
}

impl Shown {
    fn view(&self, history: usize, now: Mono) -> SnmpView {
        let config = &self.config;
        let targets = config.targets.iter().zip(&self.targets);
        let rows = &self.history.rows;
        let newest = &rows[rows.len().saturating_sub(history)..];
        SnmpView {
            age_ms: u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX),
            stalled: false,
            server: SnmpServer {
                engine_boots: self.own.boots,
                engine_time_s: self.own.time,
                counters: counters(&self.own.counters),
                walks_held: self.walks_held as u64,
                ..config.server.clone()
            },
            left_out: config.left_out.clone(),
            communities: config.communities.clone(),
            users: config.users.clone(),
            targets: targets.map(|(of, status)| target(of, status)).collect(),
            notifies: self.totals(),
            types: self.counts.iter().map(notify).collect(),
            history: newest.iter().map(|row| trap(row)).collect(),
        }
    }

    fn totals(&self) -> NotifyTotals {
        let sum =
            |of: fn(&NotifyCount) -> u64| self.counts.iter().map(|(_, count, _)| of(count)).sum();
        NotifyTotals {
            total: sum(|count| count.generated),
            discarded: sum(|count| count.discarded),
            last: self.history.rows.last().map(|row| row.at),
            period_s: PERIOD.as_secs(),
            current_period: self.periods.current,
            previous_period: self.periods.previous,
        }
    }
}

fn notify((which, count, suppressed): &(Which, NotifyCount, bool)) -> NotifyRow {
    let row = which.row();
    NotifyRow {
        name: row.name.to_owned(),
        mib: row.mib.name().to_owned(),
        number: row.number,
        generated: count.generated + count.discarded,
        discarded: count.discarded,
        suppressed: *suppressed,
        last: count.last,
    }
}

fn trap(row: &HistoryRow) -> TrapRow {
    let of = row.which.row();
    TrapRow {
        place: row.place,
        at: row.at,
        name: of.name.to_owned(),
        mib: of.mib.name().to_owned(),
        number: of.number,
        text: row.text.clone(),
    }
}

fn target(of: &SnmpTarget, status: &TargetStatus) -> SnmpTarget {
    SnmpTarget {
        waiting: status.waiting,
        held: status.held,
        sent: status.sent,
        repeated: status.repeated,
        acknowledged: status.acknowledged,
        coalesced: status.coalesced,
        dropped: status.dropped,
        away_since: status.away_since,
        ..of.clone()
    }
}

/// Each by the name that a MIB has for it, or would have.
fn counters(counted: &Counters) -> Vec<SnmpCounter> {
    let usm = |fault: Fault| counted.usm[fault as usize];
    let all = [
        ("snmpInPkts", counted.in_pkts),
        ("snmpInBadVersions", counted.in_bad_versions),
        ("snmpInBadCommunityNames", counted.in_bad_community_names),
        ("snmpInBadCommunityUses", counted.in_bad_community_uses),
        ("snmpInASNParseErrs", counted.in_asn_parse_errs),
        ("snmpSilentDrops", counted.silent_drops),
        ("snmpUnknownSecurityModels", counted.unknown_security_models),
        ("snmpInvalidMsgs", counted.invalid_msgs),
        ("snmpUnknownPDUHandlers", counted.unknown_pdu_handlers),
        ("snmpUnknownContexts", counted.unknown_contexts),
        ("usmStatsUnsupportedSecLevels", usm(Fault::UnsupportedLevel)),
        ("usmStatsNotInTimeWindows", usm(Fault::NotInTimeWindow)),
        ("usmStatsUnknownUserNames", usm(Fault::UnknownUser)),
        ("usmStatsUnknownEngineIDs", usm(Fault::UnknownEngine)),
        ("usmStatsWrongDigests", usm(Fault::WrongDigest)),
        ("usmStatsDecryptionErrors", usm(Fault::Decryption)),
        ("replayedMessages", counted.replays),
        ("walksDropped", counted.walks_dropped),
    ];
    let all = all.into_iter().map(|(name, value)| SnmpCounter {
        name: name.to_owned(),
        value,
    });
    all.collect()
}

impl Configured {
    pub(super) fn of(snmp: &Snmp) -> Self {
        let access = &snmp.access;
        let communities = snmp.community_names.iter().zip(&access.communities);
        let communities = communities.map(|(name, (_, view))| SnmpCommunity {
            name: name.clone(),
            reads: !view.is_empty(),
        });
        let users = access.users.iter();
        let users = users.map(|(user, view)| configured_user(user, !view.is_empty()));
        let spoken = snmp.targets.iter().map(configured_target);
        let left_out = snmp.targets_left_out.iter();
        let left_out = left_out.map(
            |TargetLeftOut {
                 target,
                 version,
                 user,
             }| shown_target(target, version, user.clone()),
        );
        Self {
            server: SnmpServer {
                listen: snmp.listen,
                engine_id: snmp.engine.to_string(),
                contact: snmp.contact.clone(),
                location: snmp.location.clone(),
                enterprise: snmp.enterprise.to_string(),
                storm_limit: A_SECOND as u32,
                ..SnmpServer::default()
            },
            left_out: snmp.left_out.clone(),
            communities: communities.collect(),
            users: users.collect(),
            targets: spoken.chain(left_out).collect(),
        }
    }
}

fn configured_user(user: &User, reads: bool) -> SnmpUser {
    let auth = user.auth.as_ref().map(|(auth, _)| match auth {
        AuthProtocol::Sha1 => "sha-1",
        AuthProtocol::Sha256 => "sha-256",
        AuthProtocol::Sha384 => "sha-384",
        AuthProtocol::Sha512 => "sha-512",
    });
    let privacy = user.privacy.as_ref().map(|(privacy, _)| match privacy {
        PrivProtocol::Aes128 => "aes-128",
        PrivProtocol::Aes256 => "aes-256",
    });
    SnmpUser {
        name: user.name.clone(),
        auth: auth.map(str::to_owned),
        privacy: privacy.map(str::to_owned),
        reads,
    }
}

fn configured_target(of: &NotifyTarget) -> SnmpTarget {
    let (version, user) = match &of.security {
        Security::V1 { .. } => ("v1", None),
        Security::V2c { .. } => ("v2c", None),
        Security::V3 { user, .. } => ("v3", Some(user.name.clone())),
    };
    shown_target(&of.target, version, user)
}

fn shown_target(of: &Target, version: &str, user: Option<String>) -> SnmpTarget {
    let inform = of.inform.map(|inform| InformTimes {
        timeout_ms: u64::try_from(inform.timeout.as_millis()).unwrap_or(u64::MAX),
        retries: inform.retries,
    });
    SnmpTarget {
        name: of.name.clone(),
        address: of.address,
        version: version.to_owned(),
        user,
        inform,
        queue: of.queue as u64,
        left_out: of.left_out,
        waiting: 0,
        held: 0,
        sent: 0,
        repeated: 0,
        acknowledged: 0,
        coalesced: 0,
        dropped: 0,
        away_since: None,
    }
}
