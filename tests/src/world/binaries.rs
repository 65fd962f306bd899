//! Where the programs and the tools are that stories run.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The binary under test.
///
/// # Errors
/// `BAILIWICK_BIN` does not say where it is.
pub fn bailiwick() -> anyhow::Result<PathBuf> {
    from_environment("BAILIWICK_BIN", Path::is_file)
}

/// The demo.
///
/// # Errors
/// `BAILIWICK_DEMO_BIN` does not say where it is.
pub fn demo() -> anyhow::Result<PathBuf> {
    from_environment("BAILIWICK_DEMO_BIN", Path::is_file)
}

/// The workbench.
///
/// # Errors
/// `BAILIWICK_DEV_BIN` does not say where it is.
pub fn workbench() -> anyhow::Result<PathBuf> {
    from_environment("BAILIWICK_DEV_BIN", Path::is_file)
}

/// The folder with the built example tools.
///
/// # Errors
/// `BAILIWICK_TOOLS` does not say where it is.
pub fn tools() -> anyhow::Result<PathBuf> {
    from_environment("BAILIWICK_TOOLS", Path::is_dir)
}

fn from_environment(name: &str, is_there: fn(&Path) -> bool) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os(name).map(PathBuf::from);
    path.filter(|path| is_there(path))
        .with_context(|| format!("{name} names nothing that is there: run `cargo xtask test`"))
}
