//! The chain of an instance's usage reports: which are stored, and what a gap or a fork in it is.
//!
//! A report is told by its number and its digest, so one that comes twice counts once. It follows the one before it, whose
//! digest it names. A gap is taken only if the node has nothing older left; it is counted and shown. Another report of a
//! number that is stored, or one that names another report before it, is a fork: two nodes have this identity, or the
//! state of one was restored. Both go on.

use api::smart::{Acknowledged, Digest};

/// What becomes of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is stored as the last.
    Append,
    /// It is stored as the last, and what was between it and the one before is gone.
    AppendAfterGap,
    /// It is stored already.
    Same,
    /// It is not stored: the chain has forked.
    Fork,
    /// It is not stored: what comes before it is asked for first.
    Wait,
}

/// What a report says of its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) previous: Option<Digest>,
    pub(crate) digest: Digest,
}

/// Judges a report: `stored` is the digest of the report of its number, `oldest` the number of the oldest report that the
/// node still has.
pub(crate) fn judge(
    last: Option<Acknowledged>,
    stored: Option<Digest>,
    report: &Link,
    oldest: Option<u64>,
) -> Fate {
    match stored {
        Some(stored) if stored == report.digest => return Fate::Same,
        Some(_) => return Fate::Fork,
        None => {}
    }
    let first_left = oldest == Some(report.number);
    let Some(last) = last else {
        return match first_left {
            true => Fate::Append,
            false => Fate::Wait,
        };
    };
    if report.number == last.report_id.saturating_add(1) {
        return match report.previous == Some(last.digest) {
            true => Fate::Append,
            false => Fate::Fork,
        };
    }
    match report.number > last.report_id && first_left {
        true => Fate::AppendAfterGap,
        false => Fate::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: Acknowledged = Acknowledged {
        report_id: 7,
        digest: Digest([7; 32]),
    };

    fn fate(number: u64, previous: u8, oldest: u64) -> Fate {
        let link = Link {
            number,
            previous: Some(Digest([previous; 32])),
            digest: Digest([9; 32]),
        };
        judge(Some(LAST), None, &link, Some(oldest))
    }

    #[test]
    fn a_report_follows_the_last_by_number_and_digest() {
        assert_eq!(fate(8, 7, 1), Fate::Append);
        assert_eq!(fate(8, 6, 1), Fate::Fork);
        assert_eq!(fate(9, 7, 1), Fate::Wait, "8 is asked for");
        assert_eq!(fate(9, 7, 9), Fate::AppendAfterGap, "8 is gone");
        assert_eq!(fate(6, 7, 6), Fate::Wait, "older than all that is stored");
    }

    #[test]
    fn the_first_is_the_oldest_that_there_is() {
        let link = Link {
            number: 41,
            previous: Some(Digest([1; 32])),
            digest: Digest([2; 32]),
        };
        assert_eq!(judge(None, None, &link, Some(41)), Fate::Append);
        assert_eq!(judge(None, None, &link, Some(40)), Fate::Wait);
        assert_eq!(judge(None, None, &link, None), Fate::Wait);
    }

    #[test]
    fn a_report_that_comes_again_counts_once_and_another_of_its_number_is_a_fork() {
        let link = Link {
            number: 7,
            previous: None,
            digest: LAST.digest,
        };
        assert_eq!(
            judge(Some(LAST), Some(LAST.digest), &link, Some(1)),
            Fate::Same
        );
        let other = Digest([8; 32]);
        assert_eq!(judge(Some(LAST), Some(other), &link, Some(1)), Fate::Fork);
    }
}
