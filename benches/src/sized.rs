//! Gates of any size, in service: each service with a class of so many features, and room below an old peak.

use std::sync::Arc;

use enforcer::{CallKind, Class, ClassId, Form, Gate, GateConfig, Permit, Terms, WorkerGate};
use licensing::{FeatureIndex, FeatureSet, ServiceIndex};

/// How large.
#[derive(Clone, Copy)]
pub struct Size {
    /// The gate's form.
    pub form: Form,
    /// Services, each with a ceiling.
    pub services: u8,
    /// Features of each class.
    pub features: u8,
    /// Workers there is place for.
    pub workers: u16,
    /// Ceiling of each service.
    pub ceiling: u32,
    /// Sessions that each service had once.
    pub peak: u32,
}

impl Size {
    /// As the embedded catalog has it: seven services, three features, two workers, one license a service.
    pub fn usual(form: Form) -> Self {
        Self {
            form,
            services: 7,
            features: 3,
            workers: 2,
            ceiling: 10_000,
            peak: 5_000,
        }
    }

    /// The gate, and a class for each of its services.
    pub fn gate(self) -> (Arc<Gate>, Vec<ClassId>) {
        let gate = Gate::new(GateConfig {
            form: self.form,
            ..GateConfig::new(self.services, self.workers)
        });
        let gate = gate.expect("the size is within bounds");
        let features: FeatureSet = (0..self.features).map(FeatureIndex).collect();
        let classes = (0..self.services).map(ServiceIndex).map(|service| {
            let terms = Terms {
                ceiling: Some(self.ceiling),
                priority_share: self.ceiling / 20,
                ..Terms::default()
            };
            gate.set_terms(service, terms);
            let class = Class {
                service,
                features,
                kind: CallKind::Ordinary,
            };
            gate.intern(class)
                .expect("there is room for a class a service")
        });
        let classes: Vec<ClassId> = classes.collect();
        let mut worker = gate.worker().expect("there is a place for this worker");
        for class in &classes {
            let permits = hold(&mut worker, *class, self.peak);
            permits
                .into_iter()
                .for_each(|permit| worker.release(permit));
        }
        drop(worker);
        (gate, classes)
    }
}

/// So many sessions more.
pub fn hold(worker: &mut WorkerGate, class: ClassId, sessions: u32) -> Vec<Permit> {
    (0..sessions).map(|_| worker.restore(class)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_has_its_size() {
        let size = Size {
            services: 3,
            features: 2,
            ..Size::usual(Form::Atomic)
        };
        let (gate, classes) = size.gate();
        assert_eq!(classes.len(), 3);
        let class = gate.class(classes[2]).unwrap();
        assert_eq!(
            (class.service, class.features.iter().count()),
            (ServiceIndex(2), 2)
        );
        for service in (0..3).map(ServiceIndex) {
            assert_eq!(gate.terms(service).ceiling, Some(10_000));
            assert_eq!((gate.count_exact(service), gate.peak(service)), (0, 5_000));
        }
        let mut worker = gate.worker().unwrap();
        let held = hold(&mut worker, classes[1], 9);
        assert_eq!(gate.count_exact(ServiceIndex(1)), 9);
        held.into_iter().for_each(|permit| worker.release(permit));
        assert_eq!(gate.count_exact(ServiceIndex(1)), 0);
    }
}
