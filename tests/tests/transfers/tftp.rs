//! By TFTP, to tftpd-hpa.

use std::fs;
use std::net::UdpSocket;

use node::transfer::{Cause, Mechanism, Sent};
use tests::receivers::Tftpd;

use super::{LIMIT, SHORT, Sender};

fn send(sender: &Sender, name: &str, tftpd: &Tftpd) -> Result<Sent, Cause> {
    let (host, port) = (tftpd.address.ip().to_string(), tftpd.address.port());
    let sent = sender.send_within(name, &host, port, &Mechanism::Tftp, LIMIT);
    sent.map_err(|error| error.cause)
}

#[test]
fn a_file_arrives_with_options_and_without() {
    // The last block has something in it, or nothing.
    for (bytes, refused) in [(300_001, None), (14_280, None), (51_200, Some("blksize"))] {
        let sender = Sender::with(bytes);
        let mut options = vec!["--create"];
        options.extend(refused.iter().flat_map(|option| ["--refuse", *option]));
        let tftpd = Tftpd::start(sender.dir(), &options).unwrap();
        for _ in 0..2 {
            assert_eq!(send(&sender, "a.csv", &tftpd), Ok(Sent::Now));
            assert!(fs::read(tftpd.home().join("a.csv")).unwrap() == sender.octets);
        }
    }
}

/// More blocks than there are numbers for.
#[test]
fn a_file_of_more_than_65535_blocks_arrives() {
    let sender = Sender::with(65_540 * 512 + 7);
    let tftpd = Tftpd::start(sender.dir(), &["--create", "--refuse", "blksize"]).unwrap();
    assert_eq!(send(&sender, "a.csv", &tftpd), Ok(Sent::Now));
    assert!(fs::read(tftpd.home().join("a.csv")).unwrap() == sender.octets);
}

#[test]
fn what_it_does_not_take_is_told() {
    let sender = Sender::with(10);
    let tftpd = Tftpd::start(sender.dir(), &[]).unwrap();
    let name = || "a.csv".to_owned();
    let said = "error 1, file not found".to_owned();
    let denied = Cause::Denied { name: name(), said };
    assert_eq!(send(&sender, "a.csv", &tftpd), Err(denied));
}

#[test]
fn who_says_nothing_is_given_up() {
    let sender = Sender::with(10);
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let sent = sender.send_within("a.csv", "127.0.0.1", port, &Mechanism::Tftp, SHORT);
    assert_eq!(sent.unwrap_err().cause, Cause::TimedOut { after: SHORT });
    let name = "no-such-host.invalid";
    let sent = sender.send_within("a.csv", name, port, &Mechanism::Tftp, LIMIT);
    let cause = sent.unwrap_err().cause;
    assert!(matches!(cause, Cause::Unresolved { .. }), "{cause:?}");
}
