//! What a policy point can answer, and what comes of it: only a plain decision to allow allows.

use serde_json::Map;

use super::*;

/// Each answer has a `name`. The rest changes one that allows: `status`, `type`, `headers`, `body`,
/// or everything (`raw`); `latin` sends characters as bytes, and `held` no answer in time. It is a
/// decision that is `allowed`, or one that is `denied` by the rule of that name, or none, of which
/// the log says what is `told`.
const ANSWERS: &str = include_str!("../../../../vectors/policy-point.json");

fn text<'c>(case: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    case.get(name).and_then(Value::as_str)
}

/// Returns the bytes of an answer.
fn bytes(case: &Map<String, Value>) -> Vec<u8> {
    let body = text(case, "body").unwrap_or(ALLOWS);
    let body = body.replace("LARGE", &" ".repeat(MAX_ANSWER));
    let body: Vec<u8> = if case.contains_key("latin") {
        let bytes = body.chars().map(u8::try_from);
        bytes
            .collect::<Result<_, _>>()
            .expect("bytes as characters")
    } else {
        body.into_bytes()
    };
    if let Some(raw) = text(case, "raw") {
        return raw.as_bytes().to_vec();
    }
    let status = text(case, "status").unwrap_or("200 OK");
    let kind = text(case, "type").unwrap_or("Content-Type: application/json\r\n");
    let headers = text(case, "headers").unwrap_or_default();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{kind}{headers}Content-Length: {length}\r\n\r\n");
    [head.into_bytes(), body].concat()
}

#[tokio::test]
async fn only_a_plain_decision_to_allow_allows_whatever_a_point_answers() {
    let scripted = started().await;
    let cases: Vec<Map<String, Value>> = serde_json::from_str(ANSWERS).expect("a list of answers");
    let (mut decided, mut failed) = (0, 0);
    for case in &cases {
        let name = text(case, "name").expect("a name");
        let is_held = case.contains_key("held");
        scripted.answer(bytes(case));
        scripted.hold(is_held);
        let mut settings = settings_of(&scripted);
        if is_held {
            settings.deadlines = Duration::from_millis(100).into();
        }
        // A point of its own, so that no earlier answer is remembered and no failure pauses it.
        let point = of(settings, &Hands::at(NOW));
        let before = scripted.asked();
        let answer = Asked::usual().decide(&point).await;
        assert_eq!(
            scripted.asked() - before,
            1,
            "{name}: one question, and no other"
        );
        let expected = if case.contains_key("allowed") {
            Some(PolicyDecision::Allowed)
        } else {
            let rule = case.get("denied").map(Value::as_str);
            rule.map(|rule| PolicyDecision::Denied(rule.map(Into::into)))
        };
        match (expected, answer) {
            (Some(expected), answer) => {
                decided += 1;
                assert_eq!(answer, Ok(expected), "{name}");
            }
            (None, Ok(wrong)) => panic!("{name}: {wrong:?}"),
            (None, Err(why)) => {
                failed += 1;
                let told = text(case, "told").expect("what the log says");
                let said = why.to_string();
                assert!(said.contains(told), "{name}: {said}");
                assert!(!said.contains("their-own-words"), "{name}: {said}");
                let told = DownstreamError::from(why).to_string();
                assert!(
                    told.ends_with("policy point gave no decision"),
                    "{name}: {told}"
                );
            }
        }
    }
    assert!(
        decided > 10 && failed > 40,
        "{decided} decisions, {failed} failures"
    );
}
