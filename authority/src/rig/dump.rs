//! A database of PostgreSQL in a file, and back.

use std::path::Path;
use std::process::Command;

/// Writes a database down; what it replaces goes first when that is read.
pub fn write(url: &str, file: &Path) {
    let mut dump = Command::new("pg_dump");
    dump.args(["--clean", "--if-exists", "--file"]);
    run(dump.arg(file).arg(url));
}

/// Reads into a database what was written down.
pub fn read(url: &str, file: &Path) {
    let mut read = Command::new("psql");
    read.args(["--quiet", "-v", "ON_ERROR_STOP=1", "--file"]);
    run(read.arg(file).arg(url));
}

fn run(command: &mut Command) {
    let done = command.output().expect("it is of postgresql-client");
    assert!(done.status.success(), "{done:?}");
}
