//! From typed words, abbreviated perhaps, to a command: and from a beginning of one to what may follow.

use super::names::Named;
use super::tokens::Token;
use super::words::{Argument, Leaf, Word};
use crate::table::{Mode, Privilege};

/// The option by which nothing is asked, as StarOS has it.
pub const NO_CONFIRM: &str = "-noconfirm";

/// The word that reaches from configuration to the first prompt.
const DO: &str = "do";

/// A way into the tree of words.
#[derive(Debug)]
pub struct Walk<'t> {
    /// The words of the first prompt, which `do` reaches.
    first: &'t Word,
    place: &'t Word,
    /// Where commands are looked for.
    pub mode: Mode,
    privilege: Privilege,
    /// After `do`: of the first prompt's own commands there are none.
    reached: bool,
    /// The words so far, whole.
    pub words: Vec<String>,
    /// The arguments so far; words that are one of a few are whole.
    pub arguments: Vec<String>,
    given: usize,
    awaits: Option<&'t Argument>,
    /// It is not to be asked whether it is meant.
    pub no_confirm: bool,
}

/// Why a word leads nowhere; `at` is where it stands, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Astray {
    /// It is not among what may follow; the nearest of that.
    Unknown {
        /// Where it stands.
        at: usize,
        /// The word.
        word: String,
        /// The nearest that would do.
        nearest: Option<String>,
    },
    /// Several begin so.
    Ambiguous {
        /// Where it stands.
        at: usize,
        /// The word.
        word: String,
        /// What begins so.
        candidates: Vec<String>,
    },
}

/// What may follow: a word or a name, and its help.
pub type Following = (String, String);

impl<'t> Walk<'t> {
    /// At the beginning of a line.
    pub fn new(root: &'t Word, mode: Mode, privilege: Privilege) -> Self {
        Self {
            first: root,
            place: root,
            mode,
            privilege,
            reached: false,
            words: Vec::new(),
            arguments: Vec::new(),
            given: 0,
            awaits: None,
            no_confirm: false,
        }
    }

    /// In a mode with words of its own: those of the first prompt.
    pub fn under(self, first: &'t Word) -> Self {
        Self { first, ..self }
    }

    /// One word after the other.
    pub fn all(mut self, tokens: &[Token]) -> Result<Self, Astray> {
        tokens.iter().try_for_each(|token| self.step(token))?;
        Ok(self)
    }

    /// The command, if this is a whole one but for arguments.
    pub fn leaf(&self) -> Option<&'t Leaf> {
        let leaf = self.place.leaf(self.mode, self.privilege)?;
        (!(self.reached && leaf.row.own)).then_some(leaf)
    }

    /// Nothing is missing.
    pub fn is_whole(&self) -> bool {
        let required = |leaf: &Leaf| leaf.arguments.iter().filter(|a| a.required).count();
        self.awaits.is_none() && self.leaf().is_some_and(|leaf| self.given >= required(leaf))
    }

    fn step(&mut self, token: &Token) -> Result<(), Astray> {
        let typed = token.text.as_str();
        if self.awaits.take().is_some() {
            self.arguments.push(typed.to_owned());
            return Ok(());
        }
        if typed == NO_CONFIRM || typed == "--noconfirm" {
            self.no_confirm = true;
            return Ok(());
        }
        if typed.starts_with("--") {
            return self.option(token);
        }
        if self.given == 0 {
            let words: Vec<&'t Word> = self.below().collect();
            let names: Vec<&str> = words.iter().map(|word| word.name.as_str()).collect();
            match chosen(&names, token) {
                Ok(name) => return self.descend(&words, name),
                Err(astray) if self.leaf().is_none() => return Err(astray),
                // Not one of its words: an argument.
                Err(_) => {}
            }
        }
        self.argument(token)
    }

    fn descend(&mut self, words: &[&'t Word], name: &str) -> Result<(), Astray> {
        let Some(word) = words.iter().find(|word| word.name == name) else {
            return Ok(());
        };
        self.place = word;
        self.words.push(word.name.clone());
        if self.mode != Mode::Exec && self.words == [DO] {
            self.place = self.first;
            self.mode = Mode::Exec;
            self.reached = true;
            self.words.clear();
        }
        Ok(())
    }

    fn option(&mut self, token: &Token) -> Result<(), Astray> {
        let options = self.leaf().map(|leaf| leaf.options.as_slice());
        let options = options.unwrap_or_default();
        let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
        let (name, value) = match token.text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (token.text.as_str(), None),
        };
        let named = Token {
            text: name.to_owned(),
            ..token.clone()
        };
        let name = chosen(&names, &named)?;
        if name == "--noconfirm" {
            self.no_confirm = true;
            return Ok(());
        }
        let option = options.iter().find(|option| option.name == name);
        self.arguments.push(match value {
            Some(value) => format!("{name}={value}"),
            None => name.to_owned(),
        });
        self.awaits = option.filter(|option| option.valued && value.is_none());
        Ok(())
    }

    fn argument(&mut self, token: &Token) -> Result<(), Astray> {
        let Some(argument) = self.wanted() else {
            return Err(Astray::Unknown {
                at: token.at,
                word: token.text.clone(),
                nearest: None,
            });
        };
        let values: Vec<&str> = argument.values.iter().map(String::as_str).collect();
        let text = match values.is_empty() {
            true => token.text.as_str(),
            false => chosen(&values, token)?,
        };
        self.arguments.push(text.to_owned());
        self.given += 1;
        Ok(())
    }

    /// What the next word may name that a node has.
    pub fn named(&self) -> Option<Named> {
        let of_option = self.awaits.is_some();
        self.wanted().filter(|_| !of_option)?.named
    }

    /// The argument that the next word is.
    fn wanted(&self) -> Option<&'t Argument> {
        let arguments = &self.leaf()?.arguments;
        let last = arguments.last().filter(|last| last.many);
        arguments.get(self.given).or(last)
    }

    /// The words that may come next.
    fn below(&self) -> impl Iterator<Item = &'t Word> + use<'t> {
        let (mode, privilege, reached) = (self.mode, self.privilege, self.reached);
        let below = self.place.below.iter();
        below.filter(move |word| match reached {
            true => word.allowed_by_do(privilege),
            false => word.allowed(mode, privilege),
        })
    }

    /// All that may come next, and whether Enter may.
    pub fn following(&self) -> (Vec<Following>, bool) {
        if let Some(option) = self.awaits {
            let of = |value: &String| (value.clone(), option.help.clone());
            let values: Vec<Following> = option.values.iter().map(of).collect();
            return match values.is_empty() {
                true => (vec![("VALUE".to_owned(), option.help.clone())], false),
                false => (values, false),
            };
        }
        let mut following: Vec<Following> = Vec::new();
        if self.given == 0 {
            following.extend(
                self.below()
                    .map(|word| (word.name.clone(), word.help.clone())),
            );
        }
        if let Some(argument) = self.wanted() {
            match argument.values.is_empty() {
                true => following.push((format!("<{}>", argument.name), argument.help.clone())),
                false => {
                    let of = |value: &String| (value.clone(), argument.help.clone());
                    following.extend(argument.values.iter().map(of));
                }
            }
        }
        if let Some(leaf) = self.leaf() {
            let given = |option: &&Argument| !self.arguments.contains(&option.name);
            let options = leaf.options.iter().filter(given);
            let options = options.filter(|option| option.name != "--noconfirm");
            following.extend(options.map(|option| (option.name.clone(), option.help.clone())));
            if (leaf.row.asks || leaf.takes_noconfirm()) && !self.no_confirm {
                following.push((NO_CONFIRM.to_owned(), "Do not ask".to_owned()));
            }
        }
        (following, self.is_whole())
    }
}

/// The one of these that the word is, or the only one that it begins.
pub fn chosen<'n>(names: &[&'n str], token: &Token) -> Result<&'n str, Astray> {
    let typed = token.text.to_lowercase();
    if let Some(name) = names.iter().find(|name| name.to_lowercase() == typed) {
        return Ok(name);
    }
    let fitting = names
        .iter()
        .filter(|name| name.to_lowercase().starts_with(&typed));
    let fitting: Vec<&'n str> = fitting.copied().collect();
    let (at, word) = (token.at, token.text.clone());
    match fitting[..] {
        [name] if !typed.is_empty() => Ok(name),
        [] => Err(Astray::Unknown {
            at,
            nearest: nearest(names, &typed),
            word,
        }),
        _ => Err(Astray::Ambiguous {
            at,
            word,
            candidates: fitting.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// The name that is fewest letters away, and not more than a third of its own.
fn nearest(names: &[&str], typed: &str) -> Option<String> {
    let distances = names.iter().map(|name| (distance(name, typed), name));
    let (away, name) = distances.min_by_key(|(away, _)| *away)?;
    (away <= name.len().div_ceil(3)).then(|| (*name).to_owned())
}

/// Letters that have to be put in, left out or changed.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = above + 1;
        for (place, against) in other.chars().enumerate() {
            let changed = corner + usize::from(letter != against);
            corner = row[place + 1];
            row[place + 1] = changed.min(row[place] + 1).min(corner + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn walk(line: &str, mode: Mode) -> Result<(Vec<String>, Vec<String>), Astray> {
        let walk = Walk::new(Word::all(), mode, Privilege::Administrator);
        let walk = walk.all(&tokens(line))?;
        Ok((walk.words, walk.arguments))
    }

    fn exec(line: &str) -> String {
        let (words, arguments) = walk(line, Mode::Exec).unwrap();
        [words, arguments].concat().join(" ")
    }

    #[test]
    fn a_unique_beginning_is_the_word() {
        assert_eq!(
            exec("sh lic enf st bl ser"),
            "show license enforcement status blocked service"
        );
        assert_eq!(exec("SHOW Version"), "show version");
        assert_eq!(exec("sh bulk"), "show bulkstats");
        assert_eq!(exec("sh bulk sch --js"), "show bulkstats schemas --json");
        assert_eq!(
            exec("sh lic enf hist --lim 3"),
            "show license enforcement history --limit 3"
        );
        assert_eq!(
            exec("cl sub all --rea"),
            "clear subscribers all --reactivate"
        );
        assert_eq!(exec("lic sm ren auth"), "license smart renew auth");
        let (words, arguments) = walk("fea GRE en", Mode::Config).unwrap();
        assert_eq!(
            (words.join(" "), arguments.join(" ")),
            ("feature".into(), "GRE enable".into())
        );
        let (words, _) = walk("do sh ver", Mode::Config).unwrap();
        assert_eq!(words, ["show", "version"]);
    }

    #[test]
    fn an_ambiguous_word_lists_what_it_may_be() {
        let astray = walk("show license s", Mode::Exec).unwrap_err();
        let candidates = ["smart-tags", "statistics", "status", "summary"];
        let expected = Astray::Ambiguous {
            at: 13,
            word: "s".into(),
            candidates: candidates.map(str::to_owned).into(),
        };
        assert_eq!(astray, expected);
        let astray = walk("c", Mode::Exec).unwrap_err();
        assert!(
            matches!(astray, Astray::Ambiguous { candidates, .. } if candidates == ["clear", "configure"])
        );
    }

    #[test]
    fn an_unknown_word_has_its_place_and_the_nearest() {
        let unknown = |line: &str, mode| match walk(line, mode).unwrap_err() {
            Astray::Unknown { at, nearest, .. } => (at, nearest),
            Astray::Ambiguous { .. } => panic!("ambiguous: {line}"),
        };
        assert_eq!(
            unknown("show licence status", Mode::Exec),
            (5, Some("license".into()))
        );
        assert_eq!(unknown("show zzz", Mode::Exec), (5, None));
        // Each mode has its own words; files and sockets are not the shell's.
        assert_eq!(unknown("feature GRE enable", Mode::Exec).0, 0);
        assert_eq!(unknown("show version", Mode::Config).0, 0);
        assert_eq!(unknown("license smart enable", Mode::Exec).0, 14);
        assert_eq!(unknown("license smart register", Mode::Config).0, 14);
        assert_eq!(unknown("show version --socket x", Mode::Exec).0, 13);
        assert_eq!(
            unknown("license smart register idtoken --token-file x", Mode::Exec).0,
            31
        );
        assert_eq!(unknown("do configure", Mode::Config).0, 3);
        assert_eq!(unknown("do terminal length 0", Mode::Config).0, 3);
        assert_eq!(unknown("node", Mode::Exec).0, 0);
        assert_eq!(unknown("show version now", Mode::Exec).0, 13);
    }

    #[test]
    fn an_inspector_is_offered_what_shows() {
        let walk = Walk::new(Word::all(), Mode::Exec, Privilege::Inspector);
        let (following, _) = walk.following();
        let names: Vec<_> = following.iter().map(|(name, _)| name.as_str()).collect();
        // Configuration has no command for an inspector, yet may be entered to leave it.
        assert_eq!(
            names,
            ["configure", "exit", "no", "show", "terminal", "timestamps"]
        );
    }

    #[test]
    fn the_distance_of_words_counts_letters() {
        assert_eq!(distance("license", "licence"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
