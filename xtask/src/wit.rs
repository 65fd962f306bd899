//! `cargo xtask wit`: writes the reference of the interface, `docs/wit.md`, from `wit/tool.wit`.
//!
//! The comments of the interface are the reference's only text. Invariant: what the reader does not
//! know is an error, so that nothing of the interface is left out.

mod page;
mod reader;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

const SOURCE: &str = "wit/tool.wit";
const PAGE: &str = "docs/wit.md";

/// Writes the page.
pub(crate) fn write(root: &Path) -> Result<()> {
    fs::write(root.join(PAGE), made(root)?).context(PAGE)
}

/// Returns the page that belongs to the interface.
fn made(root: &Path) -> Result<String> {
    let text = fs::read_to_string(root.join(SOURCE)).context(SOURCE)?;
    Ok(page::of(&reader::read(&text).context(SOURCE)?))
}
