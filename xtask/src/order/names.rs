//! One type name means one thing: struct, enum, trait and alias names that are defined more than
//! once in the host. Associated types do not count, nor code for tests alone.

use std::collections::BTreeMap;

use syn::Item;

use super::modules::{Module, is_for_tests};

/// Describes each name with more than one definition, except those that are `shared`, and each
/// shared one that has a single definition now.
pub(super) fn repeated(modules: &[Module], shared: &[&str]) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for module in modules {
        collect(&module.items, &module.file, &mut places);
    }
    let is_repeated = |name: &str| places.get(name).is_some_and(|places| places.len() > 1);
    let repeated = places
        .iter()
        .filter(|(name, _)| is_repeated(name) && !shared.contains(&name.as_str()))
        .map(|(name, places)| {
            format!(
                "the type name {name} is defined more than once\n  {}",
                places.join("\n  ")
            )
        });
    let single = shared.iter().filter(|name| !is_repeated(name)).map(|name| {
        format!("{name} is defined once; take it off SHARED_NAMES in xtask/src/order.rs")
    });
    repeated.chain(single).collect()
}

fn collect(items: &[Item], file: &str, places: &mut BTreeMap<String, Vec<String>>) {
    for item in items {
        let (name, attributes) = match item {
            Item::Struct(item) => (&item.ident, &item.attrs),
            Item::Enum(item) => (&item.ident, &item.attrs),
            Item::Union(item) => (&item.ident, &item.attrs),
            Item::Trait(item) => (&item.ident, &item.attrs),
            Item::Type(item) => (&item.ident, &item.attrs),
            Item::Mod(module) => {
                let inner = module
                    .content
                    .as_ref()
                    .filter(|_| !is_for_tests(&module.attrs));
                collect(inner.map_or(&[], |(_, items)| items), file, places);
                continue;
            }
            _ => continue,
        };
        if !is_for_tests(attributes) {
            let place = format!("{file}:{}", name.span().start().line);
            places.entry(name.to_string()).or_default().push(place);
        }
    }
}
