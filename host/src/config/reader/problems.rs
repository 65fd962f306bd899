//! What is wrong with a configuration, line by line.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

use sha2::Sha256;

use crate::owned::Trust;

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

    /// Returns the configuration file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns each problem with its line, if it is about one.
    pub fn problems(&self) -> impl Iterator<Item = (Option<usize>, &str)> {
        let line = |line: usize| (line > 0).then_some(line);
        let problems = self.problems.iter();
        problems.map(move |(at, problem)| (line(*at), problem.as_str()))
    }

    pub(in crate::config) fn one(file: &Path, problem: String) -> Self {
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
pub(in crate::config) struct Problems {
    pub(super) file: PathBuf,
    line_starts: Vec<usize>,
    found: RefCell<Vec<(usize, String)>>,
    pub(super) files: RefCell<Vec<PathBuf>>,
    /// Those of them that hold a secret.
    pub(super) secret_files: RefCell<Vec<PathBuf>>,
    pub(super) secrets: RefCell<Sha256>,
    pub(super) trust: RefCell<Trust>,
}

impl Problems {
    pub(in crate::config) fn new(file: &Path, text: &str) -> Self {
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
            secret_files: RefCell::default(),
            secrets: RefCell::default(),
            trust: RefCell::default(),
        }
    }

    /// Notes a problem at a byte of the file.
    pub(in crate::config) fn at(&self, byte: usize, problem: impl Into<String>) {
        let line = self.line_starts.partition_point(|start| *start <= byte);
        self.found.borrow_mut().push((line, problem.into()));
    }

    /// Notes a problem that is not about a line of the file.
    pub(in crate::config) fn whole(&self, problem: impl Into<String>) {
        self.found.borrow_mut().push((0, problem.into()));
    }

    pub(in crate::config) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.found.borrow().len()
    }

    pub(in crate::config) fn into_error(self) -> ConfigError {
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
