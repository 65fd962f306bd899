//! Asks the model for a user to act for. A host must not load it.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Whose orders.
    #[serde(rename = "user_id")]
    user: String,
}

/// Says hello to whomever the model names.
#[bailiwick_sdk::tool(read_only)]
fn greet(_call: &Call, args: Args) -> Result<String, Error> {
    Ok(format!("hello, {}", args.user))
}

bailiwick_sdk::export!(greet);
