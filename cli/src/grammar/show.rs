//! `show ...`.

use bulkstats::table::Schema;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};

use api::{LogFacility, LogSeverity};
use jiff::{SignedDuration, Timestamp};
use licensing::Wall;

use super::SocketArgs;
use crate::show::{Filter, Kind, Needs, SURFACES, Standing, Surface};

/// `show ...`: its words come from the table of surfaces.
#[derive(Debug)]
pub struct ShowArgs {
    /// The surface.
    pub surface: &'static Surface,
    /// Which rows.
    pub filter: Filter,
    /// At most so many refusals, newest first, peers, or notifications; 0 where the surface lists none.
    pub limit: u32,
    /// What is asked after, where something has to be named: an IMSI, or the words of a change; else empty.
    pub named: String,
    /// So many of the first peers are left out; 0 where the surface lists none.
    pub offset: u32,
    /// As JSON.
    pub json: bool,
    /// Where the node is.
    pub socket: SocketArgs,
}

/// Most words of a change.
const CHANGE_WORDS_MAX: usize = 4;

/// Refusals, or peers, shown unless told otherwise.
const LIMIT_DEFAULT: &str = "20";

/// Events shown unless told otherwise: all.
const LOGS_DEFAULT: &str = "4096";

/// Notifications shown unless told otherwise: all, as StarOS does.
const TRAPS_DEFAULT: &str = "5000";

impl Args for ShowArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        let all = SURFACES.iter().map(|surface| {
            let words = surface.words.join(" ");
            format!(
                "\n  {words}\n      {}\n      tollgate {}",
                surface.help, surface.example
            )
        });
        let help = format!(
            "All of it, each with an example:{}",
            all.collect::<String>()
        );
        let surfaces: Vec<&'static Surface> = SURFACES.iter().collect();
        add_words(command, 0, &surfaces).after_help(help)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

/// Adds the words at this depth of these surfaces, and below each what follows it.
fn add_words(command: clap::Command, depth: usize, surfaces: &[&'static Surface]) -> clap::Command {
    let mut command = command
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_subcommands(true);
    let mut done: Vec<&str> = Vec::new();
    for &surface in surfaces {
        let word = surface.words[depth];
        if done.contains(&word) {
            continue;
        }
        done.push(word);
        let below = clap::Command::new(word);
        let longer = surfaces
            .iter()
            .filter(|s| s.words[depth] == word && s.words.len() > depth + 1);
        let longer: Vec<&'static Surface> = longer.copied().collect();
        let is_leaf = surface.words.len() == depth + 1;
        command = command.subcommand(match (is_leaf, longer.is_empty()) {
            (true, true) => leaf(below, surface),
            // It shows something alone, and something else with more words.
            (true, false) => add_words(leaf(below, surface), depth + 1, &longer)
                .subcommand_required(false)
                .arg_required_else_help(false)
                .args_conflicts_with_subcommands(true),
            (false, _) => add_words(below.about(about(word)), depth + 1, &longer),
        });
    }
    command
}

/// What the words that only group say in help.
fn about(word: &str) -> &'static str {
    match word {
        "license" => "Licensing: registration, usage, enforcement, statistics",
        "enforcement" => "Which new calls are let through, and why not",
        "call-home" => "Messages to the license authority",
        "smart-licensing" => "Those of the Smart Agent",
        "subscribers" => "Subscribers and their sessions",
        "why" => "Why calls are let through or refused",
        "counters" => "Calls counted",
        "historical" => "By intervals",
        "support" => "For whoever helps",
        "session" => "Sessions and signalling",
        "gtpc" => "GTP-C",
        "system" => "The node itself",
        "alarm" => "Alarms",
        "snmp" => "SNMP: notifications, their targets, the agent",
        "trap" => "Notifications",
        _ => "More",
    }
}

fn leaf(command: clap::Command, surface: &'static Surface) -> clap::Command {
    let json = Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .help("Print JSON, of the same snapshot");
    let command = match surface.names() {
        Some((name, help, several)) => {
            let named = Arg::new("named").value_name(name).required(true).help(help);
            command.arg(match several {
                true => named.num_args(1..=CHANGE_WORDS_MAX),
                false => named,
            })
        }
        None => command,
    };
    let mut command = SocketArgs::augment_args(command.arg(json))
        .about(surface.help)
        .after_help(format!("Example:\n  tollgate {}", surface.example));
    if let Some((name, usage, words)) = surface.filter_words() {
        let command_words = surface.words.join(" ");
        command = command.override_usage(format!(
            "tollgate show {command_words}\n         {usage} [--json] [--socket <PATH>]"
        ));
        let of = [
            surface.by_standing,
            surface.by_kind,
            surface.has_verbose,
            surface.by_schema(),
        ];
        let most = of.into_iter().filter(|takes| *takes).count();
        let help = match (surface.has_verbose, surface.by_schema()) {
            (true, _) => "More of each row",
            (false, true) => "Only those of this schema, and those of every schema",
            (false, false) => "Only these rows",
        };
        let filter = Arg::new("filter")
            .value_name(name)
            .num_args(0..=most)
            .value_parser(FilterWord(words))
            .hide_possible_values(true)
            .help(help);
        command = command.arg(filter);
    }
    if let Some((most, default, which)) = surface.limit() {
        let limit = Arg::new("limit")
            .long("limit")
            .value_name("N")
            .default_value(default)
            .value_parser(clap::value_parser!(u32).range(1..=i64::from(most)))
            .help(which);
        command = command.arg(limit);
    }
    if surface.needs == Needs::Logs {
        let facility = Arg::new("facility")
            .long("facility")
            .value_name("FACILITY")
            .value_parser(
                words_of(LogFacility::ALL.map(LogFacility::word))
                    .try_map(|said| said.parse::<LogFacility>()),
            )
            .hide_possible_values(true)
            .help(
                "Of this facility alone: slmgr, slagent, snmp, bulkst, gtpc, cli, system or evlog",
            );
        let level = Arg::new("level")
            .long("level")
            .value_name("SEVERITY")
            .value_parser(
                words_of(LogSeverity::ALL.map(LogSeverity::word))
                    .try_map(|said| said.parse::<LogSeverity>()),
            )
            .hide_possible_values(true)
            .help("Of this severity and all above it: critical, error, warning, unusual or info");
        let since = Arg::new("since")
            .long("since")
            .value_name("TIME")
            .value_parser(since)
            .help("From then on: 90s, 15m, 2h or 3d ago, or a time such as 2026-11-22T23:00:00Z");
        command = command.args([facility, level, since]);
    }
    if surface.needs == Needs::Peers {
        let offset = Arg::new("offset")
            .long("offset")
            .value_name("N")
            .default_value("0")
            .value_parser(clap::value_parser!(u32))
            .help("Leave out the first N of all");
        command = command.arg(offset);
    }
    command
}

/// The names of the schemas of bulk statistics.
const SCHEMAS: [&str; Schema::ALL.len()] = {
    let mut names = [""; Schema::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Schema::ALL[at].name();
        at += 1;
    }
    names
};

/// One of these words.
fn words_of<const N: usize>(words: [&'static str; N]) -> PossibleValuesParser {
    PossibleValuesParser::new(words)
}

/// One of these words, or what one begins with.
#[derive(Clone)]
struct FilterWord(&'static [&'static str]);

impl TypedValueParser for FilterWord {
    type Value = &'static str;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<&'static str, clap::Error> {
        let words = self.0;
        let expanded = move |typed: &str| expand(typed, words);
        expanded.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// A span before now, or a moment.
fn since(typed: &str) -> Result<Wall, String> {
    let now = Timestamp::now();
    let ago = typed.strip_suffix(['s', 'm', 'h', 'd']).and_then(|number| {
        let unit_s = match &typed[number.len()..] {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => 86_400,
        };
        i64::checked_mul(number.parse::<u32>().ok()?.into(), unit_s)
    });
    let at = match ago {
        Some(seconds) => now.checked_sub(SignedDuration::from_secs(seconds)).ok(),
        None => typed.parse().ok(),
    };
    let at: Timestamp = at.ok_or("it is neither a span nor a time with its zone")?;
    Ok(Wall(at.as_millisecond()))
}

/// The one of `words` that `typed` begins, or is.
fn expand(typed: &str, words: &[&'static str]) -> Result<&'static str, String> {
    let mut fitting = words
        .iter()
        .filter(|word| word.starts_with(&typed.to_lowercase()));
    match (fitting.next(), fitting.next()) {
        (Some(word), None) if !typed.is_empty() => Ok(word),
        _ => Err(format!("one of {} is expected", words.join(", "))),
    }
}

impl FromArgMatches for ShowArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut words: Vec<&str> = Vec::new();
        let mut leaf = matches;
        while let Some((word, below)) = leaf.subcommand() {
            words.push(word);
            leaf = below;
        }
        let surface = Surface::named(&words).ok_or_else(|| {
            clap::Error::raw(ErrorKind::InvalidSubcommand, "no such thing to show\n")
        })?;
        let number = |name| leaf.try_get_one::<u32>(name).ok().flatten().copied();
        Ok(Self {
            surface,
            filter: filter(leaf)?,
            limit: number("limit").unwrap_or_default(),
            offset: number("offset").unwrap_or_default(),
            json: leaf.get_flag("json"),
            named: match surface.names() {
                Some(_) => {
                    let words = leaf.get_many::<String>("named").unwrap_or_default();
                    words.cloned().collect::<Vec<_>>().join(" ")
                }
                None => String::new(),
            },
            socket: SocketArgs::from_arg_matches(leaf)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn filter(leaf: &ArgMatches) -> Result<Filter, clap::Error> {
    let mut filter = Filter {
        facility: leaf.try_get_one("facility").ok().flatten().copied(),
        level: leaf.try_get_one("level").ok().flatten().copied(),
        since: leaf.try_get_one("since").ok().flatten().copied(),
        ..Filter::default()
    };
    let words = leaf.try_get_many::<&'static str>("filter").ok().flatten();
    for word in words.into_iter().flatten() {
        if let Some(schema) = Schema::named(word) {
            filter.schema = Some(schema);
            continue;
        }
        let twice = match *word {
            "allowed" => filter.standing.replace(Standing::Allowed).is_some(),
            "blocked" => filter.standing.replace(Standing::Blocked).is_some(),
            "service" => filter.kind.replace(Kind::Service).is_some(),
            "verbose" => std::mem::replace(&mut filter.verbose, true),
            _ => filter.kind.replace(Kind::Feature).is_some(),
        };
        if twice {
            let said = format!("`{word}` and the word before it exclude each other\n");
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, said));
        }
    }
    Ok(filter)
}

impl Surface {
    /// The words by which its rows are chosen, with their name and their usage; none: it has no choice.
    fn filter_words(&self) -> Option<(&'static str, &'static str, &'static [&'static str])> {
        const WORDS: &[&str] = &["allowed", "blocked", "feature", "service"];
        if self.has_verbose {
            return Some(("verbose", "[verbose]", &["verbose"]));
        }
        if self.by_schema() {
            return Some(("SCHEMA", "[SCHEMA]", &SCHEMAS));
        }
        match (self.by_standing, self.by_kind) {
            (true, true) => Some((
                "allowed|blocked|feature|service",
                "[allowed | blocked] [feature | service]",
                WORDS,
            )),
            (true, false) => Some(("allowed|blocked", "[allowed | blocked]", &WORDS[..2])),
            (false, true) => Some(("feature|service", "[feature | service]", &WORDS[2..])),
            (false, false) => None,
        }
    }

    /// How many rows come unless one asks for another number; 0 where the surface lists none.
    pub fn limit_default(&self) -> u32 {
        let (_, default, _) = self.limit().unwrap_or((0, "0", ""));
        default.parse().unwrap_or_default()
    }

    /// How many rows one may ask for, how many come unless one does, and which these are; none: it has no such option.
    fn limit(&self) -> Option<(u32, &'static str, &'static str)> {
        let newest = "At most so many, the newest";
        let first = "At most so many, in the order of their addresses";
        match self.needs {
            Needs::History => Some((api::HISTORY_LIMIT_MAX, LIMIT_DEFAULT, newest)),
            Needs::Peers => Some((api::PEERS_LIMIT_MAX, LIMIT_DEFAULT, first)),
            Needs::Traps => Some((api::TRAPS_LIMIT_MAX, TRAPS_DEFAULT, newest)),
            Needs::Audit => Some((api::AUDIT_LIMIT_MAX, LIMIT_DEFAULT, newest)),
            Needs::Logs => Some((api::LOGS_LIMIT_MAX, LOGS_DEFAULT, newest)),
            Needs::Snapshot
            | Needs::Agent
            | Needs::Sessions
            | Needs::Subscriber
            | Needs::Counters
            | Needs::Forecast
            | Needs::Preview
            | Needs::Details
            | Needs::Alarms
            | Needs::Snmp
            | Needs::Logging
            | Needs::Accounts
            | Needs::Configuration
            | Needs::Bulkstats
            | Needs::BulkstatsData => None,
        }
    }
}
