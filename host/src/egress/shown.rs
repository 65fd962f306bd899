//! An address in a message.

use http::Uri;

/// Returns the address as messages show it: what was asked, without what may be secret. A query may
/// hold a key, and so may the part before `@`.
pub fn shown(url: &Uri) -> String {
    let scheme = url.scheme_str().map(|scheme| format!("{scheme}://"));
    let host = url.authority().map_or("", |authority| {
        let authority = authority.as_str();
        authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host)
    });
    let query = if url.query().is_some() { "?..." } else { "" };
    format!("{}{host}{}{query}", scheme.unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        for (url, text) in [
            ("https://idp.example/jwks", "https://idp.example/jwks"),
            ("https://idp.example:8443/a", "https://idp.example:8443/a"),
            ("https://idp.example", "https://idp.example/"),
            (
                "https://idp.example/a?key=s3cret",
                "https://idp.example/a?...",
            ),
            ("https://user:s3cret@idp.example/a", "https://idp.example/a"),
            ("http://s3cret@[::1]:80/a", "http://[::1]:80/a"),
            ("/a?b", "/a?..."),
        ] {
            let shown = url.parse().map(|url| shown(&url));
            assert_eq!(shown.as_deref().ok(), Some(text), "{url}");
        }
    }
}
