//! The bounds (`[limits]`), as one table: each has a key, a default, a least and a largest value.
//!
//! Defaults that are amounts of memory are lower where the process can have little ([`Room`]).
//!
//! Invariant: there is no bound without a default, and none that can be switched off.

mod room;

use std::time::Duration;

pub use room::Room;

/// One row of the table of bounds.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The key under `[limits]`.
    pub key: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// The value if the configuration has none.
    pub default: u64,
    /// The least value.
    pub min: u64,
    /// The largest value.
    pub max: u64,
}

/// The unit of a bound's values.
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
        /// The bounds of calls and of the whole host.
        #[derive(Debug, Clone)]
        pub struct Limits { $($(#[$doc])+ pub $key: $type,)* }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($key: <$type as LimitValue>::of($default),)* }
            }
        }

        impl Limits {
            /// Every bound.
            pub const ALL: &'static [Limit] = &[$(
                Limit { key: stringify!($key), unit: Unit::$unit, default: $default, min: $min, max: $max },
            )*];

            /// Sets the bound named `key`. The value lies between its least and its largest.
            pub fn set(&mut self, key: &str, value: u64) {
                match key {
                    $(stringify!($key) => self.$key = <$type as LimitValue>::of(value),)*
                    _ => {}
                }
            }

            /// Returns the bound of this row, in the row's unit.
            pub(crate) fn value(&self, row: &Limit) -> u64 {
                match row.key {
                    $(stringify!($key) => self.$key.amount(),)*
                    _ => 0,
                }
            }
        }
    };
}

limits! {
    // For one call.
    /// Linear memory of all memories together, bytes.
    memory: usize, Bytes = 64 << 20, 64 << 10, 256 << 20;
    /// Elements of one table.
    table_elements: usize, Count = 20_000, 1, 100_000;
    /// Core instances.
    instances: usize, Count = 64, 1, 128;
    /// Stack of WebAssembly frames, bytes. The script tier has twice as much.
    stack: usize, Bytes = 512 << 10, 64 << 10, 1 << 20;
    /// Processor time.
    cpu: Duration, Time = 500, 1, 5_000;
    /// Wall-clock time.
    time: Duration, Time = 10_000, 1, 60_000;
    /// Bytes of strings and lists that may cross the boundary in one host call or result.
    hostcall_bytes: usize, Bytes = 8 << 20, 64 << 10, 64 << 20;
    /// Handles to the host's resources. The world has none, but the WASI tier's streams are.
    handles: usize, Count = 256, 1, 4096;
    /// Size of the result, bytes.
    output: usize, Bytes = 1 << 20, 1, 16 << 20;
    /// Downstream calls.
    downstream_calls: usize, Count = 16, 1, 1000;
    /// Time for one downstream call.
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

    // For the whole host.
    /// Size of a request body at the front door, bytes.
    input: usize, Bytes = 1 << 20, 1, 16 << 20;
    /// Requests of one principal in a minute, on average.
    calls_per_minute: usize, Count = 300_000, 1, 60_000_000;
    /// Requests of one principal at once, before the average counts.
    calls_burst: usize, Count = 10_000, 1, 1_000_000;
    /// Requests of one tenant in a minute, on average.
    calls_per_minute_per_tenant: usize, Count = 3_000_000, 1, 600_000_000;
    /// Requests of one tenant at once, before the average counts.
    calls_burst_per_tenant: usize, Count = 100_000, 1, 10_000_000;
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
    /// Calls that may wait for a place. Beyond this number, calls are refused at once.
    queued_calls: usize, Count = 256, 0, 4096;
    /// Calls of one tenant that may wait for a place.
    queued_calls_per_tenant: usize, Count = 128, 0, 4096;
    /// Time that a call may wait for a place.
    queue_time: Duration, Time = 2_000, 1, 10_000;
    /// Time in which questions to a client can be answered.
    answer_time: Duration, Time = 600_000, 1_000, 3_600_000;
    /// Sessions at the same time.
    sessions: usize, Count = 10_000, 1, 1_000_000;
    /// Sessions of one principal at the same time.
    sessions_per_user: usize, Count = 100, 1, 10_000;
    /// Time after which a session without a request or an open stream ends.
    session_idle_time: Duration, Time = 3_600_000, 1_000, 86_400_000;
    /// Time after which a session ends.
    session_time: Duration, Time = 86_400_000, 1_000, 604_800_000;
    /// Size of a component, bytes.
    component: usize, Bytes = 32 << 20, 1, 64 << 20;
    /// Components in the tools folder.
    components: usize, Count = 1000, 1, 10_000;
    /// Address space of the process that compiles a component, bytes.
    compile_memory: usize, Bytes = 4 << 30, 256 << 20, 64 << 30;
    /// Processor time for compiling a component.
    compile_cpu: Duration, Time = 60_000, 1_000, 600_000;
}

impl Limit {
    /// Returns the default in a process that has `room`: at most its share of the room, and never
    /// below the least value.
    fn default_in(&self, room: Option<&Room>) -> u64 {
        let share = SHARES.iter().find(|(key, _)| *key == self.key);
        let most = share
            .zip(room)
            .map(|((_, parts), room)| room.bytes / parts / MIB * MIB);
        most.map_or(self.default, |most| self.default.min(most).max(self.min))
    }
}

impl Limits {
    /// Returns the defaults in a process that has `room`.
    pub fn within(room: Option<&Room>) -> Self {
        let mut limits = Self::default();
        for row in Self::ALL {
            limits.set(row.key, row.default_in(room));
        }
        limits
    }

    /// Lists the bounds that are below the table's defaults because of `room`. Returns `None` if
    /// none is.
    pub fn lowered(&self, room: Option<&Room>) -> Option<String> {
        let lowered = |row: &&Limit| {
            let default = row.default_in(room);
            default < row.default && self.value(row) == default
        };
        let rows = Self::ALL
            .iter()
            .filter(lowered)
            .map(|row| format!("{} = {}", row.key, mebibytes(self.value(row))));
        let rows: Vec<_> = rows.collect();
        let room = room.filter(|_| !rows.is_empty())?;
        Some(format!(
            "{}, because this process can have {room}",
            rows.join(", ")
        ))
    }

    /// Warns of each bound that is more memory than there is in `room`.
    pub fn beyond(&self, room: Option<&Room>) -> Vec<String> {
        let Some(room) = room else { return Vec::new() };
        let of_memory = Self::ALL
            .iter()
            .filter(|row| SHARES.iter().any(|(key, _)| *key == row.key));
        let beyond = of_memory.filter(|row| self.value(row) > room.bytes);
        let warning = |row: &Limit| {
            let (key, value) = (row.key, mebibytes(self.value(row)));
            format!(
                "limits.{key} is {value}, but this process can have {room}: the kernel acts before \
                 the limit does"
            )
        };
        beyond.map(warning).collect()
    }
}

/// A bound's value in the type of its field.
trait LimitValue {
    fn of(value: u64) -> Self;
    fn amount(&self) -> u64;
}

impl LimitValue for usize {
    fn of(value: u64) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }

    fn amount(&self) -> u64 {
        u64::try_from(*self).unwrap_or(u64::MAX)
    }
}

impl LimitValue for Duration {
    fn of(milliseconds: u64) -> Self {
        Self::from_millis(milliseconds)
    }

    fn amount(&self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Writes an amount of memory as the configuration has it.
fn mebibytes(bytes: u64) -> String {
    format!("\"{}MiB\"", bytes / MIB)
}

/// The number of parts into which the room is divided. A default is at most one part. Calls have
/// half of the room together, so that the rest of the host fits beside them. The compiler's limit
/// counts address space, which is always more than memory.
const SHARES: [(&str, u64); 3] = [("memory", 4), ("memory_total", 2), ("compile_memory", 1)];
const MIB: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn room(mebibytes: u64) -> Room {
        Room {
            bytes: mebibytes * MIB,
            from: PathBuf::from("/sys/fs/cgroup/memory.max"),
        }
    }

    #[test]
    fn every_bound_has_a_default_within_its_range() {
        for limit in Limits::ALL {
            assert!(
                (limit.min..=limit.max).contains(&limit.default),
                "{limit:?}"
            );
        }
    }

    #[test]
    fn defaults_of_memory_are_a_share_of_the_room_and_nothing_else_changes() {
        for (mebibytes, expected) in [
            (1 << 20, [64, 2048, 4096]),
            (8192, [64, 2048, 4096]),
            (2048, [64, 1024, 2048]),
            (256, [64, 128, 256]),
            (128, [32, 64, 256]),
            (0, [0, 1, 256]),
        ] {
            let limits = Limits::within(Some(&room(mebibytes)));
            let found = [limits.memory, limits.memory_total, limits.compile_memory]
                .map(|bytes| bytes >> 20);
            assert_eq!(found, expected, "{mebibytes} MiB");
            let (table, rest) = (Limits::default(), limits);
            let rest = Limits {
                memory: table.memory,
                memory_total: table.memory_total,
                compile_memory: table.compile_memory,
                ..rest
            };
            assert_eq!(format!("{rest:?}"), format!("{table:?}"), "{mebibytes} MiB");
        }
        assert_eq!(
            format!("{:?}", Limits::within(None)),
            format!("{:?}", Limits::default())
        );
    }

    #[test]
    fn what_is_lowered_is_said_and_what_is_too_much_is_warned_about() {
        let small = room(512);
        let mut limits = Limits::within(Some(&small));
        let lowered = |limits: &Limits| limits.lowered(Some(&small)).unwrap_or_default();
        let because = "because this process can have 512 MiB (/sys/fs/cgroup/memory.max)";
        assert_eq!(
            lowered(&limits),
            format!("memory_total = \"256MiB\", compile_memory = \"512MiB\", {because}")
        );
        assert!(limits.beyond(Some(&small)).is_empty());
        limits.set("memory_total", 1 << 30);
        assert_eq!(
            lowered(&limits),
            format!("compile_memory = \"512MiB\", {because}")
        );
        let warned = limits.beyond(Some(&small)).join("\n");
        let told = "limits.memory_total is \"1024MiB\", but this process can have 512 MiB (/sys/fs/cgroup/memory.max)";
        assert!(warned.starts_with(told), "{warned}");
        assert!(Limits::within(None).lowered(None).is_none() && limits.beyond(None).is_empty());
    }

    #[test]
    fn the_documents_say_what_share_of_the_room_a_default_is() {
        let page = include_str!("../../docs/configuration.md");
        for (key, parts) in SHARES {
            let share = match parts {
                1 => "all of it",
                2 => "half",
                _ => "a quarter",
            };
            let row = format!("| `{key}` | {share}");
            assert!(page.contains(&row), "docs/configuration.md lacks: {row}");
        }
    }
}
