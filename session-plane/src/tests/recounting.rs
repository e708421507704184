//! The recount (rule L14).

use std::time::Duration;

use enforcer::RecountRow;

use super::rig::*;
use crate::statistics::Ended;

fn totals(rows: &[RecountRow]) -> (u64, i64) {
    let table = rows.iter().map(|row| row.table).sum();
    (table, rows.iter().map(|row| row.counter).sum())
}

//= L14
#[test]
fn a_recount_finds_every_session_by_class() {
    let mut rig = Rig::new();
    for n in 0..7 {
        rig.make(
            n,
            5,
            [
                "internet", "other", "tunnel", "packet", "sos", "slow", "dual",
            ][n as usize],
        );
    }
    assert!(rig.recounts.is_empty());
    rig.run(Duration::from_secs(10));
    let recount = rig.recounts.pop().unwrap();
    assert_eq!(recount.worker, 0);
    assert!(
        recount
            .rows
            .iter()
            .all(|row| row.table == row.counter as u64),
        "{recount:?}"
    );
    let mut tables: Vec<_> = recount.rows.iter().map(|row| row.table).collect();
    tables.sort_unstable();
    assert_eq!(tables, [1, 1, 1, 4]);
    rig.run(Duration::from_secs(10));
    assert_eq!(rig.recounts.len(), 1, "one every interval");
}

//= L14
#[test]
fn what_changes_during_a_pass_is_adjusted_for() {
    let mut rig = Rig::new();
    let teids: Vec<_> = (0..3000).map(|n| rig.make(n, 5, "internet")).collect();
    rig.pass(Duration::from_secs(10));
    rig.plane.handle_timeout(rig.now);
    assert!(
        rig.outputs().is_empty() && rig.recounts.is_empty(),
        "not in one step"
    );
    let urgent = |teid| update(teid, 5).but(gtp::v1::IeType::QOS_PROFILE, 0, &[1, 1, 2, 3]);
    // Behind the cursor and before it: gone, moved to another class, replaced, come into a place that was left.
    for at in [3, 2500] {
        rig.ask(&delete(teids[at], 5, true));
        rig.ask(&urgent(teids[at + 1]));
        rig.make(at as u64 + 2, 5, "other");
    }
    rig.make(5000, 5, "sos");
    rig.make(5001, 5, "internet");
    rig.run(Duration::from_millis(10));
    let recount = rig.recounts.pop().unwrap();
    assert!(
        recount
            .rows
            .iter()
            .all(|row| row.table == row.counter as u64),
        "{recount:?}"
    );
    assert_eq!(totals(&recount.rows), (3000, 3000));
    assert_eq!(rig.plane.statistics().recounts, 1);
}

//= L14
#[test]
fn a_recount_shows_what_the_counters_have_wrong() {
    let mut rig = Rig::new();
    rig.make(1, 5, "internet");
    let internet = rig.shared.apns.served(0).unwrap().ordinary;
    let stray = rig.plane.gate.admit(internet).unwrap();
    rig.run(Duration::from_secs(10));
    assert_eq!(
        totals(&rig.recounts.pop().unwrap().rows),
        (1, 2),
        "a permit too many"
    );
    rig.plane.gate.release(stray);
    let (place, _) = rig.plane.table.sessions().next().unwrap();
    let permit = rig.plane.take_permit(place).unwrap();
    rig.plane.gate.release(permit);
    rig.run(Duration::from_secs(10));
    assert_eq!(
        totals(&rig.recounts.pop().unwrap().rows),
        (1, 0),
        "one too few"
    );
    rig.plane.end_session(place, Ended::Deleted);
}
