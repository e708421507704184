//! `cargo xtask figure`: measure one of the promises of SPECIFICATION.md, now.

use std::fmt;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::{Workspace, cargo};
use crate::{clauses, rules, run, soak, test};

const MEASURE_MAX_S: u32 = 1800;

struct Figure {
    id: &'static str,
    meaning: &'static str,
    target: &'static str,
    how: How,
}

enum How {
    /// A program of crate `benches` with the name of the figure; its last line is the figure's.
    Bench,
    /// An example of a crate with the name of the figure, in a release build; one of its lines is the figure's.
    Example(&'static str, &'static str),
    /// Counted here.
    Count(fn(&Workspace) -> Result<Line>),
    /// Said by tests, each in a line that begins with the figure's name, and summed; the target is 0.
    Tests(&'static [Test]),
}

/// A test of a crate: of the library, or of another target.
struct Test {
    package: &'static str,
    target: Option<&'static str>,
    name: &'static str,
}

/// Smart Agents and a license authority with its store, with a fault for one message in three.
const TOGETHER: Test = Test {
    package: "tests",
    target: Some("agents_and_authority"),
    name: "whatever_is_lost_no_grants_exceed_what_is_owned_and_no_report_is_lost",
};

impl Test {
    /// One of a Smart Agent and a model of an authority.
    const fn of_the_agent(name: &'static str) -> Self {
        Self {
            package: "smart-agent",
            target: None,
            name,
        }
    }
}

const FIGURES: [Figure; 42] = [
    Figure {
        id: "gate-ratio",
        meaning: "admit+release, exact, policy and three features checked, over a bare atomic add+sub pair on an own line",
        target: "at most 0.45",
        how: How::Bench,
    },
    Figure {
        id: "gate-scaling",
        meaning: "throughput of two workers over one, over the bare pair's own scaling",
        target: "at least 0.97",
        how: How::Bench,
    },
    Figure {
        id: "gate-mixed-ratio",
        meaning: "the same of 64 classes in random order, 1,024 permits held, over the bare pair of 64 own lines in that order",
        target: "at most 0.8",
        how: How::Bench,
    },
    Figure {
        id: "gate-churn-ratio",
        meaning: "a session ends and another comes at the ceiling, before and after refusals, over the bare pair in the same loop",
        target: "at most 1.1",
        how: How::Bench,
    },
    Figure {
        id: "gate-overload-ratio",
        meaning: "two workers at the ceiling, three calls of four refused, over a packed compare-and-swap",
        target: "at most 1.6",
        how: How::Bench,
    },
    Figure {
        id: "gate-flip-delay-us",
        meaning: "microseconds that 1,000 changes of terms a second add to the 99.99th percentile of 100,000 admissions a second",
        target: "at most 20",
        how: How::Bench,
    },
    Figure {
        id: "gate-order",
        meaning: "windows of the compiled gate whose steps are in order: busy, look at the bound, what is left; no call between",
        target: "2",
        how: How::Bench,
    },
    Figure {
        id: "gate-fence-violations",
        meaning: "of 10,000,000 store-buffer rounds on two processors, those that the heavy fence should have forbidden",
        target: "0",
        how: How::Bench,
    },
    Figure {
        id: "gate-mutations-caught",
        meaning: "of eight mistakes in the gate's protocol, those that a model notices",
        target: "8",
        how: How::Count(mutations_caught),
    },
    Figure {
        id: "gate-instructions",
        meaning: "largest change, in percent, of the instructions of an admission with its release, of a refusal and of churn at the ceiling, by callgrind, from those in enforcer/instructions.txt",
        target: "at most 3",
        how: How::Example("enforcer", "gate-instructions"),
    },
    Figure {
        id: "gate-allocations",
        meaning: "allocations on the path of admit, release and refusal",
        target: "0",
        how: How::Bench,
    },
    Figure {
        id: "allocations-per-message",
        meaning: "allocations of a worker's session plane for a datagram of GTPv1 or GTPv2, calls made and ended at a constant number",
        target: "0",
        how: How::Bench,
    },
    Figure {
        id: "bytes-per-session",
        meaning: "octets that each of 1,000,000 sessions of a worker adds to what is resident, answers kept apart",
        target: "at most 256",
        how: How::Bench,
    },
    Figure {
        id: "sessions-10m-gib",
        meaning: "GiB of a process with a worker that makes 10,000,000 sessions, at most ever, answers kept apart",
        target: "at most 3",
        how: How::Bench,
    },
    Figure {
        id: "permit-leaks",
        meaning: "permits not back after 1,000,000 random procedure steps, peers restarting, beside a plain model",
        target: "0",
        how: How::Bench,
    },
    Figure {
        id: "gtp-conformance",
        meaning: "GTPv2-C: percent of wanted elements met as specified, each missing, malformed, twice, in any order",
        target: "100",
        how: How::Bench,
    },
    Figure {
        id: "rules-cited",
        meaning: "rules in force with a test that cites them and a mutation that a test catches",
        target: "all 18",
        how: How::Count(rules_cited),
    },
    Figure {
        id: "scas-open",
        meaning: "clauses of TS 33.117 and TS 33.250 with neither a test that cites them nor a reason",
        target: "0",
        how: How::Count(scas_open),
    },
    Figure {
        id: "sim-seeds-failed",
        meaning: "seeds of the simulation of a whole node that break an invariant, of 100,000 in docs/soak.md, 2,000 in each test",
        target: "0",
        how: How::Count(|workspace| soaked(workspace, "sim-seeds-failed", "sim")),
    },
    Figure {
        id: "kill9-cycles",
        meaning: "times that license time was gained, or more than a quantum of it lost, in 1,000 kills under load in docs/soak.md",
        target: "0",
        how: How::Count(|workspace| soaked(workspace, "kill9-cycles", "kill")),
    },
    Figure {
        id: "crash-points",
        meaning: "points of a day's writes of the license clock after which a start finds less than was durable, in docs/soak.md",
        target: "0",
        how: How::Count(|workspace| soaked(workspace, "crash-points", "crash")),
    },
    Figure {
        id: "fuzz-crashes",
        meaning: "inputs that ended a fuzz target, of 10,000,000 for each and 100,000,000 for the decoders of GTP, in docs/soak.md",
        target: "0",
        how: How::Count(|workspace| soaked(workspace, "fuzz-crashes", "fuzz")),
    },
    Figure {
        id: "build-reproducible",
        meaning: "1: two builds of a commit, in directories of different names, are the same octets; in docs/soak.md",
        target: "1",
        how: How::Count(build_reproducible),
    },
    Figure {
        id: "secrets-found",
        meaning: "planted secrets in logs at their loudest, answers, metrics, samples, the journal and what a node and an authority keep",
        target: "0",
        how: How::Tests(&[Test {
            package: "tests",
            target: Some("secrets"),
            name: "no_secret_is_in_a_log_or_kept_in_the_clear",
        }]),
    },
    Figure {
        id: "soak-drift",
        meaning: "samples in which counts and session tables differ, or slopes of memory and descriptors, in 30 minutes in docs/soak.md",
        target: "0",
        how: How::Count(|workspace| soaked(workspace, "soak-drift", "load")),
    },
    Figure {
        id: "cli-roundtrip",
        meaning: "of 10,000 random configurations, every section and key, those not equal once printed as text and read back",
        target: "0",
        how: How::Tests(&[Test {
            package: "node",
            target: None,
            name: "config::text::tests::a_random_configuration_is_printed_and_read_back_the_same",
        }]),
    },
    Figure {
        id: "ask-ahead-refusals",
        meaning: "calls refused while the pool had licenses, of 1,000,000 simulated ones, with answers that take up to 8 s",
        target: "0",
        how: How::Tests(&[Test::of_the_agent(
            "agent::tests::ahead::no_call_is_refused_while_the_pool_has_a_license",
        )]),
    },
    Figure {
        id: "grants-over-owned",
        meaning: "licenses by which the ceilings of a pool's nodes went over what is owned, nodes killed and cut off at random",
        target: "0",
        how: How::Tests(&[
            Test::of_the_agent(
                "agent::tests::ahead::what_the_nodes_of_a_pool_hold_is_never_more_than_is_owned",
            ),
            TOGETHER,
        ]),
    },
    Figure {
        id: "report-conservation",
        meaning: "license-milliseconds reported minus acknowledged, over lives with faults of network, disk and process",
        target: "0",
        how: How::Tests(&[
            Test::of_the_agent(
                "agent::tests::crashes::whatever_happens_reports_are_neither_lost_nor_counted_twice",
            ),
            TOGETHER,
        ]),
    },
    Figure {
        id: "snmp-mib-clean",
        meaning: "errors and warnings of smilint, at its strictest, of mibs/TOLLGATE-MIB.txt",
        target: "0",
        how: How::Tests(&[Test {
            package: "tests",
            target: Some("mib"),
            name: "smilint_has_nothing_to_say_of_our_mib",
        }]),
    },
    Figure {
        id: "snmp-v3-ratio",
        meaning: "an SNMPv3 authPriv trap, SHA-256 and AES-128, over that HMAC and that cipher alone of as many octets",
        target: "at most 3",
        how: How::Bench,
    },
    Figure {
        id: "snmp-walk-ratio",
        meaning: "GETBULK walk of 10,000 rows: rows per second of the agent's CPU over those of Debian's snmpd",
        target: "at least 5",
        how: How::Bench,
    },
    Figure {
        id: "snmp-inform-lost",
        meaning: "informs that snmptrapd misses, by v2c and v3, after it was killed, away for a minute, and started again",
        target: "0",
        how: How::Tests(&[Test {
            package: "tests",
            target: Some("snmp"),
            name: "no_inform_is_missing_after_the_manager_was_away",
        }]),
    },
    Figure {
        id: "authority-instances",
        meaning: "product instances in the authority's embedded store, each with a key and a certificate, 3,000 by registration",
        target: "at least 300000",
        how: How::Example("authority", "authority-report-cost"),
    },
    Figure {
        id: "authority-report-cost",
        meaning: "median cost of one usage report in a pool of 300,000 product instances, over the same in one of 3,000",
        target: "at most 1.3",
        how: How::Example("authority", "authority-report-cost"),
    },
    Figure {
        id: "bulkstats-sample-ratio",
        meaning: "one sample of all schemas in four files, 64 services and 64 features, over write! of the same values",
        target: "at most 3",
        how: How::Example("bulkstats", "bulkstats-sample-ratio"),
    },
    Figure {
        id: "bulkstats-lost",
        meaning: "intervals missing or repeated at an SFTP server that refuses, is slow, cuts off, is full; node killed, clock moved, disk full",
        target: "0",
        how: How::Tests(&[
            Test {
                package: "tests",
                target: Some("bulkstats_lost"),
                name: "no_interval_is_missing_or_repeated_whatever_fails",
            },
            Test {
                package: "tests",
                target: Some("bulkstats"),
                name: "a_disk_here_that_is_full_for_less_than_an_interval_loses_nothing",
            },
        ]),
    },
    Figure {
        id: "cli-covered",
        meaning: "percent of the commands with help, completion, a test that runs them, and a documented schema of what they show",
        target: "100",
        how: How::Example("cli", "cli-covered"),
    },
    Figure {
        id: "cli-start-ms",
        meaning: "milliseconds that tollgate --version takes, over those of true in the same run",
        target: "reported",
        how: How::Example("cli", "cli-start-ms"),
    },
    Figure {
        id: "bulkstats-admit-p999",
        meaning: "99.9th percentile from a new call to its answer, 16,384 peers, with a sample of all schemas each second, over without",
        target: "at most 1.1",
        how: How::Bench,
    },
    Figure {
        id: "gtpv1-vs-ggsn",
        meaning: "pairs of Create and Delete PDP Context per second of the server's CPU, over UDP on loopback, over osmo-ggsn's",
        target: "at least 5",
        how: How::Bench,
    },
    Figure {
        id: "gtpv2-vs-echo",
        meaning: "server's CPU for a pair of Create and Delete Session, over UDP on loopback, over a bare echo of as many octets",
        target: "at most 2",
        how: How::Bench,
    },
];

/// The last line of a measurement: `ID VALUE target TARGET ok|short|invalid`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    id: String,
    value: String,
    target: String,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    Short,
    /// The machine was too noisy to say.
    Invalid,
}

impl Verdict {
    fn code(self) -> ExitCode {
        match self {
            Self::Ok => ExitCode::SUCCESS,
            Self::Short => ExitCode::from(1),
            Self::Invalid => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Short => "short",
            Verdict::Invalid => "invalid",
        };
        write!(
            f,
            "{} {} target {} {verdict}",
            self.id, self.value, self.target
        )
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [id, value, "target", target, verdict] = words.as_slice() else {
            return None;
        };
        let verdict = match *verdict {
            "ok" => Verdict::Ok,
            "short" => Verdict::Short,
            "invalid" => Verdict::Invalid,
            _ => return None,
        };
        Some(Self {
            id: (*id).to_owned(),
            value: (*value).to_owned(),
            target: (*target).to_owned(),
            verdict,
        })
    }
}

/// Their names.
pub fn ids() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|figure| figure.id)
}

/// What the figure of this name says.
pub fn meaning(id: &str) -> Option<&'static str> {
    let figure = FIGURES.iter().find(|figure| figure.id == id)?;
    Some(figure.meaning)
}

/// Prints the figures.
pub fn list() -> ExitCode {
    for Figure {
        id,
        meaning,
        target,
        ..
    } in &FIGURES
    {
        println!("{id:18} {target:14} {meaning}");
    }
    ExitCode::SUCCESS
}

/// Measures one and prints its line last.
pub fn measure(workspace: &Workspace, id: &str) -> Result<ExitCode> {
    let Some(figure) = FIGURES.iter().find(|figure| figure.id == id) else {
        let ids: Vec<&str> = ids().collect();
        bail!("no figure {id:?}; there are {}", ids.join(", "));
    };
    let line = match figure.how {
        How::Bench => bench(workspace, id)?,
        How::Example(package, example) => example_of(workspace, id, package, example)?,
        How::Count(count) => count(workspace)?,
        How::Tests(tests) => said_by_all(workspace, id, tests)?,
    };
    println!("{line}");
    Ok(line.verdict.code())
}

/// The program's last line is held back, checked, and printed by the caller.
fn bench(workspace: &Workspace, id: &str) -> Result<Line> {
    let mut command = run::bounded(MEASURE_MAX_S, cargo());
    command.current_dir(&workspace.root);
    command.args([
        "run",
        "--release",
        "--quiet",
        "--package",
        "benches",
        "--bin",
        id,
    ]);
    let mut last: Option<String> = None;
    run::lines(&mut command, |line| {
        if let Some(before) = last.replace(line.to_owned()) {
            println!("{before}");
        }
    })?;
    let last = last.with_context(|| format!("{id} printed nothing"))?;
    let line = Line::parse(&last).with_context(|| format!("{id} ended with {last:?}"))?;
    ensure!(line.id == id, "{id} measured {}", line.id);
    Ok(line)
}

/// The program's line that begins with the figure's name is held back, checked, and printed by the caller.
fn example_of(workspace: &Workspace, id: &str, package: &str, example: &str) -> Result<Line> {
    let mut command = run::bounded(MEASURE_MAX_S, cargo());
    command.current_dir(&workspace.root);
    command.args(["run", "--release", "--quiet", "--package", package]);
    command.args(["--example", example]);
    let mut found = None;
    run::lines(&mut command, |line| match Line::parse(line) {
        Some(read) if read.id == id => found = Some(read),
        Some(_) | None => println!("{line}"),
    })?;
    found.with_context(|| format!("{example} said nothing of {id}"))
}

/// The sum of what the tests say.
fn said_by_all(workspace: &Workspace, id: &str, tests: &[Test]) -> Result<Line> {
    let mut sum = 0;
    for test in tests {
        let value = said(workspace, id, test)?;
        println!("{}: {value}", test.name);
        sum += value;
    }
    Ok(Line {
        id: id.to_owned(),
        value: sum.to_string(),
        target: "0".to_owned(),
        verdict: match sum {
            0 => Verdict::Ok,
            1.. => Verdict::Short,
        },
    })
}

/// What the test says; one that fails before it says anything is no measurement.
fn said(workspace: &Workspace, id: &str, test: &Test) -> Result<u64> {
    let mut command = run::bounded(MEASURE_MAX_S, cargo());
    command.current_dir(&workspace.root);
    command.args(["test", "--quiet", "--package", test.package]);
    match test.target {
        None => command.arg("--lib"),
        Some(target) => command.args(["--test", target]),
    };
    command.args([test.name, "--", "--exact", "--nocapture"]);
    // One that measures takes its time; the same as a test of every day does not.
    command.env("TOLLGATE_FIGURE", id);
    let mut value = None;
    run::lines(&mut command, |line| {
        if let Some(said) = line.strip_prefix(id) {
            value = Some(said.trim().to_owned());
        }
    })?;
    let value = value.with_context(|| format!("{} said nothing of {id}", test.name))?;
    value
        .parse()
        .with_context(|| format!("{} said {value:?}", test.name))
}

fn rules_cited(workspace: &Workspace) -> Result<Line> {
    let rules = rules::all(workspace)?;
    let mut proved = 0;
    for rule in &rules {
        let missing = match (!rule.cited_in.is_empty(), !rule.killed.is_empty()) {
            (true, true) => {
                proved += 1;
                continue;
            }
            (true, false) => "no mutation that a test catches",
            (false, true) => "no test that cites it",
            (false, false) => "no test that cites it, no mutation that a test catches",
        };
        println!("{}: {missing}", rule.name);
    }
    Ok(Line {
        id: "rules-cited".to_owned(),
        value: format!("{proved}/{}", rules.len()),
        target: rules.len().to_string(),
        verdict: if proved == rules.len() {
            Verdict::Ok
        } else {
            Verdict::Short
        },
    })
}

fn scas_open(workspace: &Workspace) -> Result<Line> {
    let (open, all) = clauses::open_of_all(workspace)?;
    println!("{open} of {all} clauses");
    Ok(Line {
        id: "scas-open".to_owned(),
        value: open.to_string(),
        target: "0".to_owned(),
        verdict: match open {
            0 => Verdict::Ok,
            _ => Verdict::Short,
        },
    })
}

fn build_reproducible(workspace: &Workspace) -> Result<Line> {
    let (bad, reached) = soak::standing(workspace, "build")?;
    let same = bad == 0 && reached;
    Ok(Line {
        id: "build-reproducible".to_owned(),
        value: u8::from(same).to_string(),
        target: "1".to_owned(),
        verdict: match same {
            true => Verdict::Ok,
            false => Verdict::Short,
        },
    })
}

/// What the report of long runs has; short of its goal is short.
fn soaked(workspace: &Workspace, id: &str, part: &str) -> Result<Line> {
    let (bad, reached) = soak::standing(workspace, part)?;
    Ok(Line {
        id: id.to_owned(),
        value: bad.to_string(),
        target: "0".to_owned(),
        verdict: match bad {
            0 if reached => Verdict::Ok,
            _ => Verdict::Short,
        },
    })
}

fn mutations_caught(workspace: &Workspace) -> Result<Line> {
    let mut models = test::loom_command(workspace, MEASURE_MAX_S);
    let name = "mutants::mistakes_in_the_protocol_are_caught";
    models.args(["--", "--exact", name, "--nocapture"]);
    let mut said = None;
    run::lines(&mut models, |line| {
        println!("{line}");
        let of_ours = line.strip_prefix("gate-mutations-caught ");
        said = of_ours.map(str::to_owned).or(said.take());
    })?;
    let said = said.context("the models did not say how many")?;
    let (caught, all) = said.split_once(" of ").context("N of M expected")?;
    Ok(Line {
        id: "gate-mutations-caught".to_owned(),
        value: caught.to_owned(),
        target: all.to_owned(),
        verdict: if caught == all {
            Verdict::Ok
        } else {
            Verdict::Short
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_as_written() {
        for text in [
            "gate-ratio 1.08 target 1.25 ok",
            "gate-ratio 1.30 target 1.25 short",
            "gate-ratio 1.30 target 1.25 invalid",
        ] {
            assert_eq!(Line::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Line::parse("gate-ratio 1.30 target 1.25 good"), None);
        assert_eq!(Line::parse("gate-ratio 1.30"), None);
    }
}
