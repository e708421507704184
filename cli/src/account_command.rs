//! `administrator`, `operator` and `inspector`, their `no` forms, and `clear administrator lock`.

use api::{AccountCommand, Failure, Privilege, Request};

use crate::console::Console;
use crate::control::change;
use crate::grammar::{AccountArgs, NameArgs};
use crate::secrets::secret;

/// `administrator NAME ...`, and the like.
pub fn set(
    privilege: Privilege,
    args: AccountArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let AccountArgs { name, socket, .. } = args;
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let (command, said) = match words[..] {
        ["password"] => {
            let prompt = "Password (8 characters or more): ";
            let password = secret(args.password_file.as_deref(), prompt, console)?;
            let said = format!("{privilege} {name} logs in by this password");
            let command = AccountCommand::Password {
                name,
                privilege,
                password,
            };
            (command, said)
        }
        ["ssh-key", _, ..] => {
            let said = format!("{privilege} {name} logs in by this key");
            let key = words[1..].join(" ");
            let command = AccountCommand::Key {
                name,
                privilege,
                key,
            };
            (command, said)
        }
        _ => {
            let todo = format!("{privilege} NAME password, or {privilege} NAME ssh-key KEY");
            return Err(Failure::new("not understood", privilege.word(), todo));
        }
    };
    change(&socket, &Request::Account(command), &said, console)
}

/// `no administrator NAME`, and the like.
pub fn remove(
    privilege: Privilege,
    args: NameArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let NameArgs { name, socket } = args;
    let said = format!("there is no {privilege} {name} any more");
    let command = AccountCommand::Remove { name, privilege };
    change(&socket, &Request::Account(command), &said, console)
}

/// `clear administrator lock NAME`
pub fn unlock(args: NameArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let NameArgs { name, socket } = args;
    let said = format!("{name} is not locked");
    let command = AccountCommand::Unlock { name };
    change(&socket, &Request::Account(command), &said, console)
}
