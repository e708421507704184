//! docs/snmp.md, from the tables: each notification, its cause, its clear, and what an operator does.

use std::fmt::Write as _;

use crate::Oid;
use crate::absent::{self, Absent};
use crate::notifications::{
    DEFAULT_ENTERPRISE, Kind, Mib, NotificationType, Object, Place, Which, notify_objects, table,
};
use crate::objects::{Group, Mib as Objects, Syntax};
use crate::tables;
use crate::view::View;

const HEAD: &str = "\
# SNMP

<!-- Generated from the tables of the crate snmp by cargo xtask documents. -->

What a node tells its managers, and what they can ask it. The same tables make
[TOLLGATE-MIB](../mibs/TOLLGATE-MIB.txt), which managers load beside STARENT-MIB and CISCO-SMART-LIC-MIB. A node without a
section `[snmp]` in its configuration does neither.

## What is sent, and when

Each notification is of one of three MIBs. STARENT-MIB and CISCO-SMART-LIC-MIB have their own numbers, varbinds and order;
what they have no number for is in TOLLGATE-MIB, below `@ARC@`. That arc is below the enterprise number which RFC 5612 keeps
for examples, so that no manager takes it for another's: a network sets one of its own as `snmp.enterprise`, and changes the
two lines of the MIB that assign `tgEnterprise` and `tollgateMIB`.

A condition is raised once and cleared once. While it stands it may be said again, by the same notification, which is
neither. The table of outstanding alarms is the truth: a notification only carries it, and after a start whatever the
table says and targets were not told is told.

To each target go at most 50 notifications in any second. Of more that come in a second the rest is held: of each alarm the
latest stands for those before it, a raise and its clear together for nothing. Every 10 seconds what is held goes on, and
`tgNotifySummary` says how many were left out.

Informs are sent again until they are acknowledged. A target that has not acknowledged one after its retries is away:
then one alone is tried, ever slower, at least every 10 seconds, or each timeout if that is longer. What comes meanwhile
waits, on disk too, 10,000 notifications a target at most; then the oldest is dropped and counted, and the target is told
when it is back. A manager may get a notification twice, with the same request id.

A new target is told of the alarms that stand, and so are all of a notification that is enabled again, also of what they were
told of before; whether a command changes it, or `gateway.toml` and a restart. A clear that was suppressed itself is not told
later.

## Keys in files

In place of a password the file of a user may hold a key: `localized:ENGINE:KEY`, which is good for that engine alone and not for
informs, as `tollgate snmp localize` prints it, or `master:KEY`, which is good for every engine and taken only where the node
itself has sealed it. Both are in hexadecimal, and a key is as long as the hash of the user's authentication.

";

/// The whole document.
pub fn text() -> String {
    let enterprise = Oid::from(DEFAULT_ENTERPRISE);
    let mut out = HEAD.replace("@ARC@", &enterprise.to_string());
    for (mib, title) in [
        (Mib::Starent, "Notifications of STARENT-MIB"),
        (Mib::CiscoSmartLic, "Notifications of CISCO-SMART-LIC-MIB"),
        (Mib::Tollgate, "Notifications of TOLLGATE-MIB"),
    ] {
        // Writing to a String can't fail.
        let _ = writeln!(out, "## {title}\n");
        for (which, row) in table().filter(|(_, row)| row.mib == mib) {
            section(&mut out, which, row, &enterprise);
        }
        if mib == Mib::CiscoSmartLic {
            absent(
                &mut out,
                absent::NOTIFICATIONS,
                "It also has, and a node does not send:",
                |n| n.to_string(),
            );
        }
    }
    varbinds(&mut out, &enterprise);
    readable(&mut out, "TOLLGATE-MIB", tables::group(&enterprise));
    readable(&mut out, "CISCO-SMART-LIC-MIB", tables::smart_licensing());
    out.push('\n');
    let head = "It also has, and a node does not serve:";
    absent(&mut out, absent::OBJECTS, head, |[one, two]| {
        format!("{one}.{two}")
    });
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn section(out: &mut String, which: Which, row: &NotificationType, enterprise: &Oid) {
    let objects: Vec<_> = row
        .objects
        .iter()
        .map(|object| format!("`{}`", object.name))
        .collect();
    let objects = match objects.is_empty() {
        true => "none".to_owned(),
        false => objects.join(", "),
    };
    let (name, number) = (row.name, row.number);
    let severity = row.severity.name();
    let _ = writeln!(out, "### {name} ({number})\n");
    let _ = writeln!(
        out,
        "`{}`, {severity}; varbinds: {objects}.\n",
        which.oid(enterprise)
    );
    let _ = writeln!(out, "- Cause: {}", row.cause);
    match row.kind {
        Kind::Raise { cleared_by } => {
            let _ = writeln!(out, "- Clear: `{cleared_by}`. {}", row.clears);
        }
        Kind::Clear => {
            let raise = table().find(
                |(_, other)| matches!(other.kind, Kind::Raise { cleared_by } if cleared_by == name),
            );
            let raise = raise.map_or("", |(_, row)| row.name);
            let _ = writeln!(out, "- Clears: `{raise}`.");
        }
        Kind::Event => {}
    }
    let _ = writeln!(out, "- What to do: {}\n", row.action);
}

fn varbinds(out: &mut String, enterprise: &Oid) {
    out.push_str("## Objects that notifications carry\n\n");
    out.push_str("| object | identifier | type | what it is |\n|---|---|---|---|\n");
    let rows = table().flat_map(|(_, row)| row.objects).copied();
    let mut objects: Vec<&Object> = rows.chain(notify_objects()).collect();
    objects.sort_by_key(|object| (object.mib, object.arcs));
    objects.dedup_by_key(|object| object.name);
    for object in objects {
        let place = match object.place {
            Place::Scalar => ".0",
            Place::Service => ".1.*service*",
            Place::Tag => ".*tag*",
        };
        let _ = writeln!(
            out,
            "| `{}` | `{}`{place} | {} | {} |",
            object.name,
            object.oid(enterprise),
            kind(object.syntax),
            object.help
        );
    }
}

fn readable(out: &mut String, mib: &str, group: Group<View>) {
    let _ = writeln!(out, "\n## Objects of {mib}\n");
    out.push_str(
        "They can be read, and not be set. All that one walk gives is of one snapshot.\n\n",
    );
    out.push_str("| object | identifier | type | what it is |\n|---|---|---|---|\n");
    let Ok(objects) = Objects::new(vec![group]) else {
        return;
    };
    for listed in objects.listed() {
        let kind = match (listed.syntax, listed.readable) {
            (None, _) => "table".to_owned(),
            (Some(_), false) => "index".to_owned(),
            (Some(syntax), true) => kind(syntax),
        };
        let (name, oid, help) = (listed.name, listed.oid, listed.help);
        let _ = writeln!(out, "| `{name}` | `{oid}` | {kind} | {help} |");
    }
}

fn absent<T>(out: &mut String, groups: &Absent<T>, head: &str, number: fn(&T) -> String) {
    let _ = writeln!(out, "{head}\n\n| what | why not |\n|---|---|");
    for (all, why) in groups {
        let names = all
            .iter()
            .map(|(at, name)| format!("`{name}` ({})", number(at)));
        let names = names.collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "| {names} | {why} |");
    }
    out.push('\n');
}

fn kind(syntax: Syntax) -> String {
    let names = syntax.named(|name, number| format!("{name} {number}"));
    names.unwrap_or_else(|| syntax.name().to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_manual_is_that_of_the_tables() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/snmp.md");
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let text = text();
        let differ = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
        assert_eq!(differ, None, "run cargo xtask documents");
        assert_eq!(kept.lines().count(), text.lines().count());
    }

    #[test]
    fn every_notification_is_there_with_what_to_do() {
        let text = text();
        for (_, row) in table() {
            let title = format!("### {} ({})\n", row.name, row.number);
            assert!(text.contains(&title), "{title}");
        }
        let rows = table().count();
        assert_eq!(text.matches("- What to do: ").count(), rows);
        assert_eq!(text.matches("- Cause: ").count(), rows);
    }
}
