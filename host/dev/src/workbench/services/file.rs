//! The file of services: fake ones with their answers, and real ones as a host's configuration
//! has them.
//!
//! Invariant: nothing else of the file is used, so it cannot change where the host listens, whom it
//! trusts at the front door or where it writes.

use std::fs;
use std::path::{Path, PathBuf};

use http::StatusCode;
use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Table, Value};
use url::Url;

use super::asked::Asked;
use super::mistake::{Lines, Mistake, ServicesError};
use crate::workbench::author::Author;

/// A file of services, read and checked.
pub(super) struct FileText {
    pub(super) fakes: Vec<FakeService>,
    pub(super) author: Author,
}

/// A service that answers from the file.
#[derive(Clone, Debug)]
pub(super) struct FakeService {
    pub(super) name: String,
    pub(super) authority: Authority,
    /// The scopes of a token for it; one or more.
    pub(super) scopes: Vec<String>,
    /// What a host lets tools ask; by default, more than it answers.
    pub(super) allow: Option<Vec<String>>,
    pub(super) answers: Vec<FakeAnswer>,
    /// The service on this machine that answers in place of the file.
    pub(super) upstream: Option<Url>,
}

/// How the host reaches a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Authority {
    #[default]
    OnBehalfOf,
    RestrictedUser,
    ServiceIdentity,
}

/// One answer of a fake service.
#[derive(Clone, Debug)]
pub(super) struct FakeAnswer {
    pub(super) asked: Asked,
    /// Whom it is for; `None` for everyone.
    pub(super) users: Option<Vec<String>>,
    pub(super) status: StatusCode,
    /// The media type.
    pub(super) kind: String,
    /// The body; `{actor.sub}` in it stands for the user.
    pub(super) body: String,
}

/// A fake service as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceText {
    #[serde(default, rename = "as")]
    authority: Authority,
    scopes: Option<Spanned<Vec<String>>>,
    allow: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    answers: Vec<Spanned<AnswerText>>,
}

/// An answer as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerText {
    request: Spanned<String>,
    users: Option<Spanned<Vec<String>>>,
    status: Option<Spanned<i64>>,
    json: Option<Value>,
    text: Option<Spanned<String>>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl FileText {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or has a mistake.
    pub(super) fn read(file: &Path) -> Result<Self, ServicesError> {
        let unreadable = |source| ServicesError::Unreadable {
            file: file.to_owned(),
            source,
        };
        let text = fs::read_to_string(file).map_err(unreadable)?;
        let whole = fs::canonicalize(file).map_err(unreadable)?;
        let folder = whole.parent().map(Path::to_owned).unwrap_or_default();
        Self::parse(&text, file, folder)
    }

    /// Reads a text; its file names are relative to `folder`.
    pub(super) fn parse(text: &str, file: &Path, folder: PathBuf) -> Result<Self, ServicesError> {
        let lines = Lines { file, text };
        let document = DeTable::parse(text).map_err(|error| lines.form(&error, 0))?;
        let mut tables: Table = toml::from_str(text).map_err(|error| lines.form(&error, 0))?;
        let mut fakes = Vec::new();
        for (key, value) in document.into_inner() {
            match key.get_ref().as_ref() {
                "components" => {}
                "services" => fakes = lines.fakes(value)?,
                other => {
                    let foreign = Mistake::Foreign(other.to_owned());
                    return Err(lines.wrong(key.span().start, foreign));
                }
            }
        }
        if let Some(services) = tables.get_mut("services").and_then(Value::as_table_mut) {
            for fake in &fakes {
                services.remove(&fake.name);
            }
        }
        Ok(Self {
            fakes,
            author: Author::new(tables, folder),
        })
    }
}

impl Lines<'_> {
    fn fakes(self, services: Spanned<DeValue<'_>>) -> Result<Vec<FakeService>, ServicesError> {
        let at = services.span().start;
        let DeValue::Table(services) = services.into_inner() else {
            let form = Mistake::Form("services must be tables: [services.NAME]".to_owned());
            return Err(self.wrong(at, form));
        };
        let mut fakes = Vec::new();
        for (name, service) in services {
            let (at, name) = (name.span().start, name.into_inner().into_owned());
            let has = |key: &str| service.get_ref().get(key).is_some();
            if !is_name(&name) {
                return Err(self.wrong(at, Mistake::Name(name)));
            }
            match (has("url"), has("answers")) {
                (true, true) => return Err(self.wrong(at, Mistake::Both(name))),
                (true, false) => {}
                (false, _) => fakes.push(self.fake(name, at, service)?),
            }
        }
        Ok(fakes)
    }

    fn fake(
        self,
        name: String,
        at: usize,
        service: Spanned<DeValue<'_>>,
    ) -> Result<FakeService, ServicesError> {
        let read = ServiceText::deserialize(ValueDeserializer::from(service));
        let read = read.map_err(|error| self.form(&error, at))?;
        let scopes = match read.scopes {
            Some(scopes) if scopes.get_ref().is_empty() => {
                return Err(self.wrong(scopes.span().start, Mistake::NoScope));
            }
            Some(scopes) => scopes.into_inner(),
            None => vec![name.clone()],
        };
        for template in read.allow.iter().flatten() {
            self.request(template)?;
        }
        let mut answers: Vec<(usize, FakeAnswer)> = Vec::new();
        for written in read.answers {
            let at = written.span().start;
            let answer = self.answer(written.into_inner())?;
            if read.authority == Authority::ServiceIdentity && answer.users.is_some() {
                return Err(self.wrong(at, Mistake::NoUsers));
            }
            if let Some((before, _)) = answers.iter().find(|(_, known)| known.hides(&answer)) {
                let twice = Mistake::Twice {
                    request: answer.asked.to_string(),
                    line: self.line(*before),
                };
                return Err(self.wrong(at, twice));
            }
            answers.push((at, answer));
        }
        Ok(FakeService {
            name,
            authority: read.authority,
            scopes,
            allow: read
                .allow
                .map(|all| all.into_iter().map(Spanned::into_inner).collect()),
            answers: answers.into_iter().map(|(_, answer)| answer).collect(),
            upstream: None,
        })
    }

    fn request(self, text: &Spanned<String>) -> Result<Asked, ServicesError> {
        Asked::read(text.get_ref()).map_err(|why| {
            let text_of = text.get_ref().clone();
            self.wrong(text.span().start, Mistake::Request { text: text_of, why })
        })
    }

    fn answer(self, written: AnswerText) -> Result<FakeAnswer, ServicesError> {
        let asked = self.request(&written.request)?;
        let status = match &written.status {
            None => StatusCode::OK,
            Some(status) => u16::try_from(*status.get_ref())
                .ok()
                .and_then(|code| StatusCode::from_u16(code).ok())
                .filter(|code| code.as_u16() >= 200 && !code.is_redirection())
                .filter(|code| code.as_u16() < 600)
                .ok_or_else(|| {
                    self.wrong(status.span().start, Mistake::Status(*status.get_ref()))
                })?,
        };
        let (body, kind) = match (written.json, written.text) {
            (Some(_), Some(text)) => {
                return Err(self.wrong(text.span().start, Mistake::TwoBodies));
            }
            (_, Some(text)) => (text.into_inner(), "text/plain"),
            (Some(json), None) => {
                let at = written.request.span().start;
                let json = serde_json::to_string(&json);
                let form = |error: serde_json::Error| Mistake::Form(error.to_string());
                let json = json.map_err(|error| self.wrong(at, form(error)))?;
                (json, "application/json")
            }
            (None, None) => (String::new(), "application/json"),
        };
        Ok(FakeAnswer {
            asked,
            users: written.users.map(Spanned::into_inner),
            status,
            kind: written.kind.unwrap_or_else(|| kind.to_owned()),
            body,
        })
    }
}

impl FakeAnswer {
    /// Returns true if it answers everything that `later` could.
    fn hides(&self, later: &Self) -> bool {
        self.asked == later.asked
            && match (&self.users, &later.users) {
                (None, _) => true,
                (Some(own), Some(later)) => later.iter().all(|user| own.contains(user)),
                (Some(_), None) => false,
            }
    }
}

impl Authority {
    /// Returns the word for it in a configuration.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::OnBehalfOf => "on_behalf_of",
            Self::RestrictedUser => "restricted_user",
            Self::ServiceIdentity => "service_identity",
        }
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests;
