//! The measured tool: returns its message. The native server has the same tool.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The message.
    message: String,
}

#[derive(Serialize, JsonSchema)]
struct Echo {
    /// The same message.
    message: String,
}

/// Returns the message.
#[bailiwick_sdk::tool(read_only, idempotent)]
fn echo(_call: &Call, args: Args) -> Result<Echo, Error> {
    Ok(Echo {
        message: args.message,
    })
}

/// Computes forever.
#[bailiwick_sdk::tool(read_only)]
fn spin(_call: &Call, args: Args) -> Result<Echo, Error> {
    let mut turns = args.message.len();
    loop {
        turns = std::hint::black_box(turns).wrapping_mul(3);
    }
}

bailiwick_sdk::export!(echo, spin);
