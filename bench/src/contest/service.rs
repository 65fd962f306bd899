//! A tool with one service, reached on behalf of the user with a token from the cache, beside a
//! tool without protection that asks the same service: two plain HTTP hops.

use bailiwick_dev::issuer::{Client, Settings, User};
use bailiwick_dev::{Config, Issuer};

use super::{BAILIWICK, Contest, USERS, end, introduce, order};
use crate::host::Setup;
use crate::peers::{self, Peer};
use crate::plan::{Other, Plan};
use crate::rounds;

/// The name of the two plain hops in the results.
pub(crate) const HOPS: &str = "two-hops";

/// Measures both.
pub(crate) async fn service(plan: &Plan) -> anyhow::Result<Contest> {
    let issuer = Issuer::start_with(Settings {
        users: (0..USERS).map(user).collect(),
        ..Settings::default()
    })
    .await?;
    let desk = peers::own("desk", &[]).await?;
    let service = desk.at("/").trim_end_matches('/').to_owned();
    let hops = peers::own("hops", &[&service]).await?;
    let hops = Peer::of(HOPS, hops, &Other::calling(TOOL, ARGUMENTS)).await?;
    let component = plan.component("orders")?;
    let digest = bailiwick_dev::folder::digest(&component.1);
    let setup = Setup {
        name: BAILIWICK,
        bailiwick: &plan.bailiwick,
        place: &plan.work,
        issuer: &issuer,
        components: vec![component],
        secrets: vec![("exchange", Client::host().secret)],
        configure: &|config: Config| {
            config.with_orders(issuer.url(), &service).grant(
                "orders",
                &digest,
                &[("orders_api", "on_behalf_of")],
            )
        },
        tools: vec![TOOL.to_owned()],
        arguments: ARGUMENTS,
        scopes: &["orders:read"],
        users: USERS,
    };
    let (peers, hosts) = (vec![hops], vec![setup.start().await?]);
    let targets = order(&peers, &hosts);
    introduce(&targets).await?;
    let loads: Vec<_> = plan
        .connections
        .iter()
        .map(|&many| plan.load(many))
        .collect();
    let rounds = rounds::run("one service", &targets, &loads, plan.rounds).await?;
    let memory = end(peers, hosts).await?;
    desk.stop().await?;
    Ok(Contest { rounds, memory })
}

fn user(number: usize) -> User {
    User::new(&format!("user-{number}")).may("orders", &["orders:read"])
}

const TOOL: &str = "get_order_status";
const ARGUMENTS: &str = r#"{"order_id":"A-1001"}"#;
