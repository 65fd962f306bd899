//! GitHub's issues as the user who asks. Which token that is, the host decides; the code cannot
//! know.

use bailiwick_sdk::prelude::*;

#[derive(Deserialize, Serialize, JsonSchema)]
struct Issue {
    /// Its number in the repository.
    number: u64,
    title: String,
    /// `open` or `closed`.
    state: String,
    /// Its page.
    html_url: String,
    /// Who opened it.
    user: Account,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Account {
    login: String,
}

/// An item of GitHub's lists, in which a pull request is an issue with one member more.
#[derive(Deserialize)]
struct Listed {
    #[serde(flatten)]
    issue: Issue,
    pull_request: Option<Presence>,
}

#[derive(Deserialize)]
struct Presence {}

#[derive(Serialize, JsonSchema)]
struct Issues {
    issues: Vec<Issue>,
}

#[derive(Deserialize, JsonSchema)]
struct Repository {
    /// The account or organization that has the repository.
    #[schemars(
        example = "octo-org",
        regex(pattern = "^[A-Za-z0-9][A-Za-z0-9-]{0,38}$")
    )]
    owner: String,
    /// The repository's name.
    #[schemars(example = "hello-world", regex(pattern = "^[A-Za-z0-9._-]{1,100}$"))]
    repo: String,
}

/// Lists the open issues of a repository that the caller may see.
#[bailiwick_sdk::tool(scopes = ["issues:read"], services = ["github"], read_only)]
fn list_issues(call: &Call, repository: Repository) -> Result<Issues, Error> {
    let Repository { owner, repo } = repository;
    let request = call
        .service("github")
        .get(["repos", &owner, &repo, "issues"]);
    listed(request.query("state", "open"))
}

/// Lists the open issues that are assigned to the caller, in all repositories.
#[bailiwick_sdk::tool(scopes = ["issues:read"], services = ["github"], read_only)]
fn my_issues(call: &Call) -> Result<Issues, Error> {
    let request = call.service("github").get(["issues"]);
    listed(request.query("filter", "assigned").query("state", "open"))
}

fn listed(request: Request<'_>) -> Result<Issues, Error> {
    let answer = request.query("per_page", "50").header("accept", MEDIA_TYPE);
    let all: Vec<Listed> = answer.send()?.json()?;
    let issues = all.into_iter().filter(|it| it.pull_request.is_none());
    Ok(Issues {
        issues: issues.map(|it| it.issue).collect(),
    })
}

#[derive(Deserialize, JsonSchema)]
struct NewIssue {
    #[serde(flatten)]
    repository: Repository,
    #[schemars(length(min = 1, max = 256))]
    title: String,
    /// What it is about, in GitHub's Markdown.
    body: Option<String>,
}

#[derive(Serialize)]
struct Draft {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

/// Opens an issue. GitHub shows the caller as its author.
#[bailiwick_sdk::tool(scopes = ["issues:write"], services = ["github"])]
fn create_issue(call: &Call, new: NewIssue) -> Result<Issue, Error> {
    let Repository { owner, repo } = new.repository;
    let draft = Draft {
        title: new.title,
        body: new.body,
    };
    call.service("github")
        .post(["repos", &owner, &repo, "issues"])
        .header("accept", MEDIA_TYPE)
        .json(&draft)?
        .send()?
        .json()
}

const MEDIA_TYPE: &str = "application/vnd.github+json";

bailiwick_sdk::export!(list_issues, my_issues, create_issue);

#[cfg(test)]
mod tests {
    use bailiwick_sdk::testing::Scene;

    use super::*;

    const LIST: &str = r#"[
        {"number": 7, "title": "It breaks", "state": "open", "html_url": "https://github.com/o/r/issues/7",
         "user": {"login": "alice", "id": 1}, "labels": []},
        {"number": 8, "title": "Mend it", "state": "open", "html_url": "https://github.com/o/r/pull/8",
         "user": {"login": "bob", "id": 2}, "pull_request": {"url": "https://api.github.com/x"}}
    ]"#;

    #[test]
    fn a_pull_request_is_not_among_the_issues() {
        let call = Scene::new()
            .on_send(|_| Ok(Response::new(200, LIST)))
            .call();
        let found = my_issues(&call).map(|found| found.issues);
        let numbers = found.map(|issues| issues.iter().map(|it| it.number).collect::<Vec<_>>());
        assert_eq!(numbers, Ok(vec![7]));
    }

    #[test]
    fn a_repository_that_the_caller_cannot_see_does_not_exist_for_them() {
        let call = Scene::new()
            .on_send(|_| Ok(Response::new(404, "{}")))
            .call();
        let hidden = Repository {
            owner: "octo-org".to_owned(),
            repo: "secret".to_owned(),
        };
        assert!(matches!(
            list_issues(&call, hidden),
            Err(Error::NotFound(_))
        ));
    }
}
