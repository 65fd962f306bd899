//! The programs and the tools that stories run, found through the environment.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Returns the path of the binary under test.
///
/// # Errors
/// Fails if `BAILIWICK_BIN` does not name it.
pub fn bailiwick() -> anyhow::Result<PathBuf> {
    from_environment("BAILIWICK_BIN", Path::is_file)
}

/// Returns the path of the demo.
///
/// # Errors
/// Fails if `BAILIWICK_DEMO_BIN` does not name it.
pub fn demo() -> anyhow::Result<PathBuf> {
    from_environment("BAILIWICK_DEMO_BIN", Path::is_file)
}

/// Returns the path of the workbench.
///
/// # Errors
/// Fails if `BAILIWICK_DEV_BIN` does not name it.
pub fn workbench() -> anyhow::Result<PathBuf> {
    from_environment("BAILIWICK_DEV_BIN", Path::is_file)
}

/// Returns the folder with the built example tools.
///
/// # Errors
/// Fails if `BAILIWICK_TOOLS` does not name it.
pub fn tools() -> anyhow::Result<PathBuf> {
    from_environment("BAILIWICK_TOOLS", Path::is_dir)
}

fn from_environment(name: &str, is_there: fn(&Path) -> bool) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os(name).map(PathBuf::from);
    path.filter(|path| is_there(path))
        .with_context(|| format!("{name} names nothing that is there: run `cargo xtask test`"))
}
