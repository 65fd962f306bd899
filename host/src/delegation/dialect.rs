//! Dialects of exchange as data: which fields an authorization server gets, in which order, and
//! what must come back.
//!
//! Invariant: a dialect names fields and where their values come from, and nothing else: no
//! address, no credential, no rule about the issued token. The caller's token is in the first
//! request alone, where nothing calls it another kind of token, and the scopes are the operator's.

mod read;

use crate::tokens::OF_OTHER_TOKENS;

/// How the host asks an authorization server, or two of them one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeDialect {
    requests: Vec<DialectRequest>,
}

/// One request of a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DialectRequest {
    fields: Vec<Field>,
    /// The `token_type` of the answer, in any case.
    pub(super) token_type: String,
    /// The `issued_token_type` values of the answer, which must then state one.
    pub(super) issued_token_types: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: String,
    value: FieldValue,
    /// True if it is left out where there is no actor token.
    with_actor: bool,
}

/// The source of a field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FieldValue {
    Text(String),
    /// The caller's token.
    Subject,
    /// The host's own token, where one goes along.
    Actor,
    /// The token that the request before brought.
    Grant,
    Audience,
    /// The scopes to ask for; left out where there are none.
    Scopes,
    /// What the operator sets under this name.
    Parameter(String),
}

/// The values of one exchange.
#[derive(Clone, Copy)]
pub(super) struct Values<'v> {
    pub(super) subject: &'v str,
    pub(super) actor: Option<&'v str>,
    pub(super) grant: Option<&'v str>,
    pub(super) audience: &'v str,
    pub(super) scope: &'v str,
    pub(super) parameters: &'v [(String, String)],
}

/// A dialect that is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// The text is not TOML of this shape.
    #[error("{0}")]
    Shape(String),
    /// A rule of dialects is broken.
    #[error("request {request}: {what}")]
    Rule {
        /// The number of the request, from 1.
        request: usize,
        /// What is wrong.
        what: String,
    },
    /// Not one or two requests.
    #[error("expected one or two [[requests]]")]
    Requests,
}

impl ExchangeDialect {
    /// Returns a dialect that comes with the host.
    pub fn named(name: &str) -> Option<Self> {
        let (_, text) = DIALECTS.iter().find(|(known, _)| *known == name)?;
        Self::parse(text).ok()
    }

    /// Returns the names of the dialects that come with the host.
    pub fn names() -> impl Iterator<Item = &'static str> {
        DIALECTS.iter().map(|(name, _)| *name)
    }

    /// Returns true if an actor token can go along.
    pub fn has_actor(&self) -> bool {
        self.values().any(|value| *value == FieldValue::Actor)
    }

    /// Returns true if a second authorization server is asked.
    pub fn is_chain(&self) -> bool {
        self.requests.len() > 1
    }

    /// Returns the names of the values that the operator must set.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.values().filter_map(|value| match value {
            FieldValue::Parameter(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns why `value` must not be the operator's value of this name, if it must not.
    pub fn refusal_of(&self, name: &str, value: &str) -> Option<&'static str> {
        let fields = self.requests.iter().flat_map(|request| &request.fields);
        let mut of_name = fields.filter(|field| match &field.value {
            FieldValue::Parameter(known) => known == name,
            _ => false,
        });
        of_name
            .any(|field| says_wrong_type(&field.name, value))
            .then_some(WRONG_TYPE)
    }

    pub(super) fn requests(&self) -> &[DialectRequest] {
        &self.requests
    }

    fn values(&self) -> impl Iterator<Item = &FieldValue> {
        let fields = self.requests.iter().flat_map(|request| &request.fields);
        fields.map(|field| &field.value)
    }
}

impl DialectRequest {
    /// Returns the form, in the order of the dialect.
    pub(super) fn form<'f>(&'f self, values: Values<'f>) -> Vec<(&'f str, &'f str)> {
        let value = |field: &'f Field| {
            let value = match &field.value {
                FieldValue::Text(text) => Some(text.as_str()),
                FieldValue::Subject => Some(values.subject),
                FieldValue::Actor => values.actor,
                FieldValue::Grant => values.grant,
                FieldValue::Audience => Some(values.audience),
                FieldValue::Scopes => Some(values.scope).filter(|scope| !scope.is_empty()),
                FieldValue::Parameter(name) => values
                    .parameters
                    .iter()
                    .find_map(|(known, value)| (known == name).then_some(value.as_str())),
            };
            let value = value.filter(|_| !field.with_actor || values.actor.is_some())?;
            Some((field.name.as_str(), value))
        };
        self.fields.iter().filter_map(value).collect()
    }
}

/// Returns true if a field calls the caller's token what it is not.
fn says_wrong_type(name: &str, value: &str) -> bool {
    name == SUBJECT_TYPE && OF_OTHER_TOKENS.contains(&value)
}

const SUBJECT_TYPE: &str = "subject_token_type";

const WRONG_TYPE: &str = "the host has the caller's access token, and no ID token, refresh token \
                          or SAML assertion; expected \
                          urn:ietf:params:oauth:token-type:access_token, or the same with jwt";

const DIALECTS: &[(&str, &str)] = &[
    ("rfc8693", include_str!("dialect/rfc8693.toml")),
    ("keycloak", include_str!("dialect/keycloak.toml")),
    ("entra_obo", include_str!("dialect/entra_obo.toml")),
    (
        "identity_chaining",
        include_str!("dialect/identity_chaining.toml"),
    ),
    ("id_jag", include_str!("dialect/id_jag.toml")),
    (
        "auth0_token_vault",
        include_str!("dialect/auth0_token_vault.toml"),
    ),
];

#[cfg(test)]
mod tests;
