//! The accept loop: bounded connections with deadlines and an owner each, and an orderly end.

mod course;
mod head;
mod places;
mod wire;

use std::convert::Infallible;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::{Method, Request, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{HttpAnswer, later, plain};
use crate::cores::Cores;
pub(super) use course::Course;
pub(super) use places::ConnectionBounds;
use places::{ConnectionPlace, Places};
use wire::{HEADER_TIME, MAX_HEAD, Wire};

/// The service that answers the requests of one listener.
pub(super) trait Door: Send + Sync + 'static {
    /// Answers one request of the connection `course`.
    fn answer(
        &self,
        request: Request<Incoming>,
        course: &Course,
    ) -> impl Future<Output = HttpAnswer> + Send;

    /// Answers a question about health. When there are too many connections, nothing else is
    /// answered.
    fn health(&self, path: &str, method: &Method) -> Option<HttpAnswer>;
}

/// The settings of a listener.
pub struct Listening {
    /// The bound socket.
    pub listener: TcpListener,
    /// Peers that may have any number of connections.
    pub trusted: Vec<IpNet>,
    /// Fires when the listener must stop.
    pub stop: CancellationToken,
    /// The time that requests under way then have to finish.
    pub drain: Duration,
    /// The cores that serve the connections, if not the shared runtime.
    pub cores: Option<Arc<Cores>>,
}

/// Serves what `door` answers until the listener must stop.
pub(super) async fn serve<D: Door>(listening: Listening, bounds: ConnectionBounds, door: Arc<D>) {
    let Listening {
        listener,
        trusted,
        stop,
        drain,
        cores,
    } = listening;
    let connections = TaskTracker::new();
    let places = Places::new(bounds, trusted);
    let mut failures = Failures::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // A connection without a place is closed at once.
                if let Some(place) = places.enter(peer.ip()) {
                    let (door, stop) = (Arc::clone(&door), stop.clone());
                    let serving = |stream| connection(stream, place, door, stop);
                    start(&connections, cores.as_deref(), stream, serving);
                }
                // A connection that had to make room gets the time to go.
                tokio::task::yield_now().await;
            }
            Err(error) => {
                failures.tell(&error);
                // Without a pause, an error that lasts, such as too many open files, would make
                // this loop spin.
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    if tokio::time::timeout(drain, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

/// Starts to serve a connection on one of the cores, or in the runtime of the caller.
fn start<F>(
    connections: &TaskTracker,
    cores: Option<&Cores>,
    stream: TcpStream,
    serving: impl FnOnce(TcpStream) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(core) = cores.map(Cores::deal) else {
        connections.spawn(serving(stream));
        return;
    };
    let runtime = core.runtime().clone();
    let served = async move {
        let _core = core;
        // The socket belongs to the runtime in which it is registered.
        match stream.into_std().and_then(TcpStream::from_std) {
            Ok(stream) => serving(stream).await,
            Err(error) => tracing::warn!(cause = %error, "a connection could not be served"),
        }
    };
    connections.spawn_on(served, &runtime);
}

async fn connection<D: Door>(
    stream: TcpStream,
    place: ConnectionPlace,
    door: Arc<D>,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let first = if place.only_health() {
        HEALTH_TIME
    } else {
        HEADER_TIME
    };
    let course = Course::new(place);
    let wire = Wire::new(stream, Arc::clone(&course), first);
    // A client that does not read its answers does not keep its connection.
    let mut stream = TimeoutStream::new(wire);
    stream.set_write_timeout(Some(WRITE_TIME));
    let own = Arc::clone(&course);
    let service = service_fn(move |request: Request<Incoming>| {
        own.begin(request.body().size_hint().exact(), request.version());
        let (door, course) = (Arc::clone(&door), Arc::clone(&own));
        async move {
            let answer = AssertUnwindSafe(answer(&*door, request, &course))
                .catch_unwind()
                .await;
            let answer = answer
                .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed"));
            Ok::<_, Infallible>(course.answering(answer))
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = out(&course) => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(cause = %error, "a connection ended early");
    }
}

/// Waits until another connection needs the place. A request that is under way is answered first.
async fn out(course: &Course) {
    course.place().out().await;
    if course.is_busy() {
        pending::<()>().await;
    }
}

async fn answer<D: Door>(door: &D, request: Request<Incoming>, course: &Course) -> HttpAnswer {
    if course.place().only_health() {
        let health = door.health(request.uri().path(), request.method());
        return health.unwrap_or_else(|| later("there are too many connections; try again"));
    }
    door.answer(request, course).await
}

/// Returns the bounds of the front door: half of the descriptors that this process may have, and a
/// few for health. The rest is for the journal, the configuration and services.
pub(super) fn bounds() -> ConnectionBounds {
    let all = max_connections();
    ConnectionBounds {
        all,
        each: (all / SHARES).max(LEAST_SHARE),
        health: (all / 2).min(MAX_HEALTH),
    }
}

fn max_connections() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / 2;
    usize::try_from(limit)
        .unwrap_or(MAX_CONNECTIONS)
        .clamp(16, MAX_CONNECTIONS)
}

/// Returns the most listeners. A listener keeps a connection for long, so most connections are left
/// for requests that end.
pub fn max_listeners() -> usize {
    max_connections() / 4
}

/// Connections that could not be accepted. They make one line in each interval, with the number
/// since the last.
#[derive(Default)]
struct Failures {
    told: Option<Instant>,
    count: u64,
}

impl Failures {
    fn tell(&mut self, error: &std::io::Error) {
        self.count += 1;
        if self.told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
            let count = std::mem::take(&mut self.count);
            tracing::warn!(cause = %error, count, "connections could not be accepted");
            self.told = Some(Instant::now());
        }
    }
}

/// The bounds of the operations listener: a few programs ask, every few seconds.
pub(super) const FEW: ConnectionBounds = ConnectionBounds {
    all: 32,
    each: 16,
    health: 8,
};

const MAX_CONNECTIONS: usize = 4096;
/// The number of shares in the whole. One address has one.
const SHARES: usize = 8;
const LEAST_SHARE: usize = 8;
const MAX_HEALTH: usize = 64;
const MAX_HEADERS: usize = 64;
/// The time for the head of a question about health, when nothing else is answered.
const HEALTH_TIME: Duration = Duration::from_secs(1);
const WRITE_TIME: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
const TELL_AGAIN: Duration = Duration::from_secs(10);
