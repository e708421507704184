//! The text of TOLLGATE-MIB, from the tables: what managers load to read our notifications and objects by name.
//!
//! SMIv2 (RFC 2578 to 2580), with the notifications below `.0`, objects below `.1` and conformance below `.2` of the
//! enterprise arc.

use std::fmt::Write as _;

use crate::Oid;
use crate::notifications::{
    DEFAULT_ENTERPRISE, Mib, NotificationType, Object, Severity, notify_objects, table,
};
use crate::objects::{Column, Group, Scalar, Syntax, Table};
use crate::tables;
use crate::view::View;

/// The date of the last change of a name, a number or a type, as SMIv2 writes it.
const REVISION: &str = "202611220000Z";

const HEAD: &str = "\
TOLLGATE-MIB DEFINITIONS ::= BEGIN

-- Generated from the tables of the crate snmp by cargo xtask documents.

IMPORTS
    MODULE-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE, enterprises, @TYPES@
        FROM SNMPv2-SMI
    @CONVENTIONS@
        FROM SNMPv2-TC
    MODULE-COMPLIANCE, OBJECT-GROUP, NOTIFICATION-GROUP
        FROM SNMPv2-CONF;

tollgateMIB MODULE-IDENTITY
    LAST-UPDATED \"@REVISION@\"
    ORGANIZATION \"tollgate\"
    CONTACT-INFO \"Whoever runs the node.\"
    DESCRIPTION
@ABOUT@
    REVISION \"@REVISION@\"
    DESCRIPTION
        \"First revision.\"
    ::= { tgEnterprise @MIB@ }

-- A network that gives the node an arc of its own changes these two assignments.
tgEnterprise     OBJECT IDENTIFIER ::= { enterprises @NUMBER@ }

tgNotifications  OBJECT IDENTIFIER ::= { tollgateMIB 0 }
tgObjects        OBJECT IDENTIFIER ::= { tollgateMIB 1 }
tgConformance    OBJECT IDENTIFIER ::= { tollgateMIB 2 }
tgNotifyObjects  OBJECT IDENTIFIER ::= { tgObjects 1 }
tgNode           OBJECT IDENTIFIER ::= { tgObjects 2 }
tgCompliances    OBJECT IDENTIFIER ::= { tgConformance 1 }
tgGroups         OBJECT IDENTIFIER ::= { tgConformance 2 }
";

const ABOUT: &str = "Licensing of a packet gateway: the node, its tags, alarms, log and targets, and notifications that \
                     neither STARENT-MIB nor CISCO-SMART-LIC-MIB has a number for. The enterprise arc is one of those \
                     that RFC 5612 keeps for examples; a network gives the node an arc of its own with snmp.enterprise, and changes the assignments of tgEnterprise and tollgateMIB here.";

/// The whole module, for the arc of [`DEFAULT_ENTERPRISE`].
pub fn text() -> String {
    let objects = notify_objects();
    let [.., number, mib] = DEFAULT_ENTERPRISE;
    let shown = tables::group(&Oid::from(DEFAULT_ENTERPRISE));
    let mut out = HEAD
        .replace("@TYPES@", "Counter64, Gauge32, Integer32, Unsigned32")
        .replace("@CONVENTIONS@", "DisplayString, TruthValue")
        .replace("@REVISION@", REVISION)
        .replace("@ABOUT@", &quoted(ABOUT))
        .replace("@NUMBER@", &number.to_string())
        .replace("@MIB@", &mib.to_string());
    objects
        .iter()
        .for_each(|object| notify_object(&mut out, object));
    objects_of(&mut out, &shown);
    let ours: Vec<_> = table()
        .map(|(_, row)| row)
        .filter(|row| row.mib == Mib::Tollgate)
        .collect();
    ours.iter().for_each(|row| notification(&mut out, row));
    let names: Vec<_> = objects.iter().map(|object| object.name).collect();
    group(
        &mut out,
        1,
        "tgNotifyObjectsGroup",
        "OBJECT-GROUP",
        "OBJECTS",
        "Objects that notifications carry.",
        &names,
    );
    let names: Vec<_> = ours.iter().map(|row| row.name).collect();
    group(
        &mut out,
        2,
        "tgNotificationsGroup",
        "NOTIFICATION-GROUP",
        "NOTIFICATIONS",
        "All notifications.",
        &names,
    );
    let names = readable(&shown);
    let help = "The node, its tags, alarms, notifications and targets.";
    group(
        &mut out,
        3,
        "tgTablesGroup",
        "OBJECT-GROUP",
        "OBJECTS",
        help,
        &names,
    );
    let groups = [
        "tgNotifyObjectsGroup",
        "tgNotificationsGroup",
        "tgTablesGroup",
    ];
    compliance(&mut out, &groups);
    out.push_str("\nEND\n");
    out
}

/// Lines of at most 88 columns in quotes, eight columns in.
fn quoted(text: &str) -> String {
    let mut lines = vec![String::from("        \"")];
    // Quotes can't stand in a DESCRIPTION.
    for word in text.replace('"', "'").split_whitespace() {
        let last = lines.len() - 1;
        let empty = matches!(lines[last].trim_start(), "" | "\"");
        if lines[last].len() + word.len() >= 88 {
            lines.push(format!("         {word}"));
        } else {
            lines[last].push_str(if empty { "" } else { " " });
            lines[last].push_str(word);
        }
    }
    lines.join("\n") + "\""
}

fn kind(syntax: Syntax) -> String {
    let names = syntax.named(|name, number| format!("{name}({number})"));
    names.map_or_else(
        || syntax.name().to_owned(),
        |names| format!("INTEGER {{ {names} }}"),
    )
}

fn notify_object(out: &mut String, carried: &Object) {
    let arc = carried.arcs.last().copied().unwrap_or_default();
    let place = format!("tgNotifyObjects {arc}");
    let access = "accessible-for-notify";
    object(
        out,
        carried.name,
        carried.syntax,
        access,
        carried.help,
        &place,
    );
}

fn objects_of(out: &mut String, group: &Group<View>) {
    for Scalar {
        name,
        arcs,
        syntax,
        help,
        ..
    } in &group.scalars
    {
        let arc = arcs.last().copied().unwrap_or_default();
        object(
            out,
            name,
            *syntax,
            "read-only",
            help,
            &format!("tgNode {arc}"),
        );
    }
    for table in &group.tables {
        table_of(out, table);
    }
}

fn table_of(out: &mut String, table: &Table<View>) {
    let Table {
        name,
        entry,
        arcs,
        index,
        help,
        columns,
        ..
    } = table;
    let arc = arcs.last().copied().unwrap_or_default();
    let sequence = upper(entry);
    // Writing to a String can't fail.
    let _ = write!(
        out,
        "
{name} OBJECT-TYPE
    SYNTAX      SEQUENCE OF {sequence}
    MAX-ACCESS  not-accessible
    STATUS      current
    DESCRIPTION
{}
    ::= {{ tgObjects {arc} }}

{entry} OBJECT-TYPE
    SYNTAX      {sequence}
    MAX-ACCESS  not-accessible
    STATUS      current
    DESCRIPTION
        \"One row of {name}.\"
    INDEX       {{ {} }}
    ::= {{ {name} 1 }}

{sequence} ::= SEQUENCE {{
",
        quoted(help),
        index.join(", ")
    );
    let members = columns
        .iter()
        .map(|c| format!("    {} {}", c.name, c.syntax.name()));
    out.push_str(&members.collect::<Vec<_>>().join(",\n"));
    out.push_str("\n}\n");
    for Column {
        name,
        arc,
        syntax,
        help,
        value,
    } in columns
    {
        let access = match value {
            Some(_) => "read-only",
            None => "not-accessible",
        };
        object(out, name, *syntax, access, help, &format!("{entry} {arc}"));
    }
}

fn object(out: &mut String, name: &str, syntax: Syntax, access: &str, help: &str, place: &str) {
    let syntax = kind(syntax);
    // Writing to a String can't fail.
    let _ = write!(
        out,
        "
{name} OBJECT-TYPE
    SYNTAX      {syntax}
    MAX-ACCESS  {access}
    STATUS      current
    DESCRIPTION
{}
    ::= {{ {place} }}
",
        quoted(help)
    );
}

/// Names of all that can be read.
fn readable(group: &Group<View>) -> Vec<&'static str> {
    let scalars = group.scalars.iter().map(|scalar| scalar.name);
    let columns = group.tables.iter().flat_map(|table| &table.columns);
    let columns = columns.filter(|column| column.value.is_some());
    scalars.chain(columns.map(|column| column.name)).collect()
}

/// A name that begins with a capital, as types do.
fn upper(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn notification(out: &mut String, row: &NotificationType) {
    let names: Vec<_> = row.objects.iter().map(|object| object.name).collect();
    let objects = match names.is_empty() {
        true => String::new(),
        false => format!("    OBJECTS     {{ {} }}\n", names.join(", ")),
    };
    let mut says = row.cause.to_owned();
    if !row.clears.is_empty() {
        says = format!("{says} Cleared when: {}", row.clears);
    }
    if row.severity != Severity::Informational {
        says = format!(
            "{says} Severity: {}. What to do: {}",
            row.severity.name(),
            row.action
        );
    }
    let _ = write!(
        out,
        "
{} NOTIFICATION-TYPE
{objects}    STATUS      current
    DESCRIPTION
{}
    ::= {{ tgNotifications {} }}
",
        row.name,
        quoted(&says),
        row.number
    );
}

fn group(
    out: &mut String,
    number: u32,
    name: &str,
    kind: &str,
    list: &str,
    help: &str,
    members: &[&str],
) {
    let members = members.join(",\n        ");
    let _ = write!(
        out,
        "
{name} {kind}
    {list} {{
        {members}
    }}
    STATUS      current
    DESCRIPTION
{}
    ::= {{ tgGroups {number} }}
",
        quoted(help)
    );
}

fn compliance(out: &mut String, groups: &[&str]) {
    let _ = write!(
        out,
        "
tgCompliance MODULE-COMPLIANCE
    STATUS      current
    DESCRIPTION
        \"What a node has.\"
    MODULE
        MANDATORY-GROUPS {{
            {}
        }}
    ::= {{ tgCompliances 1 }}
",
        groups.join(",\n            ")
    );
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_module_is_that_of_the_tables() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mibs/TOLLGATE-MIB.txt");
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let text = text();
        let differ = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
        assert_eq!(differ, None, "run cargo xtask documents");
        assert_eq!(kept.lines().count(), text.lines().count());
    }

    #[test]
    fn names_have_at_most_32_letters_and_are_there_once() {
        let ours = table().filter(|(_, row)| row.mib == Mib::Tollgate);
        let names = ours.map(|(_, row)| row.name);
        let objects = notify_objects();
        let names = names.chain(objects.iter().map(|object| object.name));
        let shown = tables::group(&Oid::from(DEFAULT_ENTERPRISE));
        let names = names.chain(readable(&shown));
        let mut all: Vec<_> = names.collect();
        assert!(
            all.iter()
                .all(|name| name.len() <= 32 && name.starts_with("tg"))
        );
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_description_is_broken_and_has_no_quotes_inside() {
        let text = quoted(&"word \"quoted\" ".repeat(20));
        assert!(text.lines().all(|line| line.len() <= 90));
        assert_eq!(text.matches('"').count(), 2);
    }
}
