//! The waist between tools and services: the values that cross it, and the one method that they
//! cross it by.
//!
//! Code below the waist runs tools and knows no credential; code above it holds credentials and
//! knows no engine. Nothing here has behaviour beyond the names of its values.

mod error;
mod request;
mod tally;

use futures_util::future::BoxFuture;

pub use error::DownstreamError;
pub use request::{Part, Piece, Request, Response};
pub use tally::DownstreamTally;

/// The services that one call may reach.
pub trait Services: Send + Sync {
    /// Makes one request. It goes on to its own end even if the future is dropped.
    ///
    /// # Errors
    /// There is no HTTP answer.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, DownstreamError>>;
}
