//! A small resource server of the revision 2025-11-25, with sessions, and with one flaw if asked.
//!
//! It shares nothing with the host. Without a flaw it passes every case that must be passed.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::clock::now;
use bailiwick_dev::http::{Answer, Bound, Request, Server};
use bailiwick_dev::jws::{PublicKeys, Verified};
use bailiwick_dev::{client, jws};
use bailiwick_tests::SCOPE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

/// What a server forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing.
    None,
    /// To look at tokens, or whether there is one.
    Tokens,
    /// To look at what a token says.
    Claims,
    /// That tokens end.
    Expiry,
    /// That audiences are compared whole.
    Audience,
    /// That there are other issuers.
    Issuer,
    /// That a signature may be missing.
    Signature,
    /// That the key is the issuer's and not the token's.
    Key,
    /// To leave addresses in tokens alone.
    Address,
    /// That there are other kinds of tokens.
    Type,
    /// That an unknown extension may be critical.
    Critical,
    /// That a query is no place for tokens.
    Query,
    /// That a session is no identity.
    Session,
    /// To ask for scopes.
    Scopes,
    /// That a missing scope has a status of its own.
    Said,
    /// To say what is missing.
    Challenge,
    /// That 403 is not 401.
    Status,
    /// That tokens may be malformed.
    Malformed,
    /// To keep tokens to itself.
    Secrecy,
    /// That pages have origins.
    Origin,
    /// Its own name.
    Name,
    /// What belongs into the metadata.
    Documents,
    /// That the metadata are JSON.
    Format,
    /// That much may differ which decides nothing.
    Strict,
    /// How to refuse.
    Manners,
}

/// A running server; stops when dropped.
pub(super) struct Careless {
    pub(super) url: String,
    _server: Server,
}

impl Careless {
    /// Starts a server that trusts an issuer with these keys.
    pub(super) async fn start(issuer: &str, keys: &Value, flaw: Flaw) -> Result<Self> {
        let bound = Bound::to(0).await?;
        let origin = bound.url();
        Self::behind(&origin, bound, (issuer, keys), flaw)
    }

    /// Starts a server that clients know by another origin.
    pub(super) fn behind(
        origin: &str,
        bound: Bound,
        (issuer, keys): (&str, &Value),
        flaw: Flaw,
    ) -> Result<Self> {
        let state = Arc::new(State {
            origin: origin.to_owned(),
            issuer: issuer.to_owned(),
            keys: PublicKeys::from_jwks(keys)?,
            flaw,
        });
        let url = format!("{}/mcp", state.origin);
        let server = bound.serve(Arc::new(move |request| {
            let state = Arc::clone(&state);
            Box::pin(async move { state.answer(&request).await })
        }));
        Ok(Self {
            url,
            _server: server,
        })
    }
}

struct State {
    origin: String,
    issuer: String,
    keys: PublicKeys,
    flaw: Flaw,
}

impl State {
    async fn answer(&self, request: &Request) -> Answer {
        let answer = match request.path.as_str() {
            "/.well-known/oauth-protected-resource/mcp" => self.metadata(),
            "/mcp" => self.mcp(request).await,
            _ => Answer::new(StatusCode::NOT_FOUND, "text/plain", "not here\n"),
        };
        match request.header("origin") {
            Some(origin) if self.flaw == Flaw::Origin => answer
                .with("access-control-allow-origin", origin)
                .with("access-control-allow-credentials", "true"),
            _ => answer,
        }
    }

    fn metadata(&self) -> Answer {
        let resource = match self.flaw {
            Flaw::Name => self.origin.clone(),
            _ => self.resource(),
        };
        let metadata = match self.flaw {
            Flaw::Documents => json!({
                "resource": resource, "authorization_servers": ["http://127.0.0.1:1/?issuer"],
                "bearer_methods_supported": ["header", "query"],
                "scopes_supported": [SCOPE, "offline_access"],
            }),
            _ => json!({"resource": resource, "authorization_servers": [self.issuer]}),
        };
        match self.flaw {
            Flaw::Format => Answer::new(StatusCode::OK, "text/plain", metadata.to_string()),
            _ => Answer::json(StatusCode::OK, &metadata),
        }
    }

    fn resource(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    async fn mcp(&self, request: &Request) -> Answer {
        if request.headers.contains_key("origin") && self.flaw != Flaw::Origin {
            return Answer::new(StatusCode::FORBIDDEN, "text/plain", "not for pages\n");
        }
        let session = request.header("mcp-session-id");
        let claims = match self.admit(request).await {
            Ok(claims) => claims,
            Err(_) if self.flaw == Flaw::Session && session.is_some() => Map::new(),
            Err(refusal) => return refusal,
        };
        let own = format!("of-{}", claims.get("sub").unwrap_or(&Value::Null));
        if session.is_some_and(|session| session != own) && self.flaw != Flaw::Session {
            return Answer::new(StatusCode::NOT_FOUND, "text/plain", "no such session\n");
        }
        if request.method != Method::POST && self.flaw != Flaw::Tokens {
            return Answer::new(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "POST\n");
        }
        if request.header("mcp-protocol-version") == Some("2026-07-28") {
            return Answer::new(StatusCode::BAD_REQUEST, "text/plain", "2025-11-25\n");
        }
        let message: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        self.call(&message, &claims).with("mcp-session-id", &own)
    }

    fn call(&self, message: &Value, claims: &Map<String, Value>) -> Answer {
        let result = match message.get("method").and_then(Value::as_str) {
            Some("initialize") => json!({
                "protocolVersion": "2025-11-25", "capabilities": {},
                "serverInfo": {"name": "careless", "version": "1"},
            }),
            Some("ping") => json!({}),
            Some("tools/call") => {
                let scopes = claims.get("scope").and_then(Value::as_str);
                let scopes = scopes.unwrap_or_default();
                let has_scope = scopes.split(' ').any(|scope| scope == SCOPE);
                match self.flaw {
                    flaw if has_scope || flaw == Flaw::Scopes => json!({"content": []}),
                    Flaw::Said => json!({"content": [], "isError": true}),
                    _ => return self.refusal(StatusCode::FORBIDDEN, "insufficient_scope"),
                }
            }
            _ if message.get("id").is_none() => {
                return Answer::new(StatusCode::ACCEPTED, "text/plain", "");
            }
            _ => {
                let error = json!({"code": -32601, "message": "not here"});
                let body = json!({"jsonrpc": "2.0", "id": 1, "error": error});
                return Answer::json(StatusCode::OK, &body);
            }
        };
        let body = json!({"jsonrpc": "2.0", "id": message.get("id"), "result": result});
        Answer::json(StatusCode::OK, &body)
    }

    /// Returns the claims of the caller's token.
    async fn admit(&self, request: &Request) -> Result<Map<String, Value>, Answer> {
        if self.flaw == Flaw::Tokens {
            return Ok(Map::from_iter([("scope".to_owned(), json!(SCOPE))]));
        }
        let query = request.query();
        let mut in_query = query.iter().filter(|(name, _)| name == "access_token");
        let in_query = in_query.next().filter(|_| self.flaw == Flaw::Query);
        let value = request.header("authorization").unwrap_or_default();
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        let token = match in_query {
            Some((_, token)) => token,
            None if scheme == "Bearer" => token,
            None if scheme.eq_ignore_ascii_case("bearer") && self.flaw != Flaw::Strict => token,
            None if request.headers.contains_key("authorization") && value.is_empty() => "two",
            None => return Err(self.refusal(StatusCode::UNAUTHORIZED, "")),
        };
        match self.verify(token).await {
            Ok(claims) => Ok(claims),
            Err(_) if self.flaw == Flaw::Malformed && token.split('.').count() != 3 => Err(
                Answer::new(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "index 2\n"),
            ),
            Err(_) if self.flaw == Flaw::Secrecy => {
                let text = format!("not accepted: {token}\n");
                let told = Answer::new(StatusCode::UNAUTHORIZED, "text/plain", text);
                Err(told.with("www-authenticate", "Bearer error=\"invalid_token\""))
            }
            Err(_) => Err(self.refusal(StatusCode::UNAUTHORIZED, "invalid_token")),
        }
    }

    fn refusal(&self, status: StatusCode, error: &str) -> Answer {
        let status = match self.flaw {
            Flaw::Status => StatusCode::FORBIDDEN,
            _ => status,
        };
        if self.flaw == Flaw::Manners {
            let challenge = r#"Bearer error_description="say \"please\"""#;
            return Answer::new(status, "text/plain", "")
                .with("cache-control", "public, max-age=60")
                .with("www-authenticate", challenge);
        }
        let answer = Answer::new(status, "text/plain", "a token of the issuer, please\n");
        let metadata = format!("{}/.well-known/oauth-protected-resource/mcp", self.origin);
        let challenge = match error {
            _ if self.flaw == Flaw::Challenge => return answer,
            "" => format!("Bearer resource_metadata=\"{metadata}\""),
            _ => format!(
                "Bearer error=\"{error}\", scope=\"{SCOPE}\", resource_metadata=\"{metadata}\""
            ),
        };
        answer.with("www-authenticate", &challenge)
    }

    async fn verify(&self, token: &str) -> Result<Map<String, Value>> {
        let Verified { header, claims } = self.signed(token).await?;
        let typ = header
            .get("typ")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let known = ["at+jwt", "application/at+jwt"].contains(&typ);
        ensure!(known || self.flaw == Flaw::Type, "typ");
        let strict = typ == "at+jwt"
            && header.keys().all(|name| MEMBERS.contains(&name.as_str()))
            && claims.keys().all(|name| CLAIMS.contains(&name.as_str()))
            && claims.get("aud").is_some_and(Value::is_string);
        ensure!(strict || self.flaw != Flaw::Strict, "unknown");
        let critical = header.contains_key("crit") && self.flaw != Flaw::Critical;
        ensure!(!critical, "crit");
        if self.flaw == Flaw::Claims {
            return Ok(claims);
        }
        let ours = claims.get("iss") == Some(&json!(self.issuer));
        ensure!(ours || self.flaw == Flaw::Issuer, "iss");
        ensure!(self.is_for_us(claims.get("aud")), "aud");
        let expiry = claims.get("exp").and_then(Value::as_u64);
        let valid = expiry.is_some_and(|expiry| expiry > now());
        ensure!(valid || self.flaw == Flaw::Expiry, "exp");
        let begun = match claims.get("nbf") {
            Some(start) => start.as_u64().is_some_and(|start| start <= now()),
            None => true,
        };
        ensure!(begun, "nbf");
        Ok(claims)
    }

    fn is_for_us(&self, audience: Option<&Value>) -> bool {
        let ours = |text: &str| match self.flaw {
            Flaw::Audience => text.starts_with(&self.resource()),
            _ => text == self.resource(),
        };
        match audience {
            Some(Value::String(text)) => ours(text),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).any(ours),
            _ => false,
        }
    }

    /// Checks the signature.
    async fn signed(&self, token: &str) -> Result<Verified> {
        let header = token.split('.').next().unwrap_or_default();
        let header = URL_SAFE_NO_PAD.decode(header)?;
        let header: Map<String, Value> = serde_json::from_slice(&header)?;
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if self.flaw == Flaw::Signature && algorithm.eq_ignore_ascii_case("none") {
            let claims = jws::unverified_claims(token).context("claims")?;
            return Ok(Verified { header, claims });
        }
        if let (Flaw::Key, Some(key)) = (self.flaw, header.get("jwk")) {
            return Ok(PublicKeys::from_jwks(&json!({"keys": [key]}))?.verify(token)?);
        }
        if let (Flaw::Address, Some(Value::String(keys))) = (self.flaw, header.get("jku")) {
            drop(client::fetch(keys).await);
        }
        Ok(self.keys.verify(token)?)
    }
}

/// The members of a header that a strict server knows.
const MEMBERS: [&str; 3] = ["typ", "alg", "kid"];

/// The claims that a strict server knows.
const CLAIMS: [&str; 8] = [
    "iss",
    "sub",
    "aud",
    "client_id",
    "scope",
    "iat",
    "exp",
    "jti",
];
