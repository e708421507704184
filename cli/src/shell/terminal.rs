//! A session at standard input: a terminal with editing, a dumb terminal, or a pipe.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use api::{Failure, Reply, Request};
use clap::Parser;
use licensing::Wall;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

use super::editor::{Editor, Typed};
use super::names::OfNode;
use super::{
    LINE_BYTES_MAX, More, Next, NotUnderstood, Runner, Screen, Shell, more_line, too_long,
};
use crate::client::Client;
use crate::console::Console;
use crate::grammar::{Grammar, SocketArgs};
use crate::interrupt::stay;
use crate::output;
use crate::table::Privilege;

/// A terminal that edits by itself gives lines of fewer bytes, their end among them (termios(3), canonical mode).
const CANONICAL_BYTES_MAX: usize = 4095;

/// Exit code of a session that SIGTERM or SIGHUP ended: 128 and the number of SIGTERM.
const ENDED_BY_SIGNAL: i32 = 143;

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
    let client = Client::new(socket);
    let shell = Shell::new(host(&client)?, Privilege::Administrator);
    let shell = shell.with_names(Box::new(OfNode(client)));
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
            Err(error) => Err(Box::new(NotUnderstood(crate::usage_failure(&error)))),
        }
    }
}

/// Lines from a pipe: no prompt, and an exit code that tells the worst of them.
fn piped(mut shell: Shell, node: &mut Node) -> ExitCode {
    let mut worst = 0;
    let mut screen = Plain::new(false);
    loop {
        let line = match screen.keyboard.line() {
            Ok(Some(line)) if line.interrupted => continue,
            Ok(Some(line)) => line.text,
            Ok(None) => break,
            Err(error) => {
                output::fail(&error);
                worst = worst.max(1);
                if error.kind() == io::ErrorKind::InvalidData {
                    continue;
                }
                break;
            }
        };
        worst = worst.max(match shell.line(&line, node, &mut screen) {
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
    let mut screen = Plain::new(true);
    loop {
        output::print(&shell.prompt());
        match screen.keyboard.line() {
            Ok(Some(line)) if line.interrupted => output::print("\n"),
            // The kernel cuts what is longer without a word.
            Ok(Some(line)) if line.text.len() >= CANONICAL_BYTES_MAX => {
                let what =
                    format!("a line of this terminal has less than {CANONICAL_BYTES_MAX} bytes");
                output::print(&format!("Failure: {what}; nothing is done\n"));
            }
            Ok(Some(line)) => {
                if shell.line(&line.text, node, &mut screen) == Next::End {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                output::print(&output::failure_line(&error));
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
fn edited(mut shell: Shell, node: &mut Node) -> io::Result<ExitCode> {
    let mut editor = Editor::new();
    let mut screen = Plain::new(true);
    let mut raw = Some(Raw::begin()?);
    output::print(&editor.begin(&shell.prompt(), columns()));
    while let Some(byte) = byte()? {
        let (typed, shown) = editor.key(byte, columns());
        output::print(&shown);
        let next = match typed {
            Typed::On => continue,
            Typed::Help(before) => {
                output::print(&shell.help(&before));
                output::print(&editor.again());
                continue;
            }
            Typed::Complete(before) => {
                let (begins, names) = shell.complete(&before);
                output::print(&editor.become_one_of(begins, &names));
                continue;
            }
            Typed::Interrupted => Next::Done,
            Typed::End => break,
            Typed::Line(line) => {
                if !Shell::is_secret(&line) {
                    editor.remember(&line);
                }
                drop(raw.take());
                let next = shell.line(&line, node, &mut screen);
                raw = Some(Raw::begin()?);
                next
            }
        };
        if next == Next::End {
            break;
        }
        output::print(&editor.begin(&shell.prompt(), columns()));
    }
    Ok(ExitCode::SUCCESS)
}

/// How wide the terminal is, if it tells.
fn columns() -> Option<u16> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// A line, and whether Ctrl-C ended it.
struct Line {
    text: String,
    interrupted: bool,
}

/// Standard input, byte by byte, so that nothing is taken that another program is to read.
#[derive(Default)]
struct Keyboard {
    /// The last line ended with `\r`: a `\n` that follows is of that end.
    returned: bool,
}

impl Keyboard {
    /// The next line; none at the end.
    fn line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let interrupted = loop {
            let byte = byte()?;
            let returned = std::mem::take(&mut self.returned);
            match byte {
                Some(b'\n') if returned && bytes.is_empty() => {}
                None if bytes.is_empty() => return Ok(None),
                None | Some(b'\n') => break false,
                Some(b'\r') => {
                    self.returned = true;
                    break false;
                }
                Some(CTRL_C) => break true,
                Some(byte) if bytes.len() <= LINE_BYTES_MAX => bytes.push(byte),
                Some(_) => {}
            }
        };
        let text = text(bytes)?;
        Ok(Some(Line { text, interrupted }))
    }

    /// A line that answers a question; empty at the end.
    fn answer(&mut self) -> io::Result<String> {
        match self.line()? {
            Some(line) if line.interrupted => {
                output::print("\n");
                Err(io::ErrorKind::Interrupted.into())
            }
            Some(line) => Ok(line.text),
            None => Ok(String::new()),
        }
    }
}

/// Nothing is made of what is no text: a secret would be another one.
fn text(bytes: Vec<u8>) -> io::Result<String> {
    let what = "what was typed is not UTF-8";
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, what))
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
    keyboard: Keyboard,
}

impl Plain {
    fn new(paged: bool) -> Self {
        let keyboard = Keyboard::default();
        Self { paged, keyboard }
    }
}

impl Console for Plain {
    fn write(&mut self, text: &str) {
        output::print(text);
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        output::print(question);
        self.keyboard.answer()
    }

    fn secret(&mut self, prompt: &str) -> io::Result<String> {
        if !self.paged {
            return self.keyboard.answer();
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

    fn typed(&mut self) -> io::Result<Option<String>> {
        match self.keyboard.line()? {
            Some(line) if line.interrupted => Err(io::ErrorKind::Interrupted.into()),
            Some(line) if line.text.len() > LINE_BYTES_MAX => Err(too_long()),
            line => Ok(line.map(|line| line.text)),
        }
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

    fn more(&mut self, percent: usize) -> More {
        let Ok(_raw) = Raw::begin() else {
            return More::Page;
        };
        let shown = more_line(percent);
        output::print(&shown);
        let key = byte();
        output::print(&format!("\r{:width$}\r", "", width = shown.len()));
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
            // The bytes of a letter but its first are 80 to BF (RFC 3629).
            Some(BACKSPACE | DELETE) => {
                while bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            Some(CTRL_U) => bytes.clear(),
            Some(byte) if bytes.len() < LINE_BYTES_MAX => bytes.push(byte),
            Some(_) => {}
        }
    }
    text(bytes)
}

/// While this lives, Ctrl-C is a key: it ends a line, or what a command waits for, never the session. A signal to end does,
/// and leaves the terminal as it was.
struct Kept(Termios);

impl Kept {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut kept = before.clone();
        kept.local_modes.remove(LocalModes::ISIG);
        kept.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        tcsetattr(io::stdin(), OptionalActions::Now, &kept)?;
        let left = before.clone();
        stay(move || {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &left);
            std::process::exit(ENDED_BY_SIGNAL);
        })?;
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
