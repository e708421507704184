//! From text to a table of sections and keys, each with its place.

use std::borrow::Cow;

use thiserror::Error;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::CONFIG;
use super::commands::{self, COMMANDS};
use super::schema::{self, Keys, Kind};
use super::words::{Line, Word, lines};

/// The last word of a text.
const END: &str = "end";

/// What ends a block, as StarOS prints it and as people type it.
pub(super) const EXIT: [&str; 2] = ["#exit", "exit"];

/// What a text says.
#[derive(Debug)]
pub(in crate::config) struct Read<'a> {
    /// The sections and keys.
    pub(in crate::config) table: DeTable<'a>,
    /// What it takes back; a start takes a configuration as it is in the end.
    pub(in crate::config) taken: Vec<Taken>,
}

/// What a line takes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct Taken {
    /// By which word.
    pub(in crate::config) form: Form,
    /// As `agent.proxy`, or, of a list, `snmp.target[nms]`.
    pub(in crate::config) key: String,
    /// Where it stands, in bytes.
    pub(in crate::config) at: usize,
}

/// How a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Form {
    /// It says something.
    Set,
    /// `no`: it is not there.
    No,
    /// `default`: nothing is said of it.
    Default,
}

/// Why a text is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}{}", nearest.as_ref().map(|word| format!("; did you mean {word}?")).unwrap_or_default())]
pub(crate) struct Fault {
    /// Where, in bytes.
    pub(crate) at: usize,
    what: String,
    nearest: Option<String>,
}

impl Fault {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self {
            at,
            what: what.into(),
            nearest: None,
        }
    }

    /// Of a word that is none of these; `what` has no such one.
    pub(super) fn unknown<'n>(
        word: &Word<'_>,
        what: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let expected = match known.len() <= 8 {
            true => format!("; expected {}", known.join(", ")),
            false => String::new(),
        };
        let nearest = nearest(&known, &word.text.to_lowercase());
        Self {
            at: word.at.start,
            what: match nearest {
                Some(_) => format!("'{}' is no {what}", word.text),
                None => format!("'{}' is no {what}{expected}", word.text),
            },
            nearest,
        }
    }

    /// In bytes of the text; the place of the end, if it is there.
    pub(in crate::config) fn line_and_column(&self, text: &str) -> (usize, usize) {
        line_and_column(text, self.at)
    }
}

/// Line and column of a byte, both from 1; columns are letters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let begins = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[begins..].chars().count() + 1)
}

/// What a text says. Errors: the first thing that is wrong with its form.
pub(in crate::config) fn read(text: &str) -> Result<Read<'_>, Fault> {
    let lines = lines(text).collect::<Result<Vec<_>, _>>()?;
    let mut reader = Reader {
        lines: lines.into_iter(),
        end: text.trim_end().len(),
        taken: Vec::new(),
    };
    let first = reader.line(CONFIG)?;
    if first.words[0].text != CONFIG || first.words.len() > 1 {
        let what = format!("the first line is to be {CONFIG}");
        return Err(Fault::new(first.words[0].at.start, what));
    }
    let mut table = DeTable::new();
    reader.block(schema::keys(), &mut table, "")?;
    match reader.lines.next() {
        None => Ok(Read {
            table,
            taken: reader.taken,
        }),
        Some(line) => {
            let what = format!("nothing may follow {END}");
            Err(Fault::new(line.words[0].at.start, what))
        }
    }
}

struct Reader<'a> {
    lines: std::vec::IntoIter<Line<'a>>,
    /// Where the text ends, in bytes.
    end: usize,
    taken: Vec<Taken>,
}

/// A line of a block: how it begins, and its words behind that.
struct Said<'l, 'a> {
    form: Form,
    first: &'l Word<'a>,
    rest: &'l [Word<'a>],
}

impl<'a> Reader<'a> {
    fn line(&mut self, within: &str) -> Result<Line<'a>, Fault> {
        let unended = || {
            let expected = if within == CONFIG { END } else { EXIT[0] };
            let what = format!("the text ends within {within}; expected {expected}");
            Fault::new(self.end, what)
        };
        self.lines.next().ok_or_else(unended)
    }

    /// The lines of a block until it ends; `place` is its key, empty for the outermost.
    fn block(&mut self, keys: &Keys, into: &mut DeTable<'a>, place: &str) -> Result<(), Fault> {
        loop {
            let within = if place.is_empty() { CONFIG } else { place };
            let line = self.line(within)?;
            let ends = |word: &Word<'_>| match place.is_empty() {
                true => word.text == END,
                false => EXIT.contains(&word.text.as_ref()),
            };
            if let [word] = &line.words[..]
                && ends(word)
            {
                return Ok(());
            }
            let (form, words) = form(&line.words);
            if place.is_empty() && commands::read(form, words, into, &mut self.taken)? {
                continue;
            }
            let Some((first, rest)) = words.split_first() else {
                let what = "a key or command is missing behind it";
                return Err(Fault::new(line.words[0].at.start, what));
            };
            let named = keys.iter().find(|(name, _)| hyphens(name) == first.text);
            let Some((name, kind)) = named else {
                return Err(unknown(first, keys, place));
            };
            let said = Said { form, first, rest };
            let key = match place {
                "" => (*name).to_owned(),
                place => format!("{place}.{name}"),
            };
            match form {
                Form::Set => self.set((name, kind), &said, into, &key)?,
                Form::No | Form::Default => self.take((name, kind), &said, into, key)?,
            }
        }
    }

    fn set(
        &mut self,
        (name, kind): (&'static str, &Kind),
        said: &Said<'_, 'a>,
        into: &mut DeTable<'a>,
        key: &str,
    ) -> Result<(), Fault> {
        let at = said.first.at.clone();
        match kind {
            Kind::Block(keys) => {
                no_more(said.rest)?;
                if !into.contains_key(name) {
                    let empty = DeValue::Table(DeTable::new());
                    into.insert(named(name, said.first), Spanned::new(at, empty));
                }
                match into.get_mut(name).map(Spanned::get_mut) {
                    Some(DeValue::Table(below)) => self.block(keys, below, key),
                    Some(_) | None => Ok(()),
                }
            }
            Kind::Blocks(keys) => {
                let mut entry = DeTable::new();
                if let ([word, more @ ..], Some((first, kind))) = (said.rest, keys.first()) {
                    no_more(more)?;
                    entry.insert(named(first, word), value(kind, word, first)?);
                }
                let list = list(into, name, said.first);
                let place = format!("{key}[{}]", list.len());
                self.block(keys, &mut entry, &place)?;
                list.push(Spanned::new(at, DeValue::Table(entry)));
                Ok(())
            }
            Kind::List(of) => {
                let mut values = DeArray::new();
                for word in said.rest {
                    values.push(value(of, word, name)?);
                }
                let values = Spanned::new(at, DeValue::Array(values));
                insert(into, name, said.first, values)
            }
            Kind::Boolean if said.rest.is_empty() => {
                let yes = Spanned::new(at, DeValue::Boolean(true));
                insert(into, name, said.first, yes)
            }
            Kind::Text | Kind::Path | Kind::Word(_) | Kind::Integer | Kind::Boolean => {
                let [word, more @ ..] = said.rest else {
                    let what = format!("{} wants a value", said.first.text);
                    return Err(Fault::new(at.end, what));
                };
                no_more(more)?;
                insert(into, name, said.first, value(kind, word, name)?)
            }
        }
    }

    /// `no` and `default`.
    fn take(
        &mut self,
        (name, kind): (&'static str, &Kind),
        said: &Said<'_, 'a>,
        into: &mut DeTable<'a>,
        mut key: String,
    ) -> Result<(), Fault> {
        let at = said.first.at.clone();
        // An entry of a list is said whole: what is taken back in it is of this text alone.
        let within_entry = key.contains('[');
        match (kind, said.form, said.rest) {
            (Kind::Boolean, Form::No, []) => {
                let no = Spanned::new(at, DeValue::Boolean(false));
                into.remove(name);
                return insert(into, name, said.first, no);
            }
            (Kind::Blocks(_), Form::No, []) => {
                let none = Spanned::new(at.clone(), DeValue::Array(DeArray::new()));
                into.remove(name);
                insert(into, name, said.first, none)?;
            }
            (Kind::Blocks(keys), _, [word]) => {
                let first = keys.first().map_or("", |(name, _)| name);
                if let Some(DeValue::Array(list)) = into.get_mut(name).map(Spanned::get_mut) {
                    retain(list, |entry| !is_named(entry, first, &word.text));
                }
                key = format!("{key}[{}]", word.text);
            }
            (_, _, rest) => {
                no_more(rest)?;
                into.remove(name);
            }
        }
        if !within_entry {
            let (form, at) = (said.form, at.start);
            self.taken.push(Taken { form, key, at });
        }
        Ok(())
    }
}

/// How a line begins, and the words behind that.
fn form<'l, 'a>(words: &'l [Word<'a>]) -> (Form, &'l [Word<'a>]) {
    match words {
        [first, rest @ ..] if first.text == "no" => (Form::No, rest),
        [first, rest @ ..] if first.text == "default" => (Form::Default, rest),
        words => (Form::Set, words),
    }
}

fn unknown(word: &Word<'_>, keys: &Keys, place: &str) -> Fault {
    let names: Vec<String> = keys.iter().map(|(name, _)| hyphens(name)).collect();
    let names = names.iter().map(String::as_str);
    if place.is_empty() {
        let commands = COMMANDS.iter().filter_map(|command| command.words.first());
        let known = names.chain(commands.copied()).chain([END]);
        return Fault::unknown(word, "section or command", known);
    }
    let of = format!("key of {}", hyphens(place));
    Fault::unknown(word, &of, names.chain([EXIT[1]]))
}

/// A name as it is written.
pub(super) fn hyphens(name: &str) -> String {
    name.replace('_', "-")
}

pub(super) fn no_more(words: &[Word<'_>]) -> Result<(), Fault> {
    match words.first() {
        None => Ok(()),
        Some(word) => Err(Fault::new(
            word.at.start,
            format!("'{}' is one word too many", word.text),
        )),
    }
}

/// A key with its place.
pub(super) fn named<'a>(name: &'static str, word: &Word<'_>) -> Spanned<Cow<'a, str>> {
    Spanned::new(word.at.clone(), Cow::Borrowed(name))
}

fn insert<'a>(
    into: &mut DeTable<'a>,
    name: &'static str,
    word: &Word<'_>,
    value: Spanned<DeValue<'a>>,
) -> Result<(), Fault> {
    if into.contains_key(name) {
        let what = format!("{} is given twice", hyphens(name));
        return Err(Fault::new(word.at.start, what));
    }
    into.insert(named(name, word), value);
    Ok(())
}

/// The list of this name, which is made if it is not there.
pub(super) fn list<'t, 'a>(
    into: &'t mut DeTable<'a>,
    name: &'static str,
    word: &Word<'_>,
) -> &'t mut DeArray<'a> {
    let is_list = |value: &Spanned<DeValue<'_>>| value.get_ref().is_array();
    if !into.get(name).is_some_and(is_list) {
        let empty = DeValue::Array(DeArray::new());
        into.insert(named(name, word), Spanned::new(word.at.clone(), empty));
    }
    match into.get_mut(name).map(Spanned::get_mut) {
        Some(DeValue::Array(list)) => list,
        _ => unreachable!("it was made above"),
    }
}

pub(super) fn retain<'a>(list: &mut DeArray<'a>, keep: impl Fn(&DeValue<'a>) -> bool) {
    let all = std::mem::replace(list, DeArray::new()).into_iter();
    *list = all.filter(|entry| keep(entry.get_ref())).collect();
}

pub(super) fn is_named(entry: &DeValue<'_>, first: &str, name: &str) -> bool {
    let of = entry.as_table().and_then(|entry| entry.get(first));
    of.is_some_and(|value| match value.get_ref() {
        DeValue::String(text) => text == name,
        DeValue::Integer(number) => number.to_string() == name,
        DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => false,
    })
}

/// A word as a value of this kind; one of another kind is left to the check of the whole.
pub(super) fn value<'a>(
    kind: &Kind,
    word: &Word<'a>,
    name: &str,
) -> Result<Spanned<DeValue<'a>>, Fault> {
    let text = || DeValue::String(word.text.clone());
    let value = match (kind, &word.text) {
        (Kind::Integer, Cow::Borrowed(digits)) if is_integer(digits) => {
            DeValue::parse(digits).map_or_else(|_| text(), Spanned::into_inner)
        }
        (Kind::Boolean, known) if known == "true" || known == "false" => {
            DeValue::Boolean(known == "true")
        }
        (Kind::Word(known), given) if !known.contains(&given.as_ref()) => {
            let what = format!("{} there is", hyphens(name));
            return Err(Fault::unknown(word, &what, known.iter().copied()));
        }
        _ => text(),
    };
    Ok(Spanned::new(word.at.clone(), value))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name that is fewest letters away, and not more than two, or a third of its own.
pub fn nearest(names: &[&str], typed: &str) -> Option<String> {
    let distances = names.iter().map(|name| (distance(name, typed), name));
    let (away, name) = distances.min_by_key(|(away, _)| *away)?;
    (away < name.len() && away <= name.len().div_ceil(3).max(2)).then(|| (*name).to_owned())
}

/// Letters that have to be put in, left out or changed.
pub fn distance(one: &str, other: &str) -> usize {
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
