//! What must hold of any line that is typed in the shell, and of any text that is read as a configuration.

use std::error::Error;
use std::io;

use api::Privilege;
use cli::console::Console;
use cli::shell::{More, Next, Runner, Screen, Shell};
use licensing::Wall;
use node::config::text::{print, table_of};

/// Longest input that is tried.
const BYTES_MAX: usize = 200;

/// Longest answer to a line, and longest help of it.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// Lines by which each mode is entered.
const MODES: [&[&str]; 4] = [
    &[],
    &["configure"],
    &["configure", "bulkstats mode"],
    &["configure", "bulkstats mode", "file 1"],
];

/// Somebody who says yes.
#[derive(Default)]
struct Somebody(String);

impl Console for Somebody {
    fn write(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        self.0.push_str(question);
        self.line()
    }

    fn secret(&mut self, prompt: &str) -> io::Result<String> {
        self.ask(prompt)
    }

    fn line(&mut self) -> io::Result<String> {
        Ok("Yes".to_owned())
    }

    fn typed(&mut self) -> io::Result<Option<String>> {
        Ok(None)
    }
}

impl Screen for Somebody {
    fn size(&self) -> Option<(u16, u16)> {
        Some((24, 80))
    }

    fn more(&mut self, _percent: usize) -> More {
        More::Stop
    }

    fn now(&self) -> Wall {
        Wall(0)
    }
}

/// Does every command, and says so.
struct Anybody;

impl Runner for Anybody {
    fn run(&mut self, words: Vec<String>, console: &mut dyn Console) -> Result<(), Box<dyn Error>> {
        console.write(&format!("{}\n", words.join(" ")));
        Ok(())
    }
}

/// A line in one of the modes, by one of the roles, which the first octet says: at its end and at one of its letters help and
/// completion answer, what is offered is no unknown command, the line is done or is said to be wrong, and all answers are bounded. None: it is no text.
pub fn grammar(input: &[u8]) -> Option<Next> {
    let (how, line) = input.split_first()?;
    let line = std::str::from_utf8(line).ok()?;
    if line.len() > BYTES_MAX || line.contains('\n') {
        return None;
    }
    let roles = [
        Privilege::Administrator,
        Privilege::Operator,
        Privilege::Inspector,
    ];
    let how = usize::from(*how);
    let mut shell = Shell::new("gw1", roles[how / MODES.len() % roles.len()]);
    let mut screen = Somebody::default();
    for entered in MODES[how % MODES.len()] {
        shell.line(entered, &mut Anybody, &mut screen);
    }
    // Each of a line's beginnings is a line that is tried, too: one of them is enough here.
    let places: Vec<usize> = line.char_indices().map(|(at, _)| at).collect();
    let part = places.get(how / MODES.len() / roles.len() % places.len().max(1));
    for end in part.copied().into_iter().chain([line.len()]) {
        let before = &line[..end];
        let bytes = shell.help(before).len();
        assert!((1..=OUTPUT_BYTES_MAX).contains(&bytes), "{before:?}");
        let (begins, names) = shell.complete(before);
        assert!(before.is_char_boundary(begins), "{before:?}");
        for name in names {
            let whole = format!("{}{name} ", &before[..begins]);
            let help = shell.help(&whole);
            assert!(!help.contains("Unknown command"), "{whole:?}: {help}");
        }
    }
    screen.0.clear();
    let next = shell.line(line, &mut Anybody, &mut screen);
    assert!(screen.0.len() <= OUTPUT_BYTES_MAX, "{line:?}");
    let failed = matches!(next, Next::Failed | Next::NotUnderstood);
    assert!(
        !failed || screen.0.contains("Failure: "),
        "{line:?}: {}",
        screen.0
    );
    Some(next)
}

/// A text: it is read, and what is printed of it reads the same; or it is said what is wrong and where in it. None: it is no text.
pub fn configuration(input: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(input).ok()?;
    match table_of(text) {
        Ok(table) => {
            let printed = print(&table);
            let again = table_of(&printed);
            assert_eq!(again.as_ref(), Ok(&table), "{printed}");
            assert_eq!(again.as_ref().map(print).as_ref(), Ok(&printed));
            Some(true)
        }
        Err(fault) => {
            assert!(!fault.what.is_empty(), "{text:?}");
            // Behind its last letter is where something is missing.
            let line = text.split('\n').nth(fault.line.wrapping_sub(1));
            let columns = line.map_or(0, |line| line.chars().count() + 1);
            assert!((1..=columns).contains(&fault.column), "{fault:?} {text:?}");
            Some(false)
        }
    }
}
