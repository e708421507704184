//! Which form of the gate this node takes, and the heavy fence of the asymmetric one: membarrier(2), which makes every
//! running thread of the process pass a full barrier before it returns.

use api::GateForm;
use enforcer::Form;
use rustix::thread::{MembarrierCommand, membarrier, membarrier_query};
use serde::Deserialize;

/// How workers shall move their own credit at the gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateChoice {
    /// The asymmetric form where the system has it.
    #[default]
    Auto,
    /// The asymmetric form, or no start.
    Asymmetric,
    /// The atomic form.
    Atomic,
}

impl GateChoice {
    /// The form to take, given what the system says of the asymmetric one, and why it is not that one, if nobody chose so.
    ///
    /// Errors: it was asked for and can't be had.
    pub fn form(self, asymmetric: Result<Form, String>) -> Result<(Form, Option<String>), String> {
        match (self, asymmetric) {
            (Self::Atomic, _) => Ok((Form::Atomic, None)),
            (Self::Auto | Self::Asymmetric, Ok(form)) => Ok((form, None)),
            (Self::Auto, Err(why)) => Ok((Form::Atomic, Some(why))),
            (Self::Asymmetric, Err(why)) => Err(why),
        }
    }
}

/// What is said of a form.
pub fn name(form: Form) -> GateForm {
    match form {
        Form::Atomic => GateForm::Atomic,
        Form::Asymmetric(_) => GateForm::Asymmetric,
    }
}

/// Orders the memory of all threads of the process; false: the system would not, as before [`asymmetric`].
pub fn heavy_fence() -> bool {
    membarrier(MembarrierCommand::PrivateExpedited).is_ok()
}

/// The asymmetric form with this system's fence, registered for the process and tried; or why it can't be had.
///
/// To be called before any worker uses the gate.
pub fn asymmetric() -> Result<Form, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("it is shown to hold on x86-64 Linux alone".to_owned());
    }
    let fence = MembarrierCommand::PrivateExpedited;
    if !membarrier_query().contains_command(fence) {
        return Err("the kernel has no membarrier(2) for one process, or forbids it".to_owned());
    }
    membarrier(MembarrierCommand::RegisterPrivateExpedited)
        .and_then(|()| membarrier(fence))
        .map_err(|error| format!("membarrier(2): {error}"))?;
    Ok(Form::Asymmetric(heavy_fence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_has_and_what_was_chosen_make_the_form() {
        let none = || Err("no such call".to_owned());
        let some = || Ok(Form::Asymmetric(heavy_fence));
        let form = |choice: GateChoice, system| {
            let chosen = choice.form(system);
            chosen.map(|(form, why)| (name(form), why))
        };
        use GateForm::{Asymmetric, Atomic};
        assert_eq!(form(GateChoice::Auto, some()), Ok((Asymmetric, None)));
        let why = Some("no such call".to_owned());
        assert_eq!(form(GateChoice::Auto, none()), Ok((Atomic, why)));
        assert_eq!(form(GateChoice::Asymmetric, some()), Ok((Asymmetric, None)));
        let refused = form(GateChoice::Asymmetric, none());
        assert_eq!(refused, Err("no such call".to_owned()));
        assert_eq!(form(GateChoice::Atomic, some()), Ok((Atomic, None)));
        assert_eq!(form(GateChoice::Atomic, none()), Ok((Atomic, None)));
    }

    #[test]
    fn this_system_has_the_fence() {
        assert!(asymmetric().is_ok(), "{:?}", asymmetric().map(name));
        assert!(heavy_fence());
    }
}
