//! The protected-resource metadata, and the way to it.

use anyhow::{Context as _, Result, ensure};
use http::Method;
use serde_json::Value;
use url::Url;

use crate::resource_server::case::{Case, Outcome};
use crate::resource_server::suite::Suite;
use crate::resource_server::wire::Ask;

pub(super) async fn run(suite: &mut Suite<'_>) -> Result<()> {
    let answer = suite.send(CHALLENGE, suite.probe.ask()).await?;
    let named = answer.parameter("resource_metadata");
    let challenge = Outcome::of(Url::parse(&named).is_ok(), || {
        format!(
            "expected resource_metadata with a URL, came {}",
            answer.told()
        )
    });
    suite.note(CHALLENGE, challenge);

    let known = well_known(&suite.url);
    let at_known = document(suite, WELL_KNOWN, &known).await;
    let at_named = match Url::parse(&named) {
        Ok(named) => document(suite, METADATA, &named).await,
        // A client without the challenge falls back to the well-known place.
        Err(_) => document(suite, METADATA, &known).await,
    };
    let same = match (&at_named, &at_known) {
        (Ok(named), Ok(known)) => Outcome::of(named == known, || {
            "expected the document that the challenge names, came another".to_owned()
        }),
        (_, Err(why)) => Outcome::Failed(format!("{known}: {why:#}")),
        (Err(_), Ok(_)) => Outcome::Passed,
    };
    suite.note(WELL_KNOWN, same);
    match at_named {
        Ok(metadata) => {
            suite.note(METADATA, Outcome::Passed);
            contents(suite, &metadata).await
        }
        Err(why) => {
            suite.note(METADATA, Outcome::Failed(format!("{why:#}")));
            for case in [RESOURCE, SERVERS, ISSUER, METHODS, OFFLINE, SERVER_METADATA] {
                suite.note(case, Outcome::NotTried("there is no metadata".to_owned()));
            }
            Ok(())
        }
    }
}

async fn contents(suite: &mut Suite<'_>, metadata: &Value) -> Result<()> {
    let resource = metadata.get("resource").and_then(Value::as_str);
    let expected = suite.target.url.clone();
    let resource = Outcome::of(resource == Some(&expected), || {
        format!("expected {expected:?}, came {resource:?}")
    });
    suite.note(RESOURCE, resource);

    let servers = texts(metadata, "authorization_servers");
    let good = !servers.is_empty() && servers.iter().all(|server| is_issuer(server));
    let outcome = Outcome::of(good, || {
        format!(
            "expected https URLs or those of loopback, without query and fragment, came {servers:?}"
        )
    });
    suite.note(SERVERS, outcome);

    let outcome = match &suite.jwt {
        None => Outcome::NotTried("the good token is no JWT".to_owned()),
        Some(jwt) => {
            let issuer = jwt.text("iss");
            Outcome::of(servers.iter().any(|server| server == issuer), || {
                format!("expected {issuer:?} of the good token among {servers:?}")
            })
        }
    };
    suite.note(ISSUER, outcome);

    let methods = texts(metadata, "bearer_methods_supported");
    let header_alone = methods.iter().all(|method| method == "header");
    let outcome = Outcome::of(header_alone, || {
        format!("expected header alone, came {methods:?}")
    });
    suite.note(METHODS, outcome);

    let scopes = texts(metadata, "scopes_supported");
    let outcome = Outcome::of(
        !scopes.iter().any(|scope| scope == "offline_access"),
        || {
            "expected no offline_access, which is between client and authorization server"
                .to_owned()
        },
    );
    suite.note(OFFLINE, outcome);

    let mut outcome = Outcome::NotTried("no authorization server is named".to_owned());
    for server in &servers {
        outcome = match discovers(suite, server).await {
            Ok(()) => Outcome::Passed,
            Err(why) => Outcome::Failed(format!("{server}: {why:#}")),
        };
        if outcome != Outcome::Passed {
            break;
        }
    }
    suite.note(SERVER_METADATA, outcome);
    Ok(())
}

/// Fetches a document as a client without a token does.
async fn document(suite: &mut Suite<'_>, case: Case, url: &Url) -> Result<Value> {
    let ask = Ask::new(Method::GET, url.clone()).header("accept", "application/json")?;
    let answer = suite.send(case, ask).await?;
    let status = answer.status.as_u16();
    ensure!(status == 200, "expected 200, came {status}");
    let kind = answer.header("content-type").to_ascii_lowercase();
    ensure!(
        kind.starts_with("application/json"),
        "expected application/json, came {kind:?}"
    );
    let document: Value = serde_json::from_str(&answer.body).context("expected JSON")?;
    ensure!(document.is_object(), "expected an object");
    Ok(document)
}

/// Finds an authorization server's own metadata, in one of the three places (RFC 8414 §3.1).
async fn discovers(suite: &mut Suite<'_>, issuer: &str) -> Result<()> {
    let url = Url::parse(issuer)?;
    let path = url.path().trim_end_matches('/').to_owned();
    let places = [
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
        format!("{path}/.well-known/openid-configuration"),
    ];
    let mut found = None;
    for place in places {
        let mut at = url.clone();
        at.set_path(&place);
        found = document(suite, SERVER_METADATA, &at).await.ok();
        if found.is_some() {
            break;
        }
    }
    let found = found.context("expected metadata in a well-known place, came none")?;
    let named = found.get("issuer").and_then(Value::as_str);
    ensure!(
        named == Some(issuer),
        "expected this issuer, came {named:?}"
    );
    Ok(())
}

/// Returns the place of the metadata: the well-known name before the resource's path.
fn well_known(resource: &Url) -> Url {
    let mut url = resource.clone();
    let path = resource.path().trim_end_matches('/');
    url.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
    url.set_fragment(None);
    url
}

/// Returns true for an issuer identifier (RFC 8414 §2); plain HTTP only on loopback.
fn is_issuer(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    secure && url.query().is_none() && url.fragment().is_none()
}

/// Returns true if a URL is of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn texts(metadata: &Value, member: &str) -> Vec<String> {
    let list = metadata.get(member).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

const CHALLENGE: Case = Case::should(
    "the 401 says where the metadata are",
    "RFC 9728 §5.1; MCP Authorization, Protected Resource Metadata Discovery Requirements",
);
const METADATA: Case = Case::must(
    "the metadata are JSON that anyone may fetch",
    "RFC 9728 §3.1, §3.2; MCP Authorization, Authorization Server Location",
);
const WELL_KNOWN: Case = Case::should(
    "the metadata are also at the well-known place of the resource's path",
    "RFC 9728 §3.1",
);
const RESOURCE: Case = Case::must(
    "the metadata's resource is the URL that clients use, to the letter",
    "RFC 9728 §3.3",
);
const SERVERS: Case = Case::must(
    "the metadata name authorization servers by https, or by http on loopback",
    "MCP Authorization, Authorization Server Location, Communication Security; RFC 8414 §2",
);
const ISSUER: Case = Case::should(
    "the metadata name the issuer of the good token",
    "RFC 9728 §2 (authorization_servers)",
);
const METHODS: Case = Case::must(
    "the metadata offer no other way for a token than the header",
    "MCP Authorization, Token Requirements; RFC 9728 §2 (bearer_methods_supported)",
);
const OFFLINE: Case = Case::should(
    "the metadata do not ask for offline_access",
    "MCP Authorization 2026-07-28, Refresh Tokens (SEP-2207)",
);
const SERVER_METADATA: Case = Case::must(
    "each authorization server that is named can be found and calls itself by that name",
    "MCP Authorization, Authorization Server Metadata Discovery; RFC 8414 §3.3",
);
