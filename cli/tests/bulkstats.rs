//! `bulkstats read` and `plot`: what is printed of files, and what is told of those that can't be read.
//!
//! `TOLLGATE_REWRITE_GOLDEN=1 cargo test -p cli --test bulkstats` writes `golden/bulkstats.txt` anew; read the difference
//! before it is committed.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;

const SL: &str = "smart-license schema sl format \"PPM,sl,%epochtime%,%mode%,%tagid%,%cur_call_policy%,%cur_call_count%,%max_call_count%,%last_lic_count%,%max_lic_count%,%policy_change_block_calls%\"";
const SYSTEM: &str =
    "system schema sys format \"PPM,sys,%epochtime%,%sess-current%,%eval-remaining%\"";
const TOLLGATE: &str = "tollgate-license schema t format \"PPM,t,%date%,%time%,%kind%,%tagid%,%name%,%compliance%,%state%,%sessions%,%ceiling%,%headroom%,%ceiling_use%\"";
const HEADER: &str = "Version,%host%,%epochtime%";
const FOOTER: &str = "EndOfFile";

/// 2026-11-21 22:30:00 UTC.
const AT: u64 = 1_795_300_200;

/// A file of so many samples, one each quarter of an hour, with header and footer.
fn file(first: u64, samples: u64) -> String {
    let mut text = format!("Version,gw1,{first}\n");
    for n in 0..samples {
        let at = first + 900 * n;
        for tag in [2, 13] {
            let (calls, most) = (tag * 1_000 + n * 37, tag * 1_100);
            let reported = if at == AT { "" } else { "5" };
            writeln!(
                text,
                "PPM,sl,{at},EVALUATION,{tag},ALLOW,{calls},{most},{reported},{reported},0"
            )
            .unwrap();
        }
        writeln!(
            text,
            "PPM,sys,{at},{},{}",
            15_000 + n * 74,
            7_776_000 - n * 900
        )
        .unwrap();
    }
    text + "EndOfFile\n"
}

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        let directory = Self(tempfile::tempdir().unwrap());
        directory.write("a.csv", file(AT, 4).as_bytes());
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(file(AT + 3_600, 3).as_bytes()).unwrap();
        directory.write("b.csv.gz", &packed.finish().unwrap());
        directory
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, octets: &[u8]) {
        fs::write(self.path().join(name), octets).unwrap();
    }

    /// Runs a command with the schemas, header and footer of these files.
    fn bulkstats(&self, words: &[&str]) -> Output {
        let formats = [
            "--schema", SL, "--schema", SYSTEM, "--header", HEADER, "--footer", FOOTER,
        ];
        self.run(&[words, &formats].concat(), b"")
    }

    fn run(&self, words: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .arg("bulkstats")
            .args(words)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that fails before it reads closes it.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The standard output of a command that succeeds without a word more.
fn printed(output: &Output) -> String {
    assert_eq!(told(output), "");
    assert_eq!(output.status.code(), Some(0));
    out(output)
}

#[test]
fn what_is_printed_is_what_was() {
    let directory = Directory::new();
    let commands: [&[&str]; 8] = [
        &["read", "b.csv.gz", "a.csv"],
        &["read", "a.csv", "--schema", "sl", "--where", "tagid=13"],
        &["read", "a.csv", "--schema", "header", "--schema", "footer"],
        &["read", "a.csv", "b.csv.gz", "--schema", "sl", "--csv"],
        &[
            "read",
            "a.csv",
            "--where",
            "mode=EVALUATION",
            "--where",
            "tagid=2",
            "--json",
        ],
        &["plot", "b.csv.gz", "a.csv", "--var", "cur_call_count"],
        &["plot", "a.csv", "--var", "sess-current"],
        &["plot", "a.csv", "--var", "cur_call_count", "--by", "mode"],
    ];
    let mut text = String::new();
    for words in commands {
        let shown = printed(&directory.bulkstats(words));
        text.push_str(&format!(
            "$ tollgate bulkstats {}\n{shown}\n",
            words.join(" ")
        ));
    }
    directory.write(
        "t.csv",
        b"PPM,t,20261121,223000,service,2,GGSN,In_Compliance,ALLOW,9500,12000,2500,79.166\n\
          PPM,t,20261121,223000,feature,2,GRE,,ALLOW,0,,,\n",
    );
    let words = ["read", "t.csv", "--schema", TOLLGATE];
    text.push_str(&format!(
        "$ tollgate bulkstats read t.csv\n{}",
        printed(&directory.run(&words, b""))
    ));
    let kept = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bulkstats.txt");
    if std::env::var_os("TOLLGATE_REWRITE_GOLDEN").is_some() {
        fs::write(&kept, &text).unwrap();
    }
    let kept = fs::read_to_string(kept).unwrap_or_default();
    let differ = kept.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None);
    assert_eq!(kept, text);
    let tables = text
        .lines()
        .filter(|line| !line.starts_with("  {") && !line.starts_with('$'));
    for line in tables.filter(|line| !line.contains("policy,")) {
        assert!(line.len() <= 80, "{line}");
    }
}

/// What a node's configuration says, with sections that nobody here knows.
fn configuration(schemas: &[&[&str]]) -> String {
    let mut text = "[node]\nname = \"gw1\"\n[bulkstats]\ncollection = true\n".to_owned();
    for (n, lines) in schemas.iter().enumerate() {
        let lines: String = lines.iter().map(|line| format!("'{line}', ")).collect();
        text += &format!(
            "[[bulkstats.file]]\nnumber = {}\nremotefile = \"x\"\nheader = \"{HEADER}\"\nfooter = \"{FOOTER}\"\nschemas = [{lines}]\n",
            n + 1
        );
    }
    text
}

#[test]
fn a_nodes_configuration_says_what_its_files_are() {
    let directory = Directory::new();
    let other = "apn schema a format \"PPM,%apn%,%epochtime%,%sessions%\"";
    let text = configuration(&[&[other], &[SL, SYSTEM]]);
    directory.write("gw.toml", text.as_bytes());
    directory.write("apn.csv", b"PPM,internet,1795300200,7\n");
    let words = ["read", "a.csv", "apn.csv", "--config", "gw.toml"];
    let rows = |more: &[&str]| -> Vec<serde_json::Value> {
        let json = printed(&directory.run(&[&words[..], &["--json"], more].concat(), b""));
        serde_json::from_str(&json).unwrap()
    };
    let all = rows(&[]);
    assert_eq!(all.len(), 12 + 1);
    assert_eq!(all[12]["values"]["apn"], "internet");
    assert_eq!(rows(&["--schema", "sys"]).len(), 4);
    assert_eq!(rows(&["--where", "apn=internet"]).len(), 1);
    let one = directory.run(
        &["read", "apn.csv", "--config", "gw.toml", "--file", "2"],
        b"",
    );
    assert_eq!(
        told(&one).lines().next(),
        Some("apn.csv:1: it is of none of the formats")
    );
    let none = directory.run(
        &["read", "a.csv", "--config", "gw.toml", "--file", "3"],
        b"",
    );
    assert!(told(&none).starts_with("Failure: it has no such file of bulk statistics (gw.toml)"));
    let same = "system schema sys format \"PPM,%uptime%\"";
    directory.write(
        "two.toml",
        configuration(&[&[same], &[SL, SYSTEM]]).as_bytes(),
    );
    let two = directory.run(&["read", "a.csv", "--config", "two.toml"], b"");
    assert!(told(&two).starts_with("Failure: several schemas \"sys\" are not the same"));
    let chosen = [
        "read", "a.csv", "--config", "two.toml", "--file", "2", "--csv", "--schema", "sys",
    ];
    assert_eq!(printed(&directory.run(&chosen, b"")).lines().count(), 5);
}

#[test]
fn json_and_csv_read_back_to_the_values_of_the_files() {
    let directory = Directory::new();
    let json = printed(&directory.bulkstats(&["read", "b.csv.gz", "a.csv", "--json"]));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.len(), 3 * 7);
    assert_eq!(rows[0]["file"], "a.csv");
    assert_eq!(rows[0]["line"], 2);
    assert_eq!(rows[0]["values"]["cur_call_count"], 2_000);
    assert!(rows[0]["values"]["last_lic_count"].is_null());
    assert_eq!(rows[20]["file"], "b.csv.gz");
    assert_eq!(rows[20]["schema"], "sys");
    assert_eq!(rows[20]["values"]["sess-current"], 15_148);
    let csv = printed(&directory.bulkstats(&["read", "a.csv", "--csv", "--schema", "sys"]));
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("epochtime,sess-current,eval-remaining"));
    let written = file(AT, 4);
    let written = written
        .lines()
        .filter_map(|line| line.strip_prefix("PPM,sys,"));
    assert!(lines.eq(written));
}

#[test]
fn standard_input_is_a_file() {
    let directory = Directory::new();
    let words = [
        "read", "-", "--csv", "--schema", "sys", "--schema", SL, "--schema", SYSTEM, "--header",
        HEADER, "--footer", FOOTER,
    ];
    let packed = fs::read(directory.path().join("b.csv.gz")).unwrap();
    for octets in [packed, file(AT + 3_600, 3).into_bytes()] {
        let csv = printed(&directory.run(&words, &octets));
        assert_eq!(csv.lines().count(), 4);
        assert!(csv.ends_with("1795305600,15148,7774200\n"), "{csv}");
    }
}

#[test]
fn a_line_of_no_format_is_told_with_its_file_and_number_and_the_rest_is_read() {
    let directory = Directory::new();
    let mut text = file(AT, 4).replace("PPM,sys,1795301100,15074", "PPM,sys,1795301100,15o74");
    text.truncate(text.len() - "File\n".len());
    directory.write("bad.csv", text.as_bytes());
    directory.write("other.csv", &b"\xff,x\n".repeat(8));
    let read = directory.bulkstats(&["read", "bad.csv", "other.csv", "--schema", "sys", "--csv"]);
    assert_eq!(read.status.code(), Some(1));
    assert_eq!(out(&read).lines().count(), 4);
    let others: String = (1..=5)
        .map(|n| format!("other.csv:{n}: it is of none of the formats\n"))
        .collect();
    let expected = format!(
        "bad.csv:7: it is of none of the formats\nbad.csv:14: it is of none of the formats\n{others}other.csv: and 3 lines more\nFailure: 10 lines are of none of the formats (the files): give every schema, the header and the footer that they were written with\n"
    );
    assert_eq!(told(&read), expected);
}

#[test]
fn what_can_not_be_is_told_with_what_is_near() {
    let directory = Directory::new();
    directory.write("empty.csv", b"");
    directory.write(
        "cut.gz",
        &fs::read(directory.path().join("b.csv.gz")).unwrap()[..60],
    );
    let told_of = |words: &[&str]| {
        let output = directory.bulkstats(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert_eq!(out(&output), "", "{words:?}");
        told(&output)
    };
    for (words, wanted) in [
        (
            &["read", "empty.csv"][..],
            "empty.csv: it is empty\nFailure: there is no row that is asked for (empty.csv)",
        ),
        (
            &["read", "a.csv", "--where", "tagid=7"],
            "Failure: there is no row that is asked for (a.csv)",
        ),
        (&["read", "cut.gz"], "Failure: it can't be read: "),
        (
            &["read", "missing.csv"],
            "Failure: it can't be read: No such file or directory",
        ),
        (
            &["read", "a.csv", "--schema", "sis"],
            "Failure: no schema \"sis\"; the nearest is sys",
        ),
        (
            &["read", "a.csv", "--where", "tagId=2"],
            "Failure: the formats have no %tagId%; the nearest is tagid",
        ),
        (
            &["read", "a.csv", "--where", "tagid"],
            "Failure: \"tagid\" is no VARIABLE=VALUE",
        ),
        (
            &["read", "a.csv", "--csv"],
            "Failure: rows of several schemas are no one table: sl, sys",
        ),
        (
            &["read", "a.csv", "--schema", "apn schema x format \"%apm%\""],
            "Failure: x: no variable %apm% here, at character 1; the nearest is %apn%",
        ),
        (
            &[
                "read",
                "a.csv",
                "--schema",
                "apn schema x format \"P%apn%\"",
            ],
            "Failure: rows of x and sl begin alike",
        ),
        (
            &["plot", "a.csv", "--var", "cur_calls_count"],
            "Failure: the formats have no %cur_calls_count%; the nearest is cur_call_count",
        ),
        (
            &["plot", "a.csv", "--var", "epochtime"],
            "Failure: %epochtime% is in several schemas: sl, sys",
        ),
        (
            &["plot", "a.csv", "--var", "mode"],
            "Failure: %mode% is a text, which can't be drawn",
        ),
        (
            &["plot", "a.csv", "--var", "sess-current", "--by", "tagid"],
            "Failure: the formats have no %tagid%; the nearest is ",
        ),
    ] {
        let said = told_of(words);
        assert!(said.starts_with(wanted), "{words:?}: {said}");
    }
    let usage = directory.run(&["read", "a.csv"], b"");
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn an_svg_is_written_where_it_is_wanted() {
    let directory = Directory::new();
    let words = ["plot", "a.csv", "b.csv.gz", "--var", "cur_call_count", "-o"];
    assert_eq!(
        printed(&directory.bulkstats(&[&words[..], &["x.svg"]].concat())),
        ""
    );
    let written = fs::read_to_string(directory.path().join("x.svg")).unwrap();
    let printed = printed(&directory.bulkstats(&[&words[..], &["-"]].concat()));
    assert_eq!(written, printed);
    let document = roxmltree::Document::parse(&written).unwrap();
    let named = |name: &str| {
        document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name)))
            .count()
    };
    assert_eq!((named("polyline"), named("circle")), (2, 14));
    let nowhere = directory.bulkstats(&[&words[..], &["no/x.svg"]].concat());
    assert!(
        told(&nowhere).starts_with("Failure: it can't be written: "),
        "{}",
        told(&nowhere)
    );
}

#[test]
fn a_file_that_came_twice_counts_once() {
    let directory = Directory::new();
    let words = ["plot", "a.csv", "--var", "sess-current", "-o", "-"];
    let once = printed(&directory.bulkstats(&words));
    let twice = directory.bulkstats(&[&words[..], &["a.csv"]].concat());
    assert_eq!(out(&twice), once);
    assert_eq!(
        told(&twice),
        "4 rows were there more than once and count once\n"
    );
}
