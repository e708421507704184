use super::data::tests::LINES;
use super::report::tests::run;
use super::*;

/// Runs a shell script for each name as if it were that program.
fn scripts(desk: &mut Desk, aside: &Path, all: &[(&str, &str)]) -> Result<Vec<Measured>> {
    let steps = all.iter().map(|(name, _)| Step {
        section: "The gate",
        name: (*name).to_owned(),
        usual_s: 5,
    });
    measured(desk, steps.collect(), aside, |name| {
        let (_, script) = all.iter().find(|(other, _)| *other == name).unwrap();
        ("/bin/sh".into(), vec!["-c".into(), (*script).into()])
    })
}

#[test]
fn one_that_fails_or_prints_rubbish_is_told_and_the_others_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let hand_over = format!("echo '{}' >> \"${DATA}\"", LINES[1]);
    let table = format!("echo '{}' >> \"${DATA}\"", LINES[0]);
    let short = format!("{hand_over}; exit 1");
    let failed = format!("{hand_over}; echo broken >&2; exit 101");
    let rubbish = format!("echo well | tee -a \"${DATA}\"");
    let half = format!("{table}; exit 1");
    let all = [
        ("fine", hand_over.as_str()),
        ("short", &short),
        ("table", &table),
        ("failed", &failed),
        ("rubbish", &rubbish),
        ("silent", "echo gate-ratio 1 target 2 ok"),
        ("half", &half),
        ("killed", "kill -9 $$"),
        ("fine-again", &hand_over),
    ];
    let all = scripts(&mut Desk::new(), folder.path(), &all).unwrap();
    let failures: Vec<_> = all
        .iter()
        .map(|one| one.failure.as_deref().unwrap_or("-"))
        .collect();
    assert_eq!(failures[..3], ["-", "-", "-"]);
    assert_eq!(
        failures[3],
        "it ended with exit status: 101; its last words: \"broken\""
    );
    assert!(failures[4].starts_with("line 1 of its data: expected value"));
    assert_eq!(
        failures[5],
        "it handed nothing over; its last words: \"gate-ratio 1 target 2 ok\""
    );
    assert!(failures[6].starts_with("it ended with exit status: 1;"));
    assert!(failures[7].starts_with("it ended with signal: 9"));
    assert_eq!(failures[8], "-");
    assert!(all[3].data.is_empty() && all[6].data.is_empty());
    assert_eq!(noise(&all), None);
    let report = report::report(&run(0.0, None), &all, &report::Reasons::new()).unwrap();
    assert_eq!(report.text.matches("**No result: ").count(), 5);
    assert_eq!(report.warnings.len(), 5);
}

#[test]
fn one_that_is_ended_has_no_result() {
    let ending = Ending {
        status: None,
        lines: Vec::new(),
        took: Duration::from_secs(30),
    };
    let (data, failure) = judged(&ending, Data::parse(LINES[1]), Duration::from_secs(30));
    assert!(data.is_empty());
    assert_eq!(failure.unwrap(), "it took over 30 s and was ended");
}

#[test]
fn an_interruption_ends_the_run_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::new();
    desk.interrupt();
    let Err(error) = scripts(&mut desk, folder.path(), &[("slow", "sleep 1000")]) else {
        panic!("it goes on");
    };
    assert_eq!(error.to_string(), "interrupted: slow is ended");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_report_of_a_calmer_machine_stays() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let none = report::Reasons::new();
    assert_eq!(better(out, &run(9.0, None)).unwrap(), None);
    let old = run(0.1, Some(0.01));
    write(&report::report(&old, &[], &none).unwrap(), out).unwrap();
    let why = |new: Run| {
        let why = better(out, &new).unwrap()?;
        Some(why.split(" stays: ").nth(1).unwrap().to_owned())
    };
    assert_eq!(why(run(0.3, Some(0.014))), None);
    assert_eq!(
        why(run(1.75, Some(0.01))).unwrap(),
        "it was begun at a load average of 0.10, this run at 1.75"
    );
    assert_eq!(
        why(run(0.0, Some(0.03))).unwrap(),
        "its yardsticks differ by 1.0 %, those of this run by 3.0 %"
    );
    let failed = Run {
        failed: 2,
        ..run(0.0, Some(0.0))
    };
    assert_eq!(
        why(failed).unwrap(),
        "0 of its measurements have no result, 2 of this run's"
    );
    fs::write(out.join(NAME), "# Performance\n").unwrap();
    assert_eq!(
        why(run(0.0, None)).unwrap(),
        "it doesn't say how it was measured"
    );
}

#[test]
fn a_report_replaces_the_earlier_one_and_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("docs");
    let report = |text: &str, pictures: &[&str]| Report {
        text: text.into(),
        pictures: pictures
            .iter()
            .map(|name| (format!("{name}.svg"), "<svg/>".into()))
            .collect(),
        warnings: Vec::new(),
    };
    write(&report("one", &["a", "b"]), &out).unwrap();
    fs::write(out.join(PICTURES).join("kept.txt"), "").unwrap();
    write(&report("two", &["b", "c"]), &out).unwrap();
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(names(&out), ["performance", "performance.md"]);
    assert_eq!(names(&out.join(PICTURES)), ["b.svg", "c.svg", "kept.txt"]);
    assert_eq!(fs::read_to_string(out.join(NAME)).unwrap(), "two");
}

#[test]
fn a_request_is_read_or_refused() {
    let read = Request::parse(&["--force", "--only", "gate-ratio", "--out", "here"]).unwrap();
    let expected = Request {
        only: Some("gate-ratio".into()),
        force: true,
        out: Some("here".into()),
    };
    assert_eq!(read, expected);
    for words in [&["--only"][..], &["gate-ratio"], &["--fast"]] {
        assert!(Request::parse(words).is_err(), "{words:?}");
    }
}
