//! Names that a node has, offered by `?` and Tab where an argument is one of them.
//!
//! They are asked for when somebody wants them, and waited for a short time: of a node that is away or busy there are none,
//! and what is typed is sent as it is.

use std::fmt::Debug;
use std::time::Duration;

use api::{Reply, Request};

use super::walk::Following;
use crate::client::Client;

/// Longest wait for them.
const WAIT: Duration = Duration::from_millis(500);

/// Names offered at most.
const NAMES_MAX: usize = 100;

/// What an argument names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A feature of the catalog.
    Feature,
    /// A service of the catalog.
    Service,
    /// An access point.
    Apn,
    /// A GTP-C peer.
    Peer,
    /// A target of notifications.
    Target,
    /// An SNMP community.
    Community,
    /// An SNMP user.
    User,
}

impl Named {
    /// What the first argument of the command of these words names.
    pub(super) fn by(words: &str) -> Option<Self> {
        match words {
            "feature" | "no feature" => Some(Self::Feature),
            "clear subscribers service" => Some(Self::Service),
            "clear subscribers apn" => Some(Self::Apn),
            "clear subscribers peer" => Some(Self::Peer),
            "snmp target" | "no snmp target" => Some(Self::Target),
            "snmp community" | "no snmp community" => Some(Self::Community),
            "snmp user" | "no snmp user" => Some(Self::User),
            _ => None,
        }
    }

    /// What is said beside each.
    fn help(self) -> &'static str {
        match self {
            Self::Feature => "A feature of the catalog",
            Self::Service => "A service of the catalog",
            Self::Apn => "An access point",
            Self::Peer => "A peer with sessions",
            Self::Target => "A target of notifications",
            Self::Community => "A community",
            Self::User => "A user",
        }
    }
}

/// What knows names.
pub trait Names: Debug + Send {
    /// Those that there are, none where they can't be had at once.
    fn names(&self, of: Named) -> Vec<String>;
}

/// Each with its help; what can't be typed as one word is left out, and what is there twice is offered once.
pub(super) fn typable(names: Vec<String>, of: Named) -> Vec<Following> {
    let mut offered: Vec<Following> = Vec::new();
    for name in names {
        let is_word = !name.is_empty() && !name.contains([' ', '\t', '"', '\'', '|', '<', '\\']);
        if is_word && offered.len() < NAMES_MAX && !offered.iter().any(|(known, _)| *known == name)
        {
            offered.push((name, of.help().to_owned()));
        }
    }
    offered
}

/// Those of the node that a client asks.
#[derive(Debug)]
pub(super) struct OfNode(pub Client);

impl Names for OfNode {
    fn names(&self, of: Named) -> Vec<String> {
        let request = match of {
            Named::Feature | Named::Service => Request::Snapshot,
            Named::Apn => Request::Sessions,
            Named::Peer => Request::Peers {
                offset: 0,
                limit: NAMES_MAX as u32,
            },
            Named::Target | Named::Community | Named::User => Request::Snmp { history: 0 },
        };
        let reply = self.0.ask_within(&request, WAIT);
        reply.map_or_else(|_| Vec::new(), |reply| names_in(reply, of))
    }
}

fn names_in(reply: Reply, of: Named) -> Vec<String> {
    if let Reply::Snapshot { snapshot, .. } = reply {
        let services = snapshot.services.into_iter().map(|row| row.tag.name);
        let features = snapshot.features.into_iter().map(|row| row.tag.name);
        return match of == Named::Service {
            true => services.collect(),
            false => features.collect(),
        };
    }
    if let Reply::Sessions { sessions } = reply {
        return sessions.apns.into_iter().map(|row| row.apn).collect();
    }
    if let Reply::Peers { peers } = reply {
        let peers = peers.peers.iter();
        return peers.map(|row| row.peer.to_string()).collect();
    }
    if let Reply::Snmp { snmp, .. } = reply {
        let targets = snmp.targets.into_iter().map(|row| row.name);
        let users = snmp.users.into_iter().map(|row| row.name);
        let communities = snmp.communities.into_iter().filter_map(|row| row.name);
        return match (of == Named::Target, of == Named::User) {
            (true, _) => targets.collect(),
            (false, true) => users.collect(),
            (false, false) => communities.collect(),
        };
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_is_not_offered_and_nothing_twice() {
        let names = ["internet", "two words", "", "internet", "ims"].map(str::to_owned);
        let offered = typable(names.into(), Named::Apn);
        let names: Vec<&str> = offered.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["internet", "ims"]);
        let many = (0..1_000).map(|number| number.to_string());
        assert_eq!(typable(many.collect(), Named::Peer).len(), NAMES_MAX);
    }

    #[test]
    fn a_node_that_is_away_has_no_names() {
        let nowhere = OfNode(Client::new("/nonexistent/control.sock"));
        assert!(nowhere.names(Named::Feature).is_empty());
    }
}
