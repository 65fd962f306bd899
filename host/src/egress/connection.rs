//! One connection that carries one request at a time, in HTTP/1.1 or, where that is asked for, in
//! HTTP/2.

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::connector::Stream;
use super::error::Failure;
use super::sent::Sent;

/// A connection. It closes when it is dropped.
pub(super) enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// Why a connection returned no head of an answer.
pub(super) enum NoHead {
    /// It closed before it wrote anything of the request, which is here again.
    Unwritten(Box<Request<Full<Bytes>>>, Failure),
    /// It broke, and may have written the request.
    Broken(Failure),
}

impl Connection {
    /// Begins to speak HTTP over `stream`.
    pub(super) async fn over(stream: Box<dyn Stream>, is_http2: bool) -> hyper::Result<Self> {
        let stream = TokioIo::new(stream);
        // Each task ends when its connection is closed or dropped.
        if is_http2 {
            let (connection, work) = http2::Builder::new(TokioExecutor::new())
                .max_header_list_size(MAX_HEADER_LIST)
                .max_concurrent_reset_streams(MAX_RESETS)
                .handshake(stream)
                .await?;
            tokio::spawn(work);
            return Ok(Self::Http2(connection));
        }
        let (connection, work) = http1::Builder::new()
            .max_buf_size(MAX_HEADER_BYTES)
            .handshake(stream)
            .await?;
        tokio::spawn(work);
        Ok(Self::Http1(connection))
    }

    /// Returns false if it is closed, or if the peer sent what nobody asked for.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(connection) => connection.is_ready(),
            Self::Http2(connection) => connection.is_ready(),
        }
    }

    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        match self {
            Self::Http1(connection) => connection.try_send_request(request).await,
            Self::Http2(connection) => connection.try_send_request(request).await,
        }
    }
}

/// Writes the request to `connection` and returns the head of its answer.
pub(super) async fn hand_over(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
    sent: &Sent,
) -> Result<Response<Incoming>, NoHead> {
    sent.handed_over();
    connection
        .send(request)
        .await
        .map_err(|mut error| match error.take_message() {
            Some(unsent) => {
                sent.given_back();
                NoHead::Unwritten(Box::new(unsent), error.into_error().into())
            }
            None => NoHead::Broken(error.into_error().into()),
        })
}

const MAX_HEADER_BYTES: usize = 64 * 1024;
const MAX_HEADER_LIST: u32 = 64 * 1024;
/// Streams that the host gave up and whose frames it still tolerates.
const MAX_RESETS: usize = 8;
