//! The page of `tollgate top` for nodes in several states, compared with the files in `golden/top/`.
//!
//! `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p cli --test top` writes the files anew; read the difference before it is
//! committed.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod states;

use std::path::PathBuf;
use std::time::Duration;

use api::Failure;
use cli::show::View;
use cli::top::{Key, Model, Order, Rate, Room, draw};
use licensing::Mono;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

const SECOND: Duration = Duration::from_secs(1);

fn state(name: &str) -> View {
    let mut all = states::all().into_iter();
    all.find(|(named, _)| *named == name).unwrap().1
}

/// Two seconds later a service has admitted and refused so many more.
fn later(view: &View, service: usize, admitted: u64, refused: u64) -> View {
    let mut view = view.clone();
    view.snapshot.at.mono = view.snapshot.at.mono.after(2 * SECOND);
    view.snapshot.seq += 1;
    view.snapshot.services[service].admitted += admitted;
    view.snapshot.services[service].tag.refused.blocked += refused;
    view
}

/// Two answers, two seconds apart.
fn model(name: &str) -> Model {
    let view = state(name);
    let after = later(&view, 2, 1_234, 7);
    let mut model = Model::new(view, 2 * SECOND, false);
    model.answer(after, 2 * SECOND);
    model
}

fn drawn(model: &Model, width: u16, height: u16, now: Duration) -> (Buffer, Room) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut room = Room::default();
    terminal
        .draw(|frame| room = draw(frame, model, now))
        .unwrap();
    (terminal.backend().buffer().clone(), room)
}

/// What stands on the screen, without the spaces at the ends of lines.
fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let lines = buffer.content.chunks(width.max(1)).map(|cells| {
        let line: String = cells.iter().map(|cell| cell.symbol()).collect();
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

fn screens() -> Vec<(&'static str, Model, Duration)> {
    let mut many = model("registered");
    for number in 0..30 {
        let mut row = many.view.snapshot.services[2].clone();
        row.tag.name = format!("service-number-{number}");
        many.view.snapshot.services.push(row);
    }
    let mut silent = model("registered");
    silent.fail(Failure::new(
        "nothing listens on the control socket",
        "/run/tollgate/control.sock",
        "is the node running? start it with tollgate node --config FILE",
    ));
    let mut stalled = model("registered");
    stalled.view.stalled_ms = Some(61_000);
    let mut help = model("evaluation");
    help.press(Key::Help, Room::default());
    let now = 3 * SECOND;
    vec![
        ("never-enabled", model("never-enabled"), now),
        ("evaluation-at-limit", model("evaluation-at-limit"), now),
        ("evaluation-expired", model("evaluation-expired"), now),
        ("registered", model("registered"), now),
        ("many-services", many, now),
        ("silent", silent, 90 * SECOND),
        ("stalled", stalled, now),
        ("help", help, now),
    ]
}

#[test]
fn each_page_is_what_is_committed() {
    let rewrite = std::env::var_os("TOLLGATE_REWRITE_GOLDEN").is_some();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/top");
    for (name, model, now) in screens() {
        for (width, height) in [(80, 24), (200, 50)] {
            let page = text(&drawn(&model, width, height, now).0);
            let file = folder.join(format!("{name}-{width}.txt"));
            if rewrite {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&file, &page).unwrap();
            }
            let committed = std::fs::read_to_string(&file).unwrap();
            for (line, (new, old)) in page.lines().zip(committed.lines()).enumerate() {
                assert_eq!(new, old, "{name} at {width}, line {}", line + 1);
            }
            assert_eq!(page, committed, "{name} at {width}");
        }
    }
}

#[test]
fn every_size_is_drawn_and_the_smallest_say_so() {
    for (name, model, now) in screens() {
        for width in 1..=132 {
            for height in [1, 2, 11, 12, 13, 24, 60] {
                let (buffer, room) = drawn(&model, width, height, now);
                let page = text(&buffer);
                if width < 60 || height < 12 {
                    let beginning = format!("{width}x{height} is too");
                    let seen: String = page.split_whitespace().collect();
                    let shown = beginning.replace(' ', "");
                    let cells = usize::from(width) * usize::from(height);
                    let least = cells.min(shown.len());
                    assert!(seen.starts_with(&shown[..least.min(3)]), "{name}: {page}");
                } else if !model.help {
                    assert!(room.shown <= room.rows, "{name} {width}x{height}");
                    assert!(room.shown >= 1, "{name} {width}x{height}");
                    assert!(page.contains("Alarms "), "{name} {width}x{height}:\n{page}");
                    let state = ["ALLOW", "BLOCK"].iter().any(|state| page.contains(state));
                    assert!(state, "{name} {width}x{height}:\n{page}");
                }
            }
        }
    }
}

#[test]
fn rates_are_of_the_nodes_own_time_and_of_one_life_of_it() {
    let view = state("registered");
    let mut model = Model::new(view.clone(), SECOND, false);
    assert_eq!(model.total(), None);
    assert!(model.rows().iter().all(|(_, rate)| rate.is_none()));

    // However late the answer is, the rate is of the time between the two snapshots.
    let second = later(&view, 2, 500, 8);
    model.answer(second.clone(), 60 * SECOND);
    let rate = Rate {
        admits: 250.0,
        refusals: 4.0,
    };
    assert_eq!(model.rows()[2].1, Some(rate));
    assert_eq!(model.total(), Some(rate));

    // The same snapshot again tells no rate.
    model.answer(second.clone(), 61 * SECOND);
    assert_eq!(model.rows()[2].1, None);

    // A node that began anew counts from zero.
    let mut anew = later(&second, 2, 0, 0);
    anew.snapshot.seq = 1;
    model.answer(anew.clone(), 62 * SECOND);
    assert_eq!(model.total(), None);
    let third = later(&anew, 0, 10, 0);
    model.answer(third, 64 * SECOND);
    assert_eq!(model.rows()[0].1.unwrap().admits, 5.0);

    // Another time of the node, set back.
    let mut back = view.clone();
    back.snapshot.at.mono = Mono(0);
    back.snapshot.seq = 99;
    model.answer(back, 65 * SECOND);
    assert_eq!(model.total(), None);
    assert_eq!(model.failure, None);
}

#[test]
fn services_stand_in_the_order_chosen_and_scroll_within_their_room() {
    let mut model = model("registered");
    let names = |model: &Model| {
        let rows = model.rows();
        let names = rows.iter().map(|(row, _)| row.tag().name.clone());
        names.take(3).collect::<Vec<_>>()
    };
    assert_eq!(names(&model), ["PGW", "SAEGW", "GGSN"]);
    let room = Room { rows: 10, shown: 4 };
    model.press(Key::Order, room);
    assert_eq!(model.order, Order::Use);
    assert_eq!(names(&model), ["PGW", "SAEGW", "GGSN"]);
    model.press(Key::Order, room);
    assert_eq!(names(&model)[0], "GGSN");

    let steps = [
        (Key::Scroll(4), 4),
        (Key::Scroll(4), 6),
        (Key::Scroll(-1), 5),
        (Key::Top, 0),
        (Key::Scroll(-1), 0),
        (Key::Bottom, 6),
    ];
    for (key, skipped) in steps {
        model.press(key, room);
        assert_eq!(model.skipped, skipped, "{key:?}");
    }
    // More room than rows: all of them are shown, and the first step up is one.
    model.press(Key::Scroll(-1), Room { rows: 10, shown: 9 });
    assert_eq!(model.skipped, 0);
}

#[test]
fn without_colour_a_page_has_none_and_says_the_same() {
    for (name, plain, now) in screens() {
        let mut coloured = plain.clone();
        coloured.colour = true;
        let (plain, _) = drawn(&plain, 80, 24, now);
        let (coloured, _) = drawn(&coloured, 80, 24, now);
        let none = plain
            .content
            .iter()
            .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset);
        assert!(none, "{name}");
        assert_eq!(text(&plain), text(&coloured), "{name}");
    }
    let mut model = model("registered");
    model.colour = true;
    let (page, _) = drawn(&model, 80, 24, SECOND);
    let blocked = page.content.iter().any(|cell| {
        cell.fg == Color::Red && cell.modifier.contains(Modifier::BOLD) && cell.symbol() == "B"
    });
    assert!(blocked, "a block stands out");
}

#[test]
fn a_name_that_would_move_the_cursor_does_not() {
    let mut model = model("registered");
    model.view.snapshot.node.name = "gw\x1b[2J\n1".to_owned();
    model.view.snapshot.services[0].tag.name = "P\u{202e}GW\x07".to_owned();
    let (page, _) = drawn(&model, 80, 24, SECOND);
    let page = text(&page);
    assert!(!page.contains(['\x1b', '\x07', '\u{202e}']), "{page:?}");
}
