//! Circles among the files of one folder: modules with one parent that import each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use syn::{Item, UseTree};

use super::imports::Import;
use super::modules::{Module, is_for_tests};

/// The children of one module that import each other, with one import for each pair.
type Graph<'i> = BTreeMap<String, BTreeMap<String, &'i Import>>;

/// Describes each circle, except in the modules that are `tolerated`.
pub(super) fn cycles(modules: &[Module], imports: &[Import], tolerated: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    for (parent, graph) in graphs(modules, imports) {
        let name = parent.join("::");
        let may = tolerated.contains(&parent.first().map_or("", String::as_str));
        if !may && !parent.is_empty() {
            faults.extend(
                circles(&graph)
                    .iter()
                    .map(|circle| described(&name, circle, &graph)),
            );
        }
    }
    faults
}

fn graphs<'i>(modules: &[Module], imports: &'i [Import]) -> BTreeMap<Vec<String>, Graph<'i>> {
    let names = Reexports::of(modules);
    let mut graphs: BTreeMap<Vec<String>, Graph<'i>> = BTreeMap::new();
    for import in imports {
        let to = names.resolved(&import.to, &import.from);
        let common = import
            .from
            .iter()
            .zip(&to)
            .take_while(|(a, b)| a == b)
            .count();
        let (Some(from), Some(child)) = (import.from.get(common), to.get(common)) else {
            continue;
        };
        let parent = to.iter().take(common).cloned().collect::<Vec<_>>();
        let is_module = |name: &String| {
            let path = parent.iter().chain([name]);
            modules
                .iter()
                .any(|module| module.path.iter().eq(path.clone()))
        };
        if is_module(from) && is_module(child) {
            let graph = graphs.entry(parent.clone()).or_default();
            let edges = graph.entry(from.clone()).or_default();
            edges.entry(child.clone()).or_insert(import);
        }
    }
    graphs
}

/// Names that a module has from one of its children, through `use child::Name`.
struct Reexports(BTreeMap<Vec<String>, Vec<String>>);

impl Reexports {
    fn of(modules: &[Module]) -> Self {
        let mut all = BTreeMap::new();
        for module in modules {
            for item in &module.items {
                if let Item::Use(import) = item
                    && !is_for_tests(&import.attrs)
                {
                    leaves(&import.tree, &[], &mut |name, path| {
                        let of = |end: &[String]| [module.path.as_slice(), end].concat();
                        all.insert(of(&[name]), of(path));
                    });
                }
            }
        }
        Self(all)
    }

    /// Follows re-exports of the modules around `from`, a few times.
    fn resolved(&self, path: &[String], from: &[String]) -> Vec<String> {
        let mut path = path.to_vec();
        for _ in 0..4 {
            let found = (1..=path.len()).find_map(|end| {
                let (name, rest) = path.split_at_checked(end)?;
                let (_, parent) = name.split_last()?;
                let target = self.0.get(name).filter(|_| from.starts_with(parent))?;
                Some([target.as_slice(), rest].concat())
            });
            match found {
                Some(next) if next != path => path = next,
                _ => break,
            }
        }
        path
    }
}

/// Calls `take` with each name that a use tree brings in, and the path that it stands for.
fn leaves(tree: &UseTree, before: &[String], take: &mut impl FnMut(String, &[String])) {
    let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) if before.is_empty() && is_elsewhere(&path.ident) => {}
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident), take),
        UseTree::Name(name) if name.ident != "self" => {
            take(name.ident.to_string(), &with(&name.ident));
        }
        UseTree::Rename(name) => take(name.rename.to_string(), &with(&name.ident)),
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before, take);
            }
        }
        UseTree::Name(_) | UseTree::Glob(_) => {}
    }
}

fn is_elsewhere(first: &syn::Ident) -> bool {
    ["crate", "super", "std", "core"]
        .iter()
        .any(|other| first == other)
}

/// Sets of children each of which reaches all others.
fn circles(graph: &Graph<'_>) -> Vec<BTreeSet<String>> {
    let mut all: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for start in graph.keys() {
        let ahead = reached(graph, start);
        let circle: BTreeSet<String> = ahead
            .iter()
            .filter(|other| reached(graph, other).contains(start))
            .cloned()
            .collect();
        if circle.len() > 1 {
            all.insert(circle);
        }
    }
    all.into_iter().collect()
}

fn reached(graph: &Graph<'_>, start: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![start.to_owned()];
    while let Some(name) = next.pop() {
        for to in graph.get(&name).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(to.clone()) {
                next.push(to.clone());
            }
        }
    }
    found
}

fn described(parent: &str, circle: &BTreeSet<String>, graph: &Graph<'_>) -> String {
    let names: Vec<&str> = circle.iter().map(String::as_str).collect();
    let mut text = format!("files of {parent} import each other: {}", names.join(", "));
    for (from, edges) in graph.iter().filter(|(from, _)| circle.contains(*from)) {
        for (to, import) in edges.iter().filter(|(to, _)| circle.contains(*to)) {
            let _ = write!(
                text,
                "\n  {}:{}: {from} imports {to}",
                import.file, import.line
            );
        }
    }
    text
}
