//! A host's identity module and an issuer on the loopback whose keys, answers and clock a test
//! sets.
#![expect(clippy::expect_used, reason = "tests")]

use std::sync::Arc;

use serde_json::{Value, json};

use super::{AdmitError, Caller, Identity, IssuerSettings, Presented};
use crate::seams::Clock;
use crate::tokens::TimeRule;
use crate::tokens::testing::{Hands, Issuer, signed};

pub(super) const ISSUER: &str = "https://idp.example";
pub(super) const RESOURCE: &str = "https://mcp.example/mcp";
/// The time at which every test begins, in seconds.
pub(super) const START: u64 = 1_763_712_000;

/// A host's identity, its one issuer and its clock.
pub(super) struct Scene {
    pub(super) identity: Arc<Identity>,
    pub(super) issuer: Arc<Issuer>,
    pub(super) clock: Arc<Hands>,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::with(TimeRule::default()).await
    }

    pub(super) async fn with(times: TimeRule) -> Self {
        let clock = Hands::at(START);
        let shared: Arc<dyn Clock> = clock.clone();
        let (issuer, keys) = Issuer::start(&shared).await;
        let settings = IssuerSettings {
            times,
            ..settings()
        };
        let identity = Arc::new(Identity::new(
            vec![(settings, keys)],
            RESOURCE.into(),
            shared,
        ));
        Self {
            identity,
            issuer,
            clock,
        }
    }

    pub(super) async fn admit(&self, token: &str) -> Result<Arc<Caller>, AdmitError> {
        let presented = Presented::take(&mut head(&format!("Bearer {token}"))).expect("a token");
        self.identity
            .admit(presented)
            .await
            .map(|(caller, _)| caller)
    }

    /// Admits all of `tokens` at once.
    pub(super) async fn admit_all(
        &self,
        tokens: Vec<String>,
    ) -> Vec<Result<Arc<Caller>, AdmitError>> {
        futures_util::future::join_all(tokens.iter().map(|token| self.admit(token))).await
    }

    /// Returns a good token of `sub`, valid for an hour from now, signed with the key of `seed`.
    pub(super) fn token(&self, seed: u8, sub: &str) -> String {
        signed(seed, &self.claims(sub))
    }

    pub(super) fn claims(&self, sub: &str) -> Value {
        let now = self.clock.now();
        json!({"iss": ISSUER, "aud": RESOURCE, "sub": sub, "client_id": "app", "iat": now, "exp": now + 3600})
    }
}

/// Returns the head of a request with this `Authorization`.
pub(super) fn head(authorization: &str) -> http::request::Parts {
    http::Request::post(RESOURCE)
        .header(http::header::AUTHORIZATION, authorization)
        .body(())
        .expect("a request")
        .into_parts()
        .0
}

/// Returns an issuer whose tokens are read as usual.
pub(super) fn settings() -> IssuerSettings {
    IssuerSettings::usual(ISSUER, "corp")
}
