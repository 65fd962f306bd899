//! A component with everything, called as its host calls it.

#![expect(
    clippy::unnecessary_wraps,
    reason = "functions have the signatures that the attributes ask for"
)]

use bailiwick_sdk::bindings::completion::Reference;
use bailiwick_sdk::bindings::facets::Subject;
use bailiwick_sdk::bindings::prompts::Outcome as Got;
use bailiwick_sdk::bindings::resources::Outcome as Read;
use bailiwick_sdk::bindings::types::{Error as WireError, ResourceBody};
use bailiwick_sdk::export::{Entry, Exports, PromptEntry, ResourceEntry, completion};
use bailiwick_sdk::prelude::*;
use bailiwick_sdk::testing::Scene;
use bailiwick_sdk::{Role, export};
use serde_json::json;

/// Greets.
#[bailiwick_sdk::tool(requires = ["elicitation.form"], icons = ["https://a.example/i.png"])]
fn greet(_call: &Call) -> Result<&'static str, Error> {
    Ok("hello")
}

/// The terms.
#[bailiwick_sdk::resource(uri = "shop://terms", mime_type = "text/markdown")]
fn terms(_call: &Call) -> Result<&'static str, Error> {
    Ok("# Terms")
}

#[derive(Deserialize)]
struct Line {
    order: u32,
    #[serde(rename = "type")]
    kind: String,
}

/// A line of an order.
#[bailiwick_sdk::resource(
    name = "a-line",
    title = "A line",
    uri = "shop://orders/{order}/v-{type}",
    scopes = ["orders:read"],
    members = lines,
    complete(type = kinds),
    requires = ["elicitation"]
)]
fn line(call: &Call, line: Line) -> Result<Outcome<Contents>, Error> {
    if line.order == 7 && call.page("sure")?.is_none() {
        return Ok(Questions::new()
            .url("sure", "https://a.example/", "Sure?")
            .into());
    }
    Ok(Contents::from(format!("{} {}", line.order, line.kind)).into())
}

fn lines(_call: &Call, cursor: Option<&str>) -> Result<Page, Error> {
    let page = Page::of([Member::new(line::uri("1", "a/b"), "1")]);
    Ok(match cursor {
        None => page.next("2"),
        Some(_) => page,
    })
}

fn kinds(_call: &Call, asked: &Completion) -> Result<Vec<String>, Error> {
    Ok(vec![format!(
        "{}{}",
        asked.typed(),
        asked.other("order").unwrap_or("-")
    )])
}

#[derive(Deserialize, JsonSchema)]
struct Review {
    /// The order's number.
    order: u32,
    /// How to speak.
    tone: Option<String>,
}

/// Reviews an order.
#[bailiwick_sdk::prompt(complete(tone = tones))]
fn review(_call: &Call, review: Review) -> Result<Prompt, Error> {
    let tone = review.tone.unwrap_or_default();
    Ok(Prompt::new()
        .user(format!("Review {}", review.order))
        .assistant(tone))
}

fn tones(_call: &Call, asked: &Completion) -> Result<Suggestions, Error> {
    Ok(asked.matching(["kind", "strict"]))
}

/// Asks first.
#[bailiwick_sdk::prompt]
fn ask(call: &Call) -> Result<Outcome<Prompt>, Error> {
    Ok(match call.page("sure")? {
        None => Questions::new()
            .url("sure", "https://a.example/", "Sure?")
            .into(),
        Some(_) => Prompt::from("sure").into(),
    })
}

bailiwick_sdk::export! {
    tools: [greet],
    resources: [terms, line],
    prompts: [review, ask],
    completion,
    facets,
}

const ALL: Exports = Exports {
    tools: &[Entry::of::<greet>()],
    resources: &[ResourceEntry::of::<terms>(), ResourceEntry::of::<line>()],
    prompts: &[PromptEntry::of::<review>(), PromptEntry::of::<ask>()],
};

const LINE: &str = "shop://orders/{order}/v-{type}";

fn call() -> Call {
    Scene::new().call()
}

#[test]
fn a_component_describes_what_it_has() {
    let resources = export::resource::describe(ALL.resources);
    let [terms, line] = &resources[..] else {
        unreachable!("two resources")
    };
    assert_eq!((&*terms.uri, &*terms.name), ("shop://terms", "terms"));
    assert_eq!(terms.mime_type.as_deref(), Some("text/markdown"));
    assert_eq!((&*line.uri, &*line.name), (LINE, "a-line"));
    assert_eq!(line.description.as_deref(), Some("A line of an order."));
    assert_eq!(line.title.as_deref(), Some("A line"));
    assert_eq!(line.scopes, ["orders:read"]);
    let prompts = export::prompt::describe(ALL.prompts);
    let [review, ask] = &prompts[..] else {
        unreachable!("two prompts")
    };
    let arguments = review.arguments.iter();
    let arguments: Vec<_> = arguments.map(|it| (&*it.name, it.required)).collect();
    assert_eq!(arguments, [("order", true), ("tone", false)]);
    let first = review
        .arguments
        .first()
        .and_then(|it| it.description.as_deref());
    assert_eq!(first, Some("The order's number."));
    assert!(ask.arguments.is_empty() && ask.description == "Asks first.");
    let facet = |name: &str, json: &str| (name.to_owned(), json.to_owned());
    let icons = facet("icons", r#"[{"src":"https://a.example/i.png"}]"#);
    let form = facet("requires", r#"["elicitation.form"]"#);
    assert_eq!(
        ALL.facets(),
        [
            (Subject::Tool("greet".to_owned()), vec![icons, form]),
            (
                Subject::Resource(LINE.to_owned()),
                vec![facet("requires", r#"["elicitation"]"#)]
            ),
        ]
    );
}

#[test]
fn a_resource_is_read_with_the_uri_that_was_asked_for() {
    let read = |uri: &str, input: &serde_json::Value| {
        export::resource::run_read(ALL.resources, uri, &call(), &input.to_string())
    };
    let Ok(Read::Complete(parts)) = read("shop://terms", &json!({})) else {
        unreachable!("contents")
    };
    let [part] = &parts[..] else {
        unreachable!("one part")
    };
    assert_eq!(
        (&*part.uri, part.mime_type.as_deref()),
        ("shop://terms", Some("text/markdown"))
    );
    let Ok(Read::Complete(parts)) = read(LINE, &json!({"order": "2", "type": "a/b"})) else {
        unreachable!("contents")
    };
    let [part] = &parts[..] else {
        unreachable!("one part")
    };
    assert_eq!(
        (&*part.uri, part.mime_type.as_deref()),
        ("shop://orders/2/v-a%2Fb", None)
    );
    assert_eq!(part.body, ResourceBody::Text("2 a/b".to_owned()));
    let asked = read(LINE, &json!({"order": "7", "type": "a"}));
    assert!(matches!(asked, Ok(Read::InputRequired(asked)) if asked.questions.len() == 1));
    let wrong = read(LINE, &json!({"order": "x", "type": "a"}));
    assert!(
        matches!(wrong, Err(WireError::InvalidInput(_))),
        "{wrong:?}"
    );
    assert!(matches!(
        read("shop://other", &json!({})),
        Err(WireError::NotFound(_))
    ));
}

#[test]
fn the_members_of_a_family_come_page_by_page() {
    let members = |family: &str, input: &str| {
        export::resource::run_members(ALL.resources, family, &call(), input)
    };
    let first = members(LINE, "{}").map(|page| (page.items.len(), page.next));
    assert_eq!(first, Ok((1, Some("2".to_owned()))));
    let last = members(LINE, r#"{"cursor":"2"}"#);
    assert!(last.is_ok_and(|page| {
        page.next.is_none()
            && page
                .items
                .iter()
                .all(|item| item.uri == "shop://orders/1/v-a%2Fb")
    }));
    assert!(members("shop://terms", "{}").is_ok_and(|page| page.items.is_empty()));
    assert!(matches!(
        members("shop://other", "{}"),
        Err(WireError::NotFound(_))
    ));
}

#[test]
fn a_prompt_gets_its_arguments_and_may_ask() {
    let get = |call: &Call, name: &str, input: &serde_json::Value| {
        export::prompt::run(ALL.prompts, name, call, &input.to_string())
    };
    let input = json!({"order": "7", "tone": "kind"});
    let Ok(Got::Complete(prompt)) = get(&call(), "review", &input) else {
        unreachable!("messages")
    };
    let roles: Vec<Role> = prompt.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant]);
    let wrong = get(&call(), "review", &json!({"tone": "kind"}));
    assert!(
        matches!(wrong, Err(WireError::InvalidInput(_))),
        "{wrong:?}"
    );
    assert!(matches!(
        get(&call(), "ask", &json!({})),
        Ok(Got::InputRequired(_))
    ));
    let answered = Scene::new().accepts("sure", &()).call();
    assert!(matches!(
        get(&answered, "ask", &json!({})),
        Ok(Got::Complete(_))
    ));
    assert!(matches!(
        get(&call(), "other", &json!({})),
        Err(WireError::NotFound(_))
    ));
}

#[test]
fn what_is_completed_has_suggestions_and_nothing_else() {
    let complete = |of: Reference, argument: &str, value: &str, input: &str| {
        let value = value.to_owned();
        let (resources, prompts) = (ALL.resources, ALL.prompts);
        completion::run(resources, prompts, &of, argument, value, &call(), input)
            .map(|suggestions| suggestions.values)
    };
    let review = || Reference::Prompt("review".to_owned());
    let family = || Reference::Family(LINE.to_owned());
    let values = |values: &[&str]| Ok(values.iter().map(|&it| it.to_owned()).collect());
    assert_eq!(complete(review(), "tone", "S", "{}"), values(&["strict"]));
    assert_eq!(complete(review(), "order", "1", "{}"), values(&[]));
    assert_eq!(
        complete(family(), "type", "a", r#"{"order":"7"}"#),
        values(&["a7"])
    );
    let other = Reference::Other(("skill".to_owned(), "x".to_owned()));
    assert_eq!(complete(other, "a", "", "{}"), values(&[]));
}

#[test]
#[should_panic(expected = "takes `number`, and its URI `shop://{id}` has no such variable")]
fn a_variable_that_the_uri_lacks_is_told_at_load() {
    #[derive(Deserialize)]
    struct Wrong {
        number: String,
    }

    /// Cannot be read.
    #[bailiwick_sdk::resource(uri = "shop://{id}")]
    fn unreadable(_call: &Call, wrong: Wrong) -> Result<String, Error> {
        Ok(wrong.number)
    }

    export::resource::describe(&[ResourceEntry::of::<unreadable>()]);
}

#[test]
#[should_panic(expected = "completes `city`, which is not one of its arguments")]
fn a_completion_of_no_argument_is_told_at_load() {
    /// Completes what it does not have.
    #[bailiwick_sdk::prompt(complete(city = tones))]
    fn misnamed(_call: &Call, review: Review) -> Result<String, Error> {
        Ok(review.order.to_string())
    }

    export::prompt::describe(&[PromptEntry::of::<misnamed>()]);
}

#[test]
#[should_panic(expected = "is a list or an object, and a client sends texts: orders")]
fn an_argument_that_no_text_can_be_is_told_at_load() {
    #[derive(Deserialize, JsonSchema)]
    struct Lists {
        orders: Vec<String>,
    }

    /// Takes a list.
    #[bailiwick_sdk::prompt]
    fn lists(_call: &Call, lists: Lists) -> Result<String, Error> {
        Ok(lists.orders.concat())
    }

    export::prompt::describe(&[PromptEntry::of::<lists>()]);
}
