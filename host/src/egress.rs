//! The only way out: one HTTP client whose connector checks every address it dials.
//!
//! Trusts the configuration for names and address ranges, and nothing that comes back. Hands on
//! answers that are complete and bounded.
//!
//! Invariant: a name is resolved once, every address is checked, and the connection goes to a
//! checked address. A connection carries the requests of one party. There are no redirects, no
//! proxies from the environment and no second attempt. An answer is decoded before anybody sees it.

mod addresses;
mod client;
mod coding;
mod connection;
mod connector;
mod deadlines;
mod ending;
mod error;
mod pool;
mod roots;
mod sent;
mod shown;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
mod tunnel;

pub use addresses::{AddressPolicy, Blocked, DestinationError, Proxy, ProxyError};
pub use client::{Client, Reply};
pub use coding::CodingError;
#[cfg(any(test, fuzzing))]
pub(crate) use coding::surface;
pub use deadlines::Deadlines;
pub use error::{EgressError, RequestStep};
pub use pool::Party;
pub use roots::tls;
pub use sent::Sent;
pub use shown::shown;
pub use trust::{CertificateDigest, PeerTls, PeerTlsError, Tls, thumbprint};

/// What the host calls itself.
const USER_AGENT: &str = concat!("bailiwick/", env!("CARGO_PKG_VERSION"));
