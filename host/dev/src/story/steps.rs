//! The steps of the story. Each looks at the answer, and at what reached the service.

use anyhow::Context as _;
use bailiwick_envelope as envelope;
use http::StatusCode;
use serde_json::{Value, json};

use super::hostile;
use super::stage::{AGENT, Stage};
use crate::mcp::Answer;
use crate::teller::Teller;
use crate::{client, clock, journal, mcp};

pub(super) const ORDERS_TOOL: &str = "get_order_status";
pub(super) const SCOPE: &str = "orders:read";

/// The stage and its teller.
pub(super) struct Scene<'s> {
    pub(super) stage: &'s Stage,
    pub(super) teller: &'s mut Teller,
}

impl<'s> Scene<'s> {
    pub(super) fn new(stage: &'s Stage, teller: &'s mut Teller) -> Self {
        Self { stage, teller }
    }

    /// Plays every step.
    pub(super) async fn play(&mut self) -> anyhow::Result<()> {
        self.own_order("alice", "A-1001", "shipped").await?;
        self.own_order("bob", "A-2001", "delivered").await?;
        self.anothers_order().await?;
        self.own_orders().await?;
        self.balance().await?;
        self.report().await?;
        self.no_user().await?;
        self.supplied_user().await?;
        self.missing_scope().await?;
        self.no_token().await?;
        self.hostile_component().await?;
        self.whoami().await
    }

    async fn own_order(&mut self, user: &str, id: &str, status: &str) -> anyhow::Result<()> {
        self.teller.step(
            &format!("{user} asks the {AGENT} for order {id}"),
            &format!("the status, and the service sees {user} through {AGENT}"),
        );
        let token = self.stage.token(user, &[SCOPE])?;
        let answer = self.ask(&token, &json!({"order_id": id})).await?;
        let found = answer.is_success() && answer.text().contains(status);
        self.teller
            .check("the order's status comes back", found, &seen(&answer));
        let log = self.stage.orders.log();
        let named = log.last().is_some_and(|line| {
            line.user.as_deref() == Some(user)
                && line.agent.as_deref() == Some(AGENT)
                && line.mode.as_deref() == Some("on_behalf_of")
                && line.status == 200
        });
        self.teller
            .check("the service's own log names user and agent", named, "");
        let leaked = self.service_saw(&token);
        self.teller
            .check("the user's token did not reach the service", !leaked, "");
        Ok(())
    }

    async fn anothers_order(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            "alice asks for order A-2001, which is bob's",
            "the service refuses (403), because it knows that alice asks",
        );
        let token = self.stage.token("alice", &[SCOPE])?;
        let answer = self.ask(&token, &json!({"order_id": "A-2001"})).await?;
        let refused = answer.is_tool_error() && !answer.raw.contains("delivered");
        self.teller
            .check("the tool says no, honestly", refused, &seen(&answer));
        let log = self.stage.orders.log();
        let by_service = log
            .last()
            .is_some_and(|line| line.user.as_deref() == Some("alice") && line.status == 403);
        self.teller
            .check("it was the service that refused", by_service, "");
        Ok(())
    }

    async fn supplied_user(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            "the model makes up an argument: user_id = \"bob\"",
            "refused before any tool runs: there is no parameter to name a user with",
        );
        let before = self.stage.orders.requests().len();
        let token = self.stage.token("alice", &[SCOPE])?;
        let arguments = json!({"order_id": "A-2001", "user_id": "bob"});
        let answer = self.ask(&token, &arguments).await?;
        let refused = answer.is_tool_error() && answer.text().contains("user_id");
        self.teller
            .check("the answer names what is wrong", refused, &seen(&answer));
        let recorded = self.last_reason("call.refused")?;
        self.teller.check(
            "the journal has it as invalid-arguments",
            recorded == "invalid-arguments",
            &recorded,
        );
        let quiet = self.stage.orders.requests().len() == before;
        self.teller.check("the service heard nothing", quiet, "");
        Ok(())
    }

    async fn missing_scope(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            "alice comes with a token that lacks orders:read",
            "403 with a challenge that names the scope",
        );
        let token = self.stage.token("alice", &[])?;
        let answer = self.ask(&token, &json!({"order_id": "A-1001"})).await?;
        let challenge = answer.challenge();
        let named = answer.status == StatusCode::FORBIDDEN
            && challenge.contains("insufficient_scope")
            && challenge.contains(SCOPE);
        self.teller
            .check("403, insufficient_scope", named, challenge);
        Ok(())
    }

    async fn no_token(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            "a request comes without a token",
            "401 with a challenge that says where to get one",
        );
        let url = self.stage.host.url();
        let answer = mcp::call(&url, None, ORDERS_TOOL, &json!({"order_id": "A-1001"})).await?;
        let challenge = answer.challenge();
        let pointed = answer.status == StatusCode::UNAUTHORIZED
            && challenge.contains("resource_metadata=")
            && !challenge.contains("error=");
        self.teller
            .check("401 with resource_metadata", pointed, challenge);
        Ok(())
    }

    async fn hostile_component(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            &format!(
                "{} lies in the tools folder and wants the network",
                hostile::NAME
            ),
            "refused at load, before it is compiled; its tools are not there",
        );
        let token = self.stage.token("alice", &[SCOPE])?;
        let answer = mcp::list(&self.stage.host.url(), Some(&token)).await?;
        let mut names = names(&answer);
        names.sort_unstable();
        let only = names == [ORDERS_TOOL, "list_orders", "whoami"];
        self.teller.check(
            "only good tools that alice may call are offered",
            only,
            &names.join(", "),
        );
        let records = journal::read(&self.stage.folder.audit())?;
        let refusals = journal::events(&records, "component.refused");
        let recorded = refusals
            .iter()
            .any(|record| record.to_string().contains("wasi:sockets"));
        let cause = refusals
            .first()
            .and_then(|record| record.pointer("/detail/cause")?.as_str());
        self.teller.check(
            "the journal says what it asked for",
            recorded,
            cause.unwrap_or_default(),
        );
        Ok(())
    }

    async fn whoami(&mut self) -> anyhow::Result<()> {
        self.teller.step(
            "alice asks who she is to a tool",
            "the envelope: user, agent and call, signed by the host, and no token anywhere",
        );
        let token = self.stage.token("alice", &[])?;
        let answer = mcp::call(&self.stage.host.url(), Some(&token), "whoami", &json!({})).await?;
        let keys = client::fetch(&self.stage.host.at("/.well-known/jwks.json"))
            .await?
            .json()?;
        let keys = envelope::PublicKeys::from_jwks(&keys).context("the host's keys")?;
        let json = answer.structured().to_string();
        match envelope::verify(&json, &keys, clock::now()) {
            Ok(sealed) => {
                let claims = sealed.claims();
                let right = claims.actor.sub == "alice" && claims.agent.client_id == AGENT;
                self.teller.check("it names alice and the agent", right, "");
                self.teller.check("its signature verifies", true, "");
            }
            Err(error) => self
                .teller
                .check("its signature verifies", false, &error.to_string()),
        }
        self.teller
            .check("the token is not in it", !answer.raw.contains(&token), "");
        let pretty = serde_json::to_string_pretty(answer.structured())?;
        for line in pretty.lines() {
            self.teller.aside(line);
        }
        Ok(())
    }

    async fn ask(&self, token: &str, arguments: &Value) -> anyhow::Result<Answer> {
        self.call(token, ORDERS_TOOL, arguments).await
    }

    pub(super) async fn call(
        &self,
        token: &str,
        tool: &str,
        arguments: &Value,
    ) -> anyhow::Result<Answer> {
        mcp::call(&self.stage.host.url(), Some(token), tool, arguments).await
    }

    /// Returns whether the text appeared anywhere in a request to a service.
    pub(super) fn service_saw(&self, text: &str) -> bool {
        self.stage.heard().iter().any(|request| {
            let headers = request
                .headers
                .values()
                .any(|value| String::from_utf8_lossy(value.as_bytes()).contains(text));
            headers || request.path.contains(text) || request.query.contains(text)
        })
    }

    /// Returns the reason of the newest record of an event.
    pub(super) fn last_reason(&self, event: &str) -> anyhow::Result<String> {
        let records = journal::read(&self.stage.folder.audit())?;
        let refusals = journal::events(&records, event);
        let reason = refusals
            .last()
            .map(|record| journal::text(record, "reason"));
        Ok(reason.unwrap_or_default().to_owned())
    }
}

fn names(answer: &Answer) -> Vec<String> {
    let tools = answer.result().get("tools").and_then(Value::as_array);
    tools
        .into_iter()
        .flatten()
        .filter_map(|tool| tool.get("name")?.as_str())
        .map(str::to_owned)
        .collect()
}

/// Sums up an answer in a line.
pub(super) fn seen(answer: &Answer) -> String {
    let text = answer.text();
    if text.is_empty() {
        let body = answer.raw.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = body.chars().take(200).collect();
        return format!("{} {short}", answer.status);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
