//! Client identifiers that are URLs (draft-ietf-oauth-client-id-metadata-document §3).
//!
//! The host never fetches the document: the authorization server did when it registered the client.
//! Here the URL is a name, of which one spelling counts, and its origin is what an operator can
//! decide by.

use url::Url;

/// Returns true if `text` is the URL of a client-id metadata document.
pub(super) fn is_document(text: &str) -> bool {
    origin(text).is_some()
}

/// Returns the origin of a client whose identifier is the URL of its metadata document, such as
/// `https://agents.example` for `https://agents.example/robin.json`.
///
/// The URL is `https` with a host and a path, without user and fragment, and written as any URL
/// library writes it, so no two spellings name one client.
pub(crate) fn origin(text: &str) -> Option<String> {
    let short = text.len() <= MAX_URL && text.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(text).ok().filter(|url| {
        url.scheme() == "https"
            && url.as_str() == text
            && url.path() != "/"
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    });
    url.filter(|_| short)
        .map(|url| url.origin().ascii_serialization())
}

const MAX_URL: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_be_the_url_of_its_document_in_one_spelling() {
        let longest = format!("https://a.example/{}", "p".repeat(2048 - 18));
        for (text, expected) in [
            (
                "https://agents.example/robin.json",
                Some("https://agents.example"),
            ),
            (
                "https://agents.example:8443/robin?v=1",
                Some("https://agents.example:8443"),
            ),
            (&longest, Some("https://a.example")),
            (&format!("{longest}p"), None),
            ("https://agents.example", None),
            ("https://agents.example/", None),
            ("http://agents.example/robin.json", None),
            ("https://AGENTS.example/robin.json", None),
            ("https://agents.example:443/robin.json", None),
            ("https://agents.example/a/../robin.json", None),
            ("https://user@agents.example/robin.json", None),
            ("https://agents.example/robin.json#a", None),
            ("https://agents.example/robin json", None),
            ("https://agents.example@evil.example/robin.json", None),
            ("https://agents.ex\u{e4}mple/robin.json", None),
            ("robin", None),
        ] {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        }
    }
}
