//! Every path in the sources that leads from one module to another.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ImplItem, Item, Macro, UseTree};

use super::modules::{Module, is_for_tests};

/// A path from one module to something in another, or in one of its own ancestors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// The importing module.
    pub(super) from: Vec<String>,
    /// The path that it leads to, from the crate's root.
    pub(super) to: Vec<String>,
    pub(super) file: String,
    pub(super) line: usize,
}

/// Returns all imports, in the order of files and lines.
pub(super) fn imports(modules: &[Module]) -> Vec<Import> {
    modules.iter().flat_map(of_module).collect()
}

fn of_module(module: &Module) -> Vec<Import> {
    let mut reader = Reader {
        module,
        inline: Vec::new(),
        found: Vec::new(),
    };
    for item in &module.items {
        reader.visit_item(item);
    }
    reader.found
}

struct Reader<'m> {
    module: &'m Module,
    /// Inline modules around the present place.
    inline: Vec<String>,
    found: Vec<Import>,
}

impl Reader<'_> {
    /// Adds a path, unless it leads neither to the crate's root nor out of the module.
    fn path(&mut self, segments: &[String], line: usize) {
        let mut rest = segments;
        let mut base: Vec<String> = [self.module.path.as_slice(), &self.inline].concat();
        match rest.split_first() {
            // The binary names the library like any other crate.
            Some((first, inner)) if first == "crate" || first == "bailiwick" => {
                base.clear();
                rest = inner;
            }
            Some((first, _)) if first == "super" => {
                while let Some((_, inner)) = rest.split_first().filter(|(next, _)| *next == "super")
                {
                    base.pop();
                    rest = inner;
                }
            }
            _ => return,
        }
        let to: Vec<String> = base.into_iter().chain(rest.iter().cloned()).collect();
        let own = to.starts_with(&self.module.path) && !self.module.path.is_empty();
        if !own && !to.is_empty() {
            self.found.push(Import {
                from: self.module.path.clone(),
                to,
                file: self.module.file.clone(),
                line,
            });
        }
    }

    fn tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| -> Vec<String> {
            let own = Some(name.to_string()).filter(|name| name != "self");
            before.iter().cloned().chain(own).collect()
        };
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            UseTree::Name(name) => self.path(&with(&name.ident), line(name.ident.span())),
            UseTree::Rename(name) => self.path(&with(&name.ident), line(name.ident.span())),
            UseTree::Glob(glob) => self.path(before, line(glob.star_token.span)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, before);
                }
            }
        }
    }

    /// Adds the paths among tokens that have no syntax of their own, such as those of macros.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut at, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(name) if !path.is_empty() && colons == 2 => {
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => colons += 1,
                TokenTree::Ident(name) => {
                    self.path(&std::mem::take(&mut path), at);
                    at = line(name.span());
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    self.path(&std::mem::take(&mut path), at);
                    self.tokens(group.stream());
                }
                _ => self.path(&std::mem::take(&mut path), at),
            }
        }
        self.path(&path, at);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        match item {
            Item::Use(import) => self.tree(&import.tree, &[]),
            Item::Mod(module) => {
                self.inline.push(module.ident.to_string());
                visit::visit_item(self, item);
                self.inline.pop();
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let for_tests = match item {
            ImplItem::Fn(item) => is_for_tests(&item.attrs),
            ImplItem::Const(item) => is_for_tests(&item.attrs),
            _ => false,
        };
        if !for_tests {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        let span = path.segments.first().map(|first| first.ident.span());
        self.path(&segments, span.map_or(0, line));
        visit::visit_path(self, path);
    }

    // `pub(in super::super)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        self.tokens(list.tokens.clone());
    }
}

fn attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn line(span: Span) -> usize {
    span.start().line
}
