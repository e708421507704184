//! The tree of words of the shell, from the grammar and the table.

use std::sync::LazyLock;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::names::Named;
use super::own;
use crate::grammar::Grammar;
use crate::table::{Mode, Privilege, Row, rows};

/// A word, and what may follow it.
#[derive(Debug, Default)]
pub struct Word {
    /// The word.
    pub name: String,
    /// What it is, in one line.
    pub help: String,
    /// The words that may follow.
    pub below: Vec<Word>,
    /// The commands that end here: two where the same words are one in each mode.
    pub leaves: Vec<Leaf>,
}

/// A command: its row, and its arguments.
#[derive(Debug)]
pub struct Leaf {
    /// Its row.
    pub row: &'static Row,
    /// Arguments by their place.
    pub arguments: Vec<Argument>,
    /// Arguments by their name.
    pub options: Vec<Argument>,
}

/// An argument of a command.
#[derive(Debug)]
pub struct Argument {
    /// What stands for it in help; of an option, what is typed.
    pub name: String,
    /// What it is, in one line.
    pub help: String,
    /// The only words that it may be; none: any.
    pub values: Vec<String>,
    /// Nothing is done without it.
    pub required: bool,
    /// It may be several words.
    pub many: bool,
    /// An option that takes a value.
    pub valued: bool,
    /// What of a node it names, if that is something that a node has.
    pub named: Option<Named>,
}

impl Word {
    /// All words of the shell: they are those of the program, and the same in every session.
    pub fn all() -> &'static Self {
        static ALL: LazyLock<Word> = LazyLock::new(Word::of_program);
        &ALL
    }

    fn of_program() -> Self {
        let mut root = Self::default();
        for mut command in [Grammar::command(), own::command()] {
            command.build();
            let own = command.is_no_binary_name_set();
            let mut found = Self::default();
            found.add(&command, "", own);
            root.merge(found);
        }
        root.sort();
        root
    }

    /// The words of the modes below these words, with what the shell does by itself there.
    pub fn below(before: &[&str]) -> Self {
        let mut place = Self::of_program();
        for name in before {
            let below = place.below.into_iter().find(|word| word.name == *name);
            place = below.unwrap_or_default();
        }
        let mut own = Self::default();
        let mut command = own::command();
        command.build();
        own.add(&command, "", true);
        let mut root = Self {
            below: place.below,
            ..Self::default()
        };
        root.merge(own);
        root.sort();
        root
    }

    /// May something that begins so be typed in this mode, by somebody with this privilege?
    pub fn allowed(&self, mode: Mode, privilege: Privilege) -> bool {
        self.leaf(mode, privilege).is_some()
            || self.below.iter().any(|word| word.allowed(mode, privilege))
    }

    /// The same behind `do`: what the shell does by itself is not among it.
    pub fn allowed_by_do(&self, privilege: Privilege) -> bool {
        let ends = self
            .leaf(Mode::Exec, privilege)
            .is_some_and(|leaf| !leaf.row.own);
        ends || self.below.iter().any(|word| word.allowed_by_do(privilege))
    }

    /// The command that ends here in this mode.
    pub fn leaf(&self, mode: Mode, privilege: Privilege) -> Option<&Leaf> {
        let fits = |leaf: &&Leaf| leaf.row.mode == mode && leaf.row.privilege <= privilege;
        self.leaves.iter().find(fits)
    }

    fn add(&mut self, command: &Command, before: &str, own: bool) {
        for below in command.get_subcommands() {
            let words = format!("{before} {}", below.get_name());
            let words = words.trim_start();
            let mut word = Self {
                name: below.get_name().to_owned(),
                help: below
                    .get_about()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                ..Self::default()
            };
            let of = |row: &&Row| row.words == words && row.own == own;
            let of_shell = rows().iter().filter(of).filter(|r| r.mode != Mode::Program);
            word.leaves = of_shell.map(|row| Leaf::of(row, below)).collect();
            word.add(below, words, own);
            if !word.leaves.is_empty() || !word.below.is_empty() {
                self.below.push(word);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.leaves.extend(other.leaves);
        for word in other.below {
            match self.below.iter_mut().find(|own| own.name == word.name) {
                Some(own) => own.merge(word),
                None => self.below.push(word),
            }
        }
    }

    fn sort(&mut self) {
        self.below.sort_by(|a, b| a.name.cmp(&b.name));
        self.below.iter_mut().for_each(Self::sort);
    }
}

impl Leaf {
    /// It asks by itself, unless it is told not to.
    pub fn takes_noconfirm(&self) -> bool {
        let mut options = self.options.iter();
        options.any(|option| option.name == "--noconfirm")
    }

    fn of(row: &'static Row, command: &Command) -> Self {
        let offered = |arg: &&Arg| !is_of_the_machine(arg) && !is_of_clap(arg) && !is_of_mode(arg);
        let positional = command.get_positionals().filter(offered);
        let options = command
            .get_arguments()
            .filter(|arg| !arg.is_positional())
            .filter(offered);
        let mut arguments: Vec<Argument> = positional.map(Argument::of).collect();
        if let Some(first) = arguments.first_mut() {
            first.named = Named::by(&row.words);
        }
        Self {
            row,
            arguments,
            options: options.map(Argument::of).collect(),
        }
    }
}

/// A file of the machine that the shell runs on, or a socket, is not the shell's user's to name.
fn is_of_the_machine(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().any(|name| name == "FILE" || name == "PATH")
        || arg.get_value_parser().type_id() == ValueParser::path_buf().type_id()
}

/// What the mode says.
fn is_of_mode(arg: &Arg) -> bool {
    arg.get_id() == "block"
}

fn is_of_clap(arg: &Arg) -> bool {
    ["help", "version"].contains(&arg.get_id().as_str())
}

impl Argument {
    fn of(arg: &Arg) -> Self {
        let values = arg.get_possible_values().into_iter();
        let flag = matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse);
        let named = || {
            let names = arg.get_value_names().unwrap_or_default();
            names.first().map(|name| name.to_string())
        };
        let name = match arg.get_long() {
            Some(long) => format!("--{long}"),
            None => named().unwrap_or_else(|| arg.get_id().to_string().to_uppercase()),
        };
        let many = arg
            .get_num_args()
            .is_some_and(|range| range.max_values() > 1);
        Self {
            name,
            help: arg
                .get_help()
                .map(|help| one_line(&help.to_string()))
                .unwrap_or_default(),
            values: match flag {
                true => Vec::new(),
                false => values.map(|value| value.get_name().to_owned()).collect(),
            },
            required: arg.is_required_set(),
            many: many || matches!(arg.get_action(), ArgAction::Append),
            valued: !flag,
            named: None,
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
