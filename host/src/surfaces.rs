//! The bytes of strangers that decide something, each as a function that takes any bytes. It reads
//! them as the host does, and panics if a second, simpler reader would not have accepted what the
//! host accepts.
//!
//! Campaigns call these functions with damaged texts, and the fuzz targets with whatever reaches
//! new code. They are no part of the host.

pub use crate::delegation::decision_surface as decision;
pub use crate::egress::surface::{brotli, deflate, gzip, zstd};
pub use crate::identity::surfaces::Entrance;
pub use crate::remote::stream_surface as remote_stream;
pub use crate::tokens::surfaces::{introspection, key_set, metadata};
pub use crate::transport::surface::request;

/// The two things that can become of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They mean something to the host.
    Accepted,
    /// They are refused.
    Refused,
}

impl Fate {
    /// Returns `accepted` or `refused`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }
}

#[cfg(test)]
mod bits;
#[cfg(test)]
mod campaigns;
