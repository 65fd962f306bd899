//! Which URIs a component may name, and what they mean.

use serde_json::json;

use super::*;

fn pattern(text: &str) -> Result<Pattern, UriError> {
    Pattern::parse(text, &Namespace::of("Orders_EU"))
}

#[test]
fn a_component_names_only_what_is_its_own() {
    for (uri, good) in [
        ("orders-eu://terms", true),
        ("orders-eu://orders/{id}", true),
        ("orders-eu://{id}", true),
        ("orders-eu://a/{id}.json", true),
        ("orders-eu://a/v-{id}-x", true),
        ("orders-eu://a%20b", true),
        ("ui://orders-eu/table.html", true),
        ("ui://orders-eu", true),
        ("ui://{x}/table.html", false),
        ("ui://orders-eu{x}/table.html", false),
        ("ui://orders/table.html", false),
        ("ui://orders-eu@evil/table.html", false),
        ("orders://terms", false),
        ("Orders-eu://terms", false),
        ("orders-eu:terms", false),
        ("orders-eu:///terms", false),
        ("orders-eu://", false),
        ("orders-eu://a//b", false),
        ("orders-eu://a/", false),
        ("orders-eu://a/../b", false),
        ("orders-eu://a/%", false),
        ("orders-eu://a/%2", false),
        ("orders-eu://a/%ff", false),
        ("orders-eu://a?b", false),
        ("orders-eu://a#b", false),
        ("orders-eu://a b", false),
        ("orders-eu://a/{id}{x}", false),
        ("orders-eu://{id}/{id}", false),
        ("orders-eu://{+id}", false),
        ("orders-eu://{id", false),
        ("orders-eu://id}", false),
        ("orders-eu://{}", false),
        ("https://orders-eu/x", false),
        ("file://orders-eu/x", false),
    ] {
        assert_eq!(pattern(uri).is_ok(), good, "{uri}: {:?}", pattern(uri));
    }
    for name in ["https", "file", "ui", "7up", "data"] {
        let (namespace, own) = (Namespace::of(name), format!("{name}://x"));
        assert!(Pattern::parse(&own, &namespace).is_err(), "{name}");
        let shown = format!("ui://{name}/x");
        assert!(Pattern::parse(&shown, &namespace).is_ok(), "{name}");
    }
    assert!(pattern(&format!("orders-eu://{}", "a".repeat(MAX_URI))).is_err());
}

#[test]
fn a_uri_gives_the_values_of_its_variables_or_none() {
    let family = "orders-eu://orders/{id}/v-{part}.md";
    for (uri, values) in [
        (
            "orders-eu://orders/7/v-a.md",
            Some(json!({"id": "7", "part": "a"})),
        ),
        (
            "orders-eu://orders/a%2Fb/v-%C3%BC.md",
            Some(json!({"id": "a/b", "part": "ü"})),
        ),
        ("orders-eu://orders/%2E/v-..md", None),
        ("orders-eu://orders/%2e%2E/v-a.md", None),
        ("orders-eu://orders//v-a.md", None),
        ("orders-eu://orders/7/v-.md", None),
        ("orders-eu://orders/7/v-a.md/b", None),
        ("orders-eu://orders/7", None),
        ("orders-eu://orders/%00/v-a.md", None),
        ("orders-eu://orders/%ff/v-a.md", None),
        ("orders-eu://orders/%/v-a.md", None),
        ("orders-eu://orders/a b/v-a.md", None),
        ("orders-eu://orders/7?x/v-a.md", None),
        ("ORDERS-EU://orders/7/v-a.md", None),
        ("x://orders/7/v-a.md", None),
    ] {
        let found = pattern(family).ok().and_then(|family| family.matched(uri));
        assert_eq!(found.map(Value::Object), values, "{uri}");
    }
}

#[test]
fn two_families_overlap_exactly_if_a_uri_could_be_of_both() {
    for (one, two, overlap) in [
        ("a/{x}", "a/{y}", true),
        ("a/{x}", "b/{y}", false),
        ("a/{x}", "{y}/b", true),
        ("a/{x}", "a/{y}/c", false),
        ("a/v-{x}", "a/w-{y}", false),
        ("a/v-{x}", "a/{y}-w", true),
        ("a/{x}.md", "a/{y}.txt", false),
        ("a/{x}", "a/b", true),
        ("a/v-{x}", "a/b", false),
    ] {
        let read = |rest: &str| pattern(&format!("orders-eu://{rest}"));
        let found = read(one).and_then(|one| read(two).map(|two| one.overlaps(&two)));
        assert_eq!(found, Ok(overlap), "{one} {two}");
    }
}
