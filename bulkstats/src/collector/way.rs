//! The way to the receivers of one file: which one, when, and how often.

use std::time::Duration;

use licensing::{Mono, Now, Wall};
use thiserror::Error;

use super::line::NUMBERS_MAX;

/// From a failure of all receivers to the next attempt, at first.
pub const BACK_OFF: Duration = Duration::from_secs(10);

/// The same at most; each failure doubles it until then.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(600);

/// The primary is tried again so long after it failed, while the secondary receives.
pub const PRIMARY_AGAIN: Duration = Duration::from_secs(300);

/// Longest that one transfer takes; after that it has failed.
pub const TRANSFER_MAX: Duration = Duration::from_secs(900);

/// Times that a file which can't be read is tried at most; then it is set aside.
const LOCAL_MAX: u8 = 3;

/// Which receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The primary.
    Primary,
    /// The secondary.
    Secondary,
}

/// Why a transfer failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransferError {
    /// No connection.
    #[error("the receiver is not reached: {0}")]
    Unreachable(String),
    /// Another host key or certificate than the one expected.
    #[error("the receiver shows a host key or certificate that is not to be believed")]
    HostKey,
    /// It does not let the node in.
    #[error("the receiver refuses the login")]
    Login,
    /// It has a file of that name, of other contents.
    #[error("the receiver has another file of that name")]
    NameTaken,
    /// It has no room.
    #[error("the receiver has no room")]
    Full,
    /// It took too long.
    #[error("the transfer took too long")]
    Timeout,
    /// The file here can't be transferred, to whomever.
    #[error("the file can't be transferred: {0}")]
    Local(String),
    /// It ended in another way.
    #[error("the transfer failed: {0}")]
    Other(String),
}

/// A transfer under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub attempt: u64,
    pub seq: u64,
    pub which: Which,
    pub since: Mono,
    pub began: Wall,
}

/// What one receiver said.
#[derive(Clone, Debug, Default)]
struct Said {
    /// Of the last file that it was given; none: it took it, or was given none.
    error: Option<TransferError>,
    /// It shows another key or refuses the login, which is told at once.
    refuses: Option<TransferError>,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The other receiver is tried at once.
    Other(Which),
    /// All were tried.
    Wait,
}

#[derive(Clone, Debug)]
pub(super) struct Way {
    has_secondary: bool,
    flight: Option<Flight>,
    /// The secondary receives.
    away: bool,
    primary_again: Mono,
    /// Receivers that failed since the last success or pause.
    tried: (bool, bool),
    failures: u32,
    not_before: Mono,
    /// Who took the last file.
    receiving: Which,
    said: [Said; 2],
    /// All have failed, and this was told to be why.
    told: Option<TransferError>,
    /// A file that could not be transferred for a reason of its own, and so many times.
    local: (u64, u8),
    /// Names of the file which is to be transferred that were taken.
    taken: u32,
}

impl Way {
    pub fn new(has_secondary: bool) -> Self {
        Self {
            has_secondary,
            flight: None,
            away: false,
            primary_again: Mono(0),
            tried: (false, false),
            failures: 0,
            not_before: Mono(0),
            receiving: Which::Primary,
            said: [Said::default(), Said::default()],
            told: None,
            local: (0, 0),
            taken: 0,
        }
    }

    pub fn flight(&self) -> Option<Flight> {
        self.flight
    }

    /// The secondary took the last file.
    pub fn on_secondary(&self) -> bool {
        self.receiving == Which::Secondary
    }

    /// What a receiver said of the last file that it was given.
    pub fn error(&self, which: Which) -> Option<&TransferError> {
        self.said[which as usize].error.as_ref()
    }

    /// All receivers have failed.
    pub fn failing(&self) -> bool {
        self.failures > 0
    }

    /// When something is to be looked at, if there is something to transfer.
    pub fn due(&self) -> Mono {
        self.flight
            .map_or(self.not_before, |flight| flight.since.after(TRANSFER_MAX))
    }

    /// Tries at once, whatever the pause.
    pub fn hurry(&mut self) {
        self.not_before = Mono(0);
    }

    /// The same, and the primary first, if the secondary receives.
    pub fn hurry_to_primary(&mut self) {
        self.hurry();
        self.primary_again = Mono(0);
    }

    /// Begins a transfer, unless one is under way or it is too early.
    pub fn begin(&mut self, attempt: u64, seq: u64, now: Now) -> Option<Which> {
        if self.flight.is_some() || now.mono < self.not_before {
            return None;
        }
        let which = match self.away && (self.tried.0 || now.mono < self.primary_again) {
            true => Which::Secondary,
            false => Which::Primary,
        };
        self.flight = Some(Flight {
            attempt,
            seq,
            which,
            since: now.mono,
            began: now.wall,
        });
        Some(which)
    }

    /// The transfer under way, if this is its attempt, is over.
    pub fn take(&mut self, attempt: u64) -> Option<Flight> {
        self.flight.take_if(|flight| flight.attempt == attempt)
    }

    /// It took too long.
    pub fn overdue(&self, now: Mono) -> Option<u64> {
        let late = self.flight.filter(|f| now >= f.since.after(TRANSFER_MAX));
        late.map(|flight| flight.attempt)
    }

    /// A receiver took a file, or said this. What is to be told of it from now on, if that is another thing than before: it
    /// refuses the node or is an impostor, or does so no more.
    pub fn says(
        &mut self,
        which: Which,
        error: Option<&TransferError>,
    ) -> Option<Option<TransferError>> {
        let said = &mut self.said[which as usize];
        said.error = error.cloned();
        let refuses = match error {
            Some(error @ (TransferError::HostKey | TransferError::Login)) => Some(error.clone()),
            None | Some(TransferError::NameTaken | TransferError::Full) => None,
            // Whoever was not asked may refuse still.
            Some(
                TransferError::Unreachable(_)
                | TransferError::Timeout
                | TransferError::Local(_)
                | TransferError::Other(_),
            ) => return None,
        };
        let changed = said.refuses != refuses;
        said.refuses.clone_from(&refuses);
        changed.then_some(refuses)
    }

    /// It succeeded. Why the other one did not, if that one took the file before.
    pub fn succeeded(&mut self, which: Which) -> Option<Option<TransferError>> {
        self.away = which == Which::Secondary;
        self.failures = 0;
        self.taken = 0;
        self.tried = (false, false);
        let before = std::mem::replace(&mut self.receiving, which);
        (before != which).then(|| self.error(before).cloned())
    }

    /// All have failed, at last for this reason. Whether that is to be told: it is another reason than the one before.
    pub fn tells(&mut self, error: &TransferError) -> bool {
        let kind = std::mem::discriminant;
        let told = self.told.replace(error.clone());
        told.is_none_or(|told| kind(&told) != kind(error))
    }

    /// Somebody receives. Whether it was told that nobody does.
    pub fn settled(&mut self) -> bool {
        self.told.take().is_some()
    }

    /// Nothing is to be transferred. Whether it was told that nobody receives.
    pub fn forgiven(&mut self) -> bool {
        self.failures = 0;
        self.settled()
    }

    /// The file got another name. Whether it is tried at once; a receiver that takes none gets a pause as for any failure.
    pub fn renamed(&mut self) -> bool {
        self.taken = self.taken.saturating_add(1);
        self.taken <= NUMBERS_MAX
    }

    /// This file can't be transferred, which is nobody's fault. Whether that is so for good.
    pub fn local(&mut self, seq: u64, now: Mono) -> bool {
        let before = if self.local.0 == seq { self.local.1 } else { 0 };
        self.local = (seq, before + 1);
        let given_up = before + 1 >= LOCAL_MAX;
        self.not_before = if given_up { now } else { now.after(BACK_OFF) };
        given_up
    }

    /// It failed.
    pub fn failed(&mut self, which: Which, now: Mono) -> After {
        let other = match which {
            Which::Primary => {
                self.tried.0 = true;
                self.primary_again = now.after(PRIMARY_AGAIN);
                (self.has_secondary && !self.tried.1).then_some(Which::Secondary)
            }
            Which::Secondary => {
                self.tried.1 = true;
                (!self.tried.0).then_some(Which::Primary)
            }
        };
        if let Some(other) = other {
            self.away = other == Which::Secondary;
            return After::Other(other);
        }
        self.away = false;
        self.tried = (false, false);
        let doubled = BACK_OFF.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.after(doubled.min(BACK_OFF_MAX));
        After::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Now {
        Now {
            mono: Mono(s * 1_000_000_000),
            ..Now::default()
        }
    }

    fn begin(way: &mut Way, s: u64) -> Option<Which> {
        let which = way.begin(s, 1, at(s));
        assert!(way.take(s).is_some() == which.is_some());
        which
    }

    #[test]
    fn the_secondary_receives_until_the_primary_is_back() {
        let mut way = Way::new(true);
        assert_eq!(begin(&mut way, 1), Some(Which::Primary));
        assert_eq!(
            way.failed(Which::Primary, at(1).mono),
            After::Other(Which::Secondary)
        );
        assert_eq!(begin(&mut way, 1), Some(Which::Secondary));
        assert_eq!(way.succeeded(Which::Secondary), Some(None));
        assert!(way.on_secondary());
        assert_eq!(begin(&mut way, 300), Some(Which::Secondary));
        way.succeeded(Which::Secondary);
        assert_eq!(begin(&mut way, 301), Some(Which::Primary));
        assert_eq!(
            way.failed(Which::Primary, at(301).mono),
            After::Other(Which::Secondary)
        );
        assert_eq!(begin(&mut way, 301), Some(Which::Secondary));
        way.succeeded(Which::Secondary);
        assert_eq!(begin(&mut way, 601), Some(Which::Primary));
        assert_eq!(way.succeeded(Which::Primary), Some(None));
        assert!(!way.on_secondary());
        assert_eq!(begin(&mut way, 602), Some(Which::Primary));
    }

    #[test]
    fn a_secondary_that_fails_has_the_primary_tried_at_once() {
        let mut way = Way::new(true);
        begin(&mut way, 1);
        way.failed(Which::Primary, at(1).mono);
        begin(&mut way, 1);
        way.succeeded(Which::Secondary);
        assert_eq!(begin(&mut way, 2), Some(Which::Secondary));
        assert_eq!(
            way.failed(Which::Secondary, at(2).mono),
            After::Other(Which::Primary)
        );
        assert_eq!(begin(&mut way, 2), Some(Which::Primary));
        assert_eq!(way.failed(Which::Primary, at(2).mono), After::Wait);
    }

    #[test]
    fn attempts_are_ever_further_apart_and_bounded() {
        let mut way = Way::new(false);
        let mut s = 0;
        for pause in [10, 20, 40, 80, 160, 320, 600, 600, 600] {
            assert_eq!(begin(&mut way, s), Some(Which::Primary));
            assert_eq!(way.failed(Which::Primary, at(s).mono), After::Wait);
            assert!(way.failing());
            assert_eq!(begin(&mut way, s + pause - 1), None);
            s += pause;
        }
        assert_eq!(begin(&mut way, s), Some(Which::Primary));
        way.failed(Which::Primary, at(s).mono);
        way.hurry();
        assert_eq!(begin(&mut way, s), Some(Which::Primary));
        way.succeeded(Which::Primary);
        assert!(!way.failing());
        way.failed(Which::Primary, at(s).mono);
        assert_eq!(begin(&mut way, s + 10), Some(Which::Primary));
    }

    #[test]
    fn each_file_that_can_not_go_has_its_attempts() {
        let mut way = Way::new(false);
        let given_up = [1, 1, 2, 2, 2, 3].map(|seq| way.local(seq, at(0).mono));
        assert_eq!(given_up, [false, false, false, false, true, false]);
        assert_eq!(begin(&mut way, 9), None);
        assert_eq!(begin(&mut way, 10), Some(Which::Primary));
    }

    #[test]
    fn one_transfer_at_a_time_and_not_for_ever() {
        let mut way = Way::new(false);
        assert_eq!(way.begin(7, 1, at(5)), Some(Which::Primary));
        assert_eq!(way.begin(8, 1, at(6)), None);
        assert_eq!(way.take(8), None);
        assert_eq!(way.overdue(at(904).mono), None);
        assert_eq!(way.overdue(at(905).mono), Some(7));
        assert_eq!(way.due(), at(905).mono);
    }
}
