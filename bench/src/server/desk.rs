//! The desk: a service that answers every request with one order, and checks nothing, so that a
//! call of a tool on top of it costs the tool's host and little else.

use serde_json::json;

use super::cores;

/// Answers with an order.
pub(crate) fn run() -> anyhow::Result<()> {
    let order = json!({"id": "A-1001", "customer": "alice", "status": "shipped", "item": "a lamp"});
    cores::serve(move || {
        let order = order.clone();
        move |request| {
            let order = order.clone();
            async move {
                drop(cores::body(request).await);
                cores::json_answer(&order)
            }
        }
    })
}
