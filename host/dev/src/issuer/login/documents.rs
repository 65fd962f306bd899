//! Client-id metadata documents (draft-ietf-oauth-client-id-metadata-document): the identifier of a
//! client is the `https` URL of a document about it; here `http` on loopback, too.
//!
//! Trusts the certificates that the system trusts, and any address: whoever opens the login here
//! could fetch the same. Invariant: a document is fetched without
//! redirects, cookies and proxies, within five seconds and 16 KiB, and nothing of it is shown but
//! what [`Metadata`] takes.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use http::header::ACCEPT;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;
use serde_json::{Map, Value};
use url::Url;

use super::clients::{Client, Metadata};
use super::redirects::is_loopback;

/// The longest identifier, in bytes.
const LONGEST: usize = 512;

/// The largest document, in bytes.
const LARGEST: usize = 1 << 14;

/// The longest time for the whole exchange.
const DEADLINE: Duration = Duration::from_secs(5);

/// Returns true if an identifier is the URL of a document: spelled as a browser would, with a path,
/// without user, query and fragment.
pub(super) fn is_url(id: &str) -> bool {
    let Ok(url) = Url::parse(id) else {
        return false;
    };
    let secure = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
    let bare = url.username().is_empty() && url.password().is_none();
    let plain = url.query().is_none() && url.fragment().is_none() && url.path() != "/";
    secure && bare && plain && url.as_str() == id && id.len() <= LONGEST
}

/// Fetches the document of a client and reads it.
///
/// # Errors
/// There is no such document, or it is not about this client.
pub(super) async fn client(id: &str) -> anyhow::Result<Client> {
    let document = tokio::time::timeout(DEADLINE, fetch(id)).await;
    let document = document.context("it did not come within 5 s")??;
    read(id, &document)
}

fn read(id: &str, document: &Map<String, Value>) -> anyhow::Result<Client> {
    let named = document.get("client_id").and_then(Value::as_str);
    ensure!(named == Some(id), "its client_id is not its own URL");
    ensure!(
        !document.contains_key("client_secret"),
        "it has a client_secret, which everyone can read"
    );
    let metadata = match Metadata::read(document) {
        Ok(metadata) => metadata,
        Err(refusal) => bail!("{}: {}", refusal.0, refusal.1),
    };
    ensure!(
        metadata
            .method
            .as_deref()
            .is_none_or(|method| method == "none"),
        "its token_endpoint_auth_method is not none"
    );
    Ok(Client {
        id: id.to_owned(),
        secret: None,
        metadata,
    })
}

async fn fetch(id: &str) -> anyhow::Result<Map<String, Value>> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(provider)
        .context("the system has no certificates")?
        .https_or_http()
        .enable_http1()
        .build();
    let client = HttpClient::builder(TokioExecutor::new()).build(connector);
    let request = http::Request::get(id)
        .header(ACCEPT, "application/json")
        .body(Empty::<Bytes>::new())?;
    let answer = client
        .request(request)
        .await
        .context("it cannot be fetched")?;
    ensure!(
        answer.status() == http::StatusCode::OK,
        "it is answered with {}",
        answer.status()
    );
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    let body = body.map_err(|_| anyhow::anyhow!("it is longer than 16 KiB, or was cut"))?;
    serde_json::from_slice(&body.to_bytes()).context("it is not a JSON object")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_the_url_of_a_document_only_in_one_spelling() {
        for (id, expected) in [
            ("https://app.example/client.json", true),
            ("https://app.example:8443/client.json", true),
            ("https://app.example:443/client.json", false),
            ("https://app.example/", false),
            ("https://app.example", false),
            ("https://app.example/a/../client.json", false),
            ("https://APP.example/client.json", false),
            ("https://user@app.example/client.json", false),
            ("https://app.example/client.json?x", false),
            ("https://app.example/client.json#x", false),
            ("http://app.example/client.json", false),
            ("http://127.0.0.1:8080/client.json", true),
            ("http://localhost/client.json", true),
            ("ftp://app.example/client.json", false),
            ("a-client", false),
        ] {
            assert_eq!(is_url(id), expected, "{id}");
        }
    }
}
