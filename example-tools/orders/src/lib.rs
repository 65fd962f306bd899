//! Looks up orders as the user who asks: the tool names the service, the host brings the user's
//! authority.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, Serialize, JsonSchema)]
struct Order {
    /// The order's number.
    id: String,
    /// Its state: `packed`, `shipped`, `delivered`, …
    status: String,
}

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The order's number.
    #[schemars(example = "1001")]
    order_id: String,
}

/// Says where an order is.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
fn get_order_status(call: &Call, args: Args) -> Result<Order, Error> {
    call.service("orders_api")
        .get(["orders", &args.order_id])
        .send()?
        .json()
}

#[derive(Deserialize, JsonSchema)]
struct Filter {
    /// Only orders of this status; all if left out.
    status: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Orders {
    orders: Vec<Order>,
}

/// Lists the caller's own orders. Whose they are is not an argument: the host fills it in.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
fn list_orders(call: &Call, filter: Filter) -> Result<Orders, Error> {
    let request = call
        .service("orders_api")
        .get(path!["customers", Part::ActorSub, "orders"]);
    match filter.status {
        Some(status) => request.query("status", status).send()?.json(),
        None => request.send()?.json(),
    }
}

bailiwick_sdk::export!(get_order_status, list_orders);
