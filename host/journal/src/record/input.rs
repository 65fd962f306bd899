//! The records of questions to a client and of their answers, which never hold values.

use serde::{Deserialize, Serialize};

use super::call::Call;
use crate::text::Text;

/// The questions or the answers of one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRound {
    /// The round's identifier, 32 hexadecimal digits: the same in `input.asked` and in
    /// `input.answered`, which belong to different calls.
    pub round: Text,
    /// The keys of the questions, sorted, at most 16.
    pub keys: InputKeys,
    /// `hmac-sha256:` and a keyed hash of the questions or answers.
    pub digest: Text,
}

/// The keys of a round, at most 16.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Text>")]
pub struct InputKeys(Vec<Text>);

impl<T: Into<Text>> FromIterator<T> for InputKeys {
    fn from_iter<I: IntoIterator<Item = T>>(keys: I) -> Self {
        Self(keys.into_iter().take(MAX_KEYS).map(Into::into).collect())
    }
}

impl From<Vec<Text>> for InputKeys {
    fn from(keys: Vec<Text>) -> Self {
        keys.into_iter().collect()
    }
}

impl InputKeys {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// `input.asked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputAsked {
    /// The call that asks.
    #[serde(flatten)]
    pub call: Call,
    /// The questions.
    #[serde(flatten)]
    pub round: InputRound,
}

/// `input.answered`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputAnswered {
    /// The call that goes on with the answers.
    #[serde(flatten)]
    pub call: Call,
    /// The answers.
    #[serde(flatten)]
    pub round: InputRound,
}

const MAX_KEYS: usize = 16;
