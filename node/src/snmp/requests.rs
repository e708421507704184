//! Managers that ask: the agent and its socket.

use std::io;
use std::net::SocketAddr;

use licensing::Mono;
use snmp::Oid;
use snmp::agent::{Access, Agent, Arrival, Limits};
use snmp::groups::{self, Own, System};
use snmp::objects::{Group, Mib};
use snmp::tables;
use snmp::usm::{KeyError, Local};
use snmp::view::View;
use tokio::net::UdpSocket;

use super::sockets::{Datagram, receive};
use crate::config::Config;

/// Longest request: as long as a datagram can be.
const REQUEST_BYTES: usize = 65_536;

/// The agent and where it is asked; without a socket nobody asks it.
#[derive(Debug)]
pub(super) struct Managers {
    socket: Option<UdpSocket>,
    agent: Agent<View>,
    buffer: Vec<u8>,
    failing: bool,
}

impl Managers {
    /// Binds the socket of the configuration; inside of a runtime.
    pub(super) async fn new(config: &Config, local: &Local) -> io::Result<Self> {
        let snmp = &config.snmp;
        let mib = Mib::new(objects(&snmp.enterprise)).map_err(io::Error::other)?;
        let mut agent = Agent::new(mib, system(config), Limits::default());
        let allowed = agent.allow(snmp.access.clone(), local);
        allowed.map_err(io::Error::other)?;
        let socket = match snmp.listen {
            Some(at) => Some(UdpSocket::bind(at).await?),
            None => None,
        };
        Ok(Self {
            socket,
            agent,
            buffer: vec![0; REQUEST_BYTES],
            failing: false,
        })
    }

    /// Sets who may read what, from now on; walks begin anew. Errors: a key is another engine's, and nothing has changed.
    pub(super) fn allow(&mut self, access: Access, local: &Local) -> Result<(), KeyError> {
        self.agent.allow(access, local)
    }

    /// The next request; never, without a socket. Errors: those that an earlier answer caused.
    pub(super) async fn receive(&mut self) -> io::Result<Datagram> {
        receive(self.socket.as_ref(), &mut self.buffer).await
    }

    /// What to answer, if anything; of a view that `view` makes, when a walk begins.
    pub(super) fn answer(
        &mut self,
        local: &mut Local,
        now: Mono,
        datagram: &Datagram,
        view: impl FnOnce(Own) -> View,
    ) -> Option<Vec<u8>> {
        let arrival = Arrival {
            now,
            peer: datagram.from,
            bytes: &datagram.bytes,
        };
        self.agent.handle_datagram(local, arrival, view)
    }

    /// The agent as its objects show it.
    pub(super) fn own(&self, local: &Local, now: Mono) -> Own {
        self.agent.own(local, now)
    }

    /// Snapshots that walks hold.
    pub(super) fn walks_held(&self) -> usize {
        self.agent.walks_held()
    }

    /// Answers; who asked asks again if that is lost.
    pub(super) async fn send(&mut self, answer: &[u8], to: SocketAddr) {
        let Some(socket) = &self.socket else {
            return;
        };
        let sent = socket.send_to(answer, to).await;
        match &sent {
            Err(error) if !self.failing => {
                event!(MANAGER_UNANSWERED, %to, %error);
            }
            Ok(_) if self.failing => event!(MANAGERS_ANSWERED_AGAIN),
            Ok(_) | Err(_) => {}
        }
        self.failing = sent.is_err();
    }
}

fn objects(enterprise: &Oid) -> Vec<Group<View>> {
    let mut all = groups::groups();
    all.push(tables::group(enterprise));
    all.push(tables::smart_licensing());
    all
}

fn system(config: &Config) -> System {
    let snmp = &config.snmp;
    System {
        descr: format!("tollgate {}", env!("CARGO_PKG_VERSION")),
        object_id: snmp.enterprise.clone(),
        contact: snmp.contact.clone(),
        name: config.name.clone(),
        location: snmp.location.clone(),
        modules: vec![(snmp.enterprise.clone(), "TOLLGATE-MIB".to_owned())],
    }
}
