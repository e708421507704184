//! The Smart Agent in a node: what operators ask of it, and what stays as it was where that can't be done.
#![forbid(unsafe_code)]

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use api::{AgentView, LicenseCommand, RegistrationState, Reply, Request};
use licensing::{Mode, Snapshot};
use node::{Config, Running, Shutdown};
use tests::control::Control;
use tests::gateway::Site;
use tests::node::Configuration;
use tests::subnet::Subnet;
use tests::wait::until;

/// What is waited for takes far less; the machine may be busy.
const LIMIT: Duration = Duration::from_secs(120);

/// A token that no authority made.
const TOKEN: &str = "bm90LWEtdG9rZW4tb2YtYW55Ym9keQ==";

/// A node that runs in this process.
struct Licensed {
    _running: Running,
    control: Control,
    configuration: Configuration,
    _site: Site,
}

impl Licensed {
    fn start(agent: &str) -> Result<Self> {
        let site = Site::new()?;
        let configuration = site.configuration().with(agent);
        let path = configuration.write()?;
        let running = Running::start(Config::read(&path)?, &Shutdown::new())?;
        Ok(Self {
            _running: running,
            control: Control::new(configuration.control_socket()),
            configuration,
            _site: site,
        })
    }

    fn enabled(agent: &str) -> Result<Self> {
        let node = Self::start(agent)?;
        let enable = Request::SmartLicensing { enable: true };
        ensure!(node.control.change(&enable)?);
        Ok(node)
    }

    fn agent(&self) -> Result<(Snapshot, AgentView)> {
        let Reply::Agent {
            snapshot, agent, ..
        } = self.control.ask(&Request::Agent)?
        else {
            bail!("the agent was asked for, another reply came");
        };
        Ok((*snapshot, *agent))
    }

    /// What a command that is not done says, without its status.
    fn refused(&self, command: LicenseCommand) -> Result<String> {
        let asked = self.control.ask(&Request::License(command));
        let said = asked.err().context("it was not to be done")?.to_string();
        Ok(said.split_once(": ").context("status")?.1.to_owned())
    }

    /// The node is as it was made: not registered, in evaluation, nothing on its way.
    fn is_untouched(&self) -> Result<()> {
        let (snapshot, agent) = self.agent()?;
        assert_eq!(agent.status.registration, RegistrationState::Unregistered);
        assert_eq!(agent.status.registered, None);
        assert_eq!(snapshot.smart.mode, Mode::Evaluation);
        let queued = agent.status.call_home.iter().map(|row| row.in_queue);
        assert_eq!(queued.sum::<u64>(), 0);
        Ok(())
    }
}

fn register(idtoken: &str) -> LicenseCommand {
    LicenseCommand::Register {
        idtoken: idtoken.to_owned(),
        force: false,
    }
}

#[test]
fn what_can_not_be_done_is_told_and_changes_nothing() -> Result<()> {
    let node = Licensed::start("")?;
    assert_eq!(
        node.refused(register(TOKEN))?,
        "smart licensing is not enabled; nothing has changed (license smart register): configure `license smart enable` first"
    );
    node.control
        .change(&Request::SmartLicensing { enable: true })?;
    assert_eq!(
        node.refused(register("short"))?,
        "the registration token is malformed; nothing has changed (license smart register): copy it whole, 16 to 512 characters without spaces"
    );
    let commands = [
        (LicenseCommand::RenewId, "license smart renew id"),
        (LicenseCommand::RenewAuth, "license smart renew auth"),
        (LicenseCommand::Deregister, "license smart deregister"),
    ];
    for (command, words) in commands {
        let said = format!(
            "this node is not registered; nothing has changed ({words}): license smart register idtoken TOKEN"
        );
        assert_eq!(node.refused(command)?, said);
    }
    assert_eq!(
        node.refused(register(TOKEN))?,
        "no license authority is configured; nothing has changed (license smart register): license smart url https://authority.example:8443, with its own name in place of that"
    );
    let (_, view) = node.agent()?;
    assert_eq!((view.messages.commands, view.messages.switches), (6, 1));
    until("the event is told", LIMIT, || {
        Ok(node.agent()?.1.events.taken > 0)
    })?;
    node.is_untouched()
}

#[test]
fn an_authority_that_has_no_name_or_is_not_there_is_told() -> Result<()> {
    // Nobody listens there.
    let nobody = Subnet::take()?;
    let at = nobody.tcp();
    let node = Licensed::enabled(&format!("[agent]\nauthority = \"https://{at}\""))?;
    let said = format!(
        "the license authority can't be reached at {at}: connection refused; nothing has changed (license smart register): see that the license authority runs there, and that nothing on the way keeps it from being reached"
    );
    assert_eq!(node.refused(register(TOKEN))?, said);
    node.is_untouched()?;
    let (_, agent) = node.agent()?;
    let registrations = &agent.status.call_home[1];
    assert_eq!((registrations.success, registrations.dropped), (0, 0));
    assert_eq!(registrations.failed, 4);
    assert_eq!(agent.transport.url, Some(format!("https://{at}/v1/smart")));

    let node = Licensed::enabled("[agent]\nauthority = \"https://authority.invalid\"")?;
    let said = node.refused(register(TOKEN))?;
    let expected = "the name of the license authority can't be resolved: authority.invalid: ";
    assert!(said.starts_with(expected), "{said}");
    assert!(
        said.ends_with("; nothing has changed (license smart register): mend the address with license smart url, or the name service of this machine"),
        "{said}"
    );
    node.is_untouched()
}

#[test]
fn the_nodes_key_and_records_are_for_its_user_alone() -> Result<()> {
    let node = Licensed::enabled("")?;
    for file in ["identity.key", "agent.redb"] {
        let path = node.configuration.state_dir.join(file);
        let mode = std::fs::metadata(path)?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    Ok(())
}
