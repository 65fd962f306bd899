//! Answers that are streams of server-sent events.
//!
//! A comment fills a long silence, so that no proxy takes the connection for a dead one.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::unfold;
use http::{HeaderName, HeaderValue, Response, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body, Bytes, Frame};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::{Instant, Interval, interval_at, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::answer::{HttpAnswer, protect};

/// The text of one event.
pub(super) struct EventText {
    /// A JSON-RPC message.
    pub(super) message: Vec<u8>,
    /// True if nothing follows it.
    pub(super) is_last: bool,
}

/// Answers with a stream of events, of which the `first` is there. `guard` fires when the client
/// goes away.
pub(super) fn stream<E, W>(
    write: W,
    (first, events): (Option<E>, mpsc::Receiver<E>),
    guard: DropGuard,
) -> HttpAnswer
where
    E: Send + Sync + Unpin + 'static,
    W: Fn(E) -> EventText + Send + Sync + Unpin + 'static,
{
    let body = Stream {
        write,
        first,
        events: Some(events),
        keep_alive: interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE),
        _guard: guard,
    };
    let mut answer = Response::new(body.boxed());
    let headers = answer.headers_mut();
    protect(headers);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// A listener for changes, with its place.
type ChangeListener = (
    watch::Receiver<u64>,
    OwnedSemaphorePermit,
    CancellationToken,
);

/// Returns a body with an event for each change, at most one in a second, until the host stops. The
/// listener keeps `place` as long.
pub(super) fn ticks(
    changes: watch::Receiver<u64>,
    place: OwnedSemaphorePermit,
    end: CancellationToken,
) -> BoxBody<Bytes, Infallible> {
    let next = |(mut changes, place, end): ChangeListener| async move {
        let changed = async {
            tokio::time::sleep(PACE).await;
            match timeout(KEEP_ALIVE, changes.changed()).await {
                Ok(Ok(())) => Some("data: changed\n\n"),
                Ok(Err(_)) => None,
                Err(_) => Some(":\n\n"),
            }
        };
        let text = end.run_until_cancelled(changed).await.flatten()?;
        let frame = Frame::data(Bytes::from_static(text.as_bytes()));
        Some((Ok(frame), (changes, place, end)))
    };
    StreamBody::new(unfold((changes, place, end), next)).boxed()
}

struct Stream<E, W> {
    write: W,
    first: Option<E>,
    // `None` once the last event is written.
    events: Option<mpsc::Receiver<E>>,
    keep_alive: Interval,
    _guard: DropGuard,
}

impl<E: Unpin, W: Fn(E) -> EventText + Unpin> Body for Stream<E, W> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let stream = self.get_mut();
        let frame = |bytes: Vec<u8>| Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
        let Some(events) = &mut stream.events else {
            return Poll::Ready(None);
        };
        let event = match stream.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => events.poll_recv(context),
        };
        match event {
            Poll::Ready(Some(event)) => {
                let EventText { message, is_last } = (stream.write)(event);
                if is_last {
                    stream.events = None;
                }
                stream.keep_alive.reset();
                frame([b"data: ", message.as_slice(), b"\n\n"].concat())
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match stream.keep_alive.poll_tick(context) {
                Poll::Ready(_) => frame(b":\n\n".to_vec()),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The time before an event of changes. Those that come meanwhile are one event.
const PACE: Duration = Duration::from_secs(1);
