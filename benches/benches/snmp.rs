//! Trends of what one trap costs; `snmp-v3-ratio` is the figure that is promised.
//!
//! The trap is `starSmartLicenseServiceOOC`, from the notification to the octets of its message. Beside it, in the same run,
//! stand the encoding of the same message by `rasn`, its types made already, and a copy of its octets.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use licensing::Mono;
use rasn_snmp::{v2, v2c};
use snmp::message::Notification;
use snmp::target::{Security, Target};
use snmp::usm::{EngineId, Local};
use snmp::{Community, Oid, Value, VarBind};

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

fn trap(criterion: &mut Criterion) {
    let mut local = Local::new(EngineId::of_node(32473, "gw1"), 7, Mono::default());
    let community = Community::new("public");
    let target = Target::new(Security::V2c { community }, local.id());
    let notification = notification();
    let mut encode = |notification: &Notification| {
        let trap = target.trap(&mut local, Mono::default(), 1_000_000, notification);
        trap.expect("a short trap of values that SNMPv2c has")
    };
    let octets = encode(&notification);
    let theirs: v2c::Message<v2::Pdus> =
        rasn::ber::decode(&octets).expect("rasn reads what we write");
    let same = rasn::ber::encode(&theirs).expect("rasn writes what it read");
    assert_eq!(same, octets, "both write the same octets");

    let mut group = criterion.benchmark_group("a trap of SNMPv2c");
    group.throughput(Throughput::Elements(1));
    group.bench_function("from the notification", |b| {
        b.iter(|| black_box(encode(black_box(&notification))));
    });
    group.bench_function("by rasn, its types made already", |b| {
        b.iter(|| black_box(rasn::ber::encode(black_box(&theirs)).is_ok()));
    });
    group.bench_function("a copy of its octets", |b| {
        b.iter(|| black_box(black_box(&octets).clone()));
    });
    group.finish();
}

criterion_group!(benches, trap);
criterion_main!(benches);
