//! A session at standard input: a terminal with editing, a dumb terminal, or a pipe.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use api::{Failure, Reply, Request};
use clap::Parser;
use licensing::Wall;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use rustyline::completion::Completer;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext,
    EventHandler, Helper, Highlighter, Hinter, KeyEvent, RepeatCount, Validator,
};

use super::{LINE_BYTES_MAX, More, Next, Runner, Screen, Shell, is_quoting};
use crate::client::Client;
use crate::console::Console;
use crate::grammar::{Grammar, SocketArgs};
use crate::output;
use crate::table::Privilege;

/// Lines that may be called back.
const HISTORY_LINES: usize = 1000;

/// What is shown at the end of a page.
const MORE: &str = "--More--";

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const CTRL_U: u8 = 21;
const DELETE: u8 = 127;

/// `tollgate shell`
pub fn run(args: &SocketArgs) -> Result<ExitCode, Box<dyn Error>> {
    let socket = args.path();
    let mut node = Node {
        socket: socket.clone(),
    };
    // Whoever has the socket may do all.
    let shell = Shell::new(host(&Client::new(socket))?, Privilege::Administrator);
    let code = match io::stdin().is_terminal() {
        false => piped(shell, &mut node),
        true => {
            let _kept = Kept::begin()?;
            match std::env::var("TERM").is_ok_and(|term| term != "dumb")
                && io::stdout().is_terminal()
            {
                true => edited(shell, &mut node)?,
                false => dumb(shell, &mut node),
            }
        }
    };
    Ok(code)
}

/// What the node is called.
fn host(client: &Client) -> Result<String, Failure> {
    let Reply::Snapshot { snapshot, .. } = client.ask(&Request::Snapshot)? else {
        return Err(client.unexpected());
    };
    Ok(snapshot.node.name.to_string())
}

/// Commands are what they are in a command line, asked of this socket.
struct Node {
    socket: PathBuf,
}

impl Runner for Node {
    fn run(&mut self, words: Vec<String>, console: &mut dyn Console) -> Result<(), Box<dyn Error>> {
        let program = std::ffi::OsString::from("tollgate");
        let words = words.into_iter().map(std::ffi::OsString::from);
        let socket = ["--socket".into(), self.socket.clone().into_os_string()];
        let line = std::iter::once(program).chain(words).chain(socket);
        match Grammar::try_parse_from(line) {
            Ok(grammar) => crate::perform(grammar.command, console).map(drop),
            Err(error) => Err(Box::new(crate::usage_failure(&error))),
        }
    }
}

/// Lines from a pipe: no prompt, and an exit code that tells the worst of them.
fn piped(mut shell: Shell, node: &mut Node) -> ExitCode {
    let mut worst = 0;
    let mut screen = Plain { paged: false };
    while let Ok(Some(line)) = plain_line() {
        worst = worst.max(match shell.line(&line.text, node, &mut screen) {
            Next::Done => 0,
            Next::Failed => 1,
            Next::NotUnderstood => 2,
            Next::End => break,
        });
    }
    ExitCode::from(worst)
}

/// A terminal that edits nothing: prompts, and lines as it gives them.
fn dumb(mut shell: Shell, node: &mut Node) -> ExitCode {
    let mut screen = Plain { paged: true };
    loop {
        output::print(&shell.prompt());
        match plain_line() {
            Ok(Some(line)) if line.interrupted => output::print("\n"),
            Ok(Some(line)) => {
                if shell.line(&line.text, node, &mut screen) == Next::End {
                    break;
                }
            }
            Ok(None) | Err(_) => {
                output::print("\n");
                break;
            }
        }
    }
    ExitCode::SUCCESS
}

/// A terminal: Tab, `?`, the lines before.
fn edited(shell: Shell, node: &mut Node) -> Result<ExitCode, ReadlineError> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        .bracketed_paste(false)
        .color_mode(rustyline::ColorMode::Disabled)
        .max_history_size(HISTORY_LINES)?
        .build();
    let mut editor: Editor<Tab, MemHistory> = Editor::with_history(config, MemHistory::new())?;
    editor.set_auto_add_history(false);
    editor.set_helper(Some(Tab { shell }));
    let asked = Arc::new(Mutex::new(None));
    let question = Question(asked.clone());
    let question = EventHandler::Conditional(Box::new(question));
    editor.bind_sequence(KeyEvent::from('?'), question);
    let mut typed = (String::new(), String::new());
    while let Some(prompt) = editor.helper().map(|tab| tab.shell.prompt()) {
        let (before, after) = std::mem::take(&mut typed);
        let line = match editor.readline_with_initial(&prompt, (&before, &after)) {
            Ok(line) => line,
            Err(ReadlineError::Eof) => break,
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => continue,
            Err(error) => return Err(error),
        };
        let asked = asked.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(tab) = editor.helper_mut() else {
            break;
        };
        if let Some(at) = asked {
            let (before, after) = line.split_at_checked(at).unwrap_or((&line, ""));
            output::print(&tab.shell.help(before));
            typed = (before.to_owned(), after.to_owned());
            continue;
        }
        let secret = tab.shell.is_secret(&line);
        let next = tab.shell.line(&line, node, &mut Plain { paged: true });
        if !secret {
            // A line that is not kept is typed again.
            let _ = editor.add_history_entry(line);
        }
        if next == Next::End {
            break;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What Tab does.
#[derive(Helper, Highlighter, Hinter, Validator)]
struct Tab {
    shell: Shell,
}

impl Completer for Tab {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let (begins, mut names) = self.shell.complete(line.get(..at).unwrap_or_default());
        if let [only] = names.as_mut_slice() {
            only.push(' ');
        }
        Ok((begins, names))
    }
}

/// What `?` does: it ends the line, and leaves where it was typed; not in quotes, where it is a letter.
struct Question(Arc<Mutex<Option<usize>>>);

impl ConditionalEventHandler for Question {
    fn handle(
        &self,
        _: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        let before = context.line().get(..context.pos())?;
        if is_quoting(before) {
            return None;
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.pos());
        Some(Cmd::AcceptLine)
    }
}

/// A line, and whether Ctrl-C ended it.
struct Line {
    text: String,
    interrupted: bool,
}

/// The next line, byte by byte, so that nothing is taken that another program is to read; none at the end.
fn plain_line() -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let interrupted = loop {
        match byte()? {
            None if bytes.is_empty() => return Ok(None),
            None | Some(b'\n' | b'\r') => break false,
            Some(CTRL_C) => break true,
            Some(byte) if bytes.len() <= LINE_BYTES_MAX => bytes.push(byte),
            Some(_) => {}
        }
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Some(Line { text, interrupted }))
}

fn byte() -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        match rustix::io::read(io::stdin(), &mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Standard input and output, with pages if it is a terminal.
struct Plain {
    paged: bool,
}

impl Console for Plain {
    fn write(&mut self, text: &str) {
        output::print(text);
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        output::print(question);
        answer()
    }

    fn secret(&mut self, prompt: &str) -> io::Result<String> {
        if !self.paged {
            return answer();
        }
        let raw = Raw::begin()?;
        output::print(prompt);
        let secret = silent_line();
        drop(raw);
        output::print("\n");
        secret
    }

    fn line(&mut self) -> io::Result<String> {
        self.secret("Secret: ")
    }
}

/// A line that answers a question; empty at the end.
fn answer() -> io::Result<String> {
    match plain_line()? {
        Some(line) if line.interrupted => {
            output::print("\n");
            Err(io::ErrorKind::Interrupted.into())
        }
        Some(line) => Ok(line.text),
        None => Ok(String::new()),
    }
}

impl Screen for Plain {
    fn size(&self) -> Option<(u16, u16)> {
        if !self.paged {
            return None;
        }
        let size = tcgetwinsize(io::stdout()).ok()?;
        (size.ws_row > 0).then_some((size.ws_row, size.ws_col.max(1)))
    }

    fn more(&mut self) -> More {
        let Ok(_raw) = Raw::begin() else {
            return More::Page;
        };
        output::print(MORE);
        let key = byte();
        output::print(&format!("\r{:width$}\r", "", width = MORE.len()));
        match key {
            Ok(Some(b'\r' | b'\n')) => More::Line,
            Ok(Some(b'q' | b'Q' | CTRL_C | CTRL_D) | None) | Err(_) => More::Stop,
            Ok(Some(_)) => More::Page,
        }
    }

    fn now(&self) -> Wall {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A line that nobody sees, key by key.
fn silent_line() -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        match byte()? {
            None | Some(b'\n' | b'\r' | CTRL_D) => break,
            Some(CTRL_C) => return Err(io::ErrorKind::Interrupted.into()),
            Some(BACKSPACE | DELETE) => drop(bytes.pop()),
            Some(CTRL_U) => bytes.clear(),
            Some(byte) if bytes.len() < LINE_BYTES_MAX => bytes.push(byte),
            Some(_) => {}
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// While this lives, Ctrl-C is a key, also while a command runs: it ends a line, never the session.
struct Kept(Termios);

impl Kept {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut kept = before.clone();
        kept.local_modes.remove(LocalModes::ISIG);
        kept.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        tcsetattr(io::stdin(), OptionalActions::Now, &kept)?;
        Ok(Self(before))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to be put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// While this lives, each key is read at once and none is shown.
struct Raw(Termios);

impl Raw {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to be put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
