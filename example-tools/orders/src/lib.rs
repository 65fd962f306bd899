//! Looks up orders as the user who asks: the tools, the resource and the prompt name the service,
//! the host brings the user's authority.

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
    #[schemars(example = "A-1001")]
    order_id: String,
}

/// Says where an order is.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
fn get_order_status(call: &Call, args: Args) -> Result<Order, Error> {
    find(call, &args.order_id)
}

fn find(call: &Call, order: &str) -> Result<Order, Error> {
    call.service("orders_api")
        .get(["orders", order])
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

#[derive(Deserialize)]
struct OrderNumber {
    id: String,
}

/// One of the caller's orders.
#[bailiwick_sdk::resource(
    uri = "orders://orders/{id}",
    mime_type = "application/json",
    scopes = ["orders:read"],
    services = ["orders_api"],
    members = own_orders,
    complete(id = own_numbers)
)]
fn order(call: &Call, number: OrderNumber) -> Result<Contents, Error> {
    Contents::json(&find(call, &number.id)?)
}

fn own_orders(call: &Call, _cursor: Option<&str>) -> Result<Vec<Member>, Error> {
    let Orders { orders } = list_orders(call, Filter { status: None })?;
    let member = |it: Order| Member::new(order::uri(&it.id), it.id).description(it.status);
    Ok(orders.into_iter().map(member).collect())
}

fn own_numbers(call: &Call, asked: &Completion) -> Result<Suggestions, Error> {
    let Orders { orders } = list_orders(call, Filter { status: None })?;
    Ok(asked.matching(orders.into_iter().map(|it| it.id)))
}

#[derive(Deserialize, JsonSchema)]
struct Complaint {
    /// The order's number.
    order: String,
    /// What is wrong with it.
    problem: Option<String>,
}

/// Helps to write to the shop about an order.
#[bailiwick_sdk::prompt(
    title = "Complain about an order",
    scopes = ["orders:read"],
    services = ["orders_api"],
    complete(order = own_numbers)
)]
fn complain(call: &Call, complaint: Complaint) -> Result<Prompt, Error> {
    let found = find(call, &complaint.order)?;
    let problem = complaint
        .problem
        .unwrap_or("It has not arrived.".to_owned());
    let facts = format!("Order {} is {}.", found.id, found.status);
    Ok(Prompt::new()
        .user(content::resource(
            &order::uri(&found.id),
            "text/plain",
            facts,
        ))
        .user(format!("Write to the shop about this order. {problem}")))
}

bailiwick_sdk::export! {
    tools: [get_order_status, list_orders],
    resources: [order],
    prompts: [complain],
    completion,
}

#[cfg(test)]
mod tests {
    use bailiwick_sdk::testing::Scene;

    use super::*;

    /// A shop in which the caller has two orders.
    fn shop() -> Call {
        let scene = Scene::new().on_send(|request| {
            let last = request.path.last();
            Ok(match last {
                Some(Part::Text(text)) if text == "orders" => Response::new(
                    200,
                    r#"{"orders":[{"id":"A-1001","status":"packed"},{"id":"A-2001","status":"shipped"}]}"#,
                ),
                Some(Part::Text(text)) if text == "A-1001" => {
                    Response::new(200, r#"{"id":"A-1001","status":"packed"}"#)
                }
                _ => Response::new(404, ""),
            })
        });
        scene.call()
    }

    fn number(id: &str) -> OrderNumber {
        OrderNumber { id: id.to_owned() }
    }

    #[test]
    fn an_order_is_a_resource() {
        let contents = Contents::of(r#"{"id":"A-1001","status":"packed"}"#);
        let contents = contents.mime_type("application/json");
        assert_eq!(order(&shop(), number("A-1001")), Ok(contents));
        assert!(matches!(
            order(&shop(), number("7")),
            Err(Error::NotFound(_))
        ));
    }

    #[test]
    fn the_members_are_the_orders_of_the_caller() {
        let members = own_orders(&shop(), None).unwrap_or_default();
        let uris: Vec<&str> = members.iter().map(Member::uri).collect();
        assert_eq!(uris, ["orders://orders/A-1001", "orders://orders/A-2001"]);
        let found = own_numbers(&shop(), &Completion::new("A-2"));
        assert_eq!(found, Ok(Suggestions::of(["A-2001"])));
    }

    #[test]
    fn a_complaint_is_about_one_order() {
        let complaint = |order: &str| Complaint {
            order: order.to_owned(),
            problem: Some("It is broken.".to_owned()),
        };
        let prompt = complain(&shop(), complaint("A-1001"));
        assert_eq!(prompt.map(|prompt| prompt.messages().len()), Ok(2));
        assert!(complain(&shop(), complaint("7")).is_err());
    }
}
