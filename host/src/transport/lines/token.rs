//! The token of a session over standard streams: from a file that may change, or fixed.
//!
//! Invariant: it is never printed, and a file that cannot be read for a moment is not a new token.

use std::path::{Path, PathBuf};

use http::HeaderValue;

use crate::owned::{self, OwnedError, Trust};

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
    file: Option<(PathBuf, Trust)>,
    token: HeaderValue,
}

impl TokenSource {
    /// Reads the token for the first time.
    ///
    /// # Errors
    /// Fails if there is none.
    pub fn open(place: TokenPlace, trust: &Trust) -> Result<Self, TokenPlaceError> {
        match place {
            TokenPlace::Variable(name, token) => Ok(Self {
                token: header(token.as_bytes())
                    .ok_or_else(|| TokenPlaceError::NoToken(name.to_owned()))?,
                file: None,
            }),
            TokenPlace::File(path) => Ok(Self {
                token: read(&path, trust)?,
                file: Some((path, trust.clone())),
            }),
        }
    }

    /// Returns the token as it is now, as the value of an `Authorization` header.
    pub(super) fn now(&mut self) -> HeaderValue {
        self.renewed();
        self.token.clone()
    }

    /// Reads the token again. Returns true if it is another.
    pub(super) fn renewed(&mut self) -> bool {
        let Some((path, trust)) = &self.file else {
            return false;
        };
        match read(path, trust) {
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

fn read(path: &Path, trust: &Trust) -> Result<HeaderValue, TokenPlaceError> {
    let file = |error| TokenPlaceError::File(path.to_owned(), error);
    let bytes = owned::read_secret(path, MAX_FILE, trust).map_err(file)?;
    header(&bytes).ok_or_else(|| TokenPlaceError::NoToken(path.display().to_string()))
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn a_file_is_read_anew_and_a_bad_one_is_not_a_new_token() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("token");
        write(&path, " abc\n");
        let place = TokenPlace::File(path.clone());
        let mut source = TokenSource::open(place, &Trust::default()).unwrap();
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
    fn a_place_without_one_token_is_refused_without_its_content() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("token");
        for text in ["", " \n", "a b", "a\nb", "\u{e9}"] {
            write(&path, text);
            for place in [
                TokenPlace::File(path.clone()),
                TokenPlace::Variable("THE_VARIABLE", text.to_owned()),
            ] {
                let error = TokenSource::open(place, &Trust::default()).err().unwrap();
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
        assert!(TokenSource::open(good, &Trust::default()).is_ok());
    }

    #[test]
    fn a_file_that_others_may_write_is_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("token");
        write(&path, "abc");
        fs::set_permissions(&path, Permissions::from_mode(0o606)).unwrap();
        let error = TokenSource::open(TokenPlace::File(path), &Trust::default()).err();
        assert!(matches!(error, Some(TokenPlaceError::File(..))));
    }
}
