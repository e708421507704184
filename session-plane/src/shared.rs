//! What the workers of a node share: pools, restarts of peers, the refusal ring, and what was made of the configuration.

use std::collections::HashMap;
use std::sync::Arc;

use enforcer::{CallKind, Class, ClassId, Gate, RefusalRing};
use gtp::v1::Apn as AskedApn;
use gtp::v1::value::APN_MAX_BYTES;

use crate::allow::AllowLists;
use crate::config::{APNS_MAX, Apn, PlaneConfig, PoolRange, Role, WILDCARD};
use crate::error::PlaneError;
use crate::hashing::Keyed;
use crate::pools::AddressPools;
use crate::restarts::PeerRestarts;

/// Made once a node, then handed to every worker.
#[derive(Debug)]
pub struct Shared {
    /// UE addresses.
    pub pools: AddressPools,
    /// Restart counters and incarnations of peers.
    pub restarts: PeerRestarts,
    /// Refused calls on their way to the history (rule L17).
    pub refusals: Arc<RefusalRing>,
    pub(crate) apns: Apns,
    pub(crate) allow: AllowLists,
}

impl Shared {
    /// Checks the configuration, interns the call classes of every access point name, and makes empty tables.
    ///
    /// # Errors
    ///
    /// When the configuration contradicts itself, or the gate has no room for a class.
    pub fn new(
        config: &PlaneConfig,
        gate: &Gate,
        refusals: Arc<RefusalRing>,
        secret: [u64; 2],
    ) -> Result<Arc<Self>, PlaneError> {
        check(config)?;
        Ok(Arc::new(Self {
            pools: AddressPools::new(&config.pools)?,
            restarts: PeerRestarts::new(config.bounds.peers, Keyed::new(secret)),
            refusals,
            apns: Apns::new(config, gate)?,
            allow: AllowLists::new(config),
        }))
    }
}

/// An access point name as a request finds it.
#[derive(Clone, Debug)]
pub(crate) struct ServedApn {
    pub name: Arc<str>,
    pub wildcard: bool,
    pub ordinary: ClassId,
    pub priority: ClassId,
    pub emergency: bool,
}

/// The places of those of one name: one a role.
type Places = [Option<u16>; Role::COUNT];

/// All of them.
#[derive(Debug)]
pub(crate) struct Apns {
    served: Vec<ServedApn>,
    by_name: HashMap<Box<str>, Places>,
    wildcard: Places,
    /// Every class in use, once.
    pub classes: Vec<(ClassId, Class)>,
}

impl Apns {
    fn new(config: &PlaneConfig, gate: &Gate) -> Result<Self, PlaneError> {
        let mut apns = Self {
            served: Vec::new(),
            by_name: HashMap::new(),
            wildcard: Places::default(),
            classes: Vec::new(),
        };
        for (place, apn) in (0..).zip(&config.apns) {
            let name = apn.name.to_ascii_lowercase();
            let wildcard = name == WILDCARD;
            let places = match wildcard {
                true => &mut apns.wildcard,
                false => apns.by_name.entry(name.clone().into()).or_default(),
            };
            if places[apn.role as usize].replace(place).is_some() {
                return Err(PlaneError::ApnTwice { name });
            }
            let (normal, urgent) = match apn.emergency {
                true => (CallKind::Emergency, CallKind::Emergency),
                false => (CallKind::Ordinary, CallKind::Priority),
            };
            let served = ServedApn {
                name: name.into(),
                wildcard,
                ordinary: apns.intern(gate, apn, normal)?,
                priority: apns.intern(gate, apn, urgent)?,
                emergency: apn.emergency,
            };
            apns.served.push(served);
        }
        Ok(apns)
    }

    fn intern(&mut self, gate: &Gate, apn: &Apn, kind: CallKind) -> Result<ClassId, PlaneError> {
        let class = Class {
            service: apn.service,
            features: apn.features,
            kind,
        };
        let id = gate.intern(class)?;
        if self.classes.iter().all(|(known, _)| *known != id) {
            self.classes.push((id, class));
        }
        Ok(id)
    }

    /// The place of the one that a request to this role asks for: by its whole name, by its network identifier, or the
    /// wildcard.
    pub(crate) fn find(&self, asked: &AskedApn<'_>, role: Role) -> Option<u16> {
        let place = |name: &str| self.by_name.get(name)?[role as usize];
        let mut buffer = [0; APN_MAX_BYTES];
        let found = place(asked.text(&mut buffer)).or_else(|| {
            let mut buffer = [0; APN_MAX_BYTES];
            place(asked.network_identifier(&mut buffer))
        });
        found.or(self.wildcard[role as usize])
    }

    /// The one of the same name in this role.
    pub(crate) fn counterpart(&self, place: u16, role: Role) -> Option<u16> {
        let served = self.served(place)?;
        let places = match served.wildcard {
            true => &self.wildcard,
            false => self.by_name.get(&*served.name)?,
        };
        places[role as usize]
    }

    /// The class there of a call that has this class here: a priority call stays one.
    pub(crate) fn class_there(&self, class: ClassId, here: u16, there: u16) -> ClassId {
        match (self.served(here), self.served(there)) {
            (Some(was), Some(is)) if was.priority == class => is.priority,
            (_, Some(is)) => is.ordinary,
            (_, None) => class,
        }
    }

    pub(crate) fn served(&self, place: u16) -> Option<&ServedApn> {
        self.served.get(usize::from(place))
    }
}

impl ServedApn {
    /// The class of a call with these priorities (rule L8).
    pub(crate) fn class(&self, apn: &Apn, evolved: Option<u8>, rel99: Option<u8>) -> ClassId {
        match apn.priority.contain(evolved, rel99) {
            true => self.priority,
            false => self.ordinary,
        }
    }

    /// Whether a call of this class leaves the last of a ceiling to others: it has low access priority, or all calls of
    /// the access point name have, and no priority or emergency outranks that.
    pub(crate) fn gives_way(&self, apn: &Apn, class: ClassId, says_so: bool) -> bool {
        (apn.low_priority || says_so) && class != self.priority
    }
}

fn check(config: &PlaneConfig) -> Result<(), PlaneError> {
    match config.apns.len() {
        0 => return Err(PlaneError::NoApn),
        1..=APNS_MAX => {}
        have => return Err(PlaneError::TooManyApns { have }),
    }
    for apn in &config.apns {
        check_apn(apn, config)?;
    }
    for cause in config.causes.all() {
        if cause.0 < 192 {
            return Err(PlaneError::Cause { cause: cause.0 });
        }
    }
    for cause in config.causes_v2.all() {
        if !(64..240).contains(&cause.0) {
            return Err(PlaneError::CauseV2 { cause: cause.0 });
        }
    }
    let bounds = &config.bounds;
    let least = [
        ("sessions", u64::from(bounds.sessions)),
        ("responses", u64::from(bounds.responses)),
        ("peers", u64::from(bounds.peers)),
        ("requests", u64::from(bounds.requests)),
        ("refused_subscribers", u64::from(bounds.refused_subscribers)),
        ("n3_requests", u64::from(config.n3_requests)),
        (
            "t3_response",
            config
                .t3_response
                .as_secs()
                .max(u64::from(config.t3_response.subsec_nanos())),
        ),
    ];
    match least.into_iter().find(|(_, value)| *value == 0) {
        Some((what, _)) => Err(PlaneError::TooSmall { what, least: 1 }),
        None => Ok(()),
    }
}

fn check_apn(apn: &Apn, config: &PlaneConfig) -> Result<(), PlaneError> {
    let mut buffer = [0; APN_MAX_BYTES];
    if apn.name != WILDCARD && AskedApn::encode(&apn.name, &mut buffer).is_err() {
        return Err(PlaneError::ApnName {
            name: apn.name.clone(),
        });
    }
    let has_pool = !apn.ipv4_pools.is_empty() || !apn.ipv6_pools.is_empty();
    match (apn.role, has_pool) {
        (Role::Sgw, false) | (Role::Ggsn | Role::Pgw | Role::Saegw, true) => {}
        (Role::Sgw, true) => {
            return Err(PlaneError::ApnWithPool {
                apn: apn.name.clone(),
            });
        }
        (Role::Ggsn | Role::Pgw | Role::Saegw, false) => {
            return Err(PlaneError::ApnWithoutPool {
                apn: apn.name.clone(),
            });
        }
    }
    let v4 = apn.ipv4_pools.iter().map(|pool| (*pool, "IPv4"));
    let v6 = apn.ipv6_pools.iter().map(|pool| (*pool, "IPv6"));
    for (place, family) in v4.chain(v6) {
        let Some(pool) = config.pools.get(usize::from(place)) else {
            return Err(PlaneError::UnknownPool {
                apn: apn.name.clone(),
                pool: place,
                pools: config.pools.len(),
            });
        };
        let has = match pool.range {
            PoolRange::Ipv4 { .. } => "IPv4",
            PoolRange::Ipv6 { .. } => "IPv6",
        };
        if has != family {
            return Err(PlaneError::PoolFamily {
                apn: apn.name.clone(),
                pool: pool.name.clone(),
                family,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use enforcer::{GateConfig, GateError};
    use gtp::v1::Cause;
    use licensing::ServiceIndex;

    use super::*;
    use crate::config::Pool;
    use crate::tests::rig::config;

    fn shared(change: impl FnOnce(&mut PlaneConfig)) -> Result<Arc<Shared>, PlaneError> {
        let mut config = config();
        change(&mut config);
        let gate = Gate::new(GateConfig::new(7, 1)).unwrap();
        Shared::new(&config, &gate, Arc::new(RefusalRing::new(1)), [0, 0])
    }

    fn why(change: impl FnOnce(&mut PlaneConfig)) -> String {
        shared(change).unwrap_err().to_string()
    }

    #[test]
    fn a_configuration_that_contradicts_itself_is_refused() {
        assert!(shared(|_| {}).is_ok());
        assert_eq!(why(|c| c.apns.clear()), "at least one apn is needed");
        assert_eq!(
            why(|c| c.apns[1].name = "InterNet".into()),
            "apn \"internet\" is configured twice"
        );
        assert_eq!(
            why(|c| c.apns[1].name = "a..b".into()),
            "apn \"a..b\" is empty, too long or holds a character no apn may have"
        );
        assert_eq!(
            why(|c| c.apns[1].ipv4_pools.clear()),
            "apn \"other\" has no address pool"
        );
        assert_eq!(
            why(|c| c.apns[1].role = Role::Sgw),
            "apn \"other\" is an SGW's and has an address pool, which is its PGW's to have"
        );
        assert_eq!(
            why(|c| c.apns[1].ipv4_pools = vec![9]),
            "apn \"other\" names pool 9, there are 4"
        );
        assert_eq!(
            why(|c| c.apns[1].ipv6_pools = vec![0]),
            "apn \"other\" takes its IPv6 addresses from pool \"a\", which has none"
        );
        assert_eq!(
            why(|c| c.causes.at_ceiling = Cause::REQUEST_ACCEPTED),
            "cause 128 does not refuse: 192 to 255 do"
        );
        assert_eq!(
            why(|c| c.causes_v2.at_ceiling = gtp::v2::Cause::REQUEST_ACCEPTED),
            "cause 16 does not refuse by GTPv2: 64 to 239 do"
        );
        let by_both = |c: &mut PlaneConfig| c.apns[1] = c.apns[0].clone();
        assert_eq!(why(by_both), "apn \"internet\" is configured twice");
        let once_each = |c: &mut PlaneConfig| {
            c.apns[1] = c.apns[0].clone();
            c.apns[1].role = Role::Pgw;
        };
        assert!(shared(once_each).is_ok());
        assert_eq!(why(|c| c.n3_requests = 0), "n3_requests must be at least 1");
        assert_eq!(
            why(|c| c.t3_response = Duration::ZERO),
            "t3_response must be at least 1"
        );
        let many = |c: &mut PlaneConfig| {
            let names = (0..=APNS_MAX).map(|n| Apn {
                name: format!("n{n}"),
                ..c.apns[0].clone()
            });
            c.apns = names.collect();
        };
        assert_eq!(why(many), "at most 512 apns, 513 are configured");
    }

    #[test]
    fn what_pools_and_gate_refuse_is_told() {
        let twice = |c: &mut PlaneConfig| {
            let same = Pool {
                name: "again".into(),
                ..c.pools[0].clone()
            };
            c.pools.push(same);
        };
        assert_eq!(why(twice), "pools \"a\" and \"again\" share addresses");
        let unknown = shared(|c| c.apns[0].service = ServiceIndex(9)).unwrap_err();
        let expected = GateError::UnknownService {
            service: 9,
            services: 7,
        };
        assert_eq!(unknown, PlaneError::Gate(expected));
    }

    #[test]
    fn classes_are_interned_once() {
        let shared = shared(|_| {}).unwrap();
        // GGSN ordinary and priority, with GRE both, PGW both, emergency.
        assert_eq!(shared.apns.classes.len(), 7);
        let (internet, other) = (shared.apns.served(0), shared.apns.served(1));
        assert_eq!(internet.unwrap().ordinary, other.unwrap().ordinary);
        let sos = shared.apns.served(4).unwrap();
        assert_eq!(sos.ordinary, sos.priority);
    }
}
