//! A kit of hostile guests: components that attack the host that loads or calls them.
//!
//! Each is one [`Case`]: a name, a sentence, the phase in which it attacks, and the reaction that a
//! host must show. `tests/hostile/README.md` explains how to turn them against another host of the
//! world.
//!
//! Trusts nothing, and knows nothing of a host but its codes. Invariant: a case's name is the name
//! of its file and of its one tool.

mod advisories;
mod data;
mod definition;
mod describing;
mod features;
mod functions;
mod guest;
mod identity;
mod loops;
mod memory;
mod offering;
mod offers;
mod resources;
mod results;
mod segments;
mod shape;
mod stack;
mod traps;
mod wasi;

pub use definition::Definition;
pub use guest::Guest;
pub use offers::{Member, Message, Offers, Part, Prompt, Resource, Suggestions};
pub use segments::SERVICE;

/// One hostile guest.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name in kebab-case, which is also the name of the tool.
    pub name: &'static str,
    /// The attack, in a sentence.
    pub does: &'static str,
    /// The phase of the attack.
    pub at: Phase,
    /// The reaction that a host must show.
    pub expect: Expect,
    /// The file's contents.
    pub source: Source,
}

/// The phase in which a guest attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Loading: the attack is the file itself.
    Load,
    /// Describing: the host asks for its tools, for no user.
    Describe,
    /// Calling its tool.
    Call,
}

impl Phase {
    /// Returns the phase in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Describe => "describe",
            Self::Call => "call",
        }
    }
}

/// The reaction that a host must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It is not loaded, for one of these reasons.
    Refused(&'static [&'static str]),
    /// The call is ended, for one of these reasons.
    Ended(&'static [&'static str]),
    /// The call answers, and this is in its text.
    Harmless(&'static str),
    /// It is not loaded, for one of these reasons, or the call answers.
    Either(&'static [&'static str]),
}

/// The contents of a guest's file.
#[derive(Clone, Debug)]
pub enum Source {
    /// The text of a component.
    Text(String),
    /// A file that may be no component at all.
    Bytes(Vec<u8>),
}

impl Case {
    /// Returns true if the guest asks [`SERVICE`]: its attack then shows only if the service is
    /// granted.
    pub fn asks_a_service(&self) -> bool {
        segments::asks_a_service(self.name)
    }

    /// Returns the `.wasm` file.
    ///
    /// # Errors
    /// Fails if the text is not one of WebAssembly, which is a mistake in the kit.
    pub fn bytes(&self) -> Result<Vec<u8>, wat::Error> {
        match &self.source {
            Source::Text(text) => wat::parse_str(text),
            Source::Bytes(bytes) => Ok(bytes.clone()),
        }
    }
}

/// Returns every case, in families.
pub fn cases() -> Vec<Case> {
    let families = [
        loops::cases,
        memory::cases,
        stack::cases,
        traps::cases,
        results::cases,
        functions::cases,
        identity::cases,
        segments::cases,
        resources::cases,
    ];
    let load = [
        describing::cases,
        offering::cases,
        shape::cases,
        features::cases,
        advisories::cases,
        wasi::cases,
    ];
    families
        .into_iter()
        .chain(load)
        .flat_map(|family| family())
        .collect()
}

/// Returns the good guest itself: the measure for the others.
pub fn good() -> Case {
    harmless("good", "Answers.", "ok", Guest::new())
}

/// Returns guests that hold as much of the host's memory as they can for as long as they may; to be
/// called many times at once.
pub fn hoarders() -> Vec<Case> {
    wasi::hoarders()
}

fn text(name: &'static str, guest: &Guest) -> Source {
    Source::Text(guest.text(name))
}

/// Returns the texts of all items, one after the other.
fn each<T>(items: impl IntoIterator<Item = T>, text: impl FnMut(T) -> String) -> String {
    items.into_iter().map(text).collect::<Vec<_>>().concat()
}

/// Returns a guest whose call is ended.
#[expect(clippy::needless_pass_by_value, reason = "reads better at every call")]
fn ended(
    name: &'static str,
    does: &'static str,
    reasons: &'static [&'static str],
    guest: Guest,
) -> Case {
    Case {
        name,
        does,
        at: Phase::Call,
        expect: Expect::Ended(reasons),
        source: text(name, &guest),
    }
}

/// Returns a guest whose deed is allowed.
#[expect(clippy::needless_pass_by_value, reason = "reads better at every call")]
fn harmless(name: &'static str, does: &'static str, answer: &'static str, guest: Guest) -> Case {
    Case {
        name,
        does,
        at: Phase::Call,
        expect: Expect::Harmless(answer),
        source: text(name, &guest),
    }
}

/// Returns a guest that is refused for its description of its tools.
#[expect(clippy::needless_pass_by_value, reason = "reads better at every call")]
fn misdescribed(
    name: &'static str,
    does: &'static str,
    reasons: &'static [&'static str],
    guest: Guest,
) -> Case {
    Case {
        name,
        does,
        at: Phase::Describe,
        expect: Expect::Refused(reasons),
        source: text(name, &guest),
    }
}

/// Returns a guest that is refused for its file.
#[expect(clippy::needless_pass_by_value, reason = "reads better at every call")]
fn refused(
    name: &'static str,
    does: &'static str,
    reasons: &'static [&'static str],
    guest: Guest,
) -> Case {
    Case {
        name,
        does,
        at: Phase::Load,
        expect: Expect::Refused(reasons),
        source: text(name, &guest),
    }
}

const CPU: &[&str] = &["cpu-exceeded"];
const TIME: &[&str] = &["cpu-exceeded", "timed-out"];
const MEMORY: &[&str] = &["memory-exceeded"];
const TRAPPED: &[&str] = &["trapped"];
const TOO_LARGE: &[&str] = &["output-too-large"];
const INVALID: &[&str] = &["invalid-output"];
const NOT_LOADABLE: &[&str] = &["not-loadable"];
const IMPORT: &[&str] = &["import-refused"];
const DEFINITION: &[&str] = &["definition-refused"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_guest_has_a_name_of_its_own_and_a_text_that_means_something() {
        let cases = cases();
        let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len(), "a name is used twice");
        assert!(cases.len() >= 150, "{} guests", cases.len());
        for case in cases.iter().chain([&good()]) {
            let plain = case
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            assert!(plain && case.name.len() <= 64, "{}", case.name);
            assert!(case.does.ends_with('.'), "{}", case.name);
            let bytes = case.bytes();
            assert!(
                bytes.is_ok(),
                "{}: {}",
                case.name,
                bytes
                    .err()
                    .map(|error| error.to_string())
                    .unwrap_or_default()
            );
        }
    }
}
