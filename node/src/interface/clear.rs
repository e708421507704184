//! Clearing sessions on an operator's word.

use std::time::Duration;

use api::{ClearWhom, Failure, Reply};
use axum::http::StatusCode;
use gtp::v1::Imsi;
use session_plane::{Clear, Whom};

use super::{Interface, Refused};
use crate::config::Config;
use crate::receiver::Job;

/// Longest wait until a worker has counted what it clears; with ten million sessions it counts for three seconds.
const COUNT: Duration = Duration::from_secs(10);
/// Names told at most where none of them was named.
const NAMES: usize = 8;

impl Interface {
    /// Has every worker end what is meant, and says how many sessions that is. What other processes count here is theirs
    /// to end.
    pub(super) async fn clear(&self, whom: ClearWhom, reactivate: bool) -> Result<Reply, Refused> {
        let clear = Clear {
            whom: meant(&self.config, &whom)?,
            reactivate,
        };
        let said = said(&whom);
        event!(target: "tollgate::audit", CLEARING, whom = said, reactivate);
        let job = |reply| Job::Clear(clear.clone(), reply);
        let counted = self.ask_workers_for(job, COUNT).await?;
        let counted: Option<Vec<u64>> = counted.into_iter().collect();
        let sessions = counted.ok_or_else(too_many)?.iter().sum();
        let clients = self.held_by_clients(&clear.whom);
        event!(target: "tollgate::audit", CLEARED, whom = said, sessions, clients);
        Ok(Reply::Cleared { sessions, clients })
    }

    fn held_by_clients(&self, whom: &Whom) -> u64 {
        let held = self.admissions.lock().by_service();
        match whom {
            Whom::All => held.values().sum(),
            Whom::Service(service) => held.get(service).copied().unwrap_or(0),
            Whom::Imsi(_) | Whom::Apn(_) | Whom::Peer(_) => 0,
        }
    }
}

/// What is meant, if it is something that this node may have.
fn meant(config: &Config, whom: &ClearWhom) -> Result<Whom, Refused> {
    Ok(match whom {
        ClearWhom::Imsi(digits) => Whom::Imsi(Imsi::from_text(digits).map_err(|error| {
            let failure = Failure::new(error.to_string(), "imsi", "give its 6 to 15 digits");
            (StatusCode::BAD_REQUEST, failure)
        })?),
        ClearWhom::Apn(name) => {
            let apns = || config.plane.apns.iter().map(|apn| apn.name.as_str());
            if !apns().any(|apn| apn.eq_ignore_ascii_case(name)) {
                return Err(unknown("apn", name, apns()));
            }
            Whom::Apn(name.clone())
        }
        ClearWhom::Peer(address) => Whom::Peer(*address),
        ClearWhom::Service(name) => {
            let services = config.catalog.services().iter();
            let service = config.catalog.service_named(name);
            let names = services.map(|service| service.name.as_str());
            Whom::Service(service.ok_or_else(|| unknown("service", name, names))?)
        }
        ClearWhom::All => Whom::All,
    })
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Refused {
    let mut names: Vec<&str> = Vec::new();
    for name in known {
        // A name may be there once for each role.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = if names.len() > NAMES { ", ..." } else { "" };
    names.truncate(NAMES);
    let todo = format!("name one of {}{more}", names.join(", "));
    let failure = Failure::new(format!("no such {what}: {name}"), what, todo);
    (StatusCode::NOT_FOUND, failure)
}

/// As it is typed, without the number of the subscriber: the audit log has that, and the event log goes to syslog servers.
fn said(whom: &ClearWhom) -> String {
    match whom {
        ClearWhom::Imsi(imsi) => {
            let network: String = imsi.chars().take(5).collect();
            format!("imsi {network}...")
        }
        ClearWhom::Apn(_) | ClearWhom::Peer(_) | ClearWhom::Service(_) | ClearWhom::All => {
            whom.words()
        }
    }
}

fn too_many() -> Refused {
    let what = "too many clears go on at once";
    let failure = Failure::new(what, "workers", "try again when they have ended");
    (StatusCode::SERVICE_UNAVAILABLE, failure)
}
