//! The resources and prompts, with suggestions for what they take.

use bailiwick_sdk::prelude::*;

use super::PNG;

/// A text that is always the same.
#[bailiwick_sdk::resource(uri = "test://static-text", mime_type = "text/plain")]
fn static_text(_call: &Call) -> Result<&'static str, Error> {
    Ok("This is the content of the static text resource.")
}

/// An image of one pixel.
#[bailiwick_sdk::resource(uri = "test://static-binary", mime_type = "image/png")]
fn static_binary(_call: &Call) -> Result<&'static [u8], Error> {
    Ok(PNG)
}

/// A text that a client may watch.
#[bailiwick_sdk::resource(uri = "test://watched-resource", mime_type = "text/plain")]
fn watched_resource(_call: &Call) -> Result<&'static str, Error> {
    Ok("This is the content of the watched resource.")
}

#[derive(Deserialize)]
struct Of {
    id: String,
}

/// The data of an id.
#[bailiwick_sdk::resource(
    uri = "test://template/{id}/data",
    mime_type = "application/json",
    complete(id = ids)
)]
fn template(_call: &Call, of: Of) -> Result<Contents, Error> {
    let id = of.id;
    Contents::json(&serde_json::json!({
        "id": id, "templateTest": true, "data": format!("Data for ID: {id}"),
    }))
}

fn ids(_call: &Call, asked: &Completion) -> Result<Suggestions, Error> {
    Ok(asked.matching(["123", "124", "200"]))
}

/// One message.
#[bailiwick_sdk::prompt]
fn test_simple_prompt(_call: &Call) -> Result<&'static str, Error> {
    Ok("This is a simple prompt for testing.")
}

#[derive(Deserialize, JsonSchema)]
struct Arguments {
    /// First test argument.
    arg1: String,
    /// Second test argument.
    arg2: String,
}

/// A message with both arguments.
#[bailiwick_sdk::prompt(complete(arg1 = words, arg2 = words))]
fn test_prompt_with_arguments(_call: &Call, given: Arguments) -> Result<String, Error> {
    let Arguments { arg1, arg2 } = given;
    Ok(format!("Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))
}

fn words(_call: &Call, asked: &Completion) -> Result<Suggestions, Error> {
    Ok(asked.matching(["paris", "park", "party", "test", "testing"]))
}

#[derive(Deserialize, JsonSchema)]
struct Embedded {
    /// URI of the resource to embed.
    #[serde(rename = "resourceUri")]
    uri: String,
}

/// A resource, and what to do with it.
#[bailiwick_sdk::prompt]
fn test_prompt_with_embedded_resource(_call: &Call, given: Embedded) -> Result<Prompt, Error> {
    let words = "Embedded resource content for testing.";
    Ok(Prompt::new()
        .user(content::resource(&given.uri, "text/plain", words))
        .user("Please process the embedded resource above."))
}

/// An image, and what to do with it.
#[bailiwick_sdk::prompt]
fn test_prompt_with_image(_call: &Call) -> Result<Prompt, Error> {
    Ok(Prompt::new()
        .user(content::image("image/png", PNG))
        .user("Please analyze the image above."))
}

#[derive(Deserialize, JsonSchema)]
struct Context {
    context: String,
}

/// Asks for a context first.
#[bailiwick_sdk::prompt]
fn test_input_required_result_prompt(call: &Call) -> Result<Outcome<Prompt>, Error> {
    let message = "What context should the prompt use?";
    Ok(match call.form::<Context>("user_context")? {
        None => Questions::new().form::<Context>("user_context", message).into(),
        Some(answer) => {
            let context = answer.accepted()?.context;
            Prompt::from(format!("Please help with this context: {context}")).into()
        }
    })
}

bailiwick_sdk::export! {
    resources: [static_text, static_binary, watched_resource, template],
    prompts: [
        test_simple_prompt,
        test_prompt_with_arguments,
        test_prompt_with_embedded_resource,
        test_prompt_with_image,
        test_input_required_result_prompt,
    ],
    completion,
}
