//! One keep-alive connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Count, Order, Target};

pub(super) struct Line {
    sender: SendRequest<Full<Bytes>>,
    requests: Arc<Vec<Request<Bytes>>>,
    order: Order,
    /// The next request.
    next: usize,
    count: Arc<Count>,
    // Dropping it ends the connection.
    _driver: JoinSet<()>,
}

/// The calls of one turn.
#[derive(Default)]
pub(super) struct Called {
    /// The durations of those that began and ended in it.
    pub(super) took: Vec<Duration>,
    /// The number of those that found the server busy.
    pub(super) busy: usize,
}

impl Called {
    pub(super) fn add(&mut self, other: Self) {
        self.took.extend(other.took);
        self.busy += other.busy;
    }
}

impl Line {
    /// Opens the connection of this number.
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of a measurement, never part of the host"
    )]
    pub(super) async fn open(target: &Target, number: usize) -> anyhow::Result<Self> {
        let address = target.url.socket_addrs(|| None)?;
        let stream = TcpStream::connect(address.as_slice())
            .await
            .with_context(|| format!("cannot reach {}", target.url))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move { drop(connection.await) });
        Ok(Self {
            sender,
            requests: Arc::clone(&target.requests),
            order: target.order,
            next: number,
            count: Arc::clone(&target.count),
            _driver: driver,
        })
    }

    /// Calls until the end of the turn.
    pub(super) async fn call_until(
        mut self,
        begin: Instant,
        end: Instant,
    ) -> anyhow::Result<Called> {
        let mut called = Called::default();
        loop {
            let started = Instant::now();
            if started >= end {
                return Ok(called);
            }
            let done = self.call().await?;
            if self.order == Order::All {
                self.next += STRIDE;
            }
            let ended = Instant::now();
            match done {
                Done::Success if started >= begin && ended <= end => {
                    called.took.push(ended - started);
                }
                Done::Busy => called.busy += usize::from(started >= begin),
                Done::Success => {}
            }
        }
    }

    /// Calls this many times, with every request that is `stride` after the one before.
    pub(super) async fn call_each(&mut self, calls: usize, stride: usize) -> anyhow::Result<()> {
        for _ in 0..calls {
            while matches!(self.call().await?, Done::Busy) {}
            self.next += stride;
        }
        Ok(())
    }

    async fn call(&mut self) -> anyhow::Result<Done> {
        let request = self
            .requests
            .get(self.next % self.requests.len().max(1))
            .context("a target without requests")?
            .clone()
            .map(Full::new);
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let done = judge(status, &body)?;
        let counter = match done {
            Done::Success => &self.count.answered,
            Done::Busy => &self.count.busy,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(done)
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

/// The step of a connection through all requests: a prime, so that it meets all of them, and
/// neighbours do not send the same.
const STRIDE: usize = 7919;
const RESULT: &[u8] = br#""result":"#;
const FAILED: &[u8] = br#""isError":true"#;
/// The host's answer when all places are taken.
const BUSY: &[u8] = br#""io.bailiwick/reason":"overloaded""#;
