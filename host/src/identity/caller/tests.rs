//! Claims become a caller by the rules of their issuer.
#![expect(clippy::expect_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::identity::testing::settings;
use crate::identity::{ClientPattern, ClientRule, TextRule};

/// Returns the caller of a token with these claims besides the usual ones.
fn caller(issuer: &IssuerSettings, claims: &Value) -> Result<Caller, TokenError> {
    let mut members = json!({"sub": "alice", "client_id": "app", "exp": 100});
    let all = members.as_object_mut().expect("an object");
    for (name, value) in claims.as_object().expect("an object") {
        // `null` stands for an absent claim.
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    Caller::new(&Verified::for_tests(&members), issuer, [7; 32])
}

#[test]
fn the_client_is_what_one_of_three_claims_says() {
    let client =
        |claims: Value| caller(&settings(), &claims).map(|caller| caller.agent().client_id.clone());
    assert_eq!(client(json!({})), Ok("app".into()));
    assert_eq!(
        client(json!({"azp": "other"})),
        Ok("app".into()),
        "the first"
    );
    assert_eq!(
        client(json!({"client_id": null, "azp": "b"})),
        Ok("b".into())
    );
    assert_eq!(
        client(json!({"client_id": null, "appid": "c"})),
        Ok("c".into())
    );
    let missing = TokenError::Claim("client_id".into());
    assert_eq!(client(json!({"client_id": null})), Err(missing.clone()));
    assert_eq!(client(json!({"client_id": 7, "azp": "b"})), Err(missing));
}

#[test]
fn a_service_account_is_told_from_a_user_by_the_rule_of_its_issuer() {
    let by_claim = |fits: TextRule| IssuerSettings {
        service_when: ServiceRule::Claim {
            claim: "kind".into(),
            fits,
        },
        ..settings()
    };
    let kind = |issuer: &IssuerSettings, claims: Value| {
        caller(issuer, &claims).map(|caller| caller.actor().kind)
    };
    let (user, service) = (Ok(ActorKind::User), Ok(ActorKind::Service));
    assert_eq!(kind(&settings(), json!({})), user);
    assert_eq!(kind(&settings(), json!({"sub": "app"})), service);
    for (fits, claim, expected) in [
        (TextRule::Equals("svc".into()), "svc", &service),
        (TextRule::Equals("svc".into()), "svc-1", &user),
        (TextRule::Begins("svc".into()), "svc-1", &service),
        (TextRule::Begins("svc".into()), "a-svc", &user),
        (TextRule::Ends("svc".into()), "a-svc", &service),
        (TextRule::Ends("svc".into()), "svc-1", &user),
    ] {
        let issuer = by_claim(fits);
        assert_eq!(kind(&issuer, json!({"kind": claim})), *expected, "{claim}");
        let both = json!({"sub": "app", "kind": claim});
        assert_eq!(kind(&issuer, both), service, "it is the client itself");
    }
    let issuer = by_claim(TextRule::Equals("svc".into()));
    let missing = TokenError::Claim("kind".into());
    assert_eq!(kind(&issuer, json!({})), Err(missing), "in every token");
}

#[test]
fn the_subject_and_the_tenant_come_from_the_claims_that_the_operator_names() {
    let issuer = IssuerSettings {
        subject_claim: "oid".into(),
        tenant: Some(TenantRule::Claim("tid".into())),
        ..settings()
    };
    let names = |claims: Value| {
        let caller = caller(&issuer, &claims)?;
        Ok((caller.actor().sub.clone(), caller.actor().tenant.clone()))
    };
    let both = json!({"oid": "0a1b", "tid": "acme"});
    assert_eq!(names(both), Ok(("0a1b".into(), Some("acme".into()))));
    let missing = |name: &str| Err(TokenError::Claim(name.into()));
    assert_eq!(names(json!({"tid": "acme"})), missing("oid"));
    assert_eq!(names(json!({"oid": "0a1b"})), missing("tid"));
    let fixed = IssuerSettings {
        tenant: Some(TenantRule::Fixed("acme".into())),
        ..settings()
    };
    let claimed = caller(&fixed, &json!({"tid": "other", "tenant": "other"}));
    let tenant = claimed.map(|caller| caller.actor().tenant.clone());
    assert_eq!(tenant, Ok(Some("acme".into())));
}

#[test]
fn the_agent_is_the_outermost_actor_and_those_before_it_are_kept_in_order() {
    let chain = json!({"act": {"sub": "a", "act": {"sub": "b", "iss": "i", "act": {"sub": "c"}}}});
    let agent = caller(&settings(), &chain)
        .expect("a caller")
        .agent()
        .clone();
    let prior: Vec<_> = agent
        .prior
        .iter()
        .map(|actor| (actor.sub.as_str(), actor.iss.as_deref()))
        .collect();
    assert_eq!((agent.id.as_str(), agent.client_id.as_str()), ("a", "app"));
    assert_eq!(prior, [("b", Some("i")), ("c", None)]);
    // The issuer that is stated for the agent itself is kept for denials.
    for (act, expected) in [
        (json!({"sub": "a", "iss": "https://agents.example"}), true),
        (json!({"sub": "a"}), false),
    ] {
        let caller = caller(&settings(), &json!({"act": act})).expect("a caller");
        assert_eq!(caller.agent_issuer().is_some(), expected, "{act}");
        assert_eq!(caller.asking().agent_issuer.is_some(), expected, "{act}");
    }
    let by_claim = IssuerSettings {
        agent: AgentRule::Claim("bot".into()),
        ..settings()
    };
    let named = caller(&by_claim, &json!({"bot": "robin", "act": {"sub": "a"}}));
    let agent = named.expect("a caller").agent().clone();
    assert_eq!((agent.id.as_str(), agent.prior.len()), ("robin", 1));
    assert!(caller(&by_claim, &json!({})).is_err(), "in every token");
}

#[test]
fn a_chain_of_actors_that_is_too_long_or_malformed_is_refused_and_not_cut() {
    let chain = |length: usize| {
        (0..length).fold(json!(null), |inner, number| {
            if inner.is_null() {
                json!({"sub": number.to_string()})
            } else {
                json!({"sub": number.to_string(), "act": inner})
            }
        })
    };
    assert!(caller(&settings(), &json!({"act": chain(8)})).is_ok());
    let refused = Some(TokenError::Claim("act".into()));
    let long = caller(&settings(), &json!({"act": chain(9)}));
    assert_eq!(long.err(), refused);
    assert_eq!(caller(&settings(), &json!({"act": "a"})).err(), refused);
    for (bytes, accepted) in [(256, true), (257, false)] {
        for act in [
            json!({"sub": "o".repeat(bytes)}),
            json!({"sub": "o", "act": {"sub": "i".repeat(bytes)}}),
            json!({"sub": "o", "act": {"sub": "i", "iss": "i".repeat(bytes)}}),
        ] {
            let found = caller(&settings(), &json!({"act": act}));
            assert_eq!(found.is_ok(), accepted, "{act}");
        }
    }
    assert!(caller(&settings(), &json!({"act": {}})).is_err());
}

#[test]
fn a_session_is_named_by_the_first_of_sid_jti_and_the_token_itself() {
    let session =
        |claims: Value| caller(&settings(), &claims).map(|caller| caller.session().clone());
    let both = json!({"sid": "s", "jti": "j"});
    assert_eq!(session(both), Ok(SessionBasis::SessionId("s".into())));
    let one = json!({"jti": "j"});
    assert_eq!(session(one), Ok(SessionBasis::TokenId("j".into())));
    assert_eq!(session(json!({})), Ok(SessionBasis::TokenDigest([7; 32])));
    let odd = json!({"sid": 7, "jti": "j"});
    assert_eq!(session(odd), Ok(SessionBasis::TokenId("j".into())));
}

#[test]
fn the_client_may_be_named_by_okta_or_by_a_claim_of_the_operator() {
    let client = |rule: ClientRule, claims: Value| {
        let issuer = IssuerSettings {
            client: rule,
            ..settings()
        };
        caller(&issuer, &claims).map(|caller| caller.agent().client_id.clone())
    };
    let usual = ClientRule::default();
    let okta = json!({"client_id": null, "cid": "0oa1"});
    assert_eq!(client(usual, okta), Ok("0oa1".into()));
    let own = || ClientRule {
        claim: Some("app".into()),
        ..ClientRule::default()
    };
    let both = json!({"app": "robin", "client_id": "other"});
    assert_eq!(client(own(), both), Ok("robin".into()));
    let missing = Err(TokenError::Claim("app".into()));
    assert_eq!(client(own(), json!({})), missing, "no other claim serves");
    assert_eq!(client(own(), json!({"app": 7})), missing);
}

#[test]
fn only_the_clients_that_the_operator_allows_are_admitted() {
    let issuer = IssuerSettings {
        client: ClientRule {
            allowed: Some(vec![
                ClientPattern::Name("web".into()),
                ClientPattern::Origin("https://agents.example".into()),
            ]),
            ..ClientRule::default()
        },
        ..settings()
    };
    for (client, allowed) in [
        ("web", true),
        ("Web", false),
        ("web ", false),
        ("https://agents.example/robin.json", true),
        ("https://agents.example/a/robin?v=2", true),
        ("https://agents.example.evil.example/robin.json", false),
        (
            "https://evil.example/https://agents.example/robin.json",
            false,
        ),
        ("https://agents.example:8443/robin.json", false),
        ("https://agents.example@evil.example/robin.json", false),
        ("https://AGENTS.example/robin.json", false),
        ("https://agents.example", false),
        ("https://agents.example/robin.json#x", false),
        ("http://agents.example/robin.json", false),
    ] {
        let admitted = caller(&issuer, &json!({"client_id": client}));
        assert_eq!(admitted.is_ok(), allowed, "{client}: {:?}", admitted.err());
    }
    let url = format!("https://agents.example/{}", "r".repeat(2048 - 23));
    let long = caller(&issuer, &json!({"client_id": url, "sub": url})).expect("a caller");
    assert_eq!(long.agent().id, url);
    assert_eq!(long.actor().kind, ActorKind::Service);
    let other = json!({"client_id": "web", "sub": url});
    assert!(
        caller(&issuer, &other).is_err(),
        "a long subject is only the client itself"
    );
    let act = json!({"sub": url, "act": {"sub": url}});
    let acting = json!({"client_id": url, "act": act});
    let acting = caller(&issuer, &acting).expect("a caller");
    let prior = acting.agent().prior.first().map(|prior| prior.sub.clone());
    assert_eq!((&acting.agent().id, prior.as_ref()), (&url, Some(&url)));
    for (client, actor) in [("web", &url), (url.as_str(), &format!("{url}/"))] {
        let other = json!({"client_id": client, "act": {"sub": actor}});
        assert!(
            caller(&issuer, &other).is_err(),
            "a long actor is only the client itself"
        );
    }
}

#[test]
fn a_token_without_subject_is_the_clients_own_only_if_it_states_so() {
    let tolerant = IssuerSettings {
        subject_claim: "uid".into(),
        client: ClientRule {
            without_subject: true,
            ..ClientRule::default()
        },
        ..settings()
    };
    let strict = IssuerSettings {
        client: ClientRule::default(),
        ..tolerant.clone()
    };
    let name = |issuer: &IssuerSettings, claims: Value| {
        let caller = caller(issuer, &claims)?;
        Ok((caller.actor().sub.clone(), caller.actor().kind))
    };
    let missing = Err(TokenError::Claim("uid".into()));
    let own = Ok(("app".into(), ActorKind::Service));
    for (claims, expected) in [
        (json!({"uid": "00u1"}), Ok(("00u1".into(), ActorKind::User))),
        (json!({"sub": "app"}), own.clone()),
        // A user's token may lack `sub` too, so its absence proves nothing.
        (json!({"sub": null}), missing.clone()),
        // `sub` names a user, who lacks the claim for another reason.
        (json!({"sub": "alice"}), missing.clone()),
        (json!({"sub": 7}), Err(TokenError::Claim("sub".into()))),
        (json!({"uid": 7, "sub": "app"}), missing.clone()),
    ] {
        assert_eq!(name(&tolerant, claims.clone()), expected, "{claims}");
    }
    assert_eq!(name(&strict, json!({"sub": "app"})), missing);
    // As AD FS could be configured, whose tokens have no `sub`.
    let by_claim = IssuerSettings {
        subject_claim: "sub".into(),
        service_when: ServiceRule::Claim {
            claim: "kind".into(),
            fits: TextRule::Equals("app".into()),
        },
        ..tolerant
    };
    let lacks = |claim: &str| Err(TokenError::Claim(claim.into()));
    for (claims, expected) in [
        (json!({"sub": null, "kind": "app"}), own.clone()),
        (json!({"sub": null, "kind": "user"}), lacks("sub")),
        (json!({"sub": null}), lacks("kind")),
        (json!({"sub": null, "kind": 7}), lacks("kind")),
        (json!({"sub": "app"}), own),
        (
            json!({"sub": "alice", "kind": "user"}),
            Ok(("alice".into(), ActorKind::User)),
        ),
    ] {
        assert_eq!(name(&by_claim, claims.clone()), expected, "{claims}");
    }
    let other = IssuerSettings {
        subject_claim: "uid".into(),
        ..by_claim
    };
    let claims = json!({"sub": "alice", "kind": "app"});
    assert_eq!(name(&other, claims), lacks("uid"), "it has a user");
}

#[test]
fn claims_that_decide_nothing_keep_no_one_out() {
    let odd = json!({"acr": 1, "amr": "pwd", "auth_time": 7.5, "sid": "", "jti": [],
        "name": null, "act": {"sub": "robin", "act": null}});
    let caller = caller(&settings(), &odd).expect("a caller");
    assert_eq!(
        (caller.actor().acr.as_deref(), caller.actor().auth_time),
        (None, Some(7))
    );
    assert_eq!(caller.session(), &SessionBasis::TokenDigest([7; 32]));
    assert_eq!(
        (caller.agent().id.as_str(), caller.agent().prior.len()),
        ("robin", 0)
    );
}

#[test]
fn names_to_show_are_kept_apart_from_identity_and_keep_no_one_out() {
    let issuer = IssuerSettings {
        agents: Arc::new([("app".to_owned(), "Support desk".to_owned())].into()),
        ..settings()
    };
    let (long, cut) = ("n".repeat(200), "n".repeat(64));
    for (claims, expected) in [
        (
            json!({"preferred_username": "alice.b", "name": "Alice B."}),
            Some("alice.b"),
        ),
        (
            json!({"preferred_username": null, "name": "Alice B."}),
            Some("Alice B."),
        ),
        (json!({"preferred_username": 7, "name": ["x"]}), None),
        (json!({"name": "bob\u{202e}"}), None),
        (json!({"name": ""}), None),
        (json!({"name": long}), Some(&cut)),
        (json!({}), None),
    ] {
        let shown = caller(&issuer, &claims).expect("a caller");
        assert_eq!(shown.display().actor.as_deref(), expected, "{claims}");
        assert_eq!(shown.display().agent.as_deref(), Some("Support desk"));
        let plain = caller(&settings(), &json!({})).expect("a caller");
        assert_eq!(shown.actor(), plain.actor(), "{claims}");
        assert_eq!(shown.agent(), plain.agent(), "{claims}");
        assert_eq!(Principal::from(&shown), Principal::from(&plain));
    }
}
