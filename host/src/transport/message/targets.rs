//! Requests for targets: a method and its parameters become what the client wants.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{BadMessage, Cursor, INVALID_PARAMS, TargetCall, bad};
use crate::dispatch::{TargetRequest, Wanted};
use crate::json::numbers;
use crate::rounds::Resumption;
use crate::sandbox::CompletionOf;

/// A method by which a client asks for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetMethod {
    Call,
    Read,
    /// `resources/list` beyond its first page, which has no members of families.
    Members,
    Get,
    Complete,
}

impl TargetMethod {
    pub(super) fn of(method: &str, params: Option<&Value>) -> Option<Self> {
        let all = [
            Self::Call,
            Self::Read,
            Self::Members,
            Self::Get,
            Self::Complete,
        ];
        let found = all.into_iter().find(|one| one.as_str() == method)?;
        let has_cursor = params.is_some_and(|params| params.get("cursor").is_some());
        (found != Self::Members || has_cursor).then_some(found)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Call => "tools/call",
            Self::Read => "resources/read",
            Self::Members => "resources/list",
            Self::Get => "prompts/get",
            Self::Complete => "completion/complete",
        }
    }
}

pub(super) fn target_call(
    method: TargetMethod,
    mut params: Value,
    body: &[u8],
) -> Result<TargetCall, BadMessage> {
    let meta = match params.get_mut("_meta").map(Value::take) {
        Some(Value::Object(meta)) => meta,
        _ => Map::new(),
    };
    let request = match method {
        TargetMethod::Call => {
            let (arguments, text) = arguments(&mut params, body)?;
            let name = name(&params, "name", "`params.name` must be the name of a tool")?;
            TargetRequest::tool(name, arguments, text)
        }
        TargetMethod::Read => {
            let uri = name(&params, "uri", "`params.uri` must be the URI of a resource")?;
            TargetRequest::of(Wanted::Resource(uri), Value::Object(Map::new()))
        }
        TargetMethod::Members => members(&params)?,
        TargetMethod::Get => {
            let (arguments, _) = arguments(&mut params, body)?;
            let name = name(
                &params,
                "name",
                "`params.name` must be the name of a prompt",
            )?;
            TargetRequest::of(Wanted::Prompt(name), arguments)
        }
        TargetMethod::Complete => completion(&mut params)?,
    };
    let resumption = match method {
        TargetMethod::Call | TargetMethod::Read | TargetMethod::Get => resumption(&mut params)?,
        TargetMethod::Members | TargetMethod::Complete => Resumption::default(),
    };
    Ok(TargetCall {
        method: method.as_str(),
        request: TargetRequest {
            resumption,
            ..request
        },
        meta,
    })
}

/// Takes the arguments, with their text in the body.
fn arguments<'b>(params: &mut Value, body: &'b [u8]) -> Result<(Value, &'b str), BadMessage> {
    let not_object = || bad(INVALID_PARAMS, "`params.arguments` must be an object");
    match params.get_mut("arguments").map(Value::take) {
        None => Ok((Value::Object(Map::new()), "{}")),
        Some(mut arguments @ Value::Object(_)) => {
            numbers::make_whole(&mut arguments);
            Ok((arguments, arguments_text(body).ok_or_else(not_object)?))
        }
        Some(_) => Err(not_object()),
    }
}

fn name(params: &Value, member: &str, expected: &str) -> Result<String, BadMessage> {
    let name = params.get(member).and_then(Value::as_str);
    name.map(str::to_owned)
        .ok_or_else(|| bad(INVALID_PARAMS, expected))
}

fn members(params: &Value) -> Result<TargetRequest, BadMessage> {
    let cursor = params.get("cursor").and_then(Value::as_str);
    let cursor = cursor.and_then(Cursor::read).ok_or_else(|| {
        let message = "`params.cursor` is not one that this server gave for its resources";
        bad(INVALID_PARAMS, message)
    })?;
    let own = cursor.own.map(|own| ("cursor".to_owned(), own.into()));
    let arguments = own.into_iter().collect::<Map<_, Value>>();
    let wanted = Wanted::Members(cursor.family);
    Ok(TargetRequest::of(wanted, Value::Object(arguments)))
}

/// Reads what is to be completed. The schema of the target checks the argument's name.
fn completion(params: &mut Value) -> Result<TargetRequest, BadMessage> {
    let wrong = |message| bad(INVALID_PARAMS, message);
    let reference = params.get("ref");
    let member = |name| reference.and_then(|reference| reference.get(name)?.as_str());
    let wanted = match (member("type"), member("name"), member("uri")) {
        (Some("ref/prompt"), Some(name), _) => {
            Wanted::Completion(CompletionOf::Prompt, name.to_owned())
        }
        (Some("ref/resource"), _, Some(uri)) => {
            Wanted::Completion(CompletionOf::Family, uri.to_owned())
        }
        _ => return Err(wrong(REFERENCE)),
    };
    let argument = params.get("argument");
    let text = |name| argument.and_then(|argument| argument.get(name)?.as_str());
    let (Some(argument), Some(value)) = (text("name"), text("value")) else {
        return Err(wrong(
            "`params.argument` must have the texts `name` and `value`",
        ));
    };
    let mut arguments = Map::new();
    arguments.insert("argument".into(), argument.into());
    arguments.insert("value".into(), value.into());
    let context = params
        .pointer_mut("/context/arguments")
        .map(Value::take)
        .filter(|context| !context.is_null());
    let context = context.unwrap_or_else(|| Value::Object(Map::new()));
    arguments.insert("context".into(), context);
    Ok(TargetRequest::of(wanted, Value::Object(arguments)))
}

/// Takes the answers and the state of a round (MCP 2026-07-28, multi round-trip requests).
fn resumption(params: &mut Value) -> Result<Resumption, BadMessage> {
    let mut take = |name| params.get_mut(name).map(Value::take);
    let responses = match take("inputResponses") {
        None => Map::new(),
        Some(Value::Object(responses)) => responses,
        Some(_) => {
            return Err(bad(
                INVALID_PARAMS,
                "`params.inputResponses` must be an object",
            ));
        }
    };
    let state = match take("requestState") {
        None => None,
        Some(Value::String(state)) => Some(state),
        Some(_) => {
            return Err(bad(
                INVALID_PARAMS,
                "`params.requestState` must be a string",
            ));
        }
    };
    Ok(Resumption { responses, state })
}

/// Returns the text of the arguments in a body that was parsed before.
fn arguments_text(body: &[u8]) -> Option<&str> {
    #[derive(Deserialize)]
    struct Body<'b> {
        #[serde(borrow)]
        params: Params<'b>,
    }
    #[derive(Deserialize)]
    struct Params<'b> {
        #[serde(borrow)]
        arguments: &'b RawValue,
    }
    serde_json::from_slice::<Body<'_>>(body)
        .ok()
        .map(|body| body.params.arguments.get())
}

const REFERENCE: &str = "`params.ref` must be {\"type\":\"ref/prompt\",\"name\":...} or \
                         {\"type\":\"ref/resource\",\"uri\":...}";
