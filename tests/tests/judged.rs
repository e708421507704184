//! The node judges each request of a session by SSH by the account's role, whatever reads what is typed.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use anyhow::{Context, Result};
use api::{AuditOutcome, BulkstatsCommand, ClearWhom, Privilege, Reply, Request};
use licensing::Snapshot;
use node::ssh::{Session, Shells, Unanswered, Visit};
use node::{Config, Running, Shutdown};
use parking_lot::Mutex;
use tests::control::Control;
use tests::gateway::Site;
use tests::ssh::{OpenSsh, PORT, make_key};

/// For a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A subscriber without a session.
const IMSI: &str = "240010000000001";

/// Asks all of it in place of a shell, whoever logs in.
struct AsksAll {
    requests: Vec<Request>,
    told: Mutex<SyncSender<Vec<Result<Reply, Unanswered>>>>,
}

impl Shells for AsksAll {
    fn run(&self, session: &Session, _: &mut Visit) -> u32 {
        let answers = self.requests.iter();
        let answers = answers
            .map(|request| session.ask(request.clone(), LIMIT))
            .collect();
        u32::from(self.told.lock().send(answers).is_err())
    }
}

/// Of each privilege some.
fn requests() -> Vec<Request> {
    let bulkstats = |command| Request::BulkstatsDo { command };
    let feature = |enable| Request::Feature {
        name: "GRE".to_owned(),
        enable,
    };
    vec![
        Request::Snapshot,
        Request::Accounts,
        Request::Audit { limit: 100 },
        Request::Clear {
            whom: ClearWhom::Imsi(IMSI.to_owned()),
            reactivate: false,
        },
        bulkstats(BulkstatsCommand::ClearCounters),
        bulkstats(BulkstatsCommand::ForceGather),
        Request::SmartLicensing { enable: true },
        feature(true),
        feature(false),
        Request::SaveConfiguration { file: None },
    ]
}

//= TS 33.117 4.2.3.4.1.1
//= TS 33.117 4.2.3.4.6.2
#[test]
fn a_request_above_the_role_of_the_account_is_refused_where_it_is_served() -> Result<()> {
    let site = Site::new()?;
    let ip = site.subnet().ip(1);
    let roles = [
        ("ivo", Privilege::Inspector),
        ("otto", Privilege::Operator),
        ("maja", Privilege::Administrator),
    ];
    let mut ssh = format!("[bulkstats]\n[ssh]\nlisten = \"{ip}:{PORT}\"\n");
    for (name, role) in roles {
        let key = make_key(site.dir(), name)?;
        ssh.push_str(&format!(
            "[[ssh.account]]\nname = \"{name}\"\nrole = \"{role}\"\nssh_keys = [\"{key}\"]\n"
        ));
    }
    let configuration = site.configuration().with(&ssh);
    let config = Config::read(&configuration.write()?)?;
    let (told, answers) = sync_channel(1);
    let shells = AsksAll {
        requests: requests(),
        told: Mutex::new(told),
    };
    let running = Running::start_with_shells(config, &Shutdown::new(), Some(Arc::new(shells)))?;
    let client = OpenSsh::before(&configuration.state_dir, site.dir(), &ip.to_string())?;
    let node = Control::new(configuration.control_socket());
    let enabled = |snapshot: Snapshot| snapshot.smart.enabled;
    let audited = |answers: &[Result<Reply, Unanswered>]| {
        let is_audit =
            |answer: &&Result<Reply, Unanswered>| matches!(answer, Ok(Reply::Audit { .. }));
        format!("{:?}", answers.iter().find(is_audit))
    };
    let again = [("ivo", Privilege::Inspector), ("otto", Privilege::Operator)];
    let mut enables = false;
    for (number, (name, role)) in roles.into_iter().chain(again).enumerate() {
        let (code, said) = client.runs(name, "all")?;
        assert_eq!(code, Some(0), "{said}");
        let answers = answers.recv_timeout(LIMIT).context("no answers")?;
        for (request, answer) in requests().iter().zip(&answers) {
            let needed = request.privilege();
            let may = role >= needed;
            match answer {
                Err(Unanswered::Refused(failure)) if failure.what.contains("this takes an") => {
                    assert!(!may, "{name}: {request:?}: {failure}");
                    let what = format!("{name} is {role}, and this takes an {needed}");
                    assert_eq!(failure.what, what);
                }
                Ok(_) | Err(_) => assert!(may, "{name}: {request:?}: {answer:?}"),
            }
        }
        enables |= role == Privilege::Administrator;
        assert_eq!(enabled(node.snapshot()?), enables, "{name}");
        // The log of the later ones has clears of those before.
        let said = audited(&answers);
        let may_name = role > Privilege::Inspector;
        if number >= roles.len() {
            assert_eq!(said.contains(IMSI), may_name, "{name}: {said}");
            assert_eq!(said.contains("imsi 24001..."), !may_name, "{name}: {said}");
        }
    }
    let Reply::Audit { audit } = node.ask(&Request::Audit { limit: 100 })? else {
        anyhow::bail!("another reply");
    };
    let refused = |name: &str| {
        let of =
            |line: &&api::AuditEntry| line.who == name && line.outcome == AuditOutcome::Refused;
        audit.entries.iter().filter(of).count()
    };
    let counts = roles.map(|(name, _)| refused(name));
    // Of an account ten a minute are written at once.
    assert!((10..=14).contains(&counts[0]), "{:?}", audit.entries);
    assert_eq!(counts[1..], [8, 0], "{:?}", audit.entries);
    running.end()?;
    Ok(())
}
