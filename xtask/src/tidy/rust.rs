//! Just enough of Rust to look at code without its comments, texts and tests.

use std::ops::Range;

/// The source with comments, strings and character literals turned to blanks; line breaks stay where they are.
pub fn code(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = blank_length(rest, &out);
        let (taken, keep) = match length {
            0 => (first.len_utf8(), true),
            length => (length, false),
        };
        let (piece, after) = rest.split_at(taken);
        if keep {
            out.push_str(piece);
        } else {
            out.push_str(&blank(piece));
        }
        rest = after;
    }
    out
}

/// As many bytes of blanks, with the line breaks kept.
fn blank(text: &str) -> String {
    let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
    text.bytes().map(blank).collect()
}

/// Bytes to blank at the start of `rest`; 0: code. `before` is the code so far.
fn blank_length(rest: &str, before: &str) -> usize {
    let in_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with('"') {
        string(rest, 0)
    } else if !in_word && let Some(prefix) = raw_prefix(rest) {
        raw_string(rest, prefix)
    } else if rest.starts_with('\'') {
        character(rest)
    } else {
        0
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Length of a string that begins with a quote at `open`.
fn string(rest: &str, open: usize) -> usize {
    let mut escaped = false;
    for (at, c) in rest[open + 1..].char_indices() {
        match c {
            '"' if !escaped => return open + 1 + at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    rest.len()
}

/// `r"`, `br##"` and the like: bytes up to the quote, and the number of hashes.
fn raw_prefix(rest: &str) -> Option<(usize, usize)> {
    let after = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let quote = rest.len() - after.len() + hashes;
    rest[quote..].starts_with('"').then_some((quote, hashes))
}

fn raw_string(rest: &str, (quote, hashes): (usize, usize)) -> usize {
    let end = format!("\"{}", "#".repeat(hashes));
    let body = quote + 1;
    rest[body..]
        .find(&end)
        .map_or(rest.len(), |at| body + at + end.len())
}

/// A character literal; a lifetime is code.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            let close = rest[3.min(rest.len())..].find('\'');
            close.map_or(0, |at| at + 4)
        }
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            Some(_) | None => 0,
        },
        None => 0,
    }
}

/// Blanks every item under `#[cfg(test)]` in what [`code`] gave.
pub fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    for item in test_items(code) {
        let blank = blank(&out[item.clone()]);
        out.replace_range(item, &blank);
    }
    out
}

/// Where the items under `#[cfg(test)]` stand in what [`code`] gave, which is as long as the source, byte for byte.
pub fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for marker in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (at, _) in code.match_indices(marker) {
            if !items.iter().any(|item| item.contains(&at)) {
                items.push(at..at + item_length(&code[at..]));
            }
        }
    }
    items
}

/// Length of an item with its attributes: to its semicolon, or to the brace that closes it.
fn item_length(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Line of a byte, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// Places where `word` stands in code, not as a part of a longer word.
pub fn places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let starts = word.starts_with(part) && code[..*at].ends_with(part);
            let ends = word.ends_with(part) && code[at + word.len()..].starts_with(part);
            !starts && !ends
        })
}

/// Every path that a `use` names, written out: `use std::{fs, net::{self, IpAddr}};` gives `std::fs`, `std::net` and
/// `std::net::IpAddr`, each with the place of its `use`.
pub fn used_paths(code: &str) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for at in places(code, "use") {
        let tree = &code[at + 3..];
        let tree = &tree[..tree.find(';').unwrap_or(tree.len())];
        let tree: String = strip_aliases(tree).split_whitespace().collect();
        for path in expand(&tree) {
            paths.push((at, path));
        }
    }
    paths
}

fn strip_aliases(tree: &str) -> String {
    let mut words = tree.split_inclusive(|c: char| c.is_whitespace() || ",{}".contains(c));
    let mut out = String::new();
    while let Some(word) = words.next() {
        if word.trim_end() == "as" {
            let alias = words.next().unwrap_or("");
            out.extend(alias.chars().filter(|c| ",{}".contains(*c)));
        } else {
            out.push_str(word);
        }
    }
    out
}

fn expand(tree: &str) -> Vec<String> {
    let Some(open) = tree.find('{') else {
        let path = tree.strip_suffix("::self").unwrap_or(tree);
        return vec![path.trim_start_matches("::").to_owned()];
    };
    let (prefix, group) = tree.split_at(open);
    let group = group.trim_start_matches('{').to_owned();
    let group = group.strip_suffix('}').unwrap_or(&group);
    split_top(group)
        .into_iter()
        .filter(|branch| !branch.is_empty())
        .flat_map(|branch| expand(&format!("{prefix}{branch}")))
        .collect()
}

/// Splits at commas outside of braces.
fn split_top(group: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_not_code() {
        let source = "a // b\n\"c \\\" d\" e /* f /* g */ h */ i\nr#\"j \" k\"# l 'm' '\\'' n<'o> br\"p\" q \"ü\"";
        let words: Vec<String> = code(source).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words, ["a", "e", "i", "l", "n<'o>", "q"]);
        assert_eq!(code(source).matches('\n').count(), 2);
        assert_eq!(code(source).len(), source.len());
    }

    #[test]
    fn tests_are_not_production() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { x[0]; }\n}\n#[cfg(test)]\nmod c;\nfn d() {}\n";
        let left = without_tests(&code(source));
        let words: Vec<&str> = left.split_whitespace().collect();
        assert_eq!(words, ["fn", "a()", "{}", "fn", "d()", "{}"]);
        assert_eq!(line_of(&left, left.find("d()").unwrap()), 8);
    }

    #[test]
    fn used_paths_are_written_out() {
        let source = "use std::{fs, net::{self, IpAddr as A}, sync::Arc};\nuse ::tokio as t;\nlet reuse = 1; use a::b;";
        let paths: Vec<String> = used_paths(source).into_iter().map(|(_, p)| p).collect();
        let expected = [
            "std::fs",
            "std::net",
            "std::net::IpAddr",
            "std::sync::Arc",
            "tokio",
            "a::b",
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn a_word_is_whole() {
        assert_eq!(places("fuse use used use", "use").count(), 2);
        assert_eq!(
            places("x.std::fs std::fsx std::fs::a", "std::fs").count(),
            2
        );
    }
}
