//! A tool with one service, reached on behalf of the user with a token from the cache: beside a
//! tool without protection that asks the same service, which is two plain HTTP hops, and beside an
//! imported operation that makes the same request.

use bailiwick_dev::issuer::{Client, Settings, User};
use bailiwick_dev::{Config, Host, Issuer};

use super::{BAILIWICK, Contest, USERS, end, introduce, order};
use crate::host::{Running, Setup};
use crate::peers::{self, Peer};
use crate::plan::{Other, Plan};
use crate::rounds;

/// The name of the two plain hops in the results.
pub(crate) const HOPS: &str = "two-hops";
/// The names of the tool in Rust, and of the imported operation.
pub(crate) const WRITTEN: &str = "hand-written";
pub(crate) const IMPORTED: &str = "imported";
/// The connections on which these two are measured.
pub(crate) const IMPORTED_CONNECTIONS: usize = 32;

/// A service, and the issuer of its users.
struct Shop {
    issuer: Issuer,
    desk: Host,
}

/// A component, and its tool that asks for an order.
type Asking = (&'static str, &'static str);

/// Measures a tool with the service, and the two plain hops.
pub(crate) async fn service(plan: &Plan) -> anyhow::Result<Contest> {
    let shop = Shop::open().await?;
    let hops = peers::own("hops", &[&shop.url()]).await?;
    let hops = Peer::of(HOPS, hops, &Other::calling(TOOL.1, ARGUMENTS)).await?;
    let host = shop.host(plan, BAILIWICK, TOOL).await?;
    let connections = &plan.connections;
    shop.contest(plan, "one service", (vec![hops], vec![host]), connections)
        .await
}

/// Measures an imported operation, and the tool in Rust that makes the same request.
pub(crate) async fn imported(plan: &Plan) -> anyhow::Result<Contest> {
    let shop = Shop::open().await?;
    let hosts = vec![
        shop.host(plan, WRITTEN, TOOL).await?,
        shop.host(plan, IMPORTED, OPERATION).await?,
    ];
    let connections = [IMPORTED_CONNECTIONS];
    shop.contest(
        plan,
        "an imported operation",
        (Vec::new(), hosts),
        &connections,
    )
    .await
}

impl Shop {
    async fn open() -> anyhow::Result<Self> {
        let settings = Settings {
            users: (0..USERS).map(user).collect(),
            ..Settings::default()
        };
        Ok(Self {
            issuer: Issuer::start_with(settings).await?,
            desk: peers::own("desk", &[]).await?,
        })
    }

    fn url(&self) -> String {
        self.desk.at("/").trim_end_matches('/').to_owned()
    }

    /// Starts a host with a component that asks the service.
    async fn host(
        &self,
        plan: &Plan,
        name: &str,
        (component, tool): Asking,
    ) -> anyhow::Result<Running> {
        let files = plan.component(component)?;
        let digest = bailiwick_dev::folder::digest(&files.1);
        let setup = Setup {
            name,
            bailiwick: &plan.bailiwick,
            place: &plan.work,
            issuer: &self.issuer,
            components: vec![files],
            secrets: vec![("exchange", Client::host().secret)],
            configure: &|config: Config| {
                config.with_orders(self.issuer.url(), &self.url()).grant(
                    component,
                    &digest,
                    &[("orders_api", "on_behalf_of")],
                )
            },
            tools: vec![tool.to_owned()],
            arguments: ARGUMENTS,
            scopes: &["orders:read"],
            users: USERS,
        };
        setup.start().await
    }

    /// Measures servers that ask the service, and stops everything.
    async fn contest(
        self,
        plan: &Plan,
        what: &str,
        (peers, hosts): (Vec<Peer>, Vec<Running>),
        connections: &[usize],
    ) -> anyhow::Result<Contest> {
        let targets = order(&peers, &hosts);
        introduce(&targets).await?;
        let loads: Vec<_> = connections.iter().map(|&many| plan.load(many)).collect();
        let rounds = rounds::run(what, &targets, &loads, plan.rounds).await?;
        let memory = end(peers, hosts).await?;
        self.desk.stop().await?;
        Ok(Contest { rounds, memory })
    }
}

fn user(number: usize) -> User {
    User::new(&format!("user-{number}")).may("orders", &["orders:read"])
}

const TOOL: Asking = ("orders", "get_order_status");
const OPERATION: Asking = ("imported", "read_order");
const ARGUMENTS: &str = r#"{"order_id":"A-1001"}"#;
