//! The roots of this machine.

use anyhow::Context as _;
use rustls::RootCertStore;

use super::trust::Tls;

/// Sets up TLS with the roots of this machine's trust store.
///
/// # Errors
/// Fails if TLS cannot be set up.
pub fn tls() -> anyhow::Result<Tls> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in native.errors {
        tracing::warn!(cause = %error, "a root certificate of this machine could not be read");
    }
    let (_, unusable) = roots.add_parsable_certificates(native.certs);
    if unusable > 0 {
        tracing::warn!(
            count = unusable,
            "some root certificates of this machine are not usable"
        );
    }
    if roots.is_empty() {
        tracing::warn!(
            "this machine has no root certificates: nothing can be reached by https (install \
             ca-certificates)"
        );
    }
    Tls::new(roots).context("TLS cannot be set up")
}
