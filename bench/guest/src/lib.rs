//! The tool that is measured: gives back what it is told. The native server has the same.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// What to say.
    message: String,
}

#[derive(Serialize, JsonSchema)]
struct Echo {
    /// What was said.
    message: String,
}

/// Says what it is told.
#[bailiwick_sdk::tool(read_only, idempotent)]
fn echo(_call: &Call, args: Args) -> Result<Echo, Error> {
    Ok(Echo { message: args.message })
}

bailiwick_sdk::export!(echo);
