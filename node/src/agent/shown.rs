//! What surfaces are shown of the agent.

use std::sync::Arc;

use api::{AgentMessages, AgentStatus, AgentView, ProxyStatus, TransportStatus};
use parking_lot::RwLock;
use smart_agent::Input;

use crate::config;
use crate::snmp::Feed;

/// The agent's last status, which surfaces read.
#[derive(Debug)]
pub(crate) struct AgentCurrent {
    status: RwLock<Arc<AgentStatus>>,
    transport: RwLock<TransportStatus>,
    messages: RwLock<AgentMessages>,
    feed: Feed,
}

impl AgentCurrent {
    pub(crate) fn new(status: AgentStatus, agent: &config::Agent, feed: Feed) -> Self {
        Self {
            status: RwLock::new(Arc::new(status)),
            transport: RwLock::new(transport_status(agent)),
            messages: RwLock::default(),
            feed,
        }
    }

    pub(crate) fn status(&self) -> Arc<AgentStatus> {
        Arc::clone(&self.status.read())
    }

    pub(crate) fn view(&self) -> AgentView {
        AgentView {
            status: self.status().as_ref().clone(),
            transport: self.transport.read().clone(),
            messages: *self.messages.read(),
            events: self.feed.counts(),
        }
    }

    pub(super) fn show(&self, status: AgentStatus) {
        *self.status.write() = Arc::new(status);
    }

    pub(super) fn show_way(&self, agent: &config::Agent) {
        *self.transport.write() = transport_status(agent);
    }

    /// Counts what the agent is told by the node.
    pub(super) fn count(&self, input: &Input) {
        let mut messages = self.messages.write();
        let counted = match input {
            Input::Usage(_) => &mut messages.usage,
            Input::SmartLicensing { .. } | Input::LabSpeedup { .. } | Input::AnotherWay => {
                &mut messages.switches
            }
            Input::Operator { .. } => &mut messages.commands,
            Input::Timeout
            | Input::Root { .. }
            | Input::Answered { .. }
            | Input::NotAnswered { .. }
            | Input::NotPersisted => return,
        };
        *counted += 1;
    }

    /// Counts what the agent told the node.
    pub(super) fn count_told(&self, many: u64) {
        self.messages.write().told += many;
    }
}

fn transport_status(agent: &config::Agent) -> TransportStatus {
    let authority = agent.way.authority.as_ref();
    let proxy = agent.way.proxy.as_ref();
    TransportStatus {
        url: authority.map(|at| format!("https://{at}{}", api::smart::SMART_PATH)),
        url_set: agent.authority_set,
        proxy_set: agent.proxy_set,
        proxy: proxy.map(|proxy| ProxyStatus {
            host: proxy.host.clone(),
            port: proxy.port,
            username: proxy.credentials.as_ref().map(|own| own.username.clone()),
        }),
        send_hostname: agent.send_hostname,
        report_usage_s: agent.report_usage.as_secs(),
        ooc_retry_s: agent.ooc_retry.as_secs(),
    }
}
