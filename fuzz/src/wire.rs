//! What crosses the control socket, and what agents and authorities send each other: whatever is read is written and read the same,
//! nothing that is unsigned is believed.

use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use api::LicenseCommand;
use api::smart::{Envelope, ReplyEnvelope, Sudi, WireError};
use licensing::{Catalog, Now};
use smart_agent::{
    Agent, AtStart, Config, Identity, Input, Output, Restored, Seed, Start, Ticket, Told,
};

/// A request to the control socket; whether it is one.
pub fn control(json: &[u8]) -> bool {
    let Ok(request) = api::Request::read(json) else {
        return false;
    };
    let again = serde_json::to_vec(&request).expect("a request is JSON");
    let again = api::Request::read(&again).expect("what was written is a request");
    assert_eq!(again, request);
    black_box(request.privilege());
    true
}

/// How far a message to an authority came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Came {
    /// It is no envelope.
    Refused,
    /// The text in it is no request.
    Closed,
    /// It was opened.
    Open,
}

/// A message to an authority, or, after an odd first octet, the text in one.
pub fn authority(input: &[u8]) -> Came {
    let Some((way, octets)) = input.split_first() else {
        return Came::Refused;
    };
    let envelope = match way % 2 {
        0 => Envelope::read(octets),
        _ => Envelope::read(&around(octets)),
    };
    let Ok(envelope) = envelope else {
        return Came::Refused;
    };
    let again = Envelope::read(&envelope.octets()).expect("what was written is an envelope");
    assert_eq!(again, envelope);
    assert!(envelope.open(|_, _| false).is_err(), "unsigned and opened");
    let Ok(request) = envelope.open(|_, _| true) else {
        return Came::Closed;
    };
    let sealed = Envelope::seal(&request, [1; 32], |_| vec![2; 64]);
    let again = sealed.open(|_, _| true).expect("as it was");
    assert_eq!(again, request);
    Came::Open
}

fn around(text: &[u8]) -> Vec<u8> {
    let value = serde_json::json!({
        "request": String::from_utf8_lossy(text),
        "credential": { "public_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=" },
        "signature": { "type": "ED25519", "value": "AgIC" },
    });
    value.to_string().into_bytes()
}

/// An answer to the agent that has asked to be registered: it believes nothing of it, and asks on.
pub fn replies(octets: &[u8]) -> Came {
    let came = match ReplyEnvelope::read(octets) {
        Err(_) => Came::Refused,
        Ok(envelope) => {
            let again = ReplyEnvelope::read(&envelope.octets());
            assert_eq!(again.expect("what was written is an envelope"), envelope);
            match envelope.open::<WireError>(|_, _| Ok(())) {
                Err(_) => Came::Closed,
                Ok(_) => Came::Open,
            }
        }
    };
    let mut agent = agent();
    let now = Now::default();
    let command = LicenseCommand::Register {
        idtoken: "YWJjZGVmZ2hpamtsbW5v".into(),
        force: false,
    };
    let ticket = Ticket(1);
    agent.handle(Input::Operator { ticket, command }, now);
    let mut nonce = None;
    while let Some(output) = agent.poll_output() {
        if let Output::Send(message) = output {
            nonce = Some(message.nonce);
        }
    }
    let nonce = nonce.expect("it asks to be registered");
    let octets = octets.to_vec();
    agent.handle(Input::Answered { nonce, octets }, now);
    while let Some(output) = agent.poll_output() {
        let believed = matches!(
            output,
            Output::Tell(Told::Registered | Told::Verdict { .. } | Told::AuthorityReached)
        );
        assert!(!believed, "{output:?} of an answer that nobody signed");
    }
    came
}

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::staros()));

fn agent() -> Agent {
    let catalog = Arc::clone(&CATALOG);
    let product = catalog.products()[0].tag.clone();
    let sudi = Sudi {
        udi_pid: "VPC-SI".into(),
        udi_serial_number: "FUZZ".into(),
    };
    let config = Config::new(sudi, product, catalog);
    let identity = Identity::new(Seed::new([3; 32]), &config.sudi).expect("a seed is a key");
    let start = Start {
        identity,
        orders: AtStart::default(),
        restored: Restored::default(),
        enabled: true,
        registered: false,
        random: [5; 32],
    };
    Agent::new(config, start, Now::default())
}
