//! The run of the mutants: this binary once more for each, with the mutant in its environment.

use std::env;
use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use enforcer::gate::mutants::{ABSENT, MUTANTS, Verdict};

const MUTANT: &str = "TOLLGATE_MUTANT";
const WRONG: &str = "WRONG";
const REPORT: &str = "TOLLGATE_MUTANT_REPORT";

/// Preemptions of the models as they run by themselves.
const BOUND: &str = "3";

/// Runs one model under a mutant: does it fail?
fn fails(model: &str, mutant: &str, preemptions: &str) -> bool {
    let binary = env::current_exe().expect("the path of this test");
    let output = Command::new(binary)
        .args(["--exact", model])
        .env(MUTANT, mutant)
        .env("LOOM_MAX_PREEMPTIONS", preemptions)
        .env("RUST_BACKTRACE", "0")
        .env_remove(REPORT)
        .stdin(Stdio::null())
        .output()
        .expect("this test runs once more");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test"), "no model {model}");
    !output.status.success()
}

/// The full names of all models, the counter-models apart.
fn models() -> Vec<String> {
    let binary = env::current_exe().expect("the path of this test");
    let output = Command::new(binary)
        .arg("--list")
        .output()
        .expect("this test lists itself");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(|name| !name.starts_with("mutants::") && !name.starts_with("counter_models::"))
        .map(str::to_owned)
        .collect()
}

/// Does the work of every place, two at a time, and keeps the places' order.
fn by_twos<T: Send>(places: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Relaxed);
                    if place >= places {
                        break;
                    }
                    let result = work(place);
                    done.lock().unwrap().push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn every_mutant_is_killed_or_argued() {
    assert!(
        env::var(MUTANT).is_err(),
        "under a mutant run one model by name"
    );
    let models = models();
    if let Ok(path) = env::var(REPORT) {
        let report = report(&models);
        std::fs::write(path, &report).expect("the report is written");
        return assert!(!report.contains(WRONG), "{report}");
    }
    let survivors: Vec<_> = by_twos(MUTANTS.len(), |place| {
        let (name, _, verdict) = MUTANTS[place];
        let Verdict::Killed(model) = verdict else {
            return None;
        };
        let full = models.iter().find(|known| short(known) == model);
        let full = full.unwrap_or_else(|| panic!("{name} names no model: {model}"));
        (!fails(full, name, BOUND)).then_some((name, model))
    });
    let survivors: Vec<_> = survivors.into_iter().flatten().collect();
    assert!(survivors.is_empty(), "not killed: {survivors:?}");
}

/// Mistakes that whoever writes such a gate is likely to make.
const MISTAKES: [&str; 8] = [
    "x01_flip_without_seal",
    "x05_limit_off_by_one_locked",
    "x06_no_recall_before_block",
    "x12_foreign_reopen",
    "x13_tight_before_seal",
    "x19_refill_double",
    "a2_mark_before_busy",
    "a5_no_heavy_fence",
];

#[test]
fn mistakes_in_the_protocol_are_caught() {
    assert!(
        env::var(MUTANT).is_err(),
        "under a mutant run one model by name"
    );
    let models = models();
    let caught = by_twos(MISTAKES.len(), |place| {
        let known = MUTANTS.iter().find(|(name, ..)| *name == MISTAKES[place]);
        let (name, _, verdict) = known.unwrap_or_else(|| panic!("no mutant {}", MISTAKES[place]));
        let Verdict::Killed(model) = verdict else {
            panic!("{name} is no mistake")
        };
        let full = models.iter().find(|known| short(known) == *model);
        fails(full.expect("a model of this name"), name, BOUND)
    });
    let caught = caught.into_iter().filter(|caught| *caught).count();
    println!("gate-mutations-caught {caught} of {}", MISTAKES.len());
    assert_eq!(caught, MISTAKES.len());
}

/// The name of a model without its module.
fn short(model: &str) -> &str {
    model.rsplit("::").next().unwrap_or(model)
}

/// What became of every mutant, as a table.
fn report(models: &[String]) -> String {
    let mut text = String::from(
        "# The gate's mutants\n\n\
         Written by the test `every_mutant_is_killed_or_argued` of `loom_gate`, at a preemption bound of 3. A mutant is killed\n\
         by the model named for it (in bold), which fails under it; one that is argued to be equivalent passes all models.\n\n\
         | mutant | what it breaks | killed by |\n|---|---|---|\n",
    );
    let fates = by_twos(MUTANTS.len(), |place| fate(MUTANTS[place], models));
    for ((name, breaks, _), fate) in MUTANTS.iter().zip(fates) {
        writeln!(text, "| `{name}` | {breaks} | {fate} |").expect("a string takes it");
    }
    for (name, why) in ABSENT {
        let breaks = "a step that this gate hasn't got";
        writeln!(text, "| `{name}` | {breaks} | {why} |").expect("a string takes it");
    }
    text
}

/// What became of a mutant, and whether that was expected.
fn fate((name, _, verdict): (&str, &str, Verdict), models: &[String]) -> String {
    let killers = |models: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        let killers = models.filter(|model| fails(model, name, BOUND));
        killers.map(|model| short(model).to_owned()).collect()
    };
    match verdict {
        Verdict::Killed(own) => {
            let mut own_model = models.iter().filter(|model| short(model) == own);
            match killers(&mut own_model).is_empty() {
                true => format!("{WRONG}: {own} passes"),
                false => format!("**{own}**"),
            }
        }
        Verdict::Equivalent(why) => match killers(&mut models.iter()).as_slice() {
            [] => format!("equivalent: {why}"),
            killers => format!("{WRONG}: killed by {}", killers.join(", ")),
        },
    }
}
