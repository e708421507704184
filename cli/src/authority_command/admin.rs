//! `tollgate authority admin`: each command is a call of the authority's API, and what it says is printed.

mod ask;
mod keep;
mod lines;
mod printer;
mod rest;
mod rows;

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use api::Failure;
use rustls::pki_types::CertificateDer;
use serde_json::Value;

use super::args::{Admin, AdminArgs, Format, With};
use crate::console::Terminal;
use crate::control::confirmed;
use crate::output;
use crate::secrets::write_private;
use ask::{Ask, Scope, Show, segment};
use keep::Keep;
use lines::Lines;
use printer::Printer;
use rest::Desk;
use rows::{Listing, Pages};

/// The virtual account that an authority makes with each Smart Account.
const VIRTUAL_ACCOUNT_DEFAULT: &str = "Default";
/// Rows of a page.
const PAGE: usize = 1_000;
/// Most rows of a list; a report has no more, either.
const ROWS_MAX: usize = 100_000;

/// One command, and its connection.
struct Session<'a> {
    with: &'a With,
    keep: Keep<'a>,
    desk: Desk,
}

/// Does what a command says.
pub fn run(args: &AdminArgs) -> Result<(), Failure> {
    let keep = Keep::of(&args.with)?;
    if let Admin::Trust { file } = &args.admin {
        let root = keep.trust(file)?;
        let said = format!(
            "this root is trusted; its SHA-256 is {}\n",
            hex_digest(&root)
        );
        output::print(&said);
        return Ok(());
    }
    // Before anybody types a secret.
    let root = keep.root()?;
    let asks = ask::of(&args.admin)?;
    for ask in &asks {
        sure(ask, args.with.noconfirm)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(error.to_string(), "threads", "try again"))?;
    runtime.block_on(async {
        let mut desk = Desk::open(&keep.authority(), root).await?;
        if asks.iter().any(|ask| ask.scope != Scope::Open) {
            desk.show(keep.token()?);
        }
        let mut session = Session {
            with: &args.with,
            keep,
            desk,
        };
        for ask in asks {
            session.perform(ask).await?;
        }
        Ok(())
    })
}

/// Asks before what deletes.
fn sure(ask: &Ask, noconfirm: bool) -> Result<(), Failure> {
    let Some(what) = &ask.deletes else {
        return Ok(());
    };
    if noconfirm {
        return Ok(());
    }
    output::print(&format!("{what}. "));
    if confirmed(&mut Terminal)? {
        return Ok(());
    }
    let todo = "answer Yes, or add --noconfirm where nobody is there to answer";
    Err(Failure::new(
        "not confirmed, nothing is deleted",
        what,
        todo,
    ))
}

impl Session<'_> {
    async fn perform(&mut self, ask: Ask) -> Result<(), Failure> {
        let path = format!("{}{}", self.scope(ask.scope).await?, ask.path);
        match &ask.show {
            Show::Rows(listing) => return self.list(&path, listing).await,
            Show::Lines(listing) => return self.report(&path, listing).await,
            Show::Token(file) => return self.token(&ask, &path, file.as_deref()).await,
            Show::One | Show::Said(_) | Show::Session(_) | Show::Over => {}
        }
        let answer = self.desk.call(ask.verb, &path, ask.body.as_ref()).await?;
        match &ask.show {
            Show::One => self.one(&answer),
            Show::Said(said) => output::print(&format!("{said}\n")),
            Show::Session(user) => {
                self.keep.keep_token(text(&answer, "token"))?;
                let until = text(&answer, "expiresAt");
                output::print(&format!("logged in as {user} until {until}\n"));
            }
            Show::Over => {
                self.keep.forget_token();
                output::print("logged out\n");
            }
            Show::Rows(_) | Show::Lines(_) | Show::Token(_) => {}
        }
        Ok(())
    }

    /// Makes a token; one that has no place to be written to is not made.
    async fn token(&mut self, ask: &Ask, path: &str, file: Option<&Path>) -> Result<(), Failure> {
        if let Some(file) = file {
            write_private(file, "", false)?;
        }
        let asked = self.desk.call(ask.verb, path, ask.body.as_ref()).await;
        let Some(file) = file else {
            output::print(&format!("{}\n", text(&asked?, "token")));
            return Ok(());
        };
        if asked.is_err() {
            // An empty file that stays is no token.
            let _removed = std::fs::remove_file(file);
        }
        let answer = asked?;
        write_private(file, &format!("{}\n", text(&answer, "token")), true)?;
        let id = &answer["id"];
        output::print(&format!("token {id} is in {}\n", file.display()));
        Ok(())
    }

    /// The beginning of a path.
    async fn scope(&mut self, scope: Scope) -> Result<String, Failure> {
        let named = self.with.virtual_account.as_deref();
        let virtual_account = match (scope, named) {
            (Scope::Open | Scope::Root, _) => return Ok("/v1".into()),
            (Scope::Account, _) | (Scope::Either, None) => None,
            (Scope::Virtual, None) => Some(VIRTUAL_ACCOUNT_DEFAULT),
            (Scope::Virtual | Scope::Either, Some(named)) => Some(named),
        };
        let mut path = format!("/v1/accounts/{}", segment(&self.account().await?));
        if let Some(name) = virtual_account {
            // Writing to a string does not fail.
            let _ = write!(path, "/virtual-accounts/{}", segment(name));
        }
        Ok(path)
    }

    /// The account that was named, else the only one.
    async fn account(&mut self) -> Result<String, Failure> {
        if let Some(named) = &self.with.account {
            return Ok(named.clone());
        }
        let answer = self.desk.call("GET", "/v1/accounts", None).await?;
        let accounts = rows::ACCOUNTS.rows(&answer);
        match accounts.as_slice() {
            [one] => Ok(text(one, "domain").to_owned()),
            [] => Err(Failure::new(
                "you have a role in no Smart Account",
                "account",
                "ask an administrator for one",
            )),
            many => {
                let domains: Vec<&str> = many.iter().map(|one| text(one, "domain")).collect();
                let todo = format!("name one with --account: {}", domains.join(", "));
                Err(Failure::new(
                    "there are several Smart Accounts",
                    "account",
                    todo,
                ))
            }
        }
    }

    async fn list(&mut self, path: &str, listing: &'static Listing) -> Result<(), Failure> {
        let format = self.with.format.unwrap_or(Format::Table);
        let mut printer = Printer::new(listing, format);
        let (mut at, mut seen) = (None, 0);
        loop {
            let page = page_of(path, listing.pages, at, seen);
            let answer = self.desk.call("GET", &page, None).await?;
            let here = answer[listing.key].as_array().map_or(0, Vec::len);
            seen += here;
            if !put(printer.page(&listing.rows(&answer)).as_bytes())? {
                return Ok(());
            }
            at = answer["next"].as_u64();
            let more = match listing.pages {
                Pages::One => false,
                Pages::Next(_) => at.is_some(),
                Pages::Offset => here == PAGE,
            };
            if !more {
                break;
            }
            if seen >= ROWS_MAX {
                put(printer.end().as_bytes())?;
                return Err(incomplete());
            }
        }
        put(printer.end().as_bytes()).map(drop)
    }

    async fn report(&mut self, path: &str, listing: &'static Listing) -> Result<(), Failure> {
        let format = match self.with.format {
            None | Some(Format::Csv) => "csv",
            Some(Format::Json) => "json",
            Some(Format::Table) => {
                return self.table(&format!("{path}?format=json"), listing).await;
            }
        };
        let path = format!("{path}?format={format}");
        match self.desk.stream(&path, put).await? {
            true => Ok(()),
            false => Err(incomplete()),
        }
    }

    /// A report as a table, as wide as its first page.
    async fn table(&mut self, path: &str, listing: &'static Listing) -> Result<(), Failure> {
        let mut printer = Printer::new(listing, Format::Table);
        let (mut lines, mut page, mut read_on) = (Lines::default(), Vec::new(), true);
        let take = |piece: &[u8]| {
            page.extend(lines.rows(piece)?);
            if page.len() >= PAGE {
                read_on = put(printer.page(&page).as_bytes())?;
                page.clear();
            }
            Ok(read_on)
        };
        let complete = self.desk.stream(path, take).await?;
        if read_on && put(printer.page(&page).as_bytes())? {
            put(printer.end().as_bytes())?;
        }
        match complete {
            true => Ok(()),
            false => Err(incomplete()),
        }
    }

    fn one(&self, thing: &Value) {
        match self.with.format {
            Some(Format::Json) => output::print(&format!("{thing}\n")),
            Some(Format::Csv) => output::print(&printer::one_csv(thing)),
            None | Some(Format::Table) => output::print(&printer::one(thing)),
        }
    }
}

/// A list or a report that ends at its bound; what there is of it was printed.
fn incomplete() -> Failure {
    let todo = "name a virtual account with --virtual-account, or ask the API page by page";
    let what = format!("these are the first {ROWS_MAX} lines, and there are more");
    Failure::new(what, "report", todo)
}

/// The path of a page.
fn page_of(path: &str, pages: Pages, next: Option<u64>, seen: usize) -> String {
    let join = if path.contains('?') { '&' } else { '?' };
    match (pages, next) {
        (Pages::One, _) => path.to_owned(),
        (Pages::Next(_), None) => format!("{path}{join}limit={PAGE}"),
        (Pages::Next(name), Some(next)) => format!("{path}{join}limit={PAGE}&{name}={next}"),
        (Pages::Offset, _) => format!("{path}{join}limit={PAGE}&offset={seen}"),
    }
}

/// Writes to standard output; false if nobody reads on (`| head`).
fn put(piece: &[u8]) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(piece).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            let what = format!("it can't be written: {error}");
            Err(Failure::new(
                what,
                "standard output",
                "make room, or write elsewhere",
            ))
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// SHA-256 in hexadecimal.
fn hex_digest(der: &CertificateDer<'_>) -> String {
    use sha2::{Digest, Sha256};
    api::smart::Digest(Sha256::digest(der).into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_asked_for_as_their_listing_has_it() {
        let next = Pages::Next("after");
        assert_eq!(
            page_of("/d?gone=true", next, None, 0),
            "/d?gone=true&limit=1000"
        );
        assert_eq!(page_of("/d", next, Some(7), 3), "/d?limit=1000&after=7");
        assert_eq!(
            page_of("/l", Pages::Offset, None, 2_000),
            "/l?limit=1000&offset=2000"
        );
        assert_eq!(page_of("/t", Pages::One, Some(1), 9), "/t");
    }
}
