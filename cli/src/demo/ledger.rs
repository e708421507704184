//! What the demo asserted, with what it saw.

use crate::show::table::{Column, Table, left, right};

const ROWS: &[Column] = &[
    right("#"),
    left("Result", 6),
    left("Asserted", 40),
    left("Observed", 28),
];

/// Every assertion so far.
#[derive(Debug, Default)]
pub struct Ledger(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    held: bool,
    asserted: &'static str,
    observed: String,
}

impl Ledger {
    /// Notes one assertion, and gives the line that tells it.
    pub fn note(&mut self, asserted: &'static str, held: bool, observed: String) -> String {
        let line = format!("  [{}] {asserted}: {observed}\n", word(held));
        self.0.push(Entry {
            held,
            asserted,
            observed,
        });
        line
    }

    /// All of them held, and there are some.
    pub fn all_held(&self) -> bool {
        !self.0.is_empty() && self.failed() == 0
    }

    /// Those that did not hold.
    pub fn failed(&self) -> usize {
        self.0.iter().filter(|entry| !entry.held).count()
    }

    /// The table, and the sum of it.
    pub fn render(&self) -> String {
        let mut table = Table::new(ROWS);
        for (number, entry) in (1..).zip(&self.0) {
            table.row([
                format!("{number}"),
                word(entry.held).to_owned(),
                entry.asserted.to_owned(),
                entry.observed.clone(),
            ]);
        }
        let held = self.0.len() - self.failed();
        format!("{}{held} ok, {} failed\n", table.render(), self.failed())
    }
}

fn word(held: bool) -> &'static str {
    if held { "ok" } else { "FAILED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_did_not_hold_spoils_the_sum() {
        let mut ledger = Ledger::default();
        assert!(!ledger.all_held());
        assert_eq!(
            ledger.note("one is one", true, "1".into()),
            "  [ok] one is one: 1\n"
        );
        assert!(ledger.all_held());
        ledger.note("one is two", false, "1".into());
        assert!(!ledger.all_held());
        let text = ledger.render();
        assert!(text.contains("2 FAILED one is two"), "{text}");
        assert!(text.ends_with("1 ok, 1 failed\n"), "{text}");
    }
}
