//! The waist between tools and services: the values that cross it and the one method that carries
//! them.
//!
//! Code below the waist runs tools and knows no credential; code above it holds credentials and
//! knows no engine. For example, the `sandbox` sees a [`Response`] and never the header that
//! authenticated the request. The values here have no behaviour of their own.

mod error;
mod request;
mod tally;

use futures_util::future::BoxFuture;

pub use error::DownstreamError;
pub use request::{Part, Piece, Request, Response};
pub use tally::DownstreamTally;

/// The services that one call may reach.
pub trait Services: Send + Sync {
    /// Makes one request, which runs to its own end even if the future is dropped.
    ///
    /// # Errors
    /// Fails if there is no HTTP answer.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, DownstreamError>>;
}
