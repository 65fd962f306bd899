//! The name by which a request addresses this server.

use url::Url;

/// Returns the host of an authority, in canonical form and without the port.
pub(super) fn host_of(authority: &str) -> Option<String> {
    if authority.contains(['@', '/', '?', '#', '\\']) {
        return None;
    }
    Url::parse(&format!("http://{authority}/"))
        .ok()?
        .host_str()
        .map(String::from)
}
