//! Errors: for the caller ([`Error`]), and from a service ([`DownstreamError`]).
//!
//! Invariant: the conversion from the second to the first never repeats a text of a service or an
//! authorization server, except what the user needs to go on (a consent hint, the names of scopes).
//! Of the host's words it has the name of the rule that denies a request.

use std::fmt;

use crate::bindings::types;

/// The reasons for having no HTTP answer from a service. Every HTTP answer, whatever its status, is
/// a [`crate::Response`].
///
/// A request other than GET and HEAD that may have reached the service has one error only,
/// `UnknownOutcome`, also if its answer was too large or repeated a credential. Ask the service
/// what it did; or, where the operator has set `idempotency`, send the same POST or PATCH again in
/// this call: the host gives it the same key. After any other error nothing was changed.
pub use crate::bindings::downstream::Error as DownstreamError;

/// A tool's failure, in words that the caller may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The arguments make no sense, in a way that the schema cannot express.
    InvalidInput(String),
    /// The caller may not have this.
    Forbidden(String),
    /// The requested thing does not exist.
    NotFound(String),
    /// A later attempt may succeed.
    Unavailable(String),
    /// Any other failure.
    Failed(String),
}

impl Error {
    /// Returns [`Error::InvalidInput`]: the arguments make no sense, in a way that the schema
    /// cannot express.
    pub fn invalid_input(message: impl Into<String>) -> Self {
        Self::InvalidInput(message.into())
    }

    /// Returns [`Error::Forbidden`]: the caller may not have this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::Forbidden(message.into())
    }

    /// Returns [`Error::NotFound`]: the requested thing does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound(message.into())
    }

    /// Returns [`Error::Unavailable`]: a later attempt may succeed.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable(message.into())
    }

    /// Returns [`Error::Failed`]: any other failure.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// Returns the text that the caller reads.
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidInput(message)
            | Self::Forbidden(message)
            | Self::NotFound(message)
            | Self::Unavailable(message)
            | Self::Failed(message) => message,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.message())
    }
}

impl std::error::Error for Error {}

impl From<DownstreamError> for Error {
    fn from(error: DownstreamError) -> Self {
        use DownstreamError as D;
        match error {
            D::UnknownService => Self::failed(NOT_GRANTED),
            D::NotGranted(why) => match denying_rule(&why) {
                Some(rule) => Self::Forbidden(format!("refused by the operator's rule `{rule}`")),
                None => Self::failed(NOT_GRANTED),
            },
            D::InvalidRequest(_) => Self::failed("the tool made a malformed request to a service"),
            D::IdentityUnavailable => Self::forbidden("this needs a signed-in user"),
            D::ConsentRequired(hint) => Self::Forbidden(format!("consent is needed first: {hint}")),
            D::ScopeDenied(scopes) => Self::Forbidden(format!(
                "these scopes were not given: {}",
                scopes.join(", ")
            )),
            D::CredentialRefused(_) => Self::forbidden(
                "no credential for a service is available for this caller, or its answer showed one",
            ),
            D::Unavailable(_) => Self::unavailable("a service cannot be reached at the moment"),
            D::TimedOut => Self::unavailable("a service did not answer in time"),
            D::TooLarge => Self::failed("the answer of a service is too large"),
            D::QuotaExhausted => Self::failed("this call has used up its requests to services"),
            D::UnknownOutcome => Self::failed(
                "a service may have done what was asked, or not; look before asking again",
            ),
            D::Other(_) => Self::failed("a service could not be called"),
        }
    }
}

/// Returns the name of the rule that denies a request, if the host's words name one.
fn denying_rule(why: &str) -> Option<&str> {
    let named = why.strip_prefix("the operator's rule ")?;
    let (name, rest) = named.split_once(" denies it")?;
    (rest.is_empty() || rest.starts_with(", ")).then_some(name)
}

const NOT_GRANTED: &str = "the operator has not granted this tool what it asked of a service";

/// Names the place where JSON went wrong, never its contents.
impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self::Failed(format!(
            "JSON does not have the expected shape (line {line}, column {column})"
        ))
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidInput(message) => Self::InvalidInput(message),
            Error::Forbidden(message) => Self::Forbidden(message),
            Error::NotFound(message) => Self::NotFound(message),
            Error::Unavailable(message) => Self::Unavailable(message),
            Error::Failed(message) => Self::Failed(message),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{DownstreamError as D, Error, NOT_GRANTED};

    const SECRET: &str = "upstream said: s3cret";

    #[test]
    fn what_a_service_said_is_never_repeated() {
        let secret = || SECRET.to_owned();
        for error in [
            D::NotGranted(secret()),
            D::InvalidRequest(secret()),
            D::CredentialRefused(secret()),
            D::Unavailable(secret()),
            D::Other(secret()),
        ] {
            let message = Error::from(error.clone()).to_string();
            assert!(!message.contains("s3cret"), "{error:?}: {message}");
        }
    }

    /// The SDKs and the host are held to the same file.
    #[test]
    fn a_rule_that_denies_is_named_and_nothing_else() {
        let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/refusals.json");
        let cases = std::fs::read_to_string(cases).unwrap();
        for case in serde_json::from_str::<Vec<serde_json::Value>>(&cases).unwrap() {
            let member = |name| case.get(name).and_then(serde_json::Value::as_str);
            let text = member("text").unwrap();
            let expected = match member("rule") {
                Some(rule) => Error::forbidden(format!("refused by the operator's rule `{rule}`")),
                None => Error::failed(NOT_GRANTED),
            };
            assert_eq!(Error::from(D::NotGranted(text.to_owned())), expected);
        }
    }

    #[test]
    fn each_case_keeps_its_meaning() {
        let forbidden = |error: D| matches!(Error::from(error), Error::Forbidden(_));
        let unavailable = |error: D| matches!(Error::from(error), Error::Unavailable(_));
        assert!(forbidden(D::IdentityUnavailable));
        assert!(forbidden(D::ConsentRequired(
            "https://idp.example/consent".into()
        )));
        assert!(unavailable(D::TimedOut));
        assert!(matches!(Error::from(D::UnknownService), Error::Failed(_)));
    }

    #[test]
    fn no_one_is_asked_to_repeat_what_may_have_happened() {
        let error = Error::from(D::UnknownOutcome);
        assert!(matches!(&error, Error::Failed(message) if message.contains("look before")));
    }

    #[test]
    fn what_the_user_needs_is_said() {
        let says = |error: D, word: &str| Error::from(error).message().contains(word);
        assert!(says(D::ScopeDenied(vec!["a".into(), "b".into()]), "a, b"));
        assert!(says(
            D::ConsentRequired("https://idp.example/consent".into()),
            "https://idp"
        ));
    }

    #[test]
    fn bad_json_is_not_repeated() {
        let error = serde_json::from_str::<u8>("\"s3cret\"").map_err(Error::from);
        assert!(matches!(error, Err(Error::Failed(message)) if !message.contains("s3cret")));
    }
}
