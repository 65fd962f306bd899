//! Names the release that answers, so that a story can tell two releases apart by what their code
//! does.
//!
//! The stories make other releases by writing over the mark, which has the length of theirs.

use bailiwick_sdk::prelude::*;

#[derive(Serialize, JsonSchema)]
struct Release {
    mark: String,
    call: String,
    component: String,
}

/// Says which release answers: release-mark-0000.
#[bailiwick_sdk::tool(read_only)]
fn release(call: &Call) -> Result<Release, Error> {
    let own = call.binding();
    Ok(Release {
        mark: MARK.to_owned(),
        call: own.id.clone(),
        component: own.component.clone(),
    })
}

const MARK: &str = "release-mark-0000";

bailiwick_sdk::export!(release);
