//! The files that a configuration names, and who may have written them.

use std::path::{Path, PathBuf};

use bailiwick_journal::chain;
use secrecy::SecretString;
use sha2::Digest as _;
use zeroize::Zeroizing;

use super::Section;
use crate::config::accepted::{Accepted, AcceptedError};
use crate::owned::{self, OwnedError, Trust};

impl Section<'_> {
    /// Reads the file that a key names, without a final newline.
    pub(in crate::config) fn secret(&self, key: &str) -> Option<SecretString> {
        let bytes = self.secret_bytes(key)?;
        let text = str::from_utf8(&bytes).unwrap_or_default();
        let secret = text.trim_end_matches(['\n', '\r']);
        if is_secret(secret) {
            Some(SecretString::from(secret.to_owned()))
        } else {
            self.not(key, ONE_LINE)
        }
    }

    /// Reads the file that a key names as it is.
    pub(in crate::config) fn secret_bytes(&self, key: &str) -> Option<Zeroizing<Vec<u8>>> {
        let path = self.beside(&self.required(key)?);
        self.secret_at(key, &path)
    }

    /// Reads each of the files that a key lists as it is. Leaves out those that cannot be read.
    pub(in crate::config) fn each_secret_bytes(
        &self,
        key: &str,
    ) -> Option<Vec<Zeroizing<Vec<u8>>>> {
        let files = self.strings(key)?.into_iter();
        let read = files.filter_map(|file| self.secret_at(key, &self.beside(&file)));
        Some(read.collect())
    }

    fn secret_at(&self, key: &str, path: &Path) -> Option<Zeroizing<Vec<u8>>> {
        self.problems.files.borrow_mut().push(path.to_owned());
        self.problems
            .secret_files
            .borrow_mut()
            .push(path.to_owned());
        let trust = self.problems.trust.borrow();
        match owned::read_secret(path, MAX_SECRET, &trust).map(Zeroizing::new) {
            Ok(bytes) => {
                let mut secrets = self.problems.secrets.borrow_mut();
                secrets.update(format!("{}:", bytes.len()));
                secrets.update(&bytes);
                Some(bytes)
            }
            Err(OwnedError::TooLarge(_)) => self.not(key, ONE_LINE),
            Err(error) => {
                self.wrong(key, &said(path, &error));
                None
            }
        }
    }

    /// Reads the settings in the file `path`, which `key` names. The file is watched from now on.
    pub(in crate::config) fn settings(&self, key: &str, path: &Path) -> Option<String> {
        self.problems.files.borrow_mut().push(path.to_owned());
        let trust = self.problems.trust.borrow();
        match owned::read_settings(path, MAX_SETTINGS, &trust).map(String::from_utf8) {
            Ok(Ok(text)) => {
                let mut secrets = self.problems.secrets.borrow_mut();
                secrets.update(format!("{}:{text}", text.len()));
                Some(text)
            }
            Ok(Err(_)) => self.not(key, "a text file"),
            Err(error) => {
                self.wrong(key, &said(path, &error));
                None
            }
        }
    }

    /// Reads what was accepted from the file `path`. The file is watched from now on, even if it is
    /// missing today.
    pub(in crate::config) fn accepted(&self, path: &Path) -> Option<Accepted> {
        self.problems.files.borrow_mut().push(path.to_owned());
        let read = Accepted::read(path, &self.problems.trust.borrow());
        let told = |error: &AcceptedError| {
            self.problems
                .whole(format!("server.accepted: {}", chain(error)));
        };
        read.inspect_err(told).ok()
    }

    /// Holds files that are read from here on to the ownership rule with this trust.
    pub(in crate::config) fn rely_on(&self, trust: &Trust) {
        self.problems.trust.replace(trust.clone());
    }

    /// Returns the trust that files are held to from here on.
    pub(in crate::config) fn trust(&self) -> Trust {
        self.problems.trust.borrow().clone()
    }

    /// Checks that no one else can have written the configuration file.
    pub(in crate::config) fn check_file(&self) {
        let file = self.file();
        if let Err(error) = owned::settings(&file, &self.problems.trust.borrow()) {
            self.problem(0, said(&file, &error));
        }
    }

    /// Checks that no one else can have written the file that a key names, if it is there.
    pub(in crate::config) fn check_named(&self, key: &str, path: &Path) {
        match owned::settings(path, &self.problems.trust.borrow()) {
            Ok(()) | Err(OwnedError::Read(_)) => {}
            Err(error) => self.wrong(key, &said(path, &error)),
        }
    }

    /// The configuration file.
    pub(in crate::config) fn file(&self) -> PathBuf {
        self.problems.file.clone()
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

fn is_secret(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 8 * 1024
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The largest file of settings, bytes.
const MAX_SETTINGS: u64 = 64 << 10;
const ONE_LINE: &str = "a file with one line of printable ASCII";
/// The largest secret file, bytes: the secret, and line ends after it.
const MAX_SECRET: u64 = 16 << 10;
