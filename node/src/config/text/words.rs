//! Lines of words: blanks part them, double quotes keep them together, and within those a backslash escapes.

use std::borrow::Cow;
use std::ops::Range;

use super::read::Fault;

/// A word and where it stands, in bytes of the whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// Without quotes.
    pub(super) text: Cow<'a, str>,
    pub(super) at: Range<usize>,
    pub(super) quoted: bool,
}

/// A line that has words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) words: Vec<Word<'a>>,
}

/// The lines that are neither empty nor remarks.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Line<'_>, Fault>> {
    let mut at = 0;
    let with_places = text.split('\n').map(move |line| {
        let begins = at;
        at += line.len() + 1;
        (begins, line)
    });
    with_places
        .filter(|(_, line)| !is_remark(line.trim()))
        .map(|(begins, line)| {
            let words = words(line, begins)?;
            Ok(Line { words })
        })
}

fn is_remark(line: &str) -> bool {
    line.is_empty() || line.starts_with('!') || line.starts_with('#') && line != "#exit"
}

fn words(line: &str, begins: usize) -> Result<Vec<Word<'_>>, Fault> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        let blank = |letter: char| letter.is_whitespace();
        rest = rest.trim_start_matches(blank);
        let start = line.len() - rest.len();
        if rest.is_empty() {
            return Ok(words);
        }
        let (text, bytes, quoted) = match rest.strip_prefix('"') {
            None => {
                let end = rest.find(blank).unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), end, false)
            }
            Some(inside) => {
                let Some((text, bytes)) = unquoted(inside) else {
                    let what = "a quote that is not closed, or a backslash before no letter that may be escaped";
                    return Err(Fault::new(begins + start, what));
                };
                (Cow::Owned(text), bytes + 1, true)
            }
        };
        if !quoted && text.contains(['"', '\\']) {
            let what = format!("{text} wants to be in quotes");
            return Err(Fault::new(begins + start, what));
        }
        rest = &rest[bytes..];
        if !rest.is_empty() && !rest.starts_with(blank) {
            let what = "a blank is missing behind the quote";
            return Err(Fault::new(begins + start + bytes, what));
        }
        let at = begins + start..begins + start + bytes;
        words.push(Word { text, at, quoted });
    }
}

/// What is before the closing quote, and the bytes that it took with that; none: there is no such quote, or a backslash
/// without sense.
fn unquoted(inside: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((text, at + 1)),
            '\\' => text.push(match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'u' => {
                    let hex = inside[at + 2..].strip_prefix('{')?;
                    let hex = &hex[..hex.find('}')?];
                    letters
                        .by_ref()
                        .take(hex.chars().count() + 2)
                        .for_each(drop);
                    char::from_u32(u32::from_str_radix(hex, 16).ok()?)?
                }
                other @ ('"' | '\\') => other,
                _ => return None,
            }),
            letter => text.push(letter),
        }
    }
    None
}

/// The word as it is written: in quotes where it needs them.
pub(super) fn written(word: &str) -> Cow<'_, str> {
    let bare = |letter: char| {
        !letter.is_whitespace() && !letter.is_control() && !matches!(letter, '"' | '\\' | '|' | '?')
    };
    if !word.is_empty() && word.chars().all(bare) && !word.starts_with(['#', '!']) {
        return Cow::Borrowed(word);
    }
    let mut quoted = String::from("\"");
    for letter in word.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => {
                quoted.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}
