//! Reads an interface in the form in which `wit/tool.wit` is written: one field, one function or
//! one line of a world at a time.

use anyhow::{Context as _, Result, bail, ensure};

/// A package of interfaces and worlds.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) docs: String,
    /// Such as `bailiwick:tool@0.2.0`.
    pub(super) name: String,
    pub(super) items: Vec<Item>,
}

/// An interface or a world.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) docs: String,
    pub(super) is_world: bool,
    pub(super) name: String,
    pub(super) types: Vec<Type>,
    pub(super) functions: Vec<Function>,
    /// `use` of an interface; `import`, `include` and `export` of a world.
    pub(super) lines: Vec<String>,
}

/// A record, a variant or an enum.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) docs: String,
    /// `record`, `variant` or `enum`.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) members: Vec<Member>,
}

/// A field of a record, or a case.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) docs: String,
    /// As it is written: `iss: string`, `text(string)`, `user`.
    pub(super) text: String,
}

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) docs: String,
    /// As it is written, on one line: `now: func() -> u64`.
    pub(super) text: String,
}

/// Reads a package.
pub(super) fn read(text: &str) -> Result<Package> {
    let mut package = Package::default();
    let (mut docs, mut statement) = (Vec::new(), String::new());
    let mut open = Open::default();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim());
            continue;
        }
        if !statement.is_empty() {
            statement.push(' ');
        }
        statement += line;
        // A list of parameters may go on in the next line, a list of members ends each with a
        // comma.
        let ends = if open.kind.is_some() { "{};," } else { "{};" };
        if statement.ends_with(|last| ends.contains(last)) {
            let docs = paragraphs(&std::mem::take(&mut docs));
            open.take(&mut package, docs, &statement)
                .with_context(|| format!("line {number}: {statement}"))?;
            statement.clear();
        }
    }
    ensure!(statement.is_empty() && docs.is_empty(), "it ends too early");
    ensure!(open.item.is_none(), "a brace is not closed");
    ensure!(!package.name.is_empty(), "it names no package");
    Ok(package)
}

/// What is open at a line.
#[derive(Default)]
struct Open {
    item: Option<Item>,
    kind: Option<Type>,
}

impl Open {
    fn take(&mut self, package: &mut Package, docs: String, statement: &str) -> Result<()> {
        match (&mut self.kind, &mut self.item) {
            (Some(kind), Some(item)) if statement == "}" => {
                ensure!(!kind.members.is_empty(), "no members");
                item.types.extend(self.kind.take());
            }
            (Some(kind), _) => {
                let text = statement.strip_suffix(',').context("no comma")?.to_owned();
                kind.members.push(Member { docs, text });
            }
            (None, Some(_)) if statement == "}" => package.items.extend(self.item.take()),
            (None, Some(item)) => {
                if let Some(kind) = statement.strip_suffix(" {") {
                    self.kind = Some(a_type(docs, kind)?);
                } else {
                    item.line(docs, statement)?;
                }
            }
            (None, None) => {
                if let Some(name) = statement.strip_prefix("package ") {
                    name.trim_end_matches(';').clone_into(&mut package.name);
                    package.docs = docs;
                } else {
                    self.item = Some(an_item(docs, statement)?);
                }
            }
        }
        Ok(())
    }
}

impl Item {
    fn line(&mut self, docs: String, statement: &str) -> Result<()> {
        let text = statement
            .strip_suffix(';')
            .context("no semicolon")?
            .to_owned();
        if text.contains(": func(") && !self.is_world {
            self.functions.push(Function { docs, text });
            return Ok(());
        }
        let first = text.split(' ').next().unwrap_or_default();
        let known = matches!(
            (self.is_world, first),
            (false, "use") | (true, "import" | "export" | "include")
        );
        ensure!(known && docs.is_empty(), "expected a function or a line");
        self.lines.push(text);
        Ok(())
    }
}

fn an_item(docs: String, statement: &str) -> Result<Item> {
    let head = statement.strip_suffix(" {").context("no brace")?;
    let (is_world, name) = match head.split_once(' ') {
        Some(("interface", name)) => (false, name),
        Some(("world", name)) => (true, name),
        _ => bail!("expected an interface or a world"),
    };
    Ok(Item {
        docs,
        is_world,
        name: name.to_owned(),
        types: Vec::new(),
        functions: Vec::new(),
        lines: Vec::new(),
    })
}

fn a_type(docs: String, head: &str) -> Result<Type> {
    let Some((kind @ ("record" | "variant" | "enum"), name)) = head.split_once(' ') else {
        bail!("expected a record, a variant or an enum")
    };
    Ok(Type {
        docs,
        kind: kind.to_owned(),
        name: name.to_owned(),
        members: Vec::new(),
    })
}

/// Joins lines; an empty one ends a paragraph.
fn paragraphs(lines: &[&str]) -> String {
    let paragraphs = lines.split(|line| line.is_empty());
    let joined: Vec<String> = paragraphs.map(|lines| lines.join(" ")).collect();
    joined.join("\n\n")
}
