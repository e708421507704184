//! Sessions with servers that say what they must not.

use russh::keys::PublicKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;

use super::session::Session;
use super::upload::upload;
use super::*;

/// A session with a server that says these packets, whatever it hears, and then no more.
fn with(packets: &[&[u8]]) -> DuplexStream {
    let (ours, mut theirs) = duplex(1 << 20);
    let mut said = Vec::new();
    for packet in packets {
        said.extend((packet.len() as u32).to_be_bytes());
        said.extend_from_slice(packet);
    }
    tokio::spawn(async move {
        theirs.write_all(&said).await.unwrap();
        theirs.shutdown().await.unwrap();
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await.unwrap();
    });
    ours
}

const VERSION: &[u8] = &[2, 0, 0, 0, 3];

const HOST_KEY: &str = "SHA256:qyHvG36HIR+lbO/Wu2m3Hc/ZfuvJ0FktKXRmao7bgPQ";

fn login() -> Login {
    Login {
        user: "collector".into(),
        proof: Proof::Password(Zeroizing::new(String::new())),
    }
}

/// The answer to a request of this number: a status.
fn status(id: u8, code: u8) -> Vec<u8> {
    vec![101, 0, 0, 0, id, 0, 0, 0, code]
}

async fn outcome(packets: &[&[u8]]) -> Result<Sent, Cause> {
    let mut session = Session::open(with(packets)).await?;
    upload(&mut session, "a.csv", b"octets").await
}

#[tokio::test]
async fn a_file_goes_with_handles_that_are_no_text() {
    let handle = [102, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0x00];
    let (none, done) = (status(0, 2), [2, 3, 4].map(|id| status(id, 0)));
    let mut packets = vec![VERSION, &none, &handle];
    packets.extend(done.iter().map(Vec::as_slice));
    assert_eq!(outcome(&packets).await, Ok(Sent::Now));
    // Without the last answer, nobody knows whether it has its name.
    packets.pop();
    let step = "name the file";
    assert_eq!(outcome(&packets).await, Err(Cause::Closed { step }));
}

/// What can't be renamed where nobody may look is another file's name, as SFTP says it.
#[tokio::test]
async fn a_name_that_is_taken_unseen_is_told() {
    let handle = [102, 0, 0, 0, 1, 0, 0, 0, 1, b'h'];
    let [hidden, hidden_too] = [0, 6].map(|id| status(id, 3));
    let [written, closed, removed] = [2, 3, 5].map(|id| status(id, 0));
    let name = || "a.csv".to_owned();
    let said = "status 3, permission denied".to_owned();
    let denied = Cause::Denied { name: name(), said };
    for (code, cause) in [(4, Cause::NameTaken { name: name() }), (3, denied)] {
        let renamed = status(4, code);
        let packets: [&[u8]; 8] = [
            VERSION,
            &hidden,
            &handle,
            &written,
            &closed,
            &renamed,
            &removed,
            &hidden_too,
        ];
        assert_eq!(outcome(&packets).await, Err(cause));
    }
}

/// Section 6.1 of the draft lets a server do writes that don't overlap at once.
#[tokio::test]
async fn writes_are_answered_in_any_order() {
    let octets = vec![7; 17 * (32 << 10) + 1];
    let handle = [102, 0, 0, 0, 1, 0, 0, 0, 1, b'h'];
    let none = status(0, 2);
    // Of 18 writes, numbered from 2, the last of the 16 on their way first.
    let mut order: Vec<u8> = (2..18).rev().chain([19, 18]).collect();
    order.extend([20, 21]);
    let mut packets = vec![VERSION, &none, &handle];
    let done: Vec<_> = order.iter().map(|id| status(*id, 0)).collect();
    packets.extend(done.iter().map(Vec::as_slice));
    let mut session = Session::open(with(&packets)).await.unwrap();
    assert_eq!(upload(&mut session, "a.csv", &octets).await, Ok(Sent::Now));
    // No answer counts twice.
    let twice = status(17, 0);
    packets[4] = &twice;
    let mut session = Session::open(with(&packets)).await.unwrap();
    let why = "an SFTP answer to request 17, which has none to come".to_owned();
    let sent = upload(&mut session, "a.csv", &octets).await;
    assert_eq!(sent, Err(Cause::Protocol { why }));
}

#[tokio::test]
async fn a_server_that_is_none_is_told() {
    for (packets, why) in [
        (
            vec![&[2, 0, 0, 0, 2][..]],
            "packet 2 of SFTP version 2, and no version 3",
        ),
        (vec![&[2, 0, 0][..]], "an SFTP packet that ends too early"),
        (
            vec![VERSION, &[101, 0, 0, 0, 7, 0, 0, 0, 2]],
            "an SFTP answer to request 7, which has none to come",
        ),
        (
            vec![VERSION, &[103, 0, 0, 0, 0, 0, 0, 0, 0]],
            "an SFTP packet of type 103",
        ),
        (
            vec![VERSION, &[101, 0, 0, 0, 0, 0, 0]],
            "an SFTP packet that ends too early",
        ),
    ] {
        let why = why.to_owned();
        assert_eq!(outcome(&packets).await, Err(Cause::Protocol { why }));
    }
    let long = vec![0; (256 << 10) + 1];
    let why = "an SFTP packet of 262145 bytes".to_owned();
    assert_eq!(outcome(&[&long]).await, Err(Cause::Protocol { why }));
}

/// Says its version and this list as each of the ten that it has (RFC 4253, section 7.1), before it knows who asks.
async fn with_algorithms(list: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut body = vec![20; 17];
    for _ in 0..10 {
        body.extend((list.len() as u32).to_be_bytes());
        body.extend(list.as_bytes());
    }
    body.extend([0; 5]);
    let padding = 4 + (8 - (body.len() + 9) % 8);
    let length = (1 + body.len() + padding) as u32;
    let mut said = b"SSH-2.0-x\r\n".to_vec();
    said.extend(length.to_be_bytes());
    said.push(padding as u8);
    said.extend(body);
    said.resize(said.len() + padding, 0);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(&said).await.unwrap();
        // Until the client goes.
        let _heard = stream.read_to_end(&mut Vec::new()).await;
    });
    port
}

/// The one key that is pinned, whatever else is right about another.
#[tokio::test]
async fn one_host_key_is_believed() {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLiq";
    let shown = PublicKey::from_openssh(line).unwrap();
    let shown = PublicKeyOrCertificate::PublicKey {
        key: shown,
        hash_alg: None,
    };
    for (pinned, believed) in [(line, true), (other, false)] {
        let mut pinned = Pinned(pinned.parse().unwrap());
        let answer = client::Handler::check_server_key(&mut pinned, &shown).await;
        match answer {
            Ok(answer) => assert!(answer && believed),
            Err(Stopped::HostKey(Cause::HostKey { .. }, kind)) => {
                assert_eq!((kind, believed), (Some(Algorithm::Ed25519), false));
            }
            Err(stopped) => panic!("{stopped:?}"),
        }
    }
}

/// The task of the crate would wait for the server's keys as long as the server does not go.
#[tokio::test]
async fn nothing_is_left_of_a_connection_that_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (host_key, login) = (HOST_KEY.parse().unwrap(), login());
    let tasks = tokio::runtime::Handle::current().metrics();
    let sent = send(("127.0.0.1", port), &host_key, &login, "a.csv", b"x");
    let stalls = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-x\r\n").await.unwrap();
        // Its greeting, and what it says of keys: it is the task that says this.
        stream.read_exact(&mut [0; 256]).await.unwrap();
        assert_eq!(tasks.num_alive_tasks(), 1);
        stream
    };
    let stream = tokio::select! {
        stream = stalls => stream,
        sent = sent => panic!("{sent:?}"),
    };
    let ended = async {
        while tasks.num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(timeout(Duration::from_secs(60), ended).await, Ok(()));
    drop(stream);
}

#[tokio::test]
async fn what_a_server_has_is_not_repeated() {
    let list = "canary-hollyhock,".repeat(400);
    let port = with_algorithms(list.trim_end_matches(',')).await;
    let host_key = HOST_KEY.parse().unwrap();
    let sent = send(("127.0.0.1", port), &host_key, &login(), "a.csv", b"x").await;
    let why = "it has no key exchange that is taken".to_owned();
    assert_eq!(sent, Err(Cause::Protocol { why }));
}

#[test]
fn a_host_key_is_a_fingerprint_or_a_line() {
    let print = "SHA256:qyHvG36HIR+lbO/Wu2m3Hc/ZfuvJ0FktKXRmao7bgPQ";
    let parsed: HostKey = print.parse().unwrap();
    assert_eq!(parsed.fingerprint().to_string(), print);
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
    let of_line: HostKey = line.parse().unwrap();
    for text in [format!("{line} root@host\n"), format!("192.0.2.1 {line}")] {
        assert_eq!(text.parse(), Ok(of_line.clone()));
    }
    for none in [
        "",
        "SHA256:",
        "SHA256:x",
        "MD5:aa",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
    ] {
        assert_eq!(none.parse::<HostKey>(), Err(KeyError::HostKey), "{none}");
    }
    let none = "nothing".parse::<PrivateKey>();
    assert_eq!(none.unwrap_err(), KeyError::PrivateKey);
}
