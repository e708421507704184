//! Against receivers on loopback that do what no real one does on request.

mod ftp;
mod tls;

use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::*;

/// A transfer takes far less; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

fn file(octets: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), octets).unwrap();
    file
}

fn tftp(at: SocketAddr) -> Receiver {
    Receiver {
        host: at.ip().to_string(),
        port: at.port(),
        mechanism: Mechanism::Tftp,
    }
}

/// A TFTP server that loses the first datagram of everything, says everything twice, and takes a file.
async fn lossy(front: UdpSocket, agree: bool) -> Vec<u8> {
    let mut buffer = [0; 2_048];
    front.recv_from(&mut buffer).await.unwrap();
    let (length, client) = front.recv_from(&mut buffer).await.unwrap();
    let wanted = b"\0\x02in/a.csv\0octet\0blksize\x001428\0tsize\0";
    assert!(buffer[..length].starts_with(wanted));
    let back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let first: &[u8] = match agree {
        true => b"\0\x06blksize\x00100\0",
        false => b"\0\x04\0\0",
    };
    let block = if agree { 100 } else { 512 };
    let mut octets = Vec::new();
    let (mut seen, mut taken) = (0, 0);
    let mut answer = first.to_vec();
    for _ in 0..2 {
        back.send_to(&answer, client).await.unwrap();
    }
    loop {
        let (length, from) = back.recv_from(&mut buffer).await.unwrap();
        assert_eq!((from, &buffer[..2]), (client, &[0, 3][..]));
        let number = u16::from_be_bytes([buffer[2], buffer[3]]);
        if number > seen {
            seen = number;
            continue;
        }
        if number == taken + 1 {
            octets.extend_from_slice(&buffer[4..length]);
            taken = number;
            answer = [&[0, 4][..], &number.to_be_bytes()].concat();
        }
        let is_last = length < block + 4;
        // Somebody else's error is nobody's, and somebody else's answer is told so.
        for said in [[0, 5, 0, 3], [0, 4, 0, 9]] {
            stranger.send_to(&said, client).await.unwrap();
        }
        let (length, from) = stranger.recv_from(&mut buffer).await.unwrap();
        assert_eq!((from, &buffer[..length]), (client, &b"\0\x05\0\x05\0"[..]));
        for _ in 0..2 {
            back.send_to(&answer, client).await.unwrap();
        }
        if is_last {
            return octets;
        }
    }
}

#[tokio::test]
async fn tftp_repeats_what_is_lost_and_no_more() {
    for agree in [true, false] {
        let octets: Vec<u8> = (0..1_100_u32).map(|n| (n % 251) as u8).collect();
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let receiver = tftp(front.local_addr().unwrap());
        let server = tokio::spawn(lossy(front, agree));
        let octets = octets[..if agree { 250 } else { 1_024 }].to_vec();
        let file = file(&octets);
        let sent = send(file.path(), "in/a.csv", &receiver, LIMIT).await;
        assert_eq!(sent, Ok(Sent::Now));
        assert_eq!(server.await.unwrap(), octets);
    }
}

#[tokio::test]
async fn options_that_were_not_asked_for_end_a_transfer() {
    let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let receiver = tftp(front.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut buffer = [0; 2_048];
        let (_, client) = front.recv_from(&mut buffer).await.unwrap();
        let said = b"\0\x06blksize\x009000\0";
        front.send_to(said, client).await.unwrap();
        let (length, _) = front.recv_from(&mut buffer).await.unwrap();
        buffer[..length].to_vec()
    });
    let file = file(b"x");
    let sent = send(file.path(), "a.csv", &receiver, LIMIT).await;
    let why = "TFTP options of no sense".to_owned();
    assert_eq!(sent.unwrap_err().cause, Cause::Protocol { why });
    assert_eq!(server.await.unwrap(), b"\0\x05\0\x08\0");
}

#[tokio::test]
async fn a_tftp_receiver_without_space_says_so() {
    let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let receiver = tftp(front.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut buffer = [0; 2_048];
        let (_, client) = front.recv_from(&mut buffer).await.unwrap();
        let said = b"\0\x05\0\x03canary-hollyhock\0";
        front.send_to(said, client).await.unwrap();
    });
    let file = file(b"x");
    let sent = send(file.path(), "a.csv", &receiver, LIMIT).await;
    server.await.unwrap();
    let told = format!("{receiver}: it has no space for the file");
    assert_eq!(sent.unwrap_err().to_string(), told);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_sent() {
    let large = tempfile::NamedTempFile::new().unwrap();
    large.as_file().set_len(FILE_BYTES_MAX + 1).unwrap();
    let receiver = tftp(([127, 0, 0, 1], 9).into());
    let sent = send(large.path(), "a.csv", &receiver, LIMIT).await;
    let why = "it has more than 67108864 bytes".to_owned();
    assert_eq!(sent.unwrap_err().cause, Cause::LocalFile { why });
}

#[test]
fn a_receiver_is_named_by_its_mechanism() {
    let mut receiver = tftp(([127, 0, 0, 1], 69).into());
    assert_eq!(receiver.to_string(), "tftp 127.0.0.1:69");
    receiver.host = "2001:db8::1".into();
    assert_eq!(receiver.to_string(), "tftp [2001:db8::1]:69");
}
