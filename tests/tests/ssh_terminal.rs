//! The shell over SSH at a terminal, by OpenSSH's client: names of the node, Ctrl-C, a window that changes, and clients that
//! are cut off.
#![forbid(unsafe_code)]

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tests::gateway::{Gateway, Site};
use tests::ssh::{OpenSsh, done};
use tests::terminal::Terminal;
use tests::wait::eventually;

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const EXEC: &str = "[local]gw1# ";
const CTRL_C: &str = "\u{3}";

/// A node that serves SSH, with an administrator `maja` who has a key.
fn served(sections: &str) -> Result<(Gateway, OpenSsh)> {
    let site = Site::new()?;
    let configuration = site.configuration().with(sections);
    let (gateway, client) = tests::ssh::served(site, &configuration, "")?;
    client.account_with_key(&gateway, "administrator", "maja")?;
    Ok((gateway, client))
}

/// At its first prompt.
fn open(client: &OpenSsh, lines: u16) -> Result<Terminal> {
    let mut terminal = Terminal::open(&client.argv_by_key("maja"), "xterm", lines)?;
    terminal.until(EXEC)?;
    Ok(terminal)
}

/// A node whose authority takes connections and says nothing, so that a registration waits.
fn waiting() -> Result<(Gateway, OpenSsh, TcpListener)> {
    let authority = TcpListener::bind("127.0.0.1:0")?;
    authority.set_nonblocking(true)?;
    let port = authority.local_addr()?.port();
    let agent = format!("[agent]\nauthority = \"https://localhost:{port}\"\nconnect_s = 60\n");
    let (gateway, client) = served(&agent)?;
    done(&gateway, "license smart enable")?;
    Ok((gateway, client, authority))
}

/// Begins to register; the connection on which it waits.
fn register(terminal: &mut Terminal, authority: &TcpListener) -> Result<TcpStream> {
    terminal.types("license smart register idtoken -\r")?;
    terminal.until("Secret: ")?;
    terminal.types("tokentokentokentoken\r")?;
    asked(authority)
}

fn asked(authority: &TcpListener) -> Result<TcpStream> {
    eventually("the node asks the authority", LIMIT, || {
        Ok(authority.accept().ok().map(|(stream, _)| stream))
    })
}

/// Sessions by SSH that have a thread.
fn sessions(gateway: &Gateway) -> Result<u64> {
    let text = done(gateway, "show administrators --json")?;
    let shown: serde_json::Value = serde_json::from_str(&text)?;
    shown["sessions"].as_u64().context(text)
}

fn all_end(gateway: &Gateway) -> Result<()> {
    eventually("the sessions have ended", LIMIT, || {
        Ok((sessions(gateway)? == 0).then_some(()))
    })
}

#[test]
fn names_of_the_node_are_offered_by_tab_and_question_mark() -> Result<()> {
    let (_gateway, client) = served("")?;
    let mut terminal = open(&client, 200)?;
    terminal.types("clear subscribers apn inter\t")?;
    terminal.until("internet ")?;
    terminal.types("\r")?;
    terminal.until("Are you sure ? [Yes | No]: ")?;
    terminal.types("No\r")?;
    terminal.until(EXEC)?;
    terminal.types("clear subscribers apn ?")?;
    let seen = terminal.until("[local]gw1# clear subscribers apn ")?;
    for name in ["blue-light", "internet", "sos"] {
        ensure!(
            seen.contains(&format!("{name:<24} An access point")),
            "{name}: {seen}"
        );
    }
    Ok(())
}

#[test]
fn ctrl_c_leaves_what_a_command_waits_for_and_what_was_typed_ahead_is_done() -> Result<()> {
    let (gateway, client, authority) = waiting()?;
    let mut terminal = open(&client, 50)?;
    let _waits = register(&mut terminal, &authority)?;
    terminal.types(&format!("show version\r{CTRL_C}"))?;
    terminal.until("Failure: nobody waits for the answer (Ctrl-C): the node goes on with it")?;
    terminal.until("Active Software")?;
    terminal.until(EXEC)?;
    // Where nothing waits it ends a line, and the session stays.
    terminal.types(&format!("garbage{CTRL_C}"))?;
    terminal.until(EXEC)?;
    terminal.types("exit\r")?;
    let (_, code) = terminal.end()?;
    assert_eq!(code, 0);
    all_end(&gateway)
}

/// The client tells the new size at the latest behind what is typed next.
fn resize(terminal: &mut Terminal, lines: u16) -> Result<()> {
    terminal.resize(lines)?;
    terminal.types("timestamps\r")?;
    terminal.until(EXEC)?;
    Ok(())
}

#[test]
fn pages_follow_a_window_that_changes_unless_the_length_is_set() -> Result<()> {
    let (_gateway, client) = served("")?;
    let mut terminal = open(&client, 10)?;
    let long = "show license enforcement policy\r";
    terminal.types(long)?;
    let page = terminal.until("%)---")?;
    let answer = page.split_once('\n').context("the command is shown")?.1;
    // The date line, which is not of the answer's pages, and nine lines.
    let lines = answer.lines().filter(|line| !line.contains("---(more"));
    assert_eq!(lines.count(), 10, "{answer:?}");
    terminal.types(CTRL_C)?;
    terminal.until(EXEC)?;
    resize(&mut terminal, 500)?;
    terminal.types(long)?;
    let whole = terminal.until(EXEC)?;
    ensure!(
        whole.contains("SaMOG") && !whole.contains("---(more"),
        "{whole}"
    );
    resize(&mut terminal, 8)?;
    terminal.types(long)?;
    let page = terminal.until("%)---")?;
    let answer = page.split_once('\n').context("the command is shown")?.1;
    let lines = answer.lines().filter(|line| !line.contains("---(more"));
    assert_eq!(lines.count(), 8, "{answer:?}");
    terminal.types("q")?;
    terminal.until(EXEC)?;
    terminal.types("terminal length 0\r")?;
    terminal.until(EXEC)?;
    terminal.types(long)?;
    let whole = terminal.until(EXEC)?;
    ensure!(
        whole.contains("SaMOG") && !whole.contains("---(more"),
        "{whole}"
    );
    Ok(())
}

#[test]
fn a_client_that_is_cut_off_in_the_middle_of_a_command_leaves_no_session() -> Result<()> {
    let (gateway, client, authority) = waiting()?;
    let mut terminal = open(&client, 50)?;
    let _waits = register(&mut terminal, &authority)?;
    assert_eq!(sessions(&gateway)?, 1);
    // What is typed ahead is not done by nobody.
    terminal.types("configure\rfeature GRE enable\r")?;
    drop(terminal);
    all_end(&gateway)?;
    let audit = done(&gateway, "show audit --json")?;
    ensure!(!audit.contains("feature GRE"), "{audit}");

    // At a page, and at a prompt.
    let mut terminal = open(&client, 5)?;
    terminal.types("show license enforcement policy\r")?;
    terminal.until("%)---")?;
    drop(terminal);
    drop(open(&client, 50)?);
    all_end(&gateway)
}

#[test]
fn a_client_that_is_cut_off_with_a_long_pipe_leaves_no_session() -> Result<()> {
    let (gateway, client, authority) = waiting()?;
    let file = gateway.site().dir().join("input");
    let ahead = "feature GRE enable\n".repeat(10_000);
    let lines =
        format!("license smart register idtoken -\ntokentokentokentoken\nconfigure\n{ahead}");
    std::fs::write(&file, lines)?;
    let ssh = client.starts_with("maja", &[], &file)?;
    let _waits = asked(&authority)?;
    assert_eq!(sessions(&gateway)?, 1);
    ssh.kill()?;
    // Long before the registration is given up.
    let begun = Instant::now();
    all_end(&gateway)?;
    ensure!(begun.elapsed() < LIMIT / 2, "{:?}", begun.elapsed());
    let audit = done(&gateway, "show audit --json")?;
    ensure!(!audit.contains("feature GRE"), "{audit}");
    Ok(())
}

#[test]
fn silent_connections_and_one_account_keep_nobody_out() -> Result<()> {
    let site = Site::new()?;
    let configuration = site.configuration();
    let (gateway, client) = tests::ssh::served(site, &configuration, "sessions_max = 4\n")?;
    client.account_with_key(&gateway, "administrator", "maja")?;
    client.account_with_key(&gateway, "inspector", "ivo")?;
    let at = (gateway.site().subnet().ip(1), tests::ssh::PORT);
    let silent = (0..100).map(|_| TcpStream::connect(at));
    let silent: Vec<TcpStream> = silent.collect::<std::io::Result<_>>()?;
    let (code, said) = client.runs("maja", "show version")?;
    assert_eq!(code, Some(0), "{said}");
    // The oldest of them is ended, which has been told the version alone, or not even that.
    silent[0].set_read_timeout(Some(LIMIT))?;
    let mut told = Vec::new();
    let ended = (&silent[0]).read_to_end(&mut told);
    ensure!(
        ended.is_ok() && (told.is_empty() || told.starts_with(b"SSH-2.0-")),
        "{ended:?} {told:?}"
    );
    drop(silent);

    let ivos = || Terminal::open(&client.argv_by_key("ivo"), "xterm", 24);
    let mut first = ivos()?;
    first.until("[local]gw1> ")?;
    let mut second = ivos()?;
    second.until("[local]gw1> ")?;
    let (code, said) = client.runs("ivo", "show version")?;
    assert_eq!(code, Some(255), "{said}");
    let (code, said) = client.runs("maja", "show version")?;
    assert_eq!(code, Some(0), "{said}");
    let logs = done(&gateway, "show logs")?;
    assert_eq!(logs.matches("SSH has no room").count(), 1, "{logs}");
    drop((first, second));
    all_end(&gateway)
}
