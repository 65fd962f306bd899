//! The host as a client of an authorization server: where it asks, and what it proves its identity
//! with. The same keys serve `auth`, `exchange` and `introspection`.

use bailiwick_journal::chain;

use super::destination::{addresses, certificates, dialled, peer_tls};
use super::reader::Section;
use crate::egress::{PeerTls, thumbprint};
use crate::tokens::{
    AssertionAudience, AssertionFile, AssertionKey, AssertionKeyName, AssertionKind, ClientProof,
    ClientSettings,
};

/// Reads the host's client at the endpoint that `key` names. `issuer` is the authorization server,
/// where the section says so.
pub(super) fn client(
    section: &Section<'_>,
    key: &str,
    issuer: Option<&str>,
) -> Option<ClientSettings> {
    if !section.has(key) {
        section.problem(section.start, format!("{} is missing", section.name(key)));
    }
    let client_id = section.required("client_id");
    let addresses = addresses(section);
    let endpoint = dialled(section, key, &addresses);
    let tls = peer_tls(section);
    let proof = proof(section, issuer, section.text(key).as_deref(), &tls);
    if matches!(proof, Some(ClientProof::Certificate(_)))
        && endpoint
            .as_ref()
            .is_some_and(|url| url.scheme_str() == Some("http"))
    {
        section.wrong(key, "no certificate is shown over plain http; use https");
    }
    let settings = ClientSettings::new(endpoint?, addresses, client_id?, proof?);
    Some(settings.with_tls(tls))
}

/// Reads `client_auth`, whose names are those of RFC 8414 and, for a file, one of this host.
fn proof(
    section: &Section<'_>,
    issuer: Option<&str>,
    endpoint: Option<&str>,
    tls: &PeerTls,
) -> Option<ClientProof> {
    match section.text("client_auth").as_deref() {
        None | Some("client_secret_basic") => {
            let secret = section.secret("client_secret_file")?;
            Some(ClientProof::SecretBasic(secret))
        }
        Some("client_secret_post") => {
            let secret = section.secret("client_secret_file")?;
            Some(ClientProof::SecretPost(secret))
        }
        Some("private_key_jwt") => {
            let audience = audience(section, issuer, endpoint);
            assertion_key(section, audience).map(ClientProof::PrivateKeyJwt)
        }
        Some("assertion_file") => assertion_file(section).map(ClientProof::AssertionFile),
        Some("tls_client_auth" | "self_signed_tls_client_auth") => certificate(section, tls),
        Some(_) => {
            section.wrong(
                "client_auth",
                "expected \"client_secret_basic\", \"client_secret_post\", \"private_key_jwt\", \
                 \"assertion_file\", \"tls_client_auth\" or \"self_signed_tls_client_auth\"",
            );
            None
        }
    }
}

/// Returns the proof that is the certificate of the connection. Whether an authority vouches for it
/// is a matter between the authorization server and its operator (RFC 8705 §2.1, §2.2).
fn certificate(section: &Section<'_>, tls: &PeerTls) -> Option<ClientProof> {
    let (own, key) = ("client_certificate_file", "client_key_file");
    if !section.has(own) && !section.has(key) {
        let why = "it is missing: set the file of the host's certificate, and client_key_file";
        section.wrong(own, why);
    }
    tls.identity().map(ClientProof::Certificate)
}

/// Reads the one audience of an assertion: by default the authorization server, where its issuer
/// identifier is known.
fn audience(
    section: &Section<'_>,
    issuer: Option<&str>,
    endpoint: Option<&str>,
) -> Option<AssertionAudience> {
    let named = section.text("client_assertion_audience");
    let Some(audience) = named.or_else(|| issuer.map(str::to_owned)) else {
        section.wrong(
            "client_assertion_audience",
            "it is missing: set the authorization server's issuer identifier, or its token \
             endpoint if it knows only that",
        );
        return None;
    };
    if endpoint == Some(audience.as_str()) {
        Some(AssertionAudience::Endpoint(audience))
    } else {
        Some(AssertionAudience::Issuer(audience))
    }
}

/// Reads the key with which the host signs assertions, and how they name it.
fn assertion_key(
    section: &Section<'_>,
    audience: Option<AssertionAudience>,
) -> Option<AssertionKey> {
    let (certificate, key) = (
        "client_assertion_certificate_file",
        "client_assertion_key_file",
    );
    let id = section.text("client_assertion_key_id");
    let text = certificates(section, certificate);
    let pem = section.secret_bytes(key)?;
    let print = text.map(|text| thumbprint(text.as_bytes(), &pem));
    let name = AssertionKeyName {
        id,
        thumbprint: print
            .as_ref()
            .and_then(|print| print.as_ref().ok().copied()),
    };
    let wrong = |error: &_| section.wrong(key, &format!("{error}"));
    let signs = AssertionKey::from_pem(&pem, name, audience?).inspect_err(wrong);
    let signs = signs.ok()?;
    if let Some(Err(error)) = print {
        section.wrong(certificate, &chain(&error));
    }
    Some(signs)
}

/// Reads the file of an assertion. It is read once now, so that a mistake is known, and again for
/// each request.
fn assertion_file(section: &Section<'_>) -> Option<AssertionFile> {
    let kind = match section.text("client_assertion_type").as_deref() {
        None | Some("jwt-bearer") => AssertionKind::Jwt,
        Some("jwt-spiffe") => AssertionKind::Spiffe,
        Some(_) => {
            let why = "expected \"jwt-bearer\" or \"jwt-spiffe\"";
            section.wrong("client_assertion_type", why);
            AssertionKind::Jwt
        }
    };
    let file = AssertionFile {
        path: section.beside(&section.required("client_assertion_file")?),
        trust: section.trust(),
        kind,
    };
    if let Err(cause) = file.read() {
        let why = format!("{}: {cause}", file.path.display());
        section.wrong("client_assertion_file", &why);
    }
    Some(file)
}
