//! Captured messages replayed with mutations against every role: nothing breaks, and nothing is left in the end.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use enforcer::{Block, Terms};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use session_plane::{Clear, Whom};
use tests::mutate::Mutator;
use tests::planes::{GGSN, PGW, Planes, SAEGW, SGW, config};

/// Datagrams of a run, more where they go faster.
const DATAGRAMS: u32 = if cfg!(debug_assertions) {
    100_000
} else {
    5_000_000
};
const PEERS: u8 = 7;

/// What is counted in one place is counted in all.
fn check(planes: &Planes) -> Result<()> {
    let sessions = planes.sessions();
    ensure!(
        planes.permits() == i64::from(sessions),
        "{} permits of {sessions} sessions",
        planes.permits()
    );
    // The addresses of those at an SGW alone are their PGW's.
    let with_address = sessions - planes.sessions_of(SGW);
    ensure!(
        planes.addresses() == with_address,
        "{} addresses of {with_address} sessions",
        planes.addresses()
    );
    ensure!(enforcer::permits_dropped() == 0, "a permit was dropped");
    Ok(())
}

fn clear(planes: &mut Planes, whom: Whom) {
    planes.clear(&Clear {
        whom,
        reactivate: false,
    });
}

fn change_terms(planes: &Planes, random: &mut StdRng) {
    let service = [GGSN, PGW, SAEGW, SGW][random.random_range(0..4)];
    let ceiling = random.random_bool(0.5).then(|| random.random_range(0..60));
    let block = random.random_bool(0.1).then_some(Block::Service);
    let terms = Terms {
        ceiling,
        block,
        ..Terms::default()
    };
    planes.set_terms(service, terms);
}

fn replay(seed: u64) -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut mutator = Mutator::new(StdRng::seed_from_u64(seed ^ 1))?;
    let mut planes = Planes::new(config(), 3, 9)?;
    for n in 1..=DATAGRAMS {
        let peer = Ipv4Addr::new(198, 51, 100, random.random_range(1..=PEERS));
        planes.deliver(&mutator.draw(), IpAddr::V4(peer));
        while let Some(sent) = planes.take_sent() {
            mutator.learn(&sent.octets);
            let answer = mutator.answer_to(&sent.octets);
            if let Some(answer) = answer.filter(|_| random.random_bool(0.7)) {
                planes.deliver(&answer, sent.to);
            }
        }
        if n.is_multiple_of(32) {
            planes.pass(Duration::from_millis(random.random_range(0..200)))?;
        }
        if n.is_multiple_of(1_000) {
            check(&planes).with_context(|| format!("datagram {n}"))?;
            change_terms(&planes, &mut random);
        }
        if n.is_multiple_of(20_000) {
            clear(&mut planes, Whom::All);
        }
    }
    let made: u64 = planes
        .statistics()
        .map(|worker| worker.sessions_created)
        .sum();
    println!("{DATAGRAMS} datagrams made {made} sessions");
    ensure!(
        made > u64::from(DATAGRAMS) / 100,
        "only {made} sessions were made"
    );
    for service in [GGSN, PGW, SAEGW, SGW] {
        let most = planes.gate.peak(service);
        ensure!(most > 2, "service {} had {most} sessions", service.0);
    }
    end(&mut planes)
}

/// Everything is cleared; nobody answers, so that in the end all of it is given up.
fn end(planes: &mut Planes) -> Result<()> {
    check(planes)?;
    clear(planes, Whom::All);
    clear(planes, Whom::Apn("sos".into()));
    planes.pass(Duration::from_secs(60))?;
    planes.check_empty()?;
    for worker in planes.statistics() {
        assert_eq!((worker.contexts, worker.peers), (0, 0));
    }
    Ok(())
}

#[test]
fn mutated_captures_break_nothing_and_leave_nothing() -> Result<()> {
    (1..=2).try_for_each(|seed| replay(seed).with_context(|| format!("seed {seed}")))
}
