//! A service that is a socket and nothing more: it keeps every request that reaches it, counts
//! connections and bytes, and answers with whatever bytes a test wants.
//!
//! Trusts nothing to be HTTP. The bytes are the evidence, so no library reads them first.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What a recorder does after a request.
#[derive(Clone, Debug, Default)]
pub struct Reaction {
    /// The bytes that it writes.
    pub bytes: Vec<u8>,
    /// What follows them.
    pub then: Then,
}

/// What follows the bytes of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// The next request on the same connection.
    #[default]
    Next,
    /// The end of the connection.
    Close,
    /// Its end in the middle (RST).
    Reset,
    /// Nothing, for as long as the other side waits.
    Silence,
    /// The same bytes again and again.
    Again,
    /// One space after the other, slowly.
    Drip,
}

/// Everything that reached a recorder.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The connections.
    pub connections: usize,
    /// The bytes on all of them, also those that make no whole request.
    pub bytes: usize,
    /// The requests in order, each with its head and as much of a body as its length says.
    pub requests: Vec<String>,
}

/// A running recorder; stops when dropped.
pub struct Recorder {
    address: SocketAddr,
    desk: Arc<Desk>,
    _task: JoinSet<()>,
}

impl Recorder {
    /// Starts on a free port of loopback. `respond` makes the answer to each request.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(
        respond: impl Fn(&str) -> Reaction + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        Self::at(0, respond).await
    }

    /// Starts on this port of loopback; 0 lets the system choose.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn at(
        port: u16,
        respond: impl Fn(&str) -> Reaction + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk {
            respond: Box::new(respond),
            heard: Mutex::default(),
        });
        let mut task = JoinSet::new();
        task.spawn(Arc::clone(&desk).accept(listener));
        Ok(Self {
            address,
            desk,
            _task: task,
        })
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns everything that reached it so far.
    pub fn heard(&self) -> Heard {
        self.desk.heard().clone()
    }
}

struct Desk {
    respond: Box<dyn Fn(&str) -> Reaction + Send + Sync>,
    heard: Mutex<Heard>,
}

impl Desk {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut clients = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            self.heard().connections += 1;
            let desk = Arc::clone(&self);
            clients.spawn(async move {
                // A client that goes away is no error of the service.
                let _gone = desk.converse(stream).await;
            });
            while clients.try_join_next().is_some() {}
        }
    }

    async fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut unread = Vec::new();
        while let Some(request) = self.next(&mut stream, &mut unread).await? {
            let Reaction { bytes, then } = (self.respond)(&request);
            self.heard().requests.push(request);
            stream.write_all(&bytes).await?;
            match then {
                Then::Next => {}
                Then::Close => break,
                Then::Reset => {
                    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
                    break;
                }
                Then::Silence => while self.read(&mut stream, &mut unread).await? > 0 {},
                Then::Again => loop {
                    stream.write_all(&bytes).await?;
                },
                Then::Drip => loop {
                    sleep(DROP).await;
                    stream.write_all(b" ").await?;
                },
            }
        }
        Ok(())
    }

    /// Returns the next whole request, or `None` at the end of the connection.
    async fn next(
        &self,
        stream: &mut TcpStream,
        unread: &mut Vec<u8>,
    ) -> io::Result<Option<String>> {
        loop {
            if let Some(length) = whole(unread) {
                let rest = unread.split_off(length);
                let request = std::mem::replace(unread, rest);
                return Ok(Some(String::from_utf8_lossy(&request).into_owned()));
            }
            if self.read(stream, unread).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn read(&self, stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<usize> {
        let read = stream.read_buf(unread).await?;
        self.heard().bytes += read;
        Ok(read)
    }
}

/// Returns the length of the request with which these bytes begin, if all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let body = value(&head, "content-length").and_then(|length| length.parse().ok());
    let length = end + body.unwrap_or(0_usize);
    (length <= bytes.len()).then_some(length)
}

/// Returns the first value of a header of a request as it came.
pub fn value<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let lines = request.lines().take_while(|line| !line.is_empty());
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let found = headers.find(|(header, _)| header.eq_ignore_ascii_case(name))?;
    Some(found.1.trim())
}

/// The time between two drops.
const DROP: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_with_the_body_that_its_length_announces() {
        for (bytes, length) in [
            ("GET / HTTP/1.1\r\n", None),
            ("GET / HTTP/1.1\r\n\r\n", Some(18)),
            ("GET / HTTP/1.1\r\n\r\nGET", Some(18)),
            ("POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{", None),
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}x", Some(40)),
        ] {
            assert_eq!(whole(bytes.as_bytes()), length, "{bytes:?}");
        }
    }
}
