//! Golden tokens: one of each shape that a provider issues, read with the settings that the
//! documents give for it.
//!
//! The claims and headers in `vectors/providers.json` follow the vendors' documentation; those of
//! `vectors/keycloak.json` are a running server's. Only the signature is a test's: each token is
//! signed with an Ed25519 key, so its `alg` differs, and where there are real keys, its `kid`.

use std::fs;
use std::sync::Arc;

use http::{Request, header};
use rustls::RootCertStore;
use serde_json::{Value, json};

use super::*;
use crate::egress::Tls;
use crate::identity::{AdmitError, Caller, Identity, Presented};
use crate::seams::Clock;
use crate::tokens::KeyRing;
use crate::tokens::testing::{Hands, Issuer, signed_with};

const PROVIDERS: &str = include_str!("../../../vectors/providers.json");
const KEYCLOAK: &str = include_str!("../../../vectors/keycloak.json");
const RESOURCE: &str = "https://mcp.example.com/mcp";
const NOW: u64 = 1_763_712_060;
const SEED: u8 = 1;

/// Returns the configuration of an issuer with these lines, whose keys are in a file.
fn config(folder: &Folder, lines: &Value) -> Config {
    let lines: Vec<&str> = lines
        .as_array()
        .expect("lines")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:8080\"\nresource = \"{RESOURCE}\"\n\n[[issuers]]\n{}\n\
         jwks_file = \"jwks.json\"\n\n[envelope]\ntrust_domain = \"acme.example\"\n\n\
         [audit]\nfolder = \"audit\"\n",
        lines.join("\n")
    );
    let loaded = folder.load(&text);
    loaded.unwrap_or_else(|errors| panic!("{text}: {errors}"))
}

fn identity(config: &Config, clock: &Arc<dyn Clock>) -> Identity {
    let tls = Tls::new(RootCertStore::empty()).expect("TLS");
    let issuers = config.issuers.iter().map(|issuer| {
        let keys = KeyRing::new(issuer.key_settings(), &tls, Arc::clone(clock));
        (issuer.settings.clone(), keys)
    });
    Identity::new(issuers.collect(), RESOURCE.into(), Arc::clone(clock))
}

async fn admit(identity: &Identity, token: &str) -> Result<Arc<Caller>, AdmitError> {
    let request = Request::post(RESOURCE).header(header::AUTHORIZATION, format!("Bearer {token}"));
    let mut head = request.body(()).expect("a request").into_parts().0;
    let presented = Presented::take(&mut head).expect("a token");
    identity.admit(presented).await.map(|(caller, _)| caller)
}

fn told(caller: &Caller) -> Value {
    json!({
        "sub": caller.actor().sub, "kind": caller.actor().kind.as_str(),
        "client": caller.agent().client_id, "agent": caller.agent().id,
        "tenant": caller.actor().tenant, "scopes": caller.scopes(),
        "shown": caller.display().actor,
    })
}

#[tokio::test]
async fn a_token_of_each_provider_names_its_caller_or_is_refused_with_the_reason() {
    let clock: Arc<dyn Clock> = Hands::at(NOW);
    let (issuer, _ring) = Issuer::start(&clock).await;
    issuer.publish(&[SEED]);
    let mut providers: Vec<Value> = serde_json::from_str(PROVIDERS).expect("JSON");
    providers.push(serde_json::from_str(KEYCLOAK).expect("JSON"));
    for provider in &providers {
        let folder = Folder::new();
        fs::write(folder.0.path().join("jwks.json"), issuer.published()).expect("a key file");
        let config = config(&folder, &provider["issuer"]);
        let identity = identity(&config, &clock);
        let tokens = provider["tokens"].as_array().expect("tokens");
        for token in tokens {
            let name = format!("{}: {}", provider["provider"], token["what"]);
            let mut header = token["header"].clone();
            header["alg"] = json!("EdDSA");
            if let Some(kid) = header.get_mut("kid") {
                *kid = json!("key-1");
            }
            let jwt = signed_with(SEED, &header, &token["claims"]);
            match admit(&identity, &jwt).await {
                Ok(caller) => assert_eq!(told(&caller), token["caller"], "{name}"),
                Err(why) => {
                    let expected = token["refused"].as_str();
                    let expected = expected.unwrap_or_else(|| panic!("{name}: {why}"));
                    assert!(why.to_string().contains(expected), "{name}: {why}");
                }
            }
        }
    }
    assert_eq!(providers.len(), 13);
}
