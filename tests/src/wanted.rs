//! The numbers that make a test long (`cargo xtask deep`).

use std::env;

use anyhow::{Context as _, Result};

/// Returns the number in this variable of the environment, if it is set.
///
/// # Errors
/// Fails if it is set to something else.
pub fn wanted(variable: &str) -> Result<Option<usize>> {
    let set = env::var_os(variable).map(|set| set.to_string_lossy().parse());
    set.transpose()
        .with_context(|| format!("{variable} is not a number"))
}
