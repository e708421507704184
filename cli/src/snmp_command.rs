//! `snmp target`, `community`, `user`, `trap` and `localize`, `threshold license`, and their `no` forms.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use api::{
    Failure, Request, SnmpCommand, SnmpEntry, SnmpPassword, SnmpTargetSetting, SnmpUserSetting,
    ThresholdCommand,
};
use node::config::{engine_named, engine_of, localized};

use crate::console::Console;
use crate::control::change;
use crate::grammar::{
    CommunityArgs, LicenseThreshold, LocalizeArgs, NoSnmp, NoTrap, RemainingArgs, Snmp, SocketArgs,
    TargetArgs, Threshold, Trap, TrapArgs, UserArgs,
};
use crate::secrets::{secret, write_private};

/// The word for what the configuration says.
const DEFAULT: &str = "default";

/// UDP port of notifications.
const TRAP_PORT: u16 = 162;

/// `snmp ...`
pub fn snmp(snmp: Snmp, console: &mut dyn Console) -> Result<(), Failure> {
    match snmp {
        Snmp::Target(args) => target(args, console),
        Snmp::Community(args) => community(args, console),
        Snmp::User(args) => user(args, console),
        Snmp::Trap { trap } => match trap {
            Trap::Suppress(TrapArgs { name, socket }) => {
                let said = format!("{name} is sent to nobody");
                set(&socket, SnmpCommand::Suppress { name }, &said, console)
            }
            Trap::Enable(args) => enable(args, console),
            Trap::Default(socket) => {
                let said = "notifications are suppressed as the configuration says";
                set(&socket, SnmpCommand::DefaultTraps, said, console)
            }
        },
        Snmp::Localize(args) => localize(&args, console),
    }
}

/// `no snmp ...`
pub fn no_snmp(snmp: NoSnmp, console: &mut dyn Console) -> Result<(), Failure> {
    let (what, TrapArgs { name, socket }) = match snmp {
        NoSnmp::Target(args) => (SnmpEntry::Target, args),
        NoSnmp::Community(args) => (SnmpEntry::Community, args),
        NoSnmp::User(args) => (SnmpEntry::User, args),
        NoSnmp::Trap {
            trap: NoTrap::Suppress(args),
        } => return enable(args, console),
    };
    let said = format!("there is no SNMP {} {name} any more", what.word());
    set(&socket, SnmpCommand::Remove { what, name }, &said, console)
}

/// `threshold ...`
pub fn threshold(threshold: Threshold, console: &mut dyn Console) -> Result<(), Failure> {
    let Threshold::License { license } = threshold;
    let LicenseThreshold::RemainingSessions(RemainingArgs { words, socket }) = license;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let wrong = || {
        let todo = "threshold license remaining-sessions LOW [clear HIGH], each 1 to 99";
        let what = format!("{:?} is no threshold", words.join(" "));
        Failure::new(what, "threshold license remaining-sessions", todo)
    };
    let percent = |text: &str| text.parse().map_err(|_| wrong());
    let command = match words[..] {
        [DEFAULT] => {
            let said = "few sessions left are an alarm as the configuration says";
            return set_threshold(&socket, ThresholdCommand::Default, said, console);
        }
        [low] => (percent(low)?, percent(low)?),
        [low, "clear", high] => (percent(low)?, percent(high)?),
        _ => return Err(wrong()),
    };
    let (low_percent, clear_percent) = command;
    if low_percent == 0 {
        return Err(wrong());
    }
    let said = format!(
        "{low_percent} percent or less of a service's sessions left are an alarm, until more than {clear_percent} are"
    );
    let command = ThresholdCommand::Set {
        low_percent,
        clear_percent,
    };
    set_threshold(&socket, command, &said, console)
}

/// `no threshold ...`
pub fn no_threshold(threshold: Threshold, console: &mut dyn Console) -> Result<(), Failure> {
    let Threshold::License { license } = threshold;
    let LicenseThreshold::RemainingSessions(RemainingArgs { words, socket }) = license;
    if !words.is_empty() {
        let todo = "no threshold license remaining-sessions";
        return Err(Failure::new("no more words are wanted", todo, todo));
    }
    let said = "few sessions left are no alarm";
    set_threshold(&socket, ThresholdCommand::Remove, said, console)
}

fn set_threshold(
    socket: &SocketArgs,
    command: ThresholdCommand,
    said: &str,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    change(socket, &Request::Threshold(command), said, console)
}

fn set(
    socket: &SocketArgs,
    command: SnmpCommand,
    said: &str,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    change(socket, &Request::SnmpSet(Box::new(command)), said, console)
}

fn enable(TrapArgs { name, socket }: TrapArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let said = format!("{name} is sent");
    set(&socket, SnmpCommand::Enable { name }, &said, console)
}

fn default(
    socket: &SocketArgs,
    what: SnmpEntry,
    name: String,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let said = format!("SNMP {} {name} is as the configuration says", what.word());
    set(socket, SnmpCommand::Default { what, name }, &said, console)
}

fn target(args: TargetArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let TargetArgs { name, socket, .. } = args;
    if args.address == DEFAULT && args.words.is_empty() {
        return default(&socket, SnmpEntry::Target, name, console);
    }
    let usage = "snmp target NAME ADDRESS[:PORT] version v1|v2c|v3 [user USER] [traps|informs]";
    let wrong = |what: String| Failure::new(what, "snmp target", usage);
    let port = |ip: IpAddr| SocketAddr::from((ip, TRAP_PORT));
    let address = args
        .address
        .parse()
        .or_else(|_| args.address.parse().map(port));
    let address = address.map_err(|_| wrong(format!("{:?} is no address", args.address)))?;
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let (version, rest) = match words[..] {
        ["version", version, ref rest @ ..] => (version.to_owned(), rest),
        _ => return Err(wrong("the version is missing".into())),
    };
    let (user, rest) = match *rest {
        ["user", user, ref rest @ ..] => (Some(user.to_owned()), rest),
        _ => (None, rest),
    };
    match (version.as_str(), &user) {
        ("v1" | "v2c", None) | ("v3", Some(_)) => {}
        ("v3", None) => return Err(wrong("version v3 wants a user".into())),
        ("v1" | "v2c", Some(_)) => {
            return Err(wrong(format!(
                "version {version} wants a community, and no user"
            )));
        }
        _ => return Err(wrong(format!("{version:?} is no version"))),
    }
    let inform = match *rest {
        [] | ["traps"] => false,
        ["informs"] => true,
        _ => return Err(wrong(format!("{:?} is not understood", rest.join(" ")))),
    };
    let community = match user {
        None => Some(secret(
            args.community_file.as_deref(),
            "Community: ",
            console,
        )?),
        Some(_) => None,
    };
    let said = format!("{name} at {address} is sent notifications");
    let command = SnmpCommand::Target(SnmpTargetSetting {
        name,
        address,
        version,
        community,
        user,
        inform,
        timeout_ms: args.timeout_ms,
        retries: args.retries,
        queue: args.queue,
    });
    set(&socket, command, &said, console)
}

fn community(args: CommunityArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let CommunityArgs { name, socket, .. } = args;
    let mut words = args.words.into_iter();
    let read = match words.next().as_deref() {
        Some(DEFAULT) if words.len() == 0 => {
            return default(&socket, SnmpEntry::Community, name, console);
        }
        Some("read") => words.collect(),
        Some(_) | None => {
            let todo = "snmp community NAME read OID...";
            return Err(Failure::new("not understood", "snmp community", todo));
        }
    };
    let community = secret(args.community_file.as_deref(), "Community: ", console)?;
    let said = format!("community {name} is set");
    let command = SnmpCommand::Community {
        name,
        community,
        read,
    };
    set(&socket, command, &said, console)
}

fn user(args: UserArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let UserArgs { name, socket, .. } = args;
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    if words == [DEFAULT] {
        return default(&socket, SnmpEntry::User, name, console);
    }
    let (auth, rest) = keyword("auth", &words);
    let (privacy, rest) = keyword("privacy", rest);
    let (informs, rest) = match *rest {
        ["informs", ref rest @ ..] => (true, rest),
        _ => (false, rest),
    };
    let read = match *rest {
        [] => Vec::new(),
        ["read", ref roots @ ..] => roots.iter().map(|root| (*root).to_owned()).collect(),
        _ => {
            let todo = "snmp user NAME [auth P [privacy P]] [informs] [read OID...]";
            let what = format!("{:?} is not understood", rest.join(" "));
            return Err(Failure::new(what, "snmp user", todo));
        }
    };
    let mut password = |protocol: Option<&str>, file: Option<&Path>, prompt: &str| {
        let with = |protocol: &str| -> Result<_, Failure> {
            Ok(SnmpPassword {
                protocol: protocol.to_owned(),
                password: secret(file, prompt, console)?,
            })
        };
        protocol.map(with).transpose()
    };
    let auth = password(auth, args.auth_file.as_deref(), "Password of auth: ")?;
    let privacy = password(
        privacy,
        args.privacy_file.as_deref(),
        "Password of privacy: ",
    )?;
    let said = format!("SNMP user {name} is set");
    let command = SnmpCommand::User(SnmpUserSetting {
        name,
        auth,
        privacy,
        read,
        informs,
    });
    set(&socket, command, &said, console)
}

/// What follows a word, if that comes first, and the rest.
fn keyword<'w, 'a>(word: &str, words: &'w [&'a str]) -> (Option<&'a str>, &'w [&'a str]) {
    match words {
        [first, value, rest @ ..] if *first == word => (Some(value), rest),
        _ => (None, words),
    }
}

/// `snmp localize PROTOCOL`
fn localize(args: &LocalizeArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let place = "snmp localize";
    let failed = |what: String| Failure::new(what, place, "see tollgate snmp localize --help");
    let engine = match (&args.config, &args.engine) {
        (Some(file), _) => engine_of(file).map_err(|error| failed(error.to_string())),
        (None, engine) => engine_named(engine.as_deref().unwrap_or_default()).map_err(failed),
    }?;
    let password = secret(args.password_file.as_deref(), "Password: ", console)?;
    let key = localized(&args.auth, &password, &engine).map_err(failed)?;
    let line = format!("{}\n", *key);
    match &args.out {
        Some(file) => write_private(file, &line, false),
        None => {
            console.write(&line);
            Ok(())
        }
    }
}
