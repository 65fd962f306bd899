//! Carries a value of whoever asks, which a service has, into everything that a call can say:
//! result, progress, log, error, question and state.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The order's number.
    order_id: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Order {
    id: String,
    status: String,
}

/// Asks for the head of an order, which says nothing, and then for the order.
fn find(call: &Call, args: &Args) -> Result<Order, Error> {
    let orders = call.service("orders_api");
    if orders.request("HEAD", ["orders", &args.order_id]).send().is_err() {
        bailiwick_sdk::debug!("no head of {}", args.order_id);
    }
    let order: Order = call
        .service("orders_api")
        .get(["orders", &args.order_id])
        .send()?
        .json()?;
    bailiwick_sdk::info!("{} is {}", args.order_id, order.status);
    Ok(order)
}

/// Says where an order is, in progress too.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
fn carry(call: &Call, args: Args) -> Result<Order, Error> {
    let order = find(call, &args)?;
    call.progress(1.0, 2.0, order.status.as_str());
    call.progress(2.0, 2.0, order.id.as_str());
    Ok(order)
}

/// Says where an order is, as if that were an error.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
fn fail(call: &Call, args: Args) -> Result<Order, Error> {
    let order = find(call, &args)?;
    Err(Error::NotFound(format!("{} is {}", order.id, order.status)))
}

#[derive(Deserialize, JsonSchema)]
struct Said {
    /// Any text.
    said: String,
}

/// Asks whether an order is right. Its state is where the order was at first.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"])]
fn confirm(call: &Call, args: Args) -> Result<Outcome, Error> {
    let status = find(call, &args)?.status;
    let Some(answer) = call.form::<Said>("said")? else {
        let question = format!("Is {status} right?");
        let state = status.clone();
        return Ok(Questions::new().form::<Said>("said", &question).state(state).into());
    };
    let before = String::from_utf8_lossy(call.state().unwrap_or_default());
    let said = answer.accepted()?.said;
    Ok(Output::text(format!("{before} was, {status} is, {said} said")).into())
}

bailiwick_sdk::export! { tools: [carry, fail, confirm] }
