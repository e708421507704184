//! One row a command: what is said of it beside its grammar.
//!
//! Words, help and arguments of a command are in the grammar, and nowhere else: [`grammar`](crate::grammar) for what is
//! changed, [`SURFACES`] for what is shown, [`Own`](crate::shell::own::Own) for what the shell does by itself. To add one,
//! add it there; what is shown has its row by that. Any other gets one line in [`COMMANDS`]: its words, where it may be
//! typed, who may, and whether the shell asks first. A command of the shell then gets a line in
//! `tests/shell/every-command`, which is run against a node; one that is not of the shell names the test that runs it.
//! Tests here and in [`cover`](crate::cover) fail for what was forgotten. `?`, Tab, abbreviations, completions of bash, zsh and fish, the man page and
//! docs/cli.md come by themselves (`cargo xtask documents` for the last).

use std::sync::LazyLock;

pub use api::Privilege;

use crate::show::SURFACES;

/// Where a command may be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// In a command line of its own alone: `tollgate demo`.
    Program,
    /// At the first prompt of the shell, too.
    Exec,
    /// After `configure`.
    Config,
    /// After `bulkstats mode`.
    Bulkstats,
    /// After `file` there.
    BulkstatsFile,
}

/// The words of the command line before those that are typed in the modes of bulk statistics.
pub const BULKSTATS_MODE: [&str; 2] = ["bulkstats", "mode"];

/// One command.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its words, with one space between them.
    pub words: String,
    /// Where it may be typed.
    pub mode: Mode,
    /// Who may.
    pub privilege: Privilege,
    /// The shell asks whether it is meant.
    pub asks: bool,
    /// The shell does it by itself; there is no such command line.
    pub own: bool,
    /// The name and version of the schema of its `--json`.
    pub schema: Option<String>,
    /// The test that runs it, where that is not `tests/shell/every-command`.
    pub test: Option<&'static str>,
}

/// A row as it is written down here.
struct Written {
    words: &'static str,
    mode: Mode,
    privilege: Privilege,
    asks: bool,
    own: bool,
    schema: Option<&'static str>,
    test: Option<&'static str>,
}

/// A command of the first prompt.
const fn exec(words: &'static str, privilege: Privilege) -> Written {
    Written {
        words,
        mode: Mode::Exec,
        privilege,
        asks: false,
        own: false,
        schema: None,
        test: None,
    }
}

/// A command of configuration.
const fn config(words: &'static str) -> Written {
    Written {
        mode: Mode::Config,
        ..exec(words, Privilege::Administrator)
    }
}

/// A command of configuration, in a mode below it.
const fn within(words: &'static str, mode: Mode) -> Written {
    Written {
        mode,
        ..config(words)
    }
}

/// Not of the shell; `test` runs it.
const fn program(words: &'static str, test: &'static str) -> Written {
    Written {
        mode: Mode::Program,
        test: Some(test),
        ..exec(words, Privilege::Administrator)
    }
}

/// Of the shell alone.
const fn own(words: &'static str, mode: Mode) -> Written {
    Written {
        mode,
        own: true,
        ..exec(words, Privilege::Inspector)
    }
}

impl Written {
    /// Service, or data, is at stake.
    const fn asking(self) -> Self {
        Self { asks: true, ..self }
    }
}

/// Every command but those that show.
const COMMANDS: &[Written] = {
    use Mode::{Bulkstats, BulkstatsFile, Config, Exec};
    use Privilege::{Administrator, Operator};
    &[
        program("node", "tests/tests/scenarios.rs"),
        program("authority", "cli/tests/authority/main.rs"),
        program("load", "tests/tests/load.rs"),
        program("demo", "cli/tests/demo.rs"),
        program("shell", "tests/tests/shell.rs"),
        program("top", "tests/tests/top.rs"),
        program("completion", "cli/tests/command_line.rs"),
        program("man", "cli/tests/command_line.rs"),
        program("bulkstats read", "cli/tests/bulkstats.rs"),
        program("bulkstats plot", "cli/tests/bulkstats.rs"),
        program("snmp localize", "tests/tests/snmp_settings.rs"),
        exec("clear subscribers imsi", Operator).asking(),
        exec("clear subscribers apn", Operator).asking(),
        exec("clear subscribers peer", Operator).asking(),
        exec("clear subscribers service", Operator).asking(),
        exec("clear subscribers all", Operator).asking(),
        exec("clear bulkstats counters", Operator),
        exec("clear bulkstats data", Operator).asking(),
        exec("bulkstats force gather", Operator),
        exec("bulkstats force transfer", Operator),
        exec("license smart register", Administrator),
        exec("license smart renew", Administrator),
        exec("license smart deregister", Administrator),
        exec("save configuration", Administrator),
        Written {
            schema: Some(crate::apply_command::SCHEMA),
            ..exec("apply", Administrator)
        },
        exec("lab speedup", Administrator),
        config("license smart enable"),
        config("license smart url"),
        config("license smart proxy"),
        config("feature"),
        config("snmp target"),
        config("snmp community"),
        config("snmp user"),
        config("snmp trap suppress"),
        config("snmp trap enable"),
        config("snmp trap default"),
        exec("clear administrator lock", Administrator),
        config("administrator"),
        config("operator"),
        config("inspector"),
        config("no administrator"),
        config("no operator"),
        config("no inspector"),
        config("threshold license remaining-sessions"),
        config("logging filter"),
        config("logging syslog"),
        config("no license smart enable"),
        config("no license smart url"),
        config("no license smart proxy"),
        config("no feature"),
        config("no snmp target"),
        config("no snmp community"),
        config("no snmp user"),
        config("no snmp trap suppress"),
        config("no threshold license remaining-sessions"),
        config("no logging filter"),
        config("no logging syslog"),
        config("bulkstats collection"),
        config("no bulkstats collection"),
        config("default bulkstats collection"),
        Written {
            own: true,
            ..config("bulkstats mode")
        },
        within("bulkstats mode sample-interval", Bulkstats),
        within("bulkstats mode transfer-interval", Bulkstats),
        within("bulkstats mode limit", Bulkstats),
        within("bulkstats mode historical collection", Bulkstats),
        within("bulkstats mode file", Bulkstats),
        within("bulkstats mode no historical collection", Bulkstats),
        within("bulkstats mode no file", Bulkstats),
        within("bulkstats mode default sample-interval", Bulkstats),
        within("bulkstats mode default transfer-interval", Bulkstats),
        within("bulkstats mode default limit", Bulkstats),
        within("bulkstats mode default historical collection", Bulkstats),
        within("bulkstats mode default file", Bulkstats),
        within("bulkstats mode file", BulkstatsFile),
        within("bulkstats mode header format", BulkstatsFile),
        within("bulkstats mode footer format", BulkstatsFile),
        within("bulkstats mode remotefile format", BulkstatsFile),
        within("bulkstats mode gzip", BulkstatsFile),
        within("bulkstats mode receiver", BulkstatsFile),
        within("bulkstats mode smart-license schema", BulkstatsFile),
        within("bulkstats mode tollgate-license schema", BulkstatsFile),
        within("bulkstats mode system schema", BulkstatsFile),
        within("bulkstats mode apn schema", BulkstatsFile),
        within("bulkstats mode gtpc schema", BulkstatsFile),
        within("bulkstats mode agent schema", BulkstatsFile),
        within("bulkstats mode no header format", BulkstatsFile),
        within("bulkstats mode no footer format", BulkstatsFile),
        within("bulkstats mode no gzip", BulkstatsFile),
        within("bulkstats mode no receiver", BulkstatsFile),
        within("bulkstats mode no smart-license schema", BulkstatsFile),
        within("bulkstats mode no tollgate-license schema", BulkstatsFile),
        within("bulkstats mode no system schema", BulkstatsFile),
        within("bulkstats mode no apn schema", BulkstatsFile),
        within("bulkstats mode no gtpc schema", BulkstatsFile),
        within("bulkstats mode no agent schema", BulkstatsFile),
        within("bulkstats mode default header format", BulkstatsFile),
        within("bulkstats mode default footer format", BulkstatsFile),
        within("bulkstats mode default remotefile format", BulkstatsFile),
        within("bulkstats mode default gzip", BulkstatsFile),
        within("bulkstats mode default receiver", BulkstatsFile),
        within("bulkstats mode default schema", BulkstatsFile),
        own("configure", Exec),
        own("terminal length", Exec),
        own("terminal width", Exec),
        own("timestamps", Exec),
        own("no timestamps", Exec),
        own("exit", Exec),
        own("exit", Config),
        own("end", Config),
        own("do", Config),
        own("exit", Bulkstats),
        own("end", Bulkstats),
        own("do", Bulkstats),
        own("exit", BulkstatsFile),
        own("end", BulkstatsFile),
        own("do", BulkstatsFile),
    ]
};

/// Every command.
pub fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
        let shown = SURFACES.iter().map(|surface| Row {
            words: format!("show {}", surface.words.join(" ")),
            mode: Mode::Exec,
            privilege: Privilege::Inspector,
            asks: false,
            own: false,
            schema: Some(surface.schema()),
            test: None,
        });
        let others = COMMANDS.iter().map(|written| Row {
            words: written.words.to_owned(),
            mode: written.mode,
            privilege: written.privilege,
            asks: written.asks,
            own: written.own,
            schema: written.schema.map(str::to_owned),
            test: written.test,
        });
        others.chain(shown).collect()
    });
    &ROWS
}

impl Mode {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Exec => "exec",
            Self::Config => "config",
            Self::Bulkstats => "config-bulkstats",
            Self::BulkstatsFile => "config-bulkstats-file",
        }
    }

    /// The words of the command line before those that are typed in it.
    pub fn before(self) -> &'static [&'static str] {
        match self {
            Self::Program | Self::Exec | Self::Config => &[],
            Self::Bulkstats | Self::BulkstatsFile => &BULKSTATS_MODE,
        }
    }
}

impl Row {
    /// Its words as they are typed in its mode.
    pub fn typed(&self) -> &str {
        let before = self.mode.before().join(" ");
        let typed = self.words.strip_prefix(&before);
        typed.unwrap_or(&self.words).trim_start()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Command, CommandFactory};

    use super::*;
    use crate::grammar::Grammar;
    use crate::shell::own;

    /// The words of each command below this one that does something itself, with whether it has help.
    fn leaves(command: &Command, before: &str, into: &mut Vec<(String, bool)>) {
        for below in command.get_subcommands() {
            let words = format!("{before} {}", below.get_name());
            let words = words.trim_start().to_owned();
            let is_program = rows()
                .iter()
                .any(|row| row.words == words && row.mode == Mode::Program);
            if !below.is_subcommand_required_set() || is_program {
                into.push((words.clone(), below.get_about().is_some()));
            }
            if !is_program {
                leaves(below, &words, into);
            }
        }
    }

    #[test]
    fn every_command_has_a_row_and_every_row_a_command_with_help() {
        let mut found = Vec::new();
        leaves(&Grammar::command(), "", &mut found);
        leaves(&own::command(), "", &mut found);
        let without: Vec<_> = found.iter().filter(|(_, helped)| !helped).collect();
        assert!(without.is_empty(), "without help: {without:?}");
        let found: BTreeSet<&str> = found.iter().map(|(words, _)| words.as_str()).collect();
        let rows: BTreeSet<&str> = rows().iter().map(|row| row.words.as_str()).collect();
        let no_row: Vec<_> = found.difference(&rows).collect();
        let no_command: Vec<_> = rows.difference(&found).collect();
        assert!(no_row.is_empty(), "without a row in cli::table: {no_row:?}");
        assert!(
            no_command.is_empty(),
            "without a command in the grammar: {no_command:?}"
        );
    }

    #[test]
    fn no_two_rows_are_of_the_same_words_in_one_mode() {
        let mut seen = BTreeSet::new();
        for row in rows() {
            assert!(seen.insert((&row.words, row.mode.word())), "{row:?}");
        }
    }
}
