//! The ways to the host: a connection for each request, one connection for all, and a proxy.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use bailiwick_dev::client::{self, Connection, Reply};
use bailiwick_dev::mcp::Answer;
use bailiwick_dev::{Listening, mcp};
use bailiwick_tests::Proxy;
use http::{HeaderMap, Method};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::Mutex;

/// A way to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A connection of its own.
    Alone,
    /// The connection that all callers share.
    Shared,
    /// The proxy, which sends all over few connections.
    Proxied,
}

pub(super) const WAYS: [Way; 3] = [Way::Shared, Way::Proxied, Way::Alone];

/// All ways to one host.
pub(super) struct Ways {
    url: String,
    shared: Mutex<Connection>,
    opened: AtomicUsize,
    proxy: Proxy,
}

impl Ways {
    pub(super) async fn to(url: String) -> Result<Self> {
        Ok(Self {
            shared: Mutex::new(Connection::to(&url).await?),
            opened: AtomicUsize::new(1),
            proxy: Proxy::before(&url).await?,
            url,
        })
    }

    /// Sends a message, and returns the whole answer.
    pub(super) async fn send(
        &self,
        way: Way,
        headers: HeaderMap,
        message: &Value,
    ) -> Result<Answer> {
        if way != Way::Shared {
            return mcp::post(self.url(way), headers, message).await;
        }
        let mut shared = self.shared.lock().await;
        if !shared.is_ready().await {
            *shared = Connection::to(&self.url).await?;
            self.opened.fetch_add(1, Ordering::Relaxed);
        }
        let path = url::Url::parse(&self.url)?.path().to_owned();
        let body = message.to_string();
        let answer = shared.begin(Method::POST, &path, headers, body).await?;
        let (head, body) = answer.into_parts();
        Ok(Answer::from_reply(Reply {
            status: head.status,
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        }))
    }

    /// Sends a message, or asks for the stream of a session, and returns the answer as it comes. It
    /// does not keep others from the shared connection.
    pub(super) async fn open(
        &self,
        way: Way,
        headers: HeaderMap,
        message: Option<&Value>,
    ) -> Result<Listening> {
        let (method, body) = match message {
            Some(message) => (Method::POST, message.to_string()),
            None => (Method::GET, String::new()),
        };
        let open = client::open(method, self.url(way), headers, body).await?;
        Ok(Listening::over(open))
    }

    /// Returns the number of connections so far that callers shared.
    pub(super) fn opened(&self, way: Way) -> usize {
        match way {
            Way::Proxied => self.proxy.opened(),
            Way::Alone | Way::Shared => self.opened.load(Ordering::Relaxed),
        }
    }

    fn url(&self, way: Way) -> &str {
        match way {
            Way::Proxied => self.proxy.url(),
            Way::Alone | Way::Shared => &self.url,
        }
    }
}
