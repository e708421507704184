//! `snmp-v3-ratio`: a trap of SNMPv3 from the notification to its octets, with HMAC-SHA-256 and AES-128, over that HMAC and
//! that cipher alone, of as many octets and with their keys set up each time, as in the trap.
//!
//! The trap is the shortest of those with varbinds, `starSmartLicenseServiceOOC`, of which encoding is the largest part. A
//! trap of SNMPv2c is told beside it, over the same yardstick.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use benches::figure::{Figure, Good};
use benches::sandwich::{pin, sandwich};
use cfb_mode::Encryptor;
use cfb_mode::cipher::KeyIvInit;
use hmac::{Hmac, KeyInit, Mac};
use licensing::Mono;
use sha2::Sha256;
use snmp::message::{Notification, ScopedData, V3Message};
use snmp::target::{Security, Target};
use snmp::usm::{AuthProtocol, EngineId, Level, Local, PrivProtocol, Secret, User};
use snmp::{Community, Oid, Value, VarBind};

/// Octets of what is authenticated, and of what is encrypted.
struct Raw {
    message: Vec<u8>,
    scoped: Vec<u8>,
}

fn main() -> Result<ExitCode> {
    pin(0);
    let mut local = Local::new(EngineId::of_node(32473, "gw1"), 7, Mono::default());
    let v3 = Target::new(secured()?, local.id());
    let community = Community::new("public");
    let v2c = Target::new(Security::V2c { community }, local.id());
    let notification = notification();
    let mut raw = Raw::of(trap(&v3, &mut local, &notification)?)?;
    let lengths = [
        raw.message.len(),
        raw.scoped.len(),
        trap(&v2c, &mut local, &notification)?.len(),
    ];
    println!("octets of the trap, encrypted ones of it, octets of the one of SNMPv2c: {lengths:?}");

    let plain = sandwich(
        |count| raw.spend(count),
        |count| traps(&v2c, &mut local, &notification, count),
    );
    plain.explain("a trap of SNMPv2c over HMAC and AES of one of SNMPv3");
    let sealed = sandwich(
        |count| raw.spend(count),
        |count| traps(&v3, &mut local, &notification, count),
    );
    sealed.explain("a trap of SNMPv3, authPriv, over HMAC and AES of its octets");
    Ok(Figure {
        id: "snmp-v3-ratio",
        value: sealed.value(),
        target: 3.0,
        good: Good::AtMost,
    }
    .finish())
}

fn secured() -> Result<Security> {
    let secret = Secret::of_password(AuthProtocol::Sha256, b"maplesyrup")?;
    let user = User {
        name: "carrier".to_owned(),
        auth: Some((AuthProtocol::Sha256, secret.clone())),
        privacy: Some((PrivProtocol::Aes128, secret)),
    };
    let level = Level::AuthPriv;
    Ok(Security::V3 { user, level })
}

/// starSmartLicenseServiceOOC: the service's name and its usage.
fn notification() -> Notification {
    let service = Oid::from([1, 3, 6, 1, 4, 1, 8164, 1, 31, 178, 0]);
    let usage = Oid::from([1, 3, 6, 1, 4, 1, 8164, 1, 31, 177, 0]);
    Notification {
        uptime: 8_640_000,
        trap: Oid::from([1, 3, 6, 1, 4, 1, 8164, 2, 1349]),
        varbinds: vec![
            VarBind::new(service, Value::text("GGSN")),
            VarBind::new(usage, Value::Gauge32(86_401)),
        ],
    }
}

fn trap(target: &Target, local: &mut Local, notification: &Notification) -> Result<Vec<u8>> {
    Ok(target.trap(local, Mono::default(), 1_000_000, notification)?)
}

fn traps(target: &Target, local: &mut Local, notification: &Notification, count: u64) {
    for _ in 0..count {
        black_box(trap(target, local, black_box(notification)).is_ok());
    }
}

impl Raw {
    fn of(message: Vec<u8>) -> Result<Self> {
        let decoded = V3Message::decode(&message).context("the trap is no message")?;
        let ScopedData::Encrypted(scoped) = decoded.data else {
            bail!("the trap is not encrypted");
        };
        Ok(Self { message, scoped })
    }

    fn spend(&mut self, count: u64) {
        let (key, iv) = ([7; 32], [9; 16]);
        for _ in 0..count {
            let key = black_box(&key);
            let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
                .expect("HMAC takes a key of any length");
            mac.update(black_box(&self.message));
            black_box(mac.finalize().into_bytes());
            Encryptor::<aes::Aes128>::new_from_slices(&key[..16], black_box(&iv))
                .expect("a key and a vector of 16 octets each")
                .encrypt(&mut self.scoped);
            black_box(&self.scoped);
        }
    }
}
