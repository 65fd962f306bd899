//! The messages of errors: none says what its cause says. Whoever shows an error adds its causes,
//! so such a message would say it twice.
//!
//! Reads the sources of the shipped crates as text.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Field, Fields, Meta};

/// The faults of one file.
struct Messages {
    file: String,
    faults: Vec<String>,
    /// The messages that were read.
    read: usize,
}

impl Messages {
    fn of(file: &str, text: &str) -> Self {
        let mut messages = Self {
            file: file.to_owned(),
            faults: Vec::new(),
            read: 0,
        };
        messages.visit_file(&syn::parse_file(text).unwrap());
        messages
    }

    fn check(&mut self, name: &syn::Ident, attributes: &[Attribute], fields: &Fields) {
        let Some(message) = message(attributes) else {
            return;
        };
        self.read += 1;
        let repeated = |(index, field): (usize, &Field)| {
            let name = field.ident.as_ref().map(ToString::to_string);
            let is_cause = name.as_deref() == Some("source")
                || has(&field.attrs, "source")
                || has(&field.attrs, "from");
            is_cause && says(&message, &name.unwrap_or_else(|| index.to_string()))
        };
        if fields.iter().enumerate().any(repeated) {
            let fault = format!("{}: the message of {name} repeats its cause", self.file);
            self.faults.push(fault);
        }
    }
}

impl<'ast> Visit<'ast> for Messages {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.check(&item.ident, &item.attrs, &item.fields);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.check(&variant.ident, &variant.attrs, &variant.fields);
        visit::visit_variant(self, variant);
    }
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|one| one.path().is_ident(name))
}

/// Returns the text of `#[error(...)]` without spaces.
fn message(attributes: &[Attribute]) -> Option<String> {
    let list = attributes.iter().find_map(|one| match &one.meta {
        Meta::List(list) if list.path.is_ident("error") => Some(list),
        _ => None,
    })?;
    let text = list.tokens.to_string();
    Some(text.split_whitespace().collect())
}

/// Returns true if a message has the field as a placeholder or among its arguments.
fn says(message: &str, field: &str) -> bool {
    let ends = [
        format!("{{{field}}}"),
        format!("{{{field}:"),
        format!("{{{field}."),
    ];
    let (_, arguments) = message.rsplit_once('"').unwrap_or_default();
    let argument = if field.parse::<usize>().is_ok() {
        format!(".{field}")
    } else {
        field.to_owned()
    };
    let mut words = arguments.split([',', '=', '(', ')', '&']);
    let is_argument = words.any(|word| word.starts_with(&argument));
    ends.iter().any(|placeholder| message.contains(placeholder)) || is_argument
}

fn read(folder: &Path, found: &mut Vec<Messages>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push(Messages::of(&path.display().to_string(), &text));
        }
    }
}

#[test]
fn no_message_of_an_error_repeats_its_cause() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for sources in [
        "host/src",
        "host/journal/src",
        "host/envelope/src",
        "host/dev/src",
    ] {
        read(&root.join(sources), &mut found);
    }
    let faults: Vec<_> = found.iter().flat_map(|one| &one.faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let read: usize = found.iter().map(|one| one.read).sum();
    assert!(read > 100, "only {read} messages were found");
}

#[test]
fn a_message_that_repeats_its_cause_is_found_and_others_are_not() {
    for (error, expected) in [
        ("#[error(\"no: {0}\")] A(#[from] B)", 1),
        ("#[error(\"{1:?} no {0}\")] A(u8, #[source] B)", 1),
        ("#[error(\"no: {source}\")] A { source: B }", 1),
        ("#[error(\"no: {why}\")] A { #[source] why: B }", 1),
        ("#[error(\"no: {}\", .0)] A(#[from] B)", 1),
        ("#[error(\"no: {}\", why)] A { #[source] why: B }", 1),
        ("#[error(\"no\")] A(#[from] B)", 0),
        ("#[error(transparent)] A(#[from] B)", 0),
        ("#[error(\"{0} is refused\")] A(u8, #[source] B)", 0),
        ("#[error(\"no: {0}\")] A(B)", 0),
        ("#[error(\"{path}\")] A { path: u8, source: B }", 0),
        (
            "#[error(\"in {}\", path.display())] A { path: u8, source: B }",
            0,
        ),
        ("A(#[from] B)", 0),
    ] {
        let text = format!("enum E {{ {error} }}");
        assert_eq!(Messages::of("x", &text).faults.len(), expected, "{error}");
    }
    let of_struct = "#[error(\"no: {source}\")] struct S { source: E }";
    assert_eq!(Messages::of("x", of_struct).faults.len(), 1);
}
