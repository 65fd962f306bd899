//! The committed file: the advisory database of `RustSec` as one text, whose changes can be read.
//!
//! A head names the commit and its time. Then come the advisories, each after a line with its path:
//! front matter and title, which is all that a check reads. The rest is at the `url` of the front
//! matter. Invariant: a written snapshot is read back as it was, in the order of the paths.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

/// A copy of the database at one commit.
#[derive(Debug, PartialEq)]
pub(crate) struct Snapshot {
    /// The commit of the database.
    pub(crate) commit: String,
    /// The day of the commit, `YYYY-MM-DD`.
    pub(crate) date: String,
    /// The same moment in seconds since 1970.
    pub(crate) seconds: u64,
    /// The advisories.
    pub(crate) advisories: Vec<Advisory>,
}

/// One advisory.
#[derive(Debug, PartialEq)]
pub(crate) struct Advisory {
    /// Its path in the database, such as `crates/wasmtime/RUSTSEC-2026-0222.md`.
    pub(crate) path: String,
    /// Front matter and title.
    pub(crate) text: String,
}

impl Advisory {
    /// Takes the kept part of a file of the database. Fails if the file has no front matter or no
    /// title.
    pub(crate) fn read(path: &str, file: &str) -> Result<Self> {
        let (front, rest) = file
            .split_once("\n```\n")
            .with_context(|| format!("{path}: no front matter"))?;
        let title = rest
            .lines()
            .find(|line| line.starts_with("# "))
            .with_context(|| format!("{path}: no title"))?;
        let (front, title) = (front.trim(), title.trim_end());
        ensure!(front.starts_with("```toml"), "{path}: no front matter");
        Ok(Self {
            path: path.to_owned(),
            text: format!("{front}\n```\n\n{title}\n"),
        })
    }

    /// Returns the first text member of the front matter with this name; empty if there is none.
    #[cfg(test)]
    pub(crate) fn member(&self, name: &str) -> &str {
        let value = self
            .text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='));
        value.unwrap_or_default().trim().trim_matches('"')
    }
}

impl Snapshot {
    /// Reads the committed file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split(MARK);
        let head = parts.next().unwrap_or_default();
        let said = |name: &str| {
            let line = head.lines().find_map(|line| {
                line.strip_prefix("# ")?
                    .strip_prefix(name)?
                    .strip_prefix(' ')
            });
            line.with_context(|| format!("the head does not say {name}"))
        };
        let (commit, date, seconds) = (
            said("commit")?.to_owned(),
            said("date")?.to_owned(),
            said("seconds")?.parse()?,
        );
        let advisories = parts.map(|part| {
            let (path, text) = part.split_once('\n').context("an advisory without text")?;
            Ok(Advisory {
                path: path.to_owned(),
                text: text.to_owned(),
            })
        });
        Ok(Self {
            commit,
            date,
            seconds,
            advisories: advisories.collect::<Result<_>>()?,
        })
    }

    /// Returns the text of the committed file.
    pub(crate) fn text(&mut self) -> String {
        self.advisories
            .sort_by(|one, other| one.path.cmp(&other.path));
        let Self {
            commit,
            date,
            seconds,
            ..
        } = self;
        let mut text = format!("{HEAD}# commit {commit}\n# date {date}\n# seconds {seconds}\n");
        for Advisory { path, text: kept } in &self.advisories {
            // Writing to a string does not fail.
            let _ = write!(text, "{MARK}{path}\n{kept}");
        }
        text
    }
}

/// Begins an advisory; the path is on the same line.
const MARK: &str = "\n=== ";

const HEAD: &str = "\
# Front matter and titles of the RustSec advisory database, https://github.com/rustsec/advisory-db.
# The database is in the public domain (CC0-1.0). An advisory with another licence names it as `license`, and its
# authors are at its `url`. `cargo xtask advisories` writes this file.
";
