//! MCP over the standard streams, for a program that starts its own host: one JSON-RPC message a
//! line, and the same door behind it as HTTP has.
//!
//! Trusts no line. Each is admitted by the token as it is then, read, decided, recorded and
//! answered by the code that does so for HTTP; here are only the order of messages, their ids and
//! the end.
//!
//! Invariant: a line is parsed only for a caller who was admitted (of a refused one, only the id is
//! read), and nothing but messages of MCP is written. A session ends at the first token that is
//! refused.

mod head;
mod reply;
mod teller;
mod token;
mod under_way;
mod wire;

use std::io::{self, Read, Write};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::request::Parts;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::answer::{HttpAnswer, plain};
use super::body::{Burden, Unread};
use super::front::{Carrier, Front};
use super::message::{Asks, Message};
use super::sessions::{ClientSession, Opening};
use crate::call::Entry;
use crate::identity::Caller;
use head::Headline;
use teller::Teller;
pub use token::{TokenPlace, TokenPlaceError, TokenSource};
use under_way::LinesUnderWay;
use wire::{LineSender, StreamLine};

/// The streams of a session, and the token that it presents.
pub struct Streams {
    /// The messages of the client.
    pub input: Box<dyn Read + Send>,
    /// The messages to the client. Nothing else may write to it.
    pub output: Box<dyn Write + Send>,
    /// The token.
    pub token: TokenSource,
}

/// The token was refused, so the session has ended.
#[derive(Debug, thiserror::Error)]
#[error("the session has ended because its access token is refused: {0}")]
pub struct TokenRefused(String);

/// Serves one session until its input ends, its token is refused, its output is closed or `stop`
/// fires. Then fires `stop`, and lets the requests under way be answered within `drain`.
///
/// # Errors
/// Fails if the token was refused, or a thread for the streams cannot be started.
pub(super) async fn serve(
    streams: Streams,
    front: Arc<Front>,
    stop: CancellationToken,
    drain: Duration,
) -> Result<(), LinesError> {
    let _stopping = stop.clone().drop_guard();
    let mut input = wire::read(streams.input, front.max_body())?;
    let (lines, mut written) = wire::write(streams.output)?;
    let mut session = Session {
        front,
        token: streams.token,
        lines,
        client: None,
        teller: Teller::default(),
        under_way: LinesUnderWay::default(),
    };
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        _ = &mut written => Ok(()),
        ended = session.run(&mut input) => ended,
    };
    // Listeners end when the host stops.
    stop.cancel();
    session.finish(written, drain).await;
    Ok(ended?)
}

/// The reasons for which a session over streams fails.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The token was refused.
    #[error(transparent)]
    Refused(#[from] TokenRefused),
    /// A thread cannot be started.
    #[error("the standard streams cannot be served")]
    Threads(#[from] io::Error),
}

struct Session {
    front: Arc<Front>,
    token: TokenSource,
    lines: LineSender,
    /// The state of the conversation, if `initialize` began one.
    client: Option<Arc<ClientSession>>,
    teller: Teller,
    under_way: LinesUnderWay,
}

impl Session {
    async fn run(&mut self, input: &mut mpsc::Receiver<StreamLine>) -> Result<(), TokenRefused> {
        let is_blank = |bytes: &Vec<u8>| bytes.trim_ascii().is_empty();
        loop {
            tokio::select! {
                line = input.recv() => match line {
                    Some(StreamLine::Whole(bytes)) if is_blank(&bytes) => {}
                    Some(line) => self.take(line).await?,
                    None => return Ok(()),
                },
                () = self.teller.ended() => self.listen().await,
            }
        }
    }

    /// Takes one message: admits its sender, reads it, and starts to answer it.
    async fn take(&mut self, line: StreamLine) -> Result<(), TokenRefused> {
        let (parts, entry) = match self.admit().await {
            Ok(admitted) => admitted,
            Err(answer) => return self.refuse(&line, answer).await,
        };
        let body = match line {
            StreamLine::Whole(bytes) => self.front.whole(entry.caller(), bytes),
            StreamLine::TooLong => Err(Unread::TooLarge),
        };
        match self.front.parse(entry.caller(), body).await {
            Ok((message, burden)) => self.begin((parts, entry), message, burden).await,
            Err((id, answer)) => self.unread(&id, answer).await,
        }
        if self.teller.is_due() {
            self.listen().await;
        }
        Ok(())
    }

    /// Begins to tell the client of an earlier revision what changes, with the token as it is now.
    /// One that is refused now ends the session only when a message comes with it.
    async fn listen(&mut self) {
        let Some(session) = self.client.clone() else {
            return;
        };
        self.teller.tries();
        let Ok((_, entry)) = self.admit().await else {
            return;
        };
        if let Ok(listener) = self.front.follow(entry, &session).await {
            self.teller.tell(session, listener, self.lines.clone());
        }
    }

    /// Admits the caller whom the token proves at this moment. If it is refused, and its file has
    /// another by now, that one counts.
    async fn admit(&mut self) -> Result<(Parts, Entry), HttpAnswer> {
        let mut token = self.token.now();
        loop {
            let mut parts = head::head(self.front.path());
            parts.headers.insert(header::AUTHORIZATION, token);
            let refused = match self.front.admit(&mut parts).await {
                Ok(entry) => {
                    self.token.ends(entry.caller().expires_at());
                    return Ok((parts, entry));
                }
                Err(answer) => answer,
            };
            if !is_about_token(&refused) || !self.token.renewed() {
                return Err(refused);
            }
            token = self.token.now();
        }
    }

    /// Answers a message whose sender was not admitted. Fails if that is because of the token.
    async fn refuse(&self, line: &StreamLine, answer: HttpAnswer) -> Result<(), TokenRefused> {
        let named = match line {
            StreamLine::Whole(bytes) => id_of(bytes),
            StreamLine::TooLong => Some(Value::Null),
        };
        if !is_about_token(&answer) {
            if let Some(id) = named {
                self.unread(&id, answer).await;
            }
            return Ok(());
        }
        let id = named.unwrap_or_default();
        let (head, body) = answer.into_parts();
        let refused = TokenRefused(reply::text(body).await);
        let told = (head.status, &*refused.to_string());
        let line = reply::refusal(&self.under_way.unused(&id), &head.headers, told);
        let _ = self.lines.send(line).await;
        Err(refused)
    }

    /// Answers a message that was not read, even if it has no id that could be read.
    async fn unread(&self, id: &Value, answer: HttpAnswer) {
        let line = reply::always(id, answer).await;
        let line = if self.under_way.unused(id) == *id {
            line
        } else {
            reply::nameless(&line)
        };
        let _ = self.lines.send(line).await;
    }

    /// Starts to answer a message, so that the next can be read.
    async fn begin(
        &mut self,
        (mut parts, entry): (Parts, Entry),
        message: Message,
        burden: Burden,
    ) {
        let headline = Headline::of(&message);
        // A request has an id and gets an answer, whatever its method.
        if let Some(id) = headline.cancels().filter(|_| message.id.is_null()) {
            return self.under_way.cancel(id);
        }
        let negotiated = self.client.as_ref().map(|client| client.revision());
        headline.write(&mut parts.headers, negotiated);
        let id = message.id.clone();
        // An answer of the client takes no place: its id is this host's.
        if let Asks::Reply(_) = message.asks {
            let carrier = Carrier::Line(self.client.clone());
            let asked = (message, burden);
            let answer = self.front.message(parts, entry, asked, carrier).await;
            if !answer.status().is_success() {
                self.unread(&id, answer).await;
            }
            return;
        }
        let place = match self.under_way.place(&id) {
            Ok(place) => place,
            Err(answer) => return self.unread(&id, answer).await,
        };
        let front = Arc::clone(&self.front);
        let caller = Arc::clone(entry.caller());
        let begins = headline.initializes().then(|| params_of(&message));
        let is_ready = headline.is_ready();
        let is_within = begins.is_none() && headline.is_of_session();
        let carrier = Carrier::Line(self.client.clone().filter(|_| is_within));
        let asked = (message, burden);
        let answer = async move { front.message(parts, entry, asked, carrier).await };
        if let Some(params) = begins {
            return self.initialize(&id, answer, (caller, &params)).await;
        }
        let lines = self.lines.clone();
        let answering = async move {
            let cancelled = place.cancelled();
            let answered = async {
                let answer = caught(answer).await;
                reply::send(&id, answer, &lines, move || drop(place)).await;
            };
            tokio::select! {
                biased;
                () = cancelled.cancelled() => {}
                () = answered => {}
            }
        };
        self.under_way.spawn(answering);
        // Only now may the client be told of anything (MCP, "Lifecycle").
        if is_ready && self.client.is_some() && self.teller.begin() {
            self.listen().await;
        }
    }

    /// Answers `initialize` before anything else is read: what comes after it is of the revision
    /// that it settles.
    async fn initialize(
        &mut self,
        id: &Value,
        answer: impl Future<Output = HttpAnswer>,
        (caller, params): (Arc<Caller>, &Map<String, Value>),
    ) {
        let Some(line) = reply::whole(id, caught(answer).await).await else {
            return;
        };
        if let Some(opening) = Opening::of(caller, &line, params) {
            self.client = Some(ClientSession::alone(opening, self.front.clock()));
            self.teller = Teller::default();
        }
        let _ = self.lines.send(line).await;
    }

    /// Waits for the requests under way, ends those that take too long, and waits for their answers
    /// to be written.
    async fn finish(self, written: oneshot::Receiver<()>, drain: Duration) {
        let Self {
            under_way,
            lines,
            teller,
            ..
        } = self;
        drop(teller);
        under_way.end(drain).await;
        drop(lines);
        if !written.is_terminated() && timeout(WRITE_TIME, written).await.is_err() {
            tracing::warn!("the client does not read its answers");
        }
    }
}

/// Returns the answer, or that the host failed if making it panics.
async fn caught(answer: impl Future<Output = HttpAnswer>) -> HttpAnswer {
    let failed = |_| plain(StatusCode::INTERNAL_SERVER_ERROR, "the host failed");
    let answer = AssertUnwindSafe(answer).catch_unwind();
    answer.await.unwrap_or_else(failed)
}

/// Returns the parameters of a message for the MCP library.
fn params_of(message: &Message) -> Map<String, Value> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        params: Map<String, Value>,
    }
    match &message.asks {
        Asks::Other(body) => {
            serde_json::from_slice::<Body>(body)
                .unwrap_or_default()
                .params
        }
        Asks::Target(_) | Asks::Listen(_) | Asks::Reply(_) => Map::new(),
    }
}

/// Returns true if a refused admission is because of the token: another one may be accepted.
fn is_about_token(refused: &HttpAnswer) -> bool {
    refused.headers().contains_key(header::WWW_AUTHENTICATE)
}

/// Reads the id of a request, null if it cannot be read. A notification has none, and gets no
/// answer.
fn id_of(bytes: &[u8]) -> Option<Value> {
    match Message::parse(bytes) {
        Ok(message) => Some(message.id).filter(|id| !id.is_null()),
        Err(bad) => Some(bad.id),
    }
}

/// The time for the client to read the last answers.
const WRITE_TIME: Duration = Duration::from_secs(2);
