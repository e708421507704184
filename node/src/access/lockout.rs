//! Lock-out: after so many wrong passwords in a row a name is let in by none for a while.
//!
//! A guess that is looked at is under way until it is known to be right or wrong; those under way and the wrong ones are no
//! more than the wrong ones may be, so that guesses that come at once are no more than the others. Names that no
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
    under_way: u32,
    /// The last wrong one.
    last: Mono,
}

/// Whether a password is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guess {
    /// It is.
    Begun,
    /// When one of those that are under way is known.
    Later,
    /// It is not: the name is locked.
    Locked,
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

    /// A password is to be looked at. What has begun ends with [`Self::was_wrong`] or [`Self::was_right`]. `is_account`:
    /// names that are none make room for those that are.
    pub(crate) fn guess(
        &mut self,
        name: &str,
        now: Mono,
        is_account: impl Fn(&str) -> bool,
    ) -> Guess {
        let (wrong, locked) = self.of(name, now);
        if locked.is_some() {
            return Guess::Locked;
        }
        let name = shortened(name);
        let under_way = self.names.get(name).map_or(0, |own| own.under_way);
        if wrong.saturating_add(under_way) >= self.most {
            return Guess::Later;
        }
        if !self.names.contains_key(name) {
            self.make_room(now, is_account);
        }
        let guesses = self.names.entry(name.to_owned()).or_insert(Guesses {
            wrong,
            under_way,
            last: now,
        });
        (guesses.wrong, guesses.under_way) = (wrong, under_way + 1);
        Guess::Begun
    }

    /// It was wrong.
    pub(crate) fn was_wrong(&mut self, name: &str, now: Mono) -> Wrong {
        let (wrong, _) = self.of(name, now);
        let Some(guesses) = self.names.get_mut(shortened(name)) else {
            return Wrong::Counted(0);
        };
        guesses.under_way = guesses.under_way.saturating_sub(1);
        (guesses.wrong, guesses.last) = (wrong.saturating_add(1), now);
        match guesses.wrong >= self.most {
            true => Wrong::Locked,
            false => Wrong::Counted(guesses.wrong),
        }
    }

    /// It was right: nothing that was wrong is counted any more.
    pub(crate) fn was_right(&mut self, name: &str) {
        if let Some(guesses) = self.names.get_mut(shortened(name)) {
            guesses.under_way = guesses.under_way.saturating_sub(1);
        }
        self.forget(name);
    }

    /// An administrator says that nothing that was wrong is counted any more. True: there was something.
    pub(crate) fn forget(&mut self, name: &str) -> bool {
        let name = shortened(name);
        let Some(guesses) = self.names.get_mut(name) else {
            return false;
        };
        let had = std::mem::take(&mut guesses.wrong) > 0;
        if guesses.under_way == 0 {
            self.names.remove(name);
        }
        had
    }

    fn make_room(&mut self, now: Mono, is_account: impl Fn(&str) -> bool) {
        if self.names.len() < NAMES_MAX {
            return;
        }
        let lasts = self.lasts;
        self.names
            .retain(|_, guesses| guesses.under_way > 0 || now.since(guesses.last) < lasts);
        while self.names.len() >= NAMES_MAX {
            // Those of accounts stay as long as there are others. Few are under way.
            let oldest = self.names.iter().filter(|(_, own)| own.under_way == 0);
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
        let begun = lockouts.guess("maja", now, nobody) == Guess::Begun;
        begun.then(|| lockouts.was_wrong("maja", now))
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
        let other = lockouts.guess("otto", at(2), nobody);
        assert_eq!(other, Guess::Begun, "another name");
    }

    #[test]
    fn a_right_one_and_an_administrator_forget_what_was_wrong() {
        let mut lockouts = Lockouts::new(3, 15 * MINUTE);
        wrong(&mut lockouts, at(0));
        wrong(&mut lockouts, at(0));
        assert_eq!(lockouts.guess("maja", at(1), nobody), Guess::Begun);
        lockouts.was_right("maja");
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
        wrong(&mut lockouts, at(0));
        let begun: Vec<Guess> = (0..4)
            .map(|_| lockouts.guess("maja", at(0), nobody))
            .collect();
        let (begins, later) = (Guess::Begun, Guess::Later);
        assert_eq!(begun, [begins, begins, later, later]);
        assert_eq!(lockouts.of("maja", at(0)), (1, None), "none is known");
        assert!(lockouts.forget("maja"));
        assert_eq!(lockouts.guess("maja", at(0), nobody), begins);
        assert_eq!(lockouts.guess("maja", at(0), nobody), later);
        let wrong = [0; 3].map(|_| lockouts.was_wrong("maja", at(0)));
        let counted = Wrong::Counted;
        assert_eq!(wrong, [counted(1), counted(2), Wrong::Locked]);
        assert_eq!(lockouts.guess("maja", at(0), nobody), Guess::Locked);
    }

    #[test]
    fn right_ones_that_come_at_once_are_all_right() {
        let mut lockouts = Lockouts::new(3, 15 * MINUTE);
        for _ in 0..4 {
            while lockouts.guess("maja", at(0), nobody) == Guess::Begun {}
            for _ in 0..3 {
                lockouts.was_right("maja");
            }
        }
        assert!(lockouts.names.is_empty());
    }

    #[test]
    fn names_are_bounded_and_those_of_accounts_stay() {
        let mut lockouts = Lockouts::new(3, 15 * MINUTE);
        let is_account = |name: &str| name == "maja";
        for _ in 0..3 {
            lockouts.guess("maja", at(0), is_account);
            lockouts.was_wrong("maja", at(0));
        }
        for number in 0..2 * NAMES_MAX {
            let name = format!("n{number}");
            lockouts.guess(&name, at(1), is_account);
            lockouts.was_wrong(&name, at(1));
            assert!(lockouts.names.len() <= NAMES_MAX);
        }
        assert!(lockouts.of("maja", at(1)).1.is_some());
        let long = "x".repeat(10 * NAME_BYTES_MAX);
        lockouts.guess(&long, at(2), is_account);
        lockouts.was_wrong(&long, at(2));
        assert_eq!(lockouts.of(&long, at(2)).0, 1);
        assert!(
            lockouts
                .names
                .keys()
                .all(|name| name.len() <= NAME_BYTES_MAX)
        );
    }
}
