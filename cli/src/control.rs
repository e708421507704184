//! Commands that ask a node something, or to change something.

use api::{
    AccountsView, AuditView, BulkstatsCommand, BulkstatsData, BulkstatsStatus, ClearWhom,
    CountersHistory, Failure, HISTORY_LIMIT_MAX, LogView, LoggingView, PeerList, Preview,
    PreviewChange, Reply, Request, ServiceForecast, SessionSummary, SubscriberView,
};
use licensing::{RefusalRecord, Snapshot};

use crate::client::Client;
use crate::console::Console;
use crate::grammar::{ClearSubscribers, ConfirmArgs, ShowArgs, SocketArgs};
use crate::show::{self, Filter, Needs, SURFACES, Surface, View};

/// `show ...`
pub fn show(args: &ShowArgs, console: &mut dyn Console) -> Result<(), Failure> {
    let client = console.client(&args.socket);
    let asked = Asked {
        filter: args.filter,
        offset: args.offset,
        limit: args.limit,
        named: &args.named,
    };
    let view = view(&client, args.surface, &asked)?;
    if args.json {
        console.write(&format!("{:#}\n", args.surface.json(&view)));
    } else {
        console.heading(&args.surface.heading(&view));
        console.write(&args.surface.body(&view));
    }
    Ok(())
}

/// Which rows of a surface are asked for, where it takes that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// Which rows.
    pub filter: Filter,
    /// So many of the first ones are left out.
    pub offset: u32,
    /// At most so many.
    pub limit: u32,
    /// What is asked after: a subscriber, or a change.
    pub named: &'a str,
}

/// All that a surface is a function of, asked of the node.
pub fn view(client: &Client, surface: &Surface, asked: &Asked<'_>) -> Result<View, Failure> {
    let &Asked {
        filter,
        offset,
        limit,
        named,
    } = asked;
    let (subscriber, explained) = match surface.needs == Needs::Subscriber {
        true => subscriber(client, named)?,
        false => Default::default(),
    };
    let history = match surface.needs == Needs::History {
        true => history(client, limit)?,
        false => explained,
    };
    let counters = match surface.needs == Needs::Counters {
        true => counters(client)?,
        false => CountersHistory::default(),
    };
    let forecast = match surface.needs == Needs::Forecast {
        true => forecast(client)?,
        false => Vec::new(),
    };
    let preview = match surface.needs == Needs::Preview {
        true => preview_of(client, named)?,
        false => Default::default(),
    };
    let details = match surface.needs == Needs::Details {
        true => details(client),
        false => Vec::new(),
    };
    let sessions = match surface.needs == Needs::Sessions {
        true => sessions(client)?,
        false => SessionSummary::default(),
    };
    let peers = match surface.needs == Needs::Peers {
        true => peers(client, offset, limit)?,
        false => PeerList::default(),
    };
    let logs = match surface.needs == Needs::Logs {
        true => logs(client, filter, limit)?,
        false => LogView::default(),
    };
    let audit = match surface.needs == Needs::Audit {
        true => audit(client, limit)?,
        false => AuditView::default(),
    };
    let logging = match surface.needs == Needs::Logging {
        true => logging(client)?,
        false => LoggingView::default(),
    };
    let accounts = match surface.needs == Needs::Accounts {
        true => accounts(client)?,
        false => AccountsView::default(),
    };
    let configuration = match surface.needs == Needs::Configuration {
        true => configuration(client)?,
        false => String::new(),
    };
    let (bulkstats, bulkstats_data) = bulkstats(client, surface.needs)?;
    Ok(View {
        bulkstats,
        bulkstats_data,
        history,
        sessions,
        peers,
        logs,
        audit,
        subscriber,
        counters,
        forecast,
        preview,
        details,
        logging,
        accounts,
        configuration,
        filter,
        ..node(client, surface, limit)?
    })
}

/// Bulk statistics, and samples that wait, where they are needed.
fn bulkstats(
    client: &Client,
    needs: Needs,
) -> Result<(BulkstatsStatus, Vec<BulkstatsData>), Failure> {
    let data = needs == Needs::BulkstatsData;
    if needs != Needs::Bulkstats && !data {
        return Ok(Default::default());
    }
    let Reply::Bulkstats { bulkstats } = client.ask(&Request::Bulkstats)? else {
        return Err(client.unexpected());
    };
    if !data {
        return Ok((*bulkstats, Vec::new()));
    }
    let Reply::BulkstatsData { files } = client.ask(&Request::BulkstatsData)? else {
        return Err(client.unexpected());
    };
    Ok((*bulkstats, files))
}

/// The snapshot, with its age if it is the last one of a stalled node, and what the surface needs of the same moment.
fn node(client: &Client, surface: &Surface, limit: u32) -> Result<View, Failure> {
    let request = match surface.needs {
        Needs::Agent => Request::Agent,
        Needs::Alarms => Request::Alarms,
        Needs::Snmp => Request::Snmp { history: 0 },
        Needs::Traps => Request::Snmp { history: limit },
        Needs::Snapshot
        | Needs::History
        | Needs::Sessions
        | Needs::Subscriber
        | Needs::Counters
        | Needs::Forecast
        | Needs::Preview
        | Needs::Details
        | Needs::Peers
        | Needs::Logs
        | Needs::Configuration
        | Needs::Audit
        | Needs::Logging
        | Needs::Accounts
        | Needs::Bulkstats
        | Needs::BulkstatsData => Request::Snapshot,
    };
    let of = |snapshot: Box<Snapshot>, age_ms, stalled: bool| View {
        stalled_ms: stalled.then_some(age_ms),
        ..View::of(*snapshot)
    };
    match client.ask(&request)? {
        Reply::Snapshot {
            snapshot,
            age_ms,
            stalled,
        } => Ok(of(snapshot, age_ms, stalled)),
        Reply::Agent {
            snapshot,
            age_ms,
            stalled,
            agent,
        } => Ok(View {
            agent: *agent,
            ..of(snapshot, age_ms, stalled)
        }),
        Reply::Alarms {
            snapshot,
            age_ms,
            stalled,
            alarms,
        } => Ok(View {
            alarms,
            ..of(snapshot, age_ms, stalled)
        }),
        Reply::Snmp {
            snapshot,
            age_ms,
            stalled,
            snmp,
        } => Ok(View {
            snmp: *snmp,
            ..of(snapshot, age_ms, stalled)
        }),
        Reply::History { .. }
        | Reply::Sessions { .. }
        | Reply::Subscriber { .. }
        | Reply::Counters { .. }
        | Reply::Forecast { .. }
        | Reply::Preview { .. }
        | Reply::Peers { .. }
        | Reply::Done { .. }
        | Reply::Lease { .. }
        | Reply::Cleared { .. }
        | Reply::Logs { .. }
        | Reply::Configuration { .. }
        | Reply::Saved { .. }
        | Reply::Applied { .. }
        | Reply::Audit { .. }
        | Reply::Logging { .. }
        | Reply::Accounts { .. }
        | Reply::Bulkstats { .. }
        | Reply::BulkstatsData { .. }
        | Reply::Health { .. } => Err(client.unexpected()),
    }
}

fn history(client: &Client, limit: u32) -> Result<Vec<RefusalRecord>, Failure> {
    let Reply::History { refusals } = client.ask(&Request::History { limit })? else {
        return Err(client.unexpected());
    };
    Ok(refusals)
}

fn sessions(client: &Client) -> Result<SessionSummary, Failure> {
    let Reply::Sessions { sessions } = client.ask(&Request::Sessions)? else {
        return Err(client.unexpected());
    };
    Ok(*sessions)
}

/// A subscriber, and the refused calls among which its own are explained.
fn subscriber(
    client: &Client,
    imsi: &str,
) -> Result<(SubscriberView, Vec<RefusalRecord>), Failure> {
    let imsi = imsi.to_owned();
    let Reply::Subscriber { subscriber } = client.ask(&Request::Subscriber { imsi })? else {
        return Err(client.unexpected());
    };
    let explained = match subscriber.refused.is_empty() {
        true => Vec::new(),
        false => history(client, HISTORY_LIMIT_MAX)?,
    };
    Ok((*subscriber, explained))
}

fn forecast(client: &Client) -> Result<Vec<ServiceForecast>, Failure> {
    let Reply::Forecast { services } = client.ask(&Request::Forecast)? else {
        return Err(client.unexpected());
    };
    Ok(services)
}

/// What a change would refuse, and the change as it was understood.
fn preview_of(client: &Client, change: &str) -> Result<(String, Preview), Failure> {
    let of: PreviewChange = change.parse().map_err(|what: String| {
        let todo = "show license enforcement preview no feature GRE enable, say";
        Failure::new(what, "show license enforcement preview", todo)
    })?;
    let said = of.to_string();
    Ok((said, preview(client, of)?))
}

fn preview(client: &Client, of: PreviewChange) -> Result<Preview, Failure> {
    let Reply::Preview { preview } = client.ask(&Request::Preview { of })? else {
        return Err(client.unexpected());
    };
    Ok(preview)
}

/// Says what a change would refuse and asks whether it is meant, unless nothing is at stake, or nobody is to be asked; what
/// ends more than calls is asked for wherever the console asks.
pub(crate) fn meant(
    of: PreviewChange,
    confirm: &ConfirmArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    if confirm.noconfirm {
        return Ok(());
    }
    let said = of.to_string();
    let ends_more = of == PreviewChange::Deregister && console.asks();
    let preview = preview(&console.client(&confirm.socket), of)?;
    let at_stake = preview.at_stake().next().is_some();
    if !at_stake && !ends_more {
        return Ok(());
    }
    if at_stake {
        console.write(&show::preview::warning(&said, &preview));
    }
    match confirmed(console)? {
        true => Ok(()),
        false => {
            let todo = "answer Yes, or add -noconfirm where nobody is there to answer";
            Err(Failure::new("not confirmed, nothing is done", said, todo))
        }
    }
}

fn counters(client: &Client) -> Result<CountersHistory, Failure> {
    let Reply::Counters { counters } = client.ask(&Request::Counters)? else {
        return Err(client.unexpected());
    };
    Ok(counters)
}

/// Everything that can be shown without naming something, as far as it can be had; each has the rows that it has unless
/// told otherwise.
fn details(client: &Client) -> Vec<(&'static Surface, Result<View, Failure>)> {
    let named = |surface: &&Surface| surface.needs == Needs::Details || surface.names().is_some();
    let others = SURFACES.iter().filter(|surface| !named(surface));
    let asked = |surface: &Surface| Asked {
        limit: surface.limit_default(),
        ..Asked::default()
    };
    let views = others.map(|surface| (surface, view(client, surface, &asked(surface))));
    views.collect()
}

fn peers(client: &Client, offset: u32, limit: u32) -> Result<PeerList, Failure> {
    let Reply::Peers { peers } = client.ask(&Request::Peers { offset, limit })? else {
        return Err(client.unexpected());
    };
    Ok(peers)
}

fn logs(client: &Client, filter: Filter, limit: u32) -> Result<LogView, Failure> {
    let Filter {
        facility,
        level,
        since,
        ..
    } = filter;
    let Reply::Logs { logs } = client.ask(&Request::Logs {
        limit,
        facility,
        level,
        since,
    })?
    else {
        return Err(client.unexpected());
    };
    Ok(logs)
}

fn audit(client: &Client, limit: u32) -> Result<AuditView, Failure> {
    let Reply::Audit { audit } = client.ask(&Request::Audit { limit })? else {
        return Err(client.unexpected());
    };
    Ok(audit)
}

fn logging(client: &Client) -> Result<LoggingView, Failure> {
    let Reply::Logging { logging } = client.ask(&Request::Logging)? else {
        return Err(client.unexpected());
    };
    Ok(logging)
}

fn accounts(client: &Client) -> Result<AccountsView, Failure> {
    let Reply::Accounts { accounts } = client.ask(&Request::Accounts)? else {
        return Err(client.unexpected());
    };
    Ok(accounts)
}

fn configuration(client: &Client) -> Result<String, Failure> {
    let Reply::Configuration { text } = client.ask(&Request::Configuration)? else {
        return Err(client.unexpected());
    };
    Ok(text)
}

/// `save configuration [FILE]`
pub fn save(
    file: Option<String>,
    socket: &SocketArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let client = console.client(socket);
    let request = Request::SaveConfiguration { file };
    let Reply::Saved { file } = client.ask(&request)? else {
        return Err(client.unexpected());
    };
    console.write(&format!("the configuration is saved to {file}\n"));
    Ok(())
}

/// `license smart enable` and its `no` form.
pub fn smart_licensing(
    enable: bool,
    confirm: &ConfirmArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    meant(PreviewChange::SmartLicensing { enable }, confirm, console)?;
    let said = if enable {
        "smart licensing is enabled"
    } else {
        "smart licensing is disabled; the last verdicts are kept"
    };
    change(
        &confirm.socket,
        &Request::SmartLicensing { enable },
        said,
        console,
    )
}

/// `feature <name> enable` and its `no` form.
pub fn feature(
    name: String,
    enable: bool,
    confirm: &ConfirmArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let of = PreviewChange::Feature {
        name: name.clone(),
        enable,
    };
    meant(of, confirm, console)?;
    let done = if enable { "enabled" } else { "disabled" };
    let said = format!("feature {name} is {done}");
    change(
        &confirm.socket,
        &Request::Feature { name, enable },
        &said,
        console,
    )
}

/// `lab speedup N`
pub fn speed_up(
    speedup: u32,
    socket: &SocketArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let said = format!("the license clock of this LAB node runs at x{speedup}");
    change(socket, &Request::LabSpeedup { speedup }, &said, console)
}

/// `bulkstats force ...` and `clear bulkstats ...`
pub fn bulkstats_do(
    command: BulkstatsCommand,
    socket: &SocketArgs,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let said = match command {
        BulkstatsCommand::ForceGather => "a sample is taken",
        BulkstatsCommand::ForceTransfer => {
            "files are complete and on their way; show bulkstats tells what arrives"
        }
        BulkstatsCommand::ClearCounters => "the statistics of bulk statistics are cleared",
        BulkstatsCommand::ClearData => "what waited to be transferred is dropped",
    };
    change(socket, &Request::BulkstatsDo { command }, said, console)
}

pub(crate) fn change(
    socket: &SocketArgs,
    request: &Request,
    said: &str,
    console: &mut dyn Console,
) -> Result<(), Failure> {
    let client = console.client(socket);
    let Reply::Done { changed } = client.ask(request)? else {
        return Err(client.unexpected());
    };
    let before = if changed { "" } else { " (it was before)" };
    console.write(&format!("{said}{before}\n"));
    Ok(())
}

/// `clear subscribers ...`
pub fn clear(args: ClearSubscribers, console: &mut dyn Console) -> Result<(), Failure> {
    let (whom, options) = args.whom();
    let said = whom.words();
    let todo_unmatched = unmatched(&whom);
    if !options.noconfirm && !confirmed(console)? {
        let todo = "answer Yes, or add -noconfirm where nobody is there to answer";
        return Err(Failure::new(
            "not confirmed, nothing is cleared",
            said,
            todo,
        ));
    }
    let reactivate = options.reactivate;
    let client = console.client(&options.socket);
    let Reply::Cleared { sessions, clients } = client.ask(&Request::Clear { whom, reactivate })?
    else {
        return Err(client.unexpected());
    };
    let theirs = format!("{clients} sessions of other processes are theirs to end");
    match (sessions, clients) {
        (0, 0) => Err(Failure::new("no session matches", said, todo_unmatched)),
        (0, _) => {
            let todo = "end them where they are; show session summary names those clients";
            let what = format!("no session of this node's own matches, {theirs}");
            Err(Failure::new(what, said, todo))
        }
        (1.., _) => {
            let mut text = match sessions {
                1 => "1 session is cleared; it ends with its peer's answer\n".to_owned(),
                _ => format!("{sessions} sessions are cleared; each ends with its peer's answer\n"),
            };
            if clients > 0 {
                text.push_str(&format!("{theirs}\n"));
            }
            console.write(&text);
            Ok(())
        }
    }
}

/// What to do when nothing matched: an emergency session does only where it is asked for.
fn unmatched(whom: &ClearWhom) -> &'static str {
    match whom {
        ClearWhom::Imsi(_) | ClearWhom::Apn(_) => "see what there is with show session summary",
        ClearWhom::Peer(_) | ClearWhom::Service(_) | ClearWhom::All => {
            "see what there is with show session summary; emergency sessions are cleared by imsi and apn alone"
        }
    }
}

/// Asks whether it is meant; the end of the input is no.
pub fn confirmed(console: &mut dyn Console) -> Result<bool, Failure> {
    let said = console
        .ask("Are you sure ? [Yes | No]: ")
        .map_err(|error| {
            Failure::new(
                error.to_string(),
                "standard input",
                "add -noconfirm where nobody is there to answer",
            )
        })?;
    Ok(["yes", "y"].contains(&said.trim().to_lowercase().as_str()))
}
