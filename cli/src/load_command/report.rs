//! The report of a run as text.

use load::{Latency, Progress, Report};

use crate::show::table::{Column, Table, left, right};
use crate::show::text::{counted, field};

const REQUESTS: &[Column] = &[
    left("Request", 10),
    right("Sent"),
    right("Accepted"),
    right("Refused"),
    right("Lost"),
    right("Malformed"),
    right("Sent again"),
];

const CAUSES: &[Column] = &[
    left("Answer to", 10),
    right("Cause"),
    left("Name", 44),
    right("Answers"),
];

const LATENCY: &[Column] = &[
    left("Latency, ms", 11),
    right("p50"),
    right("p90"),
    right("p99"),
    right("p99.9"),
    right("p99.99"),
    right("Max"),
];

/// One line of progress.
pub fn progress(progress: &Progress) -> String {
    let ending = if progress.ending { ", ending" } else { "" };
    format!(
        "{:5.0} s {:6.0}/s up {} ok {} refused {} lost {} again {}{ending}",
        progress.elapsed_s,
        progress.begun_per_s,
        progress.live,
        progress.accepted,
        progress.refused,
        progress.lost,
        progress.retransmitted
    )
}

/// The report.
pub fn text(report: &Report) -> String {
    let calls = format!(
        "{} due, {} without a free subscriber",
        report.calls_due, report.no_subscriber
    );
    let up = format!("{} at most, {} at the end", report.peak_live, report.live);
    let mut out = String::from("Load Report\n");
    out.push_str(&field("Time", &format!("{:.1} s", report.elapsed_s)));
    out.push_str(&field("Calls", &calls));
    out.push_str(&field("Calls Up", &up));
    for (count, label) in [
        (report.late, "Late Answers"),
        (report.unexpected, "Unexpected Datagrams"),
        (report.echoes_answered, "Echoes Answered"),
        (report.ended_by_peer, "Calls Ended By Peer"),
        (report.peer_restarts, "Restarts Of Peer"),
    ] {
        if count > 0 {
            out.push_str(&field(label, &count.to_string()));
        }
    }
    let tables = [requests(report), causes(report), latencies(report)];
    for table in tables {
        out.push('\n');
        out.push_str(&table.render());
    }
    out
}

/// Why the run is a failure, if it is one, and what to do.
pub fn failure(report: &Report) -> Option<(String, &'static str)> {
    let lost = report.procedures().map(|(_, procedure)| procedure.lost);
    let lost: u64 = lost.sum();
    if lost > 0 {
        let what = format!("{} never answered", counted(lost, "request"));
        return Some((what, "look whether a gateway is there, and can reach us"));
    }
    let what = || "no call was accepted".to_owned();
    (report.create.accepted == 0).then(|| (what(), "look at the causes above, and at the gateway"))
}

fn requests(report: &Report) -> Table {
    let mut table = Table::new(REQUESTS);
    for (name, procedure) in report.procedures() {
        table.row([
            name.to_owned(),
            procedure.requests.to_string(),
            procedure.accepted.to_string(),
            procedure.refused.to_string(),
            procedure.lost.to_string(),
            procedure.malformed.to_string(),
            procedure.retransmitted.to_string(),
        ]);
    }
    table
}

fn causes(report: &Report) -> Table {
    let mut table = Table::new(CAUSES);
    for (name, procedure) in report.procedures() {
        for cause in &procedure.causes {
            table.row([
                name.to_owned(),
                cause.cause.to_string(),
                cause.name.clone(),
                cause.count.to_string(),
            ]);
        }
    }
    table
}

fn latencies(report: &Report) -> Table {
    let mut table = Table::new(LATENCY);
    for (name, procedure) in report.procedures() {
        table.row(latency_cells(name, &procedure.latency));
    }
    table.row(latency_cells("Round trip", &report.round_trip));
    table
}

fn latency_cells(name: &str, latency: &Latency) -> [String; 7] {
    let measured = |us: u64| match latency.count {
        0 => crate::show::text::ABSENT.to_owned(),
        _ => format!("{}.{:03}", us / 1_000, us % 1_000),
    };
    [
        name.to_owned(),
        measured(latency.p50_us),
        measured(latency.p90_us),
        measured(latency.p99_us),
        measured(latency.p999_us),
        measured(latency.p9999_us),
        measured(latency.max_us),
    ]
}

#[cfg(test)]
mod tests {
    use load::{CauseCount, Procedure};

    use super::*;

    fn report() -> Report {
        let latency = Latency {
            count: 3,
            min_us: 90,
            mean_us: 100.0,
            p50_us: 95,
            p90_us: 1_001,
            p99_us: 2_000,
            p999_us: 3_000,
            p9999_us: 4_000,
            max_us: 12_345_678,
        };
        let create = Procedure {
            requests: 3,
            accepted: 2,
            refused: 1,
            causes: vec![
                CauseCount {
                    cause: 128,
                    name: "Request accepted".into(),
                    count: 2,
                },
                CauseCount {
                    cause: 199,
                    name: "No resources available".into(),
                    count: 1,
                },
            ],
            latency,
            ..Procedure::default()
        };
        Report {
            elapsed_s: 1.25,
            calls_due: 3,
            create,
            round_trip: latency,
            peak_live: 2,
            ..Report::default()
        }
    }

    #[test]
    fn a_report_is_three_tables_of_the_screens_width() {
        let expected = "\
Load Report
  Time                    : 1.2 s
  Calls                   : 3 due, 0 without a free subscriber
  Calls Up                : 2 at most, 0 at the end

Request Sent Accepted Refused Lost Malformed Sent again
------- ---- -------- ------- ---- --------- ----------
Create     3        2       1    0         0          0

Answer to Cause Name                   Answers
--------- ----- ---------------------- -------
Create      128 Request accepted             2
Create      199 No resources available       1

Latency, ms   p50   p90   p99 p99.9 p99.99       Max
----------- ----- ----- ----- ----- ------ ---------
Create      0.095 1.001 2.000 3.000  4.000 12345.678
Round trip  0.095 1.001 2.000 3.000  4.000 12345.678
";
        assert_eq!(text(&report()), expected);
    }

    #[test]
    fn a_request_that_was_never_answered_is_a_failure() {
        let mut report = report();
        assert_eq!(failure(&report), None);
        report.create.lost = 2;
        assert_eq!(
            failure(&report).map(|(what, _)| what).as_deref(),
            Some("2 requests never answered")
        );
        assert_eq!(
            failure(&Report::default()).map(|(what, _)| what).as_deref(),
            Some("no call was accepted")
        );
    }

    #[test]
    fn progress_fits_the_screen() {
        let line = progress(&Progress {
            elapsed_s: 61.4,
            begun: 12_345,
            begun_per_s: 2_000.4,
            live: 10_000,
            accepted: 10_000,
            refused: 2_345,
            lost: 1,
            retransmitted: 2,
            ending: true,
        });
        assert_eq!(
            line,
            "   61 s   2000/s up 10000 ok 10000 refused 2345 lost 1 again 2, ending"
        );
    }
}
