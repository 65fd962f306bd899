//! One connection that carries one request at a time, in HTTP/1.1 or, where that is asked for, in
//! HTTP/2.

use std::time::Duration;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::connector::ByteStream;
use super::error::Failure;
use super::sent::Sent;

/// A connection. It closes when it is dropped, whatever the peer does.
pub(super) enum Connection {
    Http1(
        http1::SendRequest<Full<Bytes>>,
        #[expect(dead_code, reason = "ends the work when it is dropped")] DropGuard,
    ),
    Http2(
        http2::SendRequest<Full<Bytes>>,
        #[expect(dead_code, reason = "ends the work when it is dropped")] DropGuard,
    ),
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
    pub(super) async fn over(stream: Box<dyn ByteStream>, is_http2: bool) -> hyper::Result<Self> {
        let stream = TokioIo::new(stream);
        let tasks = Work::default();
        let guard = tasks.0.clone().drop_guard();
        if is_http2 {
            let (connection, work) = http2::Builder::new(tasks.clone())
                .max_header_list_size(MAX_HEADER_LIST)
                .max_concurrent_reset_streams(MAX_RESETS)
                .handshake(stream)
                .await?;
            tasks.execute(work);
            return Ok(Self::Http2(connection, guard));
        }
        let (connection, work) = http1::Builder::new()
            .max_buf_size(MAX_HEADER_BYTES)
            .handshake(stream)
            .await?;
        tasks.execute(work);
        Ok(Self::Http1(connection, guard))
    }

    /// Returns false if it is closed, or if the peer sent what nobody asked for.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Http1(connection, _) => connection.is_ready(),
            Self::Http2(connection, _) => connection.is_ready(),
        }
    }

    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        match self {
            Self::Http1(connection, _) => connection.try_send_request(request).await,
            Self::Http2(connection, _) => connection.try_send_request(request).await,
        }
    }
}

/// Does the work of a connection until it is closed, or until soon after the connection is dropped:
/// a peer that takes no more bytes would else keep them, and the socket, for ever.
#[derive(Clone, Default)]
struct Work(CancellationToken);

impl<F> Executor<F> for Work
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, work: F) {
        let dropped = self.0.clone();
        tokio::spawn(async move {
            let given_up = async {
                dropped.cancelled().await;
                sleep(CLOSING_TIME).await;
            };
            tokio::select! {
                _ = work => {}
                () = given_up => {}
            }
        });
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
/// The time that a peer has for the end of a connection, such as that of TLS.
const CLOSING_TIME: Duration = Duration::from_millis(500);
/// Streams that the host gave up and whose frames it still tolerates.
const MAX_RESETS: usize = 8;

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_although_its_peer_takes_nothing_more() {
        // There is room for the first bytes of HTTP/2, and for no more.
        let (stream, mut peer) = tokio::io::duplex(32);
        let connection = Connection::over(Box::new(stream), true).await;
        assert!(connection.is_ok());
        drop(connection);
        let pushed = timeout(CLOSING_TIME * 20, peer.write_all(&[0; 1024])).await;
        assert!(
            matches!(pushed, Ok(Err(_))),
            "it is still there: {pushed:?}"
        );
    }
}
