//! Which component a name belongs to.
#![expect(clippy::expect_used, reason = "tests")]

use bailiwick_envelope::SigningKey;

use serde_json::json;

use super::super::grant::{Terms, ToolGrant};
use super::*;
use crate::intake::{Loaded, Signed};
use crate::note::VerifierKey;
use crate::sandbox::Code;
use crate::sandbox::{Description, RawDefinition, RawPrompt, RawResource};

fn component(name: &str, tools: &[&str]) -> Offer {
    let definitions = tools.iter().filter_map(|tool| {
        let raw = RawDefinition {
            name: (*tool).into(),
            description: "x".into(),
            input_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            ..RawDefinition::default()
        };
        Definition::check(raw, &ComponentGrant::default()).ok()
    });
    let digest = format!("sha256:{name}");
    Offer {
        code: Code::of_test(&digest),
        component: ComponentId {
            name: name.into(),
            digest,
            signed: None,
        },
        definitions: definitions.collect(),
        resources: Vec::new(),
        prompts: Vec::new(),
    }
}

fn named(names: &[&str]) -> BTreeMap<String, ComponentGrant> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), ComponentGrant::default()))
        .collect()
}

/// Returns the tools as `component:tool`, and the clashes as `component:tool:other`.
fn built(components: Vec<Offer>, configured: &[&str], serving: &Catalog) -> (String, String) {
    let (catalog, clashes) = Catalog::build(components, &named(configured), serving);
    let tools: Vec<_> = catalog
        .tools()
        .map(|tool| format!("{}:{}", tool.backing.component.name, tool.definition.name))
        .collect();
    let clashes = clashes
        .iter()
        .map(|clash| format!("{}:{}:{}", clash.component.name, clash.claim, clash.other));
    (tools.join(" "), clashes.collect::<Vec<_>>().join(" "))
}

#[test]
fn of_two_components_with_one_tool_name_the_configured_one_stays_then_the_serving_one_then_the_first()
 {
    let all = || {
        vec![
            component("a", &["x", "y"]),
            component("b", &["x"]),
            component("c", &["z"]),
        ]
    };
    let (serving_b, _) = Catalog::build(
        vec![component("b", &["x"])],
        &BTreeMap::new(),
        &Catalog::default(),
    );
    let none = Catalog::default();
    for (configured, serving, tools, clashes) in [
        (&[][..], &none, "a:x a:y c:z", "b:the tool x:a"),
        (&[][..], &serving_b, "b:x c:z", "a:the tool x:b"),
        (&["a"][..], &none, "a:x a:y c:z", "b:the tool x:a"),
        (&["a"][..], &serving_b, "a:x a:y c:z", "b:the tool x:a"),
        (&["b"][..], &none, "b:x c:z", "a:the tool x:b"),
        (&["a", "b"][..], &none, "a:x a:y c:z", "b:the tool x:a"),
        (&["a", "b"][..], &serving_b, "b:x c:z", "a:the tool x:b"),
    ] {
        let expected = (tools.to_owned(), clashes.to_owned());
        assert_eq!(
            built(all(), configured, serving),
            expected,
            "with {configured:?} configured"
        );
    }
}

#[test]
fn a_newcomer_displaces_neither_a_signed_component_nor_the_next_version_of_one_that_serves() {
    let of = |name: &str, tools: &[&str], version: &str, is_signed: bool| {
        let mut offer = component(name, tools);
        offer.component.digest += version;
        let key = SigningKey::from_seed(&[1; 32]).public();
        let key = VerifierKey::new("release", key).expect("a key");
        let by = "release".to_owned();
        offer.component.signed = is_signed.then_some(Signed { by, key });
        offer
    };
    let none = Catalog::default();
    let all = vec![of("b", &["x"], "", false), of("c", &["y"], "", false)];
    let (serving, _) = Catalog::build(all, &BTreeMap::new(), &none);
    for (what, at, offers, clashes) in [
        (
            "a start without a signature",
            &none,
            vec![of("a", &["x"], "", false), of("b", &["x"], "", false)],
            "b:the tool x:a",
        ),
        (
            "a start with a signature",
            &none,
            vec![of("a", &["x"], "", false), of("b", &["x"], "", true)],
            "a:the tool x:b",
        ),
        (
            "a start with two signatures",
            &none,
            vec![of("a", &["x"], "", true), of("b", &["x"], "", true)],
            "b:the tool x:a",
        ),
        (
            "a reload with a signed newcomer",
            &serving,
            vec![of("a", &["x"], "", true), of("b", &["x"], "", false)],
            "a:the tool x:b",
        ),
        (
            "a reload with a newcomer and a next version",
            &serving,
            vec![of("a", &["x"], "", true), of("b", &["x"], "2", false)],
            "a:the tool x:b",
        ),
        (
            "a reload with a next version that claims what another component serves",
            &serving,
            vec![of("b", &["x", "y"], "2", true), of("c", &["y"], "", false)],
            "b:the tool y:c",
        ),
    ] {
        assert_eq!(built(offers, &[], at).1, clashes, "{what}");
    }
}

#[test]
fn a_name_that_differs_in_case_alone_is_the_same_name() {
    let both = vec![component("a", &["find"]), component("b", &["Find"])];
    assert_eq!(
        built(both, &[], &Catalog::default()),
        ("a:find".to_owned(), "b:the tool find:a".to_owned())
    );
}

#[test]
fn a_component_that_clashes_in_several_tools_is_refused_once_and_takes_no_name_along() {
    let components = vec![
        component("a", &["x", "y"]),
        component("b", &["y", "x", "w"]),
        component("c", &["w"]),
    ];
    assert_eq!(
        built(components, &[], &Catalog::default()),
        ("c:w a:x a:y".to_owned(), "b:the tool x:a".to_owned())
    );
}

fn offer(name: &str, description: Description) -> Option<Offer> {
    let digest = format!("sha256:{name}");
    let loaded = Loaded {
        code: Code::of_test(&digest),
        component: ComponentId {
            name: name.into(),
            digest,
            signed: None,
        },
        description,
    };
    Offer::check(loaded, &Terms::default()).ok()
}

fn resources(uris: &[&str]) -> Description {
    let resource = |uri: &&str| RawResource {
        uri: (*uri).into(),
        name: "r".into(),
        ..RawResource::default()
    };
    Description {
        resources: uris.iter().map(resource).collect(),
        completes: true,
        ..Description::default()
    }
}

fn prompts(names: &[&str]) -> Description {
    let prompt = |name: &&str| RawPrompt {
        name: (*name).into(),
        description: "d".into(),
        ..RawPrompt::default()
    };
    Description {
        prompts: names.iter().map(prompt).collect(),
        ..Description::default()
    }
}

#[test]
fn a_prompt_and_a_namespace_belong_to_one_component() {
    let offers = |all: Vec<(&str, Description)>| -> Vec<Offer> {
        let offers = all.into_iter();
        offers
            .filter_map(|(name, what)| offer(name, what))
            .collect()
    };
    for (all, clashes) in [
        (vec![("a", prompts(&["x"])), ("b", prompts(&["X"]))], 1),
        (vec![("a", prompts(&["x"])), ("b", prompts(&["y"]))], 0),
        (
            vec![
                ("a_b", resources(&["a-b://x"])),
                ("A-B", resources(&["a-b://y"])),
            ],
            1,
        ),
        (
            vec![("a", resources(&["a://x"])), ("b", resources(&["b://x"]))],
            0,
        ),
    ] {
        let count = all.len();
        let offers = offers(all);
        assert_eq!(offers.len(), count);
        let found = Catalog::clashes(&offers, &BTreeMap::new(), &Catalog::default());
        assert_eq!(found.len(), clashes, "{found:?}");
    }
}

#[test]
fn a_uri_means_a_resource_of_its_own_before_one_of_a_family() {
    let uris = ["a://orders/{id}", "a://orders/new", "ui://a/{page}.html"];
    let offers = offer("a", resources(&uris)).into_iter().collect();
    let (catalog, _) = Catalog::build(offers, &BTreeMap::new(), &Catalog::default());
    for (uri, found) in [
        ("a://orders/new", Some(("a://orders/new", json!({})))),
        (
            "a://orders/7",
            Some(("a://orders/{id}", json!({"id": "7"}))),
        ),
        (
            "ui://a/table.html",
            Some(("ui://a/{page}.html", json!({"page": "table"}))),
        ),
        // The family itself is none of its members.
        ("a://orders/{id}", None),
        ("a://orders", None),
        ("b://orders/7", None),
    ] {
        let target = catalog.target(&Wanted::Resource(uri.into()));
        let target = target.as_ref().map(|(target, variables)| {
            let variables = variables.clone().map(Value::Object);
            (target.name(), variables.unwrap_or_default())
        });
        assert_eq!(target, found, "{uri}");
    }
    for (uri, is_family) in [("a://orders/{id}", true), ("a://orders/new", false)] {
        let members = catalog.target(&Wanted::Members(uri.into()));
        assert_eq!(members.is_some(), is_family, "{uri}");
        let completion = Wanted::Completion(CompletionOf::Family, uri.into());
        assert_eq!(catalog.target(&completion).is_some(), is_family, "{uri}");
    }
}

#[test]
fn a_resource_of_its_own_is_not_read_through_a_family_by_another_spelling() {
    let uris = ["a://orders/{id}", "a://orders/new"];
    let disabled = ToolGrant {
        disabled: true,
        ..ToolGrant::default()
    };
    let grant = |tools| {
        let grant = ComponentGrant {
            tools,
            ..ComponentGrant::default()
        };
        BTreeMap::from([("a".to_owned(), grant)])
    };
    let restricted = BTreeMap::from([("a://orders/new".to_owned(), disabled)]);
    for (tools, is_offered) in [(BTreeMap::new(), true), (restricted, false)] {
        let offers = offer("a", resources(&uris)).into_iter().collect();
        let (catalog, _) = Catalog::build(offers, &grant(tools), &Catalog::default());
        for (uri, found) in [
            ("a://orders/new", is_offered.then_some("a://orders/new")),
            ("a://orders/%6eew", None),
            ("a://orders/%6Eew", None),
            ("a://orders/ne%77", None),
            ("a://orders/new%2F", Some("a://orders/{id}")),
            ("a://orders/newer", Some("a://orders/{id}")),
            ("a://orders/%2e%2e", None),
        ] {
            let target = catalog.target(&Wanted::Resource(uri.into()));
            let name = target.as_ref().map(|(target, _)| target.name());
            assert_eq!(name, found, "{uri} {is_offered}");
        }
    }
}

#[test]
fn two_families_of_one_component_share_no_uri() {
    for (uris, good) in [
        (&["a://{x}/b", "a://a/{y}"][..], false),
        (&["a://{x}/b", "a://a/{y}/c"], true),
        (&["a://x", "a://X"], false),
        (&["a://x/{y}", "a://x/y"], true),
    ] {
        assert_eq!(offer("a", resources(uris)).is_some(), good, "{uris:?}");
    }
}

#[test]
fn an_exception_is_for_a_prompt_or_a_resource_of_its_name() {
    let exception = |key: &str| {
        let disabled = ToolGrant {
            disabled: true,
            ..ToolGrant::default()
        };
        let grant = ComponentGrant {
            tools: BTreeMap::from([(key.to_owned(), disabled)]),
            ..ComponentGrant::default()
        };
        BTreeMap::from([("a".to_owned(), grant)])
    };
    let both = Description {
        prompts: prompts(&["x", "y"]).prompts,
        ..resources(&["a://x", "a://y"])
    };
    for (key, left) in [
        ("prompt:x", ["y", "a://x", "a://y"].as_slice()),
        ("a://x", &["x", "y", "a://y"]),
    ] {
        let offers = offer("a", both.clone()).into_iter().collect();
        let (catalog, _) = Catalog::build(offers, &exception(key), &Catalog::default());
        let prompts = catalog.prompts().map(|one| one.definition.name.as_str());
        let resources = catalog.resources().map(|one| one.definition.name.as_str());
        assert_eq!(prompts.chain(resources).collect::<Vec<_>>(), left);
    }
}
