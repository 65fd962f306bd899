//! Templates: the requests that they cover, the values that they bind, and the faults that they may
//! have.
#![expect(clippy::unwrap_used, reason = "tests")]

mod several;

use bailiwick_envelope::ActorKind;

use super::*;

fn actor(sub: &str, tenant: Option<&str>) -> Actor {
    Actor {
        kind: ActorKind::User,
        sub: sub.into(),
        iss: "https://idp.example".into(),
        tenant: tenant.map(String::from),
        acr: None,
        auth_time: None,
    }
}

/// Returns a request whose path and query are written as text: `@sub` stands for the actor's
/// subject, `@slash` for the slash at the end of a path, and `|` joins pieces.
fn request(method: &str, path: &[&str], query: &[(&str, &str)]) -> Request {
    let piece = |text: &str| match text {
        "@sub" => Piece::ActorSub,
        "@tenant" => Piece::ActorTenant,
        "@iss" => Piece::ActorIssuer,
        text => Piece::Text(text.into()),
    };
    let part = |text: &&str| match *text {
        "@slash" => Part(Vec::new()),
        text => Part(text.split('|').map(piece).collect()),
    };
    Request {
        service: "s".into(),
        method: method.into(),
        path: path.iter().map(part).collect(),
        query: query
            .iter()
            .map(|(key, value)| ((*key).into(), part(value)))
            .collect(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

fn fill(
    template: &str,
    request: &Request,
    actor: &Actor,
) -> Result<Option<String>, DownstreamError> {
    template
        .parse::<Template>()
        .map_err(|error| DownstreamError::InvalidRequest(error.to_string()))?
        .fill(request, actor)
}

/// A request, and the target that it has, or the word for its refusal. The SDKs hold their scenes
/// to the same.
#[derive(serde::Deserialize)]
struct Case {
    template: String,
    method: String,
    path: Vec<String>,
    query: Vec<(String, String)>,
    expected: String,
}

#[test]
fn a_request_is_covered_by_its_template_alone() {
    let alice = actor("alice@x", Some("acme"));
    let cases = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../guest-sdk/tests/templates.json"
    );
    let cases = std::fs::read_to_string(cases).unwrap();
    for case in serde_json::from_str::<Vec<Case>>(&cases).unwrap() {
        let path: Vec<&str> = case.path.iter().map(String::as_str).collect();
        let query = case.query.iter();
        let query: Vec<_> = query.map(|(key, value)| (&**key, &**value)).collect();
        let filled = match fill(
            &case.template,
            &request(&case.method, &path, &query),
            &alice,
        ) {
            Ok(filled) => filled.unwrap_or_else(|| "not-granted".to_owned()),
            Err(DownstreamError::InvalidRequest(_)) => "invalid-request".to_owned(),
            Err(other) => other.to_string(),
        };
        let Case {
            template,
            method,
            expected,
            ..
        } = &case;
        assert_eq!(
            &filled, expected,
            "{template} for {method} {path:?} {query:?}"
        );
    }
}

#[test]
fn a_segment_of_several_pieces_stays_one_segment() {
    let alice = actor("alice", None);
    for (template, segment) in [
        ("GET /{}", ""),
        ("GET /{}:cancel", "a/../b|:cancel"),
        ("GET /{}:cancel", "..\\|:cancel"),
        ("GET /{}:cancel", "a\r\n|:cancel"),
        ("GET /.{}", ".|."),
        ("GET /.{}", ".|"),
        ("GET /{}.", "|."),
        ("GET /{}:cancel", "|:cancel"),
        ("GET /user-{}", "user-|"),
        ("GET /{}...{}", "a|...|"),
        ("GET /{}:cancel", "..|:cancel"),
        ("GET /{}:cancel", "%2e%2E|:cancel"),
        ("GET /.{}", ".|%2e"),
        ("GET /{**}", "%2e|%2e"),
        ("GET /{**}", "%252e"),
        ("GET /{**}:cancel", "|:cancel"),
        ("GET /{**}:cancel", ".|.|:cancel"),
        ("GET /{**}:cancel", "a/b|:cancel"),
        ("GET /{**}", ".|."),
        ("GET /{**}", "|"),
        ("GET /{**}", ".|/|."),
        ("GET /{**}", "a|/../b"),
        ("GET /{**}", "@iss"),
        ("GET /{**}", "@sub|/"),
    ] {
        let refused = fill(template, &request("GET", &[segment], &[]), &alice);
        assert!(
            matches!(refused, Err(DownstreamError::InvalidRequest(_))),
            "{template} with {segment:?}: {refused:?}"
        );
    }
    for (segment, filled) in [
        ("%2e|a", "/%252ea"),
        ("a|%2f..", "/a%252f.."),
        (".|a", "/.a"),
    ] {
        let request = request("GET", &[segment], &[]);
        assert_eq!(fill("GET /{**}", &request, &alice), Ok(Some(filled.into())));
    }
    let nothing = Request {
        path: vec![Part(Vec::new())],
        ..request("GET", &[], &[])
    };
    for template in ["GET /{**}", "GET /{}", "GET /"] {
        assert_eq!(fill(template, &nothing, &alice), Ok(None), "{template}");
    }
}

#[test]
fn what_the_host_fills_in_passes_the_same_refusals() {
    for (sub, template, segment) in [
        ("..", "GET /c/{actor.sub}", "@sub"),
        ("a/b", "GET /c/{actor.sub}", "@sub"),
        ("a\\b", "GET /c/{actor.sub}", "@sub"),
        (".", "GET /c/{actor.sub}", "@sub"),
        ("", "GET /c/{actor.sub}", "@sub"),
        ("", "GET /c/user-{actor.sub}", "user-|@sub"),
    ] {
        let request = request("GET", &["c", segment], &[]);
        let refused = fill(template, &request, &actor(sub, None));
        assert!(
            matches!(refused, Err(DownstreamError::InvalidRequest(_))),
            "{template} for {sub:?}"
        );
    }
    let refused = fill(
        "GET /t/{actor.tenant}",
        &request("GET", &["t", "@tenant"], &[]),
        &actor("a", None),
    );
    assert!(matches!(refused, Err(DownstreamError::NotGranted(_))));
}

#[test]
fn the_actor_must_be_bound_before_anything_is_free() {
    for (template, bound) in [
        ("GET /c/{actor.sub}/orders/{}", true),
        ("POST /c/{actor.sub}", true),
        ("GET /c?user={actor.sub}&q={}", true),
        ("HEAD /c?user={actor.sub}", true),
        ("POST /c?user={actor.sub}", false),
        ("PUT /c?user={actor.sub}", false),
        ("PATCH /c?user={actor.sub}", false),
        ("DELETE /c?user={actor.sub}", false),
        ("POST /c/{actor.sub}?user={actor.sub}", true),
        ("GET /c?q={}&user={actor.sub}", false),
        ("GET /c/{}/x/{actor.sub}", false),
        ("GET /t/{actor.tenant}/{}", false),
        ("GET /reports", false),
        ("GET /{**}", false),
        ("GET /{**}/{actor.sub}", false),
        ("GET /c/{actor.sub}/{**}:cancel", true),
        ("GET /c/user:{actor.sub}/{}", true),
        ("GET /c/{actor.sub}:orders/{}", true),
        ("GET /c/{actor.sub}-{}", false),
        ("GET /c/{}-{actor.sub}", false),
        ("GET /c/{actor.tenant}-{actor.sub}", false),
        ("GET /c/{actor.sub}-{actor.sub}", false),
        ("GET /c?iss={actor.iss}&user={actor.sub}", true),
        ("GET /c/{actor.sub}/", true),
        ("GET /c?q={*}&user={actor.sub}", false),
    ] {
        assert_eq!(
            template.parse::<Template>().map(|t| t.binds_actor_first()),
            Ok(bound),
            "{template}"
        );
    }
}

#[test]
fn a_template_that_makes_no_sense_is_refused() {
    for text in [
        "",
        "GET",
        "get /a",
        "TRACE /a",
        "GET a",
        "GET /a//b",
        "GET /a/../b",
        "GET /{}{}",
        "GET /{actor.sub}{}",
        "GET /a{}{actor.sub}",
        "GET /a{**}",
        "GET /{**}/{**}",
        "GET /{**}/a/{**}:b",
        "GET /{**}{}",
        "GET /{**}a b",
        "GET /{",
        "GET /}",
        "GET /{}}",
        "GET /a{",
        "GET /{{}}",
        "GET /{actor.iss}",
        "GET /x-{actor.iss}",
        "GET /{user}",
        "GET /a?b",
        "GET /a?b={}&b={}",
        "GET /a?b={**}",
        "GET /a b",
        "GET /%2e",
        "GET //",
        "GET /a//",
        "GET /{*}",
        "GET /a?b={*}&b={}",
    ] {
        assert!(text.parse::<Template>().is_err(), "{text}");
    }
    for text in ["GET /a/", "GET /{}/{**}/", "GET /a?b={*}&c[d]={}"] {
        assert!(text.parse::<Template>().is_ok(), "{text}");
    }
}

#[test]
fn a_remote_tool_is_covered_by_its_exact_name_alone() {
    let alice = actor("alice@x", None);
    let template: Template = "tools/call issues.create".parse().unwrap();
    assert_eq!(template.tool(), Some("issues.create"));
    assert!(!template.names_actor() && !template.binds_actor_first());
    assert!(template.covers(&template.example()));
    for (method, path, query, expected) in [
        (
            "tools/call",
            &["issues.create"][..],
            &[][..],
            Some("issues.create"),
        ),
        ("tools/call", &["Issues.create"], &[], None),
        ("tools/call", &["issues.%63reate"], &[], None),
        ("tools/call", &["issues|.create"], &[], None),
        ("tools/call", &["issues.create", "x"], &[], None),
        ("tools/call", &[], &[], None),
        ("tools/call", &["@sub"], &[], None),
        ("tools/call", &["issues.create"], &[("a", "b")], None),
        ("tools/list", &["issues.create"], &[], None),
        ("POST", &["issues.create"], &[], None),
    ] {
        let request = request(method, path, query);
        let filled = template.fill(&request, &alice);
        assert_eq!(
            filled,
            Ok(expected.map(String::from)),
            "{method} {path:?} {query:?}"
        );
    }
    let get: Template = "GET /{}".parse().unwrap();
    let call = request("tools/call", &["a"], &[]);
    assert!(get.tool().is_none() && !get.covers(&call));
    for (text, fine) in [
        ("tools/call a", true),
        ("tools/call a/b-c_d.E", true),
        ("tools/call ", false),
        ("tools/call {}", false),
        ("tools/call a b", false),
        ("tools/call a?b", false),
        ("tools/call \u{e9}", false),
    ] {
        assert_eq!(text.parse::<Template>().is_ok(), fine, "{text}");
    }
}
