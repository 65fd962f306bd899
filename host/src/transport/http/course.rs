//! How far a connection is: between requests, in a request's body, or before its answer.
//!
//! The wire, which sees bytes, and the service, which sees requests, tell each other here.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use http::{HeaderValue, Version, header};
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::places::ConnectionPlace;
use crate::transport::answer::Answer;

/// The course of one connection.
pub(in crate::transport) struct Course {
    place: ConnectionPlace,
    state: Mutex<CourseState>,
}

#[derive(Default)]
struct CourseState {
    phase: Phase,
    /// Bytes of its body that are still to come.
    left: u64,
    /// Where its body ends only the library knows, so what comes after it is not read.
    endless: bool,
    answer: CourseStep,
    /// A good token has come this way.
    admitted: bool,
    /// The wire, which waits for the end of the answer.
    waker: Option<Waker>,
}

/// Whether a request is under way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// None is.
    #[default]
    Idle,
    /// One is, and its answer is not complete.
    Busy,
    /// Its answer is complete; perhaps some of it is still to leave.
    Over,
}

/// How far the answer is, and so how a client that has sent everything can be asked whether it is
/// there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum CourseStep {
    /// Nothing of it exists, and the client understands interim answers.
    #[default]
    Ahead,
    /// Nothing of it exists, and the client does not.
    AheadOld,
    /// It is a stream of events.
    Events,
    /// The same, and the next event is a comment.
    Comment,
    /// It is being written.
    Written,
}

impl Course {
    pub(super) fn new(place: ConnectionPlace) -> Arc<Self> {
        Arc::new(Self {
            place,
            state: Mutex::default(),
        })
    }

    pub(super) fn place(&self) -> &ConnectionPlace {
        &self.place
    }

    /// A head is complete; so many bytes of a body follow, or nobody knows how many.
    pub(super) fn begin(&self, body: Option<u64>, version: Version) {
        self.place.busy();
        let mut state = self.lock();
        state.phase = Phase::Busy;
        state.left = body.unwrap_or(u64::MAX);
        state.endless = body.is_none();
        state.answer = if version < Version::HTTP_11 {
            CourseStep::AheadOld
        } else {
            CourseStep::Ahead
        };
    }

    /// A good token has come: longer heads are welcome.
    pub(in crate::transport) fn admitted(&self) {
        self.lock().admitted = true;
    }

    /// The whole body has come.
    pub(in crate::transport) fn received(&self) {
        self.lock().left = 0;
    }

    /// There is an answer to write; when it has been, the next request may come.
    pub(super) fn answering(self: &Arc<Self>, answer: Answer) -> Answer {
        let events = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(EVENTS));
        let mut state = self.lock();
        state.answer = if events {
            CourseStep::Events
        } else {
            CourseStep::Written
        };
        let last = state.endless || self.place.only_health() || self.place.is_out();
        drop(state);
        let course = Arc::clone(self);
        let mut answer = answer.map(|body| Answering { body, course }.boxed());
        if last {
            answer
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    pub(super) fn is_busy(&self) -> bool {
        self.lock().phase == Phase::Busy
    }

    pub(super) fn is_admitted(&self) -> bool {
        self.lock().admitted
    }

    /// How many of so many bytes belong to the body.
    pub(super) fn of_body(&self, bytes: usize) -> usize {
        let mut state = self.lock();
        let taken = usize::try_from(state.left).unwrap_or(usize::MAX).min(bytes);
        if !state.endless {
            state.left -= u64::try_from(taken).unwrap_or(u64::MAX).min(state.left);
        }
        taken
    }

    /// Whether the request is complete and its answer is not; then `waker` is woken when it is.
    pub(super) fn waits_for_answer(&self, waker: &Waker) -> bool {
        let mut state = self.lock();
        let waits = state.phase == Phase::Busy && state.left == 0;
        if waits {
            state.waker = Some(waker.clone());
        }
        waits
    }

    /// All of the answer has left: the place is that of a connection that waits.
    pub(super) fn settle(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Over {
            state.phase = Phase::Idle;
            drop(state);
            self.place.idle();
        }
    }

    /// How the client can be asked whether it is still there. An event stream asks by itself.
    pub(super) fn ask(&self) -> CourseStep {
        let mut state = self.lock();
        let step = state.answer;
        if step == CourseStep::Events {
            state.answer = CourseStep::Comment;
        }
        step
    }

    fn comment(&self) -> bool {
        let mut state = self.lock();
        let due = state.answer == CourseStep::Comment;
        if due {
            state.answer = CourseStep::Written;
        }
        due
    }

    fn finish(&self) {
        let waker = {
            let mut state = self.lock();
            state.phase = Phase::Over;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, CourseState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of an answer. The request is over when the library drops it.
struct Answering {
    body: BoxBody<Bytes, Infallible>,
    course: Arc<Course>,
}

impl Body for Answering {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.body).poll_frame(context) {
            // Between two events.
            Poll::Pending if this.course.comment() => {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(COMMENT)))))
            }
            polled => polled,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.course.finish();
    }
}

const EVENTS: &[u8] = b"text/event-stream";
const COMMENT: &[u8] = b":\n\n";
