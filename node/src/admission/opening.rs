//! How a client opens its lease.

use std::time::Duration;

use api::{
    CLIENT_CLASSES_MAX, CLIENT_NAME_BYTES_MAX, CLIENTS_MAX, CallClass, ClientLease, LEASE_MS_MAX,
    LEASE_MS_MIN,
};
use enforcer::{CallKind, Class};
use licensing::{FeatureSet, Mono};

use super::{AdmissionError, Admissions, Client, Holding, milliseconds};

impl Admissions {
    pub(super) fn open(
        &mut self,
        name: String,
        instance: u64,
        lease_ms: u64,
        classes: Vec<CallClass>,
        now: Mono,
    ) -> Result<ClientLease, AdmissionError> {
        let of_name = |(_, client): &(&u64, &mut Client)| *client.name == *name;
        if let Some((lease, client)) = self.clients.iter_mut().find(of_name) {
            let lease_left_ms = milliseconds(client.until.since(now));
            let same = client.said == classes && milliseconds(client.lease) == lease_ms;
            if client.instance != instance || !same {
                return Err(AdmissionError::NameTaken {
                    name,
                    lease_left_ms,
                });
            }
            client.renew(now);
            return Ok(client.answer(*lease, None));
        }
        if self.clients.len() >= CLIENTS_MAX {
            return Err(AdmissionError::ClientsFull);
        }
        check(&name, lease_ms, &classes)?;
        let client = Client {
            holdings: self.holdings(&classes)?,
            name: name.into(),
            instance,
            said: classes,
            lease: Duration::from_millis(lease_ms),
            until: now.after(Duration::from_millis(lease_ms)),
            sequence: 0,
            last: None,
            admitted: 0,
            refused: 0,
            restored: 0,
            begun: false,
        };
        let lease = self.next_lease;
        self.next_lease = lease.wrapping_add(1);
        let answer = client.answer(lease, None);
        self.clients.insert(lease, client);
        Ok(answer)
    }

    /// Every class is understood before the first is made known to the gate.
    fn holdings(&mut self, said: &[CallClass]) -> Result<Vec<Holding>, AdmissionError> {
        let classes = said.iter().map(|class| self.class(class));
        let classes: Vec<Class> = classes.collect::<Result<_, _>>()?;
        let mut holdings = Vec::with_capacity(classes.len());
        for class in classes {
            let id = self.gate.gate().intern(class)?;
            self.classes.insert(id, class);
            holdings.push(Holding {
                id,
                service: class.service,
                permits: Vec::new(),
            });
        }
        Ok(holdings)
    }

    fn class(&self, said: &CallClass) -> Result<Class, AdmissionError> {
        let unknown = || AdmissionError::UnknownService(said.service.clone());
        let service = self.catalog.service_named(&said.service);
        let mut features = FeatureSet::EMPTY;
        for name in &said.features {
            let unknown = || AdmissionError::UnknownFeature(name.clone());
            features = features.with(self.catalog.feature_named(name).ok_or_else(unknown)?);
        }
        Ok(Class {
            service: service.ok_or_else(unknown)?,
            features,
            kind: match said.kind {
                api::CallKind::Ordinary => CallKind::Ordinary,
                api::CallKind::Priority => CallKind::Priority,
                api::CallKind::Emergency => CallKind::Emergency,
            },
        })
    }
}

fn check(name: &str, lease_ms: u64, classes: &[CallClass]) -> Result<(), AdmissionError> {
    let readable = name.bytes().all(|byte| byte.is_ascii_graphic());
    if !readable || !(1..=CLIENT_NAME_BYTES_MAX).contains(&name.len()) {
        return Err(AdmissionError::Name);
    }
    if !(LEASE_MS_MIN..=LEASE_MS_MAX).contains(&lease_ms) {
        return Err(AdmissionError::LeaseLength(lease_ms));
    }
    if !(1..=CLIENT_CLASSES_MAX).contains(&classes.len()) {
        return Err(AdmissionError::Classes(classes.len()));
    }
    Ok(())
}
