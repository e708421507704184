//! The database that a test's authority keeps its store in: SQLite in its folder, or one of its own on a PostgreSQL server.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Names the directory of the socket of a PostgreSQL server.
const SERVER: &str = "TOLLGATE_POSTGRES";
/// Where a folder keeps the name of its database.
const NAME: &str = "database.name";

/// The URL of a folder's database, made at its first use; none: there is no server, and the store is SQLite.
pub fn url_of(dir: &Path) -> Option<String> {
    let server = std::env::var(SERVER).ok()?;
    let kept = dir.join(NAME);
    let name = fs::read_to_string(&kept).unwrap_or_else(|_| {
        let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid");
        let uuid = uuid.expect("the kernel gives one");
        let name = format!("t{}", uuid.trim().replace('-', ""));
        let mut create = Command::new("createdb");
        create.args(["--host", &server, "--username", "postgres"]);
        create.args(["--template", "template0", "--encoding", "UTF8", &name]);
        let made = create.output().expect("createdb is of postgresql-client");
        assert!(made.status.success(), "{made:?}");
        fs::create_dir_all(dir).expect("the folder is the test's own");
        fs::write(kept, &name).expect("the folder is the test's own");
        name
    });
    Some(format!(
        "postgres://postgres@localhost/{name}?host={server}"
    ))
}
