//! Names of tools and arguments, of names that may have any characters.

use std::collections::{BTreeMap, BTreeSet};

use crate::build;

/// Returns the names of tools that would be called so, in their order. Beside each wanted name
/// stands what tells it from all others. Names that would be the same, empty or too long get an
/// ending of their own. As in the host, case makes no other name.
pub(super) fn tool_names(wanted: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<_> = wanted.iter().map(|(name, _)| plain_name(name)).collect();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for name in &names {
        *counts.entry(name.to_ascii_lowercase()).or_default() += 1;
    }
    let is_alone = |name: &String| {
        counts.get(&name.to_ascii_lowercase()) == Some(&1) && (1..=MAX_NAME).contains(&name.len())
    };
    let alone = names.iter().filter(|name| is_alone(name));
    let mut taken: BTreeSet<String> = alone.map(|name| name.to_ascii_lowercase()).collect();
    for (name, (_, of)) in names.iter_mut().zip(wanted) {
        if !is_alone(name) {
            *name = ended(name, of, &taken);
            taken.insert(name.to_ascii_lowercase());
        }
    }
    names
}

/// Returns a name with an ending, of a digest of `of`, that makes it another than those that are
/// taken.
fn ended(name: &str, of: &str, taken: &BTreeSet<String>) -> String {
    let digest = build::digest(of.as_bytes());
    let ended = |digits: usize| {
        let beginning = name.chars().take(MAX_NAME - digits - 1);
        let ending = digest.chars().skip(SCHEME).take(digits);
        let ended: String = beginning.chain(['_']).chain(ending).collect();
        ended
    };
    let mut names = (ENDING..MAX_NAME).map(&ended);
    let free = names.find(|name| !taken.contains(&name.to_ascii_lowercase()));
    free.unwrap_or_else(|| ended(ENDING))
}

/// Returns a name in the characters that tools' and arguments' names have.
pub(super) fn plain_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.chars().all(plain) {
        return name.to_owned();
    }
    let mut written = String::new();
    for character in name.chars() {
        let character = if plain(character) { character } else { '_' };
        if character != '_' || !written.ends_with('_') {
            written.push(character);
        }
    }
    written.trim_matches('_').to_owned()
}

const MAX_NAME: usize = 64;
/// The hexadecimal digits of an ending.
const ENDING: usize = 8;
/// The characters of `sha256:`.
const SCHEME: usize = 7;
