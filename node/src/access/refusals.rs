//! Refusals that are written down: so many a minute of each account, and of all names that are none, because whoever may do
//! nothing is not to push out what the audit log has; of the others how many there were.

use std::collections::HashMap;
use std::time::Duration;

use licensing::Mono;

use super::Who;

/// Lines a minute.
const A_MINUTE: u32 = 10;

const MINUTE: Duration = Duration::from_secs(60);

/// Names that are counted apart at most.
const NAMES_MAX: usize = 128;

/// By account; the empty name: of whoever has none.
#[derive(Debug, Default)]
pub(super) struct Refusals(HashMap<String, Minute>);

#[derive(Debug)]
struct Minute {
    since: Mono,
    written: u32,
    more: u32,
    /// The last who was not written down.
    who: Who,
}

/// What becomes of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is written down.
    Written,
    /// It is counted.
    Counted,
    /// It is the first that is counted, under this name: how many there are is to be written down after so long.
    First(String, Duration),
}

impl Refusals {
    /// Another one, by an account or not.
    pub(super) fn comes(&mut self, who: &Who, is_account: bool, now: Mono) -> Refusal {
        self.0
            .retain(|_, minute| minute.more > 0 || now.since(minute.since) < MINUTE);
        let apart = is_account && (self.0.len() < NAMES_MAX || self.0.contains_key(&who.name));
        let name = if apart { who.name.as_str() } else { "" };
        let minute = self.0.entry(name.to_owned()).or_insert_with(|| Minute {
            since: now,
            written: 0,
            more: 0,
            who: who.clone(),
        });
        if minute.written < A_MINUTE {
            minute.written += 1;
            return Refusal::Written;
        }
        minute.who = who.clone();
        minute.more = minute.more.saturating_add(1);
        match minute.more {
            1 => Refusal::First(
                name.to_owned(),
                MINUTE - now.since(minute.since).min(MINUTE),
            ),
            _ => Refusal::Counted,
        }
    }

    /// A minute of this name is over: how many were counted, and the last who.
    pub(super) fn over(&mut self, name: &str) -> Option<(Who, u32)> {
        let minute = self.0.remove(name)?;
        (minute.more > 0).then_some((minute.who, minute.more))
    }
}

#[cfg(test)]
mod tests {
    use api::Privilege;

    use super::*;

    fn who(name: &str) -> Who {
        Who {
            name: name.into(),
            privilege: Some(Privilege::Inspector),
            from: "ssh 192.0.2.1:50000".into(),
            is_remote: true,
        }
    }

    fn at(seconds: u64) -> Mono {
        Mono(0).after(Duration::from_secs(seconds))
    }

    #[test]
    fn ten_a_minute_are_written_and_the_others_counted() {
        let mut refusals = Refusals::default();
        for _ in 0..10 {
            assert_eq!(refusals.comes(&who("ivo"), true, at(5)), Refusal::Written);
        }
        let first = Refusal::First("ivo".into(), Duration::from_secs(40));
        assert_eq!(refusals.comes(&who("ivo"), true, at(25)), first);
        for _ in 0..4 {
            assert_eq!(refusals.comes(&who("ivo"), true, at(60)), Refusal::Counted);
        }
        assert_eq!(refusals.comes(&who("otto"), true, at(60)), Refusal::Written);
        // It is told late, and nothing is lost.
        assert_eq!(refusals.comes(&who("ivo"), true, at(70)), Refusal::Counted);
        assert_eq!(refusals.over("ivo"), Some((who("ivo"), 6)));
        assert_eq!(refusals.over("ivo"), None);
        assert_eq!(refusals.comes(&who("ivo"), true, at(71)), Refusal::Written);
    }

    #[test]
    fn names_that_are_none_are_counted_as_one() {
        let mut refusals = Refusals::default();
        let written = (0..1000).filter(|number| {
            let who = who(&format!("n{number}"));
            refusals.comes(&who, false, at(0)) == Refusal::Written
        });
        assert_eq!(written.count(), 10);
        assert_eq!(refusals.comes(&who("ivo"), true, at(0)), Refusal::Written);
        assert_eq!(refusals.over(""), Some((who("n999"), 990)));
        for number in 0..10 * NAMES_MAX {
            refusals.comes(&who(&format!("n{number}")), true, at(0));
            assert!(refusals.0.len() <= NAMES_MAX + 1);
        }
        refusals.comes(&who("ivo"), true, at(60));
        assert_eq!(refusals.0.len(), 2, "one that counts, and ivo");
    }
}
