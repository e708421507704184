//! `license smart register`, `renew` and `deregister`, `url` and `proxy`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use api::smart::ID_TOKEN_BYTES_MAX;
use api::{Failure, LicenseCommand, PreviewChange, ProxyLogin, Request, TransportCommand};

use crate::console::Console;
use crate::control::{change, meant};
use crate::grammar::{
    ConfirmArgs, ProxyArgs, RegisterArgs, RenewArgs, Renewed, SocketArgs, TokenSource, UrlArgs,
};
use crate::secrets::secret;

/// `license smart register idtoken TOKEN [force]`
pub fn register(args: &RegisterArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let Some((source, force)) = args.source() else {
        return Err(Failure::new(
            "one token is wanted: typed, by standard input or by a file",
            "license smart register",
            "idtoken -, or idtoken --token-file FILE",
        ));
    };
    let idtoken = match source {
        TokenSource::Typed(token) => token,
        TokenSource::Input => console
            .line()
            .map_err(|error| unread("standard input", &error))?
            .trim()
            .to_owned(),
        TokenSource::File(file) => {
            let place = file.display().to_string();
            first_line(&mut open(&file)?, &place)?
        }
    };
    let command = LicenseCommand::Register { idtoken, force };
    let said = "this node is registered; see show license status";
    change(&args.socket, &Request::License(command), said, console)
}

/// `license smart renew id|auth`
pub fn renew(args: &RenewArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let (command, said) = match args.what {
        Renewed::Id => (
            LicenseCommand::RenewId,
            "the identity certificate is renewed",
        ),
        Renewed::Auth => (LicenseCommand::RenewAuth, "the authorization is renewed"),
    };
    change(&args.socket, &Request::License(command), said, console)
}

/// `license smart deregister`
pub fn deregister(confirm: &ConfirmArgs, console: &mut dyn Console) -> Result<(), Failure> {
    meant(PreviewChange::Deregister, confirm, console)?;
    let command = Request::License(LicenseCommand::Deregister);
    let said = "this node is not registered any more; what is left of its evaluation runs";
    change(&confirm.socket, &command, said, console)
}

/// The word for what the configuration says.
const DEFAULT: &str = "default";

/// `license smart url URL | default`
pub fn url(args: UrlArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let UrlArgs { url, socket } = args;
    if url == DEFAULT {
        return no_url(&socket, console);
    }
    let said = format!("the license authority is asked at {url} from here on");
    transport(&socket, TransportCommand::Url { url }, &said, console)
}

/// `no license smart url`
pub fn no_url(socket: &SocketArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let said = "the license authority is the configuration's again";
    transport(socket, TransportCommand::DefaultUrl, said, console)
}

/// `license smart proxy HOST PORT [username NAME] | default`
pub fn proxy(args: ProxyArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let ProxyArgs { host, socket, .. } = args;
    let Some(port) = args.port else {
        if host == DEFAULT {
            let said = "the proxy is the configuration's again";
            return transport(&socket, TransportCommand::DefaultProxy, said, console);
        }
        let todo = "license smart proxy HOST PORT [username NAME]";
        return Err(Failure::new(
            "the port is missing",
            "license smart proxy",
            todo,
        ));
    };
    let said = format!("messages go through the proxy {host}, port {port}, from here on");
    let password = args.password_file.as_deref();
    let login = |username| -> Result<_, Failure> {
        let password = secret(password, "Password: ", console)?;
        Ok(ProxyLogin { username, password })
    };
    let login = args.name.map(login).transpose()?;
    let command = TransportCommand::Proxy { host, port, login };
    transport(&socket, command, &said, console)
}

/// `no license smart proxy`
pub fn no_proxy(socket: &SocketArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let said = "messages go to the license authority directly from here on";
    transport(socket, TransportCommand::NoProxy, said, console)
}

fn transport(
    socket: &SocketArgs,
    command: TransportCommand,
    said: &str,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    change(socket, &Request::Transport(command), said, console)
}

fn open(file: &Path) -> Result<BufReader<File>, Failure> {
    let opened = File::open(file);
    let opened = opened.map_err(|error| unread(&file.display().to_string(), &error));
    opened.map(BufReader::new)
}

/// The first line, without its end, and not more of it than a token has, and one character.
fn first_line(from: &mut impl BufRead, place: &str) -> Result<String, Failure> {
    let most = ID_TOKEN_BYTES_MAX as u64 + 2;
    let mut line = String::new();
    let read = from.take(most).read_line(&mut line);
    read.map_err(|error| unread(place, &error))?;
    Ok(line.trim().to_owned())
}

fn unread(place: &str, error: &io::Error) -> Failure {
    let what = format!("the token can't be read: {error}");
    Failure::new(what, place, "name a file whose first line is the token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_first_line_without_its_end() {
        let read = |text: &str| first_line(&mut text.as_bytes(), "test").unwrap();
        assert_eq!(read("abc=\r\nmore\n"), "abc=");
        assert_eq!(read(""), "");
        assert_eq!(read(&"x".repeat(600)).len(), 514);
        let not_text = first_line(&mut &[0xff, b'\n'][..], "test").unwrap_err();
        assert_eq!(not_text.place, "test");
    }
}
