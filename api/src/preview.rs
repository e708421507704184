//! `show license enforcement preview`: what a change would refuse of the calls that come now.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A change that may refuse calls as soon as it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change", deny_unknown_fields)]
pub enum PreviewChange {
    /// `license smart enable`, or its `no` form.
    SmartLicensing {
        /// Enable; else disable.
        enable: bool,
    },
    /// `feature <name> enable`, or its `no` form.
    Feature {
        /// Its short name in the catalog, letter case apart.
        name: String,
        /// Enable; else disable.
        enable: bool,
    },
    /// `license smart deregister`.
    Deregister,
}

/// What a change would refuse, by the calls of a window that ends now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// How long the window is, in seconds; calls an hour are reckoned from it.
    pub window_s: u64,
    /// One entry a service of the catalog, in its order.
    pub services: Vec<ServicePreview>,
}

/// What a change would refuse of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePreview {
    /// Its short name.
    pub service: String,
    /// Sessions that hold a permit now.
    pub sessions: u64,
    /// Sessions that it may hold after the change; none: unlimited.
    pub ceiling: Option<u64>,
    /// What the change does.
    pub effect: PreviewEffect,
    /// Calls that were admitted in the window, emergency calls apart.
    pub calls: u64,
    /// Calls that it would refuse, an hour; none: the window is too short to say.
    pub refused_an_hour: Option<u64>,
}

/// What a change does to new calls of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreviewEffect {
    /// It refuses none that is let through now.
    Unchanged,
    /// It refuses those that bring a blocked feature, or those of some subscribers where a block is tried out.
    Partly,
    /// It refuses those above a ceiling that is new, or lower.
    AtCeiling,
    /// It refuses every ordinary one.
    Blocked,
}

impl Preview {
    /// The services of which calls are at stake.
    pub fn at_stake(&self) -> impl Iterator<Item = &ServicePreview> {
        self.services.iter().filter(|row| row.at_stake())
    }
}

impl ServicePreview {
    /// Calls would be refused; where the window is too short to say how many, whether there are any that could be.
    pub fn at_stake(&self) -> bool {
        let used = self.calls > 0 || self.sessions > 0;
        match (self.effect, self.refused_an_hour) {
            (PreviewEffect::Unchanged, _) => false,
            (PreviewEffect::Blocked, _) => used,
            (PreviewEffect::Partly | PreviewEffect::AtCeiling, Some(refused)) => refused > 0,
            (PreviewEffect::Partly, None) => used,
            (PreviewEffect::AtCeiling, None) => {
                self.ceiling.is_some_and(|most| self.sessions >= most)
            }
        }
    }
}

/// The command.
impl fmt::Display for PreviewChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let no = |enable: &bool| if *enable { "" } else { "no " };
        match self {
            Self::SmartLicensing { enable } => write!(f, "{}license smart enable", no(enable)),
            Self::Feature { name, enable } => write!(f, "{}feature {name} enable", no(enable)),
            Self::Deregister => f.write_str("license smart deregister"),
        }
    }
}

impl FromStr for PreviewChange {
    type Err = String;

    fn from_str(said: &str) -> Result<Self, String> {
        let words: Vec<&str> = said.split_whitespace().collect();
        let (enable, words) = match words.split_first() {
            Some((&"no", after)) => (false, after),
            Some(_) | None => (true, words.as_slice()),
        };
        match (words, enable) {
            (["license", "smart", "enable"], _) => Ok(Self::SmartLicensing { enable }),
            (["license", "smart", "deregister"], true) => Ok(Self::Deregister),
            (["feature", name, "enable"], _) => Ok(Self::Feature {
                name: (*name).to_owned(),
                enable,
            }),
            _ => Err(format!(
                "{said:?} is no change that can be previewed: [no] license smart enable, \
                 license smart deregister, [no] feature <name> enable"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_read_as_it_is_written_and_nothing_else_is() {
        for said in [
            "license smart enable",
            "no license smart enable",
            "license smart deregister",
            "feature GRE enable",
            "no feature GRE enable",
        ] {
            let change: PreviewChange = said.parse().unwrap();
            assert_eq!(change.to_string(), said);
        }
        for said in [
            "",
            "no",
            "license smart",
            "no license smart deregister",
            "feature enable",
            "feature GRE",
            "license smart enable now",
        ] {
            said.parse::<PreviewChange>().unwrap_err();
        }
    }

    #[test]
    fn calls_are_at_stake_where_some_would_be_refused_or_could_be() {
        let row = |effect, sessions, calls, refused_an_hour| ServicePreview {
            service: "GGSN".to_owned(),
            sessions,
            ceiling: Some(10),
            effect,
            calls,
            refused_an_hour,
        };
        use PreviewEffect::{AtCeiling, Blocked, Partly, Unchanged};
        let cases = [
            (row(Unchanged, 10, 10, Some(5)), false),
            (row(Blocked, 0, 0, Some(0)), false),
            // Nobody called lately, and somebody may.
            (row(Blocked, 1, 0, Some(0)), true),
            (row(Blocked, 0, 1, None), true),
            (row(Partly, 10, 10, Some(0)), false),
            (row(Partly, 10, 10, Some(1)), true),
            (row(Partly, 1, 0, None), true),
            (row(Partly, 0, 0, None), false),
            (row(AtCeiling, 10, 10, Some(0)), false),
            (row(AtCeiling, 1, 10, Some(3)), true),
            (row(AtCeiling, 9, 10, None), false),
            (row(AtCeiling, 10, 0, None), true),
        ];
        for (row, at_stake) in cases {
            assert_eq!(row.at_stake(), at_stake, "{row:?}");
        }
    }
}
