//! The modules of a crate as a list: each file that `mod` declarations lead to, with its syntax.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use syn::punctuated::Punctuated;
use syn::{Attribute, Item, Meta, Token};

/// Texts by their path below the folder of sources.
#[derive(Default)]
pub(super) struct Sources(BTreeMap<String, String>);

/// One module in a file of its own.
pub(super) struct Module {
    /// From the crate's root: `["sandbox", "run"]`. The root's own path is empty.
    pub(super) path: Vec<String>,
    /// Its file, as a reader would open it.
    pub(super) file: String,
    pub(super) items: Vec<Item>,
}

impl Sources {
    /// Reads all files of Rust in `folder`.
    pub(super) fn of_folder(folder: &Path) -> Result<Self> {
        let mut sources = Self::default();
        sources.add(folder, "")?;
        Ok(sources)
    }

    #[cfg(test)]
    pub(super) fn of_texts(texts: &[(&str, &str)]) -> Self {
        let owned = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
        Self(texts.iter().map(owned).collect())
    }

    fn add(&mut self, folder: &Path, below: &str) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                self.add(&path, &format!("{below}{name}/"))?;
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path)?;
                self.0.insert(format!("{below}{name}"), text);
            }
        }
        Ok(())
    }
}

/// Follows the declarations from each of `roots`, passing over modules that are for tests alone.
pub(super) fn modules(sources: &Sources, roots: &[&str]) -> Result<Vec<Module>> {
    let mut found = Vec::new();
    for root in roots {
        if sources.0.contains_key(*root) {
            follow(sources, root, Vec::new(), &mut found)?;
        }
    }
    Ok(found)
}

fn follow(sources: &Sources, file: &str, path: Vec<String>, found: &mut Vec<Module>) -> Result<()> {
    let text = sources
        .0
        .get(file)
        .with_context(|| format!("there is no {file} for a declared module"))?;
    let items = syn::parse_file(text)
        .with_context(|| file.to_owned())?
        .items;
    for name in items.iter().filter_map(declared) {
        let inner: Vec<String> = path.iter().cloned().chain([name]).collect();
        let file = format!("{}.rs", inner.join("/"));
        follow(sources, &file, inner, found)?;
    }
    found.push(Module {
        path,
        file: format!("host/src/{file}"),
        items,
    });
    Ok(())
}

/// Returns the name of a module that `item` declares to be in a file.
fn declared(item: &Item) -> Option<String> {
    match item {
        Item::Mod(module) if module.content.is_none() && !is_for_tests(&module.attrs) => {
            Some(module.ident.to_string())
        }
        _ => None,
    }
}

/// Returns true if an item with these attributes is compiled for tests and fuzz targets alone.
pub(super) fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        is_cfg && attribute.parse_args().is_ok_and(|on| means_tests(&on))
            || attribute.path().is_ident("test")
    })
}

/// Returns true for `test`, `fuzzing`, and `any` of these.
fn means_tests(on: &Meta) -> bool {
    match on {
        Meta::Path(on) => on.is_ident("test") || on.is_ident("fuzzing"),
        Meta::List(all) if all.path.is_ident("any") => all
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|all| !all.is_empty() && all.iter().all(means_tests)),
        _ => false,
    }
}
