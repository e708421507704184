use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use ::snmp::usm::{Key, Secret, User};
use ::snmp::vacm::View as Visible;
use enforcer::verdicts::{Config as Verdicts, Enforcer, Restored, RestoredClock};
use licensing::snapshot::{CatalogOrigin, NodeIdentity, Snapshot};
use licensing::{Catalog, Now};

use super::*;
use crate::store::Store;

const LEAST: &str = r#"
[node]
name = "gw1"
state_dir = "state"
[[pool]]
name = "internet"
ipv4 = ["10.1.0.0/16"]
[[apn]]
name = "internet"
service = "GGSN"
pool = "internet"
"#;

/// Of a node that has just begun.
pub(super) fn snapshot() -> Snapshot {
    let catalog = Catalog::staros();
    let product = catalog.products()[1].clone();
    let node = NodeIdentity {
        name: "gw1".into(),
        pid: "VPC_SI".into(),
        serial: "9FR4BQX".into(),
        product: product.name,
        product_tag: product.tag,
        version: "0.1.0".into(),
        catalog: CatalogOrigin::Embedded,
    };
    let restored = Restored {
        clock: RestoredClock::Fresh,
        operator: None,
        tampered: false,
        orders: Vec::new(),
    };
    let now = Now::default();
    Enforcer::new(Verdicts::new(node, Arc::new(catalog)), restored, now).snapshot(now)
}

fn config(dir: &Path) -> Config {
    Config::parse(LEAST, &dir.join("gateway.toml")).unwrap()
}

/// SNMP of a node that has begun so often, as far as its other records tell.
fn shell(dir: &Path, starts: u32) -> (SnmpShell, mpsc::Sender<SnmpAsk>, Arc<SnmpCurrent>) {
    let config = Arc::new(config(dir));
    let clock = Arc::new(Clock::start(1));
    let (store, _) = Store::open(&config.state_dir).unwrap();
    let (feed, told) = feed();
    let agent = AgentCurrent::new(Default::default(), &config.agent, feed);
    let parts = Parts {
        vitals: Arc::new(Vitals::new(1, clock.now().mono)),
        current: Arc::new(Current::new(snapshot())),
        agent: Arc::new(agent),
        told,
        kept: store.open_snmp(),
        starts,
        config,
        clock,
    };
    SnmpShell::new(parts).unwrap()
}

/// The thread, at work.
struct Working {
    asks: mpsc::Sender<SnmpAsk>,
    shown: Arc<SnmpCurrent>,
    thread: JoinHandle<()>,
}

impl Working {
    fn start(dir: &Path) -> Self {
        let (shell, asks, shown) = shell(dir, 0);
        let thread = std::thread::spawn(move || shell.run());
        Self {
            asks,
            shown,
            thread,
        }
    }

    fn change(&self, config: config::Snmp) -> Result<(), String> {
        let (done, in_force) = oneshot::channel();
        let config = Box::new(config);
        let asked = self.asks.blocking_send(SnmpAsk::Change { config, done });
        asked.expect("it works");
        let changed = in_force.blocking_recv().expect("it answers");
        changed.map_err(|error| error.to_string())
    }

    /// Names of targets, of users, and of what is suppressed.
    fn shown(&self) -> (Vec<String>, Vec<String>, Vec<String>) {
        let view = self.shown.view(0, Mono(0));
        let suppressed = view.types.into_iter().filter(|row| row.suppressed);
        (
            view.targets.into_iter().map(|target| target.name).collect(),
            view.users.into_iter().map(|user| user.name).collect(),
            suppressed.map(|row| row.name).collect(),
        )
    }

    fn end(self) {
        self.asks.blocking_send(SnmpAsk::End).expect("it works");
        self.thread.join().unwrap();
    }
}

fn target(name: &str) -> NotifyTarget {
    let community = ::snmp::Community::new(b"public");
    NotifyTarget {
        target: delivery::Target::new(name, "127.0.0.1:9".parse().unwrap()),
        security: ::snmp::target::Security::V2c { community },
    }
}

fn user(name: &str, engine: &str) -> (User, Visible) {
    let auth = ::snmp::usm::AuthProtocol::Sha256;
    let secret = Secret::Localized {
        engine: ::snmp::usm::EngineId::of_node(32473, engine),
        key: Key::new(vec![7; 32]),
    };
    let user = User {
        name: name.to_owned(),
        auth: Some((auth, secret)),
        privacy: None,
    };
    (user, Visible::new(&[]).unwrap())
}

#[test]
fn a_change_that_fails_says_why_and_nothing_has_changed_and_the_next_is_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let working = Working::start(dir.path());
    let with = |targets: &[&str], engine: &str| config::Snmp {
        targets: targets.iter().map(|name| target(name)).collect(),
        access: ::snmp::agent::Access {
            communities: Vec::new(),
            users: vec![user("noc", engine)],
        },
        suppressed: vec![::snmp::notifications::Which::named("tgForked").unwrap()],
        ..config(dir.path()).snmp
    };
    let nothing = (Vec::new(), Vec::new(), Vec::new());
    let twice = working.change(with(&["nms", "nms"], "gw1")).unwrap_err();
    assert!(twice.contains("\"nms\": a name of its own"), "{twice}");
    assert_eq!(working.shown(), nothing);
    let elsewhere = working.change(with(&["nms"], "gw2")).unwrap_err();
    assert!(elsewhere.starts_with("who may read: "), "{elsewhere}");
    assert_eq!(working.shown(), nothing);
    assert_eq!(working.change(with(&["nms"], "gw1")), Ok(()));
    let names = |name: &str| vec![name.to_owned()];
    assert_eq!(
        working.shown(),
        (names("nms"), names("noc"), names("tgForked"))
    );
    working.end();
    // A start goes by its configuration alone.
    let working = Working::start(dir.path());
    assert_eq!(working.shown(), nothing);
    working.end();
}

//= L16
#[test]
fn an_engine_keeps_how_often_it_began_before_anybody_is_told_it() {
    let dir = tempfile::tempdir().unwrap();
    // Also where the other records know of more starts, or of none.
    for (starts, boots) in [(0, 1), (1, 2), (7, 8), (0, 9)] {
        let (shell, _asks, shown) = shell(dir.path(), starts);
        assert_eq!(shown.view(0, Mono(0)).server.engine_boots, boots);
        // It ends before it works.
        drop(shell);
    }
}
