//! Lock-out: after so many wrong passwords in a row a name is let in by none for a while.
//!
//! A guess is counted before it is looked at, so that those which come at once are no more than the others. Names that no
//! account has are counted in the same way: what is answered tells nobody which there are. Nothing is kept over a restart.

use std::collections::HashMap;
use std::time::Duration;

use licensing::Mono;

/// Names that are counted at most.
const NAMES_MAX: usize = 1024;

/// Longest name that is told from others, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 64;

/// Wrong passwords by name.
#[derive(Debug)]
pub(crate) struct Lockouts {
    most: u32,
    lasts: Duration,
    names: HashMap<String, Guesses>,
}

/// Of one name.
#[derive(Clone, Copy, Debug)]
struct Guesses {
    wrong: u32,
    /// The last one.
    last: Mono,
}

/// What came of a wrong password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is counted.
    Counted(u32),
    /// It was the last: the name is locked.
    Locked,
}

impl Lockouts {
    /// After so many wrong passwords, for so long.
    pub(crate) fn new(most: u32, lasts: Duration) -> Self {
        Self {
            most: most.max(1),
            lasts,
            names: HashMap::new(),
        }
    }

    /// Wrong passwords of a name, and how long it is still locked; none: it is not.
    pub(crate) fn of(&self, name: &str, now: Mono) -> (u32, Option<Duration>) {
        let Some(guesses) = self.names.get(shortened(name)) else {
            return (0, None);
        };
        let ago = now.since(guesses.last);
        if ago >= self.lasts {
            return (0, None);
        }
        let locked = guesses.wrong >= self.most;
        (guesses.wrong, locked.then(|| self.lasts - ago))
    }

    /// A password is to be looked at, and counts as wrong until it was right; false: the name is locked, and none is
    /// looked at. `is_account`: names that are none make room for those that are.
    pub(crate) fn guess(
        &mut self,
        name: &str,
        now: Mono,
        is_account: impl Fn(&str) -> bool,
    ) -> bool {
        let (wrong, locked) = self.of(name, now);
        if locked.is_some() {
            return false;
        }
        let name = shortened(name);
        if !self.names.contains_key(name) {
            self.make_room(now, is_account);
        }
        let wrong = wrong.saturating_add(1);
        self.names
            .insert(name.to_owned(), Guesses { wrong, last: now });
        true
    }

    /// It was wrong.
    pub(crate) fn was_wrong(&self, name: &str, now: Mono) -> Wrong {
        match self.of(name, now) {
            (_, Some(_)) => Wrong::Locked,
            (wrong, None) => Wrong::Counted(wrong),
        }
    }

    /// It was right, or an administrator says so: nothing is counted any more. True: there was something.
    pub(crate) fn forget(&mut self, name: &str) -> bool {
        self.names.remove(shortened(name)).is_some()
    }

    fn make_room(&mut self, now: Mono, is_account: impl Fn(&str) -> bool) {
        if self.names.len() < NAMES_MAX {
            return;
        }
        let lasts = self.lasts;
        self.names
            .retain(|_, guesses| now.since(guesses.last) < lasts);
        while self.names.len() >= NAMES_MAX {
            // Those of accounts stay as long as there are others.
            let oldest = self.names.iter();
            let oldest = oldest.min_by_key(|(name, guesses)| (is_account(name), guesses.last));
            let Some(name) = oldest.map(|(name, _)| name.clone()) else {
                return;
            };
            self.names.remove(&name);
        }
    }
}

fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minutes: u32) -> Mono {
        Mono(0).after(MINUTE * minutes)
    }

    fn nobody(_: &str) -> bool {
        false
    }

    fn wrong(lockouts: &mut Lockouts, now: Mono) -> Option<Wrong> {
        let looked_at = lockouts.guess("maja", now, nobody);
        looked_at.then(|| lockouts.was_wrong("maja", now))
    }

    #[test]
    fn the_last_wrong_password_locks_for_the_time_and_not_longer() {
        let mut lockouts = Lockouts::new(3, 15 * MINUTE);
        assert_eq!(wrong(&mut lockouts, at(0)), Some(Wrong::Counted(1)));
        assert_eq!(wrong(&mut lockouts, at(1)), Some(Wrong::Counted(2)));
        assert_eq!(lockouts.of("maja", at(1)), (2, None));
        assert_eq!(wrong(&mut lockouts, at(2)), Some(Wrong::Locked));
        assert_eq!(lockouts.of("maja", at(7)), (3, Some(10 * MINUTE)));
        assert_eq!(wrong(&mut lockouts, at(16)), None, "none is looked at");
        // It does not begin anew by what was not looked at.
        assert_eq!(lockouts.of("maja", at(17)), (0, None));
        assert_eq!(wrong(&mut lockouts, at(17)), Some(Wrong::Counted(1)));
        assert!(lockouts.guess("otto", at(2), nobody), "another name");
    }

    #[test]
    fn a_right_one_and_an_administrator_forget_what_was_wrong() {
        let mut lockouts = Lockouts::new(3, 15 * MINUTE);
        wrong(&mut lockouts, at(0));
        wrong(&mut lockouts, at(0));
        assert!(lockouts.guess("maja", at(1), nobody));
        assert!(lockouts.forget("maja"), "right");
        assert_eq!(wrong(&mut lockouts, at(2)), Some(Wrong::Counted(1)));
        wrong(&mut lockouts, at(2));
        wrong(&mut lockouts, at(2));
        assert!(lockouts.of("maja", at(3)).1.is_some());
        assert!(lockouts.forget("maja"), "cleared");
        assert!(!lockouts.forget("maja"));
        assert_eq!(wrong(&mut lockouts, at(3)), Some(Wrong::Counted(1)));
    }

    #[test]
    fn guesses_that_come_at_once_are_no_more_than_the_others() {
        let mut lockouts = Lockouts::new(3, 15 * MINUTE);
        let looked_at = (0..10).filter(|_| lockouts.guess("maja", at(0), nobody));
        assert_eq!(looked_at.count(), 3);
    }

    #[test]
    fn names_are_bounded_and_those_of_accounts_stay() {
        let mut lockouts = Lockouts::new(3, 15 * MINUTE);
        let is_account = |name: &str| name == "maja";
        for _ in 0..3 {
            lockouts.guess("maja", at(0), is_account);
        }
        for number in 0..2 * NAMES_MAX {
            lockouts.guess(&format!("n{number}"), at(1), is_account);
            assert!(lockouts.names.len() <= NAMES_MAX);
        }
        assert!(lockouts.of("maja", at(1)).1.is_some());
        let long = "x".repeat(10 * NAME_BYTES_MAX);
        lockouts.guess(&long, at(2), is_account);
        assert_eq!(lockouts.of(&long, at(2)).0, 1);
        assert!(
            lockouts
                .names
                .keys()
                .all(|name| name.len() <= NAME_BYTES_MAX)
        );
    }
}
