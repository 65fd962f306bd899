//! What the host can send of what documents describe. When the host learns more, it is said here,
//! and nowhere else.

use super::left_out::LeftOut;
use crate::delegation::{Template, TemplateError, may_set_header};

/// Returns true if a tool may send the header. OpenAPI gives the three that it leaves to others no
/// meaning as parameters.
pub(super) fn sends_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    may_set_header(&name) && !IGNORED_HEADERS.contains(&name.as_str())
}

/// Returns true if a header is no parameter, whatever the document says (OpenAPI 3.1 §4.8.12.1).
pub(super) fn is_ignored_header(name: &str) -> bool {
    IGNORED_HEADERS.contains(&name.to_ascii_lowercase().as_str())
}

/// Returns true if a template can have the key in its query.
pub(super) fn takes_key(key: &str) -> bool {
    // Otherwise a key could be read as several.
    !key.contains(['&', '=', '{', '}']) && parsed(&format!("GET /?{key}={{}}")).is_ok()
}

/// Returns true if several segments can stand before others in a template.
pub(super) fn takes_rest_within() -> bool {
    parsed("GET /{**}/end").is_ok()
}

/// Checks a line of a grant.
pub(super) fn check_line(line: &str) -> Result<(), LeftOut> {
    match parsed(line) {
        Ok(_) => Ok(()),
        Err(why) => Err(LeftOut::Template {
            line: line.to_owned(),
            why: why.to_string(),
        }),
    }
}

fn parsed(line: &str) -> Result<Template, TemplateError> {
    line.parse()
}

const IGNORED_HEADERS: [&str; 3] = ["accept", "content-type", "authorization"];
