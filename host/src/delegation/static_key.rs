//! Keys that an operator puts into files: one for a service, or one for each tenant or user.
//!
//! Invariant: where the rule is that each has their own, whoever has none gets none. No name in a
//! token chooses a file outside the folder of its issuer, and no two names choose the same one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bailiwick_envelope::ActorKind;
use bailiwick_journal::chain;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::asker::KnownActor;
use super::credential::Credential;
use crate::downstream::DownstreamError;
use crate::owned::{self, OwnedError, Trust};

/// A service's keys, and where a request carries one.
pub struct StaticAuth {
    /// Where it goes.
    pub place: KeyPlace,
    /// The keys.
    pub keys: StaticKeys,
}

/// The place of a key in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// A header.
    Header {
        /// Its name.
        name: HeaderName,
        /// The text before the key, such as `Bearer `.
        prefix: String,
    },
    /// The password of HTTP Basic (RFC 7617).
    Basic {
        /// The user name, unless the file has it before the password: `NAME:PASSWORD`.
        username: Option<String>,
    },
    /// A parameter of the query.
    Query {
        /// Its name, which needs no encoding.
        name: String,
    },
}

/// The keys of a service.
pub enum StaticKeys {
    /// One for all.
    One(SecretString),
    /// One for each.
    Each(KeyRule),
}

/// The rule by which a key is chosen.
pub struct KeyRule {
    /// Whose key it is.
    pub by: KeyOwner,
    /// Where keys are.
    pub files: KeyFiles,
}

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner {
    /// The actor's tenant.
    Tenant,
    /// The user.
    User,
}

/// The files of the keys.
#[derive(Clone)]
pub enum KeyFiles {
    /// Read with the configuration, by the alias of an issuer and a name there.
    Listed(BTreeMap<(String, String), SecretString>),
    /// `FOLDER/ALIAS/NAME`, read for each request.
    Folder {
        /// The folder.
        path: PathBuf,
        /// Further owners that the files may have.
        trust: Trust,
    },
}

impl StaticAuth {
    /// Returns the key of `known` as a credential. `service_accounts` says whether a service
    /// account may have the key of the user of that name.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn credential(
        &self,
        known: KnownActor<'_>,
        service_accounts: bool,
    ) -> Result<Credential, DownstreamError> {
        let key = match &self.keys {
            StaticKeys::One(key) => key.clone(),
            StaticKeys::Each(rule) => {
                let name = rule.name(known, service_accounts)?;
                rule.key(known.alias.to_owned(), name.to_owned()).await?
            }
        };
        self.place.credential(&key)
    }

    /// Returns the error that `known` would get for want of a key.
    pub(super) fn refusal(
        &self,
        known: KnownActor<'_>,
        service_accounts: bool,
    ) -> Option<DownstreamError> {
        let StaticKeys::Each(rule) = &self.keys else {
            return None;
        };
        let name = match rule.name(known, service_accounts) {
            Ok(name) => name,
            Err(refused) => return Some(refused),
        };
        match rule.files.find(known.alias, name) {
            Ok(Some(_)) => None,
            Ok(None) => Some(rule.by.without_key()),
            Err(refused) => Some(refused),
        }
    }

    /// Returns the header that carries the key, if one does.
    pub fn header(&self) -> Option<&HeaderName> {
        match &self.place {
            KeyPlace::Header { name, .. } => Some(name),
            KeyPlace::Basic { .. } => Some(&AUTHORIZATION),
            KeyPlace::Query { .. } => None,
        }
    }

    /// Returns the parameter of the query that carries the key, if one does.
    pub fn query(&self) -> Option<&str> {
        match &self.place {
            KeyPlace::Query { name } => Some(name),
            KeyPlace::Header { .. } | KeyPlace::Basic { .. } => None,
        }
    }

    /// Returns whose key it is, unless it is one for all.
    pub fn owner(&self) -> Option<KeyOwner> {
        match &self.keys {
            StaticKeys::One(_) => None,
            StaticKeys::Each(rule) => Some(rule.by),
        }
    }

    /// Returns true if all users have the same key.
    pub fn is_one(&self) -> bool {
        matches!(self.keys, StaticKeys::One(_))
    }

    /// Returns true if each user has a key of their own.
    pub fn is_by_user(&self) -> bool {
        matches!(&self.keys, StaticKeys::Each(rule) if rule.by == KeyOwner::User)
    }
}

impl KeyPlace {
    fn credential(&self, secret: &SecretString) -> Result<Credential, DownstreamError> {
        let key = secret.expose_secret();
        let (name, value, bare, kind) = match self {
            Self::Header { name, prefix } => {
                (name.clone(), format!("{prefix}{key}"), key, "static")
            }
            Self::Basic { username } => {
                let (pair, password) = if let Some(name) = username {
                    (format!("{name}:{key}"), key)
                } else {
                    let (_, password) = key.split_once(':').ok_or_else(|| {
                        let why = "the file of its key does not hold NAME:PASSWORD";
                        DownstreamError::CredentialRefused(why.to_owned())
                    })?;
                    (key.to_owned(), password)
                };
                let pair = Zeroizing::new(pair);
                let value = format!("Basic {}", STANDARD.encode(pair.as_bytes()));
                (AUTHORIZATION, value, password, "basic")
            }
            Self::Query { name } => {
                return Ok(Credential::Query {
                    name: name.clone(),
                    key: secret.clone(),
                });
            }
        };
        Ok(Credential::Header {
            name,
            value: SecretString::from(value),
            bare: SecretString::from(bare.to_owned()),
            kind,
        })
    }
}

impl KeyRule {
    /// Returns the name that chooses the key. A service account may have the name of a user (RFC
    /// 9068 §5).
    ///
    /// # Errors
    /// There is no such name, or it proves nothing.
    fn name<'a>(
        &self,
        known: KnownActor<'a>,
        service_accounts: bool,
    ) -> Result<&'a str, DownstreamError> {
        let actor = known.actor;
        match self.by {
            KeyOwner::Tenant => actor.tenant.as_deref(),
            KeyOwner::User if actor.kind == ActorKind::User || service_accounts => {
                Some(actor.sub.as_str())
            }
            KeyOwner::User => None,
        }
        .ok_or(DownstreamError::IdentityUnavailable)
    }

    async fn key(&self, alias: String, name: String) -> Result<SecretString, DownstreamError> {
        let files = self.files.clone();
        let found = match files {
            KeyFiles::Listed(_) => files.find(&alias, &name),
            KeyFiles::Folder { .. } => {
                let found = tokio::task::spawn_blocking(move || files.find(&alias, &name)).await;
                found.unwrap_or_else(|_| Err(unusable()))
            }
        };
        found?.ok_or_else(|| self.by.without_key())
    }
}

impl KeyOwner {
    /// Returns its name in configuration and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::User => "user",
        }
    }

    fn without_key(self) -> DownstreamError {
        let whose = self.as_str();
        let why = format!("the host has no key of this {whose} for the service");
        DownstreamError::CredentialRefused(why)
    }
}

impl KeyFiles {
    /// Returns the key of `name` at the issuer `alias`, or `None` if there is none.
    fn find(&self, alias: &str, name: &str) -> Result<Option<SecretString>, DownstreamError> {
        let (path, trust) = match self {
            Self::Listed(keys) => {
                return Ok(keys.get(&(alias.to_owned(), name.to_owned())).cloned());
            }
            Self::Folder { path, trust } => (path, trust),
        };
        let Some(file) = file_name(name) else {
            return Ok(None);
        };
        let file = path.join(alias).join(file);
        read(&file, trust).map_err(|cause| {
            let file = file.display().to_string();
            tracing::error!(file, cause, "a key cannot be used");
            unusable()
        })
    }
}

fn unusable() -> DownstreamError {
    DownstreamError::CredentialRefused("the key for the service cannot be used".to_owned())
}

/// Reads a key; `None` if there is no file.
fn read(file: &Path, trust: &Trust) -> Result<Option<SecretString>, String> {
    let bytes = match owned::read_secret(file, MAX_KEY, trust) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(OwnedError::Read(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(error) => return Err(chain(&error)),
    };
    let text = str::from_utf8(&bytes).unwrap_or_default();
    let key = text.trim_end_matches(['\n', '\r']);
    let sound = !key.is_empty() && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if sound {
        Ok(Some(SecretString::from(key.to_owned())))
    } else {
        Err("expected one line of printable ASCII".to_owned())
    }
}

/// Returns the file name that stands for `name`, and for no other on any file system: lower-case
/// letters, digits, `-`, `_`, `@` and, but for the first, `.` are themselves, every other byte is
/// `%XX`. Returns `None` for a name that is too long for a file.
pub fn file_name(name: &str) -> Option<String> {
    let mut file = String::new();
    for (at, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || b"-_@".contains(&byte)
            || (byte == b'.' && at > 0);
        if plain {
            file.push(char::from(byte));
        } else {
            write!(file, "%{byte:02X}").ok()?;
        }
    }
    (1..=MAX_NAME).contains(&file.len()).then_some(file)
}

const MAX_KEY: u64 = 16 << 10;
/// The longest file name of common file systems, bytes.
const MAX_NAME: usize = 255;

#[cfg(test)]
mod tests;
