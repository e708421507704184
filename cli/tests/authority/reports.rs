//! Reports of more lines than a report has: what is said of it, and the memory of both who writes and who reads them.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::*;

/// Lines of a report at most.
const BOUND: usize = 100_000;
/// What the memory of a process may grow by over a report of 50 MiB: its pieces, and what an allocator keeps of them.
const GROWTH_KIB: u64 = 32 * 1024;

/// As many changes in the audit log, each with a long text.
fn load(file: &str, lines: i64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // What is older is let go of.
    let today = jiff::Timestamp::now();
    runtime.unwrap().block_on(async {
        let options = SqliteConnectOptions::new().filename(file);
        let mut store = options.connect().await.unwrap();
        sqlx::query(
            "INSERT INTO audit (at, account, va, who, action, object, before, after)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
             SELECT $2, 1, 1, 'eve', 'x', $3, NULL, NULL FROM n",
        )
        .bind(lines)
        .bind(today.as_millisecond())
        .bind("x".repeat(500))
        .execute(&mut store)
        .await
        .unwrap();
        store.close().await.unwrap();
    });
}

/// The most memory that a process has had resident, in KiB.
fn most_kib(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let (kib, _) = line.unwrap().trim().split_once(' ').unwrap();
    kib.parse().unwrap()
}

#[test]
fn a_report_of_all_lines_takes_no_more_memory_and_says_that_there_are_more() {
    let mut office = Office::set_up();
    let process = office.process.take().unwrap();
    assert_eq!(process.ends_by(Signal::INT), Some(0));
    load(&office.path("authority/authority.sqlite"), BOUND as i64 + 1);
    let listen = office.url.trim_start_matches("https://").to_owned();
    office.begin(&listen, "Its SHA-256");
    office.done("report transfers");
    let before = most_kib(office.process.as_ref().unwrap());

    let child = tollgate()
        .args(["authority", "admin", "--dir", &office.path("admin")])
        .args(["report", "audit", "--format", "csv"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut client = Process(child.unwrap());
    let mut rows = 0;
    let mut octets = 0;
    let mut samples = Vec::new();
    for line in BufReader::new(client.0.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        octets += line.len();
        rows += usize::from(line.contains("eve"));
        // It lives as long as there is more to read than a pipe holds.
        if [1_000, BOUND - 2_000].contains(&rows) && samples.len() < 1 + rows / 50_000 {
            samples.push(most_kib(&client));
        }
    }
    let (at_first, grown) = (samples[0], samples[1] - samples[0]);
    let mut said = String::new();
    let mut errors = client.0.stderr.take().unwrap();
    errors.read_to_string(&mut said).unwrap();
    assert_eq!(client.0.wait().unwrap().code(), Some(1));
    let ends = "Failure: these are the first 100000 lines, and there are more";
    assert!(said.starts_with(ends), "{said}");
    assert_eq!(rows, BOUND);
    println!("{octets} octets, client {at_first} KiB and {grown} KiB more");
    assert!(grown < GROWTH_KIB, "{grown} KiB more");
    let grown = most_kib(office.process.as_ref().unwrap()) - before;
    println!("authority {before} KiB and {grown} KiB more");
    assert!(grown < GROWTH_KIB, "{grown} KiB more");
}
