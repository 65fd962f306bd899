//! The code in `docs/writing-tools.md`, which quotes this file.

use bailiwick_sdk::{prelude::*, testing::Scene};

#[derive(Deserialize, Serialize, JsonSchema)]
struct Order {
    id: String,
    status: String,
}

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The order's number.
    order_id: String,
}

/// Says where an order is.
#[bailiwick_sdk::tool(scopes = ["orders:read"], services = ["orders_api"], read_only)]
fn get_order_status(call: &Call, args: Args) -> Result<Order, Error> {
    let answer = call
        .service("orders_api")
        .get(["orders", &args.order_id])
        .send()?;
    answer.json()
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Orders {
    orders: Vec<Order>,
}

/// Lists the caller's open orders.
#[bailiwick_sdk::tool(services = ["orders_api"], read_only)]
fn list_orders(call: &Call) -> Result<Orders, Error> {
    let answer = call
        .service("orders_api")
        .get(path!["customers", Part::ActorSub, "orders"])
        .query("status", "open")
        .send()?;
    answer.json()
}

#[derive(Deserialize, JsonSchema)]
struct Sure {
    /// Whether to cancel the order.
    sure: bool,
}

/// Cancels an order, if the user is sure.
#[bailiwick_sdk::tool(services = ["orders_api"], destructive)]
fn cancel_order(call: &Call, args: Args) -> Result<Outcome, Error> {
    let Some(answer) = call.form::<Sure>("sure")? else {
        let asked = Questions::new().form::<Sure>("sure", "Cancel the order for ever?");
        return Ok(asked.into());
    };
    if !answer.accepted()?.sure {
        return Ok(Output::text("the order stays").into());
    }
    let order = ["orders", &args.order_id];
    call.service("orders_api").delete(order).send()?.success()?;
    Ok(Output::text("cancelled").into())
}

/// The terms of the shop.
#[bailiwick_sdk::resource(uri = "orders://terms", mime_type = "text/markdown")]
fn terms(_call: &Call) -> Result<&'static str, Error> {
    Ok("# Terms")
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
    members = own_orders
)]
fn order(call: &Call, number: OrderNumber) -> Result<Contents, Error> {
    let answer = call
        .service("orders_api")
        .get(["orders", &number.id])
        .send()?;
    Contents::json(&answer.json::<Order>()?)
}

fn own_orders(call: &Call, cursor: Option<&str>) -> Result<Page, Error> {
    let (ids, next) = orders_from(call, cursor)?;
    let page = Page::of(ids.into_iter().map(|id| Member::new(order::uri(&id), id)));
    Ok(match next {
        Some(next) => page.next(next),
        None => page,
    })
}

/// Returns the numbers of the caller's orders, all in one page.
fn orders_from(call: &Call, cursor: Option<&str>) -> Result<(Vec<String>, Option<String>), Error> {
    let orders = match cursor {
        None => list_orders(call)?.orders,
        Some(_) => Vec::new(),
    };
    Ok((orders.into_iter().map(|order| order.id).collect(), None))
}

#[derive(Deserialize, JsonSchema)]
struct Complaint {
    /// The order's number.
    order: String,
    /// What is wrong with it.
    problem: Option<String>,
}

/// Helps to write to the shop about an order.
#[bailiwick_sdk::prompt(title = "Complain about an order", complete(order = own_numbers))]
fn complain(_call: &Call, complaint: Complaint) -> Result<Prompt, Error> {
    let problem = complaint.problem.unwrap_or_default();
    Ok(Prompt::new()
        .user(content::link(&order::uri(&complaint.order), "the order"))
        .user(format!("Write to the shop about this order. {problem}")))
}

fn own_numbers(call: &Call, asked: &Completion) -> Result<Suggestions, Error> {
    Ok(asked.matching(orders_from(call, None)?.0))
}

bailiwick_sdk::export! {
    tools: [get_order_status, list_orders, cancel_order, remind],
    resources: [terms, order],
    prompts: [complain],
    completion,
}

/// Reminds the user of a question.
#[bailiwick_sdk::tool]
fn remind(call: &Call) -> Result<&'static str, Error> {
    if call.client().declares("elicitation.form") {
        call.client()
            .message(Severity::Info, "one question is left")?;
    }
    Ok("done")
}

/// A shop in which the caller has one order.
fn shop() -> Call {
    let scene = Scene::new().on_send(|request| {
        let all = matches!(request.path.last(), Some(Part::Text(last)) if last == "orders");
        let order = r#"{"id":"A-1001","status":"packed"}"#;
        let orders = format!(r#"{{"orders":[{order}]}}"#);
        Ok(Response::new(
            200,
            if all { orders } else { order.to_owned() },
        ))
    });
    scene.call()
}

#[test]
fn an_order_is_found() {
    let call = Scene::new()
        .actor("user_7")
        .on_send(|request| {
            assert_eq!(request.service, "orders_api");
            Ok(Response::new(200, r#"{"id":"1","status":"shipped"}"#))
        })
        .call();
    let args = Args {
        order_id: "1".into(),
    };
    assert!(get_order_status(&call, args).is_ok());
}

#[test]
fn the_documented_functions_work_together() {
    let call = shop();
    let number = || OrderNumber {
        id: "A-1001".into(),
    };
    assert!(order(&call, number()).is_ok() && terms(&call).is_ok());
    let expected = Page::of([Member::new("orders://orders/A-1001", "A-1001")]);
    assert_eq!(own_orders(&call, None), Ok(expected));
    let found = own_numbers(&call, &Completion::new("A-10"));
    assert_eq!(found, Ok(Suggestions::of(["A-1001"])));
    let complaint = Complaint {
        order: "A-1001".into(),
        problem: None,
    };
    assert!(complain(&call, complaint).is_ok() && remind(&call).is_ok());
}

#[test]
fn an_order_is_cancelled_only_if_the_user_is_sure() {
    let args = || Args {
        order_id: "A-1001".into(),
    };
    let asked = cancel_order(&shop(), args());
    assert!(asked.is_ok_and(|outcome| outcome.questions().is_some()));
    let sure = |sure: bool| {
        let scene = Scene::new().accepts("sure", &serde_json::json!({ "sure": sure }));
        scene.on_send(|_| Ok(Response::new(200, ""))).call()
    };
    for is_sure in [true, false] {
        let outcome = cancel_order(&sure(is_sure), args());
        assert!(outcome.is_ok_and(|outcome| outcome.questions().is_none()));
    }
}
