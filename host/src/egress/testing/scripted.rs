//! A server on the loopback that says what a test lets it say, when the test lets it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;

/// A server that answers each request with the same bytes and closes the connection.
pub(crate) struct ScriptedServer {
    pub(crate) url: String,
    answer: Mutex<Vec<u8>>,
    requests: Mutex<Vec<String>>,
    held: watch::Sender<bool>,
    /// Notified of each request.
    pub(crate) came: Notify,
}

impl ScriptedServer {
    /// Starts one whose URL has this path, and which says nothing yet.
    pub(crate) async fn start(path: &str) -> Arc<Self> {
        Self::listen("http", path, None).await
    }

    /// Does the same behind TLS.
    pub(crate) async fn start_over_tls(path: &str, acceptor: TlsAcceptor) -> Arc<Self> {
        Self::listen("https", path, Some(acceptor)).await
    }

    async fn listen(scheme: &str, path: &str, acceptor: Option<TlsAcceptor>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Arc::new(Self {
            url: format!("{scheme}://{address}{path}"),
            answer: Mutex::default(),
            requests: Mutex::default(),
            held: watch::Sender::new(false),
            came: Notify::new(),
        });
        let serving = Arc::clone(&server);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (serving, acceptor) = (Arc::clone(&serving), acceptor.clone());
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else {
                        return serving.serve(stream).await;
                    };
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serving.serve(stream).await;
                    }
                });
            }
        });
        server
    }

    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut request = Vec::new();
        while !is_whole(&request) {
            match stream.read_buf(&mut request).await {
                Ok(read) if read > 0 => {}
                _ => return,
            }
        }
        lock(&self.requests).push(String::from_utf8_lossy(&request).into_owned());
        self.came.notify_one();
        let mut held = self.held.subscribe();
        if held.wait_for(|held| !held).await.is_err() {
            return;
        }
        let answer = lock(&self.answer).clone();
        let _written = stream.write_all(&answer).await;
        let _closed = stream.shutdown().await;
    }

    /// Answers with these bytes from now on.
    pub(crate) fn answer(&self, bytes: impl Into<Vec<u8>>) {
        *lock(&self.answer) = bytes.into();
    }

    /// Answers with this status line, headers after it, and this body from now on.
    pub(crate) fn says(&self, status: &str, body: &str) {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        self.answer(head + body);
    }

    /// Holds back all answers, or releases them.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Returns the requests so far, whole.
    pub(crate) fn requests(&self) -> Vec<String> {
        lock(&self.requests).clone()
    }

    /// Returns the number of requests so far.
    pub(crate) fn asked(&self) -> usize {
        lock(&self.requests).len()
    }
}

/// Returns true if a request has all of its head, and of its body as much as the head says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
