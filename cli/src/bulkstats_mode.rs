//! `bulkstats collection`, and what is said in `bulkstats mode`.

use api::{
    BulkstatsFileKey, BulkstatsKey, BulkstatsPart, BulkstatsReceiverSetting, BulkstatsSetting,
    Failure, Request,
};

use crate::console::Console;
use crate::control::change;
use crate::grammar::{
    BlockArgs, BulkstatsMode, CollectionWord, DefaultBulkstatsMode, FormatWord, Historical,
    HistoricalArgs, NoBulkstatsMode, NoSchemaWord, NumberArgs, PlainCollection, PlainFormat,
    ReceiverArgs, SchemaArgs, SchemaWord, SocketArgs, WhichArgs,
};
use crate::secrets::secret;

/// `bulkstats collection`, its `no` form, and its `default` form: none.
pub fn collection(
    on: Option<bool>,
    socket: &SocketArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let (setting, said) = match on {
        Some(on) => (
            BulkstatsSetting::Collection { on },
            match on {
                true => "bulk statistics are collected",
                false => "bulk statistics are collected no more",
            },
        ),
        None => default_of(BulkstatsKey::Collection),
    };
    set(socket, setting, said, console)
}

/// The same behind `no`, or `default`: none.
pub fn collection_word(
    on: Option<bool>,
    word: &CollectionWord,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let CollectionWord::Bulkstats {
        what: PlainCollection::Collection(socket),
    } = word;
    collection(on, socket, console)
}

/// `bulkstats mode ...`
pub fn mode(mode: BulkstatsMode, console: &mut dyn Console) -> Result<(), Failure> {
    let format = |FormatWord::Format(args)| (args.text, args.block);
    match mode {
        BulkstatsMode::SampleInterval(args) => {
            let minutes = args.minutes;
            let said = format!("a sample is taken every {minutes} minutes");
            let setting = BulkstatsSetting::SampleInterval { minutes };
            set(&args.socket, setting, &said, console)
        }
        BulkstatsMode::TransferInterval(args) => {
            let minutes = args.minutes;
            let said = format!("files are transferred every {minutes} minutes");
            let setting = BulkstatsSetting::TransferInterval { minutes };
            set(&args.socket, setting, &said, console)
        }
        BulkstatsMode::Limit(args) => {
            let mib = args.mebibytes;
            let said = format!("{mib} MiB wait at most");
            set(
                &args.socket,
                BulkstatsSetting::Limit { mib },
                &said,
                console,
            )
        }
        BulkstatsMode::Historical {
            what: Historical::Collection(args),
        } => historical(&args, console),
        BulkstatsMode::File(args) => {
            let number = number(&args);
            let said = format!("file {number} is configured");
            let setting = BulkstatsSetting::File { number };
            set(&args.socket, setting, &said, console)
        }
        BulkstatsMode::Header { what } => {
            let (format, block) = format(what);
            part(&block, BulkstatsPart::Header { format }, "is set", console)
        }
        BulkstatsMode::Footer { what } => {
            let (format, block) = format(what);
            part(&block, BulkstatsPart::Footer { format }, "is set", console)
        }
        BulkstatsMode::Remotefile { what } => {
            let (format, block) = format(what);
            let set = BulkstatsPart::Remotefile { format };
            part(&block, set, "is set", console)
        }
        BulkstatsMode::Gzip(block) => {
            part(&block, BulkstatsPart::Gzip { on: true }, "is set", console)
        }
        BulkstatsMode::Receiver(args) => receiver(args, console),
        BulkstatsMode::SmartLicense { what } => schema("smart-license", &what, console),
        BulkstatsMode::TollgateLicense { what } => schema("tollgate-license", &what, console),
        BulkstatsMode::System { what } => schema("system", &what, console),
        BulkstatsMode::Apn { what } => schema("apn", &what, console),
        BulkstatsMode::Gtpc { what } => schema("gtpc", &what, console),
        BulkstatsMode::Agent { what } => schema("agent", &what, console),
        BulkstatsMode::No { no } => self::no(no, console),
        BulkstatsMode::Default { default } => self::default(default, console),
    }
}

fn no(no: NoBulkstatsMode, console: &mut dyn Console) -> Result<(), Failure> {
    match no {
        NoBulkstatsMode::Historical {
            what: PlainCollection::Collection(socket),
        } => {
            let setting = BulkstatsSetting::HistoricalDays { days: 0 };
            let said = "what was transferred is kept no longer";
            set(&socket, setting, said, console)
        }
        NoBulkstatsMode::File(args) => {
            let number = number(&args);
            let said = format!("there is no file {number} any more");
            let setting = BulkstatsSetting::NoFile { number };
            set(&args.socket, setting, &said, console)
        }
        NoBulkstatsMode::Header {
            what: PlainFormat::Format(block),
        } => {
            let format = String::new();
            part(
                &block,
                BulkstatsPart::Header { format },
                "is empty",
                console,
            )
        }
        NoBulkstatsMode::Footer {
            what: PlainFormat::Format(block),
        } => {
            let format = String::new();
            part(
                &block,
                BulkstatsPart::Footer { format },
                "is empty",
                console,
            )
        }
        NoBulkstatsMode::Gzip(block) => {
            part(&block, BulkstatsPart::Gzip { on: false }, "is set", console)
        }
        NoBulkstatsMode::Receiver(WhichArgs { which, block }) => {
            let secondary = which == "secondary";
            let said = format!("{which} is set");
            let gone = BulkstatsPart::NoReceiver { secondary };
            part(&block, gone, &said, console)
        }
        NoBulkstatsMode::SmartLicense { what } => no_schema("smart-license", what, console),
        NoBulkstatsMode::TollgateLicense { what } => no_schema("tollgate-license", what, console),
        NoBulkstatsMode::System { what } => no_schema("system", what, console),
        NoBulkstatsMode::Apn { what } => no_schema("apn", what, console),
        NoBulkstatsMode::Gtpc { what } => no_schema("gtpc", what, console),
        NoBulkstatsMode::Agent { what } => no_schema("agent", what, console),
    }
}

fn default(default: DefaultBulkstatsMode, console: &mut dyn Console) -> Result<(), Failure> {
    let mut key = |what, socket: &SocketArgs| {
        let (setting, said) = default_of(what);
        set(socket, setting, said, console)
    };
    let (block, what) = match default {
        DefaultBulkstatsMode::SampleInterval(socket) => {
            return key(BulkstatsKey::SampleInterval, &socket);
        }
        DefaultBulkstatsMode::TransferInterval(socket) => {
            return key(BulkstatsKey::TransferInterval, &socket);
        }
        DefaultBulkstatsMode::Limit(socket) => return key(BulkstatsKey::Limit, &socket),
        DefaultBulkstatsMode::Historical {
            what: PlainCollection::Collection(socket),
        } => return key(BulkstatsKey::Historical, &socket),
        DefaultBulkstatsMode::File(args) => {
            let number = number(&args);
            let said = format!("file {number} is as the configuration file says");
            let setting = BulkstatsSetting::DefaultFile { number };
            return set(&args.socket, setting, &said, console);
        }
        DefaultBulkstatsMode::Header {
            what: PlainFormat::Format(block),
        } => (block, BulkstatsFileKey::Header),
        DefaultBulkstatsMode::Footer {
            what: PlainFormat::Format(block),
        } => (block, BulkstatsFileKey::Footer),
        DefaultBulkstatsMode::Remotefile {
            what: PlainFormat::Format(block),
        } => (block, BulkstatsFileKey::Remotefile),
        DefaultBulkstatsMode::Gzip(block) => (block, BulkstatsFileKey::Gzip),
        DefaultBulkstatsMode::Receiver(WhichArgs { which, block }) => match which.as_str() {
            "secondary" => (block, BulkstatsFileKey::Secondary),
            _ => (block, BulkstatsFileKey::Primary),
        },
        DefaultBulkstatsMode::Schema(block) => (block, BulkstatsFileKey::Schemas),
    };
    part(&block, BulkstatsPart::Default { what }, "is set", console)
}

fn default_of(what: BulkstatsKey) -> (BulkstatsSetting, &'static str) {
    let said = "it is as the configuration file says";
    (BulkstatsSetting::Default { what }, said)
}

fn set(
    socket: &SocketArgs,
    setting: BulkstatsSetting,
    said: &str,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let request = Request::BulkstatsSet(Box::new(setting));
    change(socket, &request, said, console)
}

fn part(
    block: &BlockArgs,
    part: BulkstatsPart,
    said: &str,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let number = block.block;
    let said = format!("file {number}: {} {said}", part.words());
    let setting = BulkstatsSetting::Part { number, part };
    set(&block.socket, setting, &said, console)
}

/// One of 1 to 4, by the grammar.
fn number(args: &NumberArgs) -> u8 {
    args.number.parse().unwrap_or_default()
}

fn historical(args: &HistoricalArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let wrong = || {
        let todo = "historical collection days DAYS [limit MEBIBYTES]";
        let what = format!("{:?} is not understood", args.words.join(" "));
        Failure::new(what, "historical collection", todo)
    };
    let (mut days, mut limit) = (None, None);
    for pair in args.words.chunks(2) {
        let [word, value] = pair else {
            return Err(wrong());
        };
        match word.as_str() {
            "days" if days.is_none() => days = Some(value.parse().map_err(|_| wrong())?),
            "limit" if limit.is_none() => limit = Some(value.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
    }
    if let Some(mib) = limit {
        let said = format!("{mib} MiB of what was transferred are kept at most");
        let setting = BulkstatsSetting::HistoricalLimit { mib };
        set(&args.socket, setting, &said, console)?;
    }
    if let Some(days) = days {
        let said = format!("what was transferred is kept {days} days");
        let setting = BulkstatsSetting::HistoricalDays { days };
        set(&args.socket, setting, &said, console)?;
    }
    Ok(())
}

fn schema(kind: &str, word: &SchemaWord, console: &mut dyn Console) -> Result<(), Failure> {
    let SchemaWord::Schema(SchemaArgs {
        name, text, block, ..
    }) = word;
    let line = format!("{kind} schema {name} format \"{text}\"");
    let said = format!("{kind} {name} is set");
    part(block, BulkstatsPart::Schema { line }, &said, console)
}

fn no_schema(kind: &str, word: NoSchemaWord, console: &mut dyn Console) -> Result<(), Failure> {
    let NoSchemaWord::Schema(args) = word;
    let (schema, name) = (kind.to_owned(), args.name);
    let said = format!("{kind} {name} is set");
    let gone = BulkstatsPart::NoSchema { schema, name };
    part(&args.block, gone, &said, console)
}

fn receiver(args: ReceiverArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let usage = "receiver ADDRESS primary|secondary mechanism M [login USER] [port PORT] [host-key KEY] [key FILE] \
                 [roots FILE] [method put|post]";
    let wrong = |what: String| Failure::new(what, "receiver", usage);
    let mut receiver = BulkstatsReceiverSetting {
        address: args.address,
        mechanism: args.mechanism,
        port: None,
        login: None,
        password: None,
        key_file: None,
        host_key: None,
        roots: None,
        method: None,
    };
    for pair in args.words.chunks(2) {
        let (word, value) = match pair {
            [word, ..] if word.starts_with("pass") => {
                let what = "a password is asked for, and is no word of a command".to_owned();
                return Err(wrong(what));
            }
            [word, value] => (word.as_str(), value.clone()),
            _ => return Err(wrong(format!("{:?} is not understood", pair.join(" ")))),
        };
        let said = match word {
            "login" => receiver.login.replace(value),
            "host-key" => receiver.host_key.replace(value),
            "key" => receiver.key_file.replace(value),
            "roots" => receiver.roots.replace(value),
            "method" => receiver.method.replace(value),
            "port" => {
                let port = value.parse();
                let port = port.map_err(|_| wrong(format!("{value:?} is no port")))?;
                receiver.port.replace(port).map(|port| port.to_string())
            }
            _ => return Err(wrong(format!("{word:?} is not understood"))),
        };
        if said.is_some() {
            return Err(wrong(format!("{word} is there twice")));
        }
    }
    if receiver.login.is_some() && receiver.key_file.is_none() && receiver.mechanism != "tftp" {
        let file = args.password_file.as_deref();
        receiver.password = Some(secret(file, "Password: ", console)?);
    }
    let said = format!("{} {} is set", receiver.address, args.which);
    let secondary = args.which == "secondary";
    let receiver = Box::new(receiver);
    let to = BulkstatsPart::Receiver {
        secondary,
        receiver,
    };
    part(&args.block, to, &said, console)
}
