//! What was done, piece by piece, and the page of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{PARTS, goals};
use crate::bench::data::Data;
use crate::bench::machine::Run;
use crate::bench::plot;
use crate::run;
use crate::tidy::Breach;
use crate::workspace::Workspace;

/// The page, beside which its data are.
const NAME: &str = "docs/soak.md";
const DATA: &str = "docs/soak.toml";
const PICTURES: &str = "docs/soak";
/// The part that is drawn.
const DRAWN: &str = "load";
const HEAD: &str = "\
# Soak

Long runs of what `cargo xtask test` does in short. Made by `cargo xtask soak`, which adds to it piece by piece; each piece has the
commit that it was run on. Bad are seeds, cycles or points that broke an invariant ([SPECIFICATION.md](../SPECIFICATION.md)), and
inputs that ended a fuzz target.
";

/// All that was done.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Soak {
    #[serde(default)]
    piece: Vec<Piece>,
}

/// Pieces of one part on one commit, one after another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    part: String,
    unit: String,
    commit: String,
    /// Of the last one.
    date: String,
    from: u64,
    done: u64,
    bad: u64,
    #[serde(default)]
    counts: BTreeMap<String, u64>,
}

impl Piece {
    pub fn now(
        workspace: &Workspace,
        part: &str,
        unit: &str,
        from: u64,
        done: u64,
        bad: u64,
        counts: BTreeMap<String, u64>,
    ) -> Self {
        let run = Run::begin(&workspace.root);
        let and_more = match changed(workspace) {
            true => " and changes",
            false => "",
        };
        Self {
            part: part.to_owned(),
            unit: unit.to_owned(),
            commit: format!("{}{and_more}", run.commit),
            date: run.date,
            from,
            done,
            bad,
            counts,
        }
    }
}

/// The tree has changes besides the report's own.
fn changed(workspace: &Workspace) -> bool {
    let mut git = Command::new("git");
    git.args(["status", "--porcelain", "--", ".", ":!docs/soak*"]);
    let status = run::output(git.current_dir(&workspace.root));
    status.is_none_or(|text| !text.is_empty())
}

impl Soak {
    pub fn read(workspace: &Workspace) -> Result<Self> {
        let file = workspace.root.join(DATA);
        match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).context(DATA),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).context(DATA),
        }
    }

    /// Units of a part.
    pub fn done(&self, part: &str) -> u64 {
        self.of(part).map(|piece| piece.done).sum()
    }

    fn bad(&self, part: &str) -> u64 {
        self.of(part).map(|piece| piece.bad).sum()
    }

    fn of<'a>(&'a self, part: &'a str) -> impl Iterator<Item = &'a Piece> {
        self.piece.iter().filter(move |piece| piece.part == part)
    }

    /// With one more.
    pub fn with(mut self, new: Piece) -> Self {
        let last = self.piece.iter_mut().rev().find(|p| p.part == new.part);
        match last.filter(|last| last.commit == new.commit) {
            Some(last) => {
                last.done += new.done;
                last.bad += new.bad;
                last.date = new.date;
                for (name, many) in new.counts {
                    *last.counts.entry(name).or_default() += many;
                }
            }
            None => self.piece.push(new),
        }
        self
    }

    /// Both files, each whole.
    pub fn write(&self, workspace: &Workspace) -> Result<()> {
        let data = toml::to_string(self)?;
        for (name, text) in [(DATA, data), (NAME, self.page())] {
            let file = workspace.root.join(name);
            let new = file.with_added_extension("new");
            fs::write(&new, text).with_context(|| new.display().to_string())?;
            fs::rename(&new, &file).context(name)?;
        }
        Ok(())
    }

    fn page(&self) -> String {
        let mut page = format!(
            "{HEAD}\n| part | done | goal | bad | commits | last |\n|---|---:|---:|---:|---|---|\n"
        );
        for (part, goal) in goals() {
            let pieces: Vec<&Piece> = self.of(&part).collect();
            let Some(last) = pieces.last() else {
                let _ = writeln!(page, "| {part} | 0 | {goal} | | | |");
                continue;
            };
            let commits: Vec<&str> = pieces.iter().map(|piece| piece.commit.as_str()).collect();
            let (done, bad, unit) = (self.done(&part), self.bad(&part), &last.unit);
            let commits = commits.join(", ");
            let date = &last.date;
            let _ = writeln!(
                page,
                "| {part} | {done} {unit} | {goal} | {bad} | {commits} | {date} |"
            );
        }
        for part in &PARTS {
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for (name, many) in self.of(part.name).flat_map(|piece| &piece.counts) {
                *counts.entry(name).or_default() += many;
            }
            if counts.is_empty() {
                continue;
            }
            let _ = writeln!(page, "\n## {}\n", part.name);
            if part.name == DRAWN {
                let _ = writeln!(page, "![Over time, of the last run](soak/{DRAWN}.svg)\n");
            }
            let _ = writeln!(page, "| what | how many |\n|---|---:|");
            for (name, many) in counts {
                let _ = writeln!(page, "| {name} | {many} |");
            }
        }
        page
    }
}

/// Draws what a piece handed over beside the page.
pub fn draw(workspace: &Workspace, part: &str, data: &Path) -> Result<()> {
    let text = fs::read_to_string(data).with_context(|| data.display().to_string())?;
    let data = Data::parse(&text)?;
    let dir = workspace.root.join(PICTURES);
    fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    for table in &data.tables {
        if let Some(plot) = &table.plot {
            let svg = plot::svg(table, plot)?;
            fs::write(dir.join(format!("{part}.svg")), svg).context(PICTURES)?;
        }
    }
    Ok(())
}

/// The page is what its data give.
pub fn breaches(workspace: &Workspace) -> Result<Vec<Breach>> {
    if !workspace.root.join(DATA).is_file() {
        return Ok(Vec::new());
    }
    let page = Soak::read(workspace)?.page();
    let same = fs::read_to_string(workspace.root.join(NAME)).is_ok_and(|text| text == page);
    let breach = Breach::at(NAME, 1, format!("it is not what {DATA} gives"));
    Ok(if same { Vec::new() } else { vec![breach] })
}

/// What is bad of these parts, and whether each has reached its goal; it is printed, too.
pub fn standing(workspace: &Workspace, wanted: &str) -> Result<(u64, bool)> {
    let soak = Soak::read(workspace)?;
    let (mut bad, mut reached, mut some) = (0, true, false);
    for (part, goal) in goals() {
        if part.split(' ').next() != Some(wanted) {
            continue;
        }
        some = true;
        let done = soak.done(&part);
        println!("{part}: {done} of {goal}, {} bad", soak.bad(&part));
        bad += soak.bad(&part);
        reached &= done >= goal;
    }
    Ok((bad, reached && some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(commit: &str, from: u64, bad: u64) -> Piece {
        Piece {
            part: "sim".to_owned(),
            unit: "seeds".to_owned(),
            commit: commit.to_owned(),
            date: "2026-01-01".to_owned(),
            from,
            done: 10,
            bad,
            counts: BTreeMap::from([("torn write".to_owned(), 3)]),
        }
    }

    #[test]
    fn pieces_add_up_by_commit() {
        let soak = Soak::default()
            .with(piece("a", 0, 0))
            .with(piece("a", 10, 1));
        let soak = soak.with(piece("b", 20, 0));
        assert_eq!(soak.piece.len(), 2);
        assert_eq!((soak.done("sim"), soak.bad("sim")), (30, 1));
        let text = toml::to_string(&soak).unwrap();
        let again: Soak = toml::from_str(&text).unwrap();
        assert_eq!(again.piece, soak.piece);
        let page = soak.page();
        assert!(page.contains("| sim | 30 seeds | 100000 | 1 | a, b | 2026-01-01 |"));
        assert!(page.contains("| torn write | 9 |"));
    }
}
