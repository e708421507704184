//! A process that counts MME sessions through a running node, and holds them until it is ended.
//!
//! `mme_process SOCKET [CALLS] [LEASE_MS] [NAME]`: one line says what it holds; then it keeps its lease alive. Whatever
//! ends it, SIGKILL too, the node gives its sessions back after the lease. Start a node that restarts under it: it opens
//! again and restores what it has.
#![forbid(unsafe_code)]

use std::thread;
use std::time::Duration;

use admission_client::{Client, ClientError};
use anyhow::{Context, Result};
use api::{BATCH_CALLS_MAX, CallClass, CallKind};

/// Place of its only class among those that it names.
const CALLS: u16 = 0;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let socket = arguments
        .next()
        .context("mme_process SOCKET [CALLS] [LEASE_MS] [NAME]")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let calls = u32::try_from(number(100)?)?;
    let lease = Duration::from_millis(number(5_000)?);
    let name = arguments.next().unwrap_or_else(|| "mme-1".to_owned());

    let mme = CallClass {
        service: "MME".to_owned(),
        features: Vec::new(),
        kind: CallKind::Ordinary,
    };
    let mut client = Client::open(&socket, &name, lease, vec![mme])?;
    attach(&mut client, calls)?;
    println!(
        "{name} holds {} sessions",
        client.holds()[usize::from(CALLS)]
    );
    loop {
        thread::park_timeout(lease / 3);
        keep(&mut client);
    }
}

/// So many subscribers attach.
fn attach(client: &mut Client, mut calls: u32) -> Result<()> {
    while calls > 0 {
        let batch = calls.min(BATCH_CALLS_MAX);
        let outcome = client.admit(CALLS, batch)?;
        if let Some(refused) = outcome.refused {
            let why = refused.reason;
            println!("{} calls refused: {why:?}", refused.calls);
            break;
        }
        calls -= batch;
    }
    Ok(())
}

/// A beat; a node that has forgotten us is told what we have.
fn keep(client: &mut Client) {
    let beat = client.heartbeat().map(drop);
    let kept = match beat {
        Err(ClientError::UnknownLease(_)) => client.reopen(),
        beat => beat,
    };
    if let Err(error) = kept {
        eprintln!("the sessions live on, and count again once the node answers: {error}");
    }
}
