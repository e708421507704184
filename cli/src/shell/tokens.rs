//! A line as words, each with its place.

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Without quotes.
    pub text: String,
    /// Where it begins, in bytes.
    pub at: usize,
    /// A bar that hands the answer on, not one in quotes.
    pub is_bar: bool,
}

/// The words of a line: blanks part them, but for those in double quotes; a bar is a word. A quote that is not closed ends
/// with the line; one behind a backslash is none, and both stay.
pub fn tokens(line: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut quoted = false;
    let mut inside = false;
    let mut escaped = false;
    for (at, letter) in line.char_indices() {
        let is_escaped = escaped;
        escaped = quoted && letter == '\\' && !escaped;
        if letter == '"' && !is_escaped {
            if !inside {
                tokens.push(Token::new(at));
                inside = true;
            }
            quoted = !quoted;
            continue;
        }
        if !quoted && (letter.is_whitespace() || letter.is_control()) {
            inside = false;
            continue;
        }
        if !quoted && letter == '|' {
            inside = false;
            let bar = Token {
                text: "|".to_owned(),
                is_bar: true,
                ..Token::new(at)
            };
            tokens.push(bar);
            continue;
        }
        if !inside {
            tokens.push(Token::new(at));
            inside = true;
        }
        if let Some(token) = tokens.last_mut() {
            token.text.push(letter);
        }
    }
    tokens
}

/// Does the line end in quotes that are not closed?
pub fn is_quoting(line: &str) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    for letter in line.chars() {
        let is_escaped = escaped;
        escaped = quoted && letter == '\\' && !escaped;
        quoted ^= letter == '"' && !is_escaped;
    }
    quoted
}

impl Token {
    fn new(at: usize) -> Self {
        Self {
            text: String::new(),
            at,
            is_bar: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_part_words_quotes_keep_them_and_a_bar_is_one() {
        let of = |line: &str| {
            let tokens = tokens(line).into_iter();
            let shown = tokens.map(|t| (t.text, t.at, t.is_bar));
            shown.collect::<Vec<_>>()
        };
        let word = |text: &str, at| (text.to_owned(), at, false);
        assert_eq!(of("  show  x "), [word("show", 2), word("x", 8)]);
        assert_eq!(
            of(r#"a|grep "b | c""#),
            [
                word("a", 0),
                ("|".to_owned(), 1, true),
                word("grep", 2),
                word("b | c", 7)
            ]
        );
        assert_eq!(of(r#""" b"#), [word("", 0), word("b", 3)]);
        assert!(is_quoting("grep \"a?") && !is_quoting("grep \"a\""));
        let (text, open) = (r#"f "a\"b \\" c"#, r#"f "a\"?"#);
        let expected = [word("f", 0), word(r#"a\"b \\"#, 2), word("c", 12)];
        assert_eq!(of(text), expected);
        assert!(!is_quoting(text) && is_quoting(open));
    }
}
