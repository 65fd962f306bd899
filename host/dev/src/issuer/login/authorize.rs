//! The authorization endpoint (RFC 6749 §4.1.1, §4.1.2): a request becomes a page, and a button of
//! the page becomes a code.
//!
//! Trusts nothing of a request until client and redirect URI are known to belong together; until
//! then a mistake is a page for the user (RFC 6749 §4.1.2.1).

use http::StatusCode;

use super::super::State;
use super::super::exchange::{Form, Refusal};
use super::clients::Client;
use super::grants::{self, Code, Grant};
use super::{documents, page, redirects};
use crate::clock::{fresh_id, now};
use crate::http::{Answer, Request};

/// A request that waits for its user.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) client: Client,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    pub(super) resource: String,
    /// The scopes that it asks for, as far as the resource has them.
    pub(super) scopes: Vec<String>,
    /// The others that it asks for.
    pub(super) unknown: Vec<String>,
}

/// Answers `GET /authorize`: a page with a button for each user.
pub(super) async fn ask(state: &State, request: &Request) -> Answer {
    if !is_looked_at(request) {
        return page::refusal("A login is a page that a person opens.");
    }
    let query = Form(request.query());
    let (client, redirect_uri) = match sender(state, &query).await {
        Ok(sender) => sender,
        Err(why) => return page::refusal(&why),
    };
    let answer_state = query.get("state").ok().flatten().map(str::to_owned);
    let back = |refusal| refused(state, &redirect_uri, answer_state.as_deref(), refusal);
    let asked = match asked(state, client, &redirect_uri, &query) {
        Ok(asked) => asked,
        Err(refusal) => return back(refusal),
    };
    let Ok(id) = fresh_id() else {
        return back(Refusal("server_error", "no randomness"));
    };
    let answer = page::login(state, &id, &asked);
    state.logins.lock().requests.put(id, asked, now());
    answer
}

/// Returns the client, and the redirect URI of the request if the client registered it.
async fn sender(state: &State, query: &Form) -> Result<(Client, String), String> {
    let text = |name: &str| match query.get(name) {
        Ok(Some(value)) => Ok(value.to_owned()),
        _ => Err(format!("The request needs {name}, once.")),
    };
    let id = text("client_id")?;
    let known = state.logins.lock().clients.get(&id, now()).cloned();
    let client = match known {
        Some(client) => client,
        None if documents::is_url(&id) => documents::client(&id)
            .await
            .map_err(|error| format!("The client's document {id} is of no use: {error:#}."))?,
        None => {
            return Err(format!(
                "No client {id} is registered. This issuer forgets clients when it ends: remove \
                 the login in your client, and connect again."
            ));
        }
    };
    let asked = text("redirect_uri")?;
    let mut uris = client.metadata.redirect_uris.iter();
    if uris.any(|registered| redirects::is_same(registered, &asked)) {
        return Ok((client, asked));
    }
    Err(format!(
        "The client did not register {asked}, so nothing is sent there."
    ))
}

fn asked(
    state: &State,
    client: Client,
    redirect_uri: &str,
    query: &Form,
) -> Result<Asked, Refusal> {
    if query.required("response_type")? != "code" {
        return Err(Refusal("unsupported_response_type", "only code is here"));
    }
    if query.get("code_challenge_method")? != Some("S256") {
        return Err(Refusal("invalid_request", "PKCE with S256 is required"));
    }
    let challenge = query.required("code_challenge")?.to_owned();
    if !grants::is_challenge(&challenge) {
        return Err(Refusal("invalid_request", "not a code_challenge of S256"));
    }
    let (resource, offered) = state
        .logins
        .resource(query.get("resource")?)
        .ok_or(Refusal(
            "invalid_target",
            "no tokens are given for this resource",
        ))?;
    let wanted = query.scopes()?;
    let (scopes, unknown) = if wanted.is_empty() {
        (offered, Vec::new())
    } else {
        wanted
            .into_iter()
            .partition(|scope| offered.contains(scope))
    };
    Ok(Asked {
        client,
        redirect_uri: redirect_uri.to_owned(),
        state: query.get("state")?.map(str::to_owned),
        challenge,
        resource,
        scopes,
        unknown,
    })
}

/// Answers `POST /authorize`: the button that a user pressed.
pub(super) fn decide(state: &State, request: &Request) -> Answer {
    if !is_from_own_page(state, request) {
        return page::refusal("Only this issuer's own page can log someone in.");
    }
    let form = Form(request.form());
    let asked = match form.get("request") {
        Ok(Some(id)) => state.logins.lock().requests.take(id, now()),
        _ => None,
    };
    let Some(asked) = asked else {
        return page::refusal(
            "This page was used already, or is older than ten minutes. Start again in your client.",
        );
    };
    let user = match (form.get("cancel"), form.get("user")) {
        (Ok(None), Ok(Some(user))) => state.directory.user(user),
        (Ok(Some(_)), _) => {
            let denied = Refusal("access_denied", "the user said no");
            return refused(state, &asked.redirect_uri, asked.state.as_deref(), denied);
        }
        _ => None,
    };
    let Some(user) = user else {
        return page::refusal("There is no such user here.");
    };
    let ticked = |scope: &&String| {
        let field = ("scope".to_owned(), (*scope).clone());
        form.0.contains(&field) && user.may_be_granted(scope)
    };
    let grant = Grant {
        client_id: asked.client.id.clone(),
        sub: user.sub.clone(),
        resource: asked.resource.clone(),
        scopes: asked.scopes.iter().filter(ticked).cloned().collect(),
    };
    let Ok(code) = fresh_id() else {
        return page::refusal("There is no randomness.");
    };
    let (uri, client_state) = (asked.redirect_uri.clone(), asked.state.clone());
    let code_for = Code::fresh(asked, grant);
    state.logins.lock().codes.put(code.clone(), code_for, now());
    back(state, &uri, client_state.as_deref(), &[("code", &code)])
}

/// Returns true unless the browser says that no person sees the answer. With pictures alone a page
/// of a stranger could drive out every login that waits, and have any document fetched.
fn is_looked_at(request: &Request) -> bool {
    says(request, "sec-fetch-dest", "document") && !request.headers.contains_key("sec-purpose")
}

/// Returns true unless the browser says that another page sent the form.
fn is_from_own_page(state: &State, request: &Request) -> bool {
    says(request, "origin", &state.url) && says(request, "sec-fetch-site", "same-origin")
}

/// Returns true unless a header says something else.
fn says(request: &Request, name: &str, expected: &str) -> bool {
    !request.headers.contains_key(name) || request.header(name) == Some(expected)
}

/// Sends the user back with an error (RFC 6749 §4.1.2.1).
fn refused(state: &State, uri: &str, client_state: Option<&str>, refusal: Refusal) -> Answer {
    let Refusal(error, description) = refusal;
    let fields = [("error", error), ("error_description", description)];
    back(state, uri, client_state, &fields)
}

/// Sends the user back to the client, with the issuer's name (RFC 9207).
fn back(state: &State, uri: &str, client_state: Option<&str>, fields: &[(&str, &str)]) -> Answer {
    let mut fields = fields.to_vec();
    fields.extend(client_state.map(|text| ("state", text)));
    fields.push(("iss", &state.url));
    let answer = Answer {
        status: StatusCode::SEE_OTHER,
        ..Answer::default()
    };
    answer
        .with("location", &redirects::with(uri, &fields))
        .with("cache-control", "no-store")
        .with("referrer-policy", "no-referrer")
}
