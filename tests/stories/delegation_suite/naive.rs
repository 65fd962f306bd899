//! A small gateway with one tool, and with one flaw if asked. It shares nothing with the host.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::client;
use bailiwick_dev::http::{Answer, Bound, Request, Server};
use bailiwick_dev::jws::PublicKeys;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};

/// What a gateway does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nothing.
    None,
    /// It sends whatever token comes back.
    Believes,
    /// It sends the caller's own token when it gets none that is good.
    PassesOn,
    /// It sends its own token then.
    FallsBackToItself,
    /// It sends no credential then.
    FallsBackToNothing,
    /// It keeps one token for everybody.
    SharesItsCache,
}

/// A running gateway; stops when dropped.
pub(super) struct Naive {
    pub(super) url: String,
    _server: Server,
}

impl Naive {
    /// Starts a gateway with what the suite prints.
    pub(super) async fn start(printed: &[(&'static str, String)], flaw: Flaw) -> Result<Self> {
        let value = |name: &str| {
            let found = printed.iter().find(|(printed, _)| *printed == name);
            found.map(|(_, value)| value.clone()).context("not printed")
        };
        let keys = client::fetch(&value("keys")?).await?.json()?;
        let state = Arc::new(State {
            keys: PublicKeys::from_jwks(&keys)?,
            issuer: value("issuer")?,
            endpoint: value("token endpoint")?,
            client: [value("client id")?, value("client secret")?],
            service: value("service")?,
            audience: value("service's audience")?,
            scope: value("service's scope")?,
            flaw,
            kept: Mutex::default(),
        });
        let bound = Bound::to(0).await?;
        let url = format!("{}/mcp", bound.url());
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
    keys: PublicKeys,
    issuer: String,
    endpoint: String,
    client: [String; 2],
    service: String,
    audience: String,
    scope: String,
    flaw: Flaw,
    kept: Mutex<Option<String>>,
}

impl State {
    async fn answer(&self, request: &Request) -> Answer {
        let header = request.header("authorization").unwrap_or_default();
        let token = header.strip_prefix("Bearer ").unwrap_or_default();
        let Ok(caller) = self.keys.verify(token) else {
            return Answer::new(StatusCode::UNAUTHORIZED, "text/plain", "no token\n");
        };
        let said = self.call(token, &caller.claims).await;
        let text = said.as_ref().map_or_else(ToString::to_string, Clone::clone);
        let result = json!({
            "content": [{"type": "text", "text": text}], "isError": said.is_err(),
        });
        let body = json!({"jsonrpc": "2.0", "id": 1, "result": result});
        Answer::json(StatusCode::OK, &body)
    }

    /// Makes the GET for a caller.
    async fn call(&self, token: &str, caller: &Map<String, Value>) -> Result<String> {
        let credential = self.credential(token, caller).await?;
        let mut headers = HeaderMap::new();
        if let Some(credential) = credential {
            headers.insert("authorization", format!("Bearer {credential}").parse()?);
        }
        let url = format!("{}/orders/A-1001", self.service);
        let answer = client::send(Method::GET, &url, headers, "").await?;
        Ok(answer.text())
    }

    /// Returns the credential for the service. `None` is a request without one.
    async fn credential(&self, token: &str, caller: &Map<String, Value>) -> Result<Option<String>> {
        if self.flaw == Flaw::SharesItsCache
            && let Some(kept) = self.kept().clone()
        {
            return Ok(Some(kept));
        }
        let form = [
            ("grant_type", EXCHANGE),
            ("subject_token", token),
            ("subject_token_type", ACCESS_TOKEN),
            ("audience", self.audience.as_str()),
            ("scope", self.scope.as_str()),
        ];
        let answer = client::form(&self.endpoint, Some(self.client()), &form).await?;
        let issued = match (answer.status, answer.json()) {
            (StatusCode::OK, Ok(answer)) => self.issued(&answer, token, caller),
            (status, _) => Err(anyhow::anyhow!("the token endpoint answered {status}")),
        };
        match (issued, self.flaw) {
            (Ok(issued), _) => {
                *self.kept() = Some(issued.clone());
                Ok(Some(issued))
            }
            (Err(_), Flaw::PassesOn) => Ok(Some(token.to_owned())),
            (Err(_), Flaw::FallsBackToItself) => self.own().await.map(Some),
            (Err(_), Flaw::FallsBackToNothing) => Ok(None),
            (Err(error), _) => Err(error),
        }
    }

    /// Returns the token of an answer if it is for this caller, this service, and nothing more.
    fn issued(&self, answer: &Value, token: &str, caller: &Map<String, Value>) -> Result<String> {
        let issued = answer.get("access_token").and_then(Value::as_str);
        let issued = issued.context("no token")?.to_owned();
        if self.flaw == Flaw::Believes {
            return Ok(issued);
        }
        ensure!(issued != token, "the caller's own token");
        for (name, expected) in [
            ("token_type", "Bearer"),
            ("issued_token_type", ACCESS_TOKEN),
            ("scope", self.scope.as_str()),
        ] {
            ensure!(answer.get(name) == Some(&json!(expected)), "{name}");
        }
        ensure!(answer.get("authorization_details").is_none(), "details");
        let claims = self.keys.verify(&issued)?.claims;
        for (name, expected) in [
            ("iss", Some(json!(self.issuer))),
            ("aud", Some(json!(self.audience))),
            ("scope", Some(json!(self.scope))),
            ("client_id", Some(json!(self.client[0]))),
            ("sub", caller.get("sub").cloned()),
            ("tenant", caller.get("tenant").cloned()),
        ] {
            ensure!(claims.get(name) == expected.as_ref(), "{name}");
        }
        for name in ["act", "azp", "cnf", "nonce", "authorization_details"] {
            ensure!(!claims.contains_key(name), "{name}");
        }
        let [until, ends] = [&claims, caller].map(|all| all.get("exp").and_then(Value::as_u64));
        ensure!(until.is_some() && until <= ends, "it outlives the caller's");
        Ok(issued)
    }

    /// Returns the gateway's own token for the service.
    async fn own(&self) -> Result<String> {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", self.scope.as_str()),
        ];
        let answer = client::form(&self.endpoint, Some(self.client()), &form).await?;
        let answer = answer.json()?;
        let token = answer.get("access_token").and_then(Value::as_str);
        Ok(token.context("no token")?.to_owned())
    }

    fn client(&self) -> (&str, &str) {
        let [id, secret] = &self.client;
        (id, secret)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
