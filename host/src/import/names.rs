//! Names of tools and arguments, of names that may have any characters.

use std::collections::BTreeMap;

use crate::build;

/// Returns the names of tools that would be called so, in their order. Beside each wanted name
/// stands what tells it from all others. Names that would be the same, empty or too long get an
/// ending of their own, which is the same whatever else is there.
pub(super) fn tool_names(wanted: &[(String, String)]) -> Vec<String> {
    let plain: Vec<_> = wanted.iter().map(|(name, _)| plain_name(name)).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &plain {
        *counts.entry(name).or_default() += 1;
    }
    let named = plain.iter().zip(wanted).map(|(plain, (_, of))| {
        let alone = counts.get(plain.as_str()) == Some(&1);
        if alone && (1..=MAX_NAME).contains(&plain.len()) {
            return plain.clone();
        }
        let digest = build::digest(of.as_bytes());
        let ending: String = digest.chars().skip(SCHEME).take(ENDING).collect();
        let beginning: String = plain.chars().take(MAX_NAME - ENDING - 1).collect();
        format!("{beginning}_{ending}")
    });
    named.collect()
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
