use std::fs;
use std::future::poll_fn;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::task::Poll;
use std::time::Instant;

use tokio::sync::mpsc;

use super::*;
use crate::config::Config;

const LEAST: &str = r#"
[node]
name = "ggsn-1"
state_dir = "."
[[pool]]
name = "internet"
ipv4 = ["10.1.0.0/16"]
[[apn]]
name = "internet"
service = "GGSN"
pool = "internet"
"#;

fn settings(dir: &Path) -> Arc<Mutex<Settings>> {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    let config = Config::parse(LEAST, &dir.join("gateway.toml")).unwrap();
    let (_, settings) = Settings::open(config).unwrap();
    Arc::new(Mutex::new(settings))
}

fn set(edit: &mut Edit) {
    edit.set(Setting::AUTHORITY, "https://above.example");
}

/// Hands the address over to this thread.
fn to(asks: mpsc::Sender<Ask>) -> impl FnOnce(Changed) -> Handed<()> + Send + 'static {
    move |changed| {
        let (done, in_force) = oneshot::channel();
        let authority = changed.config.agent.way.authority;
        let address = authority.map(|at| at.to_string()).unwrap_or_default();
        asks.try_send((address, done)).is_ok().then_some(in_force)
    }
}

/// The address, and where the word goes that it is in force.
type Ask = (String, oneshot::Sender<()>);

#[tokio::test]
async fn what_is_kept_is_handed_over_though_it_was_kept_before() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let (asks, mut asked) = mpsc::channel::<Ask>(1);
    tokio::spawn(async move {
        // The first is lost, as by a thread that ends.
        drop(asked.recv().await);
        while let Some((address, done)) = asked.recv().await {
            assert_eq!(address, "above.example:443");
            done.send(()).unwrap();
        }
    });
    let lost = change(&settings, "set", set, to(asks.clone())).await;
    assert_eq!(lost.unwrap(), None);
    let again = change(&settings, "set", set, to(asks)).await;
    assert_eq!(again.unwrap(), Some((Reply::Done { changed: false }, ())));
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_keep_a_change_from_being_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let (asks, mut asked) = mpsc::channel::<Ask>(1);
    let mut whole = Box::pin(change(&settings, "set", set, to(asks)));
    // It has begun, and the client goes.
    let begun = poll_fn(|context| Poll::Ready(whole.as_mut().poll(context).is_pending()));
    assert!(begun.await);
    drop(whole);
    let (address, done) = asked.recv().await.expect("it is handed over");
    assert_eq!(address, "above.example:443");
    // The next one waits until it is in force.
    assert!(settings.try_lock().is_err());
    done.send(()).unwrap();
    drop(settings.lock().await);
}

#[tokio::test]
async fn a_thread_that_takes_nothing_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let (asks, asked) = mpsc::channel::<Ask>(1);
    drop(asked);
    let began = Instant::now();
    let done = change(&settings, "set", set, to(asks)).await;
    assert_eq!(done.unwrap(), None);
    assert!(began.elapsed() < IN_FORCE);
}
