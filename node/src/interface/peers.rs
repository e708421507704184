//! The list of peers, from what each worker says and what the workers share.

use std::collections::BTreeMap;
use std::net::IpAddr;

use api::{Failure, PEERS_LIMIT_MAX, PeerList, PeerRow, PeerState};
use licensing::Mono;
use session_plane::config::GtpVersion;
use session_plane::{PeerStatus, ToldRestarts};

/// A failure if more is asked for than one answer holds.
pub(super) fn check(limit: u32) -> Result<(), Failure> {
    match limit <= PEERS_LIMIT_MAX {
        true => Ok(()),
        false => Err(Failure::new(
            format!("{limit} peers"),
            "limit",
            format!("ask for at most {PEERS_LIMIT_MAX}, and for the rest with an offset"),
        )),
    }
}

/// At most `limit` peers behind the first `offset` ones, over all workers.
pub(super) fn list(
    workers: &[Vec<PeerStatus>],
    told: impl Fn(IpAddr) -> ToldRestarts,
    offset: u32,
    limit: u32,
    now: Mono,
) -> PeerList {
    let mut peers: BTreeMap<IpAddr, PeerStatus> = BTreeMap::new();
    for status in workers.iter().flatten() {
        let known = peers.entry(status.address);
        known.and_modify(|all| add(all, status)).or_insert(*status);
    }
    let count = |of: PeerState| peers.values().filter(|peer| state(peer) == of).count() as u64;
    let shown = peers.values().skip(offset as usize).take(limit as usize);
    PeerList {
        total: peers.len() as u64,
        down: count(PeerState::Down),
        ending: count(PeerState::Ending),
        peers: shown
            .map(|peer| row(peer, told(peer.address), now))
            .collect(),
    }
}

/// What another worker says of the same peer; only one of them asks it for an Echo.
fn add(all: &mut PeerStatus, other: &PeerStatus) {
    if other.heard_at > all.heard_at {
        all.version = other.version;
    }
    all.sessions = all.sessions.saturating_add(other.sessions);
    all.relayed = all.relayed.saturating_add(other.relayed);
    all.ending |= other.ending;
    all.down |= other.down;
    all.unanswered = all.unanswered.max(other.unanswered);
    all.heard_at = all.heard_at.max(other.heard_at);
}

fn state(peer: &PeerStatus) -> PeerState {
    match (peer.ending, peer.down) {
        (true, _) => PeerState::Ending,
        (false, true) => PeerState::Down,
        (false, false) => PeerState::Up,
    }
}

fn row(peer: &PeerStatus, told: ToldRestarts, now: Mono) -> PeerRow {
    PeerRow {
        peer: peer.address,
        gtp_version: match peer.version {
            GtpVersion::V1 => 1,
            GtpVersion::V2 => 2,
        },
        state: state(peer),
        sessions: u64::from(peer.sessions) + u64::from(peer.relayed),
        restart_counter: told.counter,
        restarts: told.restarts,
        unanswered: peer.unanswered,
        echo_age_ms: peer.heard_at.map(|at| {
            let age = now.since(at).as_millis();
            u64::try_from(age).unwrap_or(u64::MAX)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(last: u8, sessions: u32) -> PeerStatus {
        PeerStatus {
            address: [127, 0, 0, last].into(),
            version: GtpVersion::V1,
            sessions,
            relayed: 0,
            ending: false,
            down: false,
            unanswered: 0,
            heard_at: None,
        }
    }

    #[test]
    fn workers_are_added_up_and_a_page_is_taken() {
        let asks = PeerStatus {
            version: GtpVersion::V2,
            down: true,
            relayed: 4,
            unanswered: 3,
            heard_at: Some(Mono(1_000_000_000)),
            ..status(2, 5)
        };
        let ends = PeerStatus {
            ending: true,
            ..status(3, 1)
        };
        let workers = [vec![status(2, 7), ends], vec![status(1, 1), asks]];
        let restarts = |_| ToldRestarts {
            counter: Some(9),
            restarts: 2,
        };
        let now = Mono(3_500_000_000);
        let all = list(&workers, restarts, 0, 10, now);
        assert_eq!((all.total, all.down, all.ending), (3, 1, 1));
        let addresses: Vec<_> = all.peers.iter().map(|row| row.peer.to_string()).collect();
        assert_eq!(addresses, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
        let expected = PeerRow {
            peer: [127, 0, 0, 2].into(),
            gtp_version: 2,
            state: PeerState::Down,
            sessions: 16,
            restart_counter: Some(9),
            restarts: 2,
            unanswered: 3,
            echo_age_ms: Some(2_500),
        };
        assert_eq!(all.peers[1], expected);
        let page = list(&workers, restarts, 2, 1, now);
        assert_eq!((page.total, page.peers.len()), (3, 1));
        assert_eq!(page.peers[0].state, PeerState::Ending);
        assert!(list(&workers, restarts, 9, 1, now).peers.is_empty());
    }

    #[test]
    fn more_than_one_answer_holds_is_refused() {
        assert!(check(PEERS_LIMIT_MAX).is_ok());
        assert_eq!(
            check(PEERS_LIMIT_MAX + 1).unwrap_err().to_string(),
            "10001 peers (limit): ask for at most 10000, and for the rest with an offset"
        );
    }
}
