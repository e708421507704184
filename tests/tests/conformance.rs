//! The elements that the procedures of GTPv2-C want, each missing, malformed, twice and in any order.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;

use anyhow::Result;
use gtp::v2::MessageType;
use tests::conformance::{Place, Presence, Procedure, TABLE, report};
use tests::elements::{bare, read};
use tests::pycrate::Pycrate;
use tests::python::hex;

#[test]
fn every_cell_of_the_table_is_met_as_the_specification_says() {
    let report = report();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.shown(), report.due);
    let rows = TABLE.iter().map(|procedure| procedure.rows.len() as u32);
    assert_eq!(report.due, 4 * rows.sum::<u32>());
}

/// An element by the instance of the bearer context that it is in, if it is in one, its type and its instance.
type Element = (Option<u64>, u64, u64);

/// Elements of a message on whichever interface, wanted like one of these.
fn elements(kind: MessageType, presences: &[Presence]) -> BTreeSet<Element> {
    let procedures = TABLE.iter().filter(|procedure| procedure.kind == kind);
    let rows = procedures.flat_map(|procedure| procedure.rows);
    rows.filter(|row| presences.contains(&row.presence))
        .map(|row| {
            let bearer = match row.place {
                Place::Message => None,
                Place::Bearer(instance) => Some(u64::from(instance)),
            };
            (bearer, u64::from(row.kind.0), u64::from(row.instance))
        })
        .collect()
}

/// pycrate has the specification's tables too, and nobody here wrote them.
#[test]
fn the_table_has_every_element_that_pycrate_holds_mandatory_and_no_other_as_such() -> Result<()> {
    use Presence::{Conditional, Mandatory, Optional, Told};
    let mut pycrate = Pycrate::start()?;
    for Procedure { name, kind, .. } in TABLE {
        let theirs: BTreeSet<Element> = pycrate.mandatory(kind.0)?.into_iter().collect();
        let ours = elements(*kind, &[Mandatory]);
        assert!(ours.is_subset(&theirs), "{name}: {ours:?} {theirs:?}");
        let known = elements(*kind, &[Mandatory, Conditional, Told, Optional]);
        let missed: Vec<_> = theirs.difference(&known).collect();
        assert!(missed.is_empty(), "{name}: {missed:?}");
    }
    Ok(())
}

/// What the workers themselves send, and not only what a test writes: every element is as it was meant, and none that
/// pycrate holds mandatory is missing.
#[test]
fn pycrate_misses_nothing_in_what_a_node_sends() -> Result<()> {
    let (mut pycrate, mut kinds) = (Pycrate::start()?, BTreeSet::new());
    for procedure in TABLE {
        for octets in procedure.sent()? {
            let said = pycrate.read(&octets)?;
            let name = procedure.name;
            assert_eq!(
                bare(&said),
                bare(&read(&octets)?),
                "{name}: {}",
                hex(&octets)
            );
            for message in said {
                assert_eq!(message["complete"], true, "{name}: {message}");
                kinds.insert(message["type"].as_u64());
            }
        }
    }
    // Both sides of every procedure, and Release Access Bearers Response.
    let expected = [1, 2, 32, 33, 34, 35, 36, 37, 99, 100, 171].map(Some);
    assert!(
        expected.iter().all(|kind| kinds.contains(kind)),
        "{kinds:?}"
    );
    Ok(())
}
