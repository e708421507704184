//! The binary: exit codes, what goes to which stream, and what it asks over the control socket.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod states;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

use api::{AgentView, ClearWhom, Failure, LicenseCommand, Preview, Reply, Request};
use rustix::process::{Pid, Signal, kill_process};

/// A node that answers these, one connection each, and tells what it was asked.
struct FakeNode {
    _directory: tempfile::TempDir,
    socket: PathBuf,
    asked: JoinHandle<Vec<Request>>,
}

fn fake_node(answers: Vec<(u16, String)>) -> FakeNode {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("control.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let asked = std::thread::spawn(move || {
        answers
            .into_iter()
            .map(|(status, body)| answer(&listener, status, &body))
            .collect()
    });
    FakeNode {
        _directory: directory,
        socket,
        asked,
    }
}

fn answer(listener: &UnixListener, status: u16, body: &str) -> Request {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    assert_eq!(first.trim_end(), "POST /v1/request HTTP/1.1");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut asked = vec![0; length];
    reader.read_exact(&mut asked).unwrap();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    serde_json::from_slice(&asked).unwrap()
}

fn reply(reply: &Reply) -> (u16, String) {
    (200, serde_json::to_string(reply).unwrap())
}

fn snapshot(name: &str) -> Reply {
    let (_, view) = states::all().into_iter().find(|(n, _)| *n == name).unwrap();
    Reply::Snapshot {
        snapshot: Box::new(view.snapshot),
        age_ms: 0,
        stalled: false,
    }
}

fn tollgate(words: &str, socket: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command
        .args(words.split_whitespace())
        .env_remove("TOLLGATE_SOCKET");
    if let Some(socket) = socket {
        command.env("TOLLGATE_SOCKET", socket);
    }
    command.output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn show_asks_for_a_snapshot_and_prints_it() {
    let node = fake_node(vec![reply(&snapshot("evaluation-at-limit"))]);
    let output = tollgate("show license enforcement status", Some(&node.socket));
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("! GGSN  ALLOW-AT-LIMIT 10000"));
    assert_eq!(err(&output), "");
    assert_eq!(node.asked.join().unwrap(), [Request::Snapshot]);
}

#[test]
fn words_may_be_shortened_and_the_option_names_the_socket() {
    let node = fake_node(vec![reply(&snapshot("registered"))]);
    let words = format!(
        "sh lic enf stat bl s --json --socket {}",
        node.socket.display()
    );
    let output = tollgate(&words, Some(Path::new("/nonexistent")));
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = json["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["GGSN", "ePDG"]);
    assert_eq!(json["features"].as_array().unwrap().len(), 0);
}

#[test]
fn history_and_sessions_are_asked_for_where_they_are_shown() {
    let history = Reply::History { refusals: vec![] };
    let node = fake_node(vec![reply(&history), reply(&snapshot("evaluation"))]);
    let output = tollgate(
        "show license enforcement history --limit 3",
        Some(&node.socket),
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(
        node.asked.join().unwrap(),
        [Request::History { limit: 3 }, Request::Snapshot]
    );

    let sessions = Reply::Sessions {
        sessions: Box::default(),
    };
    let node = fake_node(vec![reply(&sessions), reply(&snapshot("evaluation"))]);
    let output = tollgate("show session summary", Some(&node.socket));
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(
        node.asked.join().unwrap(),
        [Request::Sessions, Request::Snapshot]
    );

    let peers = Reply::Peers {
        peers: api::PeerList::default(),
    };
    let node = fake_node(vec![reply(&peers), reply(&snapshot("evaluation"))]);
    let output = tollgate(
        "sh gtpc peers --offset 40 --limit 10000 --json",
        Some(&node.socket),
    );
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let asked = Request::Peers {
        offset: 40,
        limit: 10_000,
    };
    assert_eq!(node.asked.join().unwrap(), [asked, Request::Snapshot]);
    let output = tollgate("show gtpc peers --limit 10001", Some(&node.socket));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_the_agent_shows_is_asked_for_at_once_with_the_snapshot() {
    let Reply::Snapshot { snapshot, .. } = snapshot("registered") else {
        unreachable!();
    };
    let agent = Reply::Agent {
        snapshot,
        age_ms: 0,
        stalled: false,
        agent: Box::new(AgentView::default()),
    };
    let node = fake_node(vec![reply(&agent)]);
    let output = tollgate("sh lic status --json", Some(&node.socket));
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["registration"], "unregistered");
    assert_eq!(json["smart"]["mode"], "REGISTERED");
    assert_eq!(node.asked.join().unwrap(), [Request::Agent]);
}

fn register(idtoken: &str, force: bool) -> Request {
    let idtoken = idtoken.to_owned();
    Request::License(LicenseCommand::Register { idtoken, force })
}

#[test]
fn a_token_comes_by_the_command_line_by_a_file_or_by_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "ZmlsZQ==\n").unwrap();
    let by_file = format!("idtoken --token-file {}", file.display());
    let cases = [
        ("idtoken dHlwZWQ=".to_owned(), register("dHlwZWQ=", false)),
        (
            "idtoken dHlwZWQ= force".to_owned(),
            register("dHlwZWQ=", true),
        ),
        ("idtoken - force".to_owned(), register("aW5wdXQ=", true)),
        (by_file.clone(), register("ZmlsZQ==", false)),
        (format!("{by_file} force"), register("ZmlsZQ==", true)),
    ];
    for (words, asked) in cases {
        let node = fake_node(vec![reply(&Reply::Done { changed: true })]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["license", "smart", "register"])
            .args(words.split(' '))
            .env("TOLLGATE_SOCKET", &node.socket)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Only one of them reads it.
        let _unread = child.stdin.take().unwrap().write_all(b"aW5wdXQ=\n");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words}");
        assert_eq!(
            out(&output),
            "this node is registered; see show license status\n"
        );
        assert_eq!(node.asked.join().unwrap(), [asked], "{words}");
    }
    for words in [format!("{by_file} dHlwZWQ="), "idtoken".to_owned()] {
        let output = tollgate(&format!("license smart register {words}"), None);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(
            err(&output),
            "Failure: one token is wanted: typed, by standard input or by a file (license smart register): idtoken -, or idtoken --token-file FILE\n"
        );
    }
}

#[test]
fn a_token_that_is_refused_is_not_repeated() {
    let failure = Failure::new(
        "the registration token has expired; nothing has changed",
        "license smart register",
        "make another one at the license authority",
    );
    let node = fake_node(vec![(409, serde_json::to_string(&failure).unwrap())]);
    let output = tollgate(
        "license smart register idtoken c2VjcmV0c2VjcmV0",
        Some(&node.socket),
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        err(&output),
        "Failure: the registration token has expired; nothing has changed (license smart register): make another one at the license authority\n"
    );
}

#[test]
fn changes_are_asked_for_and_told() {
    let cases = [
        (
            "license smart enable",
            Request::SmartLicensing { enable: true },
            "smart licensing is enabled\n",
        ),
        (
            "no license smart enable",
            Request::SmartLicensing { enable: false },
            "smart licensing is disabled; the last verdicts are kept\n",
        ),
        (
            "license smart renew id",
            Request::License(LicenseCommand::RenewId),
            "the identity certificate is renewed\n",
        ),
        (
            "license smart renew auth",
            Request::License(LicenseCommand::RenewAuth),
            "the authorization is renewed\n",
        ),
        (
            "license smart deregister",
            Request::License(LicenseCommand::Deregister),
            "this node is not registered any more; what is left of its evaluation runs\n",
        ),
        (
            "feature GRE enable",
            Request::Feature {
                name: "GRE".into(),
                enable: true,
            },
            "feature GRE is enabled\n",
        ),
        (
            "no feature GRE enable",
            Request::Feature {
                name: "GRE".into(),
                enable: false,
            },
            "feature GRE is disabled\n",
        ),
        (
            "lab speedup 86400",
            Request::LabSpeedup { speedup: 86_400 },
            "the license clock of this LAB node runs at x86400\n",
        ),
    ];
    for (words, request, said) in cases {
        // What would refuse calls is looked at first.
        let preview = words.parse().ok().map(|of| Request::Preview { of });
        let nothing = Reply::Preview {
            preview: Preview::default(),
        };
        let done = Reply::Done { changed: true };
        let replies = preview.iter().map(|_| reply(&nothing));
        let node = fake_node(replies.chain([reply(&done)]).collect());
        let output = tollgate(words, Some(&node.socket));
        assert_eq!(output.status.code(), Some(0), "{words}: {}", err(&output));
        assert_eq!(out(&output), said);
        let asked: Vec<Request> = preview.into_iter().chain([request]).collect();
        assert_eq!(node.asked.join().unwrap(), asked);
    }
}

#[test]
fn what_the_node_refuses_is_one_line_and_exit_code_1() {
    let failure = Failure::new("no such feature: GRX", "name", "show license smart-tags");
    let body = serde_json::to_string(&failure).unwrap();
    let node = fake_node(vec![(404, body)]);
    let output = tollgate("feature GRX enable", Some(&node.socket));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        err(&output),
        "Failure: no such feature: GRX (name): show license smart-tags\n"
    );
    assert_eq!(out(&output), "");
}

#[test]
fn without_a_node_the_failure_says_where_and_what_to_do() {
    let output = tollgate("show license statistics", Some(Path::new("/nonexistent/s")));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        err(&output),
        "Failure: no control socket (/nonexistent/s): is the node running? name its socket with --socket or \
         TOLLGATE_SOCKET\n"
    );

    let directory = tempfile::tempdir().unwrap();
    let dead = directory.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    let output = tollgate("show license statistics", Some(&dead));
    assert_eq!(output.status.code(), Some(1));
    let said = err(&output);
    assert!(
        said.starts_with("Failure: nothing listens on the control socket ("),
        "{said}"
    );
}

#[test]
fn an_answer_of_another_version_is_not_guessed_at() {
    let node = fake_node(vec![(200, r#"{"reply":"snapshot","snapshot":{}}"#.into())]);
    let output = tollgate("show license statistics", Some(&node.socket));
    assert_eq!(output.status.code(), Some(1));
    let said = err(&output);
    assert!(
        said.starts_with("Failure: the answer is not understood"),
        "{said}"
    );
    assert!(
        said.ends_with(": use the tollgate of the node's own version\n"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);

    let node = fake_node(vec![reply(&Reply::Done { changed: true })]);
    let output = tollgate("show license statistics", Some(&node.socket));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_not_understood_is_one_line_and_exit_code_2() {
    let cases = [
        ("shwo", "a similar subcommand exists"),
        ("show license enforcement status purple", "one of allowed"),
        (
            "show license enforcement status allowed blocked",
            "exclude each other",
        ),
        ("show license statistics --jsn", "--json"),
        ("lab speedup 0", "0 is not in 1.."),
        ("feature GRE disable", "enable"),
    ];
    for (words, said) in cases {
        let output = tollgate(words, None);
        let line = err(&output);
        assert_eq!(output.status.code(), Some(2), "{words}: {line}");
        assert!(line.starts_with("Failure: "), "{words}: {line}");
        assert!(line.contains(said), "{words}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert_eq!(out(&output), "");
    }
}

#[test]
fn help_is_asked_for_or_comes_with_exit_code_2() {
    let asked = tollgate("--help", None);
    assert_eq!(asked.status.code(), Some(0));
    assert!(out(&asked).contains("tollgate show license enforcement status"));
    for words in ["", "show", "show license enforcement", "no", "license"] {
        let output = tollgate(words, None);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(err(&output).contains("Usage: tollgate"), "{words}");
    }
}

#[test]
fn every_help_fits_the_screen() {
    let commands = [
        "",
        "show",
        "show license",
        "show license enforcement",
        "show license enforcement policy",
        "show license enforcement status",
        "show license enforcement history",
        "show license statistics",
        "show license eval-period",
        "show license smart-tags",
        "show session summary",
        "show gtpc peers",
        "clear",
        "clear subscribers",
        "clear subscribers peer",
        "license smart enable",
        "no license smart enable",
        "feature",
        "no feature",
        "lab speedup",
        "node",
        "load",
        "demo",
    ];
    for words in commands {
        let output = tollgate(&format!("{words} --help"), None);
        assert_eq!(output.status.code(), Some(0), "{words}");
        for line in out(&output).lines() {
            assert!(line.chars().count() <= 80, "{words}: {line}");
        }
    }
}

#[test]
fn load_without_a_gateway_reports_and_fails() {
    let output = tollgate(
        "load --target 127.82.0.1:9 --calls 3 --rate 100 --t3 50ms --n3 2",
        None,
    );
    assert_eq!(output.status.code(), Some(1));
    let report = out(&output);
    assert!(report.starts_with("Load Report\n"), "{report}");
    let line = report
        .lines()
        .find(|line| line.starts_with("Create "))
        .unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells, ["Create", "3", "0", "0", "3", "0", "3"]);
    let last = err(&output).lines().last().unwrap().to_owned();
    assert!(
        last.starts_with("Failure: 3 requests never answered (127.82.0.1:9): look whether a "),
        "{last}"
    );
}

#[test]
fn load_as_json_is_one_object_and_no_progress() {
    let output = tollgate(
        "load --target 127.82.0.2:9 --calls 1 --t3 50ms --n3 1 --json",
        None,
    );
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["create"]["lost"], 1);
    assert_eq!(err(&output).lines().count(), 1);
}

#[test]
fn what_completes_and_the_manual_page_have_every_word() {
    for shell in ["bash", "zsh", "fish"] {
        let script = out(&tollgate(&format!("completion {shell}"), None));
        for word in [
            "enforcement",
            "tech-support",
            "remaining-sessions",
            "--noconfirm",
        ] {
            let fish = word.trim_start_matches('-');
            assert!(
                script.contains(word) || script.contains(fish),
                "{shell}: {word}"
            );
        }
    }
    let page = out(&tollgate("man", None));
    assert!(page.contains(".TH tollgate 1"), "{page}");
    assert!(page.contains("show license enforcement status"), "{page}");
    let output = tollgate("shell", Some(Path::new("/nonexistent")));
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).starts_with("Failure: no control socket (/nonexistent): "));
}

#[test]
fn load_ends_by_a_signal_with_its_report() {
    let mut load = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args("load --target 127.82.0.3:9 --rate 100 --t3 50ms --n3 1".split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut progress = String::new();
    let mut said = BufReader::new(load.stderr.take().unwrap());
    said.read_line(&mut progress).unwrap();
    assert!(progress.contains("/s up 0"), "{progress}");
    let pid = Pid::from_raw(i32::try_from(load.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let output = load.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{rest}");
    assert!(out(&output).starts_with("Load Report\n"));
}

#[test]
fn a_load_that_cannot_be_made_says_which_number() {
    for (words, said) in [
        (
            "--rate 0",
            "calls_per_s: 0 is not 0.01 to 1000000 (--rate): see tollgate load --help",
        ),
        (
            "--first-imsi abc",
            "first_imsi: \"abc\" is not 6 to 15 digits (--first-imsi): ",
        ),
        ("--apn x=0", "(--apn): see"),
        ("--n3 0", "(--n3): see"),
        ("--t3 0s", "(--t3): see"),
        ("--update-every 0s", "(--update-every): see"),
        ("--window 0", "(--window): see"),
        ("--arp 0", "(--arp): see"),
        ("--evolved-arp 0", "(--evolved-arp): see"),
        ("--subscribers 0", "(--subscribers): see"),
        (
            "--pdns 2",
            "Gn has no such thing; a UE has several on S11 (--pdns): see",
        ),
        (
            "--interface s5 --arp 1",
            "(--arp): give the level, 1 to 15, with --evolved-arp",
        ),
        ("--local 192.0.2.1", "cannot bind 192.0.2.1"),
    ] {
        let output = tollgate(
            &format!("load --target 127.82.0.4:9 --calls 1 {words}"),
            None,
        );
        let tried = words.starts_with("--local");
        let expected = if tried { 1 } else { 2 };
        assert_eq!(output.status.code(), Some(expected), "{words}");
        assert!(err(&output).contains(said), "{words}: {}", err(&output));
    }
    let output = tollgate("load --target 127.82.0.4:9 --ramp 10", None);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("a time such as 250ms"));
}

#[test]
fn a_configuration_is_checked_without_a_node() {
    let directory = tempfile::tempdir().unwrap();
    let good = directory.path().join("good.toml");
    let text = "[node]\nname = \"gw1\"\nstate_dir = \"state\"\n\n[[pool]]\nname = \"p\"\nipv4 = [\"10.0.0.0/24\"]\n\n\
                [[apn]]\nname = \"internet\"\nservice = \"GGSN\"\npool = \"p\"\n";
    std::fs::write(&good, text).unwrap();
    let output = tollgate(&format!("node --config {} --check", good.display()), None);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).ends_with("good.toml is a good configuration\n"));

    let bad = directory.path().join("bad.toml");
    std::fs::write(&bad, text.replace("GGSN", "GGSM")).unwrap();
    let output = tollgate(&format!("node --config {} --check", bad.display()), None);
    assert_eq!(output.status.code(), Some(1));
    let line = err(&output);
    assert!(line.starts_with("Failure: "), "{line}");
    assert!(line.contains("bad.toml:11: apn[0].service: "), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn a_clear_asks_whether_it_is_meant_and_tells_how_many() {
    let cleared = |sessions, clients| reply(&Reply::Cleared { sessions, clients });
    let imsi = ClearWhom::Imsi("240010000000001".into());
    let cases = [
        ("imsi 240010000000001", imsi),
        ("apn internet", ClearWhom::Apn("internet".into())),
        ("peer 10.1.2.3", ClearWhom::Peer([10, 1, 2, 3].into())),
        ("service pgw", ClearWhom::Service("pgw".into())),
        ("all", ClearWhom::All),
    ];
    for (words, whom) in cases {
        let node = fake_node(vec![cleared(37, 0)]);
        let words = format!("clear subscribers {words}");
        let output = answered(&words, &node.socket, "Yes\n");
        let said = "Are you sure ? [Yes | No]: 37 sessions are cleared; each ends with its peer's answer\n";
        assert_eq!(
            (output.status.code(), out(&output).as_str()),
            (Some(0), said)
        );
        let reactivate = false;
        let asked = Request::Clear { whom, reactivate };
        assert_eq!(node.asked.join().unwrap(), [asked]);
    }
    for noconfirm in ["-noconfirm", "--noconfirm"] {
        let node = fake_node(vec![cleared(1, 5)]);
        let words = format!("cl sub all --reactivate {noconfirm}");
        let output = tollgate(&words, Some(&node.socket));
        let said = "1 session is cleared; it ends with its peer's answer\n5 sessions of other processes are theirs to end\n";
        assert_eq!(
            (output.status.code(), out(&output).as_str()),
            (Some(0), said)
        );
        let asked = Request::Clear {
            whom: ClearWhom::All,
            reactivate: true,
        };
        assert_eq!(node.asked.join().unwrap(), [asked]);
    }
}

#[test]
fn a_clear_that_is_not_meant_or_matches_nothing_fails() {
    for said in ["No\n", "\n", "", "yesterday\n"] {
        let words = "clear subscribers all";
        let output = answered(words, Path::new("/nonexistent"), said);
        assert_eq!(output.status.code(), Some(1));
        let expected = "Failure: not confirmed, nothing is cleared (all): answer Yes, or add -noconfirm where nobody is there to answer\n";
        assert_eq!(err(&output), expected);
    }
    for (clients, expected) in [
        (
            0,
            "Failure: no session matches (service MME): see what there is with show session summary; emergency sessions are cleared by imsi and apn alone\n",
        ),
        (
            4,
            "Failure: no session of this node's own matches, 4 sessions of other processes are theirs to end (service MME): end them where they are; show session summary names those clients\n",
        ),
    ] {
        let sessions = 0;
        let node = fake_node(vec![reply(&Reply::Cleared { sessions, clients })]);
        let output = tollgate(
            "clear subscribers service MME -noconfirm",
            Some(&node.socket),
        );
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(err(&output), expected);
        assert_eq!(out(&output), "");
    }
    for words in [
        "clear",
        "clear subscribers",
        "clear subscribers peer here",
        "clear subscribers apn",
    ] {
        let output = tollgate(words, Some(Path::new("/nonexistent")));
        assert_eq!(output.status.code(), Some(2), "{words}");
    }
}

/// With this on standard input.
fn answered(words: &str, socket: &Path, said: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(words.split_whitespace())
        .env("TOLLGATE_SOCKET", socket)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(said.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}
