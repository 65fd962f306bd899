//! The course of a connection: between requests, in a request's body, or before its answer.
//!
//! Connects the wire, which sees bytes, with the service, which sees requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use http::{HeaderValue, Version, header};
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::places::ConnectionPlace;
use crate::transport::answer::HttpAnswer;

/// The course of one connection.
pub(in crate::transport) struct Course {
    place: ConnectionPlace,
    state: Mutex<CourseState>,
}

#[derive(Default)]
struct CourseState {
    phase: Phase,
    /// Bytes of the request's body that are still to come.
    left: u64,
    /// True if only the library knows the end of the body, so nothing after it is read.
    endless: bool,
    answer: CourseStep,
    /// True once a good token has come over this connection.
    admitted: bool,
    /// Wakes the wire, which waits for the end of the answer.
    waker: Option<Waker>,
}

/// The phase of a connection.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No request is under way.
    #[default]
    Idle,
    /// A request is under way, and its answer is not complete.
    Busy,
    /// The answer is complete, but perhaps not yet sent.
    Over,
}

/// The state of the answer, which decides how the host can ask a silent client if it is still
/// there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum CourseStep {
    /// No part of it exists, and the client understands interim answers.
    #[default]
    Ahead,
    /// No part of it exists, and the client does not understand interim answers.
    AheadOld,
    /// It is a stream of events.
    Events,
    /// It is a stream of events, and the next event is a comment.
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

    /// Notes that a head is complete and that `body` bytes follow, or an unknown number.
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

    /// Notes that a good token has come: longer heads are welcome from now on.
    pub(in crate::transport) fn admitted(&self) {
        self.lock().admitted = true;
    }

    /// Notes that the whole body has come.
    pub(in crate::transport) fn received(&self) {
        self.lock().left = 0;
    }

    /// Hands on an answer that, once written, lets the next request come.
    pub(super) fn answering(self: &Arc<Self>, answer: HttpAnswer) -> HttpAnswer {
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

    /// Takes so many bytes off the body and returns how many of them belong to it.
    pub(super) fn of_body(&self, bytes: usize) -> usize {
        let mut state = self.lock();
        let taken = usize::try_from(state.left).unwrap_or(usize::MAX).min(bytes);
        if !state.endless {
            state.left -= u64::try_from(taken).unwrap_or(u64::MAX).min(state.left);
        }
        taken
    }

    /// Returns true if the request is complete and its answer is not. Then `waker` is woken when it
    /// is.
    pub(super) fn waits_for_answer(&self, waker: &Waker) -> bool {
        let mut state = self.lock();
        let waits = state.phase == Phase::Busy && state.left == 0;
        if waits {
            state.waker = Some(waker.clone());
        }
        waits
    }

    /// Makes the place idle again if all of the answer has been sent.
    pub(super) fn settle(&self) {
        let mut state = self.lock();
        if state.phase == Phase::Over {
            state.phase = Phase::Idle;
            drop(state);
            self.place.idle();
        }
    }

    /// Returns the way to ask the client if it is still there. An event stream asks by itself, with
    /// a comment.
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
            // Only between two events: a comment must not split one.
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
