//! The privilege of each row of the table of commands is that of what it asks of a node.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use api::{Privilege, REQUEST_PATH, Request};
use cli::console::Console;
use cli::shell::{More, Runner, Screen, Shell};
use cli::table::{Mode, Row, rows};
use licensing::Wall;
use tests::control::Control;
use tests::gateway::Site;
use tests::tollgate::tollgate;

/// What the scenario answers to whoever asks for a secret.
const SECRETS: [&str; 2] = ["sesame-sesame", "maplesyrup"];

/// The configuration text that it applies.
const APPLIED: [&str; 2] = ["config", "end"];

/// Between commands and a node: the privileges of the requests that pass, and answers as they are.
struct Between {
    socket: PathBuf,
    asked: Arc<Mutex<Vec<Privilege>>>,
}

impl Between {
    fn begin(dir: &Path, node: Control) -> Result<Self> {
        let socket = dir.join("between.sock");
        let listener = UnixListener::bind(&socket)?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Err(error) = pass(stream, &node, &heard) {
                    eprintln!("{error:#}");
                }
            }
        });
        Ok(Self { socket, asked })
    }

    /// What was asked since it was looked at last.
    fn asked(&self) -> Vec<Privilege> {
        std::mem::take(&mut self.asked.lock().expect("nobody panics with it"))
    }
}

/// One request and its answer.
fn pass(stream: UnixStream, node: &Control, heard: &Mutex<Vec<Privilege>>) -> Result<()> {
    let mut reader = BufReader::new(&stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = Request::read(&body).with_context(|| format!("{body:?}"))?;
    heard
        .lock()
        .expect("nobody panics with it")
        .push(request.privilege());
    let answer = node.http("POST", REQUEST_PATH, std::str::from_utf8(&body)?)?;
    let (status, body) = (answer.status, answer.body);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    (&stream).write_all(format!("{head}{body}").as_bytes())?;
    Ok(())
}

/// Runs each command as a process, and notes what it asked.
struct Commands<'b> {
    between: &'b Between,
    /// What the next command reads.
    input: String,
    asked: BTreeMap<String, BTreeSet<Privilege>>,
}

impl Runner for Commands<'_> {
    fn run(&mut self, words: Vec<String>, _: &mut dyn Console) -> Result<(), Box<dyn Error>> {
        let row = row_of(&words).ok_or("no row")?;
        let mut command = tollgate(&words)?;
        command.arg("--socket").arg(&self.between.socket);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // A command that reads nothing leaves it.
        let _written = child
            .stdin
            .take()
            .ok_or("stdin")?
            .write_all(self.input.as_bytes());
        let ended = child.wait_with_output()?;
        let asked = self.between.asked();
        self.asked
            .entry(row.words.clone())
            .or_default()
            .extend(asked);
        match ended.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&ended.stderr).into()),
        }
    }
}

/// The row of the command of these words.
fn row_of(words: &[String]) -> Option<&'static Row> {
    let is_of = |row: &&Row| {
        let own: Vec<&str> = row.words.split(' ').collect();
        own.len() <= words.len() && own.iter().zip(words).all(|(own, word)| own == word)
    };
    let all = rows()
        .iter()
        .filter(|row| row.mode != Mode::Program && !row.own);
    all.filter(is_of).max_by_key(|row| row.words.len())
}

/// Nobody: what the shell itself would show.
#[derive(Default)]
struct Nobody(String);

impl Console for Nobody {
    fn write(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn ask(&mut self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn secret(&mut self, _: &str) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn line(&mut self) -> io::Result<String> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn typed(&mut self) -> io::Result<Option<String>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Screen for Nobody {
    fn size(&self) -> Option<(u16, u16)> {
        None
    }

    fn more(&mut self, _: usize) -> More {
        More::Stop
    }

    fn now(&self) -> Wall {
        Wall(0)
    }
}

//= TS 33.117 4.2.3.4.6.1
#[test]
fn the_privilege_of_each_row_is_that_of_what_it_asks() -> Result<()> {
    let site = Site::new()?;
    let sections = "[snmp]\n[bulkstats]\ncollection = true\nhistorical_days = 1\n[[bulkstats.file]]\nnumber = 1\n\
                    remotefile = \"a.csv\"\n\
                    schemas = ['smart-license schema sl format \"PPM,%epochtime%,%tagid%\"']\n";
    let configuration = site.configuration().with_sessions_per_license(2)?;
    let gateway = site.open(&configuration.with(sections))?;
    let node = gateway.node()?.control().clone();
    let between = Between::begin(gateway.site().dir(), node)?;
    let mut shell = Shell::new("gw1", Privilege::Administrator);
    let mut commands = Commands {
        between: &between,
        input: String::new(),
        asked: BTreeMap::new(),
    };
    let mut screen = Nobody::default();
    let mut lines = include_str!("../shell/every-command").lines().peekable();
    while let Some(line) = lines.next() {
        commands.input.clear();
        let is_read = |next: &&str| match line.starts_with("apply") {
            true => APPLIED.contains(next),
            false => SECRETS.contains(next),
        };
        while let Some(read) = lines.next_if(is_read) {
            commands.input.push_str(&format!("{read}\n"));
        }
        shell.line(line, &mut commands, &mut screen);
    }
    let of_shell = rows()
        .iter()
        .filter(|row| row.mode != Mode::Program && !row.own);
    for row in of_shell {
        let asked = commands.asked.get(&row.words);
        let most = asked.and_then(|asked| asked.last());
        let most = most.with_context(|| format!("{} asks nothing: {}", row.words, screen.0))?;
        ensure!(*most == row.privilege, "{row:?} asks {asked:?}");
    }
    Ok(())
}
