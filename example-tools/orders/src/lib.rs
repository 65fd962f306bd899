//! Looks up an order as the user who asks: the tool names the service, the host brings the user's authority.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The order's number.
    order_id: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Order {
    /// The order's number.
    id: String,
    /// Where it is: `packed`, `shipped`, `delivered`, …
    status: String,
}

/// Says where an order is.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
fn get_order_status(call: &Call, args: Args) -> Result<Order, Error> {
    call.service("orders_api").get(["orders", &args.order_id]).send()?.json()
}

bailiwick_sdk::export!(get_order_status);
