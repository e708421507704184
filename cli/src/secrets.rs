//! Secrets: asked for without an echo, or the first line of a file. They are never words of a command.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::console::{Console, Terminal, read_line};
use api::Failure;
use rustix::process::{Resource, Rlimit, setrlimit};

/// From now on this process leaves no core file, whatever the shell that started it allows: its memory has keys.
pub fn leave_no_core() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // To lower a limit is always allowed.
    let _lowered = setrlimit(Resource::Core, none);
}

/// The first line of the file (`-`: of the input), else what is typed.
pub fn secret(
    file: Option<&Path>,
    prompt: &str,
    console: &mut dyn Console,
) -> Result<String, Failure> {
    let line = match file {
        Some(path) if path != Path::new("-") => return first_line(path),
        Some(_) => console.line(),
        None => console.secret(prompt),
    };
    let line = line.map_err(|error| unread("standard input", &error))?;
    match line.is_empty() {
        true => Err(Failure::new(
            format!(
                "{} is missing",
                prompt.trim_end_matches(": ").to_lowercase()
            ),
            "standard input",
            "type it when it is asked for, or name a file whose first line it is",
        )),
        false => Ok(line),
    }
}

/// A password that is to be set: one that is typed is typed twice.
pub fn new_password(file: Option<&Path>) -> Result<String, Failure> {
    let password = secret(file, "Password (12 characters or more): ", &mut Terminal)?;
    let typed = file.is_none() && io::stdin().is_terminal();
    if typed && secret(None, "Again: ", &mut Terminal)? != password {
        return Err(Failure::new(
            "the two passwords are not the same",
            "standard input",
            "type one password twice",
        ));
    }
    Ok(password)
}

/// The first line of a file, without its end.
pub fn first_line(path: &Path) -> Result<String, Failure> {
    let place = path.display().to_string();
    let file = File::open(path).map_err(|error| unread(&place, &error))?;
    read_line(&mut BufReader::new(file)).map_err(|error| unread(&place, &error))
}

/// Writes a file that its owner alone may read, in one step; one that is there is replaced if `anew`.
pub fn write_private(path: &Path, text: &str, anew: bool) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let what = format!("it can't be written: {error}");
        let todo = "name another file, one that is not there yet, in a folder that is";
        Failure::new(what, path.display().to_string(), todo)
    };
    let put = |to: &Path| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    if !anew {
        return put(path).map_err(failed);
    }
    let beside = path.with_added_extension(format!("{}.new", std::process::id()));
    let put = put(&beside).and_then(|()| std::fs::rename(&beside, path));
    put.map_err(failed)
}

fn unread(place: &str, error: &io::Error) -> Failure {
    let what = format!("the secret can't be read: {error}");
    Failure::new(what, place, "name a file whose first line it is")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_the_first_line_of_a_file_and_is_kept_for_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        write_private(&path, "one two\nthree\n", false).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(secret(Some(&path), "", &mut Terminal).unwrap(), "one two");
        assert!(write_private(&path, "x", false).is_err(), "it is there");
        write_private(&path, "four", true).unwrap();
        assert_eq!(first_line(&path).unwrap(), "four");
    }
}
