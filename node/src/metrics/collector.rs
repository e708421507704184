//! The families of a view, in the text of OpenMetrics 1.0.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bulkstats::families::{self, Family, Histogram, Number, Sample, Type};
use bulkstats::view::View;
use enforcer::RefusalSeen;
use licensing::Wall;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::{CounterWithExemplar, Exemplar};
use prometheus_client::registry::{Registry, Unit};

use super::latency::{Bucket, Latencies};
use super::refusals::Last;
use crate::interface::Interface;

/// One scrape.
#[derive(Debug)]
struct Scrape {
    view: View,
    now: Wall,
    last: Vec<Last>,
    latencies: Arc<Latencies>,
}

type Labels<'a> = Vec<(String, Cow<'a, str>)>;
type NoExemplars = HashMap<usize, Exemplar<Labels<'static>, f64>>;
const NONE: Option<&Exemplar<Labels<'static>, f64>> = None;

/// All families of a view that is of now. Errors: a value can't be written.
pub(super) fn text(view: View, now: Wall, interface: &Interface) -> Result<String, fmt::Error> {
    let scrape = Scrape {
        view,
        now,
        last: interface.refusals.of_each(),
        latencies: Arc::clone(&interface.latencies),
    };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(scrape));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut done = Ok(());
        families::collect(&self.view, self.now, |family, samples| {
            if done.is_ok() && !samples.is_empty() {
                done = self.family(&mut encoder, &family, &samples);
            }
        });
        done?;
        let latencies = &self.latencies;
        histogram(&mut encoder, families::PROCEDURES, latencies.procedures())?;
        histogram(&mut encoder, families::ADMISSIONS, latencies.admissions())
    }
}

impl Scrape {
    fn family(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        family: &Family,
        samples: &[Sample<'_>],
    ) -> fmt::Result {
        let unit = family.unit.map(|unit| Unit::Other(unit.to_owned()));
        let kind = metric_type(family.kind);
        let mut encoder =
            encoder.encode_descriptor(&family.name, family.help, unit.as_ref(), kind)?;
        for sample in samples {
            match family.kind {
                Type::Info => encoder.encode_info(&sample.labels)?,
                Type::Counter => self.counter(&mut encoder, family, sample)?,
                Type::Gauge | Type::Histogram => gauge(&mut encoder, sample)?,
            }
        }
        Ok(())
    }

    fn counter(
        &self,
        encoder: &mut MetricEncoder<'_>,
        family: &Family,
        sample: &Sample<'_>,
    ) -> fmt::Result {
        let mut encoder = encoder.encode_family(&sample.labels)?;
        match (sample.value, self.refusal(family, sample)) {
            (Number::Whole(n), Some(seen)) => with_exemplar(n, seen).encode(encoder),
            (Number::Whole(n), None) => encoder.encode_counter(&n, NONE),
            (Number::Real(n), _) => encoder.encode_counter(&n, NONE),
        }
    }

    /// The last refusal that a sample has counted, of a service's counter of refusals that is not 0.
    fn refusal(&self, family: &Family, sample: &Sample<'_>) -> Option<&RefusalSeen> {
        let value = |name: &str| {
            let mut labels = sample.labels.iter();
            labels
                .find(|(label, _)| label == name)
                .map(|(_, value)| value.as_ref())
        };
        if sample.value == Number::Whole(0) || value("kind") != Some("service") {
            return None;
        }
        let mut services = self.view.node.services.iter();
        let tag = value("tagid")?;
        let service = services.find(|service| service.tag.tag_id.0.to_string() == tag)?;
        let mut last = self.last.iter();
        let last = last
            .find(|last| last.seen.service == service.service && last.counter() == family.variable);
        last.map(|last| &last.seen)
    }
}

/// A counter of refusals with what is told of the last: when, at which access point, and with which cause it was answered.
/// Nothing of the subscriber is known here.
fn with_exemplar(refusals: u64, seen: &RefusalSeen) -> CounterWithExemplar<Labels<'_>> {
    /// Of 128 that OpenMetrics has for all labels of an exemplar.
    const APN_CHARACTERS: usize = 100;
    let apn: String = seen.apn.chars().take(APN_CHARACTERS).collect();
    let labels = vec![
        ("apn".to_owned(), Cow::Owned(apn)),
        ("cause".to_owned(), Cow::Owned(seen.cause.to_string())),
    ];
    let since_1970 = Duration::from_millis(u64::try_from(seen.at.0).unwrap_or(0));
    let counter = CounterWithExemplar::default();
    counter.inc_by(refusals.saturating_sub(1), None, None);
    counter.inc_by(1, Some(labels), Some(UNIX_EPOCH + since_1970));
    counter
}

fn gauge(encoder: &mut MetricEncoder<'_>, sample: &Sample<'_>) -> fmt::Result {
    let mut encoder = encoder.encode_family(&sample.labels)?;
    match sample.value {
        Number::Whole(n) => encoder.encode_gauge(&n),
        Number::Real(n) => encoder.encode_gauge(&n),
    }
}

fn histogram(
    encoder: &mut DescriptorEncoder<'_>,
    about: Histogram,
    rows: Vec<(&'static str, Bucket)>,
) -> fmt::Result {
    let unit = Unit::Seconds;
    let kind = MetricType::Histogram;
    let mut encoder = encoder.encode_descriptor(about.name, about.help, Some(&unit), kind)?;
    for (name, row) in rows {
        let labels = [(about.label, name)];
        let mut encoder = encoder.encode_family(&labels)?;
        let buckets: Vec<(f64, u64)> = row.buckets().collect();
        encoder.encode_histogram(row.sum_s(), row.count(), &buckets, None::<&NoExemplars>)?;
    }
    Ok(())
}

fn metric_type(kind: Type) -> MetricType {
    match kind {
        Type::Counter => MetricType::Counter,
        Type::Gauge => MetricType::Gauge,
        Type::Info => MetricType::Info,
        Type::Histogram => MetricType::Histogram,
    }
}
