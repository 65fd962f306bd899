//! A policy point that writes any bytes: what it is told, and whose decisions count for whom.
#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

mod misbehaviours;
mod principals;
mod remembered;

use std::collections::BTreeMap;
use std::time::Duration;

use bailiwick_envelope::{
    Actor, ActorKind, Agent, Authorization, CallBinding, CallKind, Claims, Delegation,
    DelegationMode, Session,
};
use rustls::RootCertStore;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::conditions::RequestFacts;
use crate::delegation::settings::Auth;
use crate::delegation::static_key::{KeyPlace, StaticAuth, StaticKeys};
use crate::egress::PeerTls;
use crate::egress::testing::{ScriptedServer, loopback};
use crate::tokens::testing::Hands;

const NOW: u64 = 1_763_712_000;
const ALLOWS: &str = r#"{"decision":true}"#;
const DENIES: &str = r#"{"decision":false}"#;

/// Starts a policy point, which allows everything.
async fn started() -> Arc<ScriptedServer> {
    let scripted = ScriptedServer::start("/access/v1/evaluation").await;
    says(&scripted, ALLOWS);
    scripted
}

/// Lets a policy point answer with 200 and this body from now on.
fn says(scripted: &ScriptedServer, body: &str) {
    scripted.says("200 OK\r\nContent-Type: application/json", body);
}

fn settings_of(scripted: &ScriptedServer) -> PolicyPointSettings {
    PolicyPointSettings {
        endpoint: scripted.url.parse().expect("a URL"),
        addresses: loopback(),
        tls: PeerTls::default(),
        auth: Auth::None,
        subject: SubjectNaming::Subject,
        tells: EVERYTHING,
        remember: Duration::from_secs(5),
        deadlines: Duration::from_secs(5).into(),
        concurrency: 128,
    }
}

/// Returns the host's side, with a clock that the test moves.
fn point_at(scripted: &ScriptedServer) -> (PolicyPoint, Arc<Hands>) {
    let clock = Hands::at(NOW);
    (of(settings_of(scripted), &clock), clock)
}

const EVERYTHING: ToldFacts = ToldFacts {
    query: true,
    body: true,
    arguments: true,
};

fn of(settings: PolicyPointSettings, clock: &Arc<Hands>) -> PolicyPoint {
    let tls = Tls::new(RootCertStore::empty()).expect("TLS");
    let clock: Arc<dyn Clock> = clock.clone();
    PolicyPoint::new(settings, &tls, &clock)
}

/// A request of a call, and who makes it.
#[derive(Clone)]
struct Asked {
    claims: Claims,
    alias: &'static str,
    agent_issuer: Option<&'static str>,
    mode: DelegationMode,
    target: &'static str,
    content_type: Option<&'static str>,
    body: Vec<u8>,
    arguments: Value,
    digest: [u8; 32],
    other_meaning: Option<&'static str>,
}

impl Asked {
    /// Returns alice's refund of five.
    fn usual() -> Self {
        Self {
            claims: claims(),
            alias: "corp",
            agent_issuer: None,
            mode: DelegationMode::OnBehalfOf,
            target: "/refunds?dry=1",
            content_type: Some("application/json"),
            body: br#"{"amount":5}"#.to_vec(),
            arguments: json!({"order": "A-1"}),
            digest: [7; 32],
            other_meaning: None,
        }
    }

    fn of(sub: &str) -> Self {
        let mut asked = Self::usual();
        Arc::make_mut(&mut asked.claims.actor).sub = sub.to_owned();
        asked
    }

    /// Returns it as delegation has it.
    fn request(&self) -> PolicyRequest<'_> {
        let (actor, agent) = (&*self.claims.actor, &self.claims.agent);
        let facts = RequestFacts {
            service: "shop",
            method: "POST",
            target: self.target,
            content_type: self.content_type,
            body: &self.body,
            arguments: &self.arguments,
            sub: &actor.sub,
            tenant: actor.tenant.as_deref(),
            issuer: self.alias,
            agent: &agent.id,
        };
        PolicyRequest {
            claims: &self.claims,
            known: KnownActor {
                actor,
                alias: self.alias,
            },
            agent_issuer: self.agent_issuer,
            mode: self.mode,
            template: "/refunds?dry={}",
            other_meaning: self.other_meaning,
            facts,
            digest: self.digest,
        }
    }

    async fn decide(&self, point: &PolicyPoint) -> Result<PolicyDecision, NoDecision> {
        point.decision(&self.request()).await
    }
}

fn claims() -> Claims {
    let actor = Actor {
        kind: ActorKind::User,
        sub: "alice".into(),
        iss: "https://idp.example".into(),
        tenant: Some("acme".into()),
        acr: None,
        auth_time: None,
    };
    let agent = Agent {
        kind: "mcp_agent".into(),
        id: "clerk".into(),
        client_id: "desk".into(),
        prior: Vec::new(),
    };
    Claims {
        actor: actor.into(),
        agent: agent.into(),
        session: Session {
            id: "session-of-alice".into(),
            source: "sid".into(),
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        },
        authorization: Authorization { scopes: Vec::new() }.into(),
        delegation: Delegation::new(BTreeMap::new()).into(),
        call: CallBinding {
            id: "0123456789abcdef".into(),
            kind: CallKind::Tool,
            name: "refund".into(),
            component: "sha256:00".into(),
            arguments: "hmac-sha256:00".into(),
        },
        created_at: NOW,
        expires_at: NOW + 60,
    }
}

/// Returns head and body of a request.
fn parts(request: &str) -> (String, Value) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a whole request");
    (
        head.to_ascii_lowercase(),
        serde_json::from_str(body).expect("JSON"),
    )
}

#[tokio::test]
async fn a_point_is_told_who_asks_and_for_what_and_no_token_of_anyone() {
    let scripted = started().await;
    let clock = Hands::at(NOW);
    let key = SecretString::from("key-of-the-host".to_owned());
    let settings = PolicyPointSettings {
        auth: Auth::Static(StaticAuth {
            place: KeyPlace::Header {
                name: header::AUTHORIZATION,
                prefix: "Bearer ".into(),
            },
            keys: StaticKeys::One(key),
        }),
        ..settings_of(&scripted)
    };
    let decided = Asked::usual().decide(&of(settings, &clock)).await;
    assert_eq!(decided, Ok(PolicyDecision::Allowed));
    let requests = scripted.requests();
    let (head, body) = parts(requests.first().expect("a request"));
    assert!(
        head.starts_with("post /access/v1/evaluation http/1.1\r\n"),
        "{head}"
    );
    for line in [
        "content-type: application/json",
        "accept: application/json",
        "authorization: bearer key-of-the-host",
        "x-request-id: 0123456789abcdef",
    ] {
        assert!(head.lines().any(|one| one == line), "{line}: {head}");
    }
    let expected = json!({
        "subject": {
            "type": "user",
            "id": "alice",
            "properties": {
                "issuer": "https://idp.example",
                "alias": "corp",
                "sub": "alice",
                "tenant": "acme",
            },
        },
        "action": {"name": "POST /refunds?dry={}", "properties": {"method": "POST"}},
        "resource": {"type": "service", "id": "shop"},
        "context": {
            "agent": {"id": "clerk", "client_id": "desk"},
            "call": {"kind": "tool", "name": "refund", "component": "sha256:00"},
            "mode": "on_behalf_of",
            "arguments": {"order": "A-1"},
            "request": {
                "path": "/refunds",
                "query": {"dry": "1"},
                "body": {"amount": 5},
            },
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_point_is_told_no_more_than_the_operator_wants_and_a_name_that_is_one() {
    let scripted = started().await;
    let clock = Hands::at(NOW);
    let settings = PolicyPointSettings {
        subject: SubjectNaming::WithAlias,
        tells: ToldFacts {
            query: false,
            body: false,
            arguments: false,
        },
        ..settings_of(&scripted)
    };
    let decided = Asked::usual().decide(&of(settings, &clock)).await;
    assert_eq!(decided, Ok(PolicyDecision::Allowed));
    let requests = scripted.requests();
    let (_, body) = parts(requests.first().expect("a request"));
    assert_eq!(body.pointer("/subject/id"), Some(&json!("corp:alice")));
    assert_eq!(
        body.pointer("/context/request"),
        Some(&json!({"path": "/refunds"}))
    );
    assert_eq!(body.pointer("/context/arguments"), None);
}

#[tokio::test]
async fn a_request_that_could_mean_two_things_is_refused_unless_the_point_is_not_told() {
    type Unlike = fn(&mut Asked, &[u8], Option<&'static str>);
    let scripted = started().await;
    let large = vec![b' '; question::MAX_QUESTION];
    let form = Some("application/x-www-form-urlencoded");
    let changes: [(&str, Unlike); 7] = [
        ("a good form", |asked, _, form| {
            (asked.content_type, asked.body) = (form, b"amount=5".to_vec());
        }),
        ("no body", |asked, _, _| {
            (asked.content_type, asked.body) = (None, Vec::new());
        }),
        ("twice but for its case", |asked, _, _| {
            asked.body = br#"{"amount":5,"Amount":5000}"#.to_vec();
        }),
        ("no type", |asked, _, _| asked.content_type = None),
        ("another type", |asked, _, _| {
            asked.content_type = Some("text/plain");
        }),
        ("a query with a name twice", |asked, _, _| {
            asked.target = "/refunds?dry=1&dry=0";
        }),
        ("too large", |asked, large, form| {
            (asked.content_type, asked.body) = (form, [b"note=", large].concat());
        }),
    ];
    for (number, (what, change)) in changes.into_iter().enumerate() {
        let mut asked = Asked::usual();
        change(&mut asked, &large, form);
        let (point, clock) = point_at(&scripted);
        let before = scripted.asked();
        let decided = asked.decide(&point).await;
        let is_good = number < 2;
        assert_eq!(decided.is_ok(), is_good, "{what}: {decided:?}");
        assert_eq!(scripted.asked() - before, usize::from(is_good), "{what}");
        if let Err(why) = decided {
            let told = DownstreamError::from(why).to_string();
            assert!(told.contains("cannot be asked about it"), "{what}: {told}");
        }
        let tells = ToldFacts {
            query: false,
            body: false,
            ..EVERYTHING
        };
        let quiet = PolicyPointSettings {
            tells,
            ..settings_of(&scripted)
        };
        let decided = asked.decide(&of(quiet, &clock)).await;
        assert_eq!(decided, Ok(PolicyDecision::Allowed), "{what}, not told");
    }
}
