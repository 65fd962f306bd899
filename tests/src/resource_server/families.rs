//! The cases, in families.

mod anonymous;
mod browser;
mod claims;
mod connections;
mod damaged;
mod everywhere;
mod header;
mod metadata;
mod placement;
mod scopes;
mod tokens;

use anyhow::Result;

use super::suite::Suite;

/// Tries every case.
pub(super) async fn run(suite: &mut Suite<'_>) -> Result<()> {
    anonymous::run(suite).await?;
    metadata::run(suite).await?;
    placement::run(suite).await?;
    tokens::run(suite, claims::CASES).await?;
    tokens::run(suite, claims::SHAPES).await?;
    tokens::run(suite, header::CASES).await?;
    header::keys_elsewhere(suite).await?;
    damaged::run(suite).await?;
    scopes::run(suite).await?;
    connections::run(suite).await?;
    browser::run(suite).await?;
    // Last: it looks at every answer so far.
    everywhere::run(suite);
    Ok(())
}
