//! Kinds of sessions, and one subscriber.

use std::collections::BTreeMap;

use api::{
    Addresses, Failure, KindSessions, Reply, SubscriberRefusal, SubscriberSession, SubscriberView,
};
use axum::http::StatusCode;
use gtp::v1::Imsi;
use licensing::ServiceIndex;
use session_plane::statistics::{AddressType, Statistics};
use session_plane::{Access, Subscriber};

use super::{Interface, Refused};
use crate::config::Config;
use crate::receiver::Job;

impl Interface {
    /// What the workers have of a subscriber.
    pub(super) async fn subscriber(&self, digits: &str) -> Result<Reply, Refused> {
        let imsi = Imsi::from_text(digits).map_err(|error| {
            let failure = Failure::new(error.to_string(), "imsi", "give its 6 to 15 digits");
            (StatusCode::BAD_REQUEST, failure)
        })?;
        let job = |reply| Job::Subscriber(imsi, reply);
        let told = self.ask_workers_for(job, super::ANSWER).await?;
        let mut view = SubscriberView {
            imsi: digits.to_owned(),
            lot: Some(session_plane::lot(imsi).number()),
            ..SubscriberView::default()
        };
        for (worker, told) in (0..).zip(told) {
            add(&mut view, &self.config, worker, told);
        }
        view.refused
            .sort_by_key(|refused| std::cmp::Reverse(refused.at));
        let subscriber = Box::new(view);
        Ok(Reply::Subscriber { subscriber })
    }
}

fn add(view: &mut SubscriberView, config: &Config, worker: u16, told: Subscriber) {
    for session in told.sessions {
        let apn = config.plane.apns.get(usize::from(session.apn));
        view.sessions.push(SubscriberSession {
            apn: apn.map_or_else(String::new, |apn| apn.name.clone()),
            service: apn.map_or(ServiceIndex(0), |apn| apn.service),
            emergency: apn.is_some_and(|apn| apn.emergency),
            interface: interface(session.access),
            peer: session.peer,
            number: session.number,
            secondary_contexts: session.further,
            addresses: session.addresses.into_iter().flatten().collect(),
            worker,
        });
    }
    let refused = told.refused.into_iter().map(|call| SubscriberRefusal {
        at: call.at,
        service: call.service,
        reason: call.reason,
        apn: call.apn.to_string(),
        cause: call.cause,
    });
    view.refused.extend(refused);
}

/// Sessions by interface and addresses, over all workers.
pub(super) fn kinds(workers: &[Statistics]) -> Vec<KindSessions> {
    let mut counts: BTreeMap<(Access, AddressType), u64> = BTreeMap::new();
    for count in workers.iter().flat_map(|worker| &worker.sessions_by_type) {
        *counts.entry((count.access, count.addresses)).or_default() += u64::from(count.sessions);
    }
    let rows = counts.into_iter();
    let rows = rows.map(|((access, addresses), sessions)| KindSessions {
        interface: interface(access),
        addresses: match addresses {
            AddressType::Elsewhere => Addresses::Elsewhere,
            AddressType::Ipv4 => Addresses::Ipv4,
            AddressType::Ipv6 => Addresses::Ipv6,
            AddressType::Ipv4v6 => Addresses::Ipv4v6,
        },
        sessions,
    });
    rows.collect()
}

fn interface(access: Access) -> api::Interface {
    match access {
        Access::Gn => api::Interface::Gn,
        Access::S11 => api::Interface::S11,
        Access::S5 => api::Interface::S5,
        Access::S2a => api::Interface::S2a,
        Access::S2b => api::Interface::S2b,
    }
}
