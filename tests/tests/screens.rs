//! What an operator sees, on screens of 80 and of 200 columns, as tmux shows it; compared with the files in `screens/`.
//!
//! `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p tests --test screens` writes the files anew; read the difference before it is
//! committed. What differs from run to run is masked: the date line, the serial number, and the title of `tollgate top`.
#![forbid(unsafe_code)]

use std::path::Path;

use anyhow::{Context, Result, ensure};
use tests::gateway::Gateway;
use tests::sgsn::Call;
use tests::tmux::Tmux;
use tests::tollgate::binary;

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];
const EXEC: &str = "[local]gw1#";
const CONFIG: &str = "[local]gw1(config)#";

/// A lab node in evaluation that is full: three sessions of three.
fn gateway() -> Result<Gateway> {
    let mut gateway = Gateway::in_evaluation(3)?;
    for subscriber in 1..=3 {
        gateway.accepted(&Call::new(subscriber, "internet"))?;
    }
    Ok(gateway)
}

fn argv(gateway: &Gateway, words: &[&str]) -> Result<Vec<String>> {
    let socket = gateway.node()?.control().socket().display().to_string();
    let mut argv = vec![binary()?.display().to_string()];
    argv.extend(words.iter().map(|word| (*word).to_owned()));
    argv.extend(["--socket".to_owned(), socket]);
    Ok(argv)
}

/// Without what differs from run to run.
fn masked(screen: &str, serial: &str) -> String {
    let mask = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_date = matches!(words[..], [day, _, _, _, "UTC", _] if day.ends_with("day"));
        let line = match (is_date, line.starts_with(" tollgate top ")) {
            (true, _) => "<date>",
            (false, true) => "<title>",
            (false, false) => line,
        };
        line.replace(serial, "<serial>") + "\n"
    };
    screen.lines().map(mask).collect()
}

/// Fails unless the screen is what is committed under this name.
fn assert_committed(name: &str, columns: u16, screen: &str) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screens");
    let file = folder.join(format!("{name}-{columns}.txt"));
    if std::env::var_os("TOLLGATE_REWRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&file, screen)?;
    }
    let committed = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    ensure!(
        screen == committed,
        "{name} at {columns} columns shows\n{screen}\nand not\n{committed}"
    );
    Ok(())
}

/// A picture of the shell: what is typed, how its last line begins then, and what else stands on it.
struct Picture {
    name: &'static str,
    typed: &'static [&'static str],
    last: &'static str,
    holds: &'static str,
}

const PICTURES: [Picture; 7] = [
    Picture {
        name: "help",
        typed: &["show license ?"],
        last: "[local]gw1# show license",
        holds: "smart-tags",
    },
    Picture {
        name: "completion",
        typed: &["show license enf", "Tab", "st", "Tab"],
        last: "[local]gw1# show license enforcement status",
        holds: EXEC,
    },
    Picture {
        name: "policy",
        typed: &["sh lic enf pol | grep -i ggsn", "Enter"],
        last: EXEC,
        holds: "\n    2 GGSN",
    },
    Picture {
        name: "pager",
        typed: &[
            "terminal length 12",
            "Enter",
            "show license smart-tags | more",
            "Enter",
        ],
        last: "---(more",
        holds: "PGW",
    },
    Picture {
        name: "wrong",
        typed: &["show licence status", "Enter"],
        last: EXEC,
        holds: "Unknown command",
    },
    Picture {
        name: "configuration",
        typed: &[
            "configure",
            "Enter",
            "feature GRE enable",
            "Enter",
            "no feature GRE enable",
            "Enter",
            "do show license enforcement policy | grep -i gre",
            "Enter",
        ],
        last: CONFIG,
        holds: "    0 GRE",
    },
    Picture {
        name: "question",
        typed: &["clear subscribers all", "Enter"],
        last: "Are you sure ? [Yes | No]:",
        holds: EXEC,
    },
];

fn last(screen: &str) -> &str {
    screen.lines().last().unwrap_or_default()
}

#[test]
fn the_shell_looks_as_it_is_committed() -> Result<()> {
    let gateway = gateway()?;
    let serial = gateway.snapshot()?.node.serial;
    for (columns, lines) in SIZES {
        for picture in &PICTURES {
            let shell = Tmux::open(&argv(&gateway, &["shell"])?, columns, lines)?;
            shell.screen("the first prompt", |screen| screen == EXEC)?;
            for key in picture.typed {
                shell.types(key)?;
                // What is typed ahead would stand before the answer, or behind it.
                shell.screen(key, |screen| match (*key, last(screen)) {
                    // What is typed stands behind a prompt, too.
                    ("Enter", last) if picture.last.ends_with('#') => last.ends_with('#'),
                    ("Enter", last) => last.ends_with('#') || last.starts_with(picture.last),
                    ("Tab", _) => true,
                    (typed, last) => last.ends_with(typed) || typed.ends_with('?'),
                })?;
            }
            let screen = shell.screen(picture.name, |screen| {
                let whole = !picture.last.ends_with('#') || last(screen) == picture.last;
                whole && last(screen).starts_with(picture.last) && screen.contains(picture.holds)
            })?;
            assert_committed(picture.name, columns, &masked(&screen, &serial))?;
        }
    }
    Ok(())
}

#[test]
fn the_dashboard_looks_as_it_is_committed() -> Result<()> {
    let gateway = gateway()?;
    let serial = gateway.snapshot()?.node.serial;
    for (columns, lines) in SIZES {
        let words = ["top", "--interval", "0.2"];
        let top = Tmux::open(&argv(&gateway, &words)?, columns, lines)?;
        // Between two answers nothing comes.
        let screen = top.screen("two answers", |screen| {
            screen.contains("Admits/s 0   Refused/s 0") && screen.contains("order: catalog")
        })?;
        assert_committed("top", columns, &masked(&screen, &serial))?;
    }
    Ok(())
}
