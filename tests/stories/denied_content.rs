//! Grants that deny by content: what the tool learns, what the journal has, and what an operator is
//! told before.

use anyhow::{Context as _, Result, ensure};
use bailiwick_dev::process;
use bailiwick_tests::{World, bailiwick, ensure_eq, explained, probe, probing};
use serde_json::{Value, json};

const RULES: &str = r#"deny = [
  { request = "POST /refunds", when = "request.body.amount > 1000" },
  { request = "POST /v1/{}", when = "int(request.body.amount) > 1000", service = "orders_api" },
  { request = "GET /orders/{}", when = "request.path.endsWith('-secret')" },
  { request = "POST /notes", when = "arguments.body.contains('x')" },
]
"#;

/// Returns a world whose prober may make these requests, and is denied some by their content.
async fn denying() -> Result<World> {
    let plan = probing("on_behalf_of", |config| {
        config.components = format!("{}\n{RULES}", config.components.trim_end());
        let more = r#"allow = ["POST /refunds", "POST /v1/refunds", "POST /notes", "#;
        config.services = config.services.replacen("allow = [", more, 1);
    });
    World::with(plan.await?).await
}

/// Lets the prober send once for alice; returns the status, or the error.
async fn ask(world: &World, arguments: &Value) -> Result<String> {
    let mut whole = json!({"method": "POST"});
    let members = whole.as_object_mut().context("an object")?;
    members.extend(arguments.as_object().context("an object")?.clone());
    probe(world, &world.token("alice")?, &whole).await
}

#[tokio::test]
async fn a_request_is_denied_by_what_is_in_it_and_the_journal_names_the_rule() -> Result<()> {
    let world = denying().await?;
    let form = "application/x-www-form-urlencoded";
    // The service knows none of these paths: 404 is an answer of its own.
    for (arguments, rule) in [
        (
            json!({"path": ["refunds"], "body": r#"{"amount": 5}"#}),
            None,
        ),
        (
            json!({"path": ["refunds"], "body": r#"{"amount": 5000}"#}),
            Some(1),
        ),
        (
            json!({"path": ["refunds"], "body": r#"{"amount": 5, "Amount": 5000}"#}),
            Some(1),
        ),
        (
            json!({"path": ["refunds"], "body": "amount=5", "content_type": form}),
            Some(1),
        ),
        (json!({"path": ["refunds"]}), Some(1)),
        (
            json!({"path": ["v1", "refunds"], "body": "amount=5&charge=c", "content_type": form}),
            None,
        ),
        (
            json!({"path": ["v1", "refunds"], "body": "amount=5000", "content_type": form}),
            Some(2),
        ),
        (json!({"method": "GET", "path": ["orders", "A-1001"]}), None),
        (
            json!({"method": "GET", "path": ["orders", "A-secret"]}),
            Some(3),
        ),
    ] {
        let before = world.orders.requests().len();
        let said = ask(&world, &arguments).await?;
        let sent = world.orders.requests().len() - before;
        let Some(number) = rule else {
            ensure!(
                matches!(said.as_str(), "200" | "404"),
                "{arguments}: {said}"
            );
            ensure_eq(sent, 1, &arguments.to_string())?;
            continue;
        };
        let name = format!("components.prober.deny[{number}]");
        ensure!(
            said.contains("NotGranted") && said.contains(&name),
            "{arguments}: {said}"
        );
        ensure_eq(sent, 0, "nothing leaves")?;
        let records = world.records()?;
        let record = records
            .iter()
            .rfind(|one| one["event"] == "downstream.refused");
        let record = record.context("no record")?;
        ensure_eq(&record["reason"], &json!("denied-by-rule"), "the reason")?;
        ensure_eq(&record["rule"], &json!(name), "the rule")?;
        ensure!(
            !record.to_string().contains("5000"),
            "a value is in the journal: {record}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn explain_names_the_rules_and_check_warns_of_one_that_trusts_arguments() -> Result<()> {
    let world = denying().await?;
    let config = world.folder.config();
    let config = config.to_string_lossy();
    let check = process::run(&bailiwick()?, &["check", "--config", &config]).await?;
    let said = String::from_utf8_lossy(&[check.stdout, check.stderr].concat()).into_owned();
    ensure!(check.status.success(), "{said}");
    ensure!(
        said.contains("components.prober.deny[4]: its condition reads"),
        "{said}"
    );
    ensure!(
        !said.contains("components.prober.deny[1]: its condition reads"),
        "{said}"
    );
    let said = explained(&world).await?;
    for line in [
        "unless request.body.amount > 1000 (components.prober.deny[1])",
        "unless request.path.endsWith('-secret') (components.prober.deny[3])",
    ] {
        ensure!(said.contains(line), "{line}: {said}");
    }
    Ok(())
}
