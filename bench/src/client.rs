//! The client: keep-alive HTTP/1.1, one request after another on each connection, with a prepared
//! body.
//!
//! Trusts nothing of a server beyond its bytes. Hands on how long calls took. Invariant: a call is
//! counted only if the answer arrived whole, with status 200 and a result that is not an error.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::Url;

use crate::processor;

/// A server, with the one request to send to it, once for each bearer.
#[derive(Clone)]
pub(crate) struct Target {
    /// Its name in the results.
    pub(crate) name: String,
    /// Its address.
    pub(crate) url: Url,
    /// The headers; the connections take turns.
    pub(crate) headers: Vec<HeaderMap>,
    /// The body, made beforehand.
    pub(crate) body: Bytes,
    /// Its process, if it runs here.
    pub(crate) process: Option<u32>,
}

/// The figures of one turn.
pub(crate) struct Turn {
    /// Successful calls a second.
    pub(crate) calls_per_s: f64,
    /// The durations of the calls, sorted.
    pub(crate) took: Vec<Duration>,
    /// Calls that the server was too busy for.
    pub(crate) busy: usize,
    /// Processor time that the server took.
    pub(crate) cpu: Option<Duration>,
}

impl Turn {
    /// Returns the server's processor time for each call, microseconds.
    pub(crate) fn cpu_us(&self) -> Option<f64> {
        Some(self.cpu?.as_secs_f64() * 1e6 / f64::from(u32::try_from(self.took.len()).ok()?))
    }

    /// Returns the time within which this share of the calls was answered, microseconds.
    pub(crate) fn percentile_us(&self, share: usize) -> f64 {
        let at = (self.took.len() * share / 100).min(self.took.len().saturating_sub(1));
        self.took
            .get(at)
            .map_or(f64::NAN, |took| took.as_secs_f64() * 1e6)
    }
}

/// Calls the target on this many connections, after a warm-up.
pub(crate) async fn load(
    target: &Target,
    connections: usize,
    warm_up: Duration,
    turn: Duration,
) -> anyhow::Result<Turn> {
    let mut callers = JoinSet::new();
    let mut lines = Vec::new();
    for number in 0..connections {
        lines.push(Line::open(target, number).await?);
    }
    let begin = Instant::now() + warm_up;
    for line in lines {
        callers.spawn(line.call_until(begin, begin + turn));
    }
    let cpu = between(target.process, begin, begin + turn).await;
    let (mut took, mut busy) = (Vec::new(), 0);
    while let Some(called) = callers.join_next().await {
        let (more, refused) = called?.with_context(|| target.name.clone())?;
        took.extend(more);
        busy += refused;
    }
    ensure!(
        !took.is_empty(),
        "{}: no call came to its end within a turn",
        target.name
    );
    took.sort_unstable();
    let count = u32::try_from(took.len())?;
    Ok(Turn {
        calls_per_s: f64::from(count) / turn.as_secs_f64(),
        took,
        busy,
        cpu,
    })
}

/// Returns the processor time of a process between two moments.
async fn between(process: Option<u32>, begin: Instant, end: Instant) -> Option<Duration> {
    tokio::time::sleep_until(begin.into()).await;
    let before = processor::used(process?)?;
    tokio::time::sleep_until(end.into()).await;
    processor::used(process?)?.checked_sub(before)
}

/// One keep-alive connection.
struct Line {
    sender: SendRequest<Full<Bytes>>,
    request: Request<Bytes>,
    // Dropping it ends the connection.
    _driver: JoinSet<()>,
}

impl Line {
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of a measurement, never part of the host"
    )]
    async fn open(target: &Target, number: usize) -> anyhow::Result<Self> {
        let address = target.url.socket_addrs(|| None)?;
        let stream = TcpStream::connect(address.as_slice())
            .await
            .with_context(|| format!("cannot reach {}", target.url))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move { drop(connection.await) });
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(target.url.path())
            .body(target.body.clone())?;
        let headers = target
            .headers
            .get(number % target.headers.len().max(1))
            .context("a target without headers")?;
        *request.headers_mut() = headers.clone();
        Ok(Self {
            sender,
            request,
            _driver: driver,
        })
    }

    /// Returns the durations of the calls that began and ended in between, and how many found the
    /// server busy.
    async fn call_until(
        mut self,
        begin: Instant,
        end: Instant,
    ) -> anyhow::Result<(Vec<Duration>, usize)> {
        let (mut took, mut busy) = (Vec::new(), 0);
        loop {
            let started = Instant::now();
            if started >= end {
                return Ok((took, busy));
            }
            let done = self.call().await?;
            let ended = Instant::now();
            match done {
                Done::Success if started >= begin && ended <= end => took.push(ended - started),
                Done::Busy => busy += usize::from(started >= begin),
                Done::Success => {}
            }
        }
    }

    async fn call(&mut self) -> anyhow::Result<Done> {
        self.sender.ready().await?;
        let request = self.request.clone().map(Full::new);
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        judge(status, &body)
    }
}

enum Done {
    Success,
    Busy,
}

fn judge(status: StatusCode, body: &[u8]) -> anyhow::Result<Done> {
    if status == StatusCode::OK && has(body, RESULT) && !has(body, FAILED) {
        return Ok(Done::Success);
    }
    if has(body, BUSY) {
        return Ok(Done::Busy);
    }
    bail!(
        "a call failed with {status}: {}",
        String::from_utf8_lossy(body)
    )
}

fn has(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}

const RESULT: &[u8] = br#""result":"#;
const FAILED: &[u8] = br#""isError":true"#;
/// The host's answer when all places are taken.
const BUSY: &[u8] = br#""io.bailiwick/reason":"overloaded""#;
