//! Clients, and what they say of themselves (RFC 7591 §2).

use serde_json::{Map, Value};

use super::super::exchange::Refusal;
use super::redirects::is_acceptable;

/// The most redirect URIs of a client.
const MOST_URIS: usize = 16;

/// The longest name of a client, in characters.
const LONGEST_NAME: usize = 100;

/// A client that may send its user here.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Its identifier.
    pub(super) id: String,
    /// The secret with which it authenticates; `None` for a public client.
    pub(super) secret: Option<String>,
    /// What it said of itself.
    pub(super) metadata: Metadata,
}

/// What a client says of itself, as far as it counts here.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    /// Its name for people.
    pub(super) name: Option<String>,
    /// Where answers to it may go.
    pub(super) redirect_uris: Vec<String>,
    /// Whether it renews tokens.
    pub(super) refreshes: bool,
    /// Its way of authenticating, one of [`METHODS`]; `None` if it did not say.
    pub(super) method: Option<String>,
}

/// The ways in which clients authenticate (RFC 7591 §2).
pub(super) const METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

const BAD: &str = "invalid_client_metadata";

impl Metadata {
    /// Reads metadata; what is unknown here is ignored.
    ///
    /// # Errors
    /// `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591 §3.2.2).
    pub(super) fn read(members: &Map<String, Value>) -> Result<Self, Refusal> {
        let uris = texts(members, "redirect_uris")?.unwrap_or_default();
        let few = (1..=MOST_URIS).contains(&uris.len());
        if !few || !uris.iter().all(|uri| is_acceptable(uri)) {
            return Err(Refusal(
                "invalid_redirect_uri",
                "redirect_uris needs 1 to 16 URIs: https, http on loopback, or an own scheme",
            ));
        }
        let grants = texts(members, "grant_types")?;
        let lists = |list: &Option<Vec<String>>, name: &str| {
            let mut names = list.iter().flatten();
            names.any(|listed| listed == name)
        };
        let responses = texts(members, "response_types")?;
        if grants.is_some() && !lists(&grants, "authorization_code")
            || responses.is_some() && !lists(&responses, "code")
        {
            return Err(Refusal(BAD, "only the authorization code grant is here"));
        }
        let method = text(members, "token_endpoint_auth_method")?;
        if method
            .as_deref()
            .is_some_and(|method| !METHODS.contains(&method))
        {
            return Err(Refusal(
                BAD,
                "token_endpoint_auth_method is none, client_secret_basic or client_secret_post",
            ));
        }
        let name = text(members, "client_name")?;
        if name.as_deref().is_some_and(|name| !is_short_text(name)) {
            return Err(Refusal(
                BAD,
                "client_name has at most 100 characters of text",
            ));
        }
        Ok(Self {
            name,
            redirect_uris: uris,
            refreshes: lists(&grants, "refresh_token"),
            method,
        })
    }

    /// Returns the grant types that the client may use.
    pub(super) fn grant_types(&self) -> Vec<&'static str> {
        let all = [super::AUTHORIZATION_CODE, super::REFRESH_TOKEN];
        let count = if self.refreshes { 2 } else { 1 };
        all.into_iter().take(count).collect()
    }
}

fn is_short_text(name: &str) -> bool {
    name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control)
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal(BAD, "a member that is not text")),
    }
}

fn texts(members: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Refusal> {
    let list = match members.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(Refusal(BAD, "a member that is not a list")),
    };
    let texts = list.iter().map(|item| item.as_str().map(str::to_owned));
    let texts: Option<Vec<String>> = texts.collect();
    Ok(Some(
        texts.ok_or(Refusal(BAD, "a list of other than texts"))?,
    ))
}
