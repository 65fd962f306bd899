//! Templates: the requests that they cover, the values that they bind, and the faults that they may
//! have.

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
/// subject, and `|` joins pieces.
fn request(method: &str, path: &[&str], query: &[(&str, &str)]) -> Request {
    let piece = |text: &str| match text {
        "@sub" => Piece::ActorSub,
        "@tenant" => Piece::ActorTenant,
        "@iss" => Piece::ActorIssuer,
        text => Piece::Text(text.into()),
    };
    let part = |text: &&str| Part(text.split('|').map(piece).collect());
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

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn a_request_is_covered_by_its_template_alone() {
    type Case<'c> = (
        &'c str,
        &'c str,
        &'c [&'c str],
        &'c [(&'c str, &'c str)],
        Option<&'c str>,
    );
    let alice = actor("alice@x", Some("acme"));
    let cases: &[Case<'_>] = &[
        (
            "GET /orders/{}",
            "GET",
            &["orders", "7"],
            &[],
            Some("/orders/7"),
        ),
        ("GET /orders/{}", "POST", &["orders", "7"], &[], None),
        ("GET /orders/{}", "GET", &["orders"], &[], None),
        ("GET /orders/{}", "GET", &["orders", "7", "8"], &[], None),
        ("GET /orders/{}", "GET", &["Orders", "7"], &[], None),
        (
            "GET /orders/{}",
            "GET",
            &["orders", "7"],
            &[("expand", "all")],
            None,
        ),
        ("GET /orders/{}", "GET", &["orders", "@sub"], &[], None),
        (
            "GET /c/{actor.sub}/orders?status={}",
            "GET",
            &["c", "@sub", "orders"],
            &[],
            Some("/c/alice%40x/orders"),
        ),
        (
            "GET /c/{actor.sub}/orders?status={}",
            "GET",
            &["c", "@sub", "orders"],
            &[("status", "a b")],
            Some("/c/alice%40x/orders?status=a%20b"),
        ),
        (
            "GET /c/{actor.sub}/orders?status={}",
            "GET",
            &["c", "@sub", "orders"],
            &[("status", "a"), ("status", "b")],
            None,
        ),
        (
            "GET /c/{actor.sub}/orders",
            "GET",
            &["c", "alice@x", "orders"],
            &[],
            None,
        ),
        (
            "GET /c/{actor.sub}/orders",
            "GET",
            &["c", "bob", "orders"],
            &[],
            None,
        ),
        (
            "GET /t/{actor.tenant}?u={actor.sub}",
            "GET",
            &["t", "@tenant"],
            &[("u", "@sub")],
            Some("/t/acme?u=alice%40x"),
        ),
        (
            "GET /t/{actor.tenant}?u={actor.sub}",
            "GET",
            &["t", "@tenant"],
            &[],
            None,
        ),
        (
            "GET /files/{**}",
            "GET",
            &["files", "a", "b"],
            &[],
            Some("/files/a/b"),
        ),
        ("GET /files/{**}", "GET", &["files"], &[], None),
        ("GET /", "GET", &[], &[], Some("/")),
        (
            "GET /x?kind=a",
            "GET",
            &["x"],
            &[("kind", "a")],
            Some("/x?kind=a"),
        ),
        ("GET /x?kind=a", "GET", &["x"], &[("kind", "b")], None),
        ("GET /x?kind=a", "GET", &["x"], &[], None),
        (
            "POST /v1:batch",
            "POST",
            &["v1:batch"],
            &[],
            Some("/v1:batch"),
        ),
        ("POST /v1:batch", "POST", &["v1|:batch"], &[], None),
        (
            "POST /v1/{}:cancel",
            "POST",
            &["v1", "op 7|:cancel"],
            &[],
            Some("/v1/op%207:cancel"),
        ),
        (
            "POST /v1/{}:cancel",
            "POST",
            &["v1", "7:delete|:cancel"],
            &[],
            Some("/v1/7%3Adelete:cancel"),
        ),
        ("POST /v1/{}:cancel", "POST", &["v1", "7:cancel"], &[], None),
        (
            "POST /v1/{}:cancel",
            "POST",
            &["v1", "7|:delete"],
            &[],
            None,
        ),
        (
            "POST /v1/{}:cancel",
            "POST",
            &["v1", "7|:|cancel"],
            &[],
            None,
        ),
        (
            "POST /v1/{}:cancel",
            "POST",
            &["v1", "@sub|:cancel"],
            &[],
            None,
        ),
        ("POST /v1/{}", "POST", &["v1", "7|:cancel"], &[], None),
        (
            "GET /diff/{}...{}",
            "GET",
            &["diff", "a|...|b"],
            &[],
            Some("/diff/a...b"),
        ),
        (
            "GET /u/user-{actor.sub}",
            "GET",
            &["u", "user-|@sub"],
            &[],
            Some("/u/user-alice%40x"),
        ),
        (
            "GET /u/user-{actor.sub}",
            "GET",
            &["u", "user-|bob"],
            &[],
            None,
        ),
        (
            "GET /c?iss={actor.iss}&q=owner:{actor.sub}",
            "GET",
            &["c"],
            &[("iss", "@iss"), ("q", "owner:|@sub")],
            Some("/c?iss=https%3A%2F%2Fidp.example&q=owner%3Aalice%40x"),
        ),
        (
            "GET /c?iss={actor.iss}",
            "GET",
            &["c"],
            &[("iss", "https://idp.example")],
            None,
        ),
        (
            "GET /files/{**}",
            "GET",
            &["files", "@tenant|-|a b"],
            &[],
            Some("/files/acme-a%20b"),
        ),
    ];
    for (template, method, path, query, expected) in cases {
        let filled = fill(template, &request(method, path, query), &alice);
        assert_eq!(
            filled.as_ref().map(Option::as_deref),
            Ok(*expected),
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
        ("%2e|%2e", "/%252e%252e"),
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
    assert!(fill("GET /{**}", &nothing, &alice).is_err());
    assert_eq!(fill("GET /{}", &nothing, &alice), Ok(None));
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
        ("GET /c/user:{actor.sub}/{}", true),
        ("GET /c/{actor.sub}:orders/{}", true),
        ("GET /c/{actor.sub}-{}", false),
        ("GET /c/{}-{actor.sub}", false),
        ("GET /c/{actor.tenant}-{actor.sub}", false),
        ("GET /c/{actor.sub}-{actor.sub}", false),
        ("GET /c?iss={actor.iss}&user={actor.sub}", true),
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
        "GET /{}/{**}b",
        "GET /{",
        "GET /}",
        "GET /{}}",
        "GET /a{",
        "GET /{{}}",
        "GET /{actor.iss}",
        "GET /x-{actor.iss}",
        "GET /{user}",
        "GET /{**}/a",
        "GET /a?b",
        "GET /a?b={}&b={}",
        "GET /a?b={**}",
        "GET /a b",
        "GET /%2e",
    ] {
        assert!(text.parse::<Template>().is_err(), "{text}");
    }
}
