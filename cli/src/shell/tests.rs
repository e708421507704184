use std::collections::VecDeque;

use super::*;
use crate::table::{Row, rows};

/// Somebody with a terminal of so many lines, who answers what is asked.
#[derive(Default)]
struct Somebody {
    seen: String,
    answers: VecDeque<&'static str>,
    size: Option<(u16, u16)>,
    keys: VecDeque<More>,
}

impl Console for Somebody {
    fn write(&mut self, text: &str) {
        self.seen.push_str(text);
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        self.seen.push_str(question);
        self.line()
    }

    fn secret(&mut self, prompt: &str) -> io::Result<String> {
        self.ask(prompt)
    }

    fn line(&mut self) -> io::Result<String> {
        Ok(self.answers.pop_front().unwrap_or_default().to_owned())
    }

    fn typed(&mut self) -> io::Result<Option<String>> {
        Ok(self.answers.pop_front().map(str::to_owned))
    }
}

impl Screen for Somebody {
    fn size(&self) -> Option<(u16, u16)> {
        self.size
    }

    fn more(&mut self, _percent: usize) -> More {
        self.seen.push_str("[more]");
        self.keys.pop_front().unwrap_or(More::Stop)
    }

    fn now(&self) -> Wall {
        Wall(1_795_323_942_000)
    }
}

/// Notes what it is asked to do, and says five lines.
#[derive(Default)]
struct Echo {
    done: Vec<String>,
    fails: bool,
}

impl Runner for Echo {
    fn run(&mut self, words: Vec<String>, console: &mut dyn Console) -> Result<(), Box<dyn Error>> {
        self.done.push(words.join(" "));
        console.heading("not shown\n");
        (1..=5).for_each(|line| console.write(&format!("line {line}\n")));
        match self.fails {
            true => Err(Box::new(Failure::new("no", "here", "wait"))),
            false => Ok(()),
        }
    }
}

const STAMP: &str = "Sunday November 22 05:05:42 UTC 2026\n";
const FIVE: &str = "line 1\nline 2\nline 3\nline 4\nline 5\n";

struct Session {
    shell: Shell,
    echo: Echo,
    screen: Somebody,
}

impl Session {
    fn new() -> Self {
        Self {
            shell: Shell::new("gw1", Privilege::Administrator),
            echo: Echo::default(),
            screen: Somebody::default(),
        }
    }

    /// What becomes of a line, and what is seen.
    fn line(&mut self, line: &str) -> (Next, String) {
        let next = self.shell.line(line, &mut self.echo, &mut self.screen);
        (next, std::mem::take(&mut self.screen.seen))
    }

    fn done(&mut self, line: &str) -> String {
        let (next, seen) = self.line(line);
        assert_eq!(next, Next::Done, "{line}: {seen}");
        seen
    }
}

#[test]
fn bulk_statistics_and_each_file_have_modes_below_configuration() {
    let mut session = Session::new();
    for (line, prompt) in [
        ("conf", "(config)"),
        ("bulk mode", "(config-bulkstats)"),
        ("sample 5", "(config-bulkstats)"),
        ("file 2", "(config-bulkstats-file-2)"),
        ("do show version", "(config-bulkstats-file-2)"),
        (
            r#"sys schema s for "a \"b\" | %host%""#,
            "(config-bulkstats-file-2)",
        ),
        ("no rec pri", "(config-bulkstats-file-2)"),
        ("file 3", "(config-bulkstats-file-3)"),
        ("gzip", "(config-bulkstats-file-3)"),
        ("exit", "(config-bulkstats)"),
        ("default limit", "(config-bulkstats)"),
        ("exit", "(config)"),
        ("no bulk coll", "(config)"),
    ] {
        session.done(line);
        assert_eq!(session.shell.prompt(), format!("[local]gw1{prompt}# "));
    }
    assert_eq!(
        session.echo.done,
        [
            "bulkstats mode sample-interval 5",
            "bulkstats mode file 2",
            "show version",
            r#"bulkstats mode system schema s format a \"b\" | %host% --file 2"#,
            "bulkstats mode no receiver primary --file 2",
            "bulkstats mode file 3",
            "bulkstats mode gzip --file 3",
            "bulkstats mode default limit",
            "no bulkstats collection",
        ]
    );
    // What is refused leads nowhere, and each mode has its own words.
    session.done("bulkstats mode");
    session.echo.fails = true;
    assert_eq!(session.line("file 1").0, Next::Failed);
    assert_eq!(session.shell.prompt(), "[local]gw1(config-bulkstats)# ");
    for unknown in [
        "gzip",
        "file 5",
        "bulkstats collection",
        "license smart enable",
    ] {
        assert_eq!(session.line(unknown).0, Next::NotUnderstood, "{unknown}");
    }
    session.echo.fails = false;
    session.done("file 1");
    assert!(
        !session.shell.help("gzip ").contains("--file"),
        "the mode says it"
    );
    session.done("end");
    assert_eq!(session.shell.prompt(), "[local]gw1# ");
}

#[test]
fn configuration_is_entered_and_left_and_do_reaches_out_of_it() {
    let mut session = Session::new();
    assert_eq!(session.shell.prompt(), "[local]gw1# ");
    session.done("conf");
    assert_eq!(session.shell.prompt(), "[local]gw1(config)# ");
    // In configuration there is no date line, but before an answer of the first prompt.
    assert_eq!(session.done("lic smart ena"), FIVE);
    assert_eq!(session.done("do show version"), format!("{STAMP}{FIVE}"));
    let (next, seen) = session.line("show version");
    assert_eq!(next, Next::NotUnderstood);
    assert!(seen.contains("Failure: Unknown command (show)"), "{seen}");
    session.done("end");
    assert_eq!(session.shell.prompt(), "[local]gw1# ");
    session.done("configure");
    session.done("exit");
    assert_eq!(session.shell.prompt(), "[local]gw1# ");
    assert_eq!(session.line("exit").0, Next::End);
    assert_eq!(session.echo.done, ["license smart enable", "show version"]);
}

#[test]
fn an_answer_begins_with_the_time_unless_it_is_data_or_not_wanted() {
    let mut session = Session::new();
    assert_eq!(session.done("show version"), format!("{STAMP}{FIVE}"));
    assert_eq!(session.done("show version --json"), FIVE);
    assert_eq!(session.done("no timestamps"), "");
    assert_eq!(session.done("show version"), FIVE);
    assert_eq!(session.done("timestamps"), "");
    let counted = session.done("show version | grep 3 | count");
    assert_eq!(counted, format!("{STAMP}Count: 1 lines\n"));
}

#[test]
fn what_is_not_understood_is_marked_where_it_stands() {
    let mut session = Session::new();
    let (next, seen) = session.line("show licence status");
    assert_eq!(next, Next::NotUnderstood);
    assert_eq!(
        seen,
        "  show licence status\n       ^\nFailure: Unknown command (licence): did you mean license?\n"
    );
    let (_, seen) = session.line("show license s");
    assert_eq!(
        seen,
        "  show license s\n               ^\nFailure: Ambiguous command (s): one of smart-tags, statistics, status, summary\n"
    );
    let (_, seen) = session.line("show license");
    assert!(
        seen.starts_with("Failure: the command is not whole (show license): "),
        "{seen}"
    );
    assert!(seen.contains("udi, usage, why may follow"), "{seen}");
    let (_, seen) = session.line("show version | sort");
    assert!(seen.contains("Failure: Unknown command (sort): "), "{seen}");
    let (_, seen) = session.line("license smart register");
    assert!(
        seen.starts_with("Failure: the command is not whole"),
        "{seen}"
    );
    for line in [
        "license smart register idtoken --token-file /tmp/token",
        "license smart register idtoken --token-file=/tmp/token",
    ] {
        let (next, seen) = session.line(line);
        assert_eq!(next, Next::NotUnderstood);
        let told = "Failure: Unknown command (--token-file";
        assert!(
            seen.contains(told) && seen.contains("leave it out here"),
            "{seen}"
        );
    }
    let (next, _) = session.line(&"x".repeat(LINE_BYTES_MAX + 1));
    assert_eq!(next, Next::NotUnderstood);
    assert!(session.echo.done.is_empty());
    for nothing in ["", "   ", "! a remark", "# another"] {
        assert_eq!(session.done(nothing), "");
    }
}

#[test]
fn what_is_at_stake_is_asked_for() {
    let mut session = Session::new();
    session.done("no timestamps");
    let question = "Are you sure ? [Yes | No]: ";
    session.screen.answers = ["No", "", "yes", "Y"].into();
    for _ in 0..2 {
        let (next, seen) = session.line("clear bulkstats data");
        assert_eq!(next, Next::Failed);
        let failure = "Failure: not confirmed, nothing is done (clear bulkstats data): answer Yes, or add -noconfirm where nobody is there to answer\n";
        assert_eq!(seen, format!("{question}{failure}"));
    }
    assert!(session.echo.done.is_empty());
    assert_eq!(
        session.done("clear bulkstats data"),
        format!("{question}{FIVE}")
    );
    assert_eq!(session.done("clear sub all"), format!("{question}{FIVE}"));
    assert_eq!(session.done("clear sub all -noconfirm"), FIVE);
    assert_eq!(session.done("clear bulk da -noconfirm"), FIVE);
    // What would ask by itself is told that it was asked.
    let expected = [
        "clear bulkstats data",
        "clear subscribers all --noconfirm",
        "clear subscribers all --noconfirm",
        "clear bulkstats data",
    ];
    assert_eq!(session.echo.done, expected);
}

#[test]
fn a_failure_is_said_after_what_was_written() {
    let mut session = Session::new();
    session.echo.fails = true;
    let (next, seen) = session.line("show version");
    assert_eq!(next, Next::Failed);
    assert_eq!(seen, format!("{STAMP}{FIVE}Failure: no (here): wait\n"));
}

#[test]
fn pages_are_as_long_as_the_terminal_or_as_was_set() {
    let mut session = Session::new();
    session.done("no timestamps");
    session.screen.size = Some((3, 80));
    session.screen.keys = [More::Page, More::Line].into();
    let paged = "line 1\nline 2\n[more]line 3\nline 4\n[more]line 5\n";
    assert_eq!(session.done("show version"), paged);
    session.screen.keys = [More::Stop].into();
    assert_eq!(session.done("show version"), "line 1\nline 2\n[more]");
    session.screen.keys = [More::Line, More::Line, More::Line].into();
    let by_line = "line 1\nline 2\n[more]line 3\n[more]line 4\n[more]line 5\n";
    assert_eq!(session.done("show version"), by_line);
    session.done("terminal length 0");
    assert_eq!(session.done("show version"), FIVE);
    session.screen.keys = [More::Stop].into();
    assert_eq!(
        session.done("show version | more"),
        "line 1\nline 2\n[more]"
    );
    session.done("term length 6");
    assert_eq!(session.done("show version"), FIVE);
    // A line of six letters takes two on a narrow terminal.
    session.done("terminal width 5");
    session.screen.keys = [More::Stop].into();
    assert_eq!(session.done("show version"), "line 1\nline 2\n[more]");
    session.screen.size = None;
    assert_eq!(session.done("show version | more"), FIVE);
    let (next, seen) = session.line("terminal length 600");
    assert_eq!(next, Next::NotUnderstood);
    assert!(seen.starts_with("Failure: "), "{seen}");
}

/// The words that help lists; a line that begins further right goes on with what was said.
fn listed(help: &str) -> impl Iterator<Item = &str> {
    let goes_on = " ".repeat(INDENT.len() + NAME_COLUMNS + 1);
    let lines = help.lines().filter(move |line| !line.starts_with(&goes_on));
    lines.filter_map(|line| line.split_whitespace().next())
}

#[test]
fn help_lists_what_may_follow_and_what_begins_so() {
    let shell = Shell::new("gw1", Privilege::Administrator);
    let names = |before: &str| {
        let help = shell.help(before);
        listed(&help).map(str::to_owned).collect::<Vec<_>>()
    };
    let first = [
        "apply",
        "bulkstats",
        "clear",
        "configure",
        "exit",
        "lab",
        "license",
        "no",
        "save",
        "show",
        "terminal",
        "timestamps",
    ];
    assert_eq!(names(""), first);
    assert_eq!(names("c"), ["clear", "configure"]);
    assert_eq!(
        names("sh lic enf "),
        ["history", "policy", "preview", "status"]
    );
    let status = [
        "allowed", "blocked", "feature", "service", "--json", "<cr>", "|",
    ];
    assert_eq!(names("sh lic enf status "), status);
    assert_eq!(
        names("clear subscribers imsi "),
        ["<IMSI>", "--reactivate", "-noconfirm"]
    );
    assert_eq!(names("show version | "), ["count", "grep", "more"]);
    assert_eq!(names("show zzz "), ["show", "^", "Failure:"]);
    let help = shell.help("show license ude");
    assert_eq!(help, "Failure: nothing begins so here\n");
    let mut session = Session::new();
    assert_eq!(session.done("cl?"), shell.help("cl"));
    assert!(
        shell
            .help("c")
            .contains("clear                    End sessions of a node, or drop")
    );
}

#[test]
fn completion_begins_where_the_word_does() {
    let shell = Shell::new("gw1", Privilege::Administrator);
    let complete = |before: &str| {
        let (at, names) = shell.complete(before);
        (at, names.join(" "))
    };
    assert_eq!(complete("sh"), (0, "show".into()));
    assert_eq!(complete("show lic"), (5, "license".into()));
    assert_eq!(
        complete("show license enforcement st"),
        (25, "status".into())
    );
    assert_eq!(
        complete("show license enforcement status b"),
        (32, "blocked".into())
    );
    assert_eq!(complete("show version --j"), (13, "--json".into()));
    assert_eq!(complete("show version | g"), (15, "grep".into()));
    assert_eq!(complete("clear subscribers imsi 24"), (23, String::new()));
    assert_eq!(complete("xyz "), (4, String::new()));
    assert_eq!(complete("term"), (0, "terminal".into()));
}

#[test]
fn a_line_with_a_token_is_a_secret() {
    for line in [
        "lic smart reg idtoken ABC",
        "license smart register idtoken ABC force | count",
        "do lisence smart rgister IDT ABC",
    ] {
        assert!(Shell::is_secret(line), "{line}");
    }
    assert!(!Shell::is_secret("show license status"));
}

#[test]
fn bars_are_few_and_only_behind_an_answer() {
    let mut session = Session::new();
    let eight = format!("show version{}", " | grep line".repeat(8));
    session.done(&eight);
    for line in [&format!("{eight} | count"), "exit | count"] {
        assert_eq!(session.line(line).0, Next::NotUnderstood, "{line}");
    }
    assert_eq!(session.echo.done, ["show version"]);
}

#[test]
fn behind_do_is_what_the_first_prompt_has_but_for_the_shell_itself() {
    let mut session = Session::new();
    session.line("configure");
    let help = session.shell.help("do ");
    let words: Vec<&str> = listed(&help).collect();
    assert_eq!(
        words,
        [
            "apply",
            "bulkstats",
            "clear",
            "lab",
            "license",
            "save",
            "show"
        ]
    );
}

#[test]
fn no_line_is_too_odd() {
    let mut session = Session::new();
    let words = [
        "show",
        "do",
        "|",
        "\"",
        "grep",
        "-v",
        "é",
        "configure",
        "license",
        "--",
        "--json=",
        "?",
        "-noconfirm",
        "no",
        "\u{0}",
        "s",
        "end",
        "feature",
        "GRE",
        "snmp",
        "target",
        "=",
        "(",
        "-",
    ];
    // Every line of up to three of them, with and without blanks.
    for a in words {
        for b in words {
            for c in words {
                for line in [format!("{a} {b} {c}"), format!("{a}{b}{c}")] {
                    session.line(&line);
                    session.shell.help(&line);
                    let (at, _) = session.shell.complete(&line);
                    assert!(line.is_char_boundary(at), "{line:?}");
                }
            }
        }
    }
}

/// A node with two access points and three features.
#[derive(Debug)]
struct Some3;

impl Names for Some3 {
    fn names(&self, of: Named) -> Vec<String> {
        let names: &[&str] = match of {
            Named::Apn => &["internet", "ims"],
            Named::Feature => &["GRE", "VoLTE", "MPLS"],
            Named::Service | Named::Peer | Named::Target | Named::Community | Named::User => &[],
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }
}

#[test]
fn names_that_a_node_has_are_offered_where_they_are_meant() {
    let shell = Shell::new("gw1", Privilege::Administrator).with_names(Box::new(Some3));
    let offered = |line: &str| shell.complete(line).1;
    assert_eq!(offered("clear subscribers apn i"), ["internet", "ims"]);
    assert_eq!(offered("clear subscribers apn im"), ["ims"]);
    let help = shell.help("clear subscribers apn ");
    assert!(
        help.contains("  internet                 An access point\n"),
        "{help}"
    );
    assert!(
        help.contains("<APN>"),
        "any other may be typed, too: {help}"
    );
    assert_eq!(
        offered("clear subscribers service "),
        offered("clear subscribers apn ims ")
    );
    assert!(!offered("clear subscribers apn ims ").contains(&"ims".to_owned()));
    assert!(!offered("show ").contains(&"ims".to_owned()));
}

#[test]
fn the_words_that_an_option_takes_are_offered() {
    let shell = Shell::new("gw1", Privilege::Administrator);
    assert_eq!(
        shell.complete("show logs --facility sl").1,
        ["slmgr", "slagent"]
    );
    let help = shell.help("show logs --level ");
    assert!(
        help.contains("  critical ") && help.contains("  info "),
        "{help}"
    );
}

/// What is typed at random: words of the grammar, whole and cut, names, signs and nonsense.
fn line_of(random: &mut impl FnMut(usize) -> usize, words: &[String]) -> String {
    const SIGNS: [&str; 16] = [
        "|",
        "grep",
        "-v",
        "count",
        "more",
        "\"",
        "\\",
        "?",
        "-noconfirm",
        "--json",
        "--limit=3",
        "do",
        "\u{e9}\u{4e2d}",
        "\t",
        "!",
        "--",
    ];
    let mut line = String::new();
    for _ in 0..random(9) {
        let word = match random(4) {
            0 => SIGNS[random(SIGNS.len())],
            _ => words[random(words.len())].as_str(),
        };
        let cut = match random(3) {
            0 => random(word.chars().count() + 1),
            _ => word.chars().count(),
        };
        line.extend(word.chars().take(cut));
        if random(8) > 0 {
            line.push(' ');
        }
    }
    line
}

/// Each word once that a command of the table begins or goes on with.
fn all_words() -> Vec<String> {
    let rows = crate::table::rows().iter();
    let words = rows.flat_map(|row| row.words.split(' ').map(str::to_owned));
    words
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}

#[test]
fn whatever_is_typed_is_done_or_is_said_to_be_wrong_and_what_is_offered_is_understood() {
    let words = all_words();
    for seed in 1..=20_u64 {
        // xorshift64
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below.max(1) as u64) as usize
        };
        let mut session = Session::new();
        for _ in 0..100 {
            let line = line_of(&mut random, &words);
            session.screen.answers = ["Yes"; 3].into();
            let (begins, names) = session.shell.complete(&line);
            assert!(line.is_char_boundary(begins), "{line:?}");
            for name in names {
                let whole = format!("{}{name}", &line[..begins]);
                assert!(
                    !session
                        .shell
                        .help(&format!("{whole} "))
                        .contains("Unknown command"),
                    "{whole:?}"
                );
            }
            session.shell.help(&line);
            let (next, seen) = session.line(&line);
            let failed = matches!(next, Next::Failed | Next::NotUnderstood);
            let said = seen.contains("Failure: ");
            assert!(said || !failed, "{line:?}: {seen}");
            // What `?` answers may be one, of a line that is done.
            assert!(
                failed || !said || line.trim_end().ends_with('?'),
                "{line:?}: {seen}"
            );
        }
    }
}

#[test]
fn who_may_not_is_offered_no_such_word_and_told_what_it_takes() {
    let of_shell = rows().iter();
    let of_shell = of_shell.filter(|row| matches!(row.mode, Mode::Exec | Mode::Config));
    for privilege in [Privilege::Inspector, Privilege::Operator] {
        let mut refused = 0;
        for row in of_shell.clone().filter(|row| row.privilege > privilege) {
            let mut session = Session::new();
            session.shell = Shell::new("gw1", privilege);
            if row.mode == Mode::Config {
                session.done("configure");
            }
            let (before, last) = row.words.rsplit_once(' ').unwrap_or(("", &row.words));
            let begins = |other: &&Row| {
                let is_below = other.words.strip_prefix(&row.words);
                other.mode == row.mode
                    && other.privilege <= privilege
                    && is_below.is_some_and(|below| below.is_empty() || below.starts_with(' '))
            };
            let may_begin = of_shell.clone().any(|other| begins(&other));
            let (_, offered) = session.shell.complete(&format!("{before} {last}"));
            let is_offered = offered.iter().any(|word| word == last);
            assert_eq!(is_offered, may_begin, "{privilege}: {}", row.words);
            let help = session.shell.help(&format!("{before} "));
            let is_helped = help.lines().any(|line| {
                line.split_whitespace().next() == Some(last) && line.starts_with(INDENT)
            });
            assert_eq!(is_helped, may_begin, "{privilege}: {}: {help}", row.words);
            // Whoever does commands says so: it is told apart from what is no command.
            let (next, _) = session.line(&row.words);
            assert_eq!(next, Next::Done, "{privilege}: {}", row.words);
            assert_eq!(session.echo.done, [row.words.as_str()], "{privilege}");
            refused += 1;
        }
        assert!(refused > 20, "{privilege}: {refused}");
    }
}
