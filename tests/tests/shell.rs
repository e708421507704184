//! `tollgate shell` before a node: at a terminal as a person has it, at a dumb one, and by a pipe.
#![forbid(unsafe_code)]

use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::gateway::{Gateway, Site};
use tests::terminal::Terminal;
use tests::tollgate::{binary, tollgate};
use tests::wait::eventually;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const EXEC: &str = "[local]gw1# ";
const CONFIG: &str = "[local]gw1(config)# ";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";

/// A lab node with SNMP and bulk statistics.
fn gateway() -> Result<Gateway> {
    let site = Site::new()?;
    let sections = "[snmp]\n[bulkstats]\ncollection = true\nhistorical_days = 1\n[[bulkstats.file]]\nnumber = 1\n\
                    remotefile = \"a.csv\"\n\
                    schemas = ['smart-license schema sl format \"PPM,%epochtime%,%tagid%\"']\n";
    let configuration = site.configuration().with_sessions_per_license(2)?;
    site.open(&configuration.with(sections))
}

fn argv(gateway: &Gateway) -> Result<Vec<String>> {
    let socket = gateway.node()?.control().socket();
    let words = [
        binary()?.as_os_str(),
        "shell".as_ref(),
        "--socket".as_ref(),
        socket.as_os_str(),
    ];
    Ok(words.map(|word| word.to_string_lossy().into_owned()).into())
}

/// At its first prompt.
fn open(gateway: &Gateway, kind: &str, lines: u16) -> Result<Terminal> {
    let mut terminal = Terminal::open(&argv(gateway)?, kind, lines)?;
    terminal.until(EXEC)?;
    Ok(terminal)
}

/// A shell that is given these lines by a pipe: its exit code, and what it printed.
fn piped(gateway: &Gateway, lines: &str) -> Result<(Option<i32>, String)> {
    let mut shell = tollgate(&argv(gateway)?[1..])?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = shell.stdin.take().context("its stdin was piped")?;
    // They fit into the pipe.
    input.write_all(lines.as_bytes())?;
    drop(input);
    let output = shell.wait_with_output()?;
    Ok((output.status.code(), String::from_utf8(output.stdout)?))
}

#[test]
fn every_command_is_done_or_fails_as_it_should() -> Result<()> {
    let gateway = gateway()?;
    let script = include_str!("../shell/every-command");
    let (code, seen) = piped(&gateway, script)?;
    let expected: Vec<&str> = script
        .lines()
        .filter_map(|line| line.strip_prefix("! fails: "))
        .collect();
    let failures: Vec<&str> = seen
        .lines()
        .filter(|line| line.starts_with("Failure:"))
        .collect();
    ensure!(failures.len() == expected.len(), "{failures:#?}");
    for (failure, expected) in failures.iter().zip(expected) {
        ensure!(failure.contains(expected), "{failure}: not {expected}");
    }
    ensure!(code == Some(1), "{seen}");
    // What is typed where it is asked for is not shown.
    ensure!(
        !seen.contains("sesame") && !seen.contains("maplesyrup"),
        "{seen}"
    );
    Ok(())
}

#[test]
fn a_pipe_gets_no_prompt_and_the_worst_exit_code() -> Result<()> {
    let gateway = gateway()?;
    for (lines, code) in [
        ("show version\n", 0),
        ("show version", 0),
        ("", 0),
        ("clear subscribers all -noconfirm\nshow version\n", 1),
        ("show licence\nclear subscribers all -noconfirm\n", 2),
        ("clear subscribers all\nNo\nshow version\n", 1),
        ("exit\nshow licence\n", 0),
    ] {
        let (ended, seen) = piped(&gateway, lines)?;
        ensure!(ended == Some(code), "{lines}: {seen}");
        ensure!(!seen.contains("[local]"), "{seen}");
    }
    let service = "no timestamps\nsh lic enf st serv | grep -i ggsn\n";
    let (_, seen) = piped(&gateway, service)?;
    ensure!(seen.lines().count() == 1 && seen.contains("GGSN"), "{seen}");
    Ok(())
}

#[test]
fn a_pipe_may_end_its_lines_as_telnet_does_and_keeps_what_is_secret() -> Result<()> {
    let gateway = gateway()?;
    let lines =
        "no timestamps\r\nconfigure\r\nsnmp community noc read 1.3.6.1\r\nsesame\r\nend\r\n";
    let (code, seen) = piped(&gateway, lines)?;
    ensure!(
        code == Some(0) && seen.contains("community noc is set"),
        "{seen}"
    );
    ensure!(!seen.contains("sesame"), "{seen}");
    // What Ctrl-C ends is not done, a wrong value is not understood.
    let (code, seen) = piped(&gateway, "clear subscribers all\u{3}show version\n")?;
    ensure!(code == Some(0) && !seen.contains("Are you sure"), "{seen}");
    let (code, seen) = piped(&gateway, "lab speedup 0\n")?;
    ensure!(code == Some(2), "{seen}");
    Ok(())
}

#[test]
fn lines_that_are_pasted_are_done_one_after_the_other() -> Result<()> {
    let gateway = gateway()?;
    let mut terminal = open(&gateway, "xterm", 200)?;
    let many = "show version | count\r".repeat(150);
    terminal.types(&format!(
        "{many}clear subscribers all\rYes\rshow system uptime\r"
    ))?;
    for _ in 0..150 {
        terminal.until("Count: ")?;
    }
    let seen = terminal.until("Failure: no session matches")?;
    ensure!(!seen.contains("Unknown"), "{seen}");
    terminal.until("uptime")?;
    // Nothing follows the prompt, whatever the terminal can do.
    terminal.until(EXEC)?;
    terminal.types("exit\r")?;
    let (seen, code) = terminal.end()?;
    ensure!(code == 0 && seen == "exit\r\n", "{code} {seen:?}");
    Ok(())
}

#[test]
fn a_person_is_helped_by_question_marks_tab_and_abbreviations() -> Result<()> {
    let gateway = gateway()?;
    let mut terminal = open(&gateway, "xterm", 200)?;
    terminal.types("show licen?")?;
    terminal.until("license                  Licensing: registration")?;
    let seen = terminal.until("[local]gw1# show licen")?;
    ensure!(!seen.contains("Failure"), "{seen}");
    terminal.types("se smart-tags ?")?;
    terminal.until("feature ")?;
    terminal.until("<cr>")?;
    terminal.until("[local]gw1# show license smart-tags ")?;
    terminal.types("\r")?;
    terminal.until("ASR5K-00-GN10SESS")?;
    terminal.until(EXEC)?;

    terminal.types("sh\t")?;
    terminal.until("show ")?;
    terminal.types("lic\t")?;
    terminal.until("license ")?;
    terminal.types("s\t")?;
    for candidate in ["smart-tags", "statistics", "status", "summary"] {
        terminal.until(candidate)?;
    }
    terminal.types("tatu\t")?;
    terminal.until("status ")?;
    terminal.types("\r")?;
    terminal.until("Smart Licensing is")?;
    terminal.until(EXEC)?;

    terminal.types("sh lic s\r")?;
    terminal
        .until("Failure: Ambiguous command (s): one of smart-tags, statistics, status, summary")?;
    terminal.until(EXEC)?;
    terminal.types("sh sys up | grep \"up?\"\r")?;
    terminal.until(EXEC)?;
    // What was typed before comes back.
    terminal.types("sh ver\r")?;
    terminal.until("Active Software")?;
    terminal.until(EXEC)?;
    terminal.types("\u{1b}[A")?;
    terminal.until("sh ver")?;
    terminal.types("\r")?;
    terminal.until("Active Software")?;
    terminal.until(EXEC)?;
    terminal.types(CTRL_D)?;
    let (_, code) = terminal.end()?;
    ensure!(code == 0, "{code}");
    Ok(())
}

//= TS 33.117 4.2.3.4.3.4
#[test]
fn configuration_confirmation_secrets_and_ctrl_c_at_a_terminal() -> Result<()> {
    let gateway = gateway()?;
    let mut terminal = open(&gateway, "xterm", 50)?;
    terminal.types("conf\r")?;
    terminal.until(CONFIG)?;
    terminal.types("license smart enable\r")?;
    terminal.until("smart licensing is enabled")?;
    terminal.until(CONFIG)?;
    ensure!(gateway.snapshot()?.smart.enabled);
    terminal.types("do show license enf pol | count\r")?;
    terminal.until("Count: ")?;
    terminal.until(CONFIG)?;
    terminal.types("snmp community noc read 1.3.6.1\r")?;
    terminal.until("Community: ")?;
    terminal.types("sesame\r")?;
    let seen = terminal.until(CONFIG)?;
    ensure!(
        seen.contains("community noc is set") && !seen.contains("sesame"),
        "{seen}"
    );
    // A question that is left is not answered.
    terminal.types("snmp community other read 1.3.6.1\r")?;
    terminal.until("Community: ")?;
    terminal.types(CTRL_C)?;
    terminal.until("Failure: ")?;
    terminal.until(CONFIG)?;
    terminal.types("end\r")?;
    terminal.until(EXEC)?;

    terminal.types("license smart register idtoken -\r")?;
    terminal.until("Secret: ")?;
    terminal.types("tokentoken\r")?;
    let seen = terminal.until(EXEC)?;
    ensure!(
        seen.contains("Failure: ") && !seen.contains("tokentoken"),
        "{seen}"
    );

    let question = "Are you sure ? [Yes | No]: ";
    for answer in ["No\r", CTRL_C] {
        terminal.types("clear subscribers all\r")?;
        terminal.until(question)?;
        terminal.types(answer)?;
        terminal.until("Failure: not confirmed")?;
        terminal.until(EXEC)?;
    }
    terminal.types("clear subscribers all\r")?;
    terminal.until(question)?;
    terminal.types("Yes\r")?;
    terminal.until("Failure: no session matches")?;
    terminal.until(EXEC)?;

    terminal.types("garbage")?;
    terminal.until("garbage")?;
    terminal.types(CTRL_C)?;
    terminal.until(EXEC)?;
    terminal.types("show version\r")?;
    let seen = terminal.until("Active Software")?;
    ensure!(!seen.contains("Failure"), "{seen}");
    terminal.until(EXEC)?;
    terminal.types("exit\r")?;
    let (_, code) = terminal.end()?;
    ensure!(code == 0, "{code}");
    Ok(())
}

#[test]
fn pages_follow_the_size_of_the_terminal() -> Result<()> {
    let gateway = gateway()?;
    let mut terminal = open(&gateway, "xterm", 10)?;
    let long = "show license enforcement policy\r";
    terminal.types(long)?;
    let page = terminal.until("%)---")?;
    let answer = page.split_once('\n').context("the command is shown")?.1;
    // The date line, which is not of the answer's pages, and nine lines.
    ensure!(
        answer
            .lines()
            .filter(|line| !line.contains("---(more"))
            .count()
            == 10,
        "{answer:?}"
    );
    terminal.types("\r")?;
    terminal.until("%)---")?;
    terminal.types("q")?;
    terminal.until(EXEC)?;
    // A line that is being typed stays when the terminal grows.
    terminal.types("show license enf")?;
    terminal.until("enf")?;
    terminal.resize(500)?;
    terminal.types("orcement policy\r")?;
    let whole = terminal.until("[local]gw1# ")?;
    let whole = if whole.contains("Policy") {
        whole
    } else {
        whole + &terminal.until(EXEC)?
    };
    ensure!(
        !whole.contains("---(more") && !whole.contains("Failure"),
        "{whole}"
    );
    terminal.types("show license enforcement policy | more\r")?;
    terminal.until("SaMOG")?;
    terminal.until(EXEC)?;
    terminal.types("terminal length 5\r")?;
    terminal.until(EXEC)?;
    terminal.types(long)?;
    terminal.until("%)---")?;
    terminal.types(CTRL_C)?;
    terminal.until(EXEC)?;
    terminal.types("terminal length 0\r")?;
    terminal.until(EXEC)?;
    terminal.types(long)?;
    let seen = terminal.until("SaMOG")?;
    ensure!(!seen.contains("---(more"), "{seen}");
    Ok(())
}

#[test]
fn ctrl_c_leaves_what_a_command_waits_for_and_not_the_session() -> Result<()> {
    // An authority that takes connections and says nothing.
    let authority = TcpListener::bind("127.0.0.1:0")?;
    authority.set_nonblocking(true)?;
    let site = Site::new()?;
    let port = authority.local_addr()?.port();
    let agent = format!("[agent]\nauthority = \"https://localhost:{port}\"\nconnect_s = 60\n");
    let configuration = site.configuration().with(&agent);
    let gateway = site.open(&configuration)?;
    let mut terminal = open(&gateway, "xterm", 50)?;
    terminal.types("configure\rlicense smart enable\rend\r")?;
    terminal.until("smart licensing is enabled")?;
    terminal.until(EXEC)?;
    terminal.types("license smart register idtoken -\r")?;
    terminal.until("Secret: ")?;
    terminal.types("tokentokentokentoken\r")?;
    let _waits = eventually("the node asks the authority", LIMIT, || {
        Ok(authority.accept().ok())
    })?;
    // What is typed ahead is done after it.
    terminal.types(&format!("show version\r{CTRL_C}"))?;
    terminal.until("Failure: nobody waits for the answer (Ctrl-C): the node goes on with it")?;
    terminal.until("Active Software")?;
    terminal.until(EXEC)?;
    terminal.types("exit\r")?;
    let (_, code) = terminal.end()?;
    ensure!(code == 0, "{code}");
    Ok(())
}

#[test]
fn a_dumb_terminal_has_prompts_and_ctrl_c() -> Result<()> {
    let gateway = gateway()?;
    let mut terminal = open(&gateway, "dumb", 50)?;
    terminal.types("show ver\r")?;
    terminal.until("Active Software")?;
    terminal.until(EXEC)?;
    terminal.types("garbage")?;
    terminal.types(CTRL_C)?;
    let seen = terminal.until(EXEC)?;
    ensure!(!seen.contains("Failure"), "{seen}");
    terminal.types("show li?\r")?;
    terminal.until("license                  Licensing: registration")?;
    terminal.until(EXEC)?;
    terminal.types("conf\r")?;
    terminal.until(CONFIG)?;
    terminal.types(CTRL_D)?;
    let (seen, code) = terminal.end()?;
    ensure!(code == 0 && !seen.contains('\u{1b}'), "{code} {seen:?}");
    Ok(())
}
