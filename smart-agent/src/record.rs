//! What survives a restart. Each record is kept whole, and before anything is sent that follows from it.

use std::collections::BTreeMap;

use api::smart::{Acknowledged, IdToken, InstanceId, Octets, ReportText, Serial};
use licensing::{LicenseCount, Tag, Wall};
use serde::{Deserialize, Serialize};

use crate::orders::KeptOrders;
use crate::trust::TrustRecord;

/// Something that the agent asks its shell to keep, durably, before it does anything that was asked for later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record", content = "of")]
pub enum Record {
    /// The registration, in place of the last such record. It holds a token while one is in use: mode 0600.
    State(StateRecord),
    /// The trust pool, in place of the last such record.
    Trust(TrustRecord),
    /// What was used since the last report, in place of the last such record.
    Interval(IntervalRecord),
    /// A report, beside those before it.
    Report {
        /// Its number.
        report_id: u64,
        /// Its text.
        text: ReportText,
    },
    /// What is known of the reports.
    Marks(Marks),
    /// All reports, marks and interval anew, in place of what was kept of them, at once or not at all.
    Ledger(LedgerRecord),
}

/// The registration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateRecord {
    /// The registration; none: there is none.
    pub registration: Option<Registration>,
    /// A registration is being asked for.
    pub attempt: Option<Attempt>,
    /// A deregistration is being asked for.
    pub leaving: bool,
    /// The last date that the authority named; kept on lab nodes, whose dates follow it.
    pub calendar: Option<Wall>,
}

/// A registration with a license authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The product instance identifier.
    pub instance: InstanceId,
    /// The identity certificate in DER, then those above it.
    pub certificates: Vec<Octets>,
    /// The authority knows that the certificate is stored.
    pub acknowledged: bool,
    /// When it began.
    pub since: Wall,
    /// When it was last renewed; none: not yet.
    pub renewed: Option<Wall>,
    /// The date at which it is to be renewed.
    pub renew_at: Wall,
    /// Name of the Smart Account.
    pub smart_account: String,
    /// Name of the virtual account.
    pub virtual_account: String,
    /// Serial number of the certificate that signed the last good answer.
    pub signer: Option<Serial>,
    /// Its orders; none: there are none.
    #[serde(default)]
    pub orders: Option<Box<KeptOrders>>,
}

/// A registration that is being asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// The token; a secret.
    pub idtoken: IdToken,
    /// In place of another registration.
    pub force: bool,
}

/// What was used since a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntervalRecord {
    /// Number of the report before it; with another one as the last, this record is older than that, and void.
    pub after: u64,
    /// The date at which it began.
    pub start: Wall,
    /// Its length so far, in milliseconds of license time.
    pub interval_ms: u64,
    /// What was used.
    pub entries: BTreeMap<Tag, UsageSum>,
}

/// What was used of a tag in an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageSum {
    /// Licenses in use at last.
    pub licenses: LicenseCount,
    /// Most licenses at once.
    pub peak: LicenseCount,
    /// Licenses times milliseconds of license time.
    pub license_ms: u64,
}

/// What is known of the reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// The authority has all up to this number.
    pub acknowledged: u64,
    /// Those below this number are not needed any more.
    pub below: u64,
    /// The last report of the chain, whether its text is still here or not; none: there never was one.
    pub head: Option<Acknowledged>,
}

/// Reports, marks and interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerRecord {
    /// All reports and their numbers, which rise by one.
    pub reports: BTreeMap<u64, ReportText>,
    /// What is known of them.
    pub marks: Marks,
    /// What was used since the last of them; none: nothing was kept.
    pub interval: Option<IntervalRecord>,
}

/// What a start found on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// The registration; none: there is no record of one, nor of its end.
    pub state: Option<StateRecord>,
    /// The trust pool.
    pub trust: TrustRecord,
    /// Reports, marks and interval.
    pub ledger: LedgerRecord,
}

impl Restored {
    /// What is on disk once this record is kept too: what a shell's store has to amount to.
    pub fn keep(&mut self, record: Record) {
        match record {
            Record::State(state) => self.state = Some(state),
            Record::Trust(trust) => self.trust = trust,
            Record::Interval(interval) => self.ledger.interval = Some(interval),
            Record::Report { report_id, text } => {
                self.ledger.reports.insert(report_id, text);
            }
            Record::Marks(marks) => {
                self.ledger.marks = marks;
                self.ledger.reports = self.ledger.reports.split_off(&marks.below);
            }
            Record::Ledger(ledger) => self.ledger = ledger,
        }
    }
}
