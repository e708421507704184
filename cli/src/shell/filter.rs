//! What follows a bar: `grep`, `more` and `count`.

use regex::{Regex, RegexBuilder};

use super::tokens::Token;
use super::walk::{Astray, Following, chosen};

/// Longest compiled expression, in bytes.
const EXPRESSION_BYTES_MAX: usize = 1024 * 1024;

/// The names of filters, with their help.
const FILTERS: [(&str, &str); 3] = [
    ("count", "Say how many lines there are"),
    ("grep", "Only lines that match: [-i] [-v] [-E] EXPRESSION"),
    ("more", "A page at a time"),
];

/// What is done with the lines of an answer.
#[derive(Clone, Debug)]
pub enum Filter {
    /// Only lines that match, or do not.
    Grep {
        /// What is looked for.
        expression: Regex,
        /// Lines that do not match.
        inverted: bool,
    },
    /// A page at a time, also where the terminal has no pages.
    More,
    /// How many lines.
    Count,
}

/// Why it is no filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No such word.
    Astray(Astray),
    /// Something is missing or too much.
    Usage(String),
}

impl Filter {
    /// The words between two bars.
    pub fn of(words: &[Token]) -> Result<Self, Unfit> {
        let Some((name, arguments)) = words.split_first() else {
            let usage = "nothing follows the bar: grep, more or count";
            return Err(Unfit::Usage(usage.to_owned()));
        };
        let names = FILTERS.map(|(name, _)| name);
        match (chosen(&names, name).map_err(Unfit::Astray)?, arguments) {
            ("grep", arguments) => grep(arguments),
            ("more", []) => Ok(Self::More),
            ("count", []) => Ok(Self::Count),
            (name, _) => Err(Unfit::Usage(format!("{name} takes no more words"))),
        }
    }

    /// What may follow a bar.
    pub fn following() -> Vec<Following> {
        let owned = |(name, help): (&str, &str)| (name.to_owned(), help.to_owned());
        FILTERS.map(owned).into()
    }

    /// What is left of an answer.
    pub fn pass(&self, text: &str) -> String {
        match self {
            Self::More => text.to_owned(),
            Self::Count => format!("Count: {} lines\n", text.lines().count()),
            Self::Grep {
                expression,
                inverted,
            } => {
                let fits = |line: &&str| expression.is_match(line) != *inverted;
                let lines = text.lines().filter(fits);
                lines.flat_map(|line| [line, "\n"]).collect()
            }
        }
    }
}

fn grep(arguments: &[Token]) -> Result<Filter, Unfit> {
    let usage = || Unfit::Usage("grep [-i] [-v] [-E] EXPRESSION".to_owned());
    let (mut insensitive, mut inverted, mut extended) = (false, false, false);
    // Behind `-e` and `--` nothing is an option.
    let mut literal = false;
    let mut expression = None;
    for argument in arguments {
        match argument.text.strip_prefix('-') {
            Some("-" | "e") if expression.is_none() && !literal => literal = true,
            Some(letters) if expression.is_none() && !literal && !letters.is_empty() => {
                for letter in letters.chars() {
                    match letter {
                        'i' => insensitive = true,
                        'v' => inverted = true,
                        'E' => extended = true,
                        _ => return Err(usage()),
                    }
                }
            }
            _ if expression.is_none() => expression = Some(argument.text.as_str()),
            _ => return Err(usage()),
        }
    }
    let expression = expression.ok_or_else(usage)?;
    let pattern = match extended {
        true => expression.to_owned(),
        false => of_basic(expression),
    };
    let mut builder = RegexBuilder::new(&pattern);
    let built = builder
        .case_insensitive(insensitive)
        .size_limit(EXPRESSION_BYTES_MAX)
        .dfa_size_limit(EXPRESSION_BYTES_MAX)
        .build();
    let expression = built.map_err(|_| {
        Unfit::Usage(format!(
            "{expression:?} is no expression that can be searched for"
        ))
    })?;
    Ok(Filter::Grep {
        expression,
        inverted,
    })
}

/// A basic regular expression as an extended one (POSIX 1003.1, 9.3): of `+?|(){}` each is a letter, and not one after a
/// backslash; a `*` at the beginning is a letter, and so is a backslash in brackets.
fn of_basic(expression: &str) -> String {
    let mut extended = String::new();
    let mut letters = expression.chars();
    let mut bracket = None;
    while let Some(letter) = letters.next() {
        if let Some(rest) = letters.as_str().strip_prefix(':')
            && bracket.is_some()
            && letter == '['
            && let Some((class, after)) = rest.split_once(":]")
        {
            extended.extend(["[:", class, ":]"]);
            letters = after.chars();
            bracket = Some(class.to_owned());
            continue;
        }
        // What begins a list, `]` or `^]`, does not end it.
        let begins = |list: &str| list.is_empty() || list == "^";
        if let Some(list) = &mut bracket {
            let list: &mut String = list;
            match letter {
                ']' if !begins(list) => {
                    extended.push(']');
                    bracket = None;
                    continue;
                }
                '\\' | '[' | '&' | '~' => extended.extend(['\\', letter]),
                _ => extended.push(letter),
            }
            list.push(letter);
            continue;
        }
        match letter {
            '[' => {
                extended.push('[');
                bracket = Some(String::new());
            }
            '*' if ["", "^"].contains(&extended.as_str()) => extended.push_str("\\*"),
            '\\' => match letters.next() {
                Some(next) if "+?|(){}".contains(next) => extended.push(next),
                Some(next) => extended.extend(['\\', next]),
                None => extended.push_str("\\\\"),
            },
            '+' | '?' | '|' | '(' | ')' | '{' | '}' => extended.extend(['\\', letter]),
            _ => extended.push(letter),
        }
    }
    extended
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    const TEXT: &str = "GGSN 10 (ok)\nPGW 3\nSAEGW 3\n";

    fn passed(filter: &str) -> Result<String, Unfit> {
        Filter::of(&tokens(filter)).map(|filter| filter.pass(TEXT))
    }

    #[test]
    fn grep_keeps_lines_that_match_and_with_v_the_others() {
        assert_eq!(passed("grep GW").unwrap(), "PGW 3\nSAEGW 3\n");
        assert_eq!(passed("grep -v GW").unwrap(), "GGSN 10 (ok)\n");
        assert_eq!(passed("gr -iv gw").unwrap(), "GGSN 10 (ok)\n");
        assert_eq!(passed("grep ^P").unwrap(), "PGW 3\n");
        assert_eq!(passed("grep nothing").unwrap(), "");
        assert_eq!(passed("grep \"W 3\"").unwrap(), "PGW 3\nSAEGW 3\n");
    }

    #[test]
    fn a_basic_expression_takes_brackets_as_letters_and_an_extended_one_does_not() {
        assert_eq!(passed("grep (ok)").unwrap(), "GGSN 10 (ok)\n");
        assert_eq!(
            passed(r#"grep "GGSN\|PGW""#).unwrap(),
            "GGSN 10 (ok)\nPGW 3\n"
        );
        assert_eq!(
            passed("grep -E \"GGSN|PGW\"").unwrap(),
            "GGSN 10 (ok)\nPGW 3\n"
        );
        assert_eq!(passed("grep \"GGSN|PGW\"").unwrap(), "");
        assert_eq!(passed("grep [(]").unwrap(), "GGSN 10 (ok)\n");
        assert_eq!(passed(r"grep [\S]AE").unwrap(), "SAEGW 3\n");
        assert_eq!(passed("grep []S]AE").unwrap(), "SAEGW 3\n");
        assert_eq!(passed("grep [[:digit:]x][0]").unwrap(), "GGSN 10 (ok)\n");
        assert_eq!(passed("grep *").unwrap(), "");
        assert_eq!(passed("grep -- -").unwrap(), "");
        assert_eq!(passed("grep -i -e gw").unwrap(), "PGW 3\nSAEGW 3\n");
    }

    #[test]
    fn count_counts_and_what_is_no_filter_says_so() {
        assert_eq!(passed("count").unwrap(), "Count: 3 lines\n");
        assert_eq!(passed("more").unwrap(), TEXT);
        for wrong in ["", "grep", "grep -x a", "grep a b", "count 3", "grep -E ["] {
            assert!(matches!(passed(wrong), Err(Unfit::Usage(_))), "{wrong}");
        }
        assert!(matches!(passed("sort"), Err(Unfit::Astray(_))));
    }
}
