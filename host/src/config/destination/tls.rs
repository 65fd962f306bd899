//! `roots_file`, `client_certificate_file`, `client_key_file`: whom the host believes at one
//! destination, and what it proves itself with there.

use bailiwick_journal::chain;

use crate::config::reader::Section;
use crate::egress::PeerTls;

/// Reads what is peculiar to the TLS of the destinations of a section.
pub(in crate::config) fn peer_tls(section: &Section<'_>) -> PeerTls {
    let mut peer = PeerTls::default();
    if let Some(roots) = certificates(section, "roots_file")
        && let Err(error) = peer.set_roots(roots.as_bytes())
    {
        section.wrong("roots_file", &chain(&error));
    }
    identity(section, &mut peer);
    peer
}

/// Reads the host's certificate and its key.
fn identity(section: &Section<'_>, peer: &mut PeerTls) {
    let (own, key) = ("client_certificate_file", "client_key_file");
    match (section.has(own), section.has(key)) {
        (true, false) => section.wrong(own, "set client_key_file too, which holds its key"),
        (false, true) => section.wrong(
            key,
            "set client_certificate_file too, which holds the certificate of the key",
        ),
        (true, true) => {
            if let (Some(certificates), Some(key)) =
                (certificates(section, own), section.secret_bytes(key))
                && let Err(error) = peer.set_identity(certificates.as_bytes(), &key)
            {
                section.wrong(own, &chain(&error));
            }
        }
        (false, false) => {}
    }
}

/// Reads the file of certificates that a key names.
pub(in crate::config) fn certificates(section: &Section<'_>, key: &str) -> Option<String> {
    let path = section.beside(&section.text(key)?);
    section.settings(key, &path)
}
