use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const PROMPT: &str = "[local]gw1# ";

/// A terminal that knows no more than a VT100: what it shows, row by row.
#[derive(Default)]
struct Terminal {
    columns: usize,
    cells: BTreeMap<(usize, usize), String>,
    row: usize,
    column: usize,
}

impl Terminal {
    fn show(&mut self, text: &str) {
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\r' => self.column = 0,
                '\n' => (self.row, self.column) = (self.row + 1, 0),
                '\x08' => self.column = self.column.min(self.columns - 1).saturating_sub(1),
                '\x07' => {}
                '\x1b' => self.sequence(&mut letters),
                letter => self.put(letter),
            }
        }
    }

    fn sequence(&mut self, letters: &mut impl Iterator<Item = char>) {
        assert_eq!(letters.next(), Some('['));
        let mut number = String::new();
        let last = letters.find(|letter| {
            let is_last = !letter.is_ascii_digit();
            if !is_last {
                number.push(*letter);
            }
            is_last
        });
        let count = number.parse().unwrap_or(1);
        match last {
            Some('A') => self.row = self.row.checked_sub(count).expect("above the top"),
            Some('B') => self.row += count,
            Some('C') => self.column = (self.column + count).min(self.columns - 1),
            Some('J') if number == "2" => self.cells.clear(),
            Some('J') => {
                let from = (self.row, self.column);
                self.cells.retain(|place, _| *place < from);
            }
            Some('H') => (self.row, self.column) = (0, 0),
            other => panic!("{other:?}"),
        }
    }

    fn put(&mut self, letter: char) {
        let width = letter.width().unwrap();
        if width == 0 {
            let last = (self.row, self.column - 1);
            return self.cells.entry(last).or_default().push(letter);
        }
        if self.column + width > self.columns {
            (self.row, self.column) = (self.row + 1, 0);
        }
        for filled in 0..width {
            let cell = (self.row, self.column + filled);
            let text = if filled == 0 {
                letter.to_string()
            } else {
                String::new()
            };
            self.cells.insert(cell, text);
        }
        self.column += width;
    }

    fn rows(&self, from: usize) -> Vec<String> {
        let mut rows = Vec::new();
        for ((row, _), text) in self.cells.range((from, 0)..) {
            rows.resize(rows.len().max(row - from + 1), String::new());
            rows[row - from].push_str(text);
        }
        let trimmed = rows.iter().map(|row| row.trim_end().to_owned());
        let mut rows: Vec<String> = trimmed.collect();
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        rows
    }
}

fn keys(editor: &mut Editor, keys: &str) -> (Typed, String) {
    let mut shown = String::new();
    let mut last = Typed::On;
    for byte in keys.bytes() {
        let (typed, text) = editor.key(byte, Some(80));
        shown.push_str(&text);
        last = typed;
    }
    (last, shown)
}

fn editor() -> Editor {
    let mut editor = Editor::new();
    assert_eq!(editor.begin(PROMPT, Some(80)), PROMPT);
    editor
}

#[test]
fn letters_are_shown_as_they_are_and_nothing_else() {
    let mut editor = editor();
    let line = "show version é|";
    let (typed, shown) = keys(&mut editor, line);
    assert_eq!((typed, shown.as_str()), (Typed::On, line));
    assert_eq!(
        keys(&mut editor, "\r"),
        (Typed::Line(line.to_owned()), "\n".to_owned())
    );
}

#[test]
fn a_line_is_edited_in_its_middle() {
    for (typed, line) in [
        ("shw\x1b[Do\r", "show"),
        ("how\x01s\r", "show"),
        ("show x\x1b[D\x1b[3~y\r", "show y"),
        ("show x\x7fy\r", "show y"),
        ("show license\x17version\r", "show version"),
        ("xx show\x01\x1bf\x15\x04show\r", "showshow"),
        ("show\x15end\r", "end"),
        ("show version\x01\x0bend\r", "end"),
        ("日本\x7f語\r", "日語"),
        ("a\x1b[200~b\x1bOAc\r", "abc"),
        ("\u{85}a\x00\r", "a"),
    ] {
        let mut editor = editor();
        assert_eq!(
            keys(&mut editor, typed).0,
            Typed::Line(line.to_owned()),
            "{typed:?}"
        );
    }
}

#[test]
fn what_is_no_letter_is_left_out() {
    let mut editor = editor();
    for byte in [b'a', 0xff, 0xc3, b'b', 0xe6, 0x97, 0xa5] {
        editor.key(byte, None);
    }
    assert_eq!(editor.key(b'\r', None).0, Typed::Line("a日".to_owned()));
}

#[test]
fn a_question_and_a_tab_are_told_with_what_is_before_them() {
    let mut editor = editor();
    let (typed, shown) = keys(&mut editor, "show li?");
    assert_eq!(typed, Typed::Help("show li".to_owned()));
    assert!(shown.ends_with("show li?\n"));
    assert_eq!(editor.again(), format!("{PROMPT}show li"));
    // In quotes it is a letter.
    let (typed, _) = keys(&mut editor, " \"a?\"\t");
    assert_eq!(typed, Typed::Complete("show li \"a?\"".to_owned()));
}

#[test]
fn a_word_becomes_the_one_or_what_all_begin_with_or_all_are_listed() {
    let names =
        |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let mut editor = editor();
    keys(&mut editor, "sh");
    assert_eq!(editor.become_one_of(0, &names(&["show"])), "ow ");
    keys(&mut editor, "s");
    assert_eq!(
        editor.become_one_of(5, &names(&["statistics", "status"])),
        "tat"
    );
    let listed = editor.become_one_of(5, &names(&["statistics", "status"]));
    assert_eq!(listed, format!("\nstatistics  status\n{PROMPT}show stat"));
    assert_eq!(editor.become_one_of(5, &[]), BELL);
    assert_eq!(
        keys(&mut editor, "\r").0,
        Typed::Line("show stat".to_owned())
    );
    // Another case than was typed.
    editor.begin(PROMPT, None);
    keys(&mut editor, "feature gr");
    editor.become_one_of(8, &names(&["GRE"]));
    assert_eq!(
        keys(&mut editor, "\r").0,
        Typed::Line("feature GRE ".to_owned())
    );
}

#[test]
fn lines_before_are_called_back_and_what_was_typed_stays() {
    let mut editor = editor();
    for line in ["one", "two", "two", " "] {
        editor.remember(line);
    }
    let (up, down) = ("\x1b[A", "\x1b[B");
    for (typed, line) in [
        (format!("{up}\r"), "two"),
        (format!("{up}{up}{up}\r"), "one"),
        (format!("new{up}{up}{down}{down}\r"), "new"),
        (format!("new{down}\r"), "new"),
        (format!("{up}{up}{down}!\r"), "two!"),
    ] {
        editor.begin(PROMPT, None);
        assert_eq!(
            keys(&mut editor, &typed).0,
            Typed::Line(line.to_owned()),
            "{typed:?}"
        );
    }
    for number in 0..=HISTORY_LINES {
        editor.remember(&number.to_string());
    }
    assert_eq!(editor.history.len(), HISTORY_LINES);
    assert_eq!(editor.history.front().map(String::as_str), Some("1"));
}

#[test]
fn a_line_has_an_end_and_ctrl_d_ends_only_an_empty_one() {
    let mut editor = editor();
    let (_, shown) = keys(&mut editor, &"x".repeat(LINE_BYTES_MAX + 1));
    assert!(shown.ends_with(BELL));
    let whole = Typed::Line("x".repeat(LINE_BYTES_MAX));
    assert_eq!(keys(&mut editor, "\x04\r").0, whole);
    editor.begin(PROMPT, None);
    assert_eq!(keys(&mut editor, "a\x03").0, Typed::Interrupted);
    editor.begin(PROMPT, None);
    assert_eq!(keys(&mut editor, "\x04").0, Typed::End);
}

fn key() -> impl Strategy<Value = String> {
    let keys = [
        "a",
        "b",
        " ",
        "é",
        "日",
        "e\u{301}",
        "?",
        "\t",
        "\x7f",
        "\x01",
        "\x05",
        "\x02",
        "\x06",
        "\x0b",
        "\x15",
        "\x17",
        "\x1b[A",
        "\x1b[B",
        "\x1b[C",
        "\x1b[D",
        "\x1b[3~",
        "\r",
        "\x03",
        "words of a line",
    ];
    prop::sample::select(keys.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn the_terminal_shows_the_prompt_and_the_line(
        typed in prop::collection::vec(key(), 0..60),
        columns in 5_usize..40,
    ) {
        let mut editor = Editor::new();
        let mut terminal = Terminal { columns, ..Terminal::default() };
        let wide = u16::try_from(columns).ok();
        let mut top = 0;
        terminal.show(&editor.begin(PROMPT, wide));
        for byte in typed.concat().bytes() {
            let (typed, shown) = editor.key(byte, wide);
            terminal.show(&shown);
            let again = match typed {
                Typed::On => None,
                Typed::Help(_) => Some(editor.again()),
                Typed::Complete(before) => {
                    let begins = before.rfind(' ').map_or(0, |at| at + 1);
                    let names = ["ab", "abc"].map(str::to_owned);
                    terminal.show(&editor.become_one_of(begins, &names));
                    // Listed or not, the prompt is where the cursor is, less its rows.
                    top = terminal.row - editor.row;
                    None
                }
                Typed::Line(line) => {
                    editor.remember(&line);
                    Some(editor.begin(PROMPT, wide))
                }
                Typed::Interrupted | Typed::End => Some(editor.begin(PROMPT, wide)),
            };
            if let Some(again) = again {
                prop_assert_eq!(terminal.column, 0);
                prop_assert!(terminal.rows(terminal.row).is_empty());
                top = terminal.row;
                terminal.show(&again);
            }
            let mut expected = Terminal { columns, ..Terminal::default() };
            expected.show(PROMPT);
            expected.show(&editor.text);
            prop_assert_eq!(terminal.rows(top), expected.rows(0));
            let (row, column) = editor.place(editor.at);
            prop_assert_eq!((terminal.row, terminal.column), (top + row, column));
        }
    }
}
