//! A world for one story: started fresh, removed when dropped.

mod binaries;
mod remains;

use bailiwick_dev::issuer::{self, TokenSpec};
use bailiwick_dev::mcp::{self, Answer};
use bailiwick_dev::reports::Entry;
use bailiwick_dev::{
    Billing, Config, Folder, Host, Issuer, Orders, Reports, journal, orders, process,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

pub use binaries::{bailiwick, demo, tools, workbench};
pub use remains::Remains;

/// The agent through which every call comes, unless a token names another.
pub const AGENT: &str = "clerk";

/// The tool that asks the orders service.
pub const ORDERS_TOOL: &str = "get_order_status";

/// The scope that tool needs.
pub const SCOPE: &str = "orders:read";

/// The trust domain of the host.
pub const TRUST_DOMAIN: &str = "test.example";

/// The changes of a story to the usual world, made before it starts.
pub struct Plan {
    /// The authorization server.
    pub issuer: issuer::Settings,
    /// The delegation mode of the orders component.
    pub mode: &'static str,
    /// More components for the tools folder: file name and bytes.
    pub components: Vec<(String, Vec<u8>)>,
    /// Changes to the service, before it starts.
    pub orders: fn(&mut orders::Settings),
    /// True if the host also has the billing component and its two services.
    pub billing: bool,
    /// The header, prefix and key that the reports service accepts, in place of the host's own
    /// token.
    pub reports_key: Option<[&'static str; 3]>,
    /// Changes to the configuration, before the host starts.
    pub config: Box<dyn FnOnce(&mut Config)>,
    /// The environment of the host.
    pub environment: Vec<(String, String)>,
    /// The number of file descriptors that the host may have, if fewer than the system allows.
    pub descriptors: Option<u32>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            issuer: issuer::Settings::default(),
            mode: "on_behalf_of",
            components: Vec::new(),
            orders: |_| (),
            billing: false,
            reports_key: None,
            config: Box::new(|_| ()),
            environment: Vec::new(),
            descriptors: None,
        }
    }
}

impl Plan {
    /// Returns the usual world with another delegation mode for the orders component.
    pub fn mode(mode: &'static str) -> Self {
        Self {
            mode,
            ..Self::default()
        }
    }

    /// Returns the usual world with the billing component, each of its tools in its own mode.
    pub fn billing() -> Self {
        Self {
            billing: true,
            ..Self::default()
        }
    }

    /// Returns the usual world with another configuration.
    pub fn config(change: impl FnOnce(&mut Config) + 'static) -> Self {
        Self {
            config: Box::new(change),
            ..Self::default()
        }
    }
}

/// An issuer, a service, a host, and the folder it lives in.
pub struct World {
    /// The authorization server.
    pub issuer: Issuer,
    /// The service.
    pub orders: Orders,
    /// The service that takes users in person.
    pub billing: Billing,
    /// The service with shared data.
    pub reports: Reports,
    /// The host.
    pub host: Host,
    /// Its folder.
    pub folder: Folder,
    surroundings: Surroundings,
    temp: TempDir,
}

/// The surroundings of the host when it starts.
#[derive(Clone)]
struct Surroundings {
    environment: Vec<(String, String)>,
    descriptors: Option<u32>,
}

impl World {
    /// Starts the usual world: `whoami`, and `orders` on behalf of the user.
    ///
    /// # Errors
    /// Fails if any part does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::with(Plan::default()).await
    }

    /// Starts a world by plan.
    ///
    /// # Errors
    /// Fails if any part does not start.
    pub async fn with(plan: Plan) -> anyhow::Result<Self> {
        let temp = TempDir::new()?;
        let folder = Folder::create(&temp.path().join("host"))?;
        let issuer = Issuer::start_with(plan.issuer).await?;
        let mut settings = orders::Settings::new(issuer.url(), &issuer.jwks_uri(), TRUST_DOMAIN);
        (plan.orders)(&mut settings);
        let orders = Orders::start(settings).await?;
        let billing = Billing::start(issuer.trusted(), None).await?;
        let reports = Reports::start(entry(&issuer, plan.reports_key), None).await?;

        let built = tools()?;
        folder.add_tool(&built.join("whoami.wasm"))?;
        let digest = folder.add_tool(&built.join("orders.wasm"))?;
        for (name, bytes) in &plan.components {
            folder.write_tool(name, bytes)?;
        }
        folder.write_secret("exchange", "a secret of the host & only of it")?;
        let mut config = Config::new(issuer.url(), TRUST_DOMAIN)
            .with_orders(issuer.url(), orders.url())
            .grant("orders", &digest, &[("orders_api", plan.mode)]);
        if plan.billing {
            let digest = folder.add_tool(&built.join("billing.wasm"))?;
            config = config.with_billing(issuer.url(), billing.url());
            config = with_reports(config, &issuer, &reports, &folder, plan.reports_key)?;
            config = grant_billing(config, &digest);
        }
        (plan.config)(&mut config);
        if !config.audit.contains("refusals_per_second") {
            // Stories refuse more in a second than operators want recorded one by one.
            config.audit.push_str("refusals_per_second = 100\n");
        }
        folder.write_config(&config)?;

        let surroundings = Surroundings {
            environment: plan.environment,
            descriptors: plan.descriptors,
        };
        let host = start_host(&folder, &surroundings).await?;
        orders.trust_host(&host.at("/.well-known/jwks.json"));
        Ok(Self {
            issuer,
            orders,
            billing,
            reports,
            host,
            folder,
            surroundings,
            temp,
        })
    }

    /// Returns a good token's spec: for this host, through the agent, with the scope for orders.
    pub fn spec(&self, sub: &str) -> TokenSpec {
        TokenSpec::of(sub)
            .client(AGENT)
            .audience(&self.host.url())
            .scopes(&[SCOPE])
    }

    /// Returns a good token.
    ///
    /// # Errors
    /// Fails if the issuer cannot sign.
    pub fn token(&self, sub: &str) -> anyhow::Result<String> {
        Ok(self.issuer.token(&self.spec(sub))?)
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// Fails if the host does not answer.
    pub async fn call(&self, token: &str, tool: &str, arguments: &Value) -> anyhow::Result<Answer> {
        mcp::call(&self.host.url(), Some(token), tool, arguments).await
    }

    /// Asks for an order.
    ///
    /// # Errors
    /// Fails if the host does not answer.
    pub async fn order(&self, token: &str, id: &str) -> anyhow::Result<Answer> {
        self.call(token, ORDERS_TOOL, &json!({"order_id": id}))
            .await
    }

    /// Returns the journal so far.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub fn records(&self) -> anyhow::Result<Vec<Value>> {
        journal::read(&self.folder.audit())
    }

    /// Starts a second host in the same folder, which must refuse; returns its output.
    ///
    /// # Errors
    /// Fails if it starts.
    pub async fn second_refused(&self) -> anyhow::Result<String> {
        refused(&self.folder, &self.surroundings).await
    }

    /// Kills the host in the middle of its work.
    ///
    /// # Errors
    /// Fails if it cannot be waited for.
    pub async fn kill(self) -> anyhow::Result<Remains> {
        let (host, remains) = self.part();
        let said = host.kill().await?;
        Ok(Remains { said, ..remains })
    }

    /// Ends the host with SIGTERM.
    ///
    /// # Errors
    /// Fails if it does not end, or not with success.
    pub async fn stop(self) -> anyhow::Result<Remains> {
        let (host, remains) = self.part();
        let (status, said) = host.stop().await?;
        anyhow::ensure!(status.success(), "the host ended with {status}:\n{said}");
        Ok(Remains { said, ..remains })
    }

    fn part(self) -> (Host, Remains) {
        let remains = Remains {
            issuer: self.issuer,
            orders: self.orders,
            billing: self.billing,
            reports: self.reports,
            folder: self.folder,
            said: String::new(),
            surroundings: self.surroundings,
            temp: self.temp,
        };
        (self.host, remains)
    }
}

fn entry(issuer: &Issuer, key: Option<[&str; 3]>) -> Entry {
    match key {
        Some([header, prefix, key]) => Entry::Key {
            header: header.to_ascii_lowercase(),
            value: format!("{prefix}{key}"),
        },
        None => Entry::Token(issuer.trusted()),
    }
}

fn with_reports(
    config: Config,
    issuer: &Issuer,
    reports: &Reports,
    folder: &Folder,
    key: Option<[&str; 3]>,
) -> anyhow::Result<Config> {
    let Some([header, prefix, key]) = key else {
        return Ok(config.with_reports(issuer.url(), reports.url()));
    };
    folder.write_secret("reports", key)?;
    Ok(config.with_reports_key(reports.url(), header, prefix))
}

/// Grants each tool of the component its own service, and no tool the other's.
fn grant_billing(config: Config, digest: &str) -> Config {
    config
        .grant("billing", digest, &[])
        .grant_tool(
            "billing",
            "get_balance",
            &[("billing_api", "restricted_user")],
        )
        .grant_tool(
            "billing",
            "monthly_report",
            &[("reports_api", "service_identity")],
        )
}

async fn refused(folder: &Folder, surroundings: &Surroundings) -> anyhow::Result<String> {
    match start_host(folder, surroundings).await {
        Ok(_) => anyhow::bail!("the host starts"),
        Err(error) => Ok(format!("{error:#}")),
    }
}

/// Runs `bailiwick audit`; returns its success and its output.
///
/// # Errors
/// Fails if it cannot be run.
pub async fn audit(arguments: &[&str]) -> anyhow::Result<(bool, String)> {
    let output = process::run(&bailiwick()?, &[&["audit"], arguments].concat()).await?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

/// Starts the host so that a file that grows over its limit is an error for the host and not its
/// end (see `setrlimit`). With `CONTROL_GROUP` in the environment, the host runs in that group.
async fn start_host(folder: &Folder, surroundings: &Surroundings) -> anyhow::Result<Host> {
    let descriptors = surroundings
        .descriptors
        .map(|limit| format!("ulimit -n {limit}"))
        .unwrap_or_default();
    let script = format!(
        r#"trap '' XFSZ
        {descriptors}
        if [ -n "$CONTROL_GROUP" ]; then echo $$ >"$CONTROL_GROUP/cgroup.procs" || exit; fi
        exec "$0" serve --config "$1" --until-stdin-closes"#
    );
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(script)
        .arg(bailiwick()?)
        .arg(folder.config());
    for (name, value) in &surroundings.environment {
        command.env(name, value);
    }
    Host::start_command(command).await
}
