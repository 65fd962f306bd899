//! Imports that lead from a lower module to a higher one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::imports::Import;
use super::list::Ranks;

/// From one top-level module to another, with the first import that does it.
type Edges<'i> = BTreeMap<(&'i str, &'i str), Vec<&'i Import>>;

/// Describes each edge that runs backwards.
pub(super) fn backwards(ranks: &Ranks, imports: &[Import]) -> Vec<String> {
    let edges = edges(imports);
    let wrong = edges
        .keys()
        .filter(|(from, to)| is_backwards(ranks, from, to));
    wrong.map(|edge| described(*edge, &edges, ranks)).collect()
}

fn edges(imports: &[Import]) -> Edges<'_> {
    let mut edges = Edges::new();
    for import in imports {
        if let (Some(from), Some(to)) = (import.from.first(), import.to.first())
            && from != to
        {
            edges.entry((from, to)).or_default().push(import);
        }
    }
    edges
}

/// Returns true if both are listed and the importing one stands first. A module that is not listed
/// is a fault of its own, or is no module but an item of the root.
fn is_backwards(ranks: &Ranks, from: &str, to: &str) -> bool {
    let rank = |name| ranks.of(name).map(|(rank, _)| rank);
    rank(from).zip(rank(to)).is_some_and(|(from, to)| from < to)
}

fn described((from, to): (&str, &str), edges: &Edges<'_>, ranks: &Ranks) -> String {
    let mut text = format!("{from} imports {to}, which stands after it");
    let mut lines = BTreeSet::new();
    let all = edges.get(&(from, to)).into_iter().flatten();
    for import in all.filter(|import| lines.insert((&import.file, import.line))) {
        let _ = write!(
            text,
            "\n  {}:{}: {}",
            import.file,
            import.line,
            import.to.join("::")
        );
    }
    let other = edges.get(&(to, from)).and_then(|imports| imports.first());
    text + &match (other, ranks.of(to)) {
        (Some(import), _) => format!(
            "\n  {}:{}: while {to} imports {}",
            import.file,
            import.line,
            import.to.join("::")
        ),
        (None, Some((_, line))) => format!("\n  ARCHITECTURE.md:{line}: is where {to} stands"),
        (None, None) => String::new(),
    }
}
