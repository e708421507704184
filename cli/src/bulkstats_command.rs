//! `bulkstats force`, and `read` and `plot`: files of bulk statistics, read back without a node.

mod files;
mod formats;
mod rows;

use std::path::Path;

use api::{BulkstatsCommand, Failure};
use bulkstats::chart::{self, Chart};
use bulkstats::read::ReadRow;
use bulkstats::series::{self, Wanted};

use crate::bulkstats_mode;
use crate::console::Console;
use crate::control;
use crate::grammar::{Bulkstats, ForceBulkstats, PlotArgs, ReadArgs};
use crate::output;
use files::{Read, STANDARD_INPUT};
use formats::Formats;

/// `bulkstats ...`
pub fn run(command: Bulkstats, console: &mut dyn Console) -> Result<(), Failure> {
    match command {
        Bulkstats::Force { what } => match what {
            ForceBulkstats::Gather(socket) => {
                control::bulkstats_do(BulkstatsCommand::ForceGather, &socket, console)
            }
            ForceBulkstats::Transfer(socket) => {
                control::bulkstats_do(BulkstatsCommand::ForceTransfer, &socket, console)
            }
        },
        Bulkstats::Collection(socket) => bulkstats_mode::collection(Some(true), &socket, console),
        Bulkstats::Mode { mode } => bulkstats_mode::mode(*mode, console),
        Bulkstats::Read(args) => read(&args),
        Bulkstats::Plot(args) => plot(&args),
    }
}

fn read(args: &ReadArgs) -> Result<(), Failure> {
    let formats = Formats::of(&args.files)?;
    let read = Read::of(&args.files, &formats)?;
    let text = match (args.json, args.csv) {
        (true, _) => rows::json(&read),
        (false, true) => rows::csv(&read, &formats)?,
        (false, false) => rows::tables(&read, &formats),
    };
    output::print(&text);
    read.verdict()
}

fn plot(args: &PlotArgs) -> Result<(), Failure> {
    let formats = Formats::of(&args.files)?;
    let (name, variable) = formats.with_variable(&args.var)?;
    let by = args.by.iter().map(|by| formats.variable(&name, by));
    let by = by.collect::<Result<Vec<_>, Failure>>()?;
    let wanted = Wanted {
        schema: formats.kind(&name)?,
        variable,
        by: by.into_iter().map(|about| about.name).collect(),
    };
    let read = Read::of(&args.files, &formats)?;
    let rows = read.rows.iter().map(|row| &row.row);
    let rows: Vec<&ReadRow> = rows.filter(|row| row.name == name).collect();
    let found = series::series(&rows, &wanted)
        .map_err(|error| Failure::new(error.to_string(), name, "tollgate bulkstats plot --help"))?;
    if found.repeated > 0 {
        let rows = found.repeated;
        output::complain(&format!(
            "{rows} rows were there more than once and count once\n"
        ));
    }
    let unit = match variable.unit {
        "" => String::new(),
        unit => format!(" ({unit})"),
    };
    let chart = Chart {
        title: args.var.clone(),
        subtitle: variable.help.to_owned(),
        values: format!("{}{unit}", args.var),
        times: format!("time ({})", if found.local { "local" } else { "UTC" }),
        by: found.by.join(" "),
        series: found.series,
    };
    match &args.output {
        None => output::print(&chart::terminal(&chart)),
        Some(file) => write(file, &chart::svg(&chart))?,
    }
    read.verdict()
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    if file == Path::new(STANDARD_INPUT) {
        output::print(text);
        return Ok(());
    }
    std::fs::write(file, text).map_err(|error| {
        let what = format!("it can't be written: {error}");
        Failure::new(
            what,
            file.display().to_string(),
            "name another file with -o",
        )
    })
}
