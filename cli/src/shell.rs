//! The operator's shell: a machine that lines go into and text comes out of, apart from any terminal.
//!
//! A [`Shell`] has a mode and a prompt; [`Shell::line`] does what a line says, [`Shell::help`] is what `?` prints, and
//! [`Shell::complete`] what Tab offers. It reaches a node by a [`Runner`], and whoever types by a [`Screen`], so that a
//! terminal, a pipe, a session of another program and a fuzz target have the same one.
//!
//! Deliberately absent: words. They are in the grammar and the table of commands.

mod editor;
mod filter;
mod names;
pub(crate) mod own;
mod remote;
mod terminal;
mod tokens;
mod walk;
mod words;

use std::error::Error;
use std::io;
use std::sync::LazyLock;

use clap::FromArgMatches;
use licensing::Wall;
use thiserror::Error;
use unicode_width::UnicodeWidthStr;

use crate::client::Client;
use crate::console::Console;
use crate::grammar::SocketArgs;
use crate::output::harmless;
use crate::show::text::{COLUMNS, heading_stamp, wrap};
use crate::table::{BULKSTATS_MODE, Mode, Privilege};
use api::Failure;
use filter::{Filter, Unfit};
use own::{NoOwn, Own, OwnBulkstats, Terminal};
use tokens::{Token, is_quoting, tokens};
use walk::{Astray, Following, Walk};
use words::Word;

pub use names::{Named, Names};
pub use remote::ByRemote;
pub use terminal::run;

/// Is this word among what may follow those before it, for an administrator in this mode?
pub(crate) fn offers(mode: Mode, before: &str, word: &str) -> bool {
    let shell = Shell {
        mode,
        ..Shell::new("", Privilege::Administrator)
    };
    let following = shell.following(&tokens(before));
    following.is_ok_and(|(following, _)| following.iter().any(|(name, _)| name == word))
}

/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 4096;

/// Bars of a line.
const FILTERS_MAX: usize = 8;

/// Widest name of a word in help, in columns.
const NAME_COLUMNS: usize = 24;

/// What is said of an option that names a file of the machine.
const NO_FILE: &str = "files are named in a command line of the node itself; leave it out here, and what the file would say \
                       is asked for (a token: idtoken -)";

/// Where a line is shown again under which a mark stands.
const INDENT: &str = "  ";

/// Who sits before a shell.
pub trait Screen: Console {
    /// Lines and columns of the terminal; none: there is no terminal.
    fn size(&self) -> Option<(u16, u16)>;

    /// Waits at the end of a page, behind so many percent of the answer.
    fn more(&mut self, percent: usize) -> More;

    /// The time.
    fn now(&self) -> Wall;
}

/// What is wanted at the end of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// The next page.
    Page,
    /// One line.
    Line,
    /// No more.
    Stop,
}

/// Words that are a command, but for a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotUnderstood(pub Failure);

/// What does commands.
pub trait Runner {
    /// Does the command of these words, whole ones. Errors: [`NotUnderstood`], or why it failed.
    fn run(&mut self, words: Vec<String>, console: &mut dyn Console) -> Result<(), Box<dyn Error>>;
}

/// What is shown at the end of a page, as StarOS has it.
pub fn more_line(percent: usize) -> String {
    format!("---(more {percent}%)---")
}

/// Of a line that is longer than [`LINE_BYTES_MAX`].
fn too_long() -> io::Error {
    let what = format!("a line has at most {LINE_BYTES_MAX} bytes");
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What becomes of the session after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It was done.
    Done,
    /// It failed.
    Failed,
    /// It was not understood.
    NotUnderstood,
    /// The session ends.
    End,
}

/// The words of the modes of bulk statistics.
static BULKSTATS: LazyLock<Word> = LazyLock::new(|| Word::below(&BULKSTATS_MODE));

/// One session.
#[derive(Debug)]
pub struct Shell {
    host: String,
    privilege: Privilege,
    mode: Mode,
    /// The file whose mode it is.
    file: String,
    timestamps: bool,
    length: Option<u16>,
    width: Option<u16>,
    names: Option<Box<dyn Names>>,
}

impl Shell {
    /// A session on this node, at its first prompt.
    pub fn new(host: impl Into<String>, privilege: Privilege) -> Self {
        Self {
            host: host.into(),
            privilege,
            mode: Mode::Exec,
            file: String::new(),
            timestamps: true,
            length: None,
            width: None,
            names: None,
        }
    }

    /// With what tells the names that the node has, for `?` and Tab.
    pub fn with_names(self, names: Box<dyn Names>) -> Self {
        let names = Some(names);
        Self { names, ..self }
    }

    /// What whoever types may do.
    pub fn privilege(&self) -> Privilege {
        self.privilege
    }

    /// `[local]host# `
    pub fn prompt(&self) -> String {
        let mode = match self.mode {
            Mode::Program | Mode::Exec => String::new(),
            Mode::Config => "(config)".to_owned(),
            Mode::Bulkstats => "(config-bulkstats)".to_owned(),
            Mode::BulkstatsFile => format!("(config-bulkstats-file-{})", self.file),
        };
        let mark = match self.privilege {
            Privilege::Inspector => '>',
            Privilege::Operator | Privilege::Administrator => '#',
        };
        format!("[local]{}{mode}{mark} ", self.host)
    }

    /// May this line have a secret in it? Whatever else is wrong with it, whoever registers gives a token.
    pub fn is_secret(line: &str) -> bool {
        let begins = |word: &str, of: &str| word.len() >= 3 && of.starts_with(word);
        tokens(line).iter().any(|token| {
            let word = token.text.to_lowercase();
            begins(&word, "password")
                || begins(&word, "idtoken")
                || begins(&word, "register")
                || word.starts_with("idtoken")
        })
    }

    /// What may follow what was typed so far, each with its help: what `?` prints.
    pub fn help(&self, before: &str) -> String {
        let (begun, tokens) = parted(before);
        let (following, enter) = match self.following(&tokens) {
            Ok(following) => following,
            Err(unfit) => return unfit.text(before, ""),
        };
        let fitting = fitting(following, &begun);
        let mut text = String::new();
        for (name, help) in &fitting {
            text.push_str(&help_lines(name, help));
        }
        if enter && begun.is_empty() {
            text.push_str(&help_lines("<cr>", "Do it"));
            text.push_str(&help_lines("|", "Filter the answer"));
        }
        if text.is_empty() {
            text = "Failure: nothing begins so here\n".to_owned();
        }
        text
    }

    /// What the word that is being typed may become, and where it begins, in bytes.
    pub fn complete(&self, before: &str) -> (usize, Vec<String>) {
        let (begun, tokens) = parted(before);
        let begins = before.len() - begun.len();
        let Ok((following, _)) = self.following(&tokens) else {
            return (begins, Vec::new());
        };
        let typable =
            |(name, _): Following| (!name.starts_with('<') && name != "VALUE").then_some(name);
        let names = fitting(following, &begun).into_iter().filter_map(typable);
        (begins, names.collect())
    }

    /// Does what a line says.
    pub fn line(&mut self, line: &str, runner: &mut dyn Runner, screen: &mut dyn Screen) -> Next {
        if line.len() > LINE_BYTES_MAX {
            let what = format!("a line has at most {LINE_BYTES_MAX} bytes");
            screen.write(&format!("Failure: {what}\n"));
            return Next::NotUnderstood;
        }
        let tokens = tokens(line);
        if tokens.is_empty() || tokens[0].text.starts_with(['!', '#']) {
            return Next::Done;
        }
        if let Some(before) = line.trim_end().strip_suffix('?')
            && !is_quoting(before)
        {
            screen.write(&self.help(before));
            return Next::Done;
        }
        match self.understood(line, &tokens) {
            Ok(command) => self.perform(command, runner, screen),
            Err(said) => match self.above(&tokens) {
                // Whoever does commands says what it takes.
                Some(command) => self.perform(command, runner, screen),
                None => {
                    screen.write(&harmless(&said));
                    Next::NotUnderstood
                }
            },
        }
    }

    fn walk(&self) -> Walk<'_> {
        let all = Word::all();
        let of = |words| Walk::new(words, self.mode, self.privilege).under(all);
        match self.mode {
            Mode::Program | Mode::Exec | Mode::Config => of(all),
            Mode::Bulkstats | Mode::BulkstatsFile => of(&BULKSTATS),
        }
    }

    fn following(&self, tokens: &[Token]) -> Result<(Vec<Following>, bool), Unfit> {
        let parts: Vec<&[Token]> = tokens.split(|token| token.is_bar).collect();
        match parts[..] {
            [command] => {
                let walk = self.walk().all(command).map_err(Unfit::Astray)?;
                let (mut following, enter) = walk.following();
                if let (Some(names), Some(named)) = (&self.names, walk.named()) {
                    following.extend(names::typable(names.names(named), named));
                }
                Ok((following, enter))
            }
            [.., []] => Ok((Filter::following(), false)),
            _ => Ok((Vec::new(), true)),
        }
    }

    /// The command of a line, or what is said of one that is none.
    fn understood(&self, line: &str, tokens: &[Token]) -> Result<Understood, String> {
        let mut parts = tokens.split(|token| token.is_bar);
        let command = parts.next().unwrap_or_default();
        let walk = self.walk().all(command);
        let walk = walk.map_err(|astray| Unfit::Astray(astray).text(line, ""))?;
        let said = walk.words.join(" ");
        let Some(leaf) = walk.leaf().filter(|_| walk.is_whole()) else {
            let (following, _) = walk.following();
            let names: Vec<String> = following.into_iter().map(|(name, _)| name).collect();
            let usage = format!("{} may follow", names.join(", "));
            return Err(Unfit::Usage("the command is not whole".to_owned()).text(line, &usage));
        };
        let parts: Vec<&[Token]> = parts.collect();
        if leaf.row.own && !parts.is_empty() {
            let what = format!("{said} has no answer that could be filtered");
            return Err(Unfit::Usage(what).text(line, "leave the bar out"));
        }
        if parts.len() > FILTERS_MAX {
            let what = format!("an answer goes through {FILTERS_MAX} filters at most");
            return Err(Unfit::Usage(what).text(line, "leave some out"));
        }
        let filters: Result<Vec<Filter>, Unfit> = parts.into_iter().map(Filter::of).collect();
        let filters =
            filters.map_err(|unfit| unfit.text(line, "? after the bar lists what may follow"))?;
        let before = match leaf.row.own {
            true => &[],
            false => walk.mode.before(),
        };
        let before: Vec<String> = before.iter().map(|word| (*word).to_owned()).collect();
        let mut words = [before, walk.words.clone(), walk.arguments.clone()].concat();
        let enters = said == "file";
        if walk.mode == Mode::BulkstatsFile && !leaf.row.own && !enters {
            words.extend(["--file".to_owned(), self.file.clone()]);
        }
        Ok(Understood {
            words,
            enters: enters.then(|| walk.arguments.concat()),
            said,
            own: leaf.row.own,
            asks: leaf.row.asks && !walk.no_confirm,
            takes_noconfirm: leaf.takes_noconfirm() && (leaf.row.asks || walk.no_confirm),
            stamped: self.timestamps && walk.mode == Mode::Exec && !leaf.row.own,
            filters,
        })
    }

    /// The command of a line that whoever types may not do, without its arguments.
    fn above(&self, tokens: &[Token]) -> Option<Understood> {
        let command = tokens.split(|token| token.is_bar).next()?;
        let all = Walk::new(Word::all(), self.mode, Privilege::Administrator);
        let walk = all.all(command).ok()?;
        let leaf = walk.leaf()?;
        (leaf.row.privilege > self.privilege).then(|| Understood {
            enters: None,
            said: walk.words.join(" "),
            words: walk.words,
            own: false,
            asks: false,
            takes_noconfirm: false,
            stamped: false,
            filters: Vec::new(),
        })
    }

    fn perform(
        &mut self,
        mut command: Understood,
        runner: &mut dyn Runner,
        screen: &mut dyn Screen,
    ) -> Next {
        if command.own {
            return self.own(&command.words, screen);
        }
        if command.stamped && !command.words.iter().any(|word| word == "--json") {
            screen.write(&format!("{}\n", heading_stamp(screen.now())));
        }
        if command.asks {
            let answer = screen
                .ask("Are you sure ? [Yes | No]: ")
                .unwrap_or_default();
            if !["yes", "y"].contains(&answer.trim().to_lowercase().as_str()) {
                let said = command.said;
                let todo = "answer Yes, or add -noconfirm where nobody is there to answer";
                fail(
                    &Failure::new("not confirmed, nothing is done", said, todo),
                    screen,
                );
                return Next::Failed;
            }
        }
        if command.takes_noconfirm {
            command.words.push("--noconfirm".to_owned());
        }
        let mut answer = Answer {
            text: String::new(),
            screen,
        };
        let done = runner.run(command.words, &mut answer);
        let text = answer.text;
        self.show(text, &command.filters, screen);
        match done {
            Ok(()) => {
                if let Some(file) = command.enters {
                    (self.mode, self.file) = (Mode::BulkstatsFile, file);
                }
                Next::Done
            }
            Err(error) => {
                fail(&*error, screen);
                match error.is::<NotUnderstood>() {
                    true => Next::NotUnderstood,
                    false => Next::Failed,
                }
            }
        }
    }

    /// Prints an answer through its filters, by pages where the terminal has them.
    fn show(&self, mut text: String, filters: &[Filter], screen: &mut dyn Screen) {
        for filter in filters {
            text = filter.pass(&text);
        }
        let Some((lines, columns)) = screen.size() else {
            screen.write(&text);
            return;
        };
        let forced = filters.iter().any(|filter| matches!(filter, Filter::More));
        let length = match self.length {
            Some(0) if forced => lines,
            Some(length) => length,
            None => lines,
        };
        if length < 2 {
            screen.write(&text);
            return;
        }
        let columns = usize::from(self.width.unwrap_or(columns).max(1));
        let page = usize::from(length) - 1;
        let (mut left, mut shown) = (page, 0);
        for line in text.split_inclusive('\n') {
            let height = line.trim_end().width().div_ceil(columns).max(1);
            if height > left && left < page {
                left = match screen.more(shown * 100 / text.len()) {
                    More::Page => page,
                    More::Line => height,
                    More::Stop => return,
                };
            }
            screen.write(line);
            shown += line.len();
            left = left.saturating_sub(height);
        }
    }

    fn own(&mut self, words: &[String], screen: &mut dyn Screen) -> Next {
        let command = own::command().try_get_matches_from(words);
        let own = command.and_then(|matches| Own::from_arg_matches(&matches));
        match own {
            Ok(Own::Configure) => self.mode = Mode::Config,
            Ok(Own::End) => self.mode = Mode::Exec,
            Ok(Own::Bulkstats {
                what: OwnBulkstats::Mode,
            }) => self.mode = Mode::Bulkstats,
            Ok(Own::Exit) => match self.mode {
                Mode::Program | Mode::Exec => return Next::End,
                Mode::Config => self.mode = Mode::Exec,
                Mode::Bulkstats => self.mode = Mode::Config,
                Mode::BulkstatsFile => self.mode = Mode::Bulkstats,
            },
            Ok(Own::Do) => {}
            Ok(Own::Timestamps) => self.timestamps = true,
            Ok(Own::No {
                no: NoOwn::Timestamps,
            }) => self.timestamps = false,
            Ok(Own::Terminal {
                terminal: Terminal::Length { lines },
            }) => self.length = Some(lines),
            Ok(Own::Terminal {
                terminal: Terminal::Width { columns },
            }) => self.width = Some(columns),
            Err(error) => {
                fail(&crate::usage_failure(&error), screen);
                return Next::NotUnderstood;
            }
        }
        Next::Done
    }
}

/// A whole command.
struct Understood {
    words: Vec<String>,
    /// The file whose mode it leads to.
    enters: Option<String>,
    said: String,
    own: bool,
    asks: bool,
    takes_noconfirm: bool,
    stamped: bool,
    filters: Vec<Filter>,
}

/// What a command writes is kept for its filters; what it asks is asked at once.
struct Answer<'s> {
    text: String,
    screen: &'s mut dyn Screen,
}

impl Answer<'_> {
    fn flush(&mut self) {
        self.screen.write(&std::mem::take(&mut self.text));
    }
}

impl Console for Answer<'_> {
    fn write(&mut self, text: &str) {
        self.text.push_str(&harmless(text));
    }

    fn client(&self, socket: &SocketArgs) -> Client {
        self.screen.client(socket)
    }

    fn asks(&self) -> bool {
        true
    }

    /// The shell has said it, or is not to.
    fn heading(&mut self, _line: &str) {}

    fn ask(&mut self, question: &str) -> io::Result<String> {
        self.flush();
        self.screen.ask(question)
    }

    fn secret(&mut self, prompt: &str) -> io::Result<String> {
        self.flush();
        self.screen.secret(prompt)
    }

    fn line(&mut self) -> io::Result<String> {
        self.flush();
        self.screen.line()
    }

    fn typed(&mut self) -> io::Result<Option<String>> {
        self.flush();
        self.screen.typed()
    }
}

/// The one line of a failure.
fn fail(failure: &dyn Error, screen: &mut dyn Screen) {
    screen.write(&crate::output::failure_line(failure));
}

/// A word and what is said of it, in lines that fit a screen of 80 columns.
fn help_lines(name: &str, help: &str) -> String {
    let room = COLUMNS - INDENT.len() - NAME_COLUMNS - 1;
    let mut heads = std::iter::once(name).chain(std::iter::repeat(""));
    let lines = wrap(help, room).into_iter().map(|line| {
        let head = heads.next().unwrap_or_default();
        format!("{INDENT}{head:<NAME_COLUMNS$} {line}\n")
    });
    lines.collect()
}

/// The word that is being typed, and those before it.
fn parted(before: &str) -> (String, Vec<Token>) {
    let mut tokens = tokens(before);
    let ends = before.ends_with(|letter: char| letter.is_whitespace() || letter == '|');
    match tokens.last() {
        Some(last) if !ends && !last.is_bar => {
            let begun = before[last.at..].to_owned();
            tokens.pop();
            (begun, tokens)
        }
        Some(_) | None => (String::new(), tokens),
    }
}

fn fitting(following: Vec<Following>, begun: &str) -> Vec<Following> {
    let begun = begun.to_lowercase();
    let fits =
        |(name, _): &Following| name.starts_with('<') || name.to_lowercase().starts_with(&begun);
    following.into_iter().filter(fits).collect()
}

/// Is it `--token-file`, or another like it?
fn names_file(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name.starts_with("--") && name.ends_with("-file")
}

impl Unfit {
    /// What is said of it: the line with a mark under what is wrong, and the failure; `usage` is what to do.
    fn text(&self, line: &str, usage: &str) -> String {
        let (at, what, place, todo) = match self {
            Self::Usage(what) => (None, what.clone(), line.trim().to_owned(), usage.to_owned()),
            Self::Astray(Astray::Unknown { at, word, nearest }) => {
                let todo = match nearest {
                    _ if names_file(word) => NO_FILE.to_owned(),
                    Some(nearest) => format!("did you mean {nearest}?"),
                    None => "type ? in its place to see what may stand there".to_owned(),
                };
                (Some(*at), "Unknown command".to_owned(), word.clone(), todo)
            }
            Self::Astray(Astray::Ambiguous {
                at,
                word,
                candidates,
            }) => {
                let todo = format!("one of {}", candidates.join(", "));
                (
                    Some(*at),
                    "Ambiguous command".to_owned(),
                    word.clone(),
                    todo,
                )
            }
        };
        let mut text = String::new();
        if let Some(at) = at {
            let columns = line[..at].width();
            text = format!("{INDENT}{}\n{INDENT}{:columns$}^\n", line.trim_end(), "");
        }
        text + &crate::output::failure_line(&Failure::new(what, place, todo))
    }
}

#[cfg(test)]
mod tests;
