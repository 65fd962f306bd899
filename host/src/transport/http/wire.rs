//! The bytes of one connection, between the socket and the HTTP library.
//!
//! Hands the library one request at a time, so that the time and size of each head can be bounded
//! from its first byte, and bytes between two requests are not taken for part of either.
//!
//! A client that has sent everything may close its half and wait. A client that is gone looks the
//! same until the host sends something. So the host sends bytes without meaning (an interim answer,
//! RFC 9110 §15.2, or a comment between events), and a client that is gone answers with a reset.
//!
//! A client may send the next request before it has the answer (RFC 9112 §9.3.2). The host reads
//! little of it ahead, so the end may lie behind bytes that it has not read. The system knows of
//! the end all the same. It cannot know of one that lies behind more than the socket's buffer
//! holds: such a client is only missed when its answer cannot be sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::course::{Course, CourseStep};
use super::head::{Head, Seen};

/// One connection.
pub(super) struct Wire {
    socket: Arc<TcpStream>,
    course: Arc<Course>,
    head: Head,
    /// Bytes that came with the last request and belong to the next.
    rest: Vec<u8>,
    timer: Pin<Box<Sleep>>,
    wait: Wait,
    /// True once the client has closed its half.
    ended: bool,
    /// Fires when the client has closed its half behind bytes that are not read yet.
    closing: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Fires when the client is gone for good. `None` until the client has been asked.
    gone: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// True while the socket has not accepted all that was written.
    unflushed: bool,
}

/// The reason for which the timer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// The whole first head.
    First,
    /// The first byte of another request.
    Next,
    /// The rest of its head.
    Head,
    /// Nothing: a request is under way.
    Off,
}

impl Wire {
    /// Wraps a connection whose first head may take `first`.
    pub(super) fn new(socket: TcpStream, course: Arc<Course>, first: Duration) -> Self {
        Self {
            socket: Arc::new(socket),
            course,
            head: Head::default(),
            rest: Vec::new(),
            timer: Box::pin(sleep(first)),
            wait: Wait::First,
            ended: false,
            closing: None,
            gone: None,
            unflushed: false,
        }
    }

    /// Fails if a request, or the rest of its head, does not come in time.
    fn poll_in_time(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let wait = match (self.course.is_busy(), self.wait) {
            (true, _) => Wait::Off,
            (false, Wait::First) => Wait::First,
            (false, _) if self.head.has_begun() => Wait::Head,
            (false, _) => Wait::Next,
        };
        if wait != self.wait {
            let time = if wait == Wait::Next {
                IDLE_TIME
            } else {
                HEADER_TIME
            };
            self.timer.as_mut().reset(Instant::now() + time);
            self.wait = wait;
        }
        if wait != Wait::Off && self.timer.as_mut().poll(context).is_ready() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// Waits, while a request is answered, for the client to go.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A few bytes that come before the answer are kept for later.
        while !self.ended && self.rest.len() < EARLY {
            let mut early = [0; EARLY];
            let mut early = ReadBuf::new(&mut early);
            ready!(self.poll_socket(context, &mut early))?;
            self.rest.extend_from_slice(early.filled());
            self.ended = early.filled().is_empty();
        }
        if self.gone.is_none() {
            if !self.ended {
                ready!(self.poll_closing(context));
            }
            self.ask()?;
            let socket = Arc::clone(&self.socket);
            self.gone = Some(Box::pin(async move {
                let _ = socket.ready(Interest::ERROR).await;
            }));
        }
        let gone = self
            .gone
            .as_mut()
            .map_or(Poll::Pending, |gone| gone.as_mut().poll(context));
        gone.map(|()| Err(io::ErrorKind::ConnectionReset.into()))
    }

    /// Waits until the client has closed its half, without reading further.
    fn poll_closing(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let socket = &self.socket;
        let closing = self.closing.get_or_insert_with(|| {
            let socket = Arc::clone(socket);
            Box::pin(async move {
                // The socket stays readable, because no one reads, so look now and then.
                while let Ok(ready) = socket.ready(Interest::READABLE).await
                    && !ready.is_read_closed()
                {
                    sleep(LOOK_AGAIN).await;
                }
            })
        });
        closing.as_mut().poll(context)
    }

    /// Asks a client that has closed its half if it is still there.
    fn ask(&self) -> io::Result<()> {
        match self.course.ask() {
            CourseStep::Ahead
                if !self.unflushed && self.socket.try_write(CONTINUE)? == CONTINUE.len() =>
            {
                Ok(())
            }
            CourseStep::Ahead | CourseStep::AheadOld => Err(io::ErrorKind::ConnectionReset.into()),
            CourseStep::Events | CourseStep::Comment | CourseStep::Written => Ok(()),
        }
    }

    /// Hands on the body's bytes and those of one head. The rest waits.
    fn hand_on(&mut self, buffer: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        let new = buffer.filled().get(before..).unwrap_or_default();
        let of_body = self.course.of_body(new.len());
        let after = new.get(of_body..).unwrap_or_default();
        let of_head = if self.course.is_busy() {
            Some(0)
        } else {
            self.scan(after)?
        };
        let of_head = of_head.unwrap_or(after.len());
        let rest = after.get(of_head..).unwrap_or_default();
        if !rest.is_empty() {
            self.rest.splice(..0, rest.iter().copied());
        }
        buffer.set_filled(before + of_body + of_head);
        Ok(())
    }

    /// Returns the length of the head's last part if the head ends here. Refuses a head that is too
    /// large or has a line that ends with LF alone.
    fn scan(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let before = self.head.size();
        let end = match self.head.scan(bytes) {
            Seen::More => None,
            Seen::End(length) => Some(length),
            Seen::BareLf => return self.refuse(BARE_LF),
        };
        let most = if self.course.is_admitted() {
            MAX_HEAD
        } else {
            MAX_HEAD_OF_A_STRANGER
        };
        if before + end.unwrap_or(bytes.len()) > most {
            return self.refuse(TOO_LARGE);
        }
        Ok(end)
    }

    /// Answers a head that the library must not see, unless an earlier answer is still being sent.
    fn refuse<T>(&self, answer: &[u8]) -> io::Result<T> {
        if !self.unflushed {
            // A client that does not read the answer does not get it.
            let _ = self.socket.try_write(answer);
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    fn settle(&self) {
        if !self.unflushed {
            self.course.settle();
        }
    }

    fn poll_socket(
        &self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.socket.poll_read_ready(context))?;
            match self.socket.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(drop)),
            }
        }
    }

    fn poll_out(
        &mut self,
        context: &mut Context<'_>,
        length: usize,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.unflushed = true;
        loop {
            ready!(self.socket.poll_write_ready(context))?;
            match write(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(written) => {
                    self.unflushed = written < length;
                    return Poll::Ready(Ok(written));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.settle();
        this.poll_in_time(context)?;
        if this.course.waits_for_answer(context.waker()) {
            return this.poll_gone(context);
        }
        let before = buffer.filled().len();
        if !this.rest.is_empty() {
            let length = this.rest.len().min(buffer.remaining());
            buffer.put_slice(this.rest.get(..length).unwrap_or_default());
            this.rest.drain(..length);
        } else if !this.ended {
            ready!(this.poll_socket(context, buffer))?;
            this.ended = buffer.filled().len() == before;
        }
        // The library learns of the end only when everything has been sent.
        if this.ended && buffer.filled().len() == before && this.unflushed {
            return Poll::Pending;
        }
        Poll::Ready(this.hand_on(buffer, before))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut()
            .poll_out(context, bytes.len(), |socket| socket.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        self.get_mut()
            .poll_out(context, length, |socket| socket.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Notes that the library has written everything: it flushes only then.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.unflushed = false;
        this.settle();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match rustix::net::shutdown(&*self.socket, Shutdown::Write) {
            Err(rustix::io::Errno::NOTCONN) | Ok(()) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}

/// The largest head of a connection that has brought a good token.
pub(super) const MAX_HEAD: usize = 64 << 10;
/// The largest head of any other connection: a token of the largest size, and half as much beside
/// it.
const MAX_HEAD_OF_A_STRANGER: usize = 24 << 10;
/// The time from the first byte of a head to its end.
pub(super) const HEADER_TIME: Duration = Duration::from_secs(5);
/// The time between two requests, longer than proxies keep a connection that they may use again.
const IDLE_TIME: Duration = Duration::from_secs(75);
/// The most bytes to read ahead of an answer.
const EARLY: usize = 1024;
/// The time between two looks at a socket with more to read.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const BARE_LF: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 49\r\nconnection: close\r\n\r\na line of the header ends with LF instead of CRLF";
const TOO_LARGE: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 76\r\nconnection: close\r\n\r\nthe header is larger than 24 KiB; the longest token that is read has 16 KiB\n";
