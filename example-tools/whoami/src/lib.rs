//! Shows a caller what every tool knows of them: the signed Execution Identity Envelope.

use bailiwick_sdk::prelude::*;

/// Says for whom this call runs: the Execution Identity Envelope, signed by the host.
#[bailiwick_sdk::tool(title = "Who am I?", read_only, idempotent)]
fn whoami(call: &Call) -> Result<Envelope, Error> {
    Ok(call.envelope())
}

bailiwick_sdk::export!(whoami);
