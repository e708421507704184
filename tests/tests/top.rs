//! `tollgate top` at a terminal, before a node that takes and refuses calls, dies and comes back.
#![forbid(unsafe_code)]

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tests::gateway::Gateway;
use tests::sgsn::Call;
use tests::terminal::Terminal;
use tests::tmux::Tmux;
use tests::tollgate::{binary, tollgate};
use tests::wait::{eventually, until};

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(60);
const CTRL_C: &str = "\u{3}";
/// The screen that a program has for itself is left (xterm, mode 1049).
const LEFT: &str = "\u{1b}[?1049l";
const SHOWN_CURSOR: &str = "\u{1b}[?25h";

/// A shell that tells how its terminal is set, runs the dashboard, and tells it again.
fn open(gateway: &Gateway, options: &str) -> Result<Terminal> {
    let socket = gateway.node()?.control().socket();
    let script = format!(
        "echo before=$(stty -g); '{}' top --socket '{}' --interval 0.2 {options}; \
         echo code=$?; echo after=$(stty -g)",
        binary()?.display(),
        socket.display()
    );
    let argv = ["/bin/sh", "-c", &script].map(str::to_owned);
    Terminal::open(&argv, "xterm-256color", 24)
}

/// The dashboard alone.
fn argv(gateway: &Gateway) -> Result<Vec<String>> {
    let (program, socket) = (binary()?.display(), gateway.node()?.control().socket());
    let words = format!("{program} top --interval 0.2 --socket {}", socket.display());
    Ok(words.split(' ').map(str::to_owned).collect())
}

/// The rest of the session, of which the dashboard has ended with this code and left all as it was.
fn assert_left(terminal: Terminal, before: &str, code: i64) -> Result<()> {
    let (seen, _) = terminal.end()?;
    ensure!(
        seen.contains(LEFT) && seen.contains(SHOWN_CURSOR),
        "{seen:?}"
    );
    ensure!(seen.contains(&format!("code={code}")), "{seen:?}");
    let after = setting(&seen, "after=")?;
    ensure!(before == after, "{before} before, {after} after");
    Ok(())
}

/// How the terminal was set, as stty tells it.
fn setting<'s>(seen: &'s str, label: &str) -> Result<&'s str> {
    let (_, setting) = seen.split_once(label).context(seen.to_owned())?;
    Ok(setting.lines().next().unwrap_or_default().trim())
}

#[test]
fn a_page_follows_the_node() -> Result<()> {
    let mut gateway = Gateway::in_evaluation(3)?;
    let mut teids = Vec::new();
    for subscriber in 1..=3 {
        teids.push(gateway.accepted(&Call::new(subscriber, "internet"))?);
    }
    let screen = Tmux::open(&argv(&gateway)?, 80, 24)?;
    let row = |screen: &str| {
        let row = screen.lines().find(|line| line.starts_with("GGSN"));
        row.unwrap_or_default().to_owned()
    };
    screen.screen("the page", |page| {
        let row = row(page);
        page.contains("UNREGISTERED") && row.contains("100%") && row.ends_with("ALLOW-AT-LIMIT")
    })?;
    gateway.delete(teids[0], 5)?;
    screen.screen("one call less", |page| row(page).contains(" 66%"))?;

    screen.types("?")?;
    screen.screen("help", |page| page.contains("calls refused a second"))?;
    screen.types("?")?;
    screen.screen("the page again", |page| row(page).contains(" 66%"))?;
    screen.resize(80, 9)?;
    screen.screen("a word on the size", |page| {
        page.starts_with("80x9 is too small")
    })?;
    screen.resize(132, 40)?;
    screen.screen("a wide page", |page| {
        page.contains("Compliance") && page.lines().count() == 40
    })?;

    gateway.while_down(|_| {
        screen.screen("that the node is gone", |page| {
            page.contains("STALE") && page.contains("no control socket")
        })?;
        Ok(())
    })?;
    screen.screen("the node again", |page| page.contains("every 0.2 s"))?;
    Ok(())
}

#[test]
fn q_ends_it_and_the_terminal_is_left_as_it_was() -> Result<()> {
    let gateway = Gateway::in_evaluation(3)?;
    let mut terminal = open(&gateway, "")?;
    let seen = terminal.until("every")?;
    let before = setting(&seen, "before=")?.to_owned();
    let page = terminal.until("order:")?;
    ensure!(page.contains("\u{1b}[38;5;"), "no colour: {page:?}");
    terminal.types("q")?;
    assert_left(terminal, &before, 0)
}

#[test]
fn ctrl_c_ends_it_and_without_colour_it_has_none() -> Result<()> {
    let gateway = Gateway::in_evaluation(3)?;
    let mut terminal = open(&gateway, "--no-color")?;
    let seen = terminal.until("every")?;
    let before = setting(&seen, "before=")?.to_owned();
    let page = terminal.until("order:")?;
    ensure!(!page.contains("\u{1b}[38;"), "{page:?}");
    terminal.types(CTRL_C)?;
    assert_left(terminal, &before, 0)
}

#[test]
fn a_signal_ends_it_and_the_terminal_is_left_as_it_was() -> Result<()> {
    let gateway = Gateway::in_evaluation(3)?;
    let mut terminal = open(&gateway, "")?;
    let seen = terminal.until("order:")?;
    let before = setting(&seen, "before=")?.to_owned();
    let socket = gateway.node()?.control().socket().display().to_string();
    let pid = eventually("the dashboard's process", LIMIT, || dashboard(&socket))?;
    kill_process(pid, Signal::TERM)?;
    assert_left(terminal, &before, 143)
}

#[test]
fn it_ends_with_its_terminal() -> Result<()> {
    let gateway = Gateway::in_evaluation(3)?;
    let socket = gateway.node()?.control().socket().display().to_string();
    let screen = Tmux::open(&argv(&gateway)?, 80, 24)?;
    screen.screen("the page", |screen| screen.contains("order: catalog"))?;
    ensure!(dashboard(&socket)?.is_some());
    drop(screen);
    until("the dashboard has ended", LIMIT, || {
        Ok(dashboard(&socket)?.is_none())
    })
}

/// The process of the dashboard of this node.
fn dashboard(socket: &str) -> Result<Option<Pid>> {
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may have ended meanwhile.
        let Ok(words) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
            continue;
        };
        let words: Vec<_> = words.split(|byte| *byte == 0).collect();
        if words.get(1) == Some(&b"top".as_slice()) && words.contains(&socket.as_bytes()) {
            return Ok(Pid::from_raw(pid));
        }
    }
    Ok(None)
}

#[test]
fn where_nothing_can_be_drawn_or_asked_it_says_so() -> Result<()> {
    let words = ["top", "--socket", "/nonexistent/socket"];
    let piped = tollgate(words)?.stdin(Stdio::null()).output()?;
    let said = String::from_utf8(piped.stderr)?;
    ensure!(piped.status.code() == Some(1), "{said}");
    ensure!(
        said.contains("no terminal to draw on") && said.contains("--json"),
        "{said}"
    );

    let shown = |kind: &str| -> Result<(String, i64)> {
        let mut argv = vec![binary()?.display().to_string()];
        argv.extend(words.map(str::to_owned));
        Terminal::open(&argv, kind, 24)?.end()
    };
    let (seen, code) = shown("dumb")?;
    ensure!(
        code == 1 && seen.contains("can't be drawn on (TERM)"),
        "{seen:?}"
    );
    let (seen, code) = shown("xterm-256color")?;
    ensure!(code == 1 && seen.contains("no control socket"), "{seen:?}");
    ensure!(!seen.contains(LEFT), "{seen:?}");
    Ok(())
}
