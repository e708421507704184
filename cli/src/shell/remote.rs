//! A session by SSH: a terminal with editing, a pipe, or one command.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::time::SystemTime;

use api::{Failure, Reply, Request};
use clap::Parser;
use licensing::Wall;
use node::ssh::{Session, Shells, Visit};

use super::editor::{Editor, Typed};
use super::names::OfNode;
use super::{
    LINE_BYTES_MAX, More, Next, NotUnderstood, Runner, Screen, Shell, more_line, too_long,
};
use crate::client::Client;
use crate::console::Console;
use crate::grammar::{Grammar, SocketArgs};
use crate::output::failure_line;
use crate::table::{Mode, rows};

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const CTRL_U: u8 = 21;
const DELETE: u8 = 127;

/// What a one-shot may begin with, as in a command line of this machine.
const PROGRAM: &str = "tollgate";

/// A socket that can't be: who asks it by mistake gets no answer.
const NO_SOCKET: &str = "/dev/null/ssh";

/// Understands what is typed by SSH as the shell of this machine does.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByRemote;

impl Shells for ByRemote {
    fn run(&self, session: &Session, visit: &mut Visit) -> u32 {
        let mut screen = Far {
            session,
            visit,
            returned: false,
            gone: false,
        };
        let shell = match begin(session) {
            Ok(shell) => shell,
            Err(failure) => {
                screen.write(&failure_line(&failure));
                return 1;
            }
        };
        match (screen.visit.command.take(), screen.visit.terminal) {
            (Some(command), _) => one_shot(shell, &command, &mut screen),
            (None, true) => edited(shell, &mut screen),
            (None, false) => piped(shell, &mut screen),
        }
    }
}

/// A shell with what the account may do.
fn begin(session: &Session) -> Result<Shell, Failure> {
    let no_account = || {
        let todo = "see show administrators";
        Failure::new("there is no such account any more", session.account(), todo)
    };
    let privilege = session.privilege().ok_or_else(no_account)?;
    let client = Client::of_session(session);
    let Reply::Snapshot { snapshot, .. } = client.ask(&Request::Snapshot)? else {
        return Err(client.unexpected());
    };
    let shell = Shell::new(snapshot.node.name, privilege);
    Ok(shell.with_names(Box::new(OfNode(client))))
}

/// What a line comes to, as an exit status.
fn status(next: Next) -> u32 {
    match next {
        Next::Done | Next::End => 0,
        Next::Failed => 1,
        Next::NotUnderstood => 2,
    }
}

/// The lines of a command, until the session ends.
fn one_shot(mut shell: Shell, command: &str, screen: &mut Far<'_>) -> u32 {
    let mut worst = 0;
    for line in command.lines() {
        let line = line.trim_start();
        let line = match line.strip_prefix(PROGRAM) {
            Some(rest) if rest.starts_with(' ') => rest,
            Some(_) | None => line,
        };
        let next = does(&mut shell, line, screen);
        worst = worst.max(status(next));
        if next == Next::End {
            break;
        }
    }
    worst
}

/// Lines from a pipe: no prompt, and the worst of them is the exit status. What ends without its end is not done.
fn piped(mut shell: Shell, screen: &mut Far<'_>) -> u32 {
    let mut worst = 0;
    loop {
        let next = match screen.typed_line() {
            Ok(Some(line)) => does(&mut shell, &line, screen),
            Ok(None) => return worst,
            Err(error) => {
                screen.write(&failure_line(&error));
                Next::Failed
            }
        };
        worst = worst.max(status(next));
        if next == Next::End || screen.gone {
            return worst;
        }
    }
}

/// A terminal: Tab, `?`, the lines before.
fn edited(mut shell: Shell, screen: &mut Far<'_>) -> u32 {
    let mut editor = Editor::new();
    screen.write(&editor.begin(&shell.prompt(), screen.columns()));
    while let Some(byte) = screen.byte() {
        let (typed, shown) = editor.key(byte, screen.columns());
        screen.write(&shown);
        let next = match typed {
            Typed::On => continue,
            Typed::Help(before) => {
                screen.write(&shell.help(&before));
                screen.write(&editor.again());
                continue;
            }
            Typed::Complete(before) => {
                let (begins, names) = shell.complete(&before);
                screen.write(&editor.become_one_of(begins, &names));
                continue;
            }
            Typed::Interrupted => Next::Done,
            Typed::End => break,
            Typed::Line(line) => {
                if !Shell::is_secret(&line) {
                    editor.remember(&line);
                }
                does(&mut shell, &line, screen)
            }
        };
        if next == Next::End || screen.gone {
            break;
        }
        screen.write(&editor.begin(&shell.prompt(), screen.columns()));
    }
    0
}

/// Does a line, if the account is still what it was.
fn does(shell: &mut Shell, line: &str, screen: &mut Far<'_>) -> Next {
    let session = screen.session;
    if session.privilege() != Some(shell.privilege()) {
        let what = "the account was changed or removed, and this session ends";
        let failure = Failure::new(what, session.account(), "log in again");
        screen.write(&failure_line(&failure));
        return Next::End;
    }
    shell.line(line, &mut Commands { session }, screen)
}

/// Commands are what they are in a command line, but those of the shell alone, and asked as this account.
struct Commands<'s> {
    session: &'s Session,
}

impl Runner for Commands<'_> {
    fn run(&mut self, words: Vec<String>, console: &mut dyn Console) -> Result<(), Box<dyn Error>> {
        may(self.session, &words)?;
        let line = std::iter::once(PROGRAM.to_owned()).chain(words);
        let line = line.chain(["--socket".to_owned(), NO_SOCKET.to_owned()]);
        match Grammar::try_parse_from(line.map(OsString::from)) {
            Ok(grammar) => crate::perform(grammar.command, console).map(drop),
            Err(error) => Err(Box::new(NotUnderstood(crate::usage_failure(&error)))),
        }
    }
}

/// May the account do the command of these words? Each request of it is judged once more, by the node.
fn may(session: &Session, words: &[String]) -> Result<(), Failure> {
    let of_shell = rows().iter().filter(|row| row.mode != Mode::Program);
    let of_words = of_shell.filter(|row| {
        let own: Vec<&str> = row.words.split(' ').collect();
        own.len() <= words.len() && own.iter().zip(words).all(|(own, word)| own == word)
    });
    let row = of_words.max_by_key(|row| row.words.len());
    let failure = |what: String, todo: String| Failure::new(what, words.join(" "), todo);
    let Some(row) = row else {
        let todo = "run it on the node itself".to_owned();
        return Err(failure("it is no command of the shell".to_owned(), todo));
    };
    let needed = row.privilege;
    match session.privilege() {
        Some(privilege) if privilege >= needed => Ok(()),
        Some(privilege) => {
            session.refused(&row.words);
            let what = format!("you are an {privilege}, and this takes an {needed}");
            Err(failure(what, format!("have an {needed} do it")))
        }
        None => Err(failure(
            "there is no such account any more".to_owned(),
            "log in again".to_owned(),
        )),
    }
}

/// Whoever is at the other end.
struct Far<'v> {
    session: &'v Session,
    visit: &'v mut Visit,
    /// The last line ended with `\r`: a `\n` that follows is of that end.
    returned: bool,
    /// The client is gone, or takes nothing.
    gone: bool,
}

impl Far<'_> {
    fn byte(&mut self) -> Option<u8> {
        self.visit.byte()
    }

    fn columns(&self) -> Option<u16> {
        self.visit.size().map(|(_, columns)| columns)
    }

    /// The next whole line; none: there is no more.
    fn typed_line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        loop {
            let byte = self.byte();
            let returned = std::mem::take(&mut self.returned);
            match byte {
                None => return Ok(None),
                Some(b'\n') if returned && bytes.is_empty() => {}
                Some(b'\n') => break,
                Some(b'\r') => {
                    self.returned = true;
                    break;
                }
                Some(CTRL_C) => bytes.clear(),
                Some(byte) if bytes.len() <= LINE_BYTES_MAX => bytes.push(byte),
                Some(_) => {}
            }
        }
        text(bytes).map(Some)
    }

    /// A line that is shown as it is typed.
    fn shown_line(&mut self, question: &str) -> io::Result<Option<String>> {
        let mut editor = Editor::new();
        let shown = editor.begin(question, self.columns());
        self.write(&shown);
        while let Some(byte) = self.byte() {
            let (typed, shown) = editor.key(byte, self.columns());
            self.write(&shown);
            match typed {
                Typed::On | Typed::Help(_) | Typed::Complete(_) => {}
                Typed::Line(line) => return Ok(Some(line)),
                Typed::Interrupted => return Err(io::ErrorKind::Interrupted.into()),
                Typed::End => break,
            }
        }
        Ok(None)
    }

    /// A line that nobody sees, key by key.
    fn silent_line(&mut self) -> io::Result<String> {
        let mut bytes = Vec::new();
        loop {
            match self.byte() {
                None | Some(b'\n' | b'\r' | CTRL_D) => break,
                Some(CTRL_C) => return Err(io::ErrorKind::Interrupted.into()),
                // The bytes of a letter but its first are 80 to BF (RFC 3629).
                Some(BACKSPACE | DELETE) => {
                    while bytes.pop().is_some_and(|byte: u8| byte & 0xc0 == 0x80) {}
                }
                Some(CTRL_U) => bytes.clear(),
                Some(byte) if bytes.len() < LINE_BYTES_MAX => bytes.push(byte),
                Some(_) => {}
            }
        }
        text(bytes)
    }
}

/// Nothing is made of what is no text: a secret would be another one.
fn text(bytes: Vec<u8>) -> io::Result<String> {
    let what = "what was typed is not UTF-8";
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, what))
}

impl Console for Far<'_> {
    fn write(&mut self, text: &str) {
        if self.gone || text.is_empty() {
            return;
        }
        let text = match self.visit.terminal {
            true => text.replace('\n', "\r\n"),
            false => text.to_owned(),
        };
        self.gone = self.visit.write(text.into_bytes()).is_err();
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        match self.visit.terminal {
            true => Ok(self.shown_line(question)?.unwrap_or_default()),
            false => {
                self.write(question);
                Ok(self.typed_line()?.unwrap_or_default())
            }
        }
    }

    fn secret(&mut self, prompt: &str) -> io::Result<String> {
        if !self.visit.terminal {
            return self.line();
        }
        self.write(prompt);
        let secret = self.silent_line();
        self.write("\n");
        secret
    }

    fn line(&mut self) -> io::Result<String> {
        match self.visit.terminal {
            true => self.secret("Secret: "),
            false => Ok(self.typed_line()?.unwrap_or_default()),
        }
    }

    fn typed(&mut self) -> io::Result<Option<String>> {
        let line = match self.visit.terminal {
            true => self.shown_line("")?,
            false => self.typed_line()?,
        };
        match line {
            Some(line) if line.len() > LINE_BYTES_MAX => Err(too_long()),
            line => Ok(line),
        }
    }

    fn client(&self, _socket: &SocketArgs) -> Client {
        Client::of_session(self.session)
    }
}

impl Screen for Far<'_> {
    fn size(&self) -> Option<(u16, u16)> {
        let size = self.visit.size();
        size.filter(|_| self.visit.terminal)
    }

    fn more(&mut self, percent: usize) -> More {
        let line = more_line(percent);
        self.write(&line);
        let key = self.byte();
        self.write(&format!("\r{:width$}\r", "", width = line.len()));
        match key {
            Some(b'\r' | b'\n') => More::Line,
            Some(b'q' | b'Q' | CTRL_C | CTRL_D) | None => More::Stop,
            Some(_) => More::Page,
        }
    }

    fn now(&self) -> Wall {
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
