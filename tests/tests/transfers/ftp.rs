//! By FTP and FTPS, to vsftpd.

use std::fs;

use node::transfer::{Account, Cause, Mechanism, Roots, Sent};
use tests::receivers::{Cut, Then, USER, Vsftpd};

use super::{
    SHORT, Sender, account, certificates, certificates_for, of_another_host,
    refuses_before_it_is_there, with_password,
};

fn ftp(account: Option<Account>) -> Mechanism {
    Mechanism::Ftp { account, tls: None }
}

fn ftps(root: &str) -> Mechanism {
    Mechanism::Ftp {
        account: Some(account()),
        tls: Some(Roots::parse(root.as_bytes()).unwrap()),
    }
}

#[test]
fn a_file_arrives() {
    let sender = Sender::with(3_000_001);
    let vsftpd = Vsftpd::start(sender.dir(), None).unwrap();
    sender.arrives(&vsftpd.home(), vsftpd.port, &ftp(Some(account())));
    let log = vsftpd.log();
    assert!(log.contains("OK UPLOAD"), "{log}");
}

#[test]
fn a_file_arrives_through_tls() {
    let sender = Sender::with(300_001);
    let (root, own) = certificates();
    let vsftpd = Vsftpd::start(sender.dir(), Some(&own)).unwrap();
    sender.arrives(&vsftpd.home(), vsftpd.port, &ftps(&root));
    // It takes nobody without.
    let cause = sender.cause("c.csv", vsftpd.port, &ftp(Some(account())));
    let user = USER.to_owned();
    assert_eq!(cause, Cause::Login { user });
    let (another, _) = certificates();
    let cause = sender.cause("c.csv", vsftpd.port, &ftps(&another));
    assert!(matches!(cause, Cause::Certificate { .. }), "{cause:?}");
    assert!(!vsftpd.home().join("c.csv").exists());
}

#[test]
fn who_has_no_tls_gets_no_password() {
    let sender = Sender::with(10);
    let vsftpd = Vsftpd::start(sender.dir(), None).unwrap();
    let cause = sender.cause("a.csv", vsftpd.port, &ftps(&certificates().0));
    let said = "reply 530".to_owned();
    let step = "speak TLS";
    assert_eq!(cause, Cause::Refused { step, said });
    let log = vsftpd.log();
    assert!(
        log.contains("AUTH TLS") && !log.contains("\"USER "),
        "{log}"
    );
}

#[test]
fn the_certificate_of_another_host_is_refused() {
    let sender = Sender::with(10);
    let (root, own) = certificates_for(&["collector.example"]);
    let vsftpd = Vsftpd::start(sender.dir(), Some(&own)).unwrap();
    let cause = sender.cause("a.csv", vsftpd.port, &ftps(&root));
    assert_eq!(cause, of_another_host());
    let log = vsftpd.log();
    assert!(
        log.contains("AUTH TLS") && !log.contains("\"USER "),
        "{log}"
    );
}

#[test]
fn a_login_that_is_wrong_is_refused() {
    let sender = Sender::with(10);
    let vsftpd = Vsftpd::start(sender.dir(), None).unwrap();
    let wrong = Some(with_password("canary-wrong-1"));
    for (account, user) in [(wrong, USER), (None, "anonymous")] {
        let cause = sender.cause("a.csv", vsftpd.port, &ftp(account));
        let user = user.to_owned();
        assert_eq!(cause, Cause::Login { user });
    }
}

#[test]
fn a_directory_that_is_not_there_or_not_ours_is_told() {
    let sender = Sender::with(10);
    let vsftpd = Vsftpd::start(sender.dir(), None).unwrap();
    for name in ["no/such/a.csv", "/etc/a.csv"] {
        let cause = sender.cause(name, vsftpd.port, &ftp(Some(account())));
        let (name, said) = (name.to_owned(), "reply 553".to_owned());
        assert_eq!(cause, Cause::Denied { name, said });
    }
}

#[test]
fn a_full_disk_there_leaves_nothing() {
    let sender = Sender::with(200_000);
    let vsftpd = Vsftpd::start(sender.dir(), None).unwrap();
    let to = ftp(Some(account()));
    let cause = sender.cause("full/a.csv", vsftpd.port, &to);
    // vsftpd has one number for all that fails here.
    let (step, said) = ("take the file", "reply 451".to_owned());
    assert_eq!(cause, Cause::Refused { step, said });
    let small = Sender::with(40_000);
    assert_eq!(small.send("full/b.csv", vsftpd.port, &to), Ok(Sent::Now));
}

#[test]
fn what_can_not_be_read_there_is_another_file() {
    let sender = Sender::with(20_000);
    let blind = "download_enable=NO\n";
    let vsftpd = Vsftpd::start_with(sender.dir(), None, blind).unwrap();
    sender.is_not_taken_for_another(&vsftpd.home(), vsftpd.port, &ftp(Some(account())));
}

#[test]
fn a_server_that_tells_no_size_keeps_what_it_has() {
    let sender = Sender::with(30_001);
    let silent = "cmds_denied=SIZE\n";
    let vsftpd = Vsftpd::start_with(sender.dir(), None, silent).unwrap();
    sender.arrives(&vsftpd.home(), vsftpd.port, &ftp(Some(account())));
    let log = vsftpd.log();
    assert!(log.contains("550 Permission denied"), "{log}");
}

#[test]
fn a_connection_that_breaks_off_leaves_no_file() {
    let sender = Sender::with(10);
    let vsftpd = Vsftpd::start(sender.dir(), None).unwrap();
    let to = ftp(Some(account()));
    let name = format!("USER {USER}\r\n").len();
    for bytes in [3, name, name + 40] {
        let cut = Cut::start(vsftpd.port, bytes, Then::Ends).unwrap();
        let cause = sender.cause("a.csv", cut.port, &to);
        assert!(matches!(cause, Cause::Closed { .. }), "{bytes}: {cause:?}");
        let cut = Cut::start(vsftpd.port, bytes, Then::Stalls).unwrap();
        let sent = sender.send_within("a.csv", "127.0.0.1", cut.port, &to, SHORT);
        assert_eq!(sent.unwrap_err().cause, Cause::TimedOut { after: SHORT });
    }
    assert!(!vsftpd.home().join("a.csv").exists());
    assert_eq!(sender.send("a.csv", vsftpd.port, &to), Ok(Sent::Now));
    assert!(fs::read(vsftpd.home().join("a.csv")).unwrap() == sender.octets);
}

#[test]
fn what_can_not_begin_is_told() {
    refuses_before_it_is_there(&ftp(Some(account())));
}
