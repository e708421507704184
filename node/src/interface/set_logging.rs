//! `logging ...`: kept first, then handed to the thread of syslog.

use api::{Failure, LoggingCommand, Reply, SyslogProtocol, SyslogSetting, filter_name};
use axum::http::StatusCode;
use tokio::sync::{mpsc, oneshot};
use toml::Table;

use super::settings::Handed;
use super::{Interface, Refused, settings};
use crate::config::Logging;
use crate::logging::SyslogAsk;
use crate::settings::{Changed, Edit, Setting};

impl Interface {
    /// `logging filter` and `syslog`, and their `no` forms.
    pub(super) async fn set_logging(&self, command: LoggingCommand) -> Result<Reply, Refused> {
        let words = command.words();
        let name = command.name().to_owned();
        let asks = self.syslog_asks.clone();
        let hand_over = move |Changed { config, changed }| {
            // Whoever is sent events until then is told.
            if changed {
                event!(LOGGING_SET, command = words, name);
            }
            hand_over_logging(&asks, config.logging)
        };
        let edit = |edit: &mut Edit| change(command, edit);
        let done = settings::change(&self.settings, words, edit, hand_over).await?;
        let done = done.map(|(reply, ())| reply);
        done.ok_or_else(|| {
            let what = "it is kept, and not in force: the thread of syslog does not work";
            let failure = Failure::new(what, words, "see the log, and restart the node");
            (StatusCode::SERVICE_UNAVAILABLE, failure)
        })
    }
}

pub(super) fn hand_over_logging(asks: &mpsc::Sender<SyslogAsk>, logging: Logging) -> Handed<()> {
    let (done, in_force) = oneshot::channel();
    let config = Box::new(logging);
    let asked = asks.try_send(SyslogAsk::Change { config, done });
    asked.is_ok().then_some(in_force)
}

fn change(command: LoggingCommand, edit: &mut Edit) {
    match command {
        LoggingCommand::Filter { facility, level } => {
            let mut entry = Table::new();
            entry.insert("level".into(), level.word().into());
            edit.set(Setting::logging_filter(filter_name(facility)), entry);
        }
        LoggingCommand::NoFilter { facility } => {
            edit.remove(Setting::logging_filter(filter_name(facility)));
        }
        LoggingCommand::DefaultFilter { facility } => {
            edit.unset(Setting::logging_filter(filter_name(facility)));
        }
        LoggingCommand::Syslog(server) => {
            let name = server.address.clone();
            edit.set(Setting::logging_syslog(&name), entry(server));
        }
        LoggingCommand::NoSyslog { address } => edit.remove(Setting::logging_syslog(&address)),
        LoggingCommand::DefaultSyslog { address } => edit.unset(Setting::logging_syslog(&address)),
    }
}

/// What is given, and nothing else.
fn entry(server: SyslogSetting) -> Table {
    let words = [
        ("protocol", server.protocol.map(SyslogProtocol::word)),
        ("facility", server.facility.map(|facility| facility.word())),
        ("level", server.level.map(|level| level.word())),
        ("roots", server.roots.as_deref()),
    ];
    let numbers = [
        ("port", server.port.map(i64::from)),
        ("queue", server.queue.map(i64::from)),
    ];
    let words = words.map(|(key, word)| Some((key.to_owned(), word?.into())));
    let numbers = numbers.map(|(key, number)| Some((key.to_owned(), number?.into())));
    words.into_iter().chain(numbers).flatten().collect()
}
