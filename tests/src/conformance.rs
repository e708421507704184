//! Every element that the specification wants in the messages that are taken, missing, malformed, twice and in any order:
//! a cell each, shown on a node of its own (TS 29.274 7.7).
//!
//! The table is written from the specification's tables, not from the code's. A cell is shown if the answer has the cause
//! that is due and names the element, and nothing has changed; or, where the request is to be served all the same, if
//! everything is as it is without the fault.

mod run;
mod table;

pub use run::{Faced, Outcome};
pub use table::{Place, Presence, Procedure, Row, TABLE};

use anyhow::{Context, Result, ensure};
use gtp::v2::{Cause, IeType};

use crate::message::{Content, Ie, Message, ie};

/// What is done to an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// It is left out.
    Missing,
    /// Its value is none that it may have.
    Malformed,
    /// It is there twice, the second time malformed, or the first: the first counts.
    Duplicated,
    /// It is at another place among those beside it.
    OutOfOrder,
}

/// All of them.
pub const FORMS: [Form; 4] = [
    Form::Missing,
    Form::Malformed,
    Form::Duplicated,
    Form::OutOfOrder,
];

/// What was found out.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Cells that are due.
    pub due: u32,
    /// Of these, the ones that were not shown, and why.
    pub failed: Vec<String>,
}

impl Report {
    /// Cells that were shown.
    pub fn shown(&self) -> u32 {
        self.due - self.failed.len() as u32
    }
}

/// Shows the whole table.
pub fn report() -> Report {
    let mut report = Report::default();
    for procedure in TABLE {
        for row in procedure.rows {
            for form in FORMS {
                report.due += 1;
                if let Err(error) = show(procedure, row, form) {
                    let Procedure {
                        name, interface, ..
                    } = procedure;
                    let (kind, instance) = (row.kind, row.instance);
                    report.failed.push(format!(
                        "{name} on {}: {kind}/{instance} {:?}, {form:?}: {error:#}",
                        interface.name(),
                        row.place
                    ));
                }
            }
        }
    }
    report
}

/// Shows one cell.
fn show(procedure: &Procedure, row: &Row, form: Form) -> Result<()> {
    let whole = procedure.run(|_| Ok(()))?;
    ensure!(
        matches!(whole, Outcome::Done(_)),
        "without a fault: {whole:?}"
    );
    match form {
        Form::Missing => {
            let outcome = procedure.run(|message| {
                let (list, at) = find(message, row)?;
                list.remove(at);
                Ok(())
            })?;
            match row.presence {
                Presence::Told => outcome.is_less_than(&whole),
                Presence::Mandatory | Presence::Conditional | Presence::Optional => {
                    check(&outcome, &row.if_missing(procedure.faced, &whole))
                }
            }
        }
        Form::Malformed => row.malformed.iter().try_for_each(|wrong| {
            let outcome = procedure.run(|message| {
                let (list, at) = find(message, row)?;
                list[at] = ie(row.kind, row.instance, wrong);
                Ok(())
            })?;
            let expected = row.if_malformed(procedure.faced, &whole);
            check(&outcome, &expected).with_context(|| format!("{wrong:02x?}"))
        }),
        Form::Duplicated => twice(procedure, row, &whole),
        Form::OutOfOrder => anywhere(procedure, row, &whole),
    }
}

/// Of an element that may come once the first counts, and the second is not looked at. Of bearer contexts there may be
/// several; the same one twice is that one.
fn twice(procedure: &Procedure, row: &Row, whole: &Outcome) -> Result<()> {
    let mut wrong = row
        .malformed
        .iter()
        .map(|wrong| ie(row.kind, row.instance, wrong));
    let again = |first: Option<Ie>, second: Option<Ie>| {
        procedure.run(|message| {
            let (list, at) = find(message, row)?;
            let right = list[at].clone();
            let second = second.clone().unwrap_or_else(|| right.clone());
            list[at] = first.clone().unwrap_or(right);
            list.insert(at + 1, second);
            Ok(())
        })
    };
    check(&again(None, None)?, whole).context("the same twice")?;
    if row.kind == IeType::BEARER_CONTEXT {
        return Ok(());
    }
    wrong.try_for_each(|wrong| {
        check(&again(None, Some(wrong.clone()))?, whole).context("then a malformed one")?;
        let expected = row.if_malformed(procedure.faced, whole);
        check(&again(Some(wrong), None)?, &expected).context("a malformed one first")
    })
}

fn anywhere(procedure: &Procedure, row: &Row, whole: &Outcome) -> Result<()> {
    let mut places = 1;
    let mut to = 0;
    while to < places {
        let outcome = procedure.run(|message| {
            let (list, at) = find(message, row)?;
            places = list.len();
            let moved = list.remove(at);
            list.insert(to, moved);
            Ok(())
        })?;
        check(&outcome, whole).with_context(|| format!("at place {to}"))?;
        to += 1;
    }
    let reversed = procedure.run(|message| {
        let (list, _) = find(message, row)?;
        list.reverse();
        Ok(())
    })?;
    check(&reversed, whole).context("all the other way round")
}

/// The list that a row's element is in, and its place there.
fn find<'a>(message: &'a mut Message, row: &Row) -> Result<(&'a mut Vec<Ie>, usize)> {
    let list = match row.place {
        Place::Message => Some(&mut message.ies),
        Place::Bearer(instance) => {
            let is_it = |ie: &&mut Ie| (ie.kind, ie.instance) == (IeType::BEARER_CONTEXT, instance);
            let context = message.ies.iter_mut().find(is_it);
            context.and_then(|ie| match &mut ie.content {
                Content::Group(list) => Some(list),
                Content::Octets(_) => None,
            })
        }
    };
    let list = list.context("no such bearer context")?;
    let at = list
        .iter()
        .position(|ie| (ie.kind, ie.instance) == (row.kind, row.instance));
    Ok((list, at.context("the message has no such element")?))
}

fn check(found: &Outcome, expected: &Outcome) -> Result<()> {
    ensure!(found == expected, "{found:?} instead of {expected:?}");
    Ok(())
}

impl Row {
    /// What becomes of a message without the element.
    fn if_missing(&self, faced: Faced, whole: &Outcome) -> Outcome {
        match (self.presence, faced) {
            (Presence::Optional | Presence::Told, _) => whole.clone(),
            (_, Faced::Relayed) => self.if_unfit(),
            (Presence::Mandatory, Faced::Request) => self.refused(Cause::MANDATORY_IE_MISSING),
            (Presence::Conditional, Faced::Request) => self.refused(Cause::CONDITIONAL_IE_MISSING),
            (Presence::Mandatory | Presence::Conditional, _) => Outcome::Ignored,
        }
    }

    /// What becomes of a message in which the element is malformed: what need not be there is as good as absent.
    fn if_malformed(&self, faced: Faced, whole: &Outcome) -> Outcome {
        match (self.presence, faced) {
            (Presence::Optional, _) => whole.clone(),
            (_, Faced::Relayed) => self.if_unfit(),
            (_, Faced::Request) => self.refused(Cause::MANDATORY_IE_INCORRECT),
            (_, _) => Outcome::Ignored,
        }
    }

    /// What becomes of an answer of a PGW: without a cause it is none, else the MME is told that it was no good (8.4).
    fn if_unfit(&self) -> Outcome {
        if self.kind == IeType::CAUSE && self.place == Place::Message {
            return Outcome::Ignored;
        }
        Outcome::Refused {
            cause: Cause::INVALID_REPLY_FROM_REMOTE_PEER,
            element: None,
            of_bearer: false,
        }
    }

    fn refused(&self, cause: Cause) -> Outcome {
        Outcome::Refused {
            cause,
            element: Some((self.kind, self.instance)),
            of_bearer: self.place != Place::Message,
        }
    }
}
