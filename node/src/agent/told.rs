//! What the agent tells, as the verdicts take it: one input each.

use api::smart::Verdict;
use enforcer::verdicts::{Answer, Input};
use smart_agent::Told;

/// The input of the same name and meaning.
pub fn input(told: Told) -> Input {
    match told {
        Told::Registered => Input::Registered,
        Told::RegistrationFailed => Input::RegistrationFailed,
        Told::Deregistered => Input::Deregistered,
        Told::Verdict {
            tag,
            verdict,
            granted,
            lasts_ms,
        } => Input::Verdict {
            tag,
            answer: answer(verdict),
            granted,
            lasts_ms,
        },
        Told::Reported { tag, licenses, ok } => Input::Reported { tag, licenses, ok },
        Told::AuthorityUnreachable => Input::AuthorityUnreachable,
        Told::AuthorityReached => Input::AuthorityReached,
        Told::RootExpiring(expiring) => Input::AuthorityCertificate { expiring },
        Told::StateTampered => Input::StateTampered,
        Told::Order { tag, order } => Input::Order { tag, order },
        Told::LabSpeedup { speedup } => Input::LabSpeedup { speedup },
    }
}

fn answer(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Authorized => Answer::Authorized,
        Verdict::OutOfCompliance => Answer::OutOfCompliance,
        Verdict::InvalidTag => Answer::InvalidTag,
    }
}
