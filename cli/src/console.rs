//! Where a command reads and writes: a terminal, or whoever runs it in place of one.

use std::io::{self, BufRead, IsTerminal, Read};

use api::APPLY_BYTES_MAX;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::client::Client;
use crate::grammar::SocketArgs;
use crate::output;

/// Longest line that is read, in bytes, with its end.
pub const LINE_BYTES_MAX: u64 = 4 * 1024;

/// What a command that asks a node has of the world: it prints, asks and reads by this alone.
pub trait Console {
    /// Writes a part of the answer, as it is.
    fn write(&mut self, text: &str);

    /// Writes the date line that an answer begins with; whoever has one already leaves it out.
    fn heading(&mut self, line: &str) {
        self.write(line);
    }

    /// Asks, and reads one line without its end; empty at the end of the input.
    fn ask(&mut self, question: &str) -> io::Result<String>;

    /// Asks for what nobody else may see; where nobody types, a line is read in silence.
    fn secret(&mut self, prompt: &str) -> io::Result<String>;

    /// The next line of the input, without its end: a secret that was announced as `-`.
    fn line(&mut self) -> io::Result<String>;

    /// The next line of the input, without its end, which is no secret; none: there is no more.
    fn typed(&mut self) -> io::Result<Option<String>>;

    /// Whoever types is asked about what ends more than calls: a session, not a command line of its own.
    fn asks(&self) -> bool {
        false
    }

    /// What asks the node: by the socket that was named, unless whoever types is somewhere else.
    fn client(&self, socket: &SocketArgs) -> Client {
        Client::new(socket.path())
    }
}

/// Standard input and output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal;

impl Console for Terminal {
    fn write(&mut self, text: &str) {
        output::print(&output::harmless(text));
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        output::print(question);
        self.line()
    }

    fn secret(&mut self, prompt: &str) -> io::Result<String> {
        if !io::stdin().is_terminal() {
            return self.line();
        }
        // Before the prompt: whoever answers it at once is heard, and not shown.
        let quiet = Quiet::begin()?;
        output::complain(prompt);
        let line = self.line();
        drop(quiet);
        output::complain("\n");
        line
    }

    fn line(&mut self) -> io::Result<String> {
        read_line(&mut io::stdin().lock())
    }

    fn typed(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let mut input = io::stdin().lock().take(APPLY_BYTES_MAX as u64 + 1);
        let read = input.read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// A line without its end, and not more of it than [`LINE_BYTES_MAX`].
pub fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.take(LINE_BYTES_MAX).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The terminal shows nothing of what is typed until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to be put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
