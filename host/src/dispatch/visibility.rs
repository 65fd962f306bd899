//! What a caller sees of the tools, resources and prompts: those that the caller may ask for and,
//! if the operator says so, those that the caller could get scopes for.
//!
//! Invariant: what is shown decides nothing. A call is decided by `decide`, shown or not.

use std::collections::BTreeSet;

use super::target::Offered;
use crate::identity::Caller;

/// The operator's rule about what is shown (`server.list`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visibility {
    /// The scopes that callers can get, if tools are shown to callers who lack them.
    obtainable: Option<BTreeSet<String>>,
}

/// What one caller sees of one tool, resource or prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Nothing.
    Hidden,
    /// The thing.
    Permitted,
    /// The thing, with the scopes that a call of it needs: the caller lacks some of them.
    Obtainable,
}

impl Visibility {
    /// Shows also tools that need scopes among these.
    pub fn obtainable(scopes: impl IntoIterator<Item = String>) -> Self {
        Self {
            obtainable: Some(scopes.into_iter().collect()),
        }
    }

    /// Returns what `caller` sees of one tool, resource or prompt.
    pub fn sight<F>(&self, offered: &Offered<F>, caller: &Caller) -> Sight {
        // Without the services that it asks for, it could only fail.
        if !offered.is_offered_to(caller) || offered.ungranted().next().is_some() {
            return Sight::Hidden;
        }
        self.of(offered.definition.scopes(), |scope| caller.has_scope(scope))
    }

    fn of(&self, needed: &[String], has: impl Fn(&str) -> bool) -> Sight {
        let mut lacking = needed.iter().filter(|scope| !has(scope)).peekable();
        if lacking.peek().is_none() {
            return Sight::Permitted;
        }
        match &self.obtainable {
            Some(scopes) if lacking.all(|scope| scopes.contains(scope)) => Sight::Obtainable,
            _ => Sight::Hidden,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_shown_if_its_scopes_are_there_or_can_be_had() {
        let texts = |texts: &[&str]| -> Vec<String> {
            texts.iter().map(|text| (*text).to_owned()).collect()
        };
        let permitted = Visibility::default();
        let obtainable = Visibility::obtainable(texts(&["a", "b"]));
        for (has, needs, by_token, by_operator) in [
            (&[][..], &[][..], Sight::Permitted, Sight::Permitted),
            (&["a"], &["a"], Sight::Permitted, Sight::Permitted),
            (&["x"], &["x"], Sight::Permitted, Sight::Permitted),
            (&["a"], &["a", "b"], Sight::Hidden, Sight::Obtainable),
            (&[], &["a", "b"], Sight::Hidden, Sight::Obtainable),
            (&["a"], &["a", "x"], Sight::Hidden, Sight::Hidden),
            (&["x"], &["a", "x"], Sight::Hidden, Sight::Obtainable),
        ] {
            let (has, needs) = (texts(has), texts(needs));
            let found =
                |rule: &Visibility| rule.of(&needs, |scope| has.iter().any(|own| own == scope));
            assert_eq!(found(&permitted), by_token, "{has:?} {needs:?}");
            assert_eq!(found(&obtainable), by_operator, "{has:?} {needs:?}");
        }
    }
}
