//! `gate-compare`: the gate, in both forms, beside other ways to keep a limit. A repetition is an admission and its release,
//! or a refusal where the limit is reached; CPU time over that of the bare pair on an own line, on one thread and on two. No
//! figure: a table for the report, and one of how many each let in at once when many threads want few places.
#![forbid(unsafe_code)]

mod crowd;
mod limits;
mod seats;

use std::process::ExitCode;

use anyhow::{Result, bail};
use benches::lanes::{Found, Runner, side_by_side};
use benches::report::{Cell, Plot, Table};
use benches::subject::CEILING;

use crate::seats::{Way, lanes, ways};

/// Rounds of each table.
const ROUNDS: usize = 61;
/// Places left when a limit is near.
const ROOM: u32 = 8;

/// How much of the ceiling is taken before.
const LEVELS: [(&str, u32); 3] = [("below", 0), ("near", CEILING - ROOM), ("refused", CEILING)];

fn main() -> ExitCode {
    match compared() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("no comparison: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compared() -> Result<()> {
    let ways = ways();
    for threads in [1, 2] {
        let levels = LEVELS.map(|(level, held)| measured(&ways, level, held, threads));
        let levels = levels.into_iter().collect::<Result<Vec<_>>>()?;
        table(&ways, threads, &levels)?.show()?;
    }
    crowd::table(&ways)?.show()
}

fn measured(ways: &[Way], level: &str, held: u32, threads: usize) -> Result<Vec<Found>> {
    let runners = ways.iter().filter_map(|way| {
        let lanes = lanes(*way, CEILING, held, threads)?;
        let name = way.name().to_owned();
        Some(Runner { name, lanes })
    });
    let all = side_by_side(runners.collect(), ROUNDS);
    for found in &all {
        let Found {
            name, refused, all, ..
        } = found;
        let expected = if held == CEILING { *all } else { 0 };
        if *refused != expected {
            println!("{name}, {level}, {threads} threads: {refused} of {all} refused");
            // An asymmetric gate may refuse as unsettled, but never lets in too many.
            if *refused < expected {
                bail!("{name} let {} in above its limit", expected - refused);
            }
        }
        if let Some(ratios) = &found.ratios
            && way_of_ours(name)
        {
            ratios.explain(&format!("{name}, {level}, {threads} threads"));
        }
    }
    Ok(all)
}

fn way_of_ours(name: &str) -> bool {
    name.starts_with("gate")
}

fn table(ways: &[Way], threads: usize, levels: &[Vec<Found>]) -> Result<Table> {
    let title = match threads {
        1 => "One thread, CPU time of a repetition over the bare pair on an own line",
        _ => "Two threads at once, CPU time of a repetition over the bare pair on own lines",
    };
    let spread = |level: &str| [format!("{level} p10"), format!("{level} p90")];
    let mut columns = vec!["way".to_owned()];
    for (level, _) in LEVELS {
        columns.push(level.to_owned());
        columns.extend(spread(level));
    }
    columns.push("pair of the yardstick, ns".to_owned());
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let levels_drawn = LEVELS.map(|(level, _)| level);
    let mut plot = Plot::of("way", &levels_drawn, "times the bare pair on an own line");
    plot.x_log = true;
    plot.y_log = true;
    let id = format!("gate-compare-{threads}");
    let mut table = Table::new(&id, title, &columns).plotted(plot);
    for way in ways {
        let mut row: Vec<Cell> = vec![way.name().into()];
        let mut yardstick = Cell::from("-");
        for level in levels {
            let found = level.iter().find(|found| found.name == way.name());
            let ratios = found.and_then(|found| found.ratios.as_ref());
            row.extend(match ratios {
                Some(ratios) => {
                    yardstick = ratios.yardstick_ns.into();
                    [0.5, 0.1, 0.9].map(|part| Cell::from(ratios.local.quantile(part)))
                }
                None if found.is_some() => ["disturbed"; 3].map(Cell::from),
                None => ["-"; 3].map(Cell::from),
            });
        }
        row.push(yardstick);
        table.row(row);
    }
    Ok(table)
}
