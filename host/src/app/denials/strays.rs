//! Denials that stop nothing that is loaded: their names may be mistyped.

use std::collections::BTreeSet;

use crate::denials::{Denial, DenialOf, Strays};
use crate::dispatch::{Catalog, expected};

/// Returns what to say of the denials among `added` that stop a tool or code that `catalog` lacks.
/// A denial of someone is no stray: anyone may come.
pub(super) fn strays(added: &[Denial], catalog: &Catalog) -> Strays {
    let tools = catalog.loaded().map(|tool| tool.definition.name.as_str());
    let (tools, components): (BTreeSet<_>, _) = (tools.collect(), catalog.digests());
    let hint = |denial: &Denial| match denial.of {
        DenialOf::Tool if !tools.contains(&*denial.name) => Some(format!(
            "no tool that is loaded has this name; {}",
            expected(&denial.name, tools.iter().copied())
        )),
        DenialOf::Component if !components.contains(&*denial.name) => {
            Some("no component that is loaded has this digest".to_owned())
        }
        _ => None,
    };
    let hints = added
        .iter()
        .filter_map(|denial| Some((denial.id.clone(), hint(denial)?)));
    hints.take(MOST).collect()
}

/// More come from no one who types.
const MOST: usize = 16;
