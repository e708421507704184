//! A line as it is typed at a terminal: a machine that keys go into and what the terminal is to show comes out of.
//!
//! It is the same at a terminal of this machine and at one behind SSH. Nothing is written behind the prompt and what was
//! typed, because programs that drive a shell wait for a line that ends with the prompt; a letter at the end of a line is
//! shown as it is, and all else draws the line anew, by the sequences that each terminal since the VT100 has.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{LINE_BYTES_MAX, is_quoting};

/// Lines that may be called back.
const HISTORY_LINES: usize = 1000;

/// Columns of a terminal that doesn't tell.
const COLUMNS: u16 = 80;

const BELL: &str = "\x07";

/// Longest sequence of a key, in bytes behind Escape; what is longer is none.
const SEQUENCE_BYTES_MAX: usize = 8;

/// What a key made of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// Nothing that is another's.
    On,
    /// The line is whole.
    Line(String),
    /// `?`: what may follow these letters is to be shown, and then [`Editor::again`].
    Help(String),
    /// Tab behind these letters: what they may become goes to [`Editor::become_one_of`].
    Complete(String),
    /// Ctrl-C: the line is dropped.
    Interrupted,
    /// Ctrl-D at an empty line.
    End,
}

/// The line that is being typed, and those before it.
#[derive(Debug)]
pub struct Editor {
    prompt: String,
    columns: usize,
    text: String,
    /// Bytes of `text` before the cursor.
    at: usize,
    history: VecDeque<String>,
    /// The line of history that is shown, and what was typed before it was.
    back: Option<(usize, String)>,
    /// Bytes of a letter, or of a key behind Escape, that is not whole.
    part: Vec<u8>,
    in_sequence: bool,
    /// The row of the cursor, counted from that of the prompt.
    row: usize,
    shown: String,
}

impl Editor {
    /// With nothing typed before.
    pub fn new() -> Self {
        Self {
            prompt: String::new(),
            columns: usize::from(COLUMNS),
            text: String::new(),
            at: 0,
            history: VecDeque::new(),
            back: None,
            part: Vec::new(),
            in_sequence: false,
            row: 0,
            shown: String::new(),
        }
    }

    /// Begins a line behind this prompt. What is to be shown.
    pub fn begin(&mut self, prompt: &str, columns: Option<u16>) -> String {
        self.prompt = prompt.to_owned();
        self.text.clear();
        self.at = 0;
        self.back = None;
        self.wide(columns);
        self.again()
    }

    /// The prompt and the line once more, on a row of their own. What is to be shown.
    pub fn again(&mut self) -> String {
        self.print();
        std::mem::take(&mut self.shown)
    }

    /// Keeps a line, so that it can be called back.
    pub fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || self.history.back().is_some_and(|last| last == line) {
            return;
        }
        if self.history.len() == HISTORY_LINES {
            self.history.pop_front();
        }
        self.history.push_back(line.to_owned());
    }

    /// One byte from the keyboard. What it made of the line, and what is to be shown.
    pub fn key(&mut self, byte: u8, columns: Option<u16>) -> (Typed, String) {
        self.wide(columns);
        let typed = match byte {
            _ if self.in_sequence => self.sequence(byte),
            0x1b => {
                self.part.clear();
                self.in_sequence = true;
                Typed::On
            }
            0..0x20 | 0x7f => self.control(byte),
            _ => self.letter(byte),
        };
        (typed, std::mem::take(&mut self.shown))
    }

    /// The word that begins at this byte becomes one of these. What is to be shown.
    pub fn become_one_of(&mut self, begins: usize, names: &[String]) -> String {
        let typed = self.text.get(begins..self.at).unwrap_or_default().len();
        match names {
            [] => self.shown.push_str(BELL),
            [only] => self.replace(begins, &format!("{only} ")),
            [first, others @ ..] => {
                let common = others.iter().fold(first.len(), |common, name| {
                    let same = first.bytes().zip(name.bytes());
                    same.take(common).take_while(|(a, b)| a == b).count()
                });
                match first.get(..common) {
                    Some(common) if common.len() > typed => self.replace(begins, common),
                    Some(_) | None => self.list(names),
                }
            }
        }
        std::mem::take(&mut self.shown)
    }

    fn wide(&mut self, columns: Option<u16>) {
        self.columns = usize::from(columns.unwrap_or(COLUMNS)).max(2);
    }

    fn replace(&mut self, begins: usize, with: &str) {
        if self.text.len() + with.len() > LINE_BYTES_MAX {
            return self.shown.push_str(BELL);
        }
        let at_end = self.at == self.text.len();
        let typed = self.text.get(begins..self.at).map(str::to_owned);
        match (at_end, typed) {
            // As if it were typed.
            (true, Some(typed)) if with.starts_with(&typed) => self.insert(&with[typed.len()..]),
            (_, Some(_)) => {
                self.text.replace_range(begins..self.at, with);
                self.at = begins + with.len();
                self.draw();
            }
            (_, None) => {}
        }
    }

    /// Names in columns below the line, and the line again.
    fn list(&mut self, names: &[String]) {
        let widest = names.iter().map(|name| name.width()).max().unwrap_or(0) + 2;
        let a_row = (self.columns / widest).max(1);
        self.leave();
        for row in names.chunks(a_row) {
            let padded = row.iter().map(|name| {
                let pad = widest.saturating_sub(name.width());
                format!("{name}{:pad$}", "")
            });
            let line: String = padded.collect();
            self.shown.push_str(line.trim_end());
            self.shown.push('\n');
        }
        self.print();
    }

    fn control(&mut self, byte: u8) -> Typed {
        self.part.clear();
        match byte {
            b'\r' | b'\n' => {
                self.leave();
                return Typed::Line(std::mem::take(&mut self.text));
            }
            b'\t' => return Typed::Complete(self.before().to_owned()),
            3 => {
                self.leave();
                return Typed::Interrupted;
            }
            4 if self.text.is_empty() => {
                self.shown.push('\n');
                return Typed::End;
            }
            // Ctrl- and a letter, as Emacs has them.
            1 => self.to(0),
            2 => self.to(self.left()),
            4 => self.remove(self.at, self.right()),
            5 => self.to(self.text.len()),
            6 => self.to(self.right()),
            8 | 0x7f => self.rub_out(),
            11 => self.remove(self.at, self.text.len()),
            12 => {
                self.shown.push_str("\x1b[H\x1b[2J");
                self.print();
            }
            14 => self.newer(),
            16 => self.older(),
            21 => self.remove(0, self.at),
            23 => self.remove(self.word_left(), self.at),
            _ => self.shown.push_str(BELL),
        }
        Typed::On
    }

    /// A key behind Escape, ECMA-48 5.4: `[`, parameters of 30 to 3F, one of 40 to 7E; or `O` and one, as the keypad has it.
    fn sequence(&mut self, byte: u8) -> Typed {
        self.part.push(byte);
        let whole = match self.part[..] {
            [b'[' | b'O'] => false,
            [b'[', ..] => (0x40..0x7f).contains(&byte),
            _ => true,
        };
        if !whole && self.part.len() < SEQUENCE_BYTES_MAX {
            return Typed::On;
        }
        self.in_sequence = false;
        match &std::mem::take(&mut self.part)[..] {
            b"[A" | b"OA" => self.older(),
            b"[B" | b"OB" => self.newer(),
            b"[C" | b"OC" => self.to(self.right()),
            b"[D" | b"OD" => self.to(self.left()),
            b"[H" | b"OH" | b"[1~" | b"[7~" => self.to(0),
            b"[F" | b"OF" | b"[4~" | b"[8~" => self.to(self.text.len()),
            b"[3~" => self.remove(self.at, self.right()),
            b"b" | b"[1;5D" => self.to(self.word_left()),
            b"f" | b"[1;5C" => self.to(self.word_right()),
            b"\x7f" => self.remove(self.word_left(), self.at),
            _ => {}
        }
        Typed::On
    }

    /// One byte of a letter.
    fn letter(&mut self, byte: u8) -> Typed {
        if byte == b'?' && !is_quoting(self.before()) {
            self.part.clear();
            match self.at == self.text.len() {
                true => self.shown.push_str("?\n"),
                false => self.leave(),
            }
            return Typed::Help(self.before().to_owned());
        }
        self.part.push(byte);
        match std::str::from_utf8(&self.part) {
            Ok(letter) => {
                let letter = letter.to_owned();
                self.part.clear();
                match letter.chars().all(|letter| letter.width().is_some()) {
                    true => self.insert(&letter),
                    false => self.shown.push_str(BELL),
                }
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) => {
                self.part.clear();
                self.shown.push_str(BELL);
            }
        }
        Typed::On
    }

    fn insert(&mut self, text: &str) {
        if self.text.len() + text.len() > LINE_BYTES_MAX {
            return self.shown.push_str(BELL);
        }
        let at_end = self.at == self.text.len();
        let room = self.columns - self.place(self.text.len()).1;
        self.text.insert_str(self.at, text);
        self.at += text.len();
        match at_end && (1..room).contains(&text.width()) {
            true => self.shown.push_str(text),
            false => self.draw(),
        }
    }

    fn rub_out(&mut self) {
        let (end, column) = (self.text.len(), self.place(self.at).1);
        let left = self.left();
        let is_plain = self.at == end && column > 0 && self.text[left..].width() == 1;
        if !is_plain {
            return self.remove(left, self.at);
        }
        self.text.truncate(left);
        self.at = left;
        self.shown.push_str("\x08 \x08");
    }

    fn remove(&mut self, from: usize, until: usize) {
        if from < until {
            self.text.replace_range(from..until, "");
            self.at = from;
            self.draw();
        }
    }

    fn to(&mut self, at: usize) {
        if at != self.at {
            self.at = at;
            self.draw();
        }
    }

    fn older(&mut self) {
        let next = match &self.back {
            None => self.history.len().checked_sub(1),
            Some((shown, _)) => shown.checked_sub(1),
        };
        let Some(next) = next else {
            return self.shown.push_str(BELL);
        };
        let typed = match self.back.take() {
            Some((_, typed)) => typed,
            None => std::mem::take(&mut self.text),
        };
        self.text = self.history.get(next).cloned().unwrap_or_default();
        self.back = Some((next, typed));
        self.at = self.text.len();
        self.draw();
    }

    fn newer(&mut self) {
        let Some((shown, typed)) = self.back.take() else {
            return self.shown.push_str(BELL);
        };
        match self.history.get(shown + 1) {
            Some(line) => {
                self.text.clone_from(line);
                self.back = Some((shown + 1, typed));
            }
            None => self.text = typed,
        }
        self.at = self.text.len();
        self.draw();
    }

    fn before(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    fn left(&self) -> usize {
        let last = self.before().char_indices().next_back();
        last.map_or(0, |(at, _)| at)
    }

    fn right(&self) -> usize {
        let next = self.text[self.at..].chars().next();
        self.at + next.map_or(0, char::len_utf8)
    }

    fn word_left(&self) -> usize {
        let before = self.before().trim_end();
        before.rfind(char::is_whitespace).map_or(0, |at| {
            at + before[at..].chars().next().map_or(0, char::len_utf8)
        })
    }

    fn word_right(&self) -> usize {
        let after = &self.text[self.at..];
        let word = after.len() - after.trim_start().len();
        let end = after[word..].find(char::is_whitespace);
        end.map_or(self.text.len(), |end| self.at + word + end)
    }

    /// Row and column, from those of the prompt, of the letter at this byte. A letter that has no room in a row goes to the
    /// next one.
    fn place(&self, at: usize) -> (usize, usize) {
        let (mut row, mut column) = (0, 0);
        let before = self.text.get(..at).unwrap_or_default();
        for letter in self.prompt.chars().chain(before.chars()) {
            let width = letter.width().unwrap_or(0);
            if column + width > self.columns {
                (row, column) = (row + 1, 0);
            }
            column += width;
        }
        match column == self.columns {
            true => (row + 1, 0),
            false => (row, column),
        }
    }

    /// Draws prompt and line over what is there, from the row of the prompt on.
    fn draw(&mut self) {
        self.shown.push('\r');
        self.up(self.row);
        self.shown.push_str("\x1b[J");
        self.print();
    }

    /// The same where nothing is there.
    fn print(&mut self) {
        self.shown.push_str(&self.prompt);
        self.shown.push_str(&self.text);
        let (end, column) = self.place(self.text.len());
        if (end, column) != (0, 0) && column == 0 {
            // A terminal goes to the next row only with a letter that stands there.
            self.shown.push_str(" \r");
        }
        let (row, column) = self.place(self.at);
        if self.at < self.text.len() {
            self.shown.push('\r');
            self.up(end - row);
            if column > 0 {
                self.shown.push_str(&format!("\x1b[{column}C"));
            }
        }
        self.row = row;
    }

    /// To a new row below the line.
    fn leave(&mut self) {
        let (row, _) = self.place(self.at);
        let (end, column) = self.place(self.text.len());
        for _ in row..end {
            self.shown.push_str("\x1b[B");
        }
        // Below a full row there is an empty one.
        if (end, column) == (0, 0) || column > 0 {
            self.shown.push('\n');
        } else {
            self.shown.push('\r');
        }
        self.row = 0;
    }

    fn up(&mut self, rows: usize) {
        if rows > 0 {
            self.shown.push_str(&format!("\x1b[{rows}A"));
        }
    }
}
