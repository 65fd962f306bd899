//! The end of a call: its result, or questions that must be answered first.

use crate::{Error, Output, Questions};

/// The end of a call: of a tool unless said otherwise, of a resource (`Outcome<Contents>`) or of a
/// prompt (`Outcome<Prompt>`).
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<T = Output> {
    /// The call is done.
    Complete(T),
    /// The call needs answers first. The function is called again with them.
    InputRequired(Questions),
}

impl<T> Outcome<T> {
    /// Returns the questions, if the call asks. For tests.
    pub fn questions(&self) -> Option<&Questions> {
        match self {
            Self::InputRequired(questions) => Some(questions),
            Self::Complete(_) => None,
        }
    }
}

impl<T> From<Questions> for Outcome<T> {
    fn from(questions: Questions) -> Self {
        Self::InputRequired(questions)
    }
}

/// Lets a function return these in place of an outcome, as what they convert to.
macro_rules! gives {
    ($whole:ty: $($given:ty),+) => {$(
        impl From<$given> for $crate::Outcome<$whole> {
            fn from(given: $given) -> Self {
                Self::Complete(given.into())
            }
        }
    )+};
}

pub(crate) use gives;

/// Returns the outcome of a function of a resource or a prompt.
///
/// # Errors
/// Fails with the function's own error.
pub fn finished<T>(
    result: Result<impl Into<Outcome<T>>, impl Into<Error>>,
) -> Result<Outcome<T>, Error> {
    result.map(Into::into).map_err(Into::into)
}
