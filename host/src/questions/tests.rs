#![expect(clippy::unwrap_used, reason = "tests")]

mod forms;

use super::*;

fn rule(origins: &[&str], relays: &[RelayedKind]) -> QuestionRule {
    QuestionRule {
        origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        relays: relays.into(),
    }
}

fn form(properties: &Value, required: &[&str]) -> RawQuestion {
    let schema = json!({"type": "object", "properties": properties, "required": required});
    RawQuestion::Form("Please".into(), schema.to_string())
}

fn ask(raw: RawQuestion, rule: &QuestionRule) -> Result<ClientQuestion, String> {
    let asked = Questionnaire::check(vec![("k".into(), raw)], None, rule);
    let asked = asked.map_err(|error| error.to_string())?;
    Ok(asked.questions.into_values().next().unwrap())
}

#[test]
fn a_page_has_an_origin_that_the_operator_lists() {
    let listed = rule(&["https://pay.example.com", "http://localhost:8080"], &[]);
    let page = |url: &str| {
        RawQuestion::Other(
            "url".into(),
            json!({"url": url, "message": "Pay"}).to_string(),
        )
    };
    for (url, accepted) in [
        ("https://pay.example.com/a?b=c#d", true),
        ("https://pay.example.com:443/", true),
        ("blob:https://pay.example.com/a", false),
        ("blob:https://user:word@pay.example.com/a", false),
        ("HTTPS://PAY.example.com/", true),
        ("http://localhost:8080/x", true),
        ("http://pay.example.com/", false),
        ("https://pay.example.com:444/", false),
        ("https://pay.example.com.evil.example/", false),
        ("https://evil.example/https://pay.example.com/", false),
        ("https://pay.example.com@evil.example/", false),
        ("https://user@pay.example.com/", false),
        ("https://user:pw@pay.example.com/", false),
        ("https:\\\\evil.example\\@pay.example.com", false),
        ("//pay.example.com/", false),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("", false),
    ] {
        assert_eq!(ask(page(url), &listed).is_ok(), accepted, "{url}");
        assert!(
            ask(page(url), &QuestionRule::default()).is_err(),
            "by default none: {url}"
        );
    }
    let long = format!("https://pay.example.com/{}", "a".repeat(2048));
    assert!(ask(page(&long), &listed).is_err());
    let asked = ask(page("https://PAY.example.com/a b"), &listed).unwrap();
    let pay = "https://pay.example.com/a%20b";
    assert_eq!(
        asked.request(),
        json!({"method": "elicitation/create",
            "params": {"mode": "url", "message": "Pay", "url": pay}})
    );
    let error = json!({"mode": "url", "elicitationId": "e", "message": "Pay", "url": pay});
    assert_eq!(asked.elicitation("e"), Some(error));
    for (accepted, action) in [(true, "accept"), (true, "decline"), (false, "yes")] {
        let answer = json!({"action": action, "content": {"card": "1234"}});
        let seen = accepted.then(|| json!({"action": action}));
        assert_eq!(asked.answer(&answer), seen, "{action}");
    }
}

#[test]
fn only_what_the_operator_lists_is_relayed_to_the_client() {
    let all = rule(&[], &[RelayedKind::Sampling, RelayedKind::Roots]);
    let sampling = json!({"messages": [{"role": "user", "content": {"type": "text", "text": "?"}}],
        "maxTokens": 10});
    for (kind, parameters, accepted) in [
        ("sampling/createMessage", sampling.clone(), true),
        ("sampling/createMessage", json!({"maxTokens": 10}), false),
        ("sampling/createMessage", json!({"messages": []}), false),
        ("sampling/createMessage", json!([]), false),
        ("roots/list", json!({}), true),
        ("roots/list", json!({"a": 1}), false),
        ("tools/call", json!({}), false),
        ("elicitation/create", json!({}), false),
    ] {
        let raw = RawQuestion::Other(kind.into(), parameters.to_string());
        assert_eq!(
            ask(raw.clone(), &all).is_ok(),
            accepted,
            "{kind} {parameters}"
        );
        assert!(
            ask(raw, &QuestionRule::default()).is_err(),
            "by default none: {kind}"
        );
    }
    let raw = RawQuestion::Other("sampling/createMessage".into(), sampling.to_string());
    let asked = ask(raw, &all).unwrap();
    let answer = json!({"role": "assistant", "content": {"type": "text", "text": "!"}, "model": "m",
        "extra": 1});
    let seen = asked.answer(&answer).unwrap();
    assert!(seen.get("extra").is_none() && seen.get("content").is_some());
    for bad in [
        json!({"role": "assistant"}),
        json!({"role": 1, "content": {}, "model": "m"}),
        json!("!"),
    ] {
        assert_eq!(asked.answer(&bad), None, "{bad}");
    }
    let roots = ClientQuestion::Roots;
    assert!(
        roots
            .answer(&json!({"roots": [{"uri": "file:///a", "name": "a"}]}))
            .is_some()
    );
    for bad in [json!({"roots": [{}]}), json!({"roots": {}}), json!({})] {
        assert_eq!(roots.answer(&bad), None, "{bad}");
    }
}

#[test]
fn a_round_is_bounded_and_its_keys_are_names() {
    let rule = QuestionRule::default();
    let one = || form(&json!({}), &[]);
    let check = |raw, state| Questionnaire::check(raw, state, &rule).err();
    assert_eq!(check(Vec::new(), None), Some(QuestionError::Nothing));
    assert_eq!(check(Vec::new(), Some(vec![1])), None);
    let many = |count: usize| {
        (0..count)
            .map(|n| (format!("k{n}"), one()))
            .collect::<Vec<_>>()
    };
    assert_eq!(check(many(16), None), None);
    assert_eq!(check(many(17), None), Some(QuestionError::Many));
    assert_eq!(check(many(1), Some(vec![0; MAX_STATE])), None);
    assert_eq!(
        check(many(1), Some(vec![0; MAX_STATE + 1])),
        Some(QuestionError::State)
    );
    let large = |size| RawQuestion::Form("a".repeat(size), "{}".into());
    let larger = vec![("k".to_owned(), large(MAX_ASKED))];
    assert_eq!(check(larger, None), Some(QuestionError::Large));
    for key in ["", "a b", "a\n", "é", &"k".repeat(65)] {
        let found = check(vec![(key.to_owned(), one())], None);
        assert!(
            matches!(found, Some(QuestionError::Key(_))),
            "{key:?} {found:?}"
        );
    }
    let twice = vec![("k".to_owned(), one()), ("k".to_owned(), one())];
    assert_eq!(check(twice, None), Some(QuestionError::Key("k".into())));
    for message in ["", "  ", "a\u{1b}[2J", "a\u{202e}b"] {
        let raw = RawQuestion::Form(
            message.into(),
            r#"{"type":"object","properties":{}}"#.into(),
        );
        assert!(ask(raw, &rule).is_err(), "{message:?}");
    }
}

#[test]
fn a_client_is_asked_only_what_it_declared() {
    let form = ask(form(&json!({}), &[]), &QuestionRule::default()).unwrap();
    let page = ClientQuestion::Url {
        message: "m".into(),
        url: "https://a.example/".into(),
    };
    let sampling = ClientQuestion::Sampling { params: Map::new() };
    let all = [&form, &page, &sampling, &ClientQuestion::Roots];
    for (declared, covered) in [
        (json!({}), [false, false, false, false]),
        (json!({"elicitation": {}}), [true, false, false, false]),
        (
            json!({"elicitation": {"form": {}}}),
            [true, false, false, false],
        ),
        (
            json!({"elicitation": {"url": {}}}),
            [false, true, false, false],
        ),
        (
            json!({"elicitation": {"form": {}, "url": {}}, "roots": {}}),
            [true, true, false, true],
        ),
        (json!({"sampling": {}}), [false, false, true, false]),
        (
            json!({"elicitation": true, "sampling": null, "roots": []}),
            [false; 4],
        ),
        (json!([]), [false; 4]),
    ] {
        let found = all.map(|question| Declared::of(&declared).covers(question));
        assert_eq!(found, covered, "{declared}");
    }
    assert_eq!(
        required(all),
        json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}})
    );
}

#[test]
fn a_part_of_sampling_is_asked_for_only_where_it_is_declared() {
    let block = |name: &str| json!([{"role": "user", "content": {"type": name}}]);
    let blocks =
        |name: &str| json!([{"role": "user", "content": [{"type": "text"}, {"type": name}]}]);
    let whole = json!({"sampling": {"tools": {}, "context": {}}});
    for (params, needs) in [
        (json!({}), json!({})),
        (json!({"includeContext": "none"}), json!({})),
        (json!({"messages": block("text")}), json!({})),
        (json!({"tools": []}), json!({"tools": {}})),
        (json!({"tools": null}), json!({"tools": {}})),
        (
            json!({"toolChoice": {"mode": "none"}}),
            json!({"tools": {}}),
        ),
        (json!({"messages": block("tool_use")}), json!({"tools": {}})),
        (
            json!({"messages": blocks("tool_result")}),
            json!({"tools": {}}),
        ),
        (
            json!({"includeContext": "thisServer"}),
            json!({"context": {}}),
        ),
        (
            json!({"includeContext": "allServers"}),
            json!({"context": {}}),
        ),
        (
            json!({"includeContext": 1, "tools": []}),
            json!({"tools": {}, "context": {}}),
        ),
    ] {
        let Value::Object(params) = params else {
            unreachable!("an object")
        };
        let asked = ClientQuestion::Sampling { params };
        let needed = json!({"sampling": needs});
        assert_eq!(required([&asked]), needed, "{asked:?}");
        let is_plain = needs == json!({});
        let covers = |declared: &Value| Declared::of(declared).covers(&asked);
        assert!(covers(&needed) && covers(&whole), "{asked:?}");
        assert_eq!(covers(&json!({"sampling": {}})), is_plain, "{asked:?}");
        let wrong = json!({"sampling": {"tools": true, "context": []}});
        assert_eq!(covers(&wrong), is_plain, "{asked:?}");
        // Earlier revisions have context in all of sampling, and tools in none.
        let earlier = Declared::of(&whole).within("2025-06-18");
        let has_tools = needs.get("tools").is_some();
        assert_eq!(earlier.covers(&asked), !has_tools, "{asked:?}");
        assert!(Declared::of(&whole).within("2025-11-25").covers(&asked));
    }
}
