//! The interactive login: a client sends its user's browser here and gets tokens (RFC 6749 §4.1)
//! with PKCE (RFC 7636), for one resource (RFC 8707), and renews them.
//!
//! A client registers itself (RFC 7591), or its identifier is the URL of a document about it. The
//! user presses the button with a name and gives no password: whoever can open the page is whoever
//! they say. The page therefore answers only under the issuer's own address, which is on loopback.
//!
//! Invariant: nothing is sent to a redirect URI that the client did not register, and a request, a
//! code and a refresh token are each good once.

mod authorize;
mod clients;
mod cors;
mod documents;
mod grants;
mod kept;
mod metadata;
mod page;
mod redirects;
mod registration;
#[cfg(test)]
mod tests;

pub(super) use grants::{AUTHORIZATION_CODE, REFRESH_TOKEN, token};

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};

use super::State;
use crate::http::{Answer, Request};
use authorize::Asked;
use clients::Client;
use grants::{Code, Family};
use kept::Kept;

/// The state of all logins.
pub(super) struct Logins(Mutex<Inner>);

struct Inner {
    clients: Kept<Client>,
    requests: Kept<Asked>,
    codes: Kept<Code>,
    families: Kept<Family>,
    /// The scopes of each resource that tokens are given for.
    resources: BTreeMap<String, Vec<String>>,
}

impl Logins {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner {
            clients: Kept::new(256, u64::MAX),
            requests: Kept::new(256, 600),
            codes: Kept::new(256, 60),
            families: Kept::new(1024, 30 * 24 * 3600),
            resources: BTreeMap::new(),
        }))
    }

    /// Gives tokens for a resource with these scopes from now on.
    pub(super) fn offer(&self, resource: &str, scopes: &[&str]) {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.lock().resources.insert(resource.to_owned(), scopes);
    }

    /// Returns every resource with its scopes.
    pub(super) fn resources(&self) -> BTreeMap<String, Vec<String>> {
        self.lock().resources.clone()
    }

    /// Returns the named resource, or the only one, with its scopes; `None` if tokens are not given
    /// for it.
    pub(super) fn resource(&self, named: Option<&str>) -> Option<(String, Vec<String>)> {
        let resources = self.resources();
        let mut entries = resources.into_iter();
        match named {
            Some(named) => entries.find(|(resource, _)| resource == named),
            None => entries.next().filter(|_| entries.next().is_none()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers the requests of this module but those of the token endpoint, and refuses those of
/// strangers' pages; `None` for all others.
pub(super) async fn answer(state: &State, request: &Request) -> Option<Answer> {
    if request.method == Method::OPTIONS {
        return cors::preflight(request);
    }
    if let Some(refusal) = cors::refusal(state, request) {
        return Some(refusal);
    }
    let answer = match (&request.method, request.path.as_str()) {
        (&Method::GET, "/") => own(state, request, |_| page::index(state)),
        (&Method::GET, page::STYLE_PATH) => page::style(),
        (&Method::GET, "/authorize") => match elsewhere(state, request) {
            Some(refusal) => refusal,
            None => authorize::ask(state, request).await,
        },
        (&Method::POST, "/authorize") => {
            own(state, request, |request| authorize::decide(state, request))
        }
        (&Method::POST, "/register") => own(state, request, |request| {
            registration::register(state, request)
        }),
        (&Method::GET, metadata::RFC8414 | metadata::OPENID) => {
            Answer::json(StatusCode::OK, &metadata::of(state))
        }
        _ => return None,
    };
    Some(answer)
}

/// Lets pages that may read an answer read it.
pub(super) fn shared(request: &Request, answer: Answer) -> Answer {
    cors::shared(request, answer)
}

fn own(state: &State, request: &Request, answer: impl FnOnce(&Request) -> Answer) -> Answer {
    elsewhere(state, request).unwrap_or_else(|| answer(request))
}

/// Refuses a request under another name than the issuer's: a page of a stranger, whose name was
/// made to point here, could read the answer.
fn elsewhere(state: &State, request: &Request) -> Option<Answer> {
    let own = state.url.strip_prefix("http://");
    (request.header("host") != own).then(|| {
        let told = format!("this issuer is {}\n", state.url);
        Answer::new(StatusCode::MISDIRECTED_REQUEST, "text/plain", told)
    })
}
