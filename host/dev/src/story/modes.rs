//! The steps of the other delegation modes: as the user alone, and as the host itself.

use serde_json::{Map, Value, json};

use super::stage::{AGENT, MACHINE};
use super::steps::{ORDERS_TOOL, SCOPE, Scene, seen};
use crate::http::Request;
use crate::jws::unverified_claims;

impl Scene<'_> {
    pub(super) async fn own_orders(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            "alice asks for a list of orders",
            "hers alone: whose orders is no argument, the host fills it into the path",
        );
        let token = self.stage.token("alice", &[SCOPE])?;
        let answer = self.call(&token, "list_orders", &json!({})).await?;
        let text = answer.text();
        let hers = answer.is_success()
            && text.contains("A-1001")
            && text.contains("A-1002")
            && !text.contains("A-2001");
        self.teller
            .check("her two orders, and not bob's", hers, &seen(&answer));
        let asked = self
            .stage
            .orders
            .requests()
            .last()
            .map(|request| request.path.clone())
            .unwrap_or_default();
        self.teller.check(
            "the host asked for the customer alice",
            asked == "/customers/alice/orders",
            &asked,
        );
        Ok(())
    }

    pub(super) async fn balance(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            "alice asks for her balance",
            "restricted_user: a token of alice's for billing alone, without an actor",
        );
        let token = self.stage.token("alice", &["billing:read"])?;
        let answer = self.call(&token, "get_balance", &json!({})).await?;
        let found = answer.is_success() && answer.text().contains("4250");
        self.teller
            .check("her balance comes back", found, &seen(&answer));
        let claims = self
            .stage
            .billing
            .requests()
            .last()
            .map(bearer)
            .unwrap_or_default();
        let restricted = text(&claims, "sub") == "alice"
            && text(&claims, "aud") == "billing"
            && text(&claims, "scope") == "billing:read"
            && !claims.contains_key("act");
        let shown = format!(
            "aud {}, scope {}, no act",
            text(&claims, "aud"),
            text(&claims, "scope")
        );
        self.teller
            .check("one audience, one scope, no actor", restricted, &shown);
        let log = self.stage.billing.log();
        let named = log.last().is_some_and(|line| {
            line.user.as_deref() == Some("alice")
                && line.agent.as_deref() == Some(AGENT)
                && line.status == 200
        });
        self.teller
            .check("the service's own log names user and agent", named, "");
        self.teller.check(
            "the user's token did not reach the service",
            !self.service_saw(&token),
            "",
        );
        Ok(())
    }

    pub(super) async fn report(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            &format!("{MACHINE}, a service account without a user, asks for a monthly report"),
            "service_identity: the host goes as itself, because the report is the same for everybody",
        );
        let token = self.stage.machine_token(&["reports:read"])?;
        let answer = self
            .call(&token, "monthly_report", &json!({"month": "2026-10"}))
            .await?;
        let found = answer.is_success() && answer.text().contains("57");
        self.teller
            .check("the report comes back", found, &seen(&answer));
        let claims = self
            .stage
            .reports
            .requests()
            .last()
            .map(bearer)
            .unwrap_or_default();
        let own = text(&claims, "sub") == "bailiwick" && text(&claims, "aud") == "reports";
        let shown = format!("sub {}, aud {}", text(&claims, "sub"), text(&claims, "aud"));
        self.teller.check(
            "the token is the host's own, for reports alone",
            own,
            &shown,
        );
        self.teller.check(
            "the service account's token did not reach the service",
            !self.service_saw(&token),
            "",
        );
        Ok(())
    }

    pub(super) async fn no_user(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            &format!("{MACHINE} asks for order A-1001, which takes a user"),
            "refused: there is no user to act for, and the host never goes as itself instead",
        );
        let (heard, exchanges) = (
            self.stage.heard().len(),
            self.stage.issuer.exchanges().len(),
        );
        let token = self.stage.machine_token(&[SCOPE])?;
        let answer = self
            .call(&token, ORDERS_TOOL, &json!({"order_id": "A-1001"}))
            .await?;
        self.teller.check(
            "the tool says no, honestly",
            answer.is_tool_error(),
            &seen(&answer),
        );
        let reason = self.last_reason("downstream.refused")?;
        self.teller.check(
            "the journal has it as identity-unavailable",
            reason == "identity-unavailable",
            &reason,
        );
        let quiet =
            self.stage.heard().len() == heard && self.stage.issuer.exchanges().len() == exchanges;
        self.teller.check(
            "nothing was sent, to no service and to no issuer",
            quiet,
            "",
        );
        Ok(())
    }
}

/// Returns the claims of a request's bearer token.
fn bearer(request: &Request) -> Map<String, Value> {
    let token = request
        .header("authorization")
        .and_then(|header| header.strip_prefix("Bearer "));
    token.and_then(unverified_claims).unwrap_or_default()
}

fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> &'c str {
    claims.get(name).and_then(Value::as_str).unwrap_or("-")
}
