//! What is measured, in which order, and for how long.

use std::time::Duration;

use crate::workspace::Workspace;

/// All programs together, once they are built.
pub const TOTAL_MAX: Duration = Duration::from_secs(600);
/// One that this plan doesn't know.
const UNKNOWN_S: u64 = 30;

/// A part of the report.
pub struct Section {
    pub title: &'static str,
    /// Programs of crate `benches`, and the seconds that each takes as a rule; one with the name of a figure gives it.
    pub programs: &'static [(&'static str, u64)],
}

pub const SECTIONS: [Section; 5] = [
    Section {
        title: "The gate",
        programs: &[
            ("gate-ratio", 5),
            ("gate-mixed-ratio", 10),
            ("gate-scaling", 15),
            ("gate-churn-ratio", 10),
            ("gate-overload-ratio", 15),
            ("gate-flip-delay-us", 42),
            ("gate-order", 1),
            ("gate-fence-violations", 25),
            ("gate-instructions", 5),
            ("gate-allocations", 2),
            ("gate-compare", 52),
        ],
    },
    Section {
        title: "Latency",
        programs: &[("gate-latency", 55), ("node-latency", 15)],
    },
    Section {
        title: "Growth",
        programs: &[("gate-growth", 60)],
    },
    Section {
        title: "Messages",
        programs: &[
            ("allocations-per-message", 5),
            ("plane-cost", 30),
            ("gtpv1-vs-ggsn", 85),
            ("gtpv2-vs-echo", 40),
        ],
    },
    Section {
        title: "Memory",
        programs: &[("bytes-per-session", 12), ("sessions-10m-gib", 80)],
    },
];

/// Programs of crate `benches` that are no part of the report: they count, or belong to what leaves the node elsewhere.
const ELSEWHERE: [&str; 7] = [
    "bulkstats-admit-p999",
    "gtp-conformance",
    "flood-latency",
    "mass-deletion",
    "permit-leaks",
    "snmp-v3-ratio",
    "snmp-walk-ratio",
];

/// One program of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub section: &'static str,
    pub name: String,
    pub usual_s: u64,
}

impl Step {
    /// Twice what it takes as a rule: others may use the machine.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(20 + 2 * self.usual_s)
    }
}

/// Every program that the plan names, then those of crate `benches` that it doesn't know.
pub fn steps(workspace: &Workspace) -> Vec<Step> {
    let benches = workspace.members.iter().filter(|m| m.name == "benches");
    let targets = benches.flat_map(|member| &member.targets);
    let bins = targets.filter(|target| target.kind.iter().any(|kind| kind == "bin"));
    with(bins.map(|bin| bin.name.as_str()))
}

fn with<'a>(bins: impl Iterator<Item = &'a str>) -> Vec<Step> {
    let named = SECTIONS.iter().flat_map(|section| {
        let programs = section.programs.iter();
        programs.map(|(name, usual_s)| Step {
            section: section.title,
            name: (*name).to_owned(),
            usual_s: *usual_s,
        })
    });
    let mut steps: Vec<Step> = named.collect();
    for bin in bins {
        if !ELSEWHERE.contains(&bin) && !steps.iter().any(|step| step.name == bin) {
            steps.push(Step {
                section: "Further",
                name: bin.to_owned(),
                usual_s: UNKNOWN_S,
            });
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_fits_its_time_and_takes_new_programs_in() {
        let steps = with(["permit-leaks", "gate-ratio", "new"].into_iter());
        let usual: u64 = steps.iter().map(|step| step.usual_s).sum();
        assert!(usual < TOTAL_MAX.as_secs(), "{usual} s");
        let last = steps.last().unwrap();
        assert_eq!((last.name.as_str(), last.section), ("new", "Further"));
        let named = |name| steps.iter().filter(|step| step.name == name).count();
        assert_eq!((named("gate-ratio"), named("permit-leaks")), (1, 0));
    }
}
