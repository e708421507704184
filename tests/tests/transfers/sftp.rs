//! By SFTP, to OpenSSH.

use std::fs;
use std::path::Path;

use node::transfer::{Cause, KeyError, Login, Mechanism, PrivateKey, Proof, Sent};
use tests::receivers::{Cut, HostKeys, Sshd, Then, USER};
use zeroize::Zeroizing;

use super::{LIMIT, SHORT, Sender, account, refuses_before_it_is_there};

fn sftp(host_key: &str, proof: Proof) -> Mechanism {
    Mechanism::Sftp {
        host_key: host_key.parse().unwrap(),
        login: Login {
            user: USER.into(),
            proof,
        },
    }
}

fn password() -> Proof {
    Proof::Password(account().password)
}

fn key(file: &Path) -> Proof {
    let text = fs::read_to_string(file).unwrap();
    Proof::Key(text.parse().unwrap())
}

#[test]
fn a_file_arrives_by_a_password() {
    let sender = Sender::with(3_000_001);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let print = sshd.fingerprint("ed25519").unwrap();
    sender.arrives(&sshd.home(), sshd.port, &sftp(&print, password()));
    sshd.has_logged("Accepted password").unwrap();
}

#[test]
fn a_password_is_the_answer_where_it_is_asked_for() {
    let sender = Sender::with(10);
    let sshd = Sshd::start_asking(sender.dir()).unwrap();
    let line = sshd.host_key("ed25519").unwrap();
    let sent = sender.send("a.csv", sshd.port, &sftp(&line, password()));
    assert_eq!(sent, Ok(Sent::Now), "{}", sshd.log());
    sshd.has_logged("Accepted keyboard-interactive/pam")
        .unwrap();
    let wrong = Proof::Password(Zeroizing::new("canary-wrong-1".into()));
    let cause = sender.cause("b.csv", sshd.port, &sftp(&line, wrong));
    let user = USER.to_owned();
    assert_eq!(cause, Cause::Login { user });
}

#[test]
fn an_empty_file_arrives() {
    let sender = Sender::with(0);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let to = sftp(&sshd.host_key("ed25519").unwrap(), password());
    assert_eq!(sender.send("in.csv", sshd.port, &to), Ok(Sent::Now));
    assert_eq!(fs::read(sshd.home().join("in.csv")).unwrap(), b"");
    assert_eq!(sender.send("in.csv", sshd.port, &to), Ok(Sent::Before));
}

#[test]
fn a_file_arrives_by_a_key() {
    let sender = Sender::with(100_000);
    let sshd = Sshd::start(sender.dir()).unwrap();
    // The line is of the second kind of key that the server has.
    let line = sshd.host_key("ecdsa").unwrap();
    for kind in ["ed25519", "ecdsa"] {
        let file = sshd.let_in_by_key(kind).unwrap();
        let name = format!("{kind}.csv");
        let sent = sender.send(&name, sshd.port, &sftp(&line, key(&file)));
        assert_eq!(sent, Ok(Sent::Now));
        assert!(fs::read(sshd.home().join(name)).unwrap() == sender.octets);
    }
    sshd.has_logged("Accepted publickey").unwrap();
}

#[test]
fn the_fingerprint_may_be_of_any_key_that_it_has() {
    let sender = Sender::with(10);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let print = sshd.fingerprint("ecdsa").unwrap();
    let sent = sender.send("a.csv", sshd.port, &sftp(&print, password()));
    assert_eq!(sent, Ok(Sent::Now));
}

#[test]
fn another_host_key_is_refused_before_anything_is_said() {
    let sender = Sender::with(10);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let other = Sshd::start(sender.dir()).unwrap();
    let (expected, found) = (
        other.fingerprint("ed25519").unwrap(),
        sshd.fingerprint("ed25519").unwrap(),
    );
    let line = other.host_key("ed25519").unwrap();
    for pinned in [expected.as_str(), &line] {
        let cause = sender.cause("a.csv", sshd.port, &sftp(pinned, password()));
        let wanted = Cause::HostKey {
            expected: expected.clone(),
            found: format!("ssh-ed25519 {found}"),
        };
        assert_eq!(cause, wanted);
        let told = cause.to_string();
        assert!(told.contains(&expected) && told.contains(&found), "{told}");
    }
    assert!(!sshd.home().join("a.csv").exists());
    assert!(!sshd.log().contains(USER), "{}", sshd.log());
}

#[test]
fn a_login_that_is_wrong_is_refused() {
    let sender = Sender::with(10);
    let sshd = Sshd::start(sender.dir()).unwrap();
    sshd.let_in_by_key("ed25519").unwrap();
    let line = sshd.host_key("ed25519").unwrap();
    let user = USER.to_owned();
    let refused = Cause::Login { user };
    let wrong = Proof::Password(Zeroizing::new("canary-wrong-1".into()));
    for proof in [wrong, key(&sshd.another_key().unwrap())] {
        let error = sender.send("a.csv", sshd.port, &sftp(&line, proof));
        let error = error.unwrap_err();
        assert_eq!(error.cause, refused);
        let told = format!(
            "sftp 127.0.0.1:{}: it refuses the login of {USER}",
            sshd.port
        );
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn rsa_is_told_and_not_taken() {
    let sender = Sender::with(10);
    let sshd = Sshd::start_with(sender.dir(), HostKeys::Rsa).unwrap();
    let line = sshd.host_key("rsa").unwrap();
    let parsed: Result<node::transfer::HostKey, _> = line.parse();
    assert_eq!(parsed, Err(KeyError::Rsa));
    let print = sshd.fingerprint("rsa").unwrap();
    let cause = sender.cause("a.csv", sshd.port, &sftp(&print, password()));
    let why = "it has no host key that is taken".to_owned();
    assert_eq!(cause, Cause::Protocol { why });
    let file = sshd.let_in_by_key("rsa").unwrap();
    let parsed = fs::read_to_string(file).unwrap().parse::<PrivateKey>();
    assert_eq!(parsed.unwrap_err(), KeyError::Rsa);
}

#[test]
fn a_directory_that_is_not_there_or_not_ours_is_told() {
    let sender = Sender::with(10);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let to = sftp(&sshd.host_key("ed25519").unwrap(), password());
    for (name, said) in [
        ("no/such/a.csv", "status 2, no such file or directory"),
        ("/etc/a.csv", "status 3, permission denied"),
    ] {
        let cause = sender.cause(name, sshd.port, &to);
        let (name, said) = (name.to_owned(), said.to_owned());
        assert_eq!(cause, Cause::Denied { name, said });
    }
}

#[test]
fn what_can_not_be_read_there_is_another_file() {
    let sender = Sender::with(20_000);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let to = sftp(&sshd.host_key("ed25519").unwrap(), password());
    sender.is_not_taken_for_another(&sshd.home(), sshd.port, &to);
}

#[test]
fn a_full_disk_there_is_told_and_nothing_is_left() {
    let sender = Sender::with(200_000);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let to = sftp(&sshd.host_key("ed25519").unwrap(), password());
    let cause = sender.cause("full/a.csv", sshd.port, &to);
    assert_eq!(cause, Cause::NoSpace);
    // What was written is gone, so that a smaller one has room.
    let small = Sender::with(40_000);
    assert_eq!(small.send("full/b.csv", sshd.port, &to), Ok(Sent::Now));
}

#[test]
fn a_connection_that_breaks_off_leaves_no_file() {
    let sender = Sender::with(1_000_000);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let to = sftp(&sshd.host_key("ed25519").unwrap(), password());
    // In the greeting, in the exchange of keys, and in the file.
    for bytes in [5, 500, 300_000] {
        let cut = Cut::start(sshd.port, bytes, Then::Ends).unwrap();
        let cause = sender.cause("a.csv", cut.port, &to);
        assert!(matches!(cause, Cause::Closed { .. }), "{bytes}: {cause:?}");
        assert!(!sshd.home().join("a.csv").exists());
    }
    assert!(sshd.home().join("a.csv.part").exists());
    assert_eq!(sender.send("a.csv", sshd.port, &to), Ok(Sent::Now));
    assert!(fs::read(sshd.home().join("a.csv")).unwrap() == sender.octets);
}

#[test]
fn who_stalls_is_given_up() {
    let sender = Sender::with(1_000_000);
    let sshd = Sshd::start(sender.dir()).unwrap();
    let to = sftp(&sshd.host_key("ed25519").unwrap(), password());
    // In the greeting, in the exchange of keys, and in the file.
    for bytes in [5, 500, 300_000] {
        let cut = Cut::start(sshd.port, bytes, Then::Stalls).unwrap();
        let sent = sender.send_within("a.csv", "127.0.0.1", cut.port, &to, SHORT);
        assert_eq!(sent.unwrap_err().cause, Cause::TimedOut { after: SHORT });
        sender.works_on_nothing();
    }
    assert_eq!(
        sender.send_within("a.csv", "127.0.0.1", sshd.port, &to, LIMIT),
        Ok(Sent::Now)
    );
}

#[test]
fn what_can_not_begin_is_told() {
    let print = "SHA256:qyHvG36HIR+lbO/Wu2m3Hc/ZfuvJ0FktKXRmao7bgPQ";
    refuses_before_it_is_there(&sftp(print, password()));
}
