//! By HTTP and HTTPS, to nginx.

use std::fs;

use node::transfer::{Account, Cause, Mechanism, Method, Roots, RootsError, Sent};
use tests::receivers::{Cut, Nginx, Then, USER};

use super::{
    LIMIT, SHORT, Sender, account, certificates, certificates_for, of_another_host,
    refuses_before_it_is_there, with_password,
};

fn http(method: Method, account: Option<Account>) -> Mechanism {
    Mechanism::Http {
        method,
        account,
        tls: None,
    }
}

fn put() -> Mechanism {
    http(Method::Put, Some(account()))
}

fn https(root: &str) -> Mechanism {
    Mechanism::Http {
        method: Method::Put,
        account: Some(account()),
        tls: Some(Roots::parse(root.as_bytes()).unwrap()),
    }
}

#[test]
fn a_file_arrives_by_put() {
    let sender = Sender::with(3_000_001);
    let nginx = Nginx::start(sender.dir(), None).unwrap();
    // The second time it takes the first one's place, which is the same.
    for _ in 0..2 {
        assert_eq!(sender.send("a b.csv", nginx.port, &put()), Ok(Sent::Now));
        assert!(fs::read(nginx.home().join("a b.csv")).unwrap() == sender.octets);
    }
    let open = http(Method::Put, None);
    assert_eq!(
        sender.send("/open/in/c.csv", nginx.port, &open),
        Ok(Sent::Now)
    );
    assert!(fs::read(nginx.home().join("open/in/c.csv")).unwrap() == sender.octets);
}

#[test]
fn a_file_that_is_there_stays_where_the_receiver_can_be_asked_that() {
    let sender = Sender::with(100_000);
    let nginx = Nginx::start(sender.dir(), None).unwrap();
    let open = http(Method::Put, None);
    let sent = sender.send("once/a.csv", nginx.port, &open);
    assert_eq!(sent, Ok(Sent::Now));
    let other = Sender::with(100_001);
    let cause = other.cause("once/a.csv", nginx.port, &open);
    let name = "once/a.csv".to_owned();
    assert_eq!(cause, Cause::NameTaken { name });
    assert!(fs::read(nginx.home().join("once/a.csv")).unwrap() == sender.octets);
}

#[test]
fn a_file_arrives_by_post() {
    let sender = Sender::with(300_001);
    let nginx = Nginx::start(sender.dir(), None).unwrap();
    let post = http(Method::Post, Some(account()));
    assert_eq!(
        sender.send("posted/a.csv", nginx.port, &post),
        Ok(Sent::Now)
    );
    let posted = nginx.posted().unwrap();
    assert!(posted.contains(&sender.octets), "{} came", posted.len());
}

#[test]
fn a_file_arrives_through_tls_below_the_root_alone() {
    let sender = Sender::with(300_001);
    let (root, own) = certificates();
    let nginx = Nginx::start(sender.dir(), Some(&own)).unwrap();
    for (host, name) in [("127.0.0.1", "a.csv"), ("localhost", "b.csv")] {
        let sent = sender.send_within(name, host, nginx.port, &https(&root), LIMIT);
        assert_eq!(sent, Ok(Sent::Now));
        assert!(fs::read(nginx.home().join(name)).unwrap() == sender.octets);
    }
    let (another, _) = certificates();
    let cause = sender.cause("c.csv", nginx.port, &https(&another));
    assert!(matches!(cause, Cause::Certificate { .. }), "{cause:?}");
    assert!(!nginx.home().join("c.csv").exists());
    assert_eq!(Roots::parse(b"").unwrap_err(), RootsError::None);
}

#[test]
fn the_certificate_of_another_host_is_refused() {
    let sender = Sender::with(10);
    let (root, own) = certificates_for(&["collector.example"]);
    let nginx = Nginx::start(sender.dir(), Some(&own)).unwrap();
    let cause = sender.cause("a.csv", nginx.port, &https(&root));
    assert_eq!(cause, of_another_host());
    assert!(!nginx.home().join("a.csv").exists());
}

#[test]
fn a_login_that_is_wrong_is_refused() {
    let sender = Sender::with(10);
    let nginx = Nginx::start(sender.dir(), None).unwrap();
    let wrong = Some(with_password("canary-wrong-1"));
    for (account, user) in [(wrong, USER), (None, "nobody")] {
        let cause = sender.cause("a.csv", nginx.port, &http(Method::Put, account));
        let user = user.to_owned();
        assert_eq!(cause, Cause::Login { user });
    }
}

#[test]
fn what_it_does_not_take_is_told() {
    let sender = Sender::with(100_000);
    let nginx = Nginx::start(sender.dir(), None).unwrap();
    // nginx has one number for all that fails here.
    for name in ["no/such/a.csv", "full/a.csv"] {
        let cause = sender.cause(name, nginx.port, &put());
        let (step, said) = ("take the file", "status 500".to_owned());
        assert_eq!(cause, Cause::Refused { step, said }, "{}", nginx.log());
    }
}

#[test]
fn a_connection_that_breaks_off_leaves_no_file() {
    let sender = Sender::with(1_000_000);
    let nginx = Nginx::start(sender.dir(), None).unwrap();
    for bytes in [5, 300_000] {
        let cut = Cut::start(nginx.port, bytes, Then::Ends).unwrap();
        let cause = sender.cause("a.csv", cut.port, &put());
        assert!(matches!(cause, Cause::Closed { .. }), "{bytes}: {cause:?}");
        let cut = Cut::start(nginx.port, bytes, Then::Stalls).unwrap();
        let sent = sender.send_within("a.csv", "127.0.0.1", cut.port, &put(), SHORT);
        assert_eq!(sent.unwrap_err().cause, Cause::TimedOut { after: SHORT });
        assert!(!nginx.home().join("a.csv").exists());
    }
    assert_eq!(sender.send("a.csv", nginx.port, &put()), Ok(Sent::Now));
}

#[test]
fn what_can_not_begin_is_told() {
    refuses_before_it_is_there(&put());
}
