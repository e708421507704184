//! Standard output and standard error.

use std::borrow::Cow;
use std::error::Error;
use std::io::{self, Write};

/// Prints text as it is. A reader that went away (`| head`) is no failure.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    // Nothing is left to do when standard output is gone.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints text to standard error.
pub fn complain(text: &str) {
    // Nothing is left to do when standard error is gone.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Says on standard error that something failed.
pub fn fail(failure: &dyn Error) {
    complain(&failure_line(failure));
}

/// A text that can't do anything to a terminal but stand there: of control characters only ends of lines and tabs are
/// left, and none that turns the order of letters (Unicode Bidi_Control) or ends a line in another way.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let does = |letter: char| {
        (letter.is_control() && !['\n', '\t'].contains(&letter))
            || matches!(letter, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    match text.contains(does) {
        true => Cow::Owned(text.replace(does, " ")),
        false => Cow::Borrowed(text),
    }
}

/// The one line of a failure: what, where, and what to do.
pub fn failure_line(failure: &dyn Error) -> String {
    let line = failure.to_string();
    let line = harmless(&line);
    let words: Vec<&str> = line.split_whitespace().collect();
    format!("Failure: {}\n", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_does_nothing_to_a_terminal() {
        let hostile = "a\x1b]0;b\x07\u{9b}1m\u{202e}c\r\n\td\u{2028}é日";
        assert_eq!(harmless(hostile), "a ]0;b  1m c \n\td é日");
        assert!(matches!(harmless("plain\n"), Cow::Borrowed(_)));
        let error = std::io::Error::other("no \x1b[2J\nof this");
        assert_eq!(failure_line(&error), "Failure: no [2J of this\n");
    }
}
