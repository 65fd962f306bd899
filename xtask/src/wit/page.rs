//! The page of an interface.

use std::fmt::Write as _;

use super::reader::{Item, Package, Type};

/// Returns the page.
pub(super) fn of(package: &Package) -> String {
    let mut page = format!(
        "# The interface to components\n\n\
         <!-- Made by `cargo xtask wit` from wit/tool.wit. -->\n\n\
         The package `{}`, generated from `wit/tool.wit`. The SDKs for [Rust](writing-tools.md),\n\
         [TypeScript](typescript.md) and [Python](python.md) are built on it; a component in any\n\
         [other language](other-languages.md) uses it as it is.\n",
        package.name
    );
    paragraph(&mut page, &package.docs);
    for (heading, is_world) in [("Worlds", true), ("Interfaces", false)] {
        line(&mut page, &format!("\n## {heading}"));
        let items = package.items.iter();
        for item in items.filter(|item| item.is_world == is_world) {
            section(&mut page, item);
        }
    }
    page
}

fn section(page: &mut String, item: &Item) {
    line(page, &format!("\n### `{}`", item.name));
    paragraph(page, &item.docs);
    if !item.lines.is_empty() {
        let lines: Vec<String> = item.lines.iter().map(|it| format!("`{it}`")).collect();
        paragraph(page, &format!("{}.", lines.join(", ")));
    }
    if !item.functions.is_empty() {
        line(page, "\n| function | |\n|---|---|");
    }
    for function in &item.functions {
        row(page, &function.text, &function.docs);
    }
    for one in &item.types {
        members(page, one);
    }
}

fn members(page: &mut String, one: &Type) {
    let name = format!("**`{}`**, a {}", one.name, one.kind).replace("a enum", "an enum");
    paragraph(page, &format!("{name}: {}", one.docs));
    let head = if one.kind == "record" {
        "field"
    } else {
        "case"
    };
    line(page, &format!("\n| {head} | |\n|---|---|"));
    for member in &one.members {
        row(page, &member.text, &member.docs);
    }
}

fn row(page: &mut String, code: &str, docs: &str) {
    let docs = docs.replace("\n\n", " ").replace('|', "\\|");
    line(page, &format!("| `{code}` | {docs} |"));
}

fn paragraph(page: &mut String, text: &str) {
    if !text.is_empty() {
        line(page, &format!("\n{text}"));
    }
}

fn line(page: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "{text}");
}
