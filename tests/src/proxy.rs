//! A forwarding proxy, as operators put before the host: the requests of all clients share few
//! connections, which are kept alive.
//!
//! It changes nothing but `Host`, and an answer passes as it arrives. Invariant: a connection
//! carries one request at a time, and is used again once the answer is complete.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use anyhow::Result;
use bailiwick_dev::client::Connection;
use http::header::HOST;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A running proxy; stops when dropped.
pub struct Proxy {
    url: String,
    upstream: Arc<Upstream>,
    _task: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy on loopback before the server at a URL.
    ///
    /// # Errors
    /// No port.
    pub async fn before(url: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let own = format!("http://{}", listener.local_addr()?);
        let upstream = Arc::new(Upstream {
            url: url.to_owned(),
            idle: Mutex::default(),
            opened: AtomicUsize::new(0),
        });
        let mut task = JoinSet::new();
        task.spawn(accept(listener, Arc::clone(&upstream)));
        let path = url::Url::parse(url)?.path().to_owned();
        Ok(Self {
            url: own + &path,
            upstream,
            _task: task,
        })
    }

    /// Returns the URL at which the proxy stands for the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the number of connections to the server so far.
    pub fn opened(&self) -> usize {
        self.upstream.opened.load(Ordering::Relaxed)
    }
}

/// The server behind the proxy, and the connections to it that no request uses.
struct Upstream {
    url: String,
    idle: Mutex<Vec<Connection>>,
    opened: AtomicUsize,
}

impl Upstream {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the connection that was used last, or a new one.
    async fn connection(&self) -> Result<Connection> {
        loop {
            let Some(mut idle) = self.idle().pop() else {
                self.opened.fetch_add(1, Ordering::Relaxed);
                return Connection::to(&self.url).await;
            };
            if idle.is_ready().await {
                return Ok(idle);
            }
        }
    }

    async fn forward(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Forwarded>> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let mut connection = self.connection().await?;
        parts.headers.remove(HOST);
        let target = parts.uri.to_string();
        let answer = connection
            .begin(parts.method, &target, parts.headers, body)
            .await?;
        Ok(answer.map(|incoming| Forwarded::new(incoming, connection, self)))
    }
}

/// The body of an answer on its way, which gives its connection back at its end.
struct Forwarded {
    incoming: Incoming,
    connection: Option<Connection>,
    upstream: Arc<Upstream>,
}

impl Forwarded {
    fn new(incoming: Incoming, connection: Connection, upstream: Arc<Upstream>) -> Self {
        let mut forwarded = Self {
            incoming,
            connection: Some(connection),
            upstream,
        };
        if forwarded.incoming.is_end_stream() {
            forwarded.end();
        }
        forwarded
    }

    fn end(&mut self) {
        let connection = self.connection.take();
        self.upstream.idle().extend(connection);
    }
}

impl Body for Forwarded {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.incoming).poll_frame(context));
        if frame.is_none() || self.incoming.is_end_stream() {
            self.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }
}

async fn accept(listener: TcpListener, upstream: Arc<Upstream>) {
    let mut clients = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let upstream = Arc::clone(&upstream);
        clients.spawn(async move {
            let answer = service_fn(|request| answer(Arc::clone(&upstream), request));
            // A client that disconnects is no error of the proxy.
            let _broken = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
        while clients.try_join_next().is_some() {}
    }
}

async fn answer(
    upstream: Arc<Upstream>,
    request: Request<Incoming>,
) -> Result<Response<Either<Forwarded, Full<Bytes>>>, Infallible> {
    Ok(match upstream.forward(request).await {
        Ok(answer) => answer.map(Either::Left),
        Err(error) => {
            let mut answer = Response::new(Either::Right(Full::from(format!("{error:#}"))));
            *answer.status_mut() = StatusCode::BAD_GATEWAY;
            answer
        }
    })
}
