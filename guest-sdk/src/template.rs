//! The URIs of families: RFC 6570 level 1.

use std::fmt::Write as _;

/// Returns the URI of a member: the template with these values in place of its variables. A
/// variable without a value becomes nothing (RFC 6570 §3.2.1).
pub(crate) fn expand<'v>(template: &str, value_of: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut pieces = template.split('{');
    let mut uri = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        write_encoded(&mut uri, value_of(name).unwrap_or_default());
        uri.push_str(rest);
    }
    uri
}

/// Writes a value with everything but unreserved characters percent-encoded (RFC 3986 §2.3).
fn write_encoded(uri: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _always = write!(uri, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn a_value_stays_within_its_segment() {
        let of = |template, value| expand(template, |name| (name == "id").then_some(value));
        assert_eq!(of("orders://terms", "7"), "orders://terms");
        assert_eq!(of("orders://orders/{id}.md", "7"), "orders://orders/7.md");
        assert_eq!(of("orders://{id}/x", "a/b ü"), "orders://a%2Fb%20%C3%BC/x");
        assert_eq!(of("orders://{other}/{id}", "7"), "orders:///7");
    }
}
