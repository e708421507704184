//! Views: which objects may be read (RFC 3415, without masks).

use thiserror::Error;

use crate::{Oid, OidError};

/// Most subtrees of a view.
pub const SUBTREES_MAX: usize = 256;

/// What may be read: subtrees that are in, and subtrees that are not. The longest that an object is in decides; an object
/// that is in none is not in the view. A view of no subtrees, the default, lets nothing be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// From the first up to, but not at, the second; in order, apart from each other. No second: to the end.
    ranges: Vec<(Vec<u32>, Option<Vec<u32>>)>,
}

/// A subtree of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subtree {
    arcs: Vec<u32>,
    included: bool,
}

/// Why a view can't be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ViewError {
    /// Not an object identifier.
    #[error(transparent)]
    Oid(#[from] OidError),
    /// More than [`SUBTREES_MAX`].
    #[error("a view has at most {SUBTREES_MAX} subtrees")]
    TooMany,
}

impl Subtree {
    /// Reads a subtree's root: an object identifier, or its first arc alone.
    pub fn parse(root: &str, included: bool) -> Result<Self, ViewError> {
        let alone = match root.strip_prefix('.').unwrap_or(root) {
            "0" => Some(0),
            "1" => Some(1),
            "2" => Some(2),
            _ => None,
        };
        let arcs = match alone {
            Some(arc) => vec![arc],
            None => root.parse::<Oid>()?.arcs().to_vec(),
        };
        Ok(Self { arcs, included })
    }
}

impl View {
    /// A view of subtrees; of two with the same root the later counts.
    pub fn new(subtrees: &[Subtree]) -> Result<Self, ViewError> {
        if subtrees.len() > SUBTREES_MAX {
            return Err(ViewError::TooMany);
        }
        let ends = subtrees.iter().filter_map(|subtree| after(&subtree.arcs));
        let mut borders: Vec<Vec<u32>> = subtrees
            .iter()
            .map(|s| s.arcs.clone())
            .chain(ends)
            .collect();
        borders.sort();
        borders.dedup();
        let mut ranges: Vec<(Vec<u32>, Option<Vec<u32>>)> = Vec::new();
        let mut inside = false;
        for border in borders {
            match (inside, decides(subtrees, &border)) {
                (false, true) => ranges.push((border, None)),
                (true, false) => {
                    if let Some(range) = ranges.last_mut() {
                        range.1 = Some(border);
                    }
                }
                (false, false) | (true, true) => continue,
            }
            inside = !inside;
        }
        Ok(Self { ranges })
    }

    /// Whether it lets nothing be read.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether an object is in it.
    pub fn contains(&self, name: &Oid) -> bool {
        self.from(name).is_some_and(|begins| begins <= name.arcs())
    }

    /// Where the part of the view begins that the name is in or that comes next; none: nothing comes after it.
    pub(crate) fn from(&self, name: &Oid) -> Option<&[u32]> {
        let name = name.arcs();
        let ended =
            |(_, end): &(_, Option<Vec<u32>>)| end.as_deref().is_some_and(|end| end <= name);
        let at = self.ranges.partition_point(ended);
        self.ranges.get(at).map(|(begin, _)| begin.as_slice())
    }
}

/// The first identifier behind a subtree; none behind the last.
fn after(root: &[u32]) -> Option<Vec<u32>> {
    let mut arcs = root.to_vec();
    while let Some(last) = arcs.pop() {
        if let Some(next) = last.checked_add(1) {
            arcs.push(next);
            return Some(arcs);
        }
    }
    None
}

/// Whether an identifier is in, by the longest subtree that it is in.
fn decides(subtrees: &[Subtree], name: &[u32]) -> bool {
    let around = subtrees
        .iter()
        .filter(|subtree| name.starts_with(&subtree.arcs));
    // Of equals `max_by_key` takes the last.
    let longest = around.max_by_key(|subtree| subtree.arcs.len());
    longest.is_some_and(|subtree| subtree.included)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(subtrees: &[(&str, bool)]) -> View {
        let parse = |(root, included): &(&str, bool)| Subtree::parse(root, *included).unwrap();
        View::new(&subtrees.iter().map(parse).collect::<Vec<_>>()).unwrap()
    }

    fn oid(text: &str) -> Oid {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_read_by_default() {
        assert!(View::default().is_empty());
        assert!(!View::default().contains(&oid("1.3.6")));
        assert_eq!(View::default().from(&oid("1.3.6")), None);
        assert!(view(&[("1.3", false)]).is_empty());
    }

    #[test]
    fn the_longest_subtree_decides() {
        let view = view(&[("1", true), ("1.3.6.1.6", false), ("1.3.6.1.6.3.15", true)]);
        for (name, inside) in [
            ("1.0", true),
            ("1.3.6.1.5.9", true),
            ("1.3.6.1.6", false),
            ("1.3.6.1.6.3.14.1", false),
            ("1.3.6.1.6.3.15", true),
            ("1.3.6.1.6.3.15.1.0", true),
            ("1.3.6.1.6.3.16", false),
            ("1.3.6.1.7", true),
            ("2.1", false),
            ("0.39", false),
        ] {
            assert_eq!(view.contains(&oid(name)), inside, "{name}");
        }
    }

    #[test]
    fn of_the_same_root_the_later_counts() {
        assert!(view(&[("1.3", true), ("1.3", false)]).is_empty());
        assert!(view(&[("1.3", false), ("1.3", true)]).contains(&oid("1.3.1")));
    }

    #[test]
    fn a_single_instance_can_be_a_subtree() {
        let view = view(&[("1.3.6.1.2.1.1.3.0", true)]);
        assert!(view.contains(&oid("1.3.6.1.2.1.1.3.0")));
        assert!(!view.contains(&oid("1.3.6.1.2.1.1.3")));
        assert!(!view.contains(&oid("1.3.6.1.2.1.1.3.1")));
        assert_eq!(
            view.from(&oid("1.3")),
            Some(&[1, 3, 6, 1, 2, 1, 1, 3, 0][..])
        );
        assert_eq!(view.from(&oid("1.4")), None);
    }

    #[test]
    fn a_subtree_at_the_end_of_numbers_has_an_end() {
        let last = view(&[("1.3.4294967295", true)]);
        assert!(last.contains(&oid("1.3.4294967295.7")) && !last.contains(&oid("1.4")));
    }

    #[test]
    fn a_view_has_a_bound() {
        let subtree = Subtree::parse(".1.3.6", true).unwrap();
        let many = vec![subtree; SUBTREES_MAX + 1];
        assert_eq!(View::new(&many), Err(ViewError::TooMany));
        assert!(View::new(&many[1..]).is_ok());
        let why = ViewError::Oid(OidError::Beginning);
        assert_eq!(Subtree::parse("3.1", true), Err(why));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn ranges_say_what_the_subtrees_say(
            subtrees in proptest::collection::vec((proptest::collection::vec(0..4u32, 0..4), any::<bool>()), 0..8),
            name in proptest::collection::vec(0..4u32, 0..6),
        ) {
            let subtrees: Vec<_> = subtrees.into_iter().map(|(rest, included)| {
                Subtree { arcs: [vec![1], rest].concat(), included }
            }).collect();
            let name = Oid::new(&[vec![1, 3], name].concat()).unwrap();
            let view = View::new(&subtrees).unwrap();
            prop_assert_eq!(view.contains(&name), decides(&subtrees, name.arcs()));
        }
    }
}
