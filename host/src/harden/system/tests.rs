//! Each test runs itself again as a child, which gives up its rights and tries what it can still
//! do.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::disallowed_methods, reason = "a socket of the test itself")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::{env, fs, io, thread};

use super::super::{CompileLimits, compiling, serving, spawning};

/// Set in the child.
const CHILD: &str = "BAILIWICK_HARDEN_TEST";

/// Runs `child` in its own process: the test of that name again.
fn apart(test: &str, child: fn()) {
    if env::var_os(CHILD).is_some() {
        return child();
    }
    let name = format!("harden::system::tests::{test}");
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command
        .args([&name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn denied<T>(result: io::Result<T>, what: &str) {
    let kind = result.map(drop).map_err(|error| error.kind());
    assert_eq!(kind, Err(ErrorKind::PermissionDenied), "{what}");
}

fn field(status: &str, name: &str) -> String {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_owned()
}

#[test]
fn a_serving_process_starts_no_program_in_any_way() {
    apart("a_serving_process_starts_no_program_in_any_way", || {
        let before = thread::spawn(thread::park);
        serving().unwrap();
        denied(Command::new("/bin/true").spawn(), "a child");
        denied(Err::<(), _>(Command::new("/bin/true").exec()), "exec");
        let elsewhere = thread::spawn(|| Err::<(), _>(Command::new("/bin/true").exec()));
        denied(
            elsewhere.join().unwrap(),
            "exec in a thread that came later",
        );
        denied(std::os::unix::fs::chroot("/"), "chroot");
        for task in fs::read_dir("/proc/self/task").unwrap() {
            let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            assert_eq!(
                (field(&status, "Seccomp"), field(&status, "NoNewPrivs")),
                ("2".into(), "1".into())
            );
        }
        before.thread().unpark();
        before.join().unwrap();
    });
}

#[test]
fn a_serving_process_still_serves() {
    apart("a_serving_process_still_serves", || {
        serving().unwrap();
        assert_eq!(
            rustix::process::dumpable_behavior().unwrap(),
            rustix::process::DumpableBehavior::NotDumpable
        );
        assert_eq!(
            rustix::process::getrlimit(rustix::process::Resource::Core).maximum,
            Some(0)
        );
        assert!(
            ("localhost", 80)
                .to_socket_addrs()
                .unwrap()
                .next()
                .is_some(),
            "names"
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let talk = thread::spawn(move || {
            TcpStream::connect(address)
                .unwrap()
                .write_all(b"hello")
                .unwrap();
        });
        let mut heard = String::new();
        listener
            .accept()
            .unwrap()
            .0
            .read_to_string(&mut heard)
            .unwrap();
        talk.join().unwrap();
        assert_eq!(heard, "hello", "sockets and threads");
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "b").unwrap();
        fs::rename(folder.path().join("a"), folder.path().join("c")).unwrap();
        assert_eq!(
            fs::read_to_string(folder.path().join("c")).unwrap(),
            "b",
            "files"
        );
        let engine = wasmtime::Engine::default();
        let module =
            wasmtime::component::Component::new(&engine, wat::parse_str("(component)").unwrap());
        assert!(module.is_ok(), "machine code");
    });
}

#[test]
fn a_spawning_process_starts_programs_and_nothing_worse() {
    apart(
        "a_spawning_process_starts_programs_and_nothing_worse",
        || {
            spawning().unwrap();
            assert!(
                Command::new("/bin/true").status().unwrap().success(),
                "a child"
            );
            denied(std::os::unix::fs::chroot("/"), "chroot");
        },
    );
}

#[test]
fn a_compiling_process_computes_and_can_do_nothing_else() {
    apart(
        "a_compiling_process_computes_and_can_do_nothing_else",
        || {
            let standard = Stdio::piped;
            let mut before = fs::File::open("/etc/hostname").unwrap();
            compiling(CompileLimits {
                address_space: 4 << 30,
                cpu: 60,
            })
            .unwrap();
            denied(fs::read("/etc/hostname"), "a file");
            denied(before.read(&mut [0; 8]), "a file that was open before");
            denied(fs::write("/tmp/bailiwick-harden-test", "x"), "a new file");
            denied(TcpListener::bind("127.0.0.1:0"), "a socket");
            denied(io::pipe(), "a pipe");
            denied(
                Command::new("/bin/true").stdout(standard()).spawn(),
                "a child",
            );
            denied(Err::<(), _>(Command::new("/bin/true").exec()), "exec");
            denied(std::os::unix::fs::chroot("/"), "chroot");
            assert_eq!(
                thread::spawn(|| vec![1_u8; 1 << 20].len()).join().unwrap(),
                1 << 20,
                "threads and memory"
            );
            let mut mine = io::stdout();
            mine.write_all(b"standard output\n").unwrap();
        },
    );
}

#[test]
fn a_spawning_process_is_ended_before_the_one_that_serves_when_memory_runs_out() {
    apart(
        "a_spawning_process_is_ended_before_the_one_that_serves_when_memory_runs_out",
        || {
            let score = || {
                fs::read_to_string("/proc/self/oom_score_adj")
                    .unwrap()
                    .trim()
                    .parse::<i32>()
                    .unwrap()
            };
            for before in [score(), 600] {
                fs::write("/proc/self/oom_score_adj", before.to_string()).unwrap();
                spawning().unwrap();
                assert_eq!(score(), i32::midpoint(before, 1000));
            }
        },
    );
}
