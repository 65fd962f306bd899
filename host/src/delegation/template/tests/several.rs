//! Several templates: which of them a request is of, and which it may be meant as.

use super::*;

#[test]
fn of_several_templates_the_closest_is_applied_whatever_their_order() {
    let allow = [
        "GET /{**}",
        "GET /{**}:cancel",
        "GET /v1/{**}",
        "GET /v1/{}",
        "GET /v1/{}:cancel",
        "GET /v1/op:cancel",
        "GET /v1/{**}/log",
        "GET /v1/{}/log",
        "GET /v1/{}?kind={}&of={}",
        "GET /v1/{}?kind={}",
        "GET /v1/{}?kind=a",
        "GET /u/{actor.sub}",
        "GET /u/{}",
        "GET /u/{}/",
        "GET /t?tag={*}",
        "GET /t?tag={}",
        "GET /t?tag={*}&of={}",
    ];
    for (path, query, closest) in [
        (vec!["x"], vec![], "GET /{**}"),
        (vec!["v1", "x"], vec![], "GET /v1/{}"),
        (vec!["v1", "x|:cancel"], vec![], "GET /v1/{}:cancel"),
        (vec!["v1", "op:cancel"], vec![], "GET /v1/op:cancel"),
        (vec!["v1", "x", "y"], vec![], "GET /v1/{**}"),
        (vec!["v2", "x", "y|:cancel"], vec![], "GET /{**}:cancel"),
        (vec!["v1", "x", "y|:cancel"], vec![], "GET /v1/{**}"),
        (vec!["v1", "x", "log"], vec![], "GET /v1/{}/log"),
        (vec!["v1", "x", "y", "log"], vec![], "GET /v1/{**}/log"),
        (vec!["v1", "x"], vec![("kind", "a")], "GET /v1/{}?kind=a"),
        (vec!["v1", "x"], vec![("kind", "b")], "GET /v1/{}?kind={}"),
        (vec!["u", "@sub"], vec![], "GET /u/{actor.sub}"),
        (vec!["u", "bob"], vec![], "GET /u/{}"),
        (vec!["u", "bob", "@slash"], vec![], "GET /u/{}/"),
        (vec!["t"], vec![("tag", "a")], "GET /t?tag={}"),
        (
            vec!["t"],
            vec![("tag", "a"), ("tag", "b")],
            "GET /t?tag={*}",
        ),
        (vec!["t"], vec![("of", "a")], "GET /t?tag={*}&of={}"),
    ] {
        let request = request("GET", &path, &query);
        let templates = allow.map(|text| text.parse::<Template>().unwrap());
        let covering = templates.iter().filter(|one| one.covers(&request));
        let mut covering: Vec<&Template> = covering.collect();
        let closest_of = |all: &[&Template]| {
            let found = all.iter().max_by_key(|one| one.closeness(&request));
            found.map(ToString::to_string)
        };
        let found = closest_of(&covering);
        covering.reverse();
        let reversed = closest_of(&covering);
        assert_eq!(found.as_deref(), Some(closest), "{path:?} {query:?}");
        assert_eq!(found, reversed, "{path:?} {query:?}");
    }
}

#[test]
fn a_request_may_be_meant_as_another_template_has_it_however_its_text_is_cut() {
    for (closest, other, path, query, expected) in [
        ("/f/{**}", "/f/secret", vec!["f", "sec|ret"], "", true),
        ("/f/{**}", "/f/secret", vec!["f", "sec|rets"], "", false),
        ("/f/{}", "/f/secret", vec!["f", "Secret;a"], "", true),
        ("/f/{}", "/f/secret", vec!["f", "public"], "", false),
        ("/v1/{}", "/v1/{}:cancel", vec!["v1", "op:Cancel"], "", true),
        ("/v1/{}", "/v1/{}:cancel", vec!["v1", ":cancel"], "", true),
        (
            "/v1/{}",
            "/v1/{}:cancel",
            vec!["v1", "op:delete"],
            "",
            false,
        ),
        ("/v1/{}", "/{**}:cancel", vec!["v1", "op:cancel"], "", true),
        (
            "/v1/{}:cancel",
            "/v1/{}",
            vec!["v1", "op|:cancel"],
            "",
            false,
        ),
        (
            "/v1/{}:cancel",
            "/{**}",
            vec!["v1", "op|:cancel"],
            "",
            false,
        ),
        ("/f?q={}", "/f?q=is:{}", vec!["f"], "is:open", true),
        ("/f?q={}", "/f?q=is:{}", vec!["f"], "open", false),
        ("/u/{}", "/u/{actor.sub}", vec!["u", "alice@x"], "", false),
        (
            "/f/{}/",
            "/f/secret",
            vec!["f", "secret", "@slash"],
            "",
            true,
        ),
        ("/f/{}", "/f/secret/", vec!["f", "secret"], "", true),
        ("/f/{}/", "/f/{}", vec!["f", "secret", "@slash"], "", false),
        ("/f?q={*}", "/f?q=secret", vec!["f"], "Secret", true),
    ] {
        let query = Some(("q", query)).filter(|(_, value)| !value.is_empty());
        let request = request("GET", &path, query.as_slice());
        let template = |path: &str| format!("GET {path}").parse::<Template>().unwrap();
        let (closest, other) = (template(closest), template(other));
        assert!(closest.covers(&request), "{closest} {path:?}");
        let meant = other.may_be_meant(&request, &closest);
        assert_eq!(meant, expected, "{closest} or {other}: {path:?}");
        assert!(!closest.may_be_meant(&request, &closest), "{closest}");
    }
}
