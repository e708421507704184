//! Alarms and SNMP in the states that the node is in.

use std::net::SocketAddr;

use api::{
    AlarmCounts, AlarmRow, AlarmView, BulkstatsData, BulkstatsFile, BulkstatsReceiver,
    BulkstatsSchema, BulkstatsStatus, BulkstatsTransfer, InformTimes, NotifyRow, NotifyTotals,
    SnmpCommunity, SnmpCounter, SnmpLeftOut, SnmpServer, SnmpTarget, SnmpUser, SnmpView, TrapRow,
};
use cli::show::View;

use super::wall;

const STARENT: &str = "STARENT-MIB";
const CISCO: &str = "CISCO-SMART-LIC-MIB";
const TOLLGATE: &str = "TOLLGATE-MIB";

/// With what a node tells of the alarms of its snapshot.
pub fn with_alarms(mut view: View) -> View {
    let alarms = &view.snapshot.alarms;
    let outstanding: Vec<AlarmRow> = alarms.iter().map(node::alarms::row).collect();
    let mut raised: AlarmCounts = outstanding.iter().map(|row| row.severity).collect();
    // One was cleared since.
    raised.major += u64::from(!outstanding.is_empty());
    view.alarms = AlarmView {
        last_raised: alarms.iter().map(|alarm| alarm.raised).max(),
        raised,
        outstanding,
    };
    view.snmp.notifies.period_s = 300;
    view
}

/// It answers managers, and nobody is sent anything.
pub fn quiet() -> SnmpView {
    SnmpView {
        server: server("127.0.0.1:161"),
        communities: vec![community(Some("noc"), true)],
        notifies: totals(1, 0),
        types: types(&[(STARENT, 1351, "starSmartLicenseEvalMode", 1, 0)]),
        history: vec![trap(
            1,
            STARENT,
            1351,
            "starSmartLicenseEvalMode",
            "SmartLicenseEvalModeRemaining 1",
        )],
        ..SnmpView::default()
    }
}

/// Two targets, of which one is away, and notifications of all MIBs.
pub fn away() -> SnmpView {
    let of = [
        (STARENT, 1349, "starSmartLicenseServiceOOC", 1, 0),
        (STARENT, 1355, "starSmartLicenseCSSMConntectionFail", 0, 0),
        (STARENT, 1401, "starSmartLicenseFeatureOOC", 788_368, 62_669),
        (CISCO, 2, "ciscoSlaSmartAgentNotifyReady", 1, 0),
        (
            CISCO,
            15,
            "ciscoSlaSmartAgentNotifyEntitlementEnforceMode",
            3,
            0,
        ),
        (TOLLGATE, 105, "tgPolicyChanged", 2, 2),
        (TOLLGATE, 114, "tgForked", 1, 0),
    ];
    SnmpView {
        age_ms: 20,
        server: server("[2001:db8::17]:161"),
        communities: vec![community(Some("noc"), true), community(None, false)],
        users: vec![
            user("carrier", Some("sha-256"), Some("aes-128"), true),
            user(
                "monitor-of-the-regional-centre-1",
                Some("sha-512"),
                None,
                true,
            ),
            user("guest", None, None, false),
        ],
        targets: vec![
            SnmpTarget {
                name: "nms1".into(),
                version: "v3".into(),
                user: Some("carrier".into()),
                inform: Some(InformTimes {
                    timeout_ms: 5_000,
                    retries: 3,
                }),
                waiting: 12,
                held: 2,
                sent: 725_705,
                repeated: 9,
                acknowledged: 725_693,
                coalesced: 40,
                dropped: 1,
                away_since: Some(wall(-600)),
                ..target("192.0.2.1:162")
            },
            SnmpTarget {
                name: "old-manager-in-the-basement".into(),
                version: "v1".into(),
                sent: 725_705,
                ..target("[2001:db8::1]:1162")
            },
        ],
        notifies: totals(725_705, 62_671),
        types: types(&of),
        history: vec![
            trap(
                725_703,
                CISCO,
                2,
                "ciscoSlaSmartAgentNotifyReady",
                "ciscoSlaSUDIInfo PID:VPC_SI,SN:9FR4BQX",
            ),
            trap(
                725_704,
                STARENT,
                1349,
                "starSmartLicenseServiceOOC",
                "SmartLicenseServiceName GGSN SmartLicenseServiceUsage 4",
            ),
            trap(725_705, TOLLGATE, 114, "tgForked", ""),
        ],
        ..SnmpView::default()
    }
}

fn server(listen: &str) -> SnmpServer {
    let counters = [("snmpInPkts", 4_294_967_295), ("usmStatsWrongDigests", 2)];
    let counters = counters.map(|(name, value)| SnmpCounter {
        name: name.into(),
        value,
    });
    SnmpServer {
        listen: Some(listen.parse().unwrap()),
        engine_id: "80007ed904677731".into(),
        engine_boots: 3,
        engine_time_s: 61,
        contact: "noc@carrier.example".into(),
        location: String::new(),
        enterprise: "1.3.6.1.4.1.32473.1".into(),
        storm_limit: 50,
        counters: counters.into(),
        walks_held: 1,
    }
}

/// Of a node that has lost its key.
pub fn left_out() -> Vec<SnmpLeftOut> {
    let sealed = "/var/lib/tollgate/secrets/7 can't be used: another node.key has sealed it";
    let out = |what: &str, name: &str, why: &str| SnmpLeftOut {
        what: what.into(),
        name: name.into(),
        why: why.into(),
    };
    vec![
        out("user", "carrier", sealed),
        out("target", "nms1", "its user carrier is left out"),
    ]
}

fn community(name: Option<&str>, reads: bool) -> SnmpCommunity {
    let name = name.map(str::to_owned);
    SnmpCommunity { name, reads }
}

fn user(name: &str, auth: Option<&str>, privacy: Option<&str>, reads: bool) -> SnmpUser {
    SnmpUser {
        name: name.into(),
        auth: auth.map(Into::into),
        privacy: privacy.map(Into::into),
        reads,
    }
}

fn target(address: &str) -> SnmpTarget {
    SnmpTarget {
        name: String::new(),
        address: address.parse::<SocketAddr>().unwrap(),
        version: String::new(),
        user: None,
        inform: None,
        queue: 10_000,
        left_out: false,
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

fn totals(total: u64, discarded: u64) -> NotifyTotals {
    NotifyTotals {
        total,
        discarded,
        last: Some(wall(-5)),
        period_s: 300,
        current_period: 1,
        previous_period: 0,
    }
}

/// The notifications that there are, or some of them: MIB, number, name, generated, discarded.
fn types(of: &[(&str, u32, &str, u64, u64)]) -> Vec<NotifyRow> {
    let rows = of
        .iter()
        .map(|&(mib, number, name, generated, discarded)| NotifyRow {
            name: name.into(),
            mib: mib.into(),
            number,
            generated,
            discarded,
            suppressed: discarded == generated && generated > 0,
            last: (generated > 0).then(|| wall(-5)),
        });
    rows.collect()
}

fn trap(place: u64, mib: &str, number: u32, name: &str, text: &str) -> TrapRow {
    TrapRow {
        place,
        at: wall(-5),
        name: name.into(),
        mib: mib.into(),
        number,
        text: text.into(),
    }
}

/// Two files, one of which the secondary gets.
pub fn bulkstats() -> BulkstatsStatus {
    let to = |address: &str, mechanism: &str, login: Option<&str>| BulkstatsReceiver {
        address: address.into(),
        mechanism: mechanism.into(),
        login: login.map(str::to_owned),
        error: None,
    };
    let format = "sl,%localdate%,%localtime%,%mode%,%tagid%,%cur_call_policy%,%cur_call_count%,%max_call_count%";
    let file = BulkstatsFile {
        lacks: None,
        number: 1,
        remotefile: "/opt/csvdrop/%host%_bulkstats_%localdate%_%localtime%_%localtz%_15_15.csv"
            .into(),
        header: "Version-%version-no%,%ipaddr%,%date%-%time%".into(),
        footer: "EndOfFile".into(),
        gzip: false,
        schemas: vec![BulkstatsSchema {
            schema: "smart-license".into(),
            name: "sl".into(),
            format: format.into(),
        }],
        primary: Some(BulkstatsReceiver {
            error: Some("the receiver is not reached: connection refused".into()),
            ..to("192.0.2.10", "SFTP", Some("csvuser"))
        }),
        secondary: Some(to("192.0.2.11", "TFTP", None)),
        on_secondary: true,
        failing: false,
        awaiting_records: 36,
        awaiting_bytes: 1_502,
        awaiting_files: 1,
        collected_records: 40_507_697,
        collected_bytes: 5_360_711_792,
        transmitted_records: 40_507_661,
        transmitted_bytes: 5_360_710_290,
        discarded_records: 0,
        discarded_bytes: 0,
        last_transfer: Some(BulkstatsTransfer {
            at: wall(-42),
            took_s: 0,
            records: 5_991,
            bytes: 794_656,
        }),
        last_attempt: Some(wall(-42)),
    };
    let second = BulkstatsFile {
        number: 2,
        remotefile: "apns.csv".into(),
        header: String::new(),
        footer: String::new(),
        gzip: true,
        primary: None,
        secondary: None,
        on_secondary: false,
        awaiting_records: 0,
        awaiting_bytes: 0,
        last_transfer: None,
        last_attempt: None,
        ..file.clone()
    };
    BulkstatsStatus {
        collection: true,
        sample_interval_min: 15,
        transfer_interval_min: 480,
        limit_bytes: 32 << 20,
        historical_days: 3,
        samples: 2_976,
        skipped: 3,
        files: vec![file, second],
        ..BulkstatsStatus::default()
    }
}

/// What is in the file that is not complete.
pub fn bulkstats_data() -> Vec<BulkstatsData> {
    let row = "sl,20261122,050000,REGISTERED,2,ALLOW,9500,9900\n";
    vec![BulkstatsData {
        number: 1,
        name: "/opt/csvdrop/gw1_bulkstats_20261122_044500_UTC_15_15.csv".into(),
        text: format!("Version-0.1.0,192.0.2.1,20261122-044500\n{}", row.repeat(2)),
        left_out: 120,
    }]
}
