//! The token of a session over standard streams: from a file that may change, or fixed.
//!
//! Invariant: it is never printed, and a file that cannot be read for a moment is not a new token.
//! A file is looked at for each message, and read whenever it may have changed or its token ends
//! soon.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;

use crate::owned::{self, OwnedError, Trust};
use crate::seams::Clock;

/// The place of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlace {
    /// A file, whose content may change.
    File(PathBuf),
    /// A variable of the environment with this name and content.
    Variable(&'static str, String),
}

/// A token that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenPlaceError {
    /// The file cannot be read, or is open to others.
    #[error("the token file {0} cannot be used")]
    File(PathBuf, #[source] OwnedError),
    /// It is not a token.
    #[error(
        "{0} has no token: expected one access token, as the authorization server issues it, and \
         nothing else"
    )]
    NoToken(String),
}

/// A token and its place.
pub struct TokenSource {
    file: Option<TokenFile>,
    token: HeaderValue,
}

/// The file of a token, and what is known of it.
struct TokenFile {
    path: PathBuf,
    trust: Trust,
    clock: Arc<dyn Clock>,
    /// The file as it was before it was read last, unless it could have changed unseen since.
    read: Option<FileState>,
    /// The time from which it is read for each message, in milliseconds since 1970-01-01 UTC.
    due: u64,
}

/// What differs when a file was changed or replaced: device, inode, mode, owner, size, and the time
/// of the last change of any of these or of the content, in nanoseconds.
#[derive(PartialEq, Eq)]
struct FileState([u64; 5], i128);

impl TokenSource {
    /// Reads the token for the first time.
    ///
    /// # Errors
    /// Fails if there is none.
    pub fn open(
        place: TokenPlace,
        trust: &Trust,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, TokenPlaceError> {
        match place {
            TokenPlace::Variable(name, token) => Ok(Self {
                token: header(token.as_bytes())
                    .ok_or_else(|| TokenPlaceError::NoToken(name.to_owned()))?,
                file: None,
            }),
            TokenPlace::File(path) => {
                let mut file = TokenFile {
                    path,
                    trust: trust.clone(),
                    clock: Arc::clone(clock),
                    read: None,
                    due: u64::MAX,
                };
                Ok(Self {
                    token: file.read()?,
                    file: Some(file),
                })
            }
        }
    }

    /// Returns the token as it is now, as the value of an `Authorization` header.
    pub fn now(&mut self) -> HeaderValue {
        if self.file.as_ref().is_some_and(TokenFile::is_due) {
            self.renewed();
        }
        self.token.clone()
    }

    /// Notes when the token ends, in seconds since 1970-01-01 UTC.
    pub(super) fn ends(&mut self, at: u64) {
        if let Some(file) = &mut self.file {
            file.due = at.saturating_mul(1000).saturating_sub(SOON_MS);
        }
    }

    /// Reads the token again. Returns true if it is another.
    pub(super) fn renewed(&mut self) -> bool {
        let Some(file) = &mut self.file else {
            return false;
        };
        match file.read() {
            Ok(token) if token != self.token => {
                self.token = token;
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(cause = %error, "the token stays as it was");
                false
            }
        }
    }
}

impl TokenFile {
    /// Returns true if it may have another token than the one that was read, or will have soon.
    fn is_due(&self) -> bool {
        let is_same = self.read.is_some() && self.read == FileState::of(&self.path);
        !is_same || self.clock.now_ms() >= self.due
    }

    fn read(&mut self) -> Result<HeaderValue, TokenPlaceError> {
        // A file that changed a moment ago can change again without showing it: the times of a file
        // system are coarse.
        let settled = i128::from(self.clock.now_ms()) - i128::from(SETTLING_MS);
        self.read = FileState::of(&self.path).filter(|state| state.1 / 1_000_000 < settled);
        let failed = |error| TokenPlaceError::File(self.path.clone(), error);
        let bytes = owned::read_secret(&self.path, MAX_FILE, &self.trust).map_err(failed)?;
        let none = || TokenPlaceError::NoToken(self.path.display().to_string());
        header(&bytes).ok_or_else(none)
    }
}

impl FileState {
    fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|found| Self::from(&found))
    }
}

impl From<&Metadata> for FileState {
    fn from(found: &Metadata) -> Self {
        let (mode, owner) = (found.mode().into(), found.uid().into());
        let changed = i128::from(found.ctime()) * 1_000_000_000 + i128::from(found.ctime_nsec());
        Self(
            [found.dev(), found.ino(), mode, owner, found.len()],
            changed,
        )
    }
}

/// Returns the header that presents a token. Whether it is a good one is for admission to say.
fn header(token: &[u8]) -> Option<HeaderValue> {
    let token = str::from_utf8(token).ok()?.trim();
    let is_one = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    is_one.then_some(value)
}

/// Larger than any token that is accepted, so that admission says of it what it says of others.
const MAX_FILE: u64 = 64 << 10;
/// The time before the end of a token from which its file is read for each message: some file
/// systems show a change late.
const SOON_MS: u64 = 60_000;
/// Longer than any file system takes for a step of its times.
const SETTLING_MS: u64 = 2_000;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::atomic::{AtomicU64, Ordering};

    use tempfile::TempDir;

    use super::*;
    use crate::seams::SystemClock;

    /// The time as it will be.
    #[derive(Default)]
    struct Later(AtomicU64);

    impl Clock for Later {
        fn now_ms(&self) -> u64 {
            SystemClock.now_ms() + self.0.load(Ordering::Relaxed)
        }
    }

    fn open(place: TokenPlace) -> Result<TokenSource, TokenPlaceError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        TokenSource::open(place, &Trust::default(), &clock)
    }

    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn a_file_is_read_anew_and_a_bad_one_is_not_a_new_token() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("token");
        write(&path, " abc\n");
        let mut source = open(TokenPlace::File(path.clone())).unwrap();
        for (text, expected) in [
            (None, "Bearer abc"),
            (Some("def"), "Bearer def"),
            (Some(""), "Bearer def"),
            (Some("two words"), "Bearer def"),
            (Some("abc\n"), "Bearer abc"),
        ] {
            if let Some(text) = text {
                write(&path, text);
            }
            assert_eq!(source.now(), expected, "{text:?}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(source.now(), "Bearer abc");
        assert!(source.now().is_sensitive());
    }

    #[test]
    fn a_file_is_read_when_it_may_have_changed_or_its_token_ends_soon() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("token");
        write(&path, "abc");
        let later = Arc::new(Later::default());
        let clock: Arc<dyn Clock> = Arc::<Later>::clone(&later);
        let place = TokenPlace::File(path.clone());
        let mut source = TokenSource::open(place, &Trust::default(), &clock).unwrap();
        let is_due = |source: &TokenSource| source.file.as_ref().is_some_and(TokenFile::is_due);
        assert!(is_due(&source), "it changed a moment ago");
        later.0.store(10 * SETTLING_MS, Ordering::Relaxed);
        assert_eq!(source.now(), "Bearer abc");
        assert!(!is_due(&source), "nothing changed");
        let replace = || {
            let other = folder.path().join("other");
            write(&other, "ghi");
            fs::rename(&other, &path).unwrap();
        };
        let changes: [(&str, &dyn Fn()); 4] = [
            ("content", &|| write(&path, "longer")),
            ("file", &replace),
            ("mode", &|| {
                fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
            }),
            ("name", &|| fs::remove_file(&path).unwrap()),
        ];
        for (what, change) in changes {
            change();
            assert!(is_due(&source), "another {what}");
            source.now();
            assert_eq!(is_due(&source), what == "name", "{what}: it was read");
        }
        write(&path, "jkl");
        assert_eq!(source.now(), "Bearer jkl");
        let now = clock.now();
        for (ends, due) in [(now + 120, false), (now + 30, true), (now - 30, true)] {
            source.ends(ends);
            assert_eq!(is_due(&source), due, "{}", ends.abs_diff(now));
        }
    }

    #[test]
    fn a_place_without_one_token_is_refused_without_its_content() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("token");
        for text in ["", " \n", "a b", "a\nb", "\u{e9}"] {
            write(&path, text);
            for place in [
                TokenPlace::File(path.clone()),
                TokenPlace::Variable("THE_VARIABLE", text.to_owned()),
            ] {
                let error = open(place).err().unwrap();
                let error = error.to_string();
                assert!(
                    error.contains("no token: expected one access token"),
                    "{error}"
                );
                assert!(
                    !error.contains('\u{e9}') && !error.contains("a b"),
                    "{error}"
                );
            }
        }
        let good = TokenPlace::Variable("THE_VARIABLE", "a.b.c\n".to_owned());
        assert!(open(good).is_ok());
    }

    #[test]
    fn a_file_that_others_may_write_is_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("token");
        write(&path, "abc");
        fs::set_permissions(&path, Permissions::from_mode(0o606)).unwrap();
        let error = open(TokenPlace::File(path)).err();
        assert!(matches!(error, Some(TokenPlaceError::File(..))));
    }
}
