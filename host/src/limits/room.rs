//! The memory that this process can have: the machine's, or less if a control group sets a bound.
//!
//! Trusts the kernel's files, at the paths where they usually are. A file that cannot be read sets
//! no bound.
//!
//! Invariant: it is read once, so that the process never acts on two different values.

use std::fmt::{Display, Formatter, Result as Written};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

/// The memory that this process can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The amount, in bytes.
    pub bytes: u64,
    /// The file that sets it.
    pub from: PathBuf,
}

impl Room {
    /// Returns the room of this process, or `None` if no file sets it.
    pub fn here() -> Option<&'static Self> {
        static HERE: OnceLock<Option<Room>> = OnceLock::new();
        HERE.get_or_init(|| Self::under(Path::new("/"))).as_ref()
    }

    /// Reads the room from the kernel's files under `root`.
    fn under(root: &Path) -> Option<Self> {
        let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
        let bounds = groups
            .lines()
            .filter_map(ControlGroup::parse)
            .flat_map(|group| group.bounds(root));
        bounds.chain(machine(root)).min_by_key(|room| room.bytes)
    }
}

impl Display for Room {
    fn fmt(&self, out: &mut Formatter<'_>) -> Written {
        write!(out, "{} MiB ({})", self.bytes >> 20, self.from.display())
    }
}

/// A control group of this process that can bound memory.
struct ControlGroup<'a> {
    /// The mount point of its hierarchy.
    mount: &'static str,
    /// The names of the files with a bound.
    files: &'static [&'static str],
    /// The path of the group, from the top of the hierarchy.
    path: &'a str,
}

impl<'a> ControlGroup<'a> {
    /// Reads a line of `/proc/self/cgroup`: `0::PATH` for version 2, `N:CONTROLLERS:PATH` for
    /// version 1.
    fn parse(line: &'a str) -> Option<Self> {
        let (number, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        if number == "0" && controllers.is_empty() {
            // Beyond `memory.high` a process is slowed down until it hardly runs, so that is a
            // bound as well.
            return Some(Self {
                mount: "sys/fs/cgroup",
                files: &["memory.max", "memory.high"],
                path,
            });
        }
        let of_memory = controllers
            .split(',')
            .any(|controller| controller == "memory");
        of_memory.then_some(Self {
            mount: "sys/fs/cgroup/memory",
            files: &["memory.limit_in_bytes"],
            path,
        })
    }

    /// Returns the bounds of this group and of every group above it. In a container the path can be
    /// the host's, which does not exist there; the top of the hierarchy is then the container's own
    /// group.
    fn bounds(&self, root: &Path) -> Vec<Room> {
        let top = Path::new("/").join(self.mount);
        let named = self.path.trim_start_matches('/');
        let inside = Path::new(named)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let group = if inside { top.join(named) } else { top.clone() };
        let above = group
            .ancestors()
            .take_while(|folder| folder.starts_with(&top));
        let files = above.flat_map(|folder| self.files.iter().map(|file| folder.join(file)));
        files.filter_map(|file| number(root, file)).collect()
    }
}

/// Returns the bound in a file, or `None` if the file has `max`.
fn number(root: &Path, from: PathBuf) -> Option<Room> {
    let text = fs::read_to_string(root.join(from.strip_prefix("/").ok()?)).ok()?;
    Some(Room {
        bytes: text.trim().parse().ok()?,
        from,
    })
}

/// Returns the machine's memory.
fn machine(root: &Path) -> Option<Room> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(Room {
        bytes: kibibytes.saturating_mul(1024),
        from: PathBuf::from("/proc/meminfo"),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// A machine's files: path and content.
    type Files<'a> = &'a [(&'a str, &'a str)];

    /// A machine, its files, and its room: mebibytes and the file that sets them.
    type Case<'a> = (&'a str, Files<'a>, Option<(u64, &'a str)>);

    const MIB: u64 = 1 << 20;

    fn room(files: Files<'_>) -> Option<(u64, String)> {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Room::under(root.path()).map(|room| (room.bytes / MIB, room.from.display().to_string()))
    }

    const MACHINE: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:       16777216 kB\nMemFree:  1 kB\n",
    );

    const CASES: &[Case<'_>] = &[
        ("nothing can be read", &[], None),
        ("no groups", &[MACHINE], Some((16384, "/proc/meminfo"))),
        (
            "version 2, its own group",
            &[
                MACHINE,
                ("proc/self/cgroup", "0::/system.slice/bailiwick.service\n"),
                (
                    "sys/fs/cgroup/system.slice/bailiwick.service/memory.max",
                    "536870912\n",
                ),
                ("sys/fs/cgroup/system.slice/memory.max", "max\n"),
            ],
            Some((
                512,
                "/sys/fs/cgroup/system.slice/bailiwick.service/memory.max",
            )),
        ),
        (
            "version 2, a group above",
            &[
                MACHINE,
                ("proc/self/cgroup", "0::/pods/a/b\n"),
                ("sys/fs/cgroup/pods/a/b/memory.max", "max\n"),
                ("sys/fs/cgroup/pods/a/memory.max", "1073741824\n"),
                ("sys/fs/cgroup/pods/memory.max", "2147483648\n"),
            ],
            Some((1024, "/sys/fs/cgroup/pods/a/memory.max")),
        ),
        (
            "version 2, throttled before it is killed",
            &[
                MACHINE,
                ("proc/self/cgroup", "0::/a\n"),
                ("sys/fs/cgroup/a/memory.max", "1073741824\n"),
                ("sys/fs/cgroup/a/memory.high", "805306368\n"),
            ],
            Some((768, "/sys/fs/cgroup/a/memory.high")),
        ),
        (
            "version 2, a container with a namespace of its own",
            &[
                MACHINE,
                ("proc/self/cgroup", "0::/\n"),
                ("sys/fs/cgroup/memory.max", "268435456\n"),
            ],
            Some((256, "/sys/fs/cgroup/memory.max")),
        ),
        (
            "version 1, a container that sees the host's path",
            &[
                MACHINE,
                (
                    "proc/self/cgroup",
                    "4:memory:/docker/4f2a\n1:cpu,cpuacct:/docker/4f2a\n0::/\n",
                ),
                ("sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n"),
            ],
            Some((128, "/sys/fs/cgroup/memory/memory.limit_in_bytes")),
        ),
        (
            "version 1, together with another controller and no limit",
            &[
                MACHINE,
                ("proc/self/cgroup", "4:hugetlb,memory:/a\n"),
                (
                    "sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                    "9223372036854771712\n",
                ),
            ],
            Some((16384, "/proc/meminfo")),
        ),
        (
            "a group outside of what is seen",
            &[
                MACHINE,
                ("proc/self/cgroup", "0::/../../proc\n"),
                ("sys/fs/cgroup/memory.max", "268435456\n"),
            ],
            Some((256, "/sys/fs/cgroup/memory.max")),
        ),
        (
            "a group without memory, and nonsense",
            &[
                MACHINE,
                ("proc/self/cgroup", "1:cpu:/a\nnonsense\n:::\n0::/b\n"),
                ("sys/fs/cgroup/a/memory.max", "1\n"),
                ("sys/fs/cgroup/b/memory.max", "a lot\n"),
            ],
            Some((16384, "/proc/meminfo")),
        ),
        (
            "a machine that hides its memory",
            &[
                ("proc/self/cgroup", "0::/a\n"),
                ("sys/fs/cgroup/a/memory.max", "268435456\n"),
            ],
            Some((256, "/sys/fs/cgroup/a/memory.max")),
        ),
    ];

    #[test]
    fn the_room_is_the_least_of_the_machine_and_every_group_above() {
        for (what, files, expected) in CASES {
            let expected = expected.map(|(bytes, file)| (bytes, file.to_owned()));
            assert_eq!(room(files), expected, "{what}");
        }
    }
}
