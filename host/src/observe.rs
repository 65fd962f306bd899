//! Metrics for operators: counts and times of calls, refusals, exchanges, loads and the journal.
//!
//! [`Meters`] is one value that is cheap to clone. Each part of the host that knows a fact has one,
//! and the operations listener renders it as text for Prometheus.
//!
//! Invariant: labels are bounded. A label is a word of an enum or a name from the configuration or
//! the catalog, such as a tool or a service. No subject and no text of a client is ever a label: a
//! name that is not in the catalog becomes [`OTHER`], and so does every name beyond [`MAX_NAMES`].

mod call;
mod labels;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

pub use call::{CallIds, CallWatch};
use labels::{CallLabels, LabelNames, NamedLabels, PartLabels, RefusalLabels, TargetLabels};
pub use labels::{MAX_NAMES, OTHER};

/// The meters of one host. All clones are the same meters.
#[derive(Clone)]
pub struct Meters(Arc<Readings>);

struct Readings {
    targets: LabelNames,
    services: LabelNames,
    components: LabelNames,
    calls: Family<CallLabels, Counter>,
    seconds: Family<TargetLabels, Histogram, fn() -> Histogram>,
    running: Family<TargetLabels, Gauge>,
    refusals: Family<RefusalLabels, Counter>,
    exchanges: Family<NamedLabels, Counter>,
    troubles: Family<NamedLabels, Counter>,
    decided: Family<NamedLabels, Counter>,
    loads: Family<NamedLabels, Counter>,
    syncs: Histograms,
}

/// The histograms of the journal.
struct Histograms {
    seconds: Histogram,
    records: Histogram,
}

/// A kind and a name in the catalog.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'t> {
    /// The kind, such as `tool`.
    pub kind: &'static str,
    /// The name, as the catalog has it.
    pub name: &'t str,
}

/// The state of the host at one moment, read when the meters are rendered.
#[derive(Debug, Clone, Default)]
pub struct Moment {
    /// The use of each part's places.
    pub parts: Vec<PartUse>,
    /// True if the journal can be written.
    pub journal_healthy: bool,
    /// Records that wait to be written.
    pub journal_queue: usize,
    /// The memory of the process; `None` if the program's allocator keeps no figures.
    pub memory: Option<MemoryUse>,
}

/// The memory that a process uses through its allocator, in bytes. Tools' memories are not in it.
#[derive(Debug, Clone, Copy)]
pub struct MemoryUse {
    /// Memory that the program holds. If this grows without end, something leaks.
    pub allocated: usize,
    /// Whole pages of which the program holds a part.
    pub active: usize,
    /// Pages that the allocator keeps in memory, also unused ones that it has not yet given back.
    pub resident: usize,
    /// Addresses that the allocator has reserved for pages in use.
    pub mapped: usize,
}

/// Reads the figures of the program's allocator, if it keeps any.
pub type ReadMemory = fn() -> Option<MemoryUse>;

/// The use of one part's places.
#[derive(Debug, Clone, Copy)]
pub struct PartUse {
    /// The part, such as `calls`.
    pub name: &'static str,
    /// Places in use.
    pub used: usize,
    /// Requests that wait for a place.
    pub waiting: usize,
    /// Places in all, used or free; `None` for a part without a bound.
    pub places: Option<usize>,
}

impl Meters {
    /// Counts a request that was refused before a call was opened. `target` is `None` if there is
    /// none of that name, or if the request was refused before its target was known.
    pub fn refused(&self, target: Option<Measured<'_>>, reason: &'static str) {
        let labels = RefusalLabels {
            kind: target.map_or(OTHER, |target| target.kind),
            target: target.map_or_else(
                || OTHER.into(),
                |target| self.0.targets.bounded(target.name),
            ),
            reason,
        };
        self.0.refusals.get_or_create(&labels).inc();
    }

    /// Counts a token that was exchanged, or was not, for a call to a configured service.
    pub fn exchanged(&self, service: &str, outcome: &'static str) {
        let name = self.0.services.bounded(service);
        let labels = NamedLabels { name, outcome };
        self.0.exchanges.get_or_create(&labels).inc();
    }

    /// Counts what keeps a configured service from being asked: a pause that began or ended, and
    /// requests that were not sent because of one (`paused`) or for want of a place (`full`).
    pub fn troubled(&self, service: &str, outcome: &'static str) {
        let name = self.0.services.bounded(service);
        let labels = NamedLabels { name, outcome };
        self.0.troubles.get_or_create(&labels).inc();
    }

    /// Counts a request to a configured service about which the operator's policy point was asked:
    /// `allowed`, `denied`, or `unavailable` if there was no decision.
    pub fn decided(&self, service: &str, outcome: &'static str) {
        let name = self.0.services.bounded(service);
        let labels = NamedLabels { name, outcome };
        self.0.decided.get_or_create(&labels).inc();
    }

    /// Counts a component that was loaded, refused or removed. `outcome` is `loaded`, `removed` or
    /// the reason.
    pub fn loaded(&self, component: &str, outcome: &'static str) {
        let name = self.0.components.bounded(component);
        let labels = NamedLabels { name, outcome };
        self.0.loads.get_or_create(&labels).inc();
    }

    /// Measures one batch of the journal that was made durable.
    pub fn synced(&self, records: usize, took: Duration) {
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        self.0.syncs.records.observe(f64::from(records));
        self.0.syncs.seconds.observe(took.as_secs_f64());
    }

    /// Renders all metrics in the text format of `OpenMetrics`, which Prometheus reads.
    ///
    /// # Errors
    /// Fails if a value cannot be rendered.
    pub fn render(&self, moment: &Moment) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("bailiwick");
        self.register(&mut registry);
        moment.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }

    fn register(&self, registry: &mut Registry) {
        let inner = &self.0;
        registry.register("calls", "Calls that ended", inner.calls.clone());
        registry.register_with_unit(
            "call",
            "Time from the record that a call begins to the record that it ended",
            Unit::Seconds,
            inner.seconds.clone(),
        );
        registry.register("calls_running", "Calls under way", inner.running.clone());
        registry.register(
            "refusals",
            "Requests refused before a call was opened",
            inner.refusals.clone(),
        );
        registry.register(
            "token_exchanges",
            "Tokens exchanged for calls to a service",
            inner.exchanges.clone(),
        );
        registry.register(
            "service_troubles",
            "Pauses of services without answers, and requests that were not sent to a service",
            inner.troubles.clone(),
        );
        registry.register(
            "policy_decisions",
            "Requests to a service by the decision of the operator's policy point",
            inner.decided.clone(),
        );
        registry.register(
            "component_loads",
            "Components loaded, removed or refused",
            inner.loads.clone(),
        );
        registry.register_with_unit(
            "journal_sync",
            "Time to make one batch of the journal durable",
            Unit::Seconds,
            inner.syncs.seconds.clone(),
        );
        registry.register(
            "journal_batch_records",
            "Records in one batch of the journal",
            inner.syncs.records.clone(),
        );
    }
}

impl Moment {
    fn register(&self, registry: &mut Registry) {
        let (used, waiting, places) = (
            PartGauges::default(),
            PartGauges::default(),
            PartGauges::default(),
        );
        for part in &self.parts {
            let labels = PartLabels { part: part.name };
            for (family, value) in [
                (&used, Some(part.used)),
                (&waiting, Some(part.waiting)),
                (&places, part.places),
            ] {
                if let Some(value) = value {
                    family.get_or_create(&labels).set(signed(value));
                }
            }
        }
        registry.register("places_used", "Places in use", used);
        registry.register("places_waiting", "Requests that wait for a place", waiting);
        registry.register("places", "All places, where there is a bound", places);
        let (healthy, queue) = (Gauge::<i64>::default(), Gauge::<i64>::default());
        healthy.set(i64::from(self.journal_healthy));
        queue.set(signed(self.journal_queue));
        registry.register(
            "journal_healthy",
            "Whether the journal can be written",
            healthy,
        );
        registry.register(
            "journal_queue_records",
            "Records that wait to be written",
            queue,
        );
        if let Some(memory) = &self.memory {
            memory.register(registry);
        }
    }
}

impl MemoryUse {
    fn register(&self, registry: &mut Registry) {
        for (name, help, bytes) in [
            (
                "memory_allocated",
                "Memory that the program holds",
                self.allocated,
            ),
            (
                "memory_active",
                "Pages of which the program holds a part",
                self.active,
            ),
            (
                "memory_resident",
                "Pages that the allocator keeps in memory",
                self.resident,
            ),
            (
                "memory_mapped",
                "Addresses of the allocator's pages",
                self.mapped,
            ),
        ] {
            let gauge = Gauge::<i64>::default();
            gauge.set(signed(bytes));
            registry.register_with_unit(name, help, Unit::Bytes, gauge);
        }
    }
}

type PartGauges = Family<PartLabels, Gauge>;

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Default for Meters {
    fn default() -> Self {
        Self(Arc::new(Readings {
            targets: LabelNames::default(),
            services: LabelNames::default(),
            components: LabelNames::default(),
            calls: Family::default(),
            seconds: Family::new_with_constructor(call::call_seconds),
            running: Family::default(),
            refusals: Family::default(),
            exchanges: Family::default(),
            troubles: Family::default(),
            decided: Family::default(),
            loads: Family::default(),
            syncs: Histograms::default(),
        }))
    }
}

impl Default for Histograms {
    fn default() -> Self {
        Self {
            // From 0.1 ms to 3.3 s.
            seconds: Histogram::new(exponential_buckets(0.0001, 2.0, 16)),
            // From 1 to 2048 records.
            records: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
        }
    }
}

#[cfg(test)]
mod tests;
