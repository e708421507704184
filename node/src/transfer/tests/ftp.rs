//! FTP, to a server that says what it is told to.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

const OCTETS: &[u8] = b"1,2,3\n";

/// What the server does on a command.
#[derive(Clone, Copy)]
enum Does {
    Says(&'static str),
    /// Sends these octets on the data connection, then says this.
    Gives(&'static [u8], &'static str),
    /// Says nothing until the client has gone.
    Stalls,
}

/// What it heard, a command each, with what it stored.
type Heard = (Vec<String>, Vec<u8>);

/// A server for one connection, which does this on commands that begin so, and otherwise what servers do.
async fn server(own: &'static [(&'static str, Does)]) -> (Receiver, JoinHandle<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = Receiver {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        mechanism: Mechanism::Ftp {
            account: None,
            tls: None,
        },
    };
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, own).await
    });
    (receiver, served)
}

async fn serve(stream: TcpStream, own: &[(&str, Does)]) -> Heard {
    let mut data = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = BufReader::new(stream);
    let (mut commands, mut stored) = (Vec::new(), Vec::new());
    let mut said = String::from("220 here");
    loop {
        said += "\r\n";
        stream.get_mut().write_all(said.as_bytes()).await.unwrap();
        let mut line = String::new();
        // Whoever has given up ends it like whoever has no more to say.
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return (commands, stored);
        }
        let command = line.trim_end().to_owned();
        let found = own.iter().find(|(begin, _)| command.starts_with(begin));
        said = match (found, &command[..4]) {
            (Some((_, Does::Says(said))), _) => (*said).to_owned(),
            (Some((_, Does::Stalls)), _) => {
                let _none = stream.read_line(&mut line).await;
                commands.push(command);
                return (commands, stored);
            }
            (Some((_, Does::Gives(octets, end))), _) => {
                let (mut given, _) = data.accept().await.unwrap();
                stream.get_mut().write_all(b"150 now\r\n").await.unwrap();
                given.write_all(octets).await.unwrap();
                (*end).to_owned()
            }
            (None, "PASV") => {
                data = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let port = data.local_addr().unwrap().port();
                // Its address is another host's, which a client must not believe.
                format!("227 (127,0,0,2,{},{})", port >> 8, port & 255)
            }
            (None, "STOR") => {
                let (mut taken, _) = data.accept().await.unwrap();
                stream.get_mut().write_all(b"150 now\r\n").await.unwrap();
                taken.read_to_end(&mut stored).await.unwrap();
                "226 done".to_owned()
            }
            (None, "USER") => "331 and".to_owned(),
            (None, "PASS") => "230 in".to_owned(),
            (None, "SIZE" | "RETR") => "550 none".to_owned(),
            (None, "RNFR") => "350 to".to_owned(),
            (None, "QUIT") => "221 bye".to_owned(),
            (None, "TYPE") => "200 yes".to_owned(),
            (None, _) => "250 yes".to_owned(),
        };
        commands.push(command);
    }
}

/// What becomes of a file, and what the server heard.
async fn sent(own: &'static [(&'static str, Does)]) -> (Result<Sent, Cause>, Heard) {
    let (receiver, served) = server(own).await;
    let file = file(OCTETS);
    let sent = send(file.path(), "a.csv", &receiver, LIMIT).await;
    let heard = served.await.unwrap();
    (sent.map_err(|error| error.cause), heard)
}

fn taken() -> Result<Sent, Cause> {
    let name = "a.csv".to_owned();
    Err(Cause::NameTaken { name })
}

fn names(commands: &[String]) -> bool {
    commands.iter().any(|command| command.starts_with("RN"))
}

#[tokio::test]
async fn data_goes_to_the_host_that_was_asked_for() {
    let (sent, (commands, stored)) = sent(&[]).await;
    assert_eq!((sent, stored), (Ok(Sent::Now), OCTETS.to_vec()));
    assert!(names(&commands), "{commands:?}");
}

/// Rows of statistics often have one width: a size says nothing.
#[tokio::test]
async fn a_file_of_the_same_size_that_is_not_read_is_another_one() {
    const SIZE: (&str, Does) = ("SIZE", Does::Says("213 6"));
    let refusals: [&'static [(&str, Does)]; 5] = [
        &[SIZE, ("RETR", Does::Says("425 no connection"))],
        &[SIZE, ("RETR", Does::Says("450 busy"))],
        &[SIZE, ("RETR", Does::Says("451 error"))],
        &[SIZE, ("RETR", Does::Says("550 denied"))],
        &[SIZE, ("RETR", Does::Gives(b"1,2", "426 broken"))],
    ];
    for own in refusals {
        let (sent, (commands, stored)) = sent(own).await;
        assert_eq!(sent, taken(), "{commands:?}");
        assert!(!names(&commands) && stored.is_empty(), "{commands:?}");
    }
    // All of it came before the server had a complaint.
    let (same, _) = sent(&[SIZE, ("RETR", Does::Gives(OCTETS, "426 broken"))]).await;
    assert_eq!(same, Ok(Sent::Before));
    let (other, _) = sent(&[SIZE, ("RETR", Does::Gives(b"1,2,4\n", "226 done"))]).await;
    assert_eq!(other, taken());
    let (leaves, _) = sent(&[SIZE, ("RETR", Does::Says("421 bye"))]).await;
    let step = "read the file";
    assert_eq!(leaves, Err(Cause::Closed { step }));
}

/// `RNTO` takes the place of what is there.
#[tokio::test]
async fn a_server_that_tells_no_size_keeps_what_it_has() {
    let there: [&'static [(&str, Does)]; 5] = [
        &[
            ("SIZE", Does::Says("500 what")),
            ("RETR", Does::Gives(b"1,2,4\n", "226 done")),
        ],
        &[
            ("SIZE", Does::Says("550 not allowed")),
            ("RETR", Does::Gives(b"1,2,3\n4,5,6\n", "226 done")),
        ],
        &[
            ("SIZE", Does::Says("450 busy")),
            ("RETR", Does::Says("450 busy")),
        ],
        &[
            ("SIZE", Does::Says("502 no")),
            ("RETR", Does::Says("502 no")),
        ],
        &[("RETR", Does::Says("425 no connection"))],
    ];
    for own in there {
        let (sent, (commands, stored)) = sent(own).await;
        assert_eq!(sent, taken(), "{commands:?}");
        assert!(!names(&commands) && stored.is_empty(), "{commands:?}");
    }
    let (none, (_, stored)) = sent(&[("SIZE", Does::Says("502 no"))]).await;
    assert_eq!((none, stored), (Ok(Sent::Now), OCTETS.to_vec()));
    const SAME: (&str, Does) = ("RETR", Does::Gives(OCTETS, "226 done"));
    let (same, _) = sent(&[("SIZE", Does::Says("502 no")), SAME]).await;
    assert_eq!(same, Ok(Sent::Before));
}

/// The file has its name by then.
#[tokio::test]
async fn nobody_waits_for_a_goodbye() {
    let (sent, (commands, stored)) = sent(&[("QUIT", Does::Stalls)]).await;
    assert_eq!((sent, stored), (Ok(Sent::Now), OCTETS.to_vec()));
    assert_eq!(commands.last().map(String::as_str), Some("QUIT"));
}
