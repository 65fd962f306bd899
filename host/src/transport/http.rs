//! The accept loop: bounded connections with deadlines, and an orderly end.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::StatusCode;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::plain;
use super::front::Front;

/// Serves until `stop` fires, then lets requests that are under way finish, for at most `drain`.
pub async fn serve(listener: TcpListener, front: Arc<Front>, stop: CancellationToken, drain: Duration) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(max_connections()));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let (front, stop) = (Arc::clone(&front), stop.clone());
                connections.spawn(async move {
                    connection(stream, front, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(cause = %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    if tokio::time::timeout(drain, connections.wait()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

async fn connection(stream: TcpStream, front: Arc<Front>, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    // A client that does not read what it asked for does not keep its connection.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let service = service_fn(move |request| {
        let front = Arc::clone(&front);
        async move {
            let answer = AssertUnwindSafe(front.answer(request)).catch_unwind().await;
            Ok::<_, Infallible>(answer.unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed")))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(cause = %error, "a connection ended early");
    }
}

/// Half of the descriptors that this process may have: the rest is for the journal, the
/// configuration and the way out.
fn max_connections() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) / 2;
    usize::try_from(limit).unwrap_or(MAX_CONNECTIONS).clamp(16, MAX_CONNECTIONS)
}

/// A listener keeps a connection for long: most are left for requests that end.
pub fn max_listeners() -> usize {
    max_connections() / 4
}

const MAX_CONNECTIONS: usize = 4096;
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 64 * 1024;
const HEADER_TIME: Duration = Duration::from_secs(5);
const WRITE_TIME: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
