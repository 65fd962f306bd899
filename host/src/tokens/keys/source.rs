//! The source of a key set: a file, an address, or the issuer's metadata (RFC 8414, `OpenID`
//! Connect Discovery 1.0).

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bailiwick_journal::chain;
use http::{Request, StatusCode, Uri, header};
use http_body_util::Full;
use serde_json::{Map, Value};
use url::Url;

use crate::egress::{AddressPolicy, Client, PeerTls, Tls, shown};
use crate::json;
use crate::json::member::{self, IllTyped};
use crate::owned::{self, Trust};

/// The source of a key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The issuer's metadata names it.
    Discovered {
        /// The exact issuer.
        issuer: String,
        /// Private addresses that it may have.
        addresses: AddressPolicy,
        /// Whom the host believes to be it, and the certificate that it shows there.
        tls: PeerTls,
    },
    /// `jwks_uri`.
    Remote {
        /// The address of the set.
        url: Uri,
        /// Private addresses that it may have.
        addresses: AddressPolicy,
        /// Whom the host believes to be it, and the certificate that it shows there.
        tls: PeerTls,
    },
    /// `jwks_file`.
    File(KeyFile),
}

/// A file of keys. The keys decide who is admitted, so each read checks that only the owner can
/// write the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The path of the file.
    pub path: PathBuf,
    /// Further owners that the file may have.
    pub trust: Trust,
}

impl KeyFile {
    /// Returns the present bytes of the set.
    ///
    /// # Errors
    /// Fails if the file cannot be read, others could have written it, or it is too large.
    pub fn read(&self) -> Result<Vec<u8>, String> {
        let max = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
        let told = |error| format!("{}: {}", self.path.display(), chain(&error));
        owned::read_settings(&self.path, max, &self.trust).map_err(told)
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovered { issuer, .. } => write!(formatter, "the metadata of {issuer}"),
            Self::Remote { url, .. } => formatter.write_str(&shown(url)),
            Self::File(file) => file.path.display().fmt(formatter),
        }
    }
}

/// The bytes of a document, and where they are from, as messages show it.
pub(super) struct ReadSet {
    pub(super) bytes: Vec<u8>,
    pub(super) from: String,
}

/// A source with what is needed to read it.
pub(super) enum Fetch {
    Discovered { issuer: String, client: Client },
    Remote { url: Uri, client: Client },
    File(KeyFile),
}

impl Fetch {
    pub(super) fn new(source: KeySource, tls: &Tls) -> Self {
        match source {
            KeySource::Discovered {
                issuer,
                addresses,
                tls: peer,
            } => Self::Discovered {
                issuer,
                client: Client::new(&tls.of(&peer), addresses),
            },
            KeySource::Remote {
                url,
                addresses,
                tls: peer,
            } => Self::Remote {
                url,
                client: Client::new(&tls.of(&peer), addresses),
            },
            KeySource::File(file) => Self::File(file),
        }
    }

    /// Returns the present set.
    pub(super) async fn read(&self) -> Result<ReadSet, String> {
        match self {
            Self::File(file) => {
                let file = file.clone();
                let from = file.path.display().to_string();
                let read = tokio::task::spawn_blocking(move || file.read()).await;
                let bytes = read.unwrap_or_else(|_| Err(format!("{from} could not be read")))?;
                Ok(ReadSet { bytes, from })
            }
            Self::Remote { url, client } => get(client, url.clone()).await,
            Self::Discovered { issuer, client } => {
                get(client, discover(client, issuer).await?).await
            }
        }
    }
}

/// Asks the issuer for the address of its keys, at both well-known places.
async fn discover(client: &Client, issuer: &str) -> Result<Uri, String> {
    let mut refused = Vec::new();
    for place in well_known(issuer)? {
        let told = |ReadSet { bytes, from }| {
            jwks_uri(&bytes, issuer).map_err(|why| format!("{from}: {why}"))
        };
        match get(client, place).await.and_then(told) {
            Ok(uri) => return Ok(uri),
            Err(why) => refused.push(why),
        }
    }
    Err(format!(
        "its metadata does not say where its keys are ({}); compare `issuer` with the URL that the \
         provider states, or set jwks_uri",
        refused.join("; ")
    ))
}

/// Returns both well-known addresses: RFC 8414 §3.1 puts the well-known part before the issuer's
/// path, `OpenID` Connect after it.
fn well_known(issuer: &str) -> Result<[Uri; 2], String> {
    let url = Url::parse(issuer)
        .map_err(|_| "the issuer is not a URL; set jwks_uri or jwks_file".to_owned())?;
    let origin = url.origin().ascii_serialization();
    let path = url.path().trim_end_matches('/');
    let uri = |text: String| text.parse::<Uri>().map_err(|error| error.to_string());
    Ok([
        uri(format!(
            "{origin}/.well-known/oauth-authorization-server{path}"
        ))?,
        uri(format!("{origin}{path}/.well-known/openid-configuration"))?,
    ])
}

/// Asks an issuer for the token endpoint of clients that show a certificate
/// (`mtls_endpoint_aliases`, RFC 8705 §5), if its metadata can be had and names one.
pub(crate) async fn certificate_endpoint(client: &Client, issuer: &str) -> Option<Uri> {
    for place in well_known(issuer).ok()? {
        let read = get(client, place).await;
        if let Ok(found) = read.and_then(|read| aliased_endpoint(&read.bytes, issuer)) {
            return found;
        }
    }
    None
}

fn aliased_endpoint(document: &[u8], issuer: &str) -> Result<Option<Uri>, String> {
    let metadata = metadata(document, issuer)?;
    let told = |error: IllTyped| error.to_string();
    let aliases = member::object(&metadata, "mtls_endpoint_aliases").map_err(told)?;
    let endpoint = aliases.map(|aliases| member::text(aliases, "token_endpoint"));
    let endpoint = endpoint.transpose().map_err(told)?.flatten();
    let endpoint: Option<Uri> = endpoint.and_then(|uri| uri.parse().ok());
    Ok(endpoint.filter(|uri| uri.scheme_str() == Some("https")))
}

/// Returns the `jwks_uri` of the issuer's metadata.
pub(super) fn jwks_uri(document: &[u8], issuer: &str) -> Result<Uri, String> {
    let metadata = metadata(document, issuer)?;
    let uri: Uri = member::text(&metadata, "jwks_uri")
        .map_err(|error| error.to_string())?
        .and_then(|uri| uri.parse().ok())
        .ok_or("it has no jwks_uri")?;
    let tls = |text: Option<&str>| text == Some("https");
    if uri.host().is_none() || (!tls(uri.scheme_str()) && issuer.starts_with("https:")) {
        return Err("its jwks_uri is not https".into());
    }
    Ok(uri)
}

/// Returns the members of the issuer's metadata. The document must name exactly the issuer that was
/// asked (RFC 8414 §3.3).
fn metadata(document: &[u8], issuer: &str) -> Result<Map<String, Value>, String> {
    let told = |error: IllTyped| error.to_string();
    let document = json::parse(document, 16).map_err(|error| error.to_string())?;
    let metadata = member::members(&document, "the document").map_err(told)?;
    if member::text(metadata, "issuer").map_err(told)? != Some(issuer) {
        return Err("it names another issuer".into());
    }
    Ok(metadata.clone())
}

/// Gets a document. An error names the address that was asked.
async fn get(client: &Client, url: Uri) -> Result<ReadSet, String> {
    let from = format!("asked {}", shown(&url));
    match fetch(client, url).await {
        Ok(bytes) => Ok(ReadSet { bytes, from }),
        Err(why) => Err(format!("{from}: {why}")),
    }
}

async fn fetch(client: &Client, url: Uri) -> Result<Vec<u8>, String> {
    let request = Request::get(url)
        .header(header::ACCEPT, "application/json, application/jwk-set+json")
        .body(Full::default())
        .map_err(|error| error.to_string())?;
    let answer = client
        .send(request, FETCH_TIME, MAX_BYTES)
        .await
        .map_err(|error| chain(&error))?;
    if answer.status.is_redirection() {
        return Err(format!(
            "it answered {}, and the host follows no redirects",
            answer.status
        ));
    }
    if answer.status != StatusCode::OK {
        return Err(format!("it answered {}", answer.status));
    }
    Ok(answer.body.to_vec())
}

const FETCH_TIME: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_of_keys_that_others_could_have_written_is_refused_at_each_read() -> std::io::Result<()>
    {
        let folder = tempfile::tempdir()?;
        let file = KeyFile {
            path: folder.path().join("jwks.json"),
            trust: Trust::default(),
        };
        assert!(
            file.read()
                .is_err_and(|why| why.contains("it cannot be read"))
        );
        fs::write(&file.path, "{}")?;
        for (mode, good) in [(0o644, true), (0o666, false), (0o646, false), (0o600, true)] {
            fs::set_permissions(&file.path, Permissions::from_mode(mode))?;
            assert_eq!(file.read().is_ok(), good, "{mode:o}: {:?}", file.read());
        }
        fs::write(&file.path, " ".repeat(MAX_BYTES + 1))?;
        assert!(file.read().is_err_and(|why| why.contains("larger than")));
        Ok(())
    }

    #[test]
    fn metadata_is_looked_for_where_each_specification_puts_it() {
        let places = well_known("https://idp.example/realms/a")
            .map(|places| places.map(|uri| uri.to_string()));
        let expected = [
            "https://idp.example/.well-known/oauth-authorization-server/realms/a".to_owned(),
            "https://idp.example/realms/a/.well-known/openid-configuration".to_owned(),
        ];
        assert_eq!(places, Ok(expected));
    }

    #[test]
    fn metadata_of_another_issuer_or_without_tls_is_refused() {
        let issuer = "https://idp.example";
        for (document, accepted) in [
            (
                r#"{"issuer":"https://idp.example","jwks_uri":"https://keys.example/jwks"}"#,
                true,
            ),
            (
                r#"{"issuer":"https://idp.example/","jwks_uri":"https://keys.example/jwks"}"#,
                false,
            ),
            (
                r#"{"issuer":"https://evil.example","jwks_uri":"https://keys.example/jwks"}"#,
                false,
            ),
            (
                r#"{"issuer":"https://idp.example","jwks_uri":"http://keys.example/jwks"}"#,
                false,
            ),
            (
                r#"{"issuer":"https://idp.example","jwks_uri":"/jwks"}"#,
                false,
            ),
            (r#"{"issuer":"https://idp.example"}"#, false),
            (
                r#"{"issuer":["https://idp.example"],"jwks_uri":"https://keys.example/jwks"}"#,
                false,
            ),
            (
                r#"{"issuer":"https://idp.example","jwks_uri":["https://keys.example/jwks"]}"#,
                false,
            ),
            (
                r#"{"issuer":"https://idp.example","issuer":"x","jwks_uri":"https://keys.example/jwks"}"#,
                false,
            ),
            ("<html>", false),
        ] {
            assert_eq!(
                jwks_uri(document.as_bytes(), issuer).is_ok(),
                accepted,
                "{document}"
            );
        }
    }
}
