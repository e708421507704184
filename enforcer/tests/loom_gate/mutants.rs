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

/// Runs one model, by its name without the module, under a mutant: does it fail?
fn fails(model: &str, mutant: &str) -> bool {
    let binary = env::current_exe().expect("the path of this test");
    let output = Command::new(binary)
        .args(["--exact", model])
        .env(MUTANT, mutant)
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
        let full = models
            .iter()
            .find(|known| known.ends_with(&format!("::{model}")))
            .unwrap_or_else(|| panic!("{name} names a model {model} that there is not"));
        (!fails(full, name)).then_some((name, model))
    });
    let survivors: Vec<_> = survivors.into_iter().flatten().collect();
    assert!(survivors.is_empty(), "not killed: {survivors:?}");
}

/// Every model against every mutant, as a table.
fn report(models: &[String]) -> String {
    let mut text = String::from(
        "# The gate's mutants\n\n\
         Written by the test `every_mutant_is_killed_or_argued` of `loom_gate`: every model against every mutant, at a\n\
         preemption bound of 3. A model that fails kills the mutant.\n\n\
         | mutant | what it breaks | killed by |\n|---|---|---|\n",
    );
    let killers = by_twos(MUTANTS.len() * models.len(), |place| {
        let (mutant, ..) = MUTANTS[place / models.len()];
        fails(&models[place % models.len()], mutant)
    });
    let short = |name: &String| name.rsplit("::").next().unwrap_or(name).to_owned();
    for ((name, breaks, verdict), row) in MUTANTS.iter().zip(killers.chunks(models.len())) {
        let by: Vec<_> = models
            .iter()
            .zip(row)
            .filter(|(_, killed)| **killed)
            .map(|(model, _)| short(model))
            .collect();
        let by = match verdict {
            Verdict::Killed(_) if by.is_empty() => format!("{WRONG}: not killed"),
            Verdict::Killed(_) => by.join(", "),
            Verdict::Equivalent(why) if by.is_empty() => format!("equivalent: {why}"),
            Verdict::Equivalent(_) => {
                format!("{WRONG}: argued equivalent, killed by {}", by.join(", "))
            }
        };
        writeln!(text, "| `{name}` | {breaks} | {by} |").expect("a string takes it");
    }
    for (name, why) in ABSENT {
        writeln!(
            text,
            "| `{name}` | a step that this gate hasn't got | {why} |"
        )
        .expect("a string takes it");
    }
    text
}
