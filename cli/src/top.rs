//! `tollgate top`: the node at a glance, drawn anew with each of its answers.
//!
//! [`Model`] holds what is shown, [`draw`] makes a page of it; neither knows a terminal, a socket or a clock. Here are those.
//! Deliberately absent: changes. Whoever looks can do no harm.

mod model;
mod page;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use api::{Failure, Reply, Request};
use ratatui::DefaultTerminal;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

pub use model::{Key, Model, Order, Rate};
pub use page::{Room, draw};

use crate::client::Client;
use crate::grammar::TopArgs;
use crate::interrupt::stay;
use crate::show::View;

/// Longest wait for an answer: the page says then that there is none, and asks again.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

/// So often a signal, an answer and the clock are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Exit code of what a signal ended: 128 and the number of SIGTERM.
const ENDED_BY_SIGNAL: i32 = 143;

/// `tollgate top`
pub fn run(args: &TopArgs) -> Result<ExitCode, Box<dyn Error>> {
    drawable()?;
    let colour = !args.no_color && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let interval = Duration::from_secs_f64(args.interval);
    let client = Client::new(args.socket.path());
    let model = Model::new(ask(&client)?, interval, colour);
    let answers = ask_again(client, interval)?;
    let page = Arc::new(Mutex::new(()));
    let drawn = Arc::clone(&page);
    // Whatever the other threads wait for, a terminal that is gone among it.
    stay(move || {
        // Nothing is drawn any more.
        let _last = drawn.lock();
        ratatui::restore();
        // A terminal that is gone has no cursor.
        let _ = execute!(io::stdout(), Show);
        std::process::exit(ENDED_BY_SIGNAL);
    })?;
    // Puts the terminal back also if something panics.
    let mut terminal = ratatui::try_init()?;
    let watched = watch(&mut terminal, model, &answers, &page);
    let restored = ratatui::try_restore();
    watched?;
    restored?;
    Ok(ExitCode::SUCCESS)
}

fn drawable() -> Result<(), Failure> {
    let no = |what: &str| {
        Err(Failure::new(
            what,
            "tollgate top",
            "use tollgate show license enforcement status, with --json for programs",
        ))
    };
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return no("there is no terminal to draw on");
    }
    match std::env::var("TERM") {
        Ok(term) if term != "dumb" && !term.is_empty() => Ok(()),
        _ => no("this terminal can't be drawn on (TERM)"),
    }
}

/// Until the user, or a signal, ends it.
fn watch(
    terminal: &mut DefaultTerminal,
    mut model: Model,
    answers: &Receiver<Result<View, Failure>>,
    page: &Mutex<()>,
) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        let now = begun.elapsed();
        match answers.try_recv() {
            Ok(Ok(view)) => model.answer(view, now),
            Ok(Err(failure)) => model.fail(failure),
            // The thread that asks ends with the process alone.
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
        }
        let mut room = Room::default();
        // Also without news: what is old gets older on the page.
        let drawing = page.lock();
        terminal.draw(|frame| room = draw(frame, &model, now))?;
        drop(drawing);
        if !typed(LOOK)? || !event::poll(Duration::ZERO)? {
            continue;
        }
        match pressed(&event::read()?, room) {
            Some(Pressed::End) => return Ok(()),
            Some(Pressed::Key(key)) => model.press(key, room),
            None => {}
        }
    }
}

/// Waits for a key, or for so long; a new size is seen when the page is drawn. Errors: the terminal is gone, which whoever
/// reads keys would never find out.
fn typed(wait: Duration) -> io::Result<bool> {
    let stdin = io::stdin();
    let mut looked = [PollFd::new(&stdin, PollFlags::IN)];
    let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
    match poll(&mut looked, Some(&wait)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let came = looked[0].revents();
    match came.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        true => Err(io::Error::other("the terminal is gone")),
        false => Ok(came.contains(PollFlags::IN)),
    }
}

/// Asks so long after each answer; one answer waits at most.
fn ask_again(client: Client, interval: Duration) -> io::Result<Receiver<Result<View, Failure>>> {
    let (told, answers) = sync_channel(1);
    let again = move || {
        loop {
            std::thread::park_timeout(interval);
            if told.send(ask(&client)).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new()
        .name("questions".to_owned())
        .spawn(again)?;
    Ok(answers)
}

/// The node, its alarms and its agent.
fn ask(client: &Client) -> Result<View, Failure> {
    let Reply::Agent { agent, .. } = client.ask_within(&Request::Agent, ANSWER_WAIT)? else {
        return Err(client.unexpected());
    };
    let Reply::Alarms {
        snapshot,
        age_ms,
        stalled,
        alarms,
    } = client.ask_within(&Request::Alarms, ANSWER_WAIT)?
    else {
        return Err(client.unexpected());
    };
    Ok(View {
        stalled_ms: stalled.then_some(age_ms),
        agent: *agent,
        alarms,
        ..View::of(*snapshot)
    })
}

/// What an event asks for.
enum Pressed {
    Key(Key),
    End,
}

fn pressed(event: &Event, room: Room) -> Option<Pressed> {
    let Event::Key(KeyEvent {
        code,
        modifiers,
        kind: KeyEventKind::Press | KeyEventKind::Repeat,
        ..
    }) = event
    else {
        // A new size is drawn as any other.
        return None;
    };
    let page = i32::try_from(room.shown).unwrap_or(i32::MAX);
    let end = *code == KeyCode::Char('q')
        || (*code == KeyCode::Char('c') && modifiers.contains(KeyModifiers::CONTROL));
    if end {
        return Some(Pressed::End);
    }
    let keys = [
        (KeyCode::Char('s'), Key::Order),
        (KeyCode::Char('?'), Key::Help),
        (KeyCode::Char('h'), Key::Help),
        (KeyCode::Up, Key::Scroll(-1)),
        (KeyCode::Char('k'), Key::Scroll(-1)),
        (KeyCode::Down, Key::Scroll(1)),
        (KeyCode::Char('j'), Key::Scroll(1)),
        (KeyCode::PageUp, Key::Scroll(-page)),
        (KeyCode::PageDown, Key::Scroll(page)),
        (KeyCode::Home, Key::Top),
        (KeyCode::End, Key::Bottom),
    ];
    let pressed = keys.into_iter().find(|(of, _)| of == code);
    pressed.map(|(_, key)| Pressed::Key(key))
}
