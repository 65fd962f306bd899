//! Grafana's dashboards, alerts and annotations, with the account that the caller's tenant has
//! there.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Found {
    /// What `get_dashboard` takes.
    uid: String,
    title: String,
    /// Its page, below Grafana's address.
    url: String,
    folder_title: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Dashboards {
    dashboards: Vec<Found>,
}

#[derive(Deserialize, JsonSchema)]
struct Search {
    /// A part of the title; all dashboards if left out.
    query: Option<String>,
}

/// Finds dashboards by their title.
#[bailiwick_sdk::tool(scopes = ["dashboards:read"], services = ["grafana"], read_only)]
fn search_dashboards(call: &Call, search: Search) -> Result<Dashboards, Error> {
    let request = call.service("grafana").get(["api", "search"]);
    let request = request.query("type", "dash-db").query("limit", "50");
    let request = match search.query {
        Some(query) => request.query("query", query),
        None => request,
    };
    let dashboards = request.send()?.json()?;
    Ok(Dashboards { dashboards })
}

#[derive(Deserialize, JsonSchema)]
struct Wanted {
    /// The dashboard's `uid`, from `search_dashboards`.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,40}$"))]
    dashboard: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Panel {
    id: u64,
    title: Option<String>,
    /// Such as `timeseries` or `stat`.
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Dashboard {
    uid: String,
    title: String,
    version: u64,
    #[serde(default)]
    panels: Vec<Panel>,
}

#[derive(Deserialize)]
struct Stored {
    dashboard: Dashboard,
}

/// Lists the panels of a dashboard.
#[bailiwick_sdk::tool(scopes = ["dashboards:read"], services = ["grafana"], read_only)]
fn get_dashboard(call: &Call, wanted: Wanted) -> Result<Dashboard, Error> {
    let path = ["api", "dashboards", "uid", &wanted.dashboard];
    let stored: Stored = call.service("grafana").get(path).send()?.json()?;
    Ok(stored.dashboard)
}

#[derive(Deserialize, JsonSchema)]
struct Note {
    /// The dashboard's `uid`, from `search_dashboards`.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,40}$"))]
    dashboard: String,
    #[schemars(length(min = 1, max = 1000))]
    text: String,
}

#[derive(Serialize)]
struct Annotation<'call> {
    #[serde(rename = "dashboardUID")]
    dashboard_uid: &'call str,
    /// Milliseconds since 1970.
    time: u64,
    text: &'call str,
    tags: [String; 2],
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Annotated {
    id: u64,
}

/// Marks this moment on a dashboard. The mark names the caller, whom Grafana does not know.
#[bailiwick_sdk::tool(scopes = ["annotations:write"], services = ["grafana"])]
fn annotate(call: &Call, note: Note) -> Result<Annotated, Error> {
    let annotation = Annotation {
        dashboard_uid: &note.dashboard,
        time: u64::try_from(call.now().as_millis()).unwrap_or(u64::MAX),
        text: &note.text,
        tags: [
            format!("by:{}", call.actor().sub),
            format!("with:{}", call.agent().id),
        ],
    };
    let request = call.service("grafana").post(["api", "annotations"]);
    request.json(&annotation)?.send()?.json()
}

bailiwick_sdk::export!(search_dashboards, get_dashboard, annotate);

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use bailiwick_sdk::testing::Scene;

    use super::*;

    #[test]
    fn a_mark_names_the_user_who_asked_and_the_agent() {
        let sent = Rc::new(RefCell::new(String::new()));
        let body = Rc::clone(&sent);
        let scene = Scene::new().actor("alice").on_send(move |request| {
            *body.borrow_mut() = String::from_utf8_lossy(&request.body).into_owned();
            Ok(Response::new(
                200,
                r#"{"message": "Annotation added", "id": 9}"#,
            ))
        });
        let note = Note {
            dashboard: "cIBgcSjkk".to_owned(),
            text: "Deployed".to_owned(),
        };
        let id = annotate(&scene.call(), note).map(|annotated| annotated.id);
        assert_eq!(id, Ok(9));
        let sent = sent.borrow();
        assert!(sent.contains(r#""tags":["by:alice","with:"#), "{sent}");
        assert!(sent.contains(r#""dashboardUID":"cIBgcSjkk""#), "{sent}");
    }

    #[test]
    fn a_dashboard_is_its_panels() {
        let stored = r#"{"meta": {"slug": "x"}, "dashboard": {"uid": "a", "title": "Shop", "version": 3,
            "panels": [{"id": 1, "title": "Orders", "type": "timeseries", "gridPos": {}}]}}"#;
        let call = Scene::new()
            .on_send(move |_| Ok(Response::new(200, stored)))
            .call();
        let dashboard = "a".to_owned();
        let found = get_dashboard(&call, Wanted { dashboard });
        let titles = found.map(|it| it.panels.into_iter().filter_map(|panel| panel.title));
        assert_eq!(titles.map(Iterator::collect), Ok(vec!["Orders".to_owned()]));
    }
}
