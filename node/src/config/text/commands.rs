//! What has commands: what a configuration says in them, beside what they say of one.
//!
//! To give a section commands of its own, add a row here: the keys that it is about, how they are printed, and how a line
//! is read. What a row prints is read back before it is used, and what it can't say exactly is printed as a block.

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::read::{Fault, Form, Taken, is_named, list, named, no_more, retain, value};
use super::schema::Kind;
use super::words::{Word, written};

/// A command of configuration.
pub(super) struct Command {
    /// The words that it begins with.
    pub(super) words: &'static [&'static str],
    /// The section that it is about.
    pub(super) section: &'static str,
    /// The keys of it that it prints; none: another row does.
    pub(super) keys: &'static [&'static str],
    /// Those keys of a configuration as lines.
    pub(super) lines: fn(&Table) -> Vec<String>,
    /// What a line says.
    read: for<'a> fn(&mut Saying<'_, 'a>) -> Result<(), Fault>,
}

/// All of them, in the order in which they are printed.
pub(super) const COMMANDS: &[Command] = &[
    Command {
        words: &["license", "smart", "enable"],
        section: "licensing",
        keys: &["smart_enable"],
        lines: |said| match said["licensing"]["smart_enable"].as_bool() {
            Some(true) => vec!["license smart enable".to_owned()],
            Some(false) => vec!["no license smart enable".to_owned()],
            None => Vec::new(),
        },
        read: smart_enable,
    },
    Command {
        words: &["license", "smart", "url"],
        section: "agent",
        keys: &["authority"],
        lines: |said| texts(&said["agent"]["authority"], "license smart url", ""),
        read: url,
    },
    Command {
        words: &["license", "smart", "proxy"],
        section: "agent",
        keys: &["proxy"],
        lines: |said| vec![proxy_line(&said["agent"]["proxy"])],
        read: proxy,
    },
    Command {
        words: &["feature"],
        section: "licensing",
        keys: &["features"],
        lines: |said| texts(&said["licensing"]["features"], "feature", " enable"),
        read: feature,
    },
    Command {
        words: &["threshold", "license", "remaining-sessions"],
        section: "licensing",
        keys: &["remaining_low_percent", "remaining_clear_percent"],
        lines: threshold_lines,
        read: threshold,
    },
    Command {
        words: &["snmp", "community"],
        section: "snmp",
        keys: &["community"],
        lines: |said| entries(&said["snmp"]["community"], community_line),
        read: community,
    },
    Command {
        words: &["snmp", "user"],
        section: "snmp",
        keys: &["user"],
        lines: |said| entries(&said["snmp"]["user"], user_line),
        read: user,
    },
    Command {
        words: &["snmp", "target"],
        section: "snmp",
        keys: &["target"],
        lines: |said| entries(&said["snmp"]["target"], target_line),
        read: target,
    },
    Command {
        words: &["snmp", "trap", "suppress"],
        section: "snmp",
        keys: &["suppress"],
        lines: |said| texts(&said["snmp"]["suppress"], "snmp trap suppress", ""),
        read: suppress,
    },
    Command {
        words: &["snmp", "trap", "enable"],
        section: "snmp",
        keys: &[],
        lines: |_| Vec::new(),
        read: |saying| {
            saying.form = Form::No;
            suppress(saying)
        },
    },
    Command {
        words: &["snmp", "trap", "default"],
        section: "snmp",
        keys: &[],
        lines: |_| Vec::new(),
        read: |saying| {
            saying.form = Form::Default;
            saying.take("snmp", "suppress")
        },
    },
];

/// Takes the line if it is a command of this table.
pub(super) fn read<'a>(
    form: Form,
    words: &[Word<'a>],
    into: &mut DeTable<'a>,
    taken: &mut Vec<Taken>,
) -> Result<bool, Fault> {
    let begins = |command: &Command, deep: usize| {
        let wanted = command.words.iter().take(deep);
        wanted.len() == deep && wanted.zip(words).all(|(own, word)| *own == word.text)
    };
    let is_it = |command: &&Command| {
        words.len() >= command.words.len() && begins(command, command.words.len())
    };
    let Some(command) = COMMANDS.iter().find(is_it) else {
        return misled(words, begins);
    };
    let (own, rest) = words.split_at(command.words.len());
    let (form, rest) = match rest {
        [rest @ .., last] if form == Form::Set && last.text == "default" && !last.quoted => {
            (Form::Default, rest)
        }
        rest => (form, rest),
    };
    let mut saying = Saying {
        form,
        own: &own[own.len() - 1],
        words: rest,
        into,
        taken,
    };
    (command.read)(&mut saying)?;
    no_more(saying.words)?;
    Ok(true)
}

/// A line that begins as a command and goes on as none; one word alone may be a section.
fn misled(words: &[Word<'_>], begins: impl Fn(&Command, usize) -> bool) -> Result<bool, Fault> {
    let matching = |deep| COMMANDS.iter().filter(move |_| deep <= words.len());
    let fits = |deep: usize| matching(deep).any(|command| begins(command, deep));
    let deep = (1..=words.len()).take_while(|deep| fits(*deep)).last();
    let Some(deep) = deep else {
        return Ok(false);
    };
    let below = COMMANDS.iter().filter(|command| begins(command, deep));
    let next: Vec<&str> = below
        .filter_map(|command| command.words.get(deep).copied())
        .collect();
    match words.get(deep) {
        Some(word) => {
            let before: Vec<&str> = words[..deep]
                .iter()
                .map(|word| word.text.as_ref())
                .collect();
            let what = format!("command of {}", before.join(" "));
            Err(Fault::unknown(word, &what, next))
        }
        // `snmp` alone begins a block.
        None if words.len() == 1 => Ok(false),
        None => {
            let at = words[words.len() - 1].at.end;
            Err(Fault::new(
                at,
                format!("the command is not whole; expected {}", next.join(", ")),
            ))
        }
    }
}

/// A line in the reading.
pub(super) struct Saying<'t, 'a> {
    form: Form,
    /// The last of the command's own words.
    own: &'t Word<'a>,
    /// What is behind them, and not yet read.
    words: &'t [Word<'a>],
    into: &'t mut DeTable<'a>,
    taken: &'t mut Vec<Taken>,
}

impl<'a> Saying<'_, 'a> {
    /// The next word.
    fn next(&mut self, what: &str) -> Result<Word<'a>, Fault> {
        let Some((first, rest)) = self.words.split_first() else {
            return Err(Fault::new(self.own.at.end, format!("{what} is missing")));
        };
        self.words = rest;
        Ok(first.clone())
    }

    /// Whether the next word is this one, which is then read.
    fn reads(&mut self, word: &str) -> bool {
        let is_it = self.words.first().is_some_and(|next| next.text == word);
        if is_it {
            self.words = &self.words[1..];
        }
        is_it
    }

    /// The next word must be this one.
    fn expect(&mut self, word: &'static str) -> Result<(), Fault> {
        if self.reads(word) {
            return Ok(());
        }
        match self.words.first() {
            Some(other) => Err(Fault::unknown(other, "word here", [word])),
            None => Err(Fault::new(self.own.at.end, format!("{word} is missing"))),
        }
    }

    fn section(&mut self, section: &'static str) -> &mut DeTable<'a> {
        let is_table = |value: &Spanned<DeValue<'_>>| value.get_ref().is_table();
        if !self.into.get(section).is_some_and(is_table) {
            let empty = DeValue::Table(DeTable::new());
            let empty = Spanned::new(self.own.at.clone(), empty);
            self.into.insert(named(section, self.own), empty);
        }
        match self.into.get_mut(section).map(Spanned::get_mut) {
            Some(DeValue::Table(table)) => table,
            _ => unreachable!("it was made above"),
        }
    }

    /// Sets a key, in place of what was said of it before.
    fn set(&mut self, section: &'static str, key: &'static str, value: Spanned<DeValue<'a>>) {
        let name = named(key, self.own);
        let section = self.section(section);
        section.remove(key);
        section.insert(name, value);
    }

    /// Takes a key back.
    fn take(&mut self, section: &'static str, key: &'static str) -> Result<(), Fault> {
        if self.into.contains_key(section) {
            self.section(section).remove(key);
        }
        self.taken(format!("{section}.{key}"));
        Ok(())
    }

    fn taken(&mut self, key: String) {
        let (form, at) = (self.form, self.own.at.start);
        self.taken.push(Taken { form, key, at });
    }

    /// Sets an entry of a list, in place of one of its name.
    fn set_entry(&mut self, section: &'static str, key: &'static str, entry: Entry<'a>) {
        self.without(section, key, &entry.name);
        let own = self.own;
        let list = list(self.section(section), key, own);
        list.push(Spanned::new(own.at.clone(), DeValue::Table(entry.table)));
    }

    /// Takes an entry of a list back.
    fn take_entry(&mut self, section: &'static str, key: &'static str) -> Result<(), Fault> {
        let name = self.next("a name")?.text;
        self.without(section, key, &name);
        self.taken(format!("{section}.{key}[{name}]"));
        Ok(())
    }

    fn without(&mut self, section: &'static str, key: &'static str, name: &str) {
        if !self.into.contains_key(section) {
            return;
        }
        if let Some(DeValue::Array(list)) = self.section(section).get_mut(key).map(Spanned::get_mut)
        {
            retain(list, |entry| {
                !is_named(entry, "name", name) && entry.as_str() != Some(name)
            });
        }
    }

    /// Adds a text to a list, or takes it back.
    fn add_or_take(
        &mut self,
        section: &'static str,
        key: &'static str,
        word: &Word<'a>,
    ) -> Result<(), Fault> {
        self.without(section, key, &word.text);
        if self.form == Form::Set {
            let text = value(&Kind::Text, word, key)?;
            let own = self.own;
            list(self.section(section), key, own).push(text);
        } else {
            self.taken(format!("{section}.{key}[{}]", word.text));
        }
        Ok(())
    }
}

/// An entry of a list in the making.
struct Entry<'a> {
    name: Cow<'a, str>,
    table: DeTable<'a>,
}

impl<'a> Entry<'a> {
    fn new(name: &Word<'a>) -> Result<Self, Fault> {
        let mut table = DeTable::new();
        table.insert(named("name", name), value(&Kind::Text, name, "name")?);
        Ok(Self {
            name: name.text.clone(),
            table,
        })
    }

    fn text(&mut self, key: &'static str, word: &Word<'a>) -> Result<(), Fault> {
        self.table
            .insert(named(key, word), value(&Kind::Text, word, key)?);
        Ok(())
    }

    fn number(&mut self, key: &'static str, word: &Word<'a>) -> Result<(), Fault> {
        self.table
            .insert(named(key, word), value(&Kind::Integer, word, key)?);
        Ok(())
    }

    /// What may stand behind the words of a command: `--OPTION VALUE`, in any order.
    fn options(
        &mut self,
        saying: &mut Saying<'_, 'a>,
        options: &[(&'static str, &'static str, Kind)],
    ) -> Result<(), Fault> {
        while let Some(word) = saying.words.first().cloned() {
            let Some((option, key, kind)) = options.iter().find(|row| row.0 == word.text) else {
                let known = options.iter().map(|row| row.0);
                return Err(Fault::unknown(&word, "option here", known));
            };
            saying.words = &saying.words[1..];
            let word = saying.next(&format!("the value of {option}"))?;
            self.table
                .insert(named(key, &word), value(kind, &word, key)?);
        }
        Ok(())
    }
}

/// Lines of a text or of a list of texts, with words before and behind each.
fn texts(said: &Value, before: &str, behind: &str) -> Vec<String> {
    let line = |text: &Value| Some(format!("{before} {}{behind}", written(text.as_str()?)));
    match said.as_array() {
        Some(list) => list.iter().filter_map(line).collect(),
        None => line(said).into_iter().collect(),
    }
}

fn entries(said: &Value, line: fn(&Value) -> String) -> Vec<String> {
    said.as_array().into_iter().flatten().map(line).collect()
}

/// A text of an entry, as it is written.
fn text_of<'v>(entry: &'v Value, key: &str) -> Option<Cow<'v, str>> {
    entry.get(key)?.as_str().map(written)
}

/// Behind a word or an option a value, if it is there.
fn with(entry: &Value, key: &str, before: &str) -> String {
    match entry.get(key) {
        Some(Value::String(text)) => format!(" {before} {}", written(text)),
        Some(value) => format!(" {before} {value}"),
        None => String::new(),
    }
}

fn smart_enable(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    if saying.form == Form::Default {
        return saying.take("licensing", "smart_enable");
    }
    let on = DeValue::Boolean(saying.form == Form::Set);
    let on = Spanned::new(saying.own.at.clone(), on);
    saying.set("licensing", "smart_enable", on);
    Ok(())
}

fn url(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    if saying.form != Form::Set {
        // Both forms of the command are the configuration's again.
        saying.form = Form::Default;
        return saying.take("agent", "authority");
    }
    let url = saying.next("an address such as https://authority.example:8443")?;
    saying.set("agent", "authority", value(&Kind::Text, &url, "authority")?);
    Ok(())
}

fn proxy_line(proxy: &Value) -> String {
    let host = text_of(proxy, "host").unwrap_or_default();
    format!(
        "license smart proxy {host}{}{}{}",
        proxy
            .get("port")
            .map(|port| format!(" {port}"))
            .unwrap_or_default(),
        with(proxy, "username", "username"),
        with(proxy, "password_file", "--password-file")
    )
}

fn proxy(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    if saying.form != Form::Set {
        return saying.take("agent", "proxy");
    }
    let host = saying.next("the name of the proxy")?;
    let port = saying.next("its port")?;
    let mut entry = Entry {
        name: Cow::Borrowed(""),
        table: DeTable::new(),
    };
    entry.text("host", &host)?;
    entry.number("port", &port)?;
    if saying.reads("username") {
        let name = saying.next("the user's name")?;
        entry.text("username", &name)?;
    }
    entry.options(saying, &[("--password-file", "password_file", Kind::Text)])?;
    let table = Spanned::new(saying.own.at.clone(), DeValue::Table(entry.table));
    saying.set("agent", "proxy", table);
    Ok(())
}

fn feature(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    let name = saying.next("the name of a feature")?;
    saying.expect("enable")?;
    saying.add_or_take("licensing", "features", &name)
}

fn threshold_lines(said: &Table) -> Vec<String> {
    let of = |key: &str| said["licensing"].get(key).and_then(Value::as_integer);
    let words = "threshold license remaining-sessions";
    match (of("remaining_low_percent"), of("remaining_clear_percent")) {
        (Some(0), Some(0)) => vec![format!("no {words}")],
        (Some(low), Some(clear)) => vec![format!("{words} {low} clear {clear}")],
        _ => Vec::new(),
    }
}

fn threshold(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    const KEYS: [&str; 2] = ["remaining_low_percent", "remaining_clear_percent"];
    let zero = || DeValue::parse("0").map(Spanned::into_inner);
    match saying.form {
        Form::Default => KEYS
            .iter()
            .try_for_each(|key| saying.take("licensing", key)),
        Form::No => {
            for key in KEYS {
                if let Ok(zero) = zero() {
                    let zero = Spanned::new(saying.own.at.clone(), zero);
                    saying.set("licensing", key, zero);
                }
            }
            Ok(())
        }
        Form::Set => {
            let low = saying.next("a percentage")?;
            let clear = match saying.reads("clear") {
                true => saying.next("a percentage")?,
                false => low.clone(),
            };
            for (key, word) in KEYS.into_iter().zip([low, clear]) {
                saying.set("licensing", key, value(&Kind::Integer, &word, key)?);
            }
            Ok(())
        }
    }
}

/// `read OID...`, to the end or to an option.
fn read_roots<'a>(saying: &mut Saying<'_, 'a>, entry: &mut Entry<'a>) -> Result<(), Fault> {
    let Some(word) = saying.words.first().cloned() else {
        return Ok(());
    };
    if !saying.reads("read") {
        return Ok(());
    }
    let roots = list(&mut entry.table, "read", &word);
    while let Some(root) = saying
        .words
        .first()
        .filter(|root| !root.text.starts_with("--"))
    {
        roots.push(value(&Kind::Text, root, "read")?);
        saying.words = &saying.words[1..];
    }
    Ok(())
}

/// `read` and the roots of an entry.
fn roots(entry: &Value) -> String {
    let Some(roots) = entry.get("read").and_then(Value::as_array) else {
        return String::new();
    };
    let roots = roots.iter().filter_map(Value::as_str);
    let roots = roots.map(|root| format!(" {}", written(root)));
    format!(" read{}", roots.collect::<String>())
}

fn community_line(community: &Value) -> String {
    let name = text_of(community, "name").unwrap_or_default();
    let file = with(community, "community_file", "--community-file");
    format!("snmp community {name}{}{file}", roots(community))
}

fn community(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    if saying.form != Form::Set {
        return saying.take_entry("snmp", "community");
    }
    let name = saying.next("a name")?;
    let mut entry = Entry::new(&name)?;
    read_roots(saying, &mut entry)?;
    let options = [("--community-file", "community_file", Kind::Text)];
    entry.options(saying, &options)?;
    saying.set_entry("snmp", "community", entry);
    Ok(())
}

fn user_line(user: &Value) -> String {
    format!(
        "snmp user {}{}{}{}{}{}",
        text_of(user, "name").unwrap_or_default(),
        with(user, "auth", "auth"),
        with(user, "privacy", "privacy"),
        roots(user),
        with(user, "auth_file", "--auth-file"),
        with(user, "privacy_file", "--privacy-file"),
    )
}

fn user(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    if saying.form != Form::Set {
        return saying.take_entry("snmp", "user");
    }
    let name = saying.next("a name")?;
    let mut entry = Entry::new(&name)?;
    for key in ["auth", "privacy"] {
        if saying.reads(key) {
            let protocol = saying.next("a protocol")?;
            entry.text(key, &protocol)?;
        }
    }
    // Its file holds the key that informs need, or not.
    saying.reads("informs");
    read_roots(saying, &mut entry)?;
    let options = [
        ("--auth-file", "auth_file", Kind::Text),
        ("--privacy-file", "privacy_file", Kind::Text),
    ];
    entry.options(saying, &options)?;
    saying.set_entry("snmp", "user", entry);
    Ok(())
}

fn target_line(target: &Value) -> String {
    let notify = match target.get("notify").and_then(Value::as_str) {
        Some("trap") => " traps",
        Some("inform") => " informs",
        Some(_) | None => "",
    };
    format!(
        "snmp target {} {}{}{}{notify}{}{}{}{}",
        text_of(target, "name").unwrap_or_default(),
        text_of(target, "address").unwrap_or_default(),
        with(target, "version", "version"),
        with(target, "user", "user"),
        with(target, "community_file", "--community-file"),
        with(target, "timeout_ms", "--timeout-ms"),
        with(target, "retries", "--retries"),
        with(target, "queue", "--queue"),
    )
}

fn target(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    if saying.form != Form::Set {
        return saying.take_entry("snmp", "target");
    }
    let name = saying.next("a name")?;
    let mut entry = Entry::new(&name)?;
    let address = saying.next("an address")?;
    let with_port = match address.text.parse::<std::net::IpAddr>() {
        Ok(ip) => Cow::Owned(std::net::SocketAddr::from((ip, 162)).to_string()),
        Err(_) => address.text.clone(),
    };
    entry.text(
        "address",
        &Word {
            text: with_port,
            ..address
        },
    )?;
    for key in ["version", "user"] {
        if saying.reads(key) {
            let word = saying.next(key)?;
            entry.text(key, &word)?;
        }
    }
    for (word, notify) in [("traps", "trap"), ("informs", "inform")] {
        if saying.reads(word) {
            let at = saying.own.clone();
            let notify = Word {
                text: Cow::Borrowed(notify),
                ..at
            };
            entry.text("notify", &notify)?;
        }
    }
    let options = [
        ("--community-file", "community_file", Kind::Text),
        ("--timeout-ms", "timeout_ms", Kind::Integer),
        ("--retries", "retries", Kind::Integer),
        ("--queue", "queue", Kind::Integer),
    ];
    entry.options(saying, &options)?;
    saying.set_entry("snmp", "target", entry);
    Ok(())
}

fn suppress(saying: &mut Saying<'_, '_>) -> Result<(), Fault> {
    let name = saying.next("the name of a notification")?;
    saying.add_or_take("snmp", "suppress", &name)
}
