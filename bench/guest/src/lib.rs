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
    Ok(Echo {
        message: args.message,
    })
}

/// Computes for ever.
#[bailiwick_sdk::tool(read_only)]
fn spin(_call: &Call, args: Args) -> Result<Echo, Error> {
    let mut turns = args.message.len();
    loop {
        turns = std::hint::black_box(turns).wrapping_mul(3);
    }
}

bailiwick_sdk::export!(echo, spin);
