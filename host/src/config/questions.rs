//! `question_origins` and `relay_questions`: what a component may ask beside forms.

use url::Url;

use super::reader::Section;
use crate::questions::{QuestionRule, RelayedKind};

/// Reads the rule about the questions of a component.
pub(super) fn rule(section: &Section<'_>) -> QuestionRule {
    QuestionRule {
        origins: origins(section),
        relays: relays(section),
    }
}

fn origins(section: &Section<'_>) -> std::sync::Arc<[String]> {
    let origins = section.texts("question_origins").unwrap_or_default();
    for (origin, at) in &origins {
        if !is_origin(origin) {
            let key = section.name("question_origins");
            section.problem(
                *at,
                format!(
                    "{key}: {origin:?}: expected an origin, such as \"https://pay.example.com\" \
                     (http only for 127.0.0.1, [::1] or localhost)"
                ),
            );
        }
    }
    origins.into_iter().map(|(origin, _)| origin).collect()
}

/// Returns true if this is the canonical form of an origin to which a user may be sent.
fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    is_safe && !text.contains('*') && url.origin().ascii_serialization() == text
}

fn relays(section: &Section<'_>) -> std::sync::Arc<[RelayedKind]> {
    let names = section.texts("relay_questions").unwrap_or_default();
    let relay = |(name, at): (String, usize)| match name.as_str() {
        "sampling" => Some(RelayedKind::Sampling),
        "roots" => Some(RelayedKind::Roots),
        _ => {
            let key = section.name("relay_questions");
            let problem = format!("{key}: {name:?}: expected \"sampling\" or \"roots\"");
            section.problem(at, problem);
            None
        }
    };
    names.into_iter().filter_map(relay).collect()
}
