//! The list of modules in ARCHITECTURE.md: the first fenced block below its heading, low to high.

use anyhow::{Context as _, Result, ensure};

use super::modules::Module;

/// The modules in order, each with the line of ARCHITECTURE.md that names it.
pub(super) struct Ranks(Vec<(String, usize)>);

impl Ranks {
    /// Reads the list. Text after a `#` is a comment.
    pub(super) fn read(architecture: &str) -> Result<Self> {
        let mut lines = (1..).zip(architecture.lines());
        lines
            .find(|(_, line)| *line == HEADING)
            .with_context(|| format!("ARCHITECTURE.md has no heading {HEADING:?}"))?;
        lines
            .find(|(_, line)| line.starts_with(FENCE))
            .context("no fenced list follows the heading")?;
        let mut ranks: Vec<(String, usize)> = Vec::new();
        for (number, line) in lines.take_while(|(_, line)| !line.starts_with(FENCE)) {
            let names = line.split('#').next().unwrap_or_default();
            for name in names.split_whitespace() {
                let twice = ranks.iter().any(|(known, _)| known == name);
                ensure!(!twice, "ARCHITECTURE.md:{number}: {name} is listed twice");
                ranks.push((name.to_owned(), number));
            }
        }
        ensure!(!ranks.is_empty(), "the list of modules is empty");
        Ok(Self(ranks))
    }

    /// Returns the rank of `module`, and the line that gives it.
    pub(super) fn of(&self, module: &str) -> Option<(usize, usize)> {
        let rank = self.0.iter().position(|(name, _)| name == module)?;
        self.0.get(rank).map(|(_, line)| (rank, *line))
    }

    /// Returns top-level modules that the list lacks, and names in it that are no such module.
    pub(super) fn differences(&self, modules: &[Module]) -> Vec<String> {
        let top = || modules.iter().filter(|module| module.path.len() == 1);
        let is = |module: &Module, name: &str| module.path.first().is_some_and(|own| own == name);
        let lacking = top()
            .filter(|module| self.0.iter().all(|(name, _)| !is(module, name)))
            .map(|module| {
                let name = module.path.join("::");
                format!(
                    "{}: the module {name} is not listed in ARCHITECTURE.md",
                    module.file
                )
            });
        let unknown = self
            .0
            .iter()
            .filter(|(name, _)| !top().any(|module| is(module, name)))
            .map(|(name, line)| format!("ARCHITECTURE.md:{line}: there is no module {name}"));
        lacking.chain(unknown).collect()
    }
}

const HEADING: &str = "## Order of modules";
const FENCE: &str = "```";
