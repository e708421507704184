//! A node and an SGSN that calls it, in a directory and a subnet of their own.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use api::Request;
use licensing::snapshot::{ServiceStatus, Snapshot};

use crate::node::{Configuration, Node};
use crate::sgsn::{Call, Received, Sgsn, cause, ie};
use crate::subnet::Subnet;

const GGSN: u8 = 1;
const SGSN: u8 = 2;

/// Where a gateway will be, before its node runs.
#[derive(Debug)]
pub struct Site {
    subnet: Subnet,
    dir: tempfile::TempDir,
}

/// The whole.
#[derive(Debug)]
pub struct Gateway {
    /// The node; none while it is down.
    node: Option<Node>,
    /// The SGSN.
    pub sgsn: Sgsn,
    site: Site,
}

impl Site {
    /// Takes a subnet and a directory.
    pub fn new() -> Result<Self> {
        Ok(Self {
            subnet: Subnet::take()?,
            dir: tempfile::tempdir()?,
        })
    }

    /// The plain configuration of a node here.
    pub fn configuration(&self) -> Configuration {
        Configuration::new(self.subnet.gtp_c(GGSN), self.dir.path().join("state"))
    }

    /// A directory that is removed at the end.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The subnet.
    pub fn subnet(&self) -> &Subnet {
        &self.subnet
    }

    /// Starts a node with this configuration, and an SGSN.
    pub fn open(self, configuration: &Configuration) -> Result<Gateway> {
        let node = Node::start(configuration)?;
        self.with(node)
    }

    /// The same, its state directory on a file system of its own with so much room.
    pub fn open_on_small_disk(
        self,
        configuration: &Configuration,
        room_kib: u32,
    ) -> Result<Gateway> {
        let node = Node::start_on_small_disk(configuration, room_kib)?;
        self.with(node)
    }

    fn with(self, node: Node) -> Result<Gateway> {
        let sgsn = Sgsn::new(self.subnet.socket(SGSN)?, node.address())?;
        Ok(Gateway {
            node: Some(node),
            sgsn,
            site: self,
        })
    }
}

impl Gateway {
    /// A plain node; smart licensing has never been enabled.
    pub fn plain() -> Result<Self> {
        let site = Site::new()?;
        let configuration = site.configuration();
        site.open(&configuration)
    }

    /// A lab node in evaluation with a ceiling of so many sessions a service.
    pub fn in_evaluation(ceiling: u32) -> Result<Self> {
        let site = Site::new()?;
        let configuration = site.configuration().with_sessions_per_license(ceiling)?;
        let gateway = site.open(&configuration)?;
        gateway
            .node()?
            .control()
            .change(&Request::SmartLicensing { enable: true })?;
        Ok(gateway)
    }

    /// The node.
    pub fn node(&self) -> Result<&Node> {
        self.node.as_ref().context("the node is down")
    }

    /// Where it is.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// SIGKILL, then the same node again.
    pub fn crash_and_restart(&mut self) -> Result<()> {
        let node = self.node.take().context("the node is down")?;
        self.node = Some(node.crash_and_restart()?);
        Ok(())
    }

    /// SIGTERM, then this with its state directory, then the same node again.
    pub fn while_down(&mut self, does: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let node = self.node.take().context("the node is down")?;
        let configuration = node.configuration().clone();
        node.terminate()?;
        does(&configuration.state_dir)?;
        self.node = Some(Node::start(&configuration)?);
        Ok(())
    }

    /// SIGKILL, then this with its configuration, then the same node again.
    pub fn while_dead(&mut self, does: impl FnOnce(&Configuration) -> Result<()>) -> Result<()> {
        let node = self.node.take().context("the node is down")?;
        let configuration = node.configuration().clone();
        node.kill()?;
        does(&configuration)?;
        self.node = Some(Node::start(&configuration)?);
        Ok(())
    }

    /// SIGTERM; what it wrote, and how it ended.
    pub fn terminate(&mut self) -> Result<crate::child::Ended> {
        self.node.take().context("the node is down")?.terminate()
    }

    /// The node at this instant.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.node()?.control().snapshot()
    }

    /// The kinds of message that the node has sent by GTPv2.
    pub fn sent_by_gtpv2(&self) -> Result<BTreeSet<String>> {
        let messages = self.node()?.control().sessions()?.messages;
        let sent = messages.iter().filter(|row| row.sent > 0);
        let names = sent.filter_map(|row| row.message.strip_prefix("GTPv2 "));
        Ok(names.map(Into::into).collect())
    }

    /// The row of service GGSN.
    pub fn ggsn(&self) -> Result<ServiceStatus> {
        let services = self.snapshot()?.services;
        services
            .into_iter()
            .find(|row| row.tag.name == "GGSN")
            .context("GGSN is a service of the catalog")
    }

    /// Calls; the GGSN's TEID of the context.
    pub fn accepted(&mut self, call: &Call) -> Result<u32> {
        let answer = self.sgsn.create(call)?;
        ensure!(
            answer.cause()? == cause::ACCEPTED,
            "{call:?} was refused: {answer:?}"
        );
        answer.teid_of(ie::TEID_CONTROL)
    }

    /// Calls; whether it is accepted.
    pub fn is_accepted(&mut self, call: &Call) -> Result<bool> {
        Ok(self.sgsn.create(call)?.cause()? == cause::ACCEPTED)
    }

    /// Calls and is refused; the answer.
    pub fn refused(&mut self, call: &Call) -> Result<Received> {
        let answer = self.sgsn.create(call)?;
        ensure!(answer.cause()? != cause::ACCEPTED, "{call:?} was accepted");
        Ok(answer)
    }

    /// Deletes a context.
    pub fn delete(&mut self, teid: u32, nsapi: u8) -> Result<()> {
        let answer = self.sgsn.delete(teid, nsapi, true)?;
        ensure!(answer.cause()? == cause::ACCEPTED, "{answer:?}");
        Ok(())
    }
}
