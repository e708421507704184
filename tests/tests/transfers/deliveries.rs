//! Whole nodes that deliver by what `[bulkstats]` says of each kind of receiver, and all that such a receiver does wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use api::{BulkstatsCommand, BulkstatsFile, BulkstatsStatus, Request};
use bulkstats::spool::{Place, Stored};
use licensing::AlarmKind;
use serde_json::Value;
use tempfile::TempDir;
use tests::gateway::{Gateway, Site};
use tests::receivers::{Door, Flow, Nginx, PASSWORD, Tftpd, USER, Valve, Vsftpd};
use tests::sgsn::Call;
use tests::wait::until;

use super::{LIMIT, certificates};

/// The sessions that were made until a sample, and what is current.
const SYSTEM: &str = "'system schema c format \"c,%sess-created%,%sess-current%,%epochtime%\"'";
/// What each service has.
const LICENSES: &str =
    "'smart-license schema sl format \"sl,%mode%,%tagid%,%cur_call_count%,%max_call_count%\"'";
const PYTHON: &str = "import csv, json, sys\n\
                      print(json.dumps([list(csv.reader(open(name, newline=''))) for name in sys.argv[1:]]))";

/// A directory for receivers and what a node has to know of them.
struct Yard(TempDir);

impl Yard {
    fn new() -> Self {
        let yard = Self(tempfile::tempdir().unwrap());
        yard.write("password", PASSWORD);
        yard
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.dir().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        file.display().to_string()
    }

    /// A receiver on loopback, with these lines more.
    fn receiver(role: &str, mechanism: &str, port: u16, more: &str) -> String {
        format!(
            "[bulkstats.file.{role}]\naddress = \"127.0.0.1\"\nport = {port}\nmechanism = \"{mechanism}\"\n{more}"
        )
    }

    /// The lines of an account.
    fn login(&self) -> String {
        let file = self.dir().join("password");
        format!(
            "login = \"{USER}\"\npassword_file = \"{}\"\n",
            file.display()
        )
    }

    /// The same, and of a root that is trusted.
    fn trusting(&self, root: &str) -> String {
        let file = self.write("root.pem", root);
        format!("{}roots = \"{file}\"\n", self.login())
    }
}

/// A file with these schemas.
fn block(number: u8, remote: &str, schemas: &[String], receivers: &str) -> String {
    format!(
        "[[bulkstats.file]]\nnumber = {number}\nremotefile = \"{remote}\"\nheader = \"H,%host%\"\nfooter = \"EndOfFile\"\n\
         schemas = [{}]\n{receivers}",
        schemas.join(", ")
    )
}

fn plain(number: u8, remote: &str, receivers: &str) -> String {
    block(number, remote, &[SYSTEM.to_owned()], receivers)
}

/// A node with these files. Intervals don't begin while a test runs; what was transferred is kept.
fn open(more: &str, blocks: &[String]) -> Gateway {
    open_at(Site::new().unwrap(), more, blocks)
}

fn open_at(site: Site, more: &str, blocks: &[String]) -> Gateway {
    let section = format!(
        "[bulkstats]\ncollection = true\nsample_interval_min = 10080\ntransfer_interval_min = 999999\nhistorical_days = 9\n{more}\n{}",
        blocks.concat()
    );
    let configuration = site.configuration().with(&section);
    site.open(&configuration).unwrap()
}

fn ask(gateway: &Gateway, command: BulkstatsCommand) {
    let node = gateway.node().unwrap();
    node.control().bulkstats_do(command).unwrap();
}

/// One call more, and a sample of it.
fn sample(gateway: &mut Gateway, caller: u32) {
    gateway.accepted(&Call::new(caller, "internet")).unwrap();
    ask(gateway, BulkstatsCommand::ForceGather);
}

/// A file of one sample, on its way.
fn send(gateway: &mut Gateway, caller: u32) {
    sample(gateway, caller);
    ask(gateway, BulkstatsCommand::ForceTransfer);
}

fn status(gateway: &Gateway) -> BulkstatsStatus {
    gateway.node().unwrap().control().bulkstats().unwrap()
}

fn file(gateway: &Gateway, number: u8) -> BulkstatsFile {
    let mut files = status(gateway).files.into_iter();
    files.find(|file| file.number == number).unwrap()
}

fn primary_says(gateway: &Gateway, number: u8) -> Option<String> {
    file(gateway, number).primary.unwrap().error
}

fn wait(what: &str, holds: impl Fn() -> bool) {
    until(what, LIMIT, || Ok(holds())).unwrap();
}

/// Until nothing waits any more: what fails once is asked for again.
fn deliver(gateway: &Gateway) {
    until("all is delivered", LIMIT, || {
        ask(gateway, BulkstatsCommand::ForceTransfer);
        let files = status(gateway).files;
        Ok(files.iter().all(|file| file.awaiting_records == 0))
    })
    .unwrap_or_else(|error| panic!("{error}: {:?}", status(gateway).files));
}

fn wait_for_alarm(gateway: &Gateway, kind: AlarmKind, stands: bool) {
    let control = gateway.node().unwrap().control();
    wait(&format!("{kind:?}: {stands}"), || {
        let alarms = control.snapshot().unwrap().alarms;
        alarms.iter().any(|alarm| alarm.kind == kind) == stands
    });
}

fn shown(gateway: &Gateway, command: &str) -> String {
    gateway.node().unwrap().cli(command).unwrap().log()
}

/// The files of a directory, in the order in which they came.
fn files(home: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(home) else {
        return Vec::new();
    };
    let mut files: Vec<(SystemTime, PathBuf)> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.metadata().unwrap().modified().unwrap(), entry.path())
        })
        .filter(|(_, path)| path.extension().is_some_and(|ending| ending == "csv"))
        .collect();
    files.sort();
    files.into_iter().map(|(_, path)| path).collect()
}

/// Rows of files, by Python's csv.
fn rows(files: &[PathBuf]) -> Vec<Vec<String>> {
    let mut python = Command::new("python3");
    let output = python.args(["-c", PYTHON]).args(files).output().unwrap();
    assert!(output.status.success(), "python3: {output:?}");
    let files: Vec<Vec<Vec<String>>> = serde_json::from_slice(&output.stdout).unwrap();
    for rows in &files {
        let (first, last) = (&rows[0], &rows[rows.len() - 1]);
        assert_eq!(
            (first, last),
            (
                &vec!["H".to_owned(), "gw1".to_owned()],
                &vec!["EndOfFile".to_owned()]
            )
        );
    }
    files.into_iter().flatten().collect()
}

/// How many sessions had been made at each sample.
fn created(files: &[PathBuf]) -> Vec<u32> {
    let rows = rows(files);
    let rows = rows.iter().filter(|row| row[0] == "c");
    rows.map(|row| row[1].parse().unwrap()).collect()
}

/// What the node keeps of files that it has sent, by their names there.
fn kept(gateway: &Gateway) -> Vec<(String, Vec<u8>)> {
    let dir = gateway.node().unwrap().state_dir().join("bulkstats/sent");
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let stored = Stored::parse(Place::Sent, name).unwrap();
            (stored.name, fs::read(&path).unwrap())
        })
        .collect()
}

#[test]
fn each_mechanism_carries_a_file_octet_by_octet() {
    //= L15
    let yard = Yard::new();
    let (root, own) = certificates();
    let ftp = Vsftpd::start(yard.dir(), None).unwrap();
    let ftps = Vsftpd::start(yard.dir(), Some(&own)).unwrap();
    let http = Nginx::start(yard.dir(), None).unwrap();
    let https = Nginx::start(yard.dir(), Some(&own)).unwrap();
    let (login, trusting) = (yard.login(), yard.trusting(&root));
    let receivers = [
        ("ftp.csv", "ftp", ftp.port, &login),
        ("ftps.csv", "ftps", ftps.port, &trusting),
        ("open/in/http.csv", "http", http.port, &String::new()),
        ("https.csv", "https", https.port, &trusting),
    ];
    let schemas = [SYSTEM.to_owned(), LICENSES.to_owned()];
    let blocks = receivers
        .iter()
        .zip(1..)
        .map(|((name, mechanism, port, more), n)| {
            block(
                n,
                name,
                &schemas,
                &Yard::receiver("primary", mechanism, *port, more),
            )
        });
    let mut gateway = open("", &blocks.collect::<Vec<_>>());
    let control = gateway.node().unwrap().control().clone();
    let enabled = control.change(&Request::SmartLicensing { enable: true });
    assert!(enabled.unwrap());
    gateway.accepted(&Call::new(1, "internet")).unwrap();
    sample(&mut gateway, 2);
    let numbers = shown(&gateway, "show license statistics --json");
    let numbers: Value = serde_json::from_str(&numbers).unwrap();
    ask(&gateway, BulkstatsCommand::ForceTransfer);
    wait("all are known to have arrived", || {
        let files = status(&gateway).files;
        files.iter().all(|file| file.last_transfer.is_some())
    });

    let homes = [ftp.home(), ftps.home(), http.home(), https.home()];
    let kept = kept(&gateway);
    for ((name, mechanism, ..), home) in receivers.iter().zip(homes) {
        let there = home.join(name);
        let (_, sent) = kept.iter().find(|(of, _)| of == name).unwrap();
        assert!(fs::read(&there).unwrap() == *sent, "{mechanism}");
        let rows = rows(&[there]);
        let system = rows.iter().find(|row| row[0] == "c").unwrap();
        assert_eq!(system[1..3], ["2", "2"], "{mechanism}");
        let licenses: Vec<_> = rows.iter().filter(|row| row[0] == "sl").collect();
        let services = numbers["services"].as_array().unwrap();
        assert_eq!(licenses.len(), 2 * services.len());
        for row in licenses {
            let tag: u64 = row[2].parse().unwrap();
            let service = services.iter().find(|of| of["tag_id"] == tag).unwrap();
            let mode = &service[row[1].to_lowercase()];
            let expected = ["cur_call_count", "max_call_count"].map(|name| mode[name].to_string());
            assert_eq!(row[3..5], expected, "{mechanism}: {row:?}");
        }
    }
}

#[test]
fn a_secondary_of_another_kind_receives_until_the_primary_is_back() {
    let yard = Yard::new();
    let (root, own) = certificates();
    let nginx = Nginx::start(yard.dir(), Some(&own)).unwrap();
    let tftpd = Tftpd::start(yard.dir(), &["--create"]).unwrap();
    let door = Door::before(nginx.port).unwrap();
    let post = format!("method = \"post\"\n{}", yard.trusting(&root));
    let address = format!("\"{}\"", tftpd.address.ip());
    let tftp = Yard::receiver("secondary", "tftp", tftpd.address.port(), "");
    let receivers = Yard::receiver("primary", "https", door.port, &post)
        + &tftp.replace("\"127.0.0.1\"", &address);
    let mut gateway = open("", &[plain(1, "posted/%epochtime%.csv", &receivers)]);
    // A directory of that name is there, as TFTP makes none.
    let there = tftpd.home().join("posted");
    fs::create_dir(&there).unwrap();
    fs::set_permissions(&there, Permissions::from_mode(0o777)).unwrap();

    send(&mut gateway, 1);
    wait("the secondary is known to receive", || {
        file(&gateway, 1).on_secondary
    });
    assert_eq!(created(&files(&there)), [1]);
    assert!(primary_says(&gateway, 1).is_some());
    assert!(!file(&gateway, 1).failing);
    let line = format!("Secondary: {} using TFTP", tftpd.address.ip());
    let shows = shown(&gateway, "show bulkstats");
    assert!(shows.contains(&line), "{shows}");

    door.set_open(true);
    send(&mut gateway, 2);
    wait("the primary is known to receive", || {
        !file(&gateway, 1).on_secondary
    });
    assert_eq!(primary_says(&gateway, 1), None);
    let posted = nginx.posted().unwrap();
    let kept = kept(&gateway);
    let (_, second) = kept.iter().max().unwrap();
    assert!(posted.contains(second), "{} came", posted.len());

    door.set_open(false);
    send(&mut gateway, 3);
    wait("the secondary receives again", || {
        file(&gateway, 1).on_secondary
    });
    assert_eq!(created(&files(&there)), [1, 3]);
}

/// By FTP and HTTP: whoever refuses, is slow, ends connections in their middle or has no room gets all in the end, in order.
#[test]
fn whatever_a_receiver_does_all_arrives_once_and_in_order() {
    let yard = Yard::new();
    let ftp = Vsftpd::start(yard.dir(), None).unwrap();
    let http = Nginx::start(yard.dir(), None).unwrap();
    let valves = [ftp.port, http.port].map(|port| Valve::start(port).unwrap());
    let login = yard.login();
    let blocks = [
        plain(
            1,
            "%epochtime%.csv",
            &Yard::receiver("primary", "ftp", valves[0].port, &login),
        ),
        plain(
            2,
            "open/in/%epochtime%.csv",
            &Yard::receiver("primary", "http", valves[1].port, ""),
        ),
    ];
    let mut gateway = open("", &blocks);
    let mut samples = 0;
    for flow in [Flow::Refused, Flow::Cut(7), Flow::Cut(60), Flow::Slow] {
        samples += 1;
        valves.iter().for_each(|valve| valve.set(flow));
        send(&mut gateway, samples);
        if flow != Flow::Slow {
            wait_for_alarm(&gateway, AlarmKind::BulkstatsUndelivered, true);
            wait("both are known to fail", || {
                status(&gateway).files.iter().all(|file| file.failing)
            });
            let outstanding = shown(&gateway, "show alarm outstanding");
            assert!(
                outstanding.contains("no receiver takes bulk statistics"),
                "{outstanding}"
            );
            valves.iter().for_each(|valve| valve.set(Flow::Open));
        }
        deliver(&gateway);
        wait_for_alarm(&gateway, AlarmKind::BulkstatsUndelivered, false);
    }
    let expected: Vec<u32> = (1..=samples).collect();
    for home in [ftp.home(), http.home().join("open/in")] {
        assert_eq!(created(&files(&home)), expected);
    }
    for n in [1, 2] {
        let file = file(&gateway, n);
        assert_eq!((file.transmitted_records, file.discarded_records), (4, 0));
    }
}

/// Whoever shows the certificate of another, by FTPS and by HTTPS, beside a secondary that works and without one.
#[test]
fn whoever_has_another_certificate_is_told_nothing_and_alarmed_until_it_has_its_own() {
    let yard = Yard::new();
    let (root, own) = certificates();
    let (_, stranger) = certificates();
    let ftps = [&own, &stranger].map(|pem| Vsftpd::start(yard.dir(), Some(pem)).unwrap());
    let https = [&own, &stranger].map(|pem| Nginx::start(yard.dir(), Some(pem)).unwrap());
    let doors = [ftps[1].port, https[1].port].map(|port| Door::before(port).unwrap());
    doors.iter().for_each(|door| door.set_open(true));
    let trusting = yard.trusting(&root);
    let secondary = Nginx::start(yard.dir(), None).unwrap();
    let both = Yard::receiver("primary", "https", doors[1].port, &trusting)
        + &Yard::receiver("secondary", "http", secondary.port, "");
    let blocks = [
        plain(
            1,
            "%epochtime%.csv",
            &Yard::receiver("primary", "ftps", doors[0].port, &trusting),
        ),
        plain(2, "open/%epochtime%.csv", &both),
    ];
    let mut gateway = open("", &blocks);
    let strange = Some("the receiver shows a host key or certificate that is not to be believed");
    send(&mut gateway, 1);
    wait("the secondary is known to receive", || {
        file(&gateway, 2).on_secondary
    });
    for n in [1, 2] {
        wait("it is told why", || {
            primary_says(&gateway, n).as_deref() == strange
        });
    }
    wait_for_alarm(&gateway, AlarmKind::BulkstatsHostKey, true);
    wait_for_alarm(&gateway, AlarmKind::BulkstatsUndelivered, true);
    let outstanding = shown(&gateway, "show alarm outstanding");
    assert!(
        outstanding.contains("that is not to be believed"),
        "{outstanding}"
    );
    assert_eq!(created(&files(&secondary.home().join("open"))), [1]);
    assert_eq!(files(&ftps[1].home()), Vec::<PathBuf>::new());
    assert!(!https[1].home().join("open").exists());
    let log = ftps[1].log();
    assert!(
        log.contains("AUTH TLS") && !log.contains("\"USER "),
        "{log}"
    );

    // One of them is mended, then the other.
    doors[0].lead_to(ftps[0].port);
    deliver(&gateway);
    wait_for_alarm(&gateway, AlarmKind::BulkstatsUndelivered, false);
    assert_eq!(created(&files(&ftps[0].home())), [1]);
    let alarms = gateway.snapshot().unwrap().alarms;
    assert!(
        alarms
            .iter()
            .any(|alarm| alarm.kind == AlarmKind::BulkstatsHostKey)
    );
    doors[1].lead_to(https[0].port);
    send(&mut gateway, 2);
    wait_for_alarm(&gateway, AlarmKind::BulkstatsHostKey, false);
    deliver(&gateway);
    assert_eq!(created(&files(&https[0].home().join("open"))), [2]);
    assert_eq!(created(&files(&ftps[0].home())), [1, 2]);
}

/// Rows that fill a disk soon.
fn wide(name: &str) -> String {
    let filling = "x".repeat(900);
    format!("'tollgate-license schema {name} format \"t,%kind%,%tagid%,{filling}\"'")
}

/// Takes away all that is in the directory of a disk.
fn empty(disk: &Path) {
    for entry in fs::read_dir(disk).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

#[test]
fn a_disk_that_is_full_there_and_a_name_that_is_taken_keep_no_file_away() {
    let yard = Yard::new();
    let ftp = Vsftpd::start(yard.dir(), None).unwrap();
    let http = Nginx::start(yard.dir(), None).unwrap();
    let login = yard.login();
    let by_ftp = Yard::receiver("primary", "ftp", ftp.port, &login);
    let by_http = Yard::receiver("primary", "http", http.port, &login);
    // More than a half of the disk.
    let large = [SYSTEM.to_owned(), wide("t"), wide("u"), wide("v")];
    let blocks = [
        block(1, "full/ftp.csv", &large, &by_ftp),
        block(2, "full/http.csv", &large, &by_http),
        plain(3, "ftp.csv", &by_ftp),
        plain(4, "once/http.csv", &by_http),
    ];
    let taken = [
        ftp.home().join("ftp.csv"),
        http.home().join("once/http.csv"),
    ];
    fs::create_dir(http.home().join("once")).unwrap();
    taken
        .iter()
        .for_each(|file| fs::write(file, "another's").unwrap());
    let mut gateway = open("", &blocks);
    send(&mut gateway, 1);
    wait("all arrive", || {
        status(&gateway)
            .files
            .iter()
            .all(|file| file.awaiting_files == 0 && file.last_transfer.is_some())
    });
    for (disk, name) in [(ftp.full(), "ftp.csv"), (http.full(), "http.csv")] {
        assert_eq!(created(&[disk.join(name)]), [1]);
    }
    for file in &taken {
        assert_eq!(fs::read_to_string(file).unwrap(), "another's");
        let beside = file.with_file_name(format!("{}~2.csv", file.file_stem().unwrap().display()));
        assert_eq!(created(&[beside]), [1]);
    }

    send(&mut gateway, 2);
    wait("both have no room", || {
        let files = status(&gateway).files;
        files[..2].iter().all(|file| file.failing)
    });
    wait_for_alarm(&gateway, AlarmKind::BulkstatsUndelivered, true);
    let says = primary_says(&gateway, 2).unwrap();
    assert!(
        says.contains("it refuses to take the file: status 500"),
        "{says}"
    );
    for disk in [ftp.full(), http.full()] {
        empty(&disk);
    }
    deliver(&gateway);
    wait_for_alarm(&gateway, AlarmKind::BulkstatsUndelivered, false);
    for (disk, name) in [(ftp.full(), "ftp~2.csv"), (http.full(), "http~2.csv")] {
        assert_eq!(created(&[disk.join(name)]), [2]);
    }
}

#[test]
fn what_is_too_much_is_dropped_oldest_first_counted_and_alarmed_until_it_is_not() {
    let yard = Yard::new();
    let http = Nginx::start(yard.dir(), None).unwrap();
    let door = Door::before(http.port).unwrap();
    let mut schemas = vec![SYSTEM.to_owned()];
    schemas.extend((0..10).map(|n| wide(&format!("t{n}"))));
    let to = Yard::receiver("primary", "http", door.port, "");
    let mut gateway = open(
        "limit_mib = 1",
        &[block(1, "open/in/%epochtime%.csv", &schemas, &to)],
    );
    // Seven of them are not too much.
    let sent = 10;
    for caller in 1..=sent {
        send(&mut gateway, caller);
        wait("the file is complete", || {
            let file = file(&gateway, 1);
            let each = file.collected_records / u64::from(caller);
            file.awaiting_files * each == file.awaiting_records
        });
    }
    wait_for_alarm(&gateway, AlarmKind::BulkstatsDiscarding, true);
    assert!(status(&gateway).discarding);
    let outstanding = shown(&gateway, "show alarm outstanding");
    let line = "too much waits, and old bulk statistics are dropped";
    assert!(outstanding.contains(line), "{outstanding}");
    let discarded = file(&gateway, 1).discarded_records;

    door.set_open(true);
    deliver(&gateway);
    wait_for_alarm(&gateway, AlarmKind::BulkstatsDiscarding, false);
    assert!(!status(&gateway).discarding);
    let there = files(&http.home().join("open/in"));
    let mut arrived = created(&there);
    // Several may have the same time, and a later one the name of one that was dropped.
    arrived.sort_unstable();
    let dropped = sent - arrived.len() as u32;
    assert!(dropped >= 3, "{arrived:?}");
    // The oldest of all may have been on its way when it was to go, and the next went.
    let newest: Vec<u32> = (dropped + 2..=sent).collect();
    assert_eq!(arrived[1..], newest, "{arrived:?}");
    let file = file(&gateway, 1);
    let records = rows(&there).len() - 2 * there.len();
    assert_eq!(file.transmitted_records, records as u64);
    let each = file.transmitted_records / arrived.len() as u64;
    let expected = each * u64::from(dropped);
    assert_eq!((discarded, file.discarded_records), (expected, expected));
}

/// Most memory that a process has had, in kibibytes.
fn memory_kib(gateway: &Gateway) -> u64 {
    let pid = gateway.node().unwrap().process().pid();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// As after a month of quarters of an hour in three files, in which nobody was there.
#[test]
fn ten_thousand_files_wait_on_a_disk_and_go_in_order() {
    const FILES: usize = 10_000;
    let yard = Yard::new();
    let http = Nginx::start(yard.dir(), None).unwrap();
    let site = Site::new().unwrap();
    let pending = site.configuration().state_dir.join("bulkstats/pending");
    fs::create_dir_all(&pending).unwrap();
    let text = |n| format!("H,gw1\nc,{n},0,0\nEndOfFile\n");
    for n in 0..FILES {
        let stored = Stored {
            place: Place::Pending,
            file: 1,
            seq: n as u64 + 1,
            minute: 29_000_000 + n as i64,
            records: 1,
            name: format!("open/in/{n:05}.csv"),
        };
        fs::write(pending.join(stored.local_name()), text(n)).unwrap();
    }
    let to = Yard::receiver("primary", "http", http.port, "");
    let gateway = open_at(site, "", &[plain(1, "%epochtime%.csv", &to)]);
    let there = http.home().join("open/in");
    // Each is an exchange with a real server, on a machine that may be busy.
    let last = there.join(format!("{:05}.csv", FILES - 1));
    until("the last arrives", 4 * LIMIT, || Ok(last.exists())).unwrap();
    wait("all are known to have arrived", || {
        file(&gateway, 1).transmitted_records == FILES as u64
    });
    let memory_kib = memory_kib(&gateway);
    assert!(memory_kib < 96 << 10, "{memory_kib} KiB");

    let mut put = Vec::new();
    until("all are logged", LIMIT, || {
        let log = http.log();
        let names = log
            .lines()
            .filter_map(|line| line.split("PUT /open/in/").nth(1));
        put = names
            .map(|name| name[..5].parse().unwrap())
            .collect::<Vec<usize>>();
        Ok(put.len() >= FILES)
    })
    .unwrap();
    assert_eq!(put, (0..FILES).collect::<Vec<_>>());
    for n in 0..FILES {
        let octets = fs::read(there.join(format!("{n:05}.csv"))).unwrap();
        assert_eq!(octets, text(n).as_bytes());
    }
}
