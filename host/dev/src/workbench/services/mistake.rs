//! The mistakes of a file of services, each with its line and what to change.

use std::path::{Path, PathBuf};

/// A file of services that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServicesError {
    /// It cannot be read.
    #[error("{} cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}: {mistake}", file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        mistake: Mistake,
    },
}

/// What is wrong in a file of services.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mistake {
    /// It is not TOML, or a key is unknown or has a value of another type.
    #[error("{0}")]
    Form(String),
    /// Another table than those that belong there.
    #[error("only [services.*] and [components.*] belong here, not {0}")]
    Foreign(String),
    /// A service's name.
    #[error("{0:?} cannot be a service's name; expected 1 to 64 of [A-Za-z0-9_-]")]
    Name(String),
    /// A service that is both real and not.
    #[error(
        "services.{0} has a url, so it is a real service and answers for itself; remove url or \
         answers"
    )]
    Both(String),
    /// A request.
    #[error(
        "{text:?} is not a request: {why}; expected for example \"GET /orders/{{}}?status={{}}\""
    )]
    Request {
        /// Its text.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A status.
    #[error("{0} cannot be the status of an answer; expected 200 to 599, and no 3xx")]
    Status(i64),
    /// Two bodies.
    #[error("an answer has json or text, not both")]
    TwoBodies,
    /// Answers for users of a service that is not told who asks.
    #[error(
        "a service that is reached as service_identity is not told who asks; remove users, or \
         choose another `as`"
    )]
    NoUsers,
    /// An answer that no request can reach.
    #[error("{request} has its answer in line {line}; name other users in one of the two")]
    Twice {
        /// The request.
        request: String,
        /// The line of the answer that comes first.
        line: usize,
    },
    /// No scope.
    #[error("scopes must name one scope or more")]
    NoScope,
}

/// A text, and the way from places in it to lines.
#[derive(Clone, Copy)]
pub(super) struct Lines<'t> {
    pub(super) file: &'t Path,
    pub(super) text: &'t str,
}

impl Lines<'_> {
    /// Returns the line of a place, from 1.
    pub(super) fn line(self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(self.text);
        before.matches('\n').count().saturating_add(1)
    }

    pub(super) fn wrong(self, at: usize, mistake: Mistake) -> ServicesError {
        ServicesError::Wrong {
            file: self.file.to_owned(),
            line: self.line(at),
            mistake,
        }
    }

    /// Reports what the parser found; `around` is where the parser began.
    pub(super) fn form(self, error: &toml::de::Error, around: usize) -> ServicesError {
        let at = error.span().map_or(around, |span| span.start);
        self.wrong(at, Mistake::Form(error.message().to_owned()))
    }
}
