//! The path of an operation, in pieces.

use super::left_out::LeftOut;

/// A piece of a segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathPiece {
    Literal(String),
    /// A parameter by its name.
    Variable(String),
    /// A parameter that has slashes, as `{+name}` and `{name*}` say.
    Rest(String),
}

/// Splits a path into segments, and these into pieces. A slash at the end is a last segment without
/// any.
pub(super) fn segments(path: &str) -> Result<Vec<Vec<PathPiece>>, LeftOut> {
    let refused = |why: &str| Err(LeftOut::Path(why.to_owned()));
    let Some(path) = path.strip_prefix('/') else {
        return refused("it does not begin with a slash");
    };
    if path.is_empty() {
        return Ok(Vec::new());
    }
    if path.len() > MAX_BYTES {
        return refused("it is longer than 2048 bytes");
    }
    // A variable's name may have a slash, which ends no segment.
    if path.contains(['?', '#']) {
        return refused("it has a query or a fragment");
    }
    let (path, slash) = match path.strip_suffix('/') {
        Some(path) => (path, true),
        None => (path, false),
    };
    let mut segments = Vec::new();
    for segment in path.split('/') {
        if segment.is_empty() {
            return refused("it has an empty segment");
        }
        segments.push(pieces(segment)?);
    }
    segments.extend(slash.then(Vec::new));
    Ok(segments)
}

fn pieces(mut rest: &str) -> Result<Vec<PathPiece>, LeftOut> {
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (literal, variable) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        if !literal.is_empty() {
            pieces.push(PathPiece::Literal(literal.to_owned()));
        }
        rest = match variable.strip_prefix('{').map(|rest| rest.split_once('}')) {
            None => "",
            Some(None) => return Err(LeftOut::Path("a brace is not closed".to_owned())),
            Some(Some((name, after))) => {
                pieces.push(variable_named(name));
                after
            }
        };
    }
    Ok(pieces)
}

fn variable_named(name: &str) -> PathPiece {
    let plain = name.trim_start_matches('+').trim_end_matches(['+', '*']);
    if plain.len() == name.len() {
        PathPiece::Variable(plain.to_owned())
    } else {
        PathPiece::Rest(plain.to_owned())
    }
}

const MAX_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::PathPiece::{Literal, Rest, Variable};
    use super::segments;

    #[test]
    fn a_path_is_split_at_slashes_and_braces() {
        let literal = |text: &str| Literal(text.to_owned());
        let variable = |text: &str| Variable(text.to_owned());
        for (path, expected) in [
            ("/", vec![]),
            ("/users", vec![vec![literal("users")]]),
            ("/users/", vec![vec![literal("users")], vec![]]),
            ("/{a}/b", vec![vec![variable("a")], vec![literal("b")]]),
            (
                "/v1/{name}:cancel",
                vec![
                    vec![literal("v1")],
                    vec![variable("name"), literal(":cancel")],
                ],
            ),
            (
                "/{a}...{b}",
                vec![vec![variable("a"), literal("..."), variable("b")]],
            ),
            (
                "/f/{+path}",
                vec![vec![literal("f")], vec![Rest("path".to_owned())]],
            ),
            (
                "/f/{proxy+}",
                vec![vec![literal("f")], vec![Rest("proxy".to_owned())]],
            ),
        ] {
            assert_eq!(segments(path).ok(), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_path_that_is_no_path_is_refused() {
        for path in [
            "",
            "users",
            "https://evil.example/",
            "/a//b",
            "//",
            "/a//",
            "/a?b=c",
            "/a#b",
            "/{a",
        ] {
            assert!(segments(path).is_err(), "{path}");
        }
    }
}
