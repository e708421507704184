//! Pools: what is owned of a tag at a date, and how it is divided between the instances that ask for it.
//!
//! ```text
//! an answer's grant <= owned at its date - what is out with all others
//! what is out with an instance = the larger of what it was last granted and what it says that it holds
//! ```
//!
//! What was granted stays out until the instance says that it holds less, whatever the time: a node that is silent still
//! has its ceiling (rule L10). A grant ends on the first date on which what is owned then would not cover it and all that
//! is out beyond that date. What goes beyond use is asked ahead of need; when there is too little for all of that, each
//! gets its share of what use leaves (rules L5, L6).

use licensing::Wall;

/// An end that never comes.
pub(crate) const NEVER: i64 = i64::MAX;

/// Licenses of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lot {
    pub(crate) quantity: u64,
    pub(crate) starts: i64,
    /// The first millisecond that it does not cover.
    pub(crate) ends: i64,
    /// Paid by use: it covers whatever is used.
    pub(crate) by_use: bool,
}

/// Licenses that are out with instances until a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Out {
    pub(crate) ends: i64,
    pub(crate) licenses: u64,
}

/// What an instance uses, wants and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) in_use: u64,
    pub(crate) requested: u64,
    pub(crate) held: Option<u64>,
    /// It may have been sent before what was last heard.
    pub(crate) late: bool,
}

/// What is on the books of an instance and a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) in_use: u64,
    pub(crate) requested: u64,
    pub(crate) granted: Option<u64>,
    pub(crate) out: Out,
}

/// A pool as an answer needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pool {
    /// It answers with exact grants.
    pub(crate) grants: bool,
    /// Licenses in use, and asked for, by all instances.
    pub(crate) in_use: u64,
    pub(crate) requested: u64,
    pub(crate) lots: Vec<Lot>,
    pub(crate) out: Vec<Out>,
}

impl Demand {
    /// Of an instance that never asked.
    pub(crate) const NONE: Self = Self {
        in_use: 0,
        requested: 0,
        granted: None,
        out: Out {
            ends: NEVER,
            licenses: 0,
        },
    };
}

impl Pool {
    /// What is owned at a date; the greatest number: whatever is used is paid.
    pub(crate) fn owned(&self, date: Wall) -> u64 {
        let covering = |lot: &&Lot| (lot.starts..lot.ends).contains(&date.0);
        let covering = self.lots.iter().filter(covering);
        covering.fold(0, |sum: u64, lot| match lot.by_use {
            true => u64::MAX,
            false => sum.saturating_add(lot.quantity),
        })
    }

    /// Licenses that use lacks; 0: it is covered.
    pub(crate) fn lacking(&self, date: Wall) -> u64 {
        self.in_use.saturating_sub(self.owned(date))
    }

    /// The next date on which licenses begin or end.
    pub(crate) fn turns(&self, date: Wall) -> Option<Wall> {
        let turns = self.lots.iter().flat_map(|lot| [lot.starts, lot.ends]);
        let turns = turns.filter(|at| *at > date.0 && *at < NEVER);
        turns.min().map(Wall)
    }

    /// Licenses out with instances beyond what is owned; 0: what was taken away has come back.
    pub(crate) fn exceeding(&self, date: Wall) -> u64 {
        self.out_beyond(date.0).saturating_sub(self.owned(date))
    }

    /// Takes an instance's ask in, in place of what the books had of it; says what they have then, and what is granted.
    pub(crate) fn take(
        &mut self,
        before: Demand,
        ask: Ask,
        exact: bool,
        date: Wall,
    ) -> (Demand, Option<Out>) {
        self.in_use = self.in_use.saturating_sub(before.in_use) + ask.in_use;
        self.requested = self.requested.saturating_sub(before.requested) + ask.requested;
        self.remove(before.out);
        let granted = exact.then(|| self.grant(&ask, date));
        let mut out = granted.unwrap_or(Out {
            ends: NEVER,
            licenses: 0,
        });
        // Until it says otherwise it may stand by what it had: the answer to this can be lost.
        let held = match ask.late {
            true => before.out.licenses.max(ask.held.unwrap_or(0)),
            false => ask.held.unwrap_or(0),
        };
        if held > 0 {
            out.licenses = out.licenses.max(held);
            out.ends = out.ends.max(before.out.ends);
        }
        self.add(out);
        let after = Demand {
            in_use: ask.in_use,
            requested: ask.requested,
            granted: granted.map(|granted| granted.licenses),
            out,
        };
        (after, granted)
    }

    /// What an instance gets whose ask is among the sums, and whose last grant is not out any more.
    fn grant(&self, ask: &Ask, date: Wall) -> Out {
        let owned = self.owned(date);
        let free = owned.saturating_sub(self.out_beyond(date.0));
        let licenses = self.share(ask, owned).min(free);
        let covered = |at: &i64| {
            let others = self.out_beyond(*at);
            others.saturating_add(licenses) <= self.owned(Wall(*at))
        };
        let falls = self.lots.iter().map(|lot| lot.ends);
        let falls = falls.filter(|ends| *ends > date.0 && *ends < NEVER);
        let ends = falls.filter(|at| !covered(at)).min();
        Out {
            ends: ends.unwrap_or(NEVER),
            licenses,
        }
    }

    /// What is used, and a share of what use leaves for those who ask ahead of need; at least one, if one is asked.
    fn share(&self, ask: &Ask, owned: u64) -> u64 {
        let ahead = ask.requested.saturating_sub(ask.in_use);
        let ahead_of_all = self.requested.saturating_sub(self.in_use);
        let left = owned.saturating_sub(self.in_use);
        if ahead_of_all <= left {
            return ask.in_use.saturating_add(ahead);
        }
        let share = u128::from(left) * u128::from(ahead) / u128::from(ahead_of_all.max(1));
        let share = u64::try_from(share).unwrap_or(u64::MAX);
        ask.in_use.saturating_add(share.max(ahead.min(1)))
    }

    /// What is out beyond a date.
    pub(crate) fn out_beyond(&self, date: i64) -> u64 {
        let beyond = self.out.iter().filter(|out| out.ends > date);
        beyond.fold(0, |sum, out| sum.saturating_add(out.licenses))
    }

    fn remove(&mut self, gone: Out) {
        let place = self.out.iter_mut().find(|out| out.ends == gone.ends);
        if let Some(out) = place {
            out.licenses = out.licenses.saturating_sub(gone.licenses);
        }
    }

    fn add(&mut self, more: Out) {
        match self.out.iter_mut().find(|out| out.ends == more.ends) {
            Some(out) => out.licenses = out.licenses.saturating_add(more.licenses),
            None => self.out.push(more),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Wall = Wall(1_000_000);

    fn lot(quantity: u64, ends: i64) -> Lot {
        Lot {
            quantity,
            starts: 0,
            ends,
            by_use: false,
        }
    }

    fn pool(lots: &[Lot]) -> Pool {
        Pool {
            grants: true,
            in_use: 0,
            requested: 0,
            lots: lots.to_vec(),
            out: Vec::new(),
        }
    }

    fn ask(in_use: u64, requested: u64, held: Option<u64>) -> Ask {
        Ask {
            in_use,
            requested,
            held,
            late: false,
        }
    }

    fn take(pool: &mut Pool, before: &mut Demand, ask: Ask) -> u64 {
        (*before, _) = pool.take(*before, ask, true, NOW);
        before.granted.unwrap()
    }

    #[test]
    fn what_is_owned_begins_and_ends_on_its_dates() {
        let mut pool = pool(&[lot(5, NEVER), lot(3, NOW.0 + 10)]);
        pool.lots[0].starts = NOW.0;
        let owned = [-1, 0, 9, 10].map(|at| pool.owned(Wall(NOW.0 + at)));
        assert_eq!(owned, [3, 8, 8, 5]);
        let turns = [-1, 0, 10].map(|at| pool.turns(Wall(NOW.0 + at)));
        assert_eq!(turns, [Some(NOW), Some(Wall(NOW.0 + 10)), None]);
        pool.lots[1].by_use = true;
        assert_eq!(pool.owned(NOW), u64::MAX);
    }

    //= L6
    #[test]
    fn what_is_asked_is_granted_until_it_is_out() {
        let mut pool = pool(&[lot(10, NEVER)]);
        let (mut a, mut b) = (Demand::NONE, Demand::NONE);
        assert_eq!(take(&mut pool, &mut a, ask(1, 6, None)), 6);
        assert_eq!(take(&mut pool, &mut b, ask(3, 3, None)), 3);
        assert_eq!(take(&mut pool, &mut b, ask(3, 5, Some(3))), 4, "no growth");
        assert_eq!(pool.lacking(NOW), 0);
        assert_eq!(take(&mut pool, &mut a, ask(5, 6, Some(6))), 6);
        assert_eq!(take(&mut pool, &mut b, ask(6, 6, Some(4))), 4);
        assert_eq!(pool.lacking(NOW), 1, "use is more than is owned");
    }

    //= L6
    #[test]
    fn what_is_asked_ahead_is_shared_and_reclaimed() {
        let mut pool = pool(&[lot(10, NEVER)]);
        let (mut a, mut b) = (Demand::NONE, Demand::NONE);
        assert_eq!(take(&mut pool, &mut a, ask(0, 10, None)), 10);
        assert_eq!(take(&mut pool, &mut b, ask(2, 10, None)), 0, "all is out");
        let lowered = take(&mut pool, &mut a, ask(0, 10, Some(10)));
        assert_eq!(lowered, 4, "10 of 18 of what use leaves");
        assert_eq!(a.out.licenses, 10, "until it says that it holds less");
        assert_eq!(take(&mut pool, &mut b, ask(2, 10, Some(0))), 0);
        assert_eq!(take(&mut pool, &mut a, ask(0, 10, Some(4))), 4);
        assert_eq!(take(&mut pool, &mut b, ask(2, 10, Some(0))), 5);
        assert_eq!(take(&mut pool, &mut a, ask(0, 0, Some(4))), 0);
        assert_eq!(take(&mut pool, &mut a, ask(0, 0, None)), 0);
        assert_eq!(take(&mut pool, &mut b, ask(2, 10, Some(5))), 10);
    }

    #[test]
    fn a_grant_ends_when_what_is_owned_would_not_cover_it() {
        let day = 86_400_000;
        let mut pool = pool(&[
            lot(10, NEVER),
            lot(10, NOW.0 + day),
            lot(5, NOW.0 + 2 * day),
        ]);
        let mut demands = [Demand::NONE; 3];
        let mut ends = demands.iter_mut().map(|demand| {
            take(&mut pool, demand, ask(8, 8, None));
            demand.out.ends
        });
        let ends = [ends.next(), ends.next(), ends.next()].map(Option::unwrap);
        assert_eq!(ends, [NEVER, NOW.0 + day, NOW.0 + day]);
        let at_the_end = Wall(NOW.0 + day);
        assert_eq!(
            (pool.out_beyond(at_the_end.0), pool.owned(at_the_end)),
            (8, 15)
        );
    }

    #[test]
    fn what_comes_late_lowers_nothing() {
        let mut pool = pool(&[lot(10, NEVER)]);
        let mut a = Demand::NONE;
        take(&mut pool, &mut a, ask(8, 8, None));
        let late = Ask {
            late: true,
            ..ask(1, 1, None)
        };
        take(&mut pool, &mut a, late);
        assert_eq!(a.out.licenses, 8);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask {
            who: usize,
            in_use: u64,
            ahead: u64,
            lost: bool,
        },
        Own {
            quantity: u64,
        },
        Pass {
            ms: i64,
        },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..5usize, 0..12u64, 0..8u64, any::<bool>())
                .prop_map(|(who, in_use, ahead, lost)| Step::Ask { who, in_use, ahead, lost }),
            1 => (0..40u64).prop_map(|quantity| Step::Own { quantity }),
            1 => (0..60i64).prop_map(|ms| Step::Pass { ms }),
        ]
    }

    /// A node as it stands: its grant, and when that ends.
    #[derive(Clone, Copy, Default)]
    struct Node {
        holds: Option<Out>,
    }

    proptest! {
        /// Whatever is asked, lost, bought and taken away: what nodes hold is never more than was owned at some time since
        /// the oldest of these grants was made; and while nothing was taken away, never more than is owned.
        //= L6
        #[test]
        fn no_grants_exceed_what_is_owned(
            steps in proptest::collection::vec(step(), 1..120),
            term in 1..200i64,
        ) {
            let mut pool = pool(&[lot(20, NEVER), lot(10, NOW.0 + term)]);
            let mut books = [Demand::NONE; 5];
            let mut nodes = [Node::default(); 5];
            let mut date = NOW;
            let mut taken_away = false;
            for step in steps {
                match step {
                    Step::Own { quantity } => {
                        taken_away |= quantity < pool.lots[0].quantity;
                        pool.lots[0].quantity = quantity;
                    }
                    Step::Pass { ms } => date.0 += ms,
                    Step::Ask { who, in_use, ahead, lost } => {
                        let holds = nodes[who].holds.filter(|grant| grant.ends > date.0);
                        let others = (0..5).filter(|other| *other != who);
                        let held = ask(in_use, in_use + ahead, holds.map(|grant| grant.licenses));
                        let (book, grant) = pool.take(books[who], held, true, date);
                        books[who] = book;
                        let grant = grant.unwrap();
                        let granted = grant.licenses;
                        if !lost {
                            nodes[who].holds = Some(grant);
                        }
                        let with_others: u64 = others
                            .filter_map(|other| nodes[other].holds)
                            .filter(|grant| grant.ends > date.0)
                            .map(|grant| grant.licenses)
                            .sum();
                        prop_assert!(granted == 0 || granted + with_others <= pool.owned(date));
                    }
                }
                let in_force = nodes.iter().filter_map(|node| node.holds);
                let in_force = in_force.filter(|grant| grant.ends > date.0);
                let out: u64 = in_force.map(|grant| grant.licenses).sum();
                prop_assert!(taken_away || out <= pool.owned(date), "{out} of {}", pool.owned(date));
                let booked: u64 = books.iter().map(|book| book.in_use).sum();
                prop_assert_eq!(pool.in_use, booked);
            }
        }
    }
}
