//! Reads tables key by key, remembers which keys were read, and collects every problem with its
//! line.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::accepted::Accepted;
use super::{beside, renamed};
use crate::owned::{self, OwnedError, Trust};
use crate::seams::hex;

/// Everything that is wrong with a configuration, by line.
#[derive(Debug)]
pub struct ConfigError {
    file: PathBuf,
    problems: Vec<(usize, String)>,
    files: Vec<PathBuf>,
}

impl ConfigError {
    /// Returns the secret files that it names, whether or not they could be read. Changing one of
    /// them may mend the configuration.
    pub fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }

    pub(super) fn one(file: &Path, problem: String) -> Self {
        Self {
            file: file.to_owned(),
            problems: vec![(0, problem)],
            files: Vec::new(),
        }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (line, problem)) in self.problems.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            match line {
                0 => write!(formatter, "{}: {problem}", self.file.display())?,
                line => write!(formatter, "{}:{line}: {problem}", self.file.display())?,
            }
        }
        Ok(())
    }
}

/// Collects problems.
pub(super) struct Problems {
    file: PathBuf,
    line_starts: Vec<usize>,
    found: RefCell<Vec<(usize, String)>>,
    files: RefCell<Vec<PathBuf>>,
    secrets: RefCell<Sha256>,
    trust: RefCell<Trust>,
}

impl Problems {
    pub(super) fn new(file: &Path, text: &str) -> Self {
        let starts = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(starts).collect();
        Self {
            file: file.to_owned(),
            line_starts,
            found: RefCell::default(),
            files: RefCell::default(),
            secrets: RefCell::default(),
            trust: RefCell::default(),
        }
    }

    /// Notes a problem at a byte of the file.
    pub(super) fn at(&self, byte: usize, problem: impl Into<String>) {
        let line = self.line_starts.partition_point(|start| *start <= byte);
        self.found.borrow_mut().push((line, problem.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    fn count(&self) -> usize {
        self.found.borrow().len()
    }

    pub(super) fn into_error(self) -> ConfigError {
        let mut problems = self.found.into_inner();
        problems.sort();
        problems.dedup();
        ConfigError {
            file: self.file,
            problems,
            files: self.files.into_inner(),
        }
    }
}

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

    pub(super) fn number(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = match self.find(key)?.get_ref() {
            DeValue::Integer(number) => number.to_string().replace('_', "").parse::<u64>().ok(),
            _ => None,
        };
        match value {
            Some(value) if range.contains(&value) => Some(value),
            _ => self.not(
                key,
                &format!("a number from {} to {}", range.start(), range.end()),
            ),
        }
    }

    /// Reads a list of user or group numbers.
    pub(super) fn ids(&self, key: &str) -> Vec<u32> {
        let Some(value) = self.find(key) else {
            return Vec::new();
        };
        let id = |item: &Spanned<DeValue<'c>>| match item.get_ref() {
            DeValue::Integer(number) => number.to_string().replace('_', "").parse().ok(),
            _ => None,
        };
        let ids = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(id).collect(),
            _ => None,
        };
        ids.or_else(|| self.not(key, "a list of numbers of users or groups, such as [1000]"))
            .unwrap_or_default()
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

    /// Reads text with a unit, such as `500ms`, `10s` or `5m`.
    pub(super) fn duration(&self, key: &str, max: Duration) -> Option<Duration> {
        let text = self.text(key)?;
        let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
        match with_unit(&text, &units).map(Duration::from_millis) {
            Some(value) if !value.is_zero() && value <= max => Some(value),
            _ => self.not(
                key,
                &format!("a duration such as \"500ms\" or \"10s\", at most {max:?}"),
            ),
        }
    }

    /// Reads text with a unit, such as `64KiB` or `1MiB`.
    pub(super) fn size(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let text = self.text(key)?;
        let units = [
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
            ("B", 1),
        ];
        match with_unit(&text, &units) {
            Some(value) if range.contains(&value) => Some(value),
            _ => {
                let (min, max) = (range.start(), range.end() >> 20);
                self.not(
                    key,
                    &format!("a size such as \"64KiB\" or \"1MiB\", at least {min} bytes and at most {max} MiB"),
                )
            }
        }
    }

    /// Reads the file that a key names, without a final newline.
    pub(super) fn secret(&self, key: &str) -> Option<SecretString> {
        let path = self.beside(&self.required(key)?);
        self.problems.files.borrow_mut().push(path.clone());
        let trust = self.problems.trust.borrow();
        match owned::read_secret(&path, MAX_SECRET, &trust).map(String::from_utf8) {
            Ok(Ok(text)) if is_secret(text.trim_end_matches(['\n', '\r'])) => {
                self.problems
                    .secrets
                    .borrow_mut()
                    .update(format!("{}:{text}", text.len()));
                Some(SecretString::from(
                    text.trim_end_matches(['\n', '\r']).to_owned(),
                ))
            }
            Ok(_) | Err(OwnedError::TooLarge(_)) => {
                self.not(key, "a file with one line of printable ASCII")
            }
            Err(error) => {
                self.wrong(key, &said(&path, &error));
                None
            }
        }
    }

    /// Reads what was accepted from the file `path`. The file is watched from now on, even if it is
    /// missing today.
    pub(super) fn accepted(&self, path: &Path) -> Option<Accepted> {
        self.problems.files.borrow_mut().push(path.to_owned());
        let read = Accepted::read(path, &self.problems.trust.borrow());
        let told = |error: &dyn std::error::Error| {
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            self.problems
                .at(0, format!("server.accepted: {error}{cause}"));
        };
        read.inspect_err(|error| told(error)).ok()
    }

    /// Holds files that are read from here on to the ownership rule with this trust.
    pub(super) fn rely_on(&self, trust: &Trust) {
        self.problems.trust.replace(trust.clone());
    }

    /// Returns the trust that files are held to from here on.
    pub(super) fn trust(&self) -> Trust {
        self.problems.trust.borrow().clone()
    }

    /// Checks that no one else can have written the configuration file.
    pub(super) fn check_file(&self) {
        let file = self.file();
        if let Err(error) = owned::settings(&file, &self.problems.trust.borrow()) {
            self.problem(0, said(&file, &error));
        }
    }

    /// Checks that no one else can have written the file that a key names, if it is there.
    pub(super) fn check_named(&self, key: &str, path: &Path) {
        match owned::settings(path, &self.problems.trust.borrow()) {
            Ok(()) | Err(OwnedError::Read(_)) => {}
            Err(error) => self.wrong(key, &said(path, &error)),
        }
    }

    /// The configuration file.
    pub(super) fn file(&self) -> PathBuf {
        self.problems.file.clone()
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

    /// Reads a table as a JSON object.
    pub(super) fn json(&self, key: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
        match to_json(self.find(key)?.get_ref()) {
            Some(serde_json::Value::Object(members)) => Some(members),
            _ => self.not(key, "a table of plain values"),
        }
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

/// Describes what is wrong with the file in `path`.
fn said(path: &Path, error: &OwnedError) -> String {
    match error {
        OwnedError::Read(cause) => format!("{} cannot be read: {cause}", path.display()),
        OwnedError::Open(open) if open.path == path => open.to_string(),
        other => format!("{} is rejected: {other}", path.display()),
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

fn is_secret(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 8 * 1024
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The largest secret file, bytes: the secret, and line ends after it.
const MAX_SECRET: u64 = 16 << 10;

fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    number.trim().parse::<u64>().ok()?.checked_mul(factor)
}

fn to_json(value: &DeValue<'_>) -> Option<serde_json::Value> {
    Some(match value {
        DeValue::String(text) => text.to_string().into(),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Integer(number) => number
            .to_string()
            .replace('_', "")
            .parse::<i64>()
            .ok()?
            .into(),
        DeValue::Float(number) => number
            .to_string()
            .replace('_', "")
            .parse::<f64>()
            .ok()?
            .into(),
        DeValue::Datetime(time) => time.to_string().into(),
        DeValue::Array(items) => items
            .iter()
            .map(|item| to_json(item.get_ref()))
            .collect::<Option<Vec<_>>>()?
            .into(),
        DeValue::Table(table) => {
            let member =
                |(name, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                    Some((name.get_ref().to_string(), to_json(value.get_ref())?))
                };
            serde_json::Value::Object(table.iter().map(member).collect::<Option<_>>()?)
        }
    })
}
