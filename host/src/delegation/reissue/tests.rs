//! What a token of the host's own says, how long it lives, and who accepts it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use bailiwick_envelope::{Actor, ActorKind, Agent, PublicKeys, TransactionVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use rustls::RootCertStore;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::delegation::asker::{Acting, KnownActor};
use crate::egress::Tls;
use crate::identity::SubjectToken;
use crate::owned::Trust;
use crate::tokens::testing::{Hands, local_issuer};
use crate::tokens::{
    Algorithm, Audience, Expectations, KeyFile, KeyRing, KeySettings, KeySource, Subject, TimeRule,
    TypeRule, Unverified,
};

/// A known answer: the token of this issuer and key that names this user at this time.
const VALID: &str = include_str!("../../../envelope/vectors/reissued-valid.json");
/// Known answers in which a transaction token is given for such a token, and the reverse.
const TRANSACTION: &str = include_str!("../../../envelope/vectors/reissued-type-transaction.json");
const REISSUED: &str = include_str!("../../../envelope/vectors/transaction-type-reissued.json");

const NAME: &str = "https://mcp.example/reissue";
const AUDIENCE: &str = "https://legacy.example";
const NOW: u64 = 1_763_712_010;
const SEED: u8 = 5;

fn settings(lifetime: u64, scopes: &[&str]) -> ReissueSettings {
    ReissueSettings {
        issuer: Arc::new(local_issuer(NAME, SEED)),
        subject_issuer: "corp".into(),
        client_id: "bailiwick".into(),
        audience: AUDIENCE.into(),
        scopes: texts(scopes),
        lifetime,
    }
}

fn texts(scopes: &[&str]) -> Vec<String> {
    scopes.iter().map(|&scope| scope.to_owned()).collect()
}

fn reissue(settings: ReissueSettings, total: u64) -> Reissue {
    let clock: Arc<dyn Clock> = Hands::at(NOW);
    let deadlines = Deadlines {
        connect: Duration::ZERO,
        ..Deadlines::below(Duration::from_secs(total))
    };
    Reissue::new(settings, deadlines, &clock)
}

fn actor(sub: &str, kind: ActorKind) -> Actor {
    Actor {
        acr: None,
        auth_time: None,
        iss: "https://idp.example".into(),
        sub: sub.into(),
        tenant: Some("acme".into()),
        kind,
    }
}

/// Calls `work` with a user whose call has these scopes and ends in so many seconds, and whose
/// token ends in so many.
fn asking<T>(
    scopes: &[String],
    (call, token): (u64, u64),
    work: impl FnOnce(&Asker<'_>) -> T,
) -> T {
    let agent = Agent {
        client_id: "clerk".into(),
        id: "clerk".into(),
        prior: Vec::new(),
        kind: "mcp_agent".into(),
    };
    work(&Asker {
        actor: &actor("user_123", ActorKind::User),
        agent: &agent,
        agent_issuer: None,
        issuer: "corp",
        token: &SubjectToken::of("a token"),
        until: NOW + token,
        scopes,
        call_until: NOW + call,
        acting: Acting::UserAlone,
    })
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn usual() -> Reissue {
    reissue(settings(60, &["orders:read"]), 60)
}

fn minted(reissue: &Reissue) -> Minted {
    let scopes = texts(&["orders:read", "orders:write"]);
    asking(&scopes, (300, 600), |asker| reissue.mint(asker)).unwrap()
}

#[test]
fn a_token_is_the_known_answer() {
    let known: Value = serde_json::from_str(VALID).unwrap();
    let scopes = texts(&["orders:read", "orders:write"]);
    let minted = asking(&scopes, (300, 600), |asker| {
        usual().mint_as(asker, "0198f6a2-reissue".into())
    });
    let minted = minted.unwrap();
    let token = minted.issued.token.expose_secret();
    assert_eq!(part(token, 0), known["header"]);
    assert_eq!(part(token, 1), known["payload"]);
    assert_eq!(minted.scopes, ["orders:read"]);
    assert_eq!(known["payload"]["exp"], minted.issued.expires_at);
    assert_eq!(
        known["jwks"],
        usual()
            .settings
            .issuer
            .document("/reissue/jwks.json")
            .unwrap()
    );
}

#[test]
fn two_tokens_are_never_one() {
    let reissue = usual();
    let both = [minted(&reissue), minted(&reissue)];
    let ids: BTreeSet<_> = both.iter().map(|minted| minted.jti.clone()).collect();
    assert_eq!(ids.len(), 2, "each has an identifier of its own");
}

#[test]
fn only_users_of_the_one_issuer_are_named_and_none_who_is_called_as_the_host() {
    let settings = settings(60, &["orders:read"]);
    for (sub, kind, alias, served) in [
        ("alice", ActorKind::User, "corp", true),
        ("alice", ActorKind::User, "partner", false),
        ("alice", ActorKind::Service, "corp", false),
        ("bailiwick", ActorKind::User, "corp", false),
    ] {
        let actor = actor(sub, kind);
        let known = KnownActor {
            actor: &actor,
            alias,
        };
        assert_eq!(settings.serves(known), served, "{sub} {kind:?} {alias}");
    }
}

#[test]
fn a_token_lives_no_longer_than_the_first_of_all_that_end_it() {
    for (lifetime, total, call, token, expected) in [
        (60, 60, 300, 600, Some(60)),
        (600, 60, 300, 600, Some(60)),
        (30, 60, 300, 600, Some(30)),
        // The request's own deadline, and what clocks may differ.
        (60, 3, 300, 600, Some(3 + SKEW)),
        (60, 60, 20, 600, Some(20)),
        (60, 60, 300, 7, Some(7)),
        (60, 60, 300, 1, Some(1)),
        (60, 60, 300, 0, None),
        (60, 60, 0, 600, None),
    ] {
        let reissue = reissue(settings(lifetime, &["a"]), total);
        let scopes = texts(&["a"]);
        let minted = asking(&scopes, (call, token), |asker| reissue.mint(asker));
        let lives = minted.ok().map(|minted| {
            let claims = part(minted.issued.token.expose_secret(), 1);
            assert_eq!((&claims["iat"], &claims["nbf"]), (&NOW.into(), &NOW.into()));
            claims["exp"].as_u64().unwrap() - NOW
        });
        assert_eq!(lives, expected, "{lifetime} {total} {call} {token}");
    }
}

const SCOPES: [&str; 6] = ["a", "b", "A", "a:b", "ab", "a b"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn scopes_never_widen_and_no_bound_of_time_is_passed(
        listed in prop::sample::subsequence(SCOPES.to_vec(), 1..=6),
        of_call in prop::sample::subsequence(SCOPES.to_vec(), 0..=6),
        (lifetime, total) in (1..100_u64, 1..=60_u64),
        (call, token) in (0..400_u64, 0..4_000_u64),
    ) {
        let reissue = reissue(settings(lifetime, &listed), total);
        let of_call = texts(&of_call);
        let minted = asking(&of_call, (call, token), |asker| reissue.mint(asker));
        let both: Vec<_> = texts(&listed).into_iter().filter(|one| of_call.contains(one)).collect();
        let Ok(minted) = minted else {
            prop_assert!(both.is_empty() || call == 0 || token == 0);
            return Ok(());
        };
        prop_assert_eq!(&minted.scopes, &both);
        let claims = part(minted.issued.token.expose_secret(), 1);
        prop_assert_eq!(&claims["scope"], &both.join(" "));
        let lives = claims["exp"].as_u64().unwrap() - NOW;
        let bounds = [60, lifetime, total + SKEW, call, token];
        prop_assert_eq!(Some(&lives), bounds.iter().min());
    }
}

/// Returns the keys of an issuer as any resource server has them.
fn keys(folder: &TempDir, jwks: &Value) -> KeyRing {
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, jwks.to_string()).unwrap();
    let trust = Trust {
        folders: vec![folder.path().to_owned()],
        ..Trust::default()
    };
    let settings = KeySettings {
        issuer: NAME.into(),
        source: KeySource::File(KeyFile { path, trust }),
        algorithms: Algorithm::ALL.to_vec(),
    };
    let tls = Tls::new(RootCertStore::empty()).unwrap();
    KeyRing::new(settings, &tls, Hands::at(NOW))
}

/// Returns whether an ordinary verifier of access tokens (RFC 9068 §4) accepts a token.
async fn is_accepted(token: &str, jwks: &Value, audience: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let expected = Expectations {
        issuer: NAME,
        keys: &keys(&folder, jwks),
        token_type: &TypeRule::Exactly("at+jwt".into()),
        times: &TimeRule::default(),
        ends_by: Some(NOW + 60),
        audience: Audience::Only(audience),
        subject: Some(Subject {
            claim: "sub",
            name: "user_123",
        }),
        certificate: None,
    };
    let clock = Hands::at(NOW);
    let token = Unverified::parse(token).unwrap();
    expected.verify(token, clock.as_ref()).await.is_ok()
}

#[tokio::test]
async fn an_ordinary_verifier_accepts_it_for_its_one_audience_and_no_transaction_token() {
    let known: Value = serde_json::from_str(TRANSACTION).unwrap();
    let transaction = known["input"].as_str().unwrap();
    let reissue = usual();
    let minted = minted(&reissue);
    let token = minted.issued.token.expose_secret();
    let own = reissue.settings.issuer.document("/reissue/jwks.json");
    let own = own.unwrap();
    for (token, jwks, audience, accepted) in [
        (token, &own, AUDIENCE, true),
        (token, &own, "https://other.example", false),
        (token, &known["jwks"], AUDIENCE, false),
        (transaction, &known["jwks"], AUDIENCE, false),
        (transaction, &known["jwks"], "example", false),
        (transaction, &own, "example", false),
    ] {
        let found = is_accepted(token, jwks, audience).await;
        assert_eq!(found, accepted, "{token} {audience}");
    }
}

#[test]
fn a_verifier_of_transaction_tokens_refuses_it_even_with_its_key() {
    let known: Value = serde_json::from_str(REISSUED).unwrap();
    let reissue = usual();
    let minted = minted(&reissue);
    let keys = || PublicKeys::from_jwks(&known["jwks"]).unwrap();
    for audience in ["example", AUDIENCE] {
        let verifier = TransactionVerifier::new(keys(), audience.into(), "orders_api".into());
        let refused = verifier.verify(minted.issued.token.expose_secret(), NOW);
        assert_eq!(refused.map_err(|error| error.code()).err(), Some("type"));
    }
    // The twin: a transaction token with its own key.
    let transaction: Value = serde_json::from_str(TRANSACTION).unwrap();
    let keys = PublicKeys::from_jwks(&transaction["jwks"]).unwrap();
    let verifier = TransactionVerifier::new(keys, "example".into(), "orders_api".into());
    let token = transaction["input"].as_str().unwrap();
    assert!(verifier.verify(token, NOW).is_ok());
}
