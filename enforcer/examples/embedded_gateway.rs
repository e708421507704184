//! A gateway that embeds the gate: two call-processing threads, all seven services, one license each.
//! Run it with `cargo run -p enforcer --example embedded_gateway`.
#![forbid(unsafe_code)]

use std::{error::Error, thread};

use enforcer::{CallKind, Class, ClassId, Gate, GateConfig, Permit, Terms, WorkerGate};
use licensing::{Catalog, ServiceIndex};

const PGW: ServiceIndex = ServiceIndex(0);
/// Calls of each service that each thread sets up; together a fifth more than one license covers.
const CALLS: usize = 6_000;

/// Call processing: ask once for each call, keep the permit with the session.
fn set_up(worker: &mut WorkerGate, classes: &[ClassId]) -> Vec<Permit> {
    let calls = (0..CALLS).flat_map(|_| classes);
    calls
        .filter_map(|class| worker.admit(*class).ok())
        .collect()
}

fn under(ceiling: u32) -> Terms {
    Terms {
        ceiling: Some(ceiling),
        ..Terms::default()
    }
}

/// What was really counted, service by service.
fn show(gate: &Gate, catalog: &Catalog) {
    let counts = gate.sample();
    println!("service  sessions   peak  admitted  refused");
    for (place, service) in catalog.services().iter().enumerate() {
        let (ledger, class) = (counts.services[place], counts.classes[place].counters);
        print!("{:8} {:8} ", service.name, ledger.sessions);
        print!("{:6} {:9} ", ledger.peak, class.admitted);
        println!("{:8}", class.refused_ceiling);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Catalog::staros();
    let gate = Gate::new(GateConfig::new(catalog.services().len() as u8, 2))?;

    // Once, at configuration: a class for each service with the features of its calls, and one license.
    let mut classes = Vec::new();
    for (service, licensed) in (0..).map(ServiceIndex).zip(catalog.services()) {
        let (features, kind) = (catalog.tied_to(service), CallKind::Ordinary);
        classes.push(gate.intern(Class {
            service,
            features,
            kind,
        })?);
        gate.set_terms(service, under(licensed.sessions_per_license.get()));
    }
    let emergency = gate.intern(Class {
        service: PGW,
        features: catalog.tied_to(PGW),
        kind: CallKind::Emergency,
    })?;

    println!("two threads set up {CALLS} calls of each service:");
    let (mut one, mut two) = (gate.worker()?, gate.worker()?);
    let mut sessions = thread::scope(|scope| {
        let other = scope.spawn(|| set_up(&mut two, &classes));
        let mut sessions = set_up(&mut one, &classes);
        sessions.extend(other.join().expect("call processing doesn't panic"));
        sessions
    });
    show(&gate, &catalog);

    let call = one
        .admit(emergency)
        .map_err(|refusal| format!("{refusal:?}"))?;
    sessions.push(call);
    println!("\nan emergency call at the ceiling is admitted and holds no license:");
    println!("{} sessions of PGW", gate.count_exact(PGW));

    gate.set_terms(PGW, under(4_000));
    match two.admit(classes[0]) {
        Ok(permit) => sessions.push(permit),
        Err(refusal) => println!("\nits ceiling is cut, a new call is refused:\n{refusal:?}"),
    }

    // Whichever thread ends a session gives its permit back.
    sessions.into_iter().for_each(|permit| two.release(permit));
    let left: u32 = gate.sample().services.iter().map(|s| s.sessions).sum();
    let lost = enforcer::permits_dropped();
    println!("\nall calls have ended: {left} sessions, {lost} permits lost");
    Ok(())
}
