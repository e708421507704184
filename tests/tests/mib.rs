//! The module that managers load, as others read it.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::Command;

/// What smilint prints of a module, line by line, with stand-ins for the modules that it imports.
fn smilint(module: &Path) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("timeout");
    command.args(["60", "smilint", "-s", "-l", "6"]).arg(module);
    command.env("SMIPATH", root.join("smi"));
    let output = command.output().expect("timeout is there");
    assert!(output.status.success(), "smilint is there: {output:?}");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.lines().map(str::to_owned).collect()
}

#[test]
fn smilint_has_nothing_to_say_of_our_mib() {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mibs/TOLLGATE-MIB.txt");
    let said = smilint(&module);
    println!("snmp-mib-clean {}", said.len());
    assert_eq!(said, [""; 0]);
}

#[test]
fn smilint_speaks_up_where_something_is_wrong() {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mibs/TOLLGATE-MIB.txt");
    let text = std::fs::read_to_string(module).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("TOLLGATE-MIB.txt");
    for (from, to, why) in [
        ("SYNTAX      Gauge32", "SYNTAX      Gauge33", "Gauge33"),
        (
            "{ tollgateMIB 0 }",
            "{ tollgateMIB 3 }",
            "not reverse mappable",
        ),
    ] {
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let said = smilint(&file);
        assert!(said.iter().any(|line| line.contains(why)), "{said:?}");
    }
}
