//! The bounds (`[limits]`), as one table: each has a key, a default, a least and a largest value.
//!
//! Invariant: there is no bound without a default, and none that can be switched off.

use std::time::Duration;

use crate::harden::CompileLimits;

/// One row of the table of bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The key under `[limits]`.
    pub key: &'static str,
    /// What its values are.
    pub unit: Unit,
    /// The value without the key.
    pub default: u64,
    /// The least value.
    pub min: u64,
    /// The largest value.
    pub max: u64,
}

/// What the values of a bound are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number.
    Count,
    /// Bytes, such as `"64MiB"`.
    Bytes,
    /// Milliseconds, such as `"500ms"`.
    Time,
}

macro_rules! limits {
    ($($(#[$doc:meta])+ $key:ident: $type:ty, $unit:ident = $default:expr, $min:expr, $max:expr;)*) => {
        /// What calls may use.
        #[derive(Debug, Clone)]
        pub struct Limits { $($(#[$doc])+ pub $key: $type,)* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($key: <$type as Value>::of($default),)* }
            }
        }

        impl Limits {
            /// Every bound.
            pub const ALL: &'static [Limit] = &[$(
                Limit { key: stringify!($key), unit: Unit::$unit, default: $default, min: $min, max: $max },
            )*];

            /// Sets the bound named `key`; the value lies between its least and its largest.
            pub fn set(&mut self, key: &str, value: u64) {
                match key {
                    $(stringify!($key) => self.$key = <$type as Value>::of(value),)*
                    _ => {}
                }
            }
        }
    };
}

limits! {
    // Of one call.
    /// Linear memory of all memories together, bytes.
    memory: usize, Bytes = 64 << 20, 64 << 10, 256 << 20;
    /// Elements of one table.
    table_elements: usize, Count = 20_000, 1, 100_000;
    /// Core instances.
    instances: usize, Count = 64, 1, 128;
    /// Stack of WebAssembly frames, bytes; the script tier has twice as much.
    stack: usize, Bytes = 512 << 10, 64 << 10, 1 << 20;
    /// Processor time.
    cpu: Duration, Time = 500, 1, 5_000;
    /// Wall-clock time.
    time: Duration, Time = 10_000, 1, 60_000;
    /// Bytes of strings and lists that may cross the boundary in one host call or result.
    hostcall_bytes: usize, Bytes = 8 << 20, 64 << 10, 64 << 20;
    /// Handles to the host's resources; the world has none, the WASI tier's streams are.
    handles: usize, Count = 256, 1, 4096;
    /// Size of the result, bytes.
    output: usize, Bytes = 1 << 20, 1, 16 << 20;
    /// Downstream calls.
    downstream_calls: usize, Count = 16, 1, 1000;
    /// Time of one downstream call.
    downstream_time: Duration, Time = 5_000, 1, 60_000;
    /// Body of one downstream answer or request, bytes.
    downstream_bytes: usize, Bytes = 1 << 20, 1, 16 << 20;
    /// Bodies of all downstream answers and requests together, bytes.
    downstream_total: usize, Bytes = 8 << 20, 1, 256 << 20;
    /// Log lines.
    log_lines: usize, Count = 64, 1, 1000;
    /// Text of all log lines together, bytes.
    log_bytes: usize, Bytes = 64 << 10, 1, 1 << 20;
    /// Progress reports.
    progress_reports: usize, Count = 100, 1, 1000;
    /// Progress reports within one second.
    progress_per_second: usize, Count = 20, 1, 1000;

    // Of the whole host.
    /// Size of a request body at the front door, bytes.
    input: usize, Bytes = 1 << 20, 1, 16 << 20;
    /// Requests of one principal in a minute, on average.
    calls_per_minute: usize, Count = 300_000, 1, 60_000_000;
    /// Requests of one principal at once, before the average counts.
    calls_burst: usize, Count = 10_000, 1, 1_000_000;
    /// Linear memory of all calls together, bytes.
    memory_total: usize, Bytes = 2 << 30, 1 << 20, 1 << 40;
    /// Calls at the same time.
    concurrent_calls: usize, Count = 512, 1, 768;
    /// Calls at the same time of components of the script tier.
    concurrent_script_calls: usize, Count = 48, 1, 256;
    /// Calls of one principal at the same time.
    concurrent_calls_per_user: usize, Count = 32, 1, 768;
    /// Calls for one tenant at the same time.
    concurrent_calls_per_tenant: usize, Count = 256, 1, 768;
    /// Calls of one tool at the same time.
    concurrent_calls_per_tool: usize, Count = 256, 1, 768;
    /// Calls that may wait for a place; beyond, calls are refused at once.
    queued_calls: usize, Count = 256, 0, 4096;
    /// How long a call may wait for a place.
    queue_time: Duration, Time = 2_000, 1, 10_000;
    /// Size of a component, bytes.
    component: usize, Bytes = 32 << 20, 1, 64 << 20;
    /// Components in the tools folder.
    components: usize, Count = 1000, 1, 10_000;
    /// Address space of the process that compiles a component, bytes.
    compile_memory: usize, Bytes = 4 << 30, 256 << 20, 64 << 30;
    /// Processor time for compiling a component.
    compile_cpu: Duration, Time = 60_000, 1_000, 600_000;
}

impl Limits {
    /// What compiling one component may take.
    pub(super) fn compiling(&self) -> CompileLimits {
        let address_space = u64::try_from(self.compile_memory).unwrap_or(u64::MAX);
        CompileLimits { address_space, cpu: self.compile_cpu.as_secs().max(1) }
    }
}

/// A bound's value in the type of its field.
trait Value {
    fn of(value: u64) -> Self;
}

impl Value for usize {
    fn of(value: u64) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }
}

impl Value for Duration {
    fn of(milliseconds: u64) -> Self {
        Self::from_millis(milliseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bound_has_a_default_within_its_range() {
        for limit in Limits::ALL {
            assert!((limit.min..=limit.max).contains(&limit.default), "{limit:?}");
        }
    }
}
