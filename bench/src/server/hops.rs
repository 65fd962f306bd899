//! Two plain hops: an MCP server without protection whose tool asks the desk.

use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::cores;

/// Answers as the tool `get_order_status` would, with the order from the desk at `url`.
pub(crate) fn run(url: &str) -> anyhow::Result<()> {
    let url = url.to_owned();
    cores::serve(move || {
        let client = client();
        let url = url.clone();
        move |request| {
            let (client, url) = (client.clone(), url.clone());
            async move {
                let call = cores::body(request).await;
                match order(&client, &url, &call).await {
                    Ok(order) => cores::result(&call, &order),
                    Err(error) => cores::json_answer(&json!({"error": error.to_string()})),
                }
            }
        }
    })
}

type Plain = Client<HttpConnector, Empty<Bytes>>;

fn client() -> Plain {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// Fetches the order that a call asks for, as far as the tool returns it.
async fn order(client: &Plain, url: &str, call: &Value) -> anyhow::Result<Value> {
    let id = call.pointer("/params/arguments/order_id");
    let id = id.and_then(Value::as_str).unwrap_or_default();
    let request = Request::get(format!("{url}/orders/{id}")).body(Empty::new())?;
    let body = client.request(request).await?.into_body().collect().await?;
    let order: Value = serde_json::from_slice(&body.to_bytes())?;
    Ok(json!({"id": order.get("id"), "status": order.get("status")}))
}
