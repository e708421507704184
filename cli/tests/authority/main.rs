//! A license authority and a node as processes, administered by the command line alone: set-up, licenses, a token, a
//! registration, and what both then show.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod reports;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

/// What is waited for takes far less; the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(120);
const PASSWORD: &str = "analytical engine";

/// A process that ends with this.
struct Process(Child);

impl Process {
    /// Starts it, and reads its lines until one holds this; `tollgate` ends with its standard input.
    fn start(arguments: &[&str], until: &str) -> (Self, Vec<String>) {
        let child = tollgate()
            .args(arguments)
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut process = Self(child.unwrap());
        let mut lines = Vec::new();
        let mut said = BufReader::new(process.0.stdout.take().unwrap()).lines();
        for line in said.by_ref() {
            lines.push(line.unwrap());
            if lines.last().is_some_and(|line| line.contains(until)) {
                // The rest is read so that the process does not wait for a reader.
                std::thread::spawn(move || said.for_each(drop));
                return (process, lines);
            }
        }
        panic!("it ended early: {lines:?}");
    }

    fn ends_by(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn tollgate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    for name in [
        "HOME",
        "TOLLGATE_ADMIN_TOKEN",
        "TOLLGATE_SOCKET",
        "TOLLGATE_LOG",
    ] {
        command.env_remove(name);
    }
    command
}

/// An authority, and a folder for all that belongs to it and to its administrator.
struct Office {
    dir: tempfile::TempDir,
    process: Option<Process>,
    url: String,
    /// What it said at its start.
    said: Vec<String>,
}

impl Office {
    fn open() -> Self {
        let mut office = Self {
            dir: tempfile::tempdir().unwrap(),
            process: None,
            url: String::new(),
            said: Vec::new(),
        };
        office.begin("127.0.0.1:0", "tollgate authority admin set-up");
        office
    }

    fn begin(&mut self, listen: &str, until: &str) {
        let state = self.path("authority");
        let arguments = ["authority", "--state-dir", &state, "--listen", listen];
        let (process, said) = Process::start(&arguments, until);
        let (_, url) = said[0].split_once("listens on ").unwrap();
        self.url = url.to_owned();
        self.process = Some(process);
        self.said = said;
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn said(&self, label: &str) -> &str {
        let line = self
            .said
            .iter()
            .find_map(|line| line.trim().strip_prefix(label));
        line.unwrap().trim()
    }

    fn admin(&self, words: &str) -> Output {
        self.answering(words, "")
    }

    /// A command, with this on its standard input.
    fn answering(&self, words: &str, input: &str) -> Output {
        let mut child = tollgate()
            .args(["authority", "admin", "--dir", &self.path("admin")])
            .args(words.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What a command that is done prints.
    fn done(&self, words: &str) -> String {
        let output = self.admin(words);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command that is not done complains.
    fn refused(&self, words: &str) -> String {
        let output = self.admin(words);
        assert_eq!(output.status.code(), Some(1), "{words}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Trusted, set up, and its first administrator logged in.
    fn set_up() -> Self {
        let office = Self::open();
        let (root, url) = (office.path("authority/pki/root.pem"), &office.url);
        let said = office.done(&format!("trust {root} --authority {url}"));
        let fingerprint = office.said("Its SHA-256");
        assert_eq!(
            said,
            format!("this root is trusted; its SHA-256 is {fingerprint}\n")
        );
        let secret = office.file("secret", office.said("Set-up secret"));
        let password = office.file("password", PASSWORD);
        let said = office.done(&format!(
            "set-up --domain example.org --name Example --user ada --secret-file {secret} --password-file {password}"
        ));
        assert!(
            said.starts_with(
                "the Smart Account example.org is made; ada administers it\nlogged in as ada until "
            ),
            "{said}"
        );
        office
    }
}

/// A node on an address of its own that trusts this authority.
struct Node {
    _process: Process,
    listen: SocketAddr,
    socket: PathBuf,
}

impl Node {
    fn start(office: &Office) -> Self {
        let (state, socket) = (office.path("state"), office.path("control.sock"));
        let (url, root) = (&office.url, office.path("authority/pki/root.pem"));
        let text = format!(
            "[node]\nname = \"gw1\"\nstate_dir = \"{state}\"\n[control]\nsocket = \"{socket}\"\n\
             [gn]\nlisten = \"127.0.47.1:0\"\nrecount_interval_s = 1\n\
             [[pool]]\nname = \"mobiles\"\nipv4 = [\"10.0.0.0/16\"]\n\
             [[apn]]\nname = \"internet\"\nservice = \"GGSN\"\npool = \"mobiles\"\n\
             [agent]\nauthority = \"{url}\"\ntrust_pool = \"{root}\"\nreport_usage_s = 1\n"
        );
        let config = office.file("gateway.toml", &text);
        let (process, said) = Process::start(&["node", "--config", &config], "tollgate ready");
        let (_, listen) = said.last().unwrap().split_once(", gn ").unwrap();
        let (listen, _) = listen.split_once(',').unwrap();
        let listen = listen.parse().unwrap();
        Self {
            _process: process,
            listen,
            socket: socket.into(),
        }
    }

    fn done(&self, words: &str) -> String {
        let output = tollgate()
            .args(words.split(' '))
            .arg("--socket")
            .arg(&self.socket)
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{words}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn a_newcomer_sets_up_an_authority_and_registers_a_node() {
    let office = Office::set_up();
    assert_eq!(
        office.done("licenses add GGSN 3"),
        "3 of GGSN are entered\n"
    );
    let token = office.path("node.token");
    assert_eq!(
        office.done(&format!("tokens create --out {token}")),
        format!("token 1 is in {token}\n")
    );
    let mode = std::fs::metadata(&token).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let node = Node::start(&office);
    node.done("license smart enable");
    node.done(&format!(
        "license smart register idtoken --token-file {token}"
    ));
    let status = node.done("show license status");
    for part in [
        "\n  Status: REGISTERED\n",
        "\n  Smart Account: example.org\n",
        "\n  Virtual Account: Default\n",
    ] {
        assert!(status.contains(part), "{status}");
    }
    let usage = node.done("show license usage");
    assert!(usage.contains("No licenses in use"), "{usage}");

    // Calls take a license of the pool.
    let load = tollgate()
        .args(["load", "--rate", "50", "--calls", "5", "--hold", "5m"])
        .args([
            "--local",
            "127.0.47.2",
            "--target",
            &node.listen.to_string(),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _load = Process(load.unwrap());
    let end = Instant::now() + DEADLINE;
    let mut usage = String::new();
    while !usage.contains("  Granted: 1\n") {
        assert!(Instant::now() < end, "{usage}");
        usage = node.done("show license usage");
    }
    assert!(usage.contains("\nGGSN (") && usage.contains("  Count: 1\n"));
    assert_eq!(
        office.done("licenses list --format csv"),
        "license,virtualAccount,quantity,inUse,granted,needed,status\r\n\
         GGSN,Default,3,1,1,0,In Compliance\r\n"
    );

    let instances = office.done("instances list --format csv");
    let (head, row) = instances.split_once("\r\n").unwrap();
    assert_eq!(
        head,
        "productInstanceIdentifier,virtualAccount,status,lastContactDate,displayName,orders.issuedSerial,orders.appliedSerial"
    );
    let cells: Vec<&str> = row.split(',').collect();
    assert_eq!(cells[1..3], ["Default", "ACTIVE"]);
    let shown = office.done(&format!("instances show {}", cells[0]));
    assert!(shown.contains(cells[0]), "{shown}");
    let shown = office.done(&format!("instances show {} --format csv", cells[0]));
    let (keys, values) = shown.trim_end().split_once("\r\n").unwrap();
    assert!(keys.split(',').any(|key| key == "displayName"), "{shown}");
    assert!(
        values.contains(cells[0]) && !values.contains('\n'),
        "{shown}"
    );
    let catalog = office.dir.path().join("catalog.toml");
    let order = format!("orders issue catalog --file {}", catalog.display());
    let said = office.refused(&order);
    assert!(said.contains("the catalog can't be read: "), "{said}");
    std::fs::write(&catalog, "[[product]]").unwrap();
    let said = office.refused(&order);
    assert!(said.contains("the catalog is refused: line 1: "), "{said}");
    let staros = licensing::Catalog::staros_text();
    let unsold = "regid.2017-11.com.cisco.ASR5K-00-EG01RX,1.0_b7f0b7d1-0d68-4223-abb1-381c3ac968ec";
    std::fs::write(
        &catalog,
        staros.replace("ASR5K-00-EG01RS,", "ASR5K-00-EG01RX,"),
    )
    .unwrap();
    let said = office.refused(&order);
    let expected = format!("the catalog has the tag {unsold}, which is not licensed here");
    assert!(said.contains(&expected), "{said}");
    std::fs::write(&catalog, staros).unwrap();
    let said = office.done(&order);
    assert!(
        said.contains("the order about the catalog is issued"),
        "{said}"
    );
    let orders = office.done("orders list --format csv");
    let row = orders.lines().nth(1).unwrap();
    assert!(row.starts_with("1,ACTIVE,,CATALOG,,"), "{row}");

    let tokens = office.done("tokens list --format csv");
    assert!(tokens.contains("\r\n1,USED_UP,1,1,"), "{tokens}");

    // It asks before it removes; then the node's licenses are back, and it is gone from the list.
    let remove = format!("instances remove {}", cells[0]);
    let kept = office.answering(&remove, "no\n");
    assert_eq!(kept.status.code(), Some(1));
    let said = String::from_utf8(kept.stderr).unwrap();
    assert!(said.contains("not confirmed, nothing is deleted"), "{said}");
    assert!(office.done("instances list").contains(cells[0]));
    assert!(office.answering(&remove, "yes\n").status.success());
    assert!(!office.done("instances list").contains(cells[0]));
}

#[test]
fn accounts_users_pools_logs_and_reports_are_administered() {
    let office = Office::set_up();
    office.done("licenses add PGW 10");
    office.done("licenses add GRE 1 --ends 2099-12-31T00:00:00Z");
    office.done("virtual-accounts add Lab --description tests");
    office.done("licenses transfer PGW 4 --to Lab");
    assert_eq!(
        office.done("licenses list --format csv"),
        "license,virtualAccount,quantity,inUse,granted,needed,status\r\n\
         PGW,Default,6,0,0,0,In Compliance\r\n\
         GRE,Default,1,0,0,0,In Compliance\r\n\
         PGW,Lab,4,0,0,0,In Compliance\r\n"
    );
    assert_eq!(
        office.done("licenses list --virtual-account Lab"),
        "License  Virtual account  Owned  In use  Granted  Needed  Status\n\
         -------  ---------------  -----  ------  -------  ------  -------------\n\
         PGW      Lab              4      0       0        0       In Compliance\n"
    );
    let report = office.done("report licenses");
    assert_eq!(report.lines().count(), 4, "{report}");
    let report = office.done("report licenses --format json");
    let rows: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(rows["complete"], true);
    assert_eq!(rows["rows"][2]["quantity"], 4);
    assert_eq!(
        office.done("report licenses --format table"),
        office.done("licenses list")
    );
    let moved = office.done("transfers --format csv");
    let (head, row) = moved.split_once("\r\n").unwrap();
    assert_eq!(head, "at,who,kind,from,to,quantity,object");
    assert!(
        row.ends_with("Z,ada,LICENSES,Default,Lab,4,PGW\r\n"),
        "{row}"
    );
    let report = office.done("report transfers");
    assert!(
        report.contains("LICENSES,PGW,4,Default,Lab\r\n"),
        "{report}"
    );
    let report = office.done("report audit --format table");
    assert!(report.contains("\n------"), "{report}");
    assert!(
        report.trim_end().ends_with('}') && report.contains("  set-up  "),
        "{report}"
    );
    assert!(
        office
            .done("report usage --format table")
            .ends_with("(none)\n")
    );
    office.done("virtual-accounts edit Lab --to Annex");
    assert_eq!(
        office.done("virtual-accounts list --format csv"),
        "name,isDefault,description\r\nDefault,true,takes new licenses and instances\r\nAnnex,false,tests\r\n"
    );
    office.done("virtual-accounts edit Annex --to Lab");

    let password = office.path("password");
    office.done(&format!(
        "users add bob virtual-account-user --virtual-account Lab --password-file {password}"
    ));
    assert_eq!(
        office.done("users list --virtual-account Lab --format csv"),
        "name,role,virtualAccount,disabled\r\nbob,VIRTUAL_ACCOUNT_USER,Lab,false\r\n"
    );
    let audit = office.done("audit --format json");
    let audit: serde_json::Value = serde_json::from_str(&audit).unwrap();
    let actions: Vec<&str> = audit
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["action"].as_str())
        .collect();
    assert_eq!(actions.last(), Some(&"set-up"));
    assert!(!audit.to_string().contains(PASSWORD));
    assert!(office.done("alerts").ends_with("(none)\n"));

    // A script has a token of its own, which outlives the session.
    let robot = office.path("robot");
    office.done(&format!("api-tokens create robot --out {robot}"));
    assert_eq!(office.done("logout"), "logged out\n");
    assert!(
        office
            .refused("users list")
            .contains("you are not logged in")
    );
    let listed = office.done(&format!("users list --token-file {robot}"));
    assert!(listed.contains("bob"), "{listed}");

    // Bob may look, and no more; while he is disabled, not even that.
    let robots = |words: &str| format!("{words} --virtual-account Lab --token-file {robot}");
    office.done(&robots("users disable bob"));
    let listed = office.done(&robots("users list --format csv"));
    assert!(
        listed.ends_with("bob,VIRTUAL_ACCOUNT_USER,Lab,true\r\n"),
        "{listed}"
    );
    let login = format!("login --user bob --password-file {password}");
    let said = office.refused(&login);
    assert!(
        said.starts_with("Failure: the user or the password is wrong"),
        "{said}"
    );
    office.done(&robots("users enable bob"));
    office.done(&login);
    let said = office.refused("licenses add PGW 1 --virtual-account Lab");
    assert!(
        said.contains("your roles don't allow this in this virtual account"),
        "{said}"
    );
}

#[test]
fn whoever_is_not_trusted_or_not_known_is_told_and_gets_no_secret() {
    let mut office = Office::set_up();
    let said = office.refused("licenses add NOPE 1");
    assert!(
        said.starts_with("Failure: there is no license \"NOPE\" in the catalog ("),
        "{said}"
    );
    // Not to be written over, it may be the one token that somebody has.
    let token = office.file("node.token", "precious");
    let said = office.refused(&format!("tokens create --out {token}"));
    assert!(said.contains("it can't be written"), "{said}");
    assert_eq!(std::fs::read_to_string(&token).unwrap(), "precious");
    assert!(office.done("tokens list").ends_with("(none)\n"));

    let wrong = office.file("wrong", "not the password");
    let said = office.refused(&format!("login --user ada --password-file {wrong}"));
    assert!(said.starts_with("Failure: "), "{said}");
    assert!(!said.contains("not the password"), "{said}");

    let other = Office::open();
    let stranger = other.path("authority/pki/root.pem");
    let said = office.refused(&format!("users list --root {stranger}"));
    assert!(
        said.contains("the license authority is not trusted"),
        "{said}"
    );
    let said = office.refused("users list --authority http://localhost:1");
    assert!(
        said.contains("this is no address of a license authority"),
        "{said}"
    );

    // It ends by Ctrl-C, begins again where it was, and shows no secret any more.
    let process = office.process.take().unwrap();
    assert_eq!(process.ends_by(Signal::INT), Some(0));
    assert!(office.refused("users list").contains("can't be reached"));
    let listen = office.url.trim_start_matches("https://").to_owned();
    office.begin(&listen, "Its SHA-256");
    assert!(office.done("users list").contains("ada"));
}

#[test]
fn whoever_answers_a_prompt_at_once_is_heard_and_not_shown() {
    let office = Office::set_up();
    let terminal = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let stdin = rustix::fs::open(&name, flags, Mode::empty()).unwrap();
    let child = tollgate()
        .args(["authority", "admin", "--dir", &office.path("admin")])
        .args(["login", "--user", "ada"])
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut process = Process(child.unwrap());
    let mut said = process.0.stderr.take().unwrap();
    let mut prompt = [0; "Password: ".len()];
    said.read_exact(&mut prompt).unwrap();
    assert_eq!(&prompt, b"Password: ");
    let shows = || {
        let modes = tcgetattr(&terminal).unwrap().local_modes;
        modes.contains(LocalModes::ECHO)
    };
    assert!(!shows());
    (&terminal)
        .write_all(format!("{PASSWORD}\n").as_bytes())
        .unwrap();
    assert!(process.0.wait().unwrap().success());
    assert!(shows());
}

#[test]
fn a_shell_completes_every_word() {
    for shell in ["bash", "zsh", "fish"] {
        let output = tollgate().args(["completion", shell]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = String::from_utf8(output.stdout).unwrap();
        for word in [
            "virtual-accounts",
            "api-tokens",
            "--noconfirm",
            "enforcement",
        ] {
            let word = if shell == "fish" {
                word.trim_start_matches("--")
            } else {
                word
            };
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
