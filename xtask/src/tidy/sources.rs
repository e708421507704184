//! What the sources may not hold.

use std::path::Path;

use anyhow::Result;

use super::arrows::MACHINES;
use super::{Breach, rust};
use crate::workspace::Workspace;

/// Paths that reach the operating system. Addresses (`std::net::IpAddr` and the like) are values.
const OS: [&str; 19] = [
    "std::fs",
    "std::env",
    "std::io",
    "std::os",
    "std::process",
    "std::thread",
    "std::net::UdpSocket",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::net::ToSocketAddrs",
    "std::net::*",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::time::*",
    "std::sync::mpsc",
    "rustix",
    "socket2",
    "tokio",
    "quanta",
];

/// Inside these crates, where sockets, clocks, files and threads may be. A crate that isn't named: everywhere.
const SHELLS: [(&str, &[&str]); 1] = [("load", &["src/shell"])];

/// Crates that may use atomics.
const ATOMICS: [&str; 2] = ["enforcer", "node"];

/// Names that say nothing.
const DRAWERS: [&str; 8] = [
    "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils",
];

const EMPTY_ENDINGS: [&str; 4] = ["Manager", "Helper", "Handler", "Utils"];

pub fn breaches(workspace: &Workspace) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for member in &workspace.members {
        for target in &member.targets {
            let file = target.src_path.strip_prefix(&workspace.root)?;
            breaches.extend(unsafe_not_forbidden(file, &workspace.text(file)?));
        }
    }
    for file in workspace.files()? {
        breaches.extend(drawer(&file));
        if file.extension().is_some_and(|extension| extension == "rs") {
            breaches.extend(source(&file, &workspace.text(&file)?));
        }
    }
    Ok(breaches)
}

/// All rules for one source file.
fn source(file: &Path, text: &str) -> Vec<Breach> {
    let code = rust::code(text);
    let mut breaches = unfinished(file, text, &code);
    breaches.extend(empty_names(file, &code));
    let crate_name = first_folder(file);
    if !is_test(file) {
        let production = rust::without_tests(&code);
        if is_pure(file, crate_name) {
            breaches.extend(os_calls(file, &production));
        }
        if !ATOMICS.contains(&crate_name) && !["tests", "benches"].contains(&crate_name) {
            breaches.extend(atomics(file, &production));
        }
    }
    breaches
}

fn first_folder(file: &Path) -> &str {
    let first = file.components().next();
    first.and_then(|c| c.as_os_str().to_str()).unwrap_or("")
}

/// Tests, examples and benchmarks may do as they need.
pub fn is_test(file: &Path) -> bool {
    let mut below = file.iter().skip(1);
    let folder = below.next().and_then(|c| c.to_str()).unwrap_or("");
    let name = file.file_stem().and_then(|n| n.to_str()).unwrap_or("");
    ["tests", "examples", "benches"].contains(&folder)
        || name == "tests"
        || name.ends_with("_tests")
        || file.iter().skip(2).any(|part| part == "tests")
}

/// Must it leave the operating system alone?
fn is_pure(file: &Path, crate_name: &str) -> bool {
    if MACHINES.contains(&crate_name) {
        return true;
    }
    SHELLS.iter().any(|(name, shells)| {
        let below = file.strip_prefix(name).unwrap_or(file).to_string_lossy();
        *name == crate_name && !shells.iter().any(|shell| below.starts_with(shell))
    })
}

fn unsafe_not_forbidden(file: &Path, text: &str) -> Option<Breach> {
    let forbidden = rust::code(text).contains("#![forbid(unsafe_code)]");
    (!forbidden).then(|| Breach::of(file, "a crate root without #![forbid(unsafe_code)]"))
}

fn drawer(file: &Path) -> Option<Breach> {
    let name = file.file_stem()?.to_str()?;
    let folder = file.parent().and_then(Path::file_name);
    let folder = folder.and_then(|folder| folder.to_str()).unwrap_or("");
    let found = [name, folder].into_iter().find(|n| DRAWERS.contains(n))?;
    Some(Breach::of(file, format!("{found:?} names a drawer")))
}

fn unfinished(file: &Path, text: &str, code: &str) -> Vec<Breach> {
    const CALLS: [(&str, &str); 4] = [
        ("todo!", "unfinished"),
        ("unimplemented!", "unfinished"),
        ("#[ignore", "an ignored test proves nothing"),
        ("thread::sleep", "wait for the event, with a deadline"),
    ];
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let mut breaches = Vec::new();
    for (call, why) in CALLS {
        for at in rust::places(code, call) {
            let why = format!("{call}: {why}");
            breaches.push(Breach::at(file, rust::line_of(code, at), why));
        }
    }
    for mark in marks {
        for at in rust::places(text, mark) {
            breaches.push(Breach::at(file, rust::line_of(text, at), mark));
        }
    }
    breaches
}

fn empty_names(file: &Path, code: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for kind in ["struct", "enum", "trait"] {
        for at in rust::places(code, kind) {
            let name: String = code[at + kind.len()..]
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if EMPTY_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                let why = format!("{name} doesn't say what it is");
                breaches.push(Breach::at(file, rust::line_of(code, at), why));
            }
        }
    }
    breaches
}

fn os_calls(file: &Path, code: &str) -> Vec<Breach> {
    let why = |path: &str| format!("{path} outside of a shell");
    let mut breaches: Vec<Breach> = rust::used_paths(code)
        .into_iter()
        .filter(|(_, path)| OS.iter().any(|os| begins(path, os)))
        .map(|(at, path)| Breach::at(file, rust::line_of(code, at), why(&path)))
        .collect();
    for os in OS.iter().filter(|os| os.starts_with("std::")) {
        for at in rust::places(code, os) {
            breaches.push(Breach::at(file, rust::line_of(code, at), why(os)));
        }
    }
    for call in [
        "Instant::now",
        "SystemTime::now",
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
    ] {
        for at in rust::places(code, call) {
            breaches.push(Breach::at(file, rust::line_of(code, at), why(call)));
        }
    }
    breaches.sort_by_key(|breach| breach.line);
    breaches.dedup_by_key(|breach| breach.line);
    breaches
}

fn atomics(file: &Path, code: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for kind in [
        "Bool", "U8", "U16", "U32", "U64", "Usize", "I8", "I16", "I32", "I64", "Isize", "Ptr",
        "Cell",
    ] {
        let atomic = format!("Atomic{kind}");
        for at in rust::places(code, &atomic) {
            let why = format!("{atomic} outside of enforcer and node");
            breaches.push(Breach::at(file, rust::line_of(code, at), why));
        }
    }
    breaches
}

/// Is `path` `prefix` or below it?
fn begins(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(file: &str, text: &str) -> Vec<(usize, String)> {
        let found = source(Path::new(file), text).into_iter();
        found.map(|b| (b.line.unwrap_or(0), b.why)).collect()
    }

    #[test]
    fn an_os_call_in_a_machine_is_found() {
        let text =
            "use std::time::Duration;\nfn f() {\n    let _ = std::time::Instant::now();\n}\n";
        let found = of("enforcer/src/lib.rs", text);
        assert_eq!(found, [(3, "std::time::Instant outside of a shell".into())]);
        assert_eq!(of("node/src/clock.rs", text), []);
        assert_eq!(of("enforcer/tests/clock.rs", text), []);
        assert_eq!(of("enforcer/src/gate/tests.rs", text), []);

        let grouped = "use std::{net::{IpAddr, UdpSocket}, fmt};\n";
        let found = of("gtp/src/lib.rs", grouped);
        assert_eq!(
            found,
            [(1, "std::net::UdpSocket outside of a shell".into())]
        );
        assert_eq!(
            of("gtp/src/lib.rs", "use std::net::{IpAddr, SocketAddr};\n"),
            []
        );
        assert_eq!(
            of(
                "gtp/src/lib.rs",
                "// std::fs\nconst A: &str = \"std::fs\";\n"
            ),
            []
        );
        assert_eq!(
            of(
                "gtp/src/lib.rs",
                "#[cfg(test)]\nmod tests { use std::fs; }\n"
            ),
            []
        );
        assert_eq!(
            of("licensing/src/a.rs", "fn f() { println!(); }\n").len(),
            1
        );
    }

    #[test]
    fn load_has_its_sockets_in_its_shell() {
        let text = "use std::net::UdpSocket;\n";
        assert_eq!(of("load/src/plan.rs", text).len(), 1);
        assert_eq!(of("load/src/shell.rs", text), []);
        assert_eq!(of("load/src/shell/udp.rs", text), []);
    }

    #[test]
    fn an_atomic_outside_of_enforcer_and_node_is_found() {
        let text = "use std::sync::atomic::{AtomicU64, Ordering};\n";
        let found = of("session-plane/src/pool.rs", text);
        assert_eq!(
            found,
            [(1, "AtomicU64 outside of enforcer and node".into())]
        );
        assert_eq!(of("enforcer/src/gate/cell.rs", text), []);
        assert_eq!(of("node/src/control.rs", text), []);
        assert_eq!(of("session-plane/tests/pool.rs", text), []);
    }

    #[test]
    fn a_root_that_allows_unsafe_code_is_found() {
        let file = Path::new("gtp/src/lib.rs");
        assert_eq!(
            unsafe_not_forbidden(file, "#![forbid(unsafe_code)]\n"),
            None
        );
        assert!(unsafe_not_forbidden(file, "// #![forbid(unsafe_code)]\n").is_some());
    }

    #[test]
    fn unfinished_code_and_ignored_or_sleeping_tests_are_found() {
        let lines = [
            "fn a() { todo!() }",
            "fn b() { unimplemented!(\"x\") }",
            "#[ignore = \"slow\"]",
            "std::thread::sleep(d);",
            concat!("// TO", "DO: more"),
        ];
        for line in lines {
            assert_eq!(of("tests/src/a.rs", line).len(), 1, "{line}");
        }
        assert_eq!(
            of("tests/src/a.rs", "let s = \"todo!()\"; // ignored\n"),
            []
        );
    }

    #[test]
    fn drawers_and_empty_names_are_found() {
        for file in [
            "gtp/src/utils.rs",
            "gtp/src/common/ie.rs",
            "tests/src/helpers.rs",
        ] {
            assert!(drawer(Path::new(file)).is_some(), "{file}");
        }
        assert_eq!(drawer(Path::new("gtp/src/reader.rs")), None);
        assert_eq!(of("gtp/src/a.rs", "pub struct SessionManager;\n").len(), 1);
        assert_eq!(of("gtp/src/a.rs", "pub struct Session;\n"), []);
    }
}
