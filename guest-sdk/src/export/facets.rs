//! What definitions have no member for, as the interface `facets`; and whether a component exports
//! what it has.

use super::{About, Entry, PromptEntry, ResourceEntry};
use crate::bindings::facets::Subject;

/// Returns true if this list of any entry has an item. Constant functions have no iterators.
macro_rules! any {
    ($entries:expr, $($list:ident).+) => {{
        let (mut entries, mut found) = ($entries, false);
        while let [first, rest @ ..] = entries {
            found |= !first.$($list).+.is_empty();
            entries = rest;
        }
        found
    }};
}

/// All that a component exports.
#[derive(Clone, Copy)]
pub struct Exports {
    /// The tools.
    pub tools: &'static [Entry],
    /// The resources and families.
    pub resources: &'static [ResourceEntry],
    /// The prompts.
    pub prompts: &'static [PromptEntry],
}

/// A thing of the component and its facets, as JSON by name.
pub type Facets = (Subject, Vec<(String, String)>);

impl Exports {
    /// Lists the facets.
    pub fn facets(&self) -> Vec<Facets> {
        let tools = self.tools.iter();
        let tools = tools.map(|tool| (Subject::Tool(tool.about.name.to_owned()), tool.about));
        let prompts = self.prompts.iter();
        let prompts = prompts.map(|it| (Subject::Prompt(it.about.name.to_owned()), it.about));
        let resources = self.resources.iter();
        let resources = resources.map(|it| (Subject::Resource(it.uri.to_owned()), it.about));
        let all = tools.chain(prompts).chain(resources);
        let with_any = all.filter(|(_, about)| !about.facets.is_empty());
        with_any
            .map(|(subject, about)| (subject, owned(&about)))
            .collect()
    }

    /// Checks, while the component is compiled, that it exports `completion` and `facets` if and
    /// only if there are any.
    ///
    /// ```
    /// # use bailiwick_sdk::prelude::*;
    /// /// Greets.
    /// #[bailiwick_sdk::prompt(icons = ["https://a.example/icon.svg"])]
    /// fn greet(_call: &Call) -> Result<&'static str, Error> { Ok("Hello") }
    /// bailiwick_sdk::export! { prompts: [greet], facets }
    /// # fn main() {}
    /// ```
    ///
    /// ```compile_fail
    /// # use bailiwick_sdk::prelude::*;
    /// /// Greets.
    /// #[bailiwick_sdk::prompt(icons = ["https://a.example/icon.svg"])]
    /// fn greet(_call: &Call) -> Result<&'static str, Error> { Ok("Hello") }
    /// bailiwick_sdk::export! { prompts: [greet] }
    /// # fn main() {}
    /// ```
    ///
    /// # Panics
    /// It does not: the message is what to change.
    pub const fn check(&self, completion: bool, facets: bool) {
        let completed = any!(self.resources, completed) || any!(self.prompts, completed);
        assert!(
            completion || !completed,
            "`complete` is set: add `completion` to `bailiwick_sdk::export!`"
        );
        assert!(
            completed || !completion,
            "no `complete` is set: remove `completion` from `bailiwick_sdk::export!`"
        );
        let said = any!(self.tools, about.facets)
            || any!(self.resources, about.facets)
            || any!(self.prompts, about.facets);
        assert!(
            facets || !said,
            "`icons` or `requires` is set: add `facets` to `bailiwick_sdk::export!`"
        );
        assert!(
            said || !facets,
            "no `icons` or `requires` is set: remove `facets` from `bailiwick_sdk::export!`"
        );
    }
}

fn owned(about: &About) -> Vec<(String, String)> {
    let facets = about.facets.iter();
    facets
        .map(|(name, json)| ((*name).to_owned(), (*json).to_owned()))
        .collect()
}
