//! Lots: which subscribers a block that is tried out refuses.

/// Where a subscriber stands when a share of them is chosen: 0 to 99, always the same for the same subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lot(u8);

impl Lot {
    /// Of the digits of a subscriber, as a number. It has no key: every node and every start comes to the same.
    pub fn of(subscriber: u64) -> Self {
        // The finalizer of SplitMix64: numbers one after the other spread evenly.
        let mut mixed = subscriber.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let high = (mixed ^ (mixed >> 31)) >> 32;
        // Below 100 by the shift.
        Self(((high * 100) >> 32) as u8)
    }

    /// The lot of the `turn`th call of nobody known: of a hundred in a row, each lot comes once.
    pub fn in_turn(turn: u32) -> Self {
        Self((u64::from(turn) * 37 % 100) as u8)
    }

    /// The number: 0 to 99.
    pub fn number(self) -> u8 {
        self.0
    }

    /// It is among the `percent` of all that are refused; with more percent, all that were are.
    pub fn is_among(self, percent: u8) -> bool {
        self.0 < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_subscribers_is_that_share_and_grows() {
        let first: u64 = 262_019_876_500_000;
        for percent in [0, 1, 25, 50, 99, 100] {
            let among = |subscriber: u64| Lot::of(subscriber).is_among(percent);
            let chosen = (first..first + 100_000).filter(|s| among(*s)).count();
            let share = usize::from(percent) * 1_000;
            assert!(chosen.abs_diff(share) <= 600, "{percent} %: {chosen}");
        }
        for subscriber in first..first + 1_000 {
            let lot = Lot::of(subscriber);
            assert_eq!(lot, Lot::of(subscriber));
            let shares: Vec<bool> = (0..=100).map(|percent| lot.is_among(percent)).collect();
            assert!(shares.is_sorted() && !shares[0] && shares[100]);
        }
    }

    #[test]
    fn calls_of_nobody_known_take_turns() {
        for percent in [0, 1, 37, 100] {
            let among = (7..107).filter(|turn| Lot::in_turn(*turn).is_among(percent));
            assert_eq!(among.count(), usize::from(percent));
        }
    }
}
