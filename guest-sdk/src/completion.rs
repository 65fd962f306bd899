//! Suggestions for an argument of a prompt or a variable of a family.

use std::collections::BTreeMap;

use crate::bindings::completion::Suggestions as WireSuggestions;

/// What the user has typed of an argument so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    typed: String,
    others: BTreeMap<String, String>,
}

impl Completion {
    /// Makes one in which the user has typed this. For tests.
    pub fn new(typed: &str) -> Self {
        Self {
            typed: typed.to_owned(),
            others: BTreeMap::new(),
        }
    }

    /// Adds another argument that is known. For tests.
    #[must_use]
    pub fn with(mut self, argument: &str, value: &str) -> Self {
        self.others.insert(argument.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn of(typed: String, others: BTreeMap<String, String>) -> Self {
        Self { typed, others }
    }

    /// Returns what the user has typed of the value.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Returns another argument of the same prompt or family, if it is known already.
    pub fn other(&self, argument: &str) -> Option<&str> {
        self.others.get(argument).map(String::as_str)
    }

    /// Suggests those of the values that begin as the user has typed, in any case.
    pub fn matching<T: Into<String>>(&self, values: impl IntoIterator<Item = T>) -> Suggestions {
        let typed = self.typed.to_lowercase();
        let values = values.into_iter().map(Into::into);
        let begun = values.filter(|value| value.to_lowercase().starts_with(&typed));
        Suggestions::of(begun)
    }
}

/// Suggested values, the best first. A `Vec` of texts converts to them.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestions(WireSuggestions);

impl Suggestions {
    /// Makes suggestions of all these values. The first 100 of them are sent.
    pub fn of<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Self {
        let mut values: Vec<String> = values.into_iter().map(Into::into).collect();
        let total = values.len();
        values.truncate(MOST_VALUES);
        Self(WireSuggestions {
            more: values.len() < total,
            total: u64::try_from(total).ok(),
            values,
        })
    }

    /// Says how many values there are in all, if these are not all of them.
    #[must_use]
    pub fn of_total(mut self, total: u64) -> Self {
        let given = u64::try_from(self.0.values.len()).unwrap_or(u64::MAX);
        self.0.more = given < total;
        self.0.total = Some(total);
        self
    }

    /// Says that there are more values, and not how many.
    #[must_use]
    pub fn and_more(mut self) -> Self {
        self.0.more = true;
        self.0.total = None;
        self
    }

    /// Returns the values. For tests.
    pub fn values(&self) -> &[String] {
        &self.0.values
    }

    pub(crate) fn into_wire(self) -> WireSuggestions {
        self.0
    }
}

impl<T: Into<String>> From<Vec<T>> for Suggestions {
    fn from(values: Vec<T>) -> Self {
        Self::of(values)
    }
}

/// The most values in one answer.
const MOST_VALUES: usize = 100;

#[cfg(test)]
mod tests {
    use super::{Completion, Suggestions};

    #[test]
    fn the_values_that_begin_as_typed_are_suggested() {
        let asked = Completion::new("be").with("country", "DE");
        assert_eq!((asked.typed(), asked.other("country")), ("be", Some("DE")));
        assert_eq!(asked.other("street"), None);
        let cities = asked.matching(["Hamburg", "Berlin", "Bern"]);
        assert_eq!(cities.values(), ["Berlin", "Bern"]);
        assert_eq!(Completion::new("").matching(["a"]).values(), ["a"]);
    }

    #[test]
    fn no_more_values_are_sent_than_a_client_takes() {
        let wire = Suggestions::from((0..150).map(|n| n.to_string()).collect::<Vec<_>>());
        let wire = wire.into_wire();
        assert_eq!(
            (wire.values.len(), wire.total, wire.more),
            (100, Some(150), true)
        );
        let few = Suggestions::of(["a"]).into_wire();
        assert_eq!((few.total, few.more), (Some(1), false));
        let page = Suggestions::of(["a"]).of_total(7).into_wire();
        assert_eq!((page.total, page.more), (Some(7), true));
        let open = Suggestions::of(["a"]).and_more().into_wire();
        assert_eq!((open.total, open.more), (None, true));
    }
}
