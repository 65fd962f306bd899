//! A hunt among hosts that do without one barrier between principals. Each host is this test
//! program again, in a process of its own.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::env;
use std::io::Write as _;
use std::path::PathBuf;

use bailiwick_dev::hunt::{self, Report, Settings};
use bailiwick_dev::process::Interrupts;
use tempfile::TempDir;
use tokio::process::Command;

use super::*;
use crate::delegation::Barrier;
use crate::harden::CompileLimits;
use crate::intake::Compiling;
use crate::sandbox::Tier;

/// The name of the test below, by which a child runs it.
const TEST: &str = "app::tests::a_hunt_finds_values_of_others_as_soon_as_one_barrier_is_gone";
/// Names the configuration of a host, in its process.
const CONFIG: &str = "BAILIWICK_TEST_SERVE";
const USERS: usize = 60;
const CALLS: usize = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hunt_finds_values_of_others_as_soon_as_one_barrier_is_gone() {
    if let Some(config) = env::var_os(CONFIG) {
        return Box::pin(serve(&PathBuf::from(config))).await;
    }
    let sound = without(None).await;
    assert_eq!(sound.foreign, 0, "{:#?}", sound.examples);
    sound.is_lively(false).unwrap();
    for barrier in Barrier::ALL {
        let report = without(Some(barrier)).await;
        assert!(report.foreign > 0, "without {barrier:?}: {report}");
    }
}

/// Hunts for what a host without a barrier lets others see.
async fn without(barrier: Option<Barrier>) -> Report {
    let temp = TempDir::new().unwrap();
    let serve = |config: &Path| {
        let mut program = Command::new(env::current_exe().unwrap());
        program.args([TEST, "--exact", "--nocapture"]);
        program.env(CONFIG, config);
        if let Some(barrier) = barrier {
            program.env(Barrier::REMOVED, barrier.name());
        }
        program
    };
    let settings = Settings {
        folder: &temp.path().join("host"),
        tools: &tools(),
        carrier: None,
        users: USERS,
        calls: CALLS,
        serve: &serve,
    };
    hunt::hunt(settings).await.unwrap()
}

/// Returns the folder with the built example tools.
fn tools() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    let folder = env::var_os("BAILIWICK_TOOLS").map_or_else(beside, PathBuf::from);
    let hint = "run `cargo xtask tools`";
    assert!(
        folder.join("orders.wasm").is_file(),
        "{}: {hint}",
        folder.display()
    );
    folder
}

/// Serves a configuration until this process is asked to end.
async fn serve(config: &Path) {
    let mut interrupts = Interrupts::listen(true).unwrap();
    let program = Program {
        workers: Here,
        bell: Bell::default(),
        memory: || None,
    };
    let app = Box::pin(App::start(config, program, None)).await.unwrap();
    let line = format!("listening on {}\n", app.url().unwrap());
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(app.run(stop.clone()));
    interrupts.next().await;
    stop.cancel();
    serving.await.unwrap().unwrap();
}

/// Compiles in this process.
struct Here;

impl Compile for Here {
    fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], _: CompileLimits) -> Compiling<'a> {
        Box::pin(async move { intake::compile_here(tier, bytes) })
    }
}
