//! Standard output and standard error.

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

/// The one line of a failure: what, where, and what to do.
pub fn failure_line(failure: &dyn Error) -> String {
    let line = failure.to_string();
    let words: Vec<&str> = line.split_whitespace().collect();
    format!("Failure: {}\n", words.join(" "))
}
