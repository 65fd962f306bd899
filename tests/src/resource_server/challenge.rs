//! Challenges: what `WWW-Authenticate` says (RFC 9110 §11.6.1, RFC 6750 §3).

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

/// The parameters of the `Bearer` challenge, by lower-case name.
pub(super) type Parameters = BTreeMap<String, String>;

/// Returns the `Bearer` challenge of an answer, if there is one that can be read.
pub(super) fn bearer(headers: &HeaderMap) -> Option<Parameters> {
    let mut values = headers.get_all(WWW_AUTHENTICATE).iter();
    values.find_map(|value| read(value.to_str().ok()?))
}

/// Reads the first `Bearer` challenge of a value that may have others before and after it.
fn read(value: &str) -> Option<Parameters> {
    let mut pieces = pieces(value).into_iter();
    let first = loop {
        let piece = pieces.next()?;
        let (scheme, rest) = piece.split_once(' ').unwrap_or((&piece, ""));
        if scheme.eq_ignore_ascii_case("bearer") {
            break rest.to_owned();
        }
    };
    let mut parameters = Parameters::new();
    for (index, piece) in [first].into_iter().chain(pieces).enumerate() {
        let piece = piece.trim();
        if piece.is_empty() {
            continue;
        }
        let (name, value) = match piece.split_once('=') {
            Some(parameter) => parameter,
            None if index == 0 => return None,
            // The next challenge begins, and has no parameters.
            None => break,
        };
        if name.trim().contains(' ') {
            // The next challenge begins.
            break;
        }
        let repeated = parameters.insert(name.trim().to_ascii_lowercase(), unquoted(value.trim()));
        if repeated.is_some() {
            return None;
        }
    }
    Some(parameters)
}

/// Splits at commas that are not quoted.
fn pieces(value: &str) -> Vec<String> {
    let (mut pieces, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for character in value.chars() {
        if character == ',' && !quoted {
            pieces.push(String::new());
            continue;
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = character == '\\' && quoted && !escaped;
        if let Some(last) = pieces.last_mut() {
            last.push(character);
        }
    }
    pieces
        .into_iter()
        .map(|piece| piece.trim().to_owned())
        .collect()
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.to_owned();
    };
    let (mut text, mut escaped) = (String::new(), false);
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_challenge_is_read_among_others_and_with_commas_in_quotes() {
        for (value, name, expected) in [
            (r#"Bearer error="a, b", scope="x y""#, "error", Some("a, b")),
            (r#"Bearer error="a, b", scope="x y""#, "scope", Some("x y")),
            (r#"Basic realm="r", bearer scope=x"#, "scope", Some("x")),
            (r#"Bearer scope="x", DPoP algs="ES256""#, "algs", None),
            (r#"Bearer scope="x", Negotiate"#, "scope", Some("x")),
            (r#"Bearer scope="x", Negotiate YQ=="#, "scope", Some("x")),
            (r#"Bearer realm="a \"b\"""#, "realm", Some("a \"b\"")),
            ("Bearer", "error", None),
        ] {
            let parameters = read(value).unwrap_or_default();
            assert_eq!(
                parameters.get(name).map(String::as_str),
                expected,
                "{value}"
            );
        }
        for value in [
            "Basic realm=\"Bearer\"",
            "",
            "Bearer a=1, a=2",
            "Bearer x, y=1",
        ] {
            assert!(read(value).is_none(), "{value}");
        }
        assert!(read("Bearer").is_some());
    }
}
