//! The service of a hunt, over plain sockets: it answers who came with that one's mark, and
//! misbehaves in every way in which bytes for one request can end up in the answer to another.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use serde_json::json;
use tokio::io::{self, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::asked::Asked;
use super::people::Marks;
use super::seen::Seen;

/// How one request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// As it should be.
    Sound,
    /// Not found, with the mark.
    Missing,
    /// A second answer follows.
    Twice,
    /// 204, and then a whole answer that the rules do not allow.
    BodyAfter204,
    /// 304, and the same.
    BodyAfter304,
    /// As it should be, but for HEAD, which gets a body.
    BodyAfterHead,
    /// Half of the answer, and the end of the connection.
    CutShort,
    /// The end of the connection.
    Silent,
    /// As it should be; the same answer is kept back and comes before the next one.
    KeptBack,
}

/// What a manner is called in the counts.
const MANNERS: [(Manner, &str); 9] = [
    (Manner::Sound, "sound answers"),
    (Manner::Missing, "answers that something is missing"),
    (Manner::Twice, "late second answers"),
    (Manner::BodyAfter204, "bytes after 204"),
    (Manner::BodyAfter304, "bytes after 304"),
    (Manner::BodyAfterHead, "bytes after HEAD"),
    (Manner::CutShort, "answers cut short"),
    (Manner::Silent, "connections closed early"),
    (Manner::KeptBack, "answers kept back"),
];

/// Returns what every hunt of some length must have met.
pub(super) fn manners() -> impl Iterator<Item = &'static str> {
    MANNERS.iter().map(|(_, name)| *name)
}

/// A running service; stops when dropped.
pub(super) struct Wire {
    pub(super) url: String,
    _task: JoinSet<()>,
}

impl Wire {
    pub(super) async fn start(desk: Desk) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let mut task = JoinSet::new();
        task.spawn(accept(listener, Arc::new(desk)));
        Ok(Self { url, _task: task })
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let mut clients = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let desk = Arc::clone(&desk);
        clients.spawn(async move {
            // A client that goes away is no error of the service.
            let _gone = desk.converse(stream).await;
        });
        while clients.try_join_next().is_some() {}
    }
}

/// The part that answers.
pub(super) struct Desk {
    pub(super) marks: Arc<Marks>,
    pub(super) seen: Arc<Seen>,
    /// The issuer of the only tokens that are good here.
    pub(super) issuer: String,
    pub(super) turn: AtomicUsize,
}

impl Desk {
    async fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        let (mut kept, mut unread) = (Vec::new(), Vec::new());
        while let Some(head) = next_head(&mut stream, &mut unread).await? {
            let asked = Asked::read(&head);
            let mark = asked.judge(&self.marks, &self.seen, &self.issuer);
            let manner = self.manner(&asked);
            let whole = answer("200 OK", &body(&asked.order, &mark));
            let of_head = head_of(&whole).to_vec();
            let late = std::mem::take(&mut kept);
            stream.write_all(&late).await?;
            match manner {
                Manner::Sound if asked.is_head => stream.write_all(&of_head).await?,
                Manner::Sound | Manner::BodyAfterHead => stream.write_all(&whole).await?,
                Manner::Missing => {
                    let missing = answer("404 Not Found", &body(&asked.order, &mark));
                    stream.write_all(&missing).await?;
                }
                Manner::Twice => {
                    stream.write_all(&whole).await?;
                    stream.flush().await?;
                    stream.write_all(&whole).await?;
                }
                Manner::BodyAfter204 => {
                    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
                    stream.write_all(&whole).await?;
                }
                Manner::BodyAfter304 => {
                    stream
                        .write_all(b"HTTP/1.1 304 Not Modified\r\n\r\n")
                        .await?;
                    stream.write_all(&whole).await?;
                }
                Manner::CutShort => {
                    let half = whole.get(..whole.len() - 7).unwrap_or_default();
                    return stream.write_all(half).await;
                }
                Manner::Silent => return Ok(()),
                Manner::KeptBack => {
                    stream.write_all(&whole).await?;
                    kept = whole;
                }
            }
            stream.flush().await?;
        }
        Ok(())
    }

    /// Chooses how to answer, and counts it.
    fn manner(&self, asked: &Asked) -> Manner {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let manner = match (asked.is_head, turn % 16) {
            (true, place) if place % 2 == 0 => Manner::BodyAfterHead,
            (false, 1) => Manner::Missing,
            (false, 3) => Manner::Twice,
            (false, 5) => Manner::BodyAfter204,
            (false, 7) => Manner::BodyAfter304,
            (false, 9) => Manner::CutShort,
            (false, 11) => Manner::Silent,
            (false, 13 | 15) => Manner::KeptBack,
            _ => Manner::Sound,
        };
        let name = MANNERS.iter().find(|(one, _)| *one == manner);
        self.seen.count(name.map_or("", |(_, name)| name));
        manner
    }
}

/// Reads up to the end of a request's head. No request here has a body.
async fn next_head(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = unread.windows(4).position(|part| part == b"\r\n\r\n") {
            let rest = unread.split_off(end + 4);
            let head = std::mem::replace(unread, rest);
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        if unread.len() > MOST || stream.read_buf(unread).await? == 0 {
            return Ok(None);
        }
    }
}

/// Returns what both tools can read.
fn body(order: &str, mark: &str) -> String {
    let one = json!({"id": order, "status": mark});
    let mut all = one.clone();
    if let Some(members) = all.as_object_mut() {
        members.insert("orders".to_owned(), json!([one]));
    }
    all.to_string()
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n");
    format!("{head}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// Returns the part of an answer before its body.
fn head_of(answer: &[u8]) -> &[u8] {
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n");
    end.and_then(|end| answer.get(..end + 4)).unwrap_or(answer)
}

/// More than the head of any request.
const MOST: usize = 64 << 10;
