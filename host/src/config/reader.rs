//! Reads tables key by key, remembers which keys were read, and collects every problem with its
//! line.

mod files;
mod json;
mod numbers;
mod problems;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use sha2::Digest as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{beside, renamed};
use crate::seams::hex;
pub use problems::ConfigError;
pub(super) use problems::Problems;

/// One table. Every key that was not read is a problem when the table is finished.
pub(super) struct Section<'c> {
    table: &'c DeTable<'c>,
    /// The byte at which it begins.
    pub(super) start: usize,
    /// Its name, such as `services.orders_api`.
    pub(super) path: String,
    problems: &'c Problems,
    known: RefCell<BTreeSet<String>>,
    finished: Cell<bool>,
}

type Value<'c> = &'c Spanned<DeValue<'c>>;

impl<'c> Section<'c> {
    pub(super) fn root(table: &'c Spanned<DeTable<'c>>, problems: &'c Problems) -> Self {
        Self::new(table.get_ref(), 0, String::new(), problems)
    }

    fn new(table: &'c DeTable<'c>, start: usize, path: String, problems: &'c Problems) -> Self {
        Self {
            table,
            start,
            path,
            problems,
            known: RefCell::default(),
            finished: Cell::new(false),
        }
    }

    /// Joins the file's folder and `path`.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        beside(&self.problems.file, path)
    }

    /// Returns the other files that any section has read so far.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.problems.files.borrow().clone()
    }

    /// Returns those of them that hold a secret.
    pub(super) fn secret_files(&self) -> Vec<PathBuf> {
        self.problems.secret_files.borrow().clone()
    }

    /// Digests `text` and all secrets that were read.
    pub(super) fn fingerprint(&self, text: &str) -> String {
        hex(&self
            .problems
            .secrets
            .borrow()
            .clone()
            .chain_update(text)
            .finalize())
    }

    /// Counts the problems found so far, anywhere.
    pub(super) fn problems(&self) -> usize {
        self.problems.count()
    }

    pub(super) fn problem(&self, byte: usize, problem: impl Into<String>) {
        self.problems.at(byte, problem);
    }

    /// Notes a problem with a key of this table, at the key's line or, without one, at the table's.
    pub(super) fn wrong(&self, key: &str, problem: &str) {
        let at = self
            .find(key)
            .map_or(self.start, |value| value.span().start);
        self.problems
            .at(at, format!("{}: {problem}", self.name(key)));
    }

    pub(super) fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn find(&self, key: &str) -> Option<Value<'c>> {
        self.known.borrow_mut().insert(key.to_owned());
        self.table
            .iter()
            .find(|(name, _)| name.get_ref().as_ref() == key)
            .map(|(_, value)| value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        let value = self.find(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            _ => self.not(key, "a string"),
        }
    }

    /// Returns whether a key is present and a string.
    pub(super) fn is_text(&self, key: &str) -> bool {
        self.find(key)
            .is_some_and(|value| matches!(value.get_ref(), DeValue::String(_)))
    }

    pub(super) fn required(&self, key: &str) -> Option<String> {
        if !self.has(key) {
            self.problems
                .at(self.start, format!("{} is missing", self.name(key)));
        }
        self.text(key)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.find(key)?.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.not(key, "true or false"),
        }
    }

    pub(super) fn texts(&self, key: &str) -> Option<Vec<(String, usize)>> {
        let DeValue::Array(items) = self.find(key)?.get_ref() else {
            return self.not(key, "a list of strings");
        };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push((text.to_string(), item.span().start)),
                _ => return self.not(key, "a list of strings"),
            }
        }
        Some(texts)
    }

    pub(super) fn strings(&self, key: &str) -> Option<Vec<String>> {
        Some(self.texts(key)?.into_iter().map(|(text, _)| text).collect())
    }

    /// Reads a list of strings and parses each; notes a problem for each that does not parse.
    pub(super) fn parsed<T>(&self, key: &str) -> Vec<T>
    where
        T: std::str::FromStr,
        T::Err: fmt::Display,
    {
        let texts = self.texts(key).unwrap_or_default();
        let parse = |(text, at): (String, usize)| match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems
                    .at(at, format!("{}: {text:?}: {error}", self.name(key)));
                None
            }
        };
        texts.into_iter().filter_map(parse).collect()
    }

    pub(super) fn section(&self, key: &str) -> Option<Section<'c>> {
        let value = self.find(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(
                table,
                value.span().start,
                self.name(key),
                self.problems,
            )),
            _ => self.not(key, "a table"),
        }
    }

    /// Reads an array of tables.
    pub(super) fn sections(&self, key: &str) -> Vec<Section<'c>> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            return self.not(key, "an array of tables").unwrap_or_default();
        };
        let section = |item: Value<'c>| match item.get_ref() {
            DeValue::Table(table) => Some(Self::new(
                table,
                item.span().start,
                self.name(key),
                self.problems,
            )),
            _ => self.not(key, "an array of tables"),
        };
        items.iter().filter_map(section).collect()
    }

    /// Reads a table of tables, by name.
    pub(super) fn named(&self, key: &str) -> Vec<(String, Section<'c>)> {
        let Some(outer) = self.section(key) else {
            return Vec::new();
        };
        let names: Vec<String> = outer.keys();
        names
            .into_iter()
            .filter_map(|name| outer.section(&name).map(|section| (name, section)))
            .collect()
    }

    /// Returns the names of all members and marks them as read.
    pub(super) fn keys(&self) -> Vec<String> {
        let names: Vec<String> = self
            .table
            .iter()
            .map(|(name, _)| name.get_ref().to_string())
            .collect();
        self.known.borrow_mut().extend(names.iter().cloned());
        names
    }

    /// Notes a problem for every key that was not read.
    pub(super) fn finish(&self) {
        if self.finished.replace(true) {
            return;
        }
        let known = self.known.borrow();
        for (name, _) in self.table {
            if !known.contains(name.get_ref().as_ref()) {
                let key = self.name(name.get_ref());
                let text = if let Some(now) = renamed::now(&key) {
                    format!("{key} is now {now}")
                } else {
                    let hint = hint(name.get_ref(), &known);
                    format!("{key} is not a key of this configuration{hint}")
                };
                self.problems.at(name.span().start, text);
            }
        }
    }

    fn not<T>(&self, key: &str, expected: &str) -> Option<T> {
        self.wrong(key, &format!("expected {expected}"));
        None
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        self.finish();
    }
}

fn hint(name: &str, known: &BTreeSet<String>) -> String {
    let file = format!("{name}_file");
    if known.contains(&file) {
        return format!("; secrets come from files: use {file}");
    }
    match known
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => String::new(),
        names => format!("; known here: {}", names.join(", ")),
    }
}
