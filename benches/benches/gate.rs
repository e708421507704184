//! Trends of the gate's paths; the figures that are promised have binaries of their own.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use std::hint::black_box;

use benches::subject::{CEILING, Line, SERVICE, Subject, add_sub, admit_release};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn pairs(criterion: &mut Criterion) {
    const PAIRS: u64 = 1_000;
    let subject = Subject::new(8);
    let mut worker = subject.worker();
    let line = Line::default();
    let mut group = criterion.benchmark_group("pair");
    group.throughput(Throughput::Elements(PAIRS));
    group.bench_function("add and sub on an own line", |b| {
        b.iter(|| add_sub(&line, PAIRS))
    });
    group.bench_function("admit and release", |b| {
        b.iter(|| admit_release(&mut worker, subject.class, PAIRS));
    });
    group.finish();
}

fn at_the_ceiling(criterion: &mut Criterion) {
    let subject = Subject::new(8);
    let mut worker = subject.worker();
    let mut permits: Vec<_> = (0..CEILING)
        .map(|_| worker.restore(subject.class))
        .collect();
    let mut group = criterion.benchmark_group("at the ceiling");
    group.bench_function("refusal", |b| {
        b.iter(|| black_box(worker.admit(subject.class).is_err()))
    });
    group.bench_function("release and admit", |b| {
        b.iter(|| {
            permits
                .pop()
                .into_iter()
                .for_each(|permit| worker.release(permit));
            permits.extend(worker.admit(subject.class).ok());
        });
    });
    group.finish();
    permits
        .into_iter()
        .for_each(|permit| worker.release(permit));
}

fn slow_half(criterion: &mut Criterion) {
    let subject = Subject::new(8);
    let terms = subject.gate.terms(SERVICE);
    let mut group = criterion.benchmark_group("slow half");
    group.bench_function("set terms", |b| {
        b.iter(|| subject.gate.set_terms(SERVICE, terms))
    });
    group.bench_function("count", |b| {
        b.iter(|| black_box(subject.gate.count(SERVICE)))
    });
    group.bench_function("sample", |b| b.iter(|| black_box(subject.gate.sample())));
    group.finish();
}

criterion_group!(gate, pairs, at_the_ceiling, slow_half);
criterion_main!(gate);
