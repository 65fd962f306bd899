//! Log lines for the operator: [`error!`](crate::error), [`warn!`](crate::warn),
//! [`info!`](crate::info) and [`debug!`](crate::debug).
//!
//! The host bounds their number and length, escapes them and says from whom they are. They are not
//! for callers, and not for secrets: what a tool was given about a person belongs in neither.

/// How important a line is.
pub use crate::bindings::log::Level;

/// Writes a line. Never blocks. In native tests it goes to standard error.
pub fn write(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::log::write(level, message);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::write_line(level, message);
}

/// Something failed.
#[macro_export]
macro_rules! error {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($message)+)) };
}

/// Something is odd.
#[macro_export]
macro_rules! warn {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($message)+)) };
}

/// Something happened.
#[macro_export]
macro_rules! info {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($message)+)) };
}

/// Something for the author.
#[macro_export]
macro_rules! debug {
    ($($message:tt)+) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($message)+)) };
}
