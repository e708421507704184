//! What peers that mean harm, or are broken, can't do (TS 33.250, TS 33.117 4.2.3.3.3).

use std::collections::BTreeSet;
use std::time::Duration;

use gtp::v1::{Cause, IeType, MAX_MESSAGE_BYTES};
use gtp::v2;

use super::rig::*;
use super::v2::rig::*;
use crate::statistics::DropReason;

const SECOND: Duration = Duration::from_secs(1);

/// The part of an endpoint that is not its worker's shard.
fn drawn(teid: u32) -> u32 {
    teid >> 8
}

/// Each bit is as often set as not, and neither endpoints nor the steps between them repeat, in the order in which they
/// are given or in that of their subscribers.
//= TS 33.250 4.2.3.5.1
//= TS 33.250 4.2.3.5.1
//= TS 33.250 4.2.2.4
#[test]
fn endpoints_tell_nothing_of_the_next_ones() {
    const SESSIONS: u64 = 4_000;
    let mut rig = Rig::new();
    let teids: Vec<u32> = (0..SESSIONS).map(|n| rig.make(n, 5, "internet")).collect();
    let unique: BTreeSet<_> = teids.iter().collect();
    assert_eq!(unique.len(), teids.len(), "all of them live");
    for bit in 0..24 {
        let set = teids.iter().filter(|teid| drawn(**teid) >> bit & 1 == 1);
        let set = set.count();
        assert!((1_800..=2_200).contains(&set), "bit {bit}: {set}");
    }
    // Of 4,000 numbers among 2^24 about half of one pair are alike.
    let steps = |teids: &[u32]| -> usize {
        let step = |pair: &[u32]| drawn(pair[1]).wrapping_sub(drawn(pair[0])) & 0xFF_FFFF;
        teids.windows(2).map(step).collect::<BTreeSet<_>>().len()
    };
    assert!(steps(&teids) > 3_980, "{}", steps(&teids));
    // Those of a shard alone, as whoever asks for one subscriber again and again sees them.
    let again: Vec<u32> = (0..1_000).map(|_| rig.make(1, 5, "internet")).collect();
    assert_eq!(again.iter().collect::<BTreeSet<_>>().len(), 1_000);
    assert!(steps(&again) > 990, "{}", steps(&again));
    let rising = again.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((420..=580).contains(&rising), "{rising}");
}

/// A worker's seed is its own: what another one gives tells nothing of it.
//= TS 33.250 4.2.3.5.1
#[test]
fn endpoints_of_two_workers_have_nothing_in_common() {
    let mut rigs = Rig::rigs(2, |_| {});
    let mut given = || -> Vec<BTreeSet<u32>> {
        let all = |rig: &mut Rig| {
            (0..1_000)
                .map(|n| drawn(rig.make(n, 5, "internet")))
                .collect()
        };
        rigs.iter_mut().map(all).collect()
    };
    let given = given();
    let common = given[0].intersection(&given[1]).count();
    assert!(common < 5, "{common}");
}

//= TS 23.007 18
#[test]
fn who_flips_its_restart_counter_ends_sessions_four_times_a_minute_at_most() {
    let mut rig = Rig::new();
    let made = |rig: &mut Rig, n: u64, counter: u8| {
        let create = create(n, 5, "internet").with(IeType::RECOVERY, &[counter]);
        assert_eq!(rig.ask(&create).cause(), Cause::REQUEST_ACCEPTED);
        rig.run(SECOND);
    };
    made(&mut rig, 1, 0);
    for counter in 1..=3 {
        made(&mut rig, u64::from(counter) + 1, counter);
        assert_eq!(rig.live(), 1, "only what was made since");
    }
    for counter in 4..=20 {
        made(&mut rig, u64::from(counter) + 1, counter);
        assert_eq!(rig.live(), i64::from(counter) - 2, "none ends");
    }
    assert_eq!(rig.restless, [SGSN.parse::<std::net::IpAddr>().unwrap()]);
    let statistics = rig.plane.statistics();
    assert_eq!(
        (statistics.peer_restarts, statistics.restless_restarts),
        (20, 17)
    );
    rig.run(SECOND * 60);
    assert_eq!(rig.live(), 1, "those of before the last restart ended");
    assert_eq!(rig.addresses_out(), 1);
    made(&mut rig, 30, 21);
    assert_eq!(
        (rig.live(), rig.restless.len()),
        (1, 1),
        "a minute of its own"
    );
}

/// What is longer, or has more in it, is not looked at any further.
//= I11
#[test]
fn messages_and_their_elements_have_bounds() {
    let mut rig = Rig::v2();
    let dropped = |rig: &Rig| {
        let drops = rig.plane.statistics().drops;
        drops.get(&DropReason::TooLong).copied().unwrap_or(0)
    };
    let call = create(1, 5, "internet");
    let short = call.encode(1).len() + 3;
    let long = |octets: usize| {
        call.clone()
            .with(IeType::PRIVATE_EXTENSION, &vec![0; octets])
    };
    let answers = rig.raw(&long(MAX_MESSAGE_BYTES - short).encode(2));
    assert_eq!(Answer1::read(&answers[0]).cause(), Cause::REQUEST_ACCEPTED);
    assert!(
        rig.raw(&long(MAX_MESSAGE_BYTES - short + 1).encode(3))
            .is_empty()
    );
    assert!(
        rig.raw(&[&[0x48, 32, 0x10, 0], &vec![0; 0x1000][..]].concat())
            .is_empty()
    );
    assert_eq!(dropped(&rig), 2);
    let elements = |number: usize| {
        let more = number - call.ies.len();
        (0..more).fold(call.clone(), |call, _| call.with(IeType::RECOVERY, &[0]))
    };
    assert_eq!(rig.ask(&elements(64)).cause(), Cause::REQUEST_ACCEPTED);
    let refused = rig.ask(&elements(65)).cause();
    assert_eq!(refused, Cause::INVALID_MESSAGE_FORMAT);
    let call = create2(2, 5, "internet");
    // Its bearer context is one of them.
    let elements = |number: usize| {
        let more = number - call.ies.len() - 1;
        (0..more).fold(call.clone(), |call, _| {
            call.with(v2::IeType::RECOVERY, 0, &[0])
        })
    };
    rig.accepted2(&elements(64));
    let refused = rig.ask2(&elements(65)).cause();
    assert_eq!(refused, v2::Cause::INVALID_MESSAGE_FORMAT);
    assert_eq!(rig.live(), 2);
}
