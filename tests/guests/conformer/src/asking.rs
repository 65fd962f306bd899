//! The tools that ask the client before they answer.

use bailiwick_sdk::bindings::tools::Outcome;
use bailiwick_sdk::bindings::types::{Context, Error, InputRequest, Question};
use serde_json::{Value, json};

use super::{Fixture, done, fixture, text};

pub(super) const ASKING: &[Fixture] = &[
    fixture("test_missing_capability", |context| {
        let answer = once(context, "needed", || sampling("Say something", 20))?;
        told(answer, "the client can sample")
    }),
    fixture("test_streaming_elicitation", |context| {
        let answer = once(context, "user_name", || name("What is your name?"))?;
        told(answer, "the client can be asked")
    }),
    fixture("test_input_required_result_elicitation", |context| {
        greeted(
            context,
            once(context, "user_name", || name("What is your name?"))?,
        )
    }),
    fixture("test_input_required_result_sampling", |context| {
        let question = || sampling("What is the capital of France?", 100);
        told(once(context, "capital_question", question)?, "")
    }),
    fixture("test_input_required_result_list_roots", |context| {
        told(once(context, "client_roots", roots)?, "")
    }),
    fixture("test_input_required_result_request_state", |context| {
        told(with_state(context, &["confirm"], confirmation)?, "state-ok")
    }),
    fixture("test_input_required_result_tampered_state", |context| {
        told(with_state(context, &["confirm"], confirmation)?, "state-ok")
    }),
    fixture("test_input_required_result_multiple_inputs", |context| {
        let keys = ["user_name", "greeting", "client_roots"];
        let questions = || {
            vec![
                ("user_name", name("What is your name?")),
                ("greeting", sampling("Generate a greeting", 50)),
                ("client_roots", roots()),
            ]
        };
        told(with_state(context, &keys, questions)?, "state-ok")
    }),
    fixture("test_input_required_result_multi_round", rounds),
    fixture("test_input_required_result_capabilities", |context| {
        if !context.answers.is_empty() {
            return done(vec![text("answered")]);
        }
        // The host leaves out what the client cannot do.
        let both = vec![
            ("user_name", name("What is your name?")),
            ("greeting", sampling("Generate a greeting", 50)),
        ];
        ask(both, None)
    }),
    Fixture {
        name: "test_sampling",
        input: r#"{"type":"object","properties":{"prompt":{"type":"string"}},"required":["prompt"],
            "additionalProperties":false}"#,
        run: |context| {
            let prompt = argument(context, "prompt");
            told(
                once(context, "sampled", || sampling(&prompt, 100))?,
                "LLM response:",
            )
        },
    },
    Fixture {
        name: "test_elicitation",
        input: r#"{"type":"object","properties":{"message":{"type":"string"}},"required":["message"],
            "additionalProperties":false}"#,
        run: |context| {
            let schema = json!({"type": "object", "required": ["username", "email"], "properties": {
                "username": {"type": "string", "description": "User's response"},
                "email": {"type": "string", "description": "User's email address"},
            }});
            let message = argument(context, "message");
            told(
                once(context, "user", || form(&message, &schema))?,
                "User response:",
            )
        },
    },
    fixture("test_elicitation_sep1034_defaults", |context| {
        let schema = json!({"type": "object", "properties": {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {
                "type": "string", "enum": ["active", "inactive", "pending"], "default": "active",
            },
            "verified": {"type": "boolean", "default": true},
        }});
        let question = || form("Defaults of every kind", &schema);
        told(
            once(context, "defaults", question)?,
            "Elicitation completed:",
        )
    }),
    fixture("test_elicitation_sep1330_enums", |context| {
        let titled = |what: &str| {
            let option = |n: u8, word: &str| json!({"const": format!("value{n}"), "title": format!("{word} {what}")});
            json!([option(1, "First"), option(2, "Second"), option(3, "Third")])
        };
        let options = json!(["option1", "option2", "option3"]);
        let schema = json!({"type": "object", "properties": {
            "untitledSingle": {"type": "string", "enum": options},
            "titledSingle": {"type": "string", "oneOf": titled("Option")},
            "legacyEnum": {
                "type": "string", "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}},
        }});
        let question = || form("Choices of every kind", &schema);
        told(
            once(context, "choices", question)?,
            "Elicitation completed:",
        )
    }),
];

/// The answers to what a tool asked, or the questions that it has first.
type Answered = Result<Vec<Value>, InputRequest>;

/// Asks one question.
fn once(
    context: &Context,
    key: &'static str,
    question: impl FnOnce() -> Question,
) -> Result<Answered, Error> {
    Ok(match answer(context, key) {
        Some(answer) => Ok(vec![answer]),
        None => Err(request(vec![(key, question())], None)),
    })
}

/// Asks with a state, which has to come back.
fn with_state(
    context: &Context,
    keys: &[&str],
    questions: impl FnOnce() -> Vec<(&'static str, Question)>,
) -> Result<Answered, Error> {
    let answers: Option<Vec<Value>> = keys.iter().map(|key| answer(context, key)).collect();
    match (answers, context.state.as_deref()) {
        (Some(answers), Some(STATE)) => Ok(Ok(answers)),
        (None, _) => Ok(Err(request(questions(), Some(STATE)))),
        (Some(_), _) => Err(Error::InvalidInput(
            "the state did not come back".to_owned(),
        )),
    }
}

/// Asks for a name, and then for a color.
fn rounds(context: &Context) -> Result<Outcome, Error> {
    let step = |property: &str, message: &str| {
        let schema = json!({
            "type": "object", "required": [property], "properties": {property: {"type": "string"}},
        });
        form(message, &schema)
    };
    match context.state.as_deref() {
        Some(b"named") if answer(context, "step2").is_some() => done(vec![text("both answered")]),
        Some(b"begun") if answer(context, "step1").is_some() => {
            let question = step("color", "Step 2: What is your favorite color?");
            ask(vec![("step2", question)], Some(b"named"))
        }
        _ => {
            let question = step("name", "Step 1: What is your name?");
            ask(vec![("step1", question)], Some(b"begun"))
        }
    }
}

fn greeted(context: &Context, answered: Answered) -> Result<Outcome, Error> {
    let named = answer(context, "user_name");
    let name = named
        .as_ref()
        .and_then(|answer| answer.pointer("/content/name"));
    match (name.and_then(Value::as_str), answered) {
        (Some(name), Ok(_)) => done(vec![text(&format!("Hello, {name}!"))]),
        (_, Err(request)) => Ok(Outcome::InputRequired(request)),
        // An answer of another form is no answer.
        (None, Ok(_)) => ask(vec![("user_name", self::name("What is your name?"))], None),
    }
}

/// Says the answers after some words, or asks.
fn told(answered: Answered, words: &str) -> Result<Outcome, Error> {
    match answered {
        Err(request) => Ok(Outcome::InputRequired(request)),
        Ok(answers) => {
            let answers: Vec<String> = answers.iter().map(Value::to_string).collect();
            done(vec![text(&format!("{words} {}", answers.join(" ")))])
        }
    }
}

fn ask(questions: Vec<(&'static str, Question)>, state: Option<&[u8]>) -> Result<Outcome, Error> {
    Ok(Outcome::InputRequired(request(questions, state)))
}

fn request(questions: Vec<(&'static str, Question)>, state: Option<&[u8]>) -> InputRequest {
    let keyed = |(key, question): (&str, Question)| (key.to_owned(), question);
    InputRequest {
        questions: questions.into_iter().map(keyed).collect(),
        state: state.map(<[u8]>::to_vec),
    }
}

fn answer(context: &Context, key: &str) -> Option<Value> {
    let (_, answer) = context.answers.iter().find(|(found, _)| found == key)?;
    serde_json::from_str(answer).ok()
}

fn argument(context: &Context, name: &str) -> String {
    let input: Value = serde_json::from_str(&context.input).unwrap_or_default();
    input
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn name(message: &str) -> Question {
    let schema = json!({
        "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}},
    });
    form(message, &schema)
}

fn confirmation() -> Vec<(&'static str, Question)> {
    let schema = json!({
        "type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}},
    });
    vec![("confirm", form("Please confirm", &schema))]
}

fn form(message: &str, schema: &Value) -> Question {
    Question::Form((message.to_owned(), schema.to_string()))
}

fn sampling(prompt: &str, tokens: u32) -> Question {
    let message = json!({"role": "user", "content": {"type": "text", "text": prompt}});
    let params = json!({"messages": [message], "maxTokens": tokens});
    Question::Other(("sampling/createMessage".to_owned(), params.to_string()))
}

fn roots() -> Question {
    Question::Other(("roots/list".to_owned(), "{}".to_owned()))
}

const STATE: &[u8] = b"asked";
