//! What people do with accounts, licenses, instances and users. Each change is written to the audit log in the
//! transaction that makes it. Whether somebody may do it is said before, by [`crate::roles`].

pub(crate) mod accounts;
pub(crate) mod devices;
pub(crate) mod door;
pub(crate) mod licenses;
pub(crate) mod orders;
pub(crate) mod pools;
pub(crate) mod records;
pub(crate) mod sessions;
pub(crate) mod tokens;
pub(crate) mod transfers;
pub(crate) mod users;

use licensing::Wall;
use thiserror::Error;

use crate::moment::{DAY_MS, Moment};
use crate::store::StoreError;

/// Longest name, in bytes; it stands in certificates, too.
pub(crate) const NAME_BYTES_MAX: usize = 64;
/// Longest description, in bytes.
pub(crate) const DESCRIPTION_BYTES_MAX: usize = 255;

/// Why something is not done.
#[derive(Debug, Error)]
pub(crate) enum Problem {
    /// The request is not of its form, or out of its bounds.
    #[error("{0}")]
    Invalid(String),
    /// Nobody is logged in, or the secret is wrong.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The role does not allow it.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// What is there does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// Too often, or too many at once.
    #[error("{0}")]
    TooMany(&'static str),
    /// The request is too long.
    #[error("the request is too long")]
    TooLong,
    /// The request took too long to come.
    #[error("the request took too long to come")]
    TooSlow,
    /// There is no such method here.
    #[error("there is no such method here")]
    Method,
    /// It can't be done now.
    #[error("it can't be done now{}", because(.0))]
    Store(StoreError),
    /// It can't be done now.
    #[error("it can't be done now")]
    Pki(#[from] crate::pki::PkiError),
}

/// What callers are told of the store; the log has the rest.
fn because(error: &StoreError) -> &'static str {
    let away = matches!(
        error,
        StoreError::Unreachable { .. } | StoreError::Untrusted { .. }
    );
    match away {
        true => ": the authority doesn't reach its database; try again",
        false => "",
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Zero) {
            return Self::Invalid(error.to_string());
        }
        Self::Store(error)
    }
}

impl From<crate::smart::Refusal> for Problem {
    fn from(refusal: crate::smart::Refusal) -> Self {
        use crate::smart::Refusal;
        match refusal {
            Refusal::Code(_, why) => Self::Conflict(why),
            Refusal::Store(error) => Self::Store(error),
            Refusal::Pki(error) => Self::Pki(error),
        }
    }
}

/// Who does something, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'a> {
    pub(crate) who: &'a str,
    pub(crate) now: Moment,
}

pub(crate) fn invalid<T>(why: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Invalid(why.into()))
}

pub(crate) fn not_found<T>(what: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::NotFound(what.into()))
}

/// A name: 1 to 64 bytes, printable, no slash, no space at either end.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Problem> {
    let good = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.trim() == name
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control);
    if !good {
        return invalid(format!(
            "{what} has 1 to {NAME_BYTES_MAX} bytes, without slashes, control characters and space at its ends"
        ));
    }
    Ok(())
}

pub(crate) fn check_description(text: &str) -> Result<(), Problem> {
    if text.len() > DESCRIPTION_BYTES_MAX || text.chars().any(char::is_control) {
        return invalid(format!(
            "a description has at most {DESCRIPTION_BYTES_MAX} bytes, without control characters"
        ));
    }
    Ok(())
}

/// A time as people read it (RFC 3339); one that no calendar has is at its end.
pub(crate) fn text_of(at: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(at);
    time.unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// A date as people write it: `2027-01-31`, its first moment in UTC, or a time (RFC 3339).
pub(crate) fn parse_date(text: &str) -> Result<Wall, Problem> {
    let time = match text.parse::<jiff::civil::Date>() {
        Ok(date) if text.len() == 10 => date
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(|zoned| zoned.timestamp()),
        Ok(_) | Err(_) => text.parse(),
    };
    match time {
        Ok(time) => Ok(Wall(time.as_millisecond())),
        Err(_) => invalid(format!(
            "{text:?} is no date; it is written 2027-01-31 or 2027-01-31T00:00:00Z"
        )),
    }
}

/// A number of days in milliseconds.
pub(crate) fn days(days: u32) -> i64 {
    i64::from(days).saturating_mul(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_or_times() {
        assert_eq!(parse_date("1970-01-02").unwrap(), Wall(DAY_MS));
        assert_eq!(parse_date("1970-01-01T00:00:01Z").unwrap(), Wall(1_000));
        for text in ["", "1970", "1970-02-30", "tomorrow", "1970-01-01T00:00:00"] {
            assert!(parse_date(text).is_err(), "{text}");
        }
        assert_eq!(text_of(DAY_MS + 1), "1970-01-02T00:00:00.001Z");
        assert!(text_of(i64::MAX).starts_with("9999-12-3"));
    }

    #[test]
    fn names_have_bounds() {
        for good in ["a", "Default", "München 2", &"x".repeat(64)] {
            assert!(check_name("it", good).is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "a/b", "a\nb", &"x".repeat(65)] {
            assert!(check_name("it", bad).is_err(), "{bad}");
        }
    }
}
