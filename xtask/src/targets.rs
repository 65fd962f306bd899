//! The platforms that are checked; deny.toml has the same list.

/// The targets whose dependencies every check looks at.
pub(crate) const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
