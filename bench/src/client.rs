//! The client: keep-alive HTTP/1.1, one request after another on each connection, with prepared
//! requests.
//!
//! Trusts nothing of a server beyond its bytes. Hands on the figures of a turn. Invariant: a call
//! is counted only if the answer arrived whole, with status 200 and a result that is not an error.

mod line;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use http::Request;
use hyper::body::Bytes;
use tokio::task::JoinSet;
use url::Url;

use crate::figures::Figures;
use crate::usage::{Meter, Reading};
use line::{Called, Line};

/// A server, with the requests to send to it.
#[derive(Clone)]
pub(crate) struct Target {
    /// Its name in the results.
    pub(crate) name: String,
    /// Its address.
    pub(crate) url: Url,
    /// The requests, made beforehand.
    pub(crate) requests: Arc<Vec<Request<Bytes>>>,
    /// The request of each call.
    pub(crate) order: Order,
    /// What a call costs, if it runs here.
    pub(crate) meter: Option<Meter>,
    /// The calls so far.
    pub(crate) count: Arc<Count>,
}

/// The request that a connection sends next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A connection keeps to one request; the connections take turns with them.
    One,
    /// A connection goes through them all, so that all are sent equally often.
    All,
}

/// Answers of a server since it was started.
#[derive(Default)]
pub(crate) struct Count {
    /// Calls that succeeded, counted in a turn or not.
    pub(crate) answered: AtomicU64,
    /// Calls that found the server too busy.
    pub(crate) busy: AtomicU64,
}

/// The connections and durations of one turn.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Connections that call.
    pub(crate) calling: usize,
    /// Connections that are open, and called once.
    pub(crate) idle: usize,
    /// The time before the calls count.
    pub(crate) warm_up: Duration,
    /// The time in which they count.
    pub(crate) turn: Duration,
}

impl Load {
    /// Returns the number of open connections.
    pub(crate) fn connections(self) -> usize {
        self.calling + self.idle
    }
}

impl Target {
    /// Makes the target at `url` that gets these requests.
    pub(crate) fn new(
        name: &str,
        url: &str,
        requests: Vec<Request<Bytes>>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            url: Url::parse(url)?,
            requests: Arc::new(requests),
            order: Order::One,
            meter: None,
            count: Arc::default(),
        })
    }

    /// Measures what the calls cost the process.
    pub(crate) fn metered(mut self, meter: Option<Meter>) -> Self {
        self.meter = meter;
        self
    }

    /// Calls once with each request.
    pub(crate) async fn introduce(&self) -> anyhow::Result<()> {
        self.call(self.requests.len()).await
    }

    /// Calls this many times, with one request after another, on a few connections.
    pub(crate) async fn call(&self, calls: usize) -> anyhow::Result<()> {
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let mut line = Line::open(self, number).await?;
            let share = calls.saturating_sub(number).div_ceil(CALLERS);
            callers.spawn(async move { line.call_each(share, CALLERS).await });
        }
        while let Some(called) = callers.join_next().await {
            called?.with_context(|| self.name.clone())?;
        }
        Ok(())
    }

    /// Returns how many calls succeeded, counted in a turn or not.
    pub(crate) fn answered(&self) -> u64 {
        self.count.answered.load(Ordering::Relaxed)
    }

    async fn read(&self) -> Option<Reading> {
        Some(self.meter.as_ref()?.read(self.answered()).await)
    }
}

/// Calls the target on some connections, after a warm-up.
pub(crate) async fn load(target: &Target, load: Load) -> anyhow::Result<Figures> {
    let mut idle = Vec::new();
    for number in 0..load.idle {
        let mut line = Line::open(target, number).await?;
        line.call_each(1, 1).await?;
        idle.push(line);
    }
    let mut lines = Vec::new();
    for number in 0..load.calling {
        lines.push(Line::open(target, number).await?);
    }
    let begin = Instant::now() + load.warm_up;
    let mut callers = JoinSet::new();
    for line in lines {
        callers.spawn(line.call_until(begin, begin + load.turn));
    }
    let used = between(target, begin, begin + load.turn).await;
    let mut all = Called::default();
    while let Some(called) = callers.join_next().await {
        all.add(called?.with_context(|| target.name.clone())?);
    }
    ensure!(
        !all.took.is_empty(),
        "{}: no call came to its end within a turn",
        target.name
    );
    Figures::of(all.took, all.busy, load.turn, used)
}

/// Returns the readings at two moments.
async fn between(target: &Target, begin: Instant, end: Instant) -> Option<(Reading, Reading)> {
    tokio::time::sleep_until(begin.into()).await;
    let before = target.read().await?;
    tokio::time::sleep_until(end.into()).await;
    Some((before, target.read().await?))
}

/// The connections of calls that are not measured.
const CALLERS: usize = 64;
