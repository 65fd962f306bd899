#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn parse(text: &str) -> Result<FileText, ServicesError> {
    FileText::parse(text, Path::new("services.toml"), PathBuf::new())
}

const GOOD: &str = r#"
[services.crm]
as = "restricted_user"
scopes = ["people:read"]

[[services.crm.answers]]
request = "GET /people/{}"
users = ["alice"]
json = { name = "Alice", tags = [
  "a",
] }

[[services.crm.answers]]
request = "GET /people/{}"
status = 404
text = "none"

[services.wiki]

[services.real]
url = "http://127.0.0.1:9"

[components.crm]
services = { crm = "restricted_user" }
"#;

#[test]
fn a_file_has_fake_services_and_real_ones() {
    let file = parse(GOOD).unwrap();
    let [crm, wiki] = &*file.fakes else {
        unreachable!("{:?}", file.fakes)
    };
    assert_eq!(crm.authority, Authority::RestrictedUser);
    assert_eq!(crm.scopes, ["people:read"]);
    let [first, second] = &*crm.answers else {
        unreachable!("{crm:?}")
    };
    assert_eq!(first.body, r#"{"name":"Alice","tags":["a"]}"#);
    assert_eq!(first.users.as_deref(), Some(&["alice".to_owned()][..]));
    assert_eq!(
        (second.status.as_u16(), &*second.body, &*second.kind),
        (404, "none", "text/plain")
    );
    assert_eq!((&*wiki.name, wiki.answers.len()), ("wiki", 0));
    assert_eq!(wiki.scopes, ["wiki"]);
    let filled = file.author.filled("http://i", Path::new("/s")).unwrap();
    assert!(filled.contains("[services.real]") && !filled.contains("[services.crm"));
}

#[test]
fn a_mistake_is_told_with_its_line_and_what_to_change() {
    let answers = |lines: &str| format!("[services.crm]\n[[services.crm.answers]]\n{lines}");
    let twice = "request = \"GET /a\"\n[[services.crm.answers]]\nrequest = \"GET /a\"\n";
    for (text, line, said) in [
        ("[services".to_owned(), 1, ""),
        ("a = 1\na = 2".to_owned(), 2, "duplicate"),
        (
            "\n[server]\nlisten = \"x\"".to_owned(),
            2,
            "only [services.*]",
        ),
        ("services = 1".to_owned(), 1, "[services.NAME]"),
        ("[services.\"a b\"]".to_owned(), 1, "service's name"),
        (
            "[services.crm]\nulr = \"x\"".to_owned(),
            2,
            "unknown field `ulr`",
        ),
        (
            "[services.crm]\nas = \"root\"".to_owned(),
            2,
            "on_behalf_of",
        ),
        ("[services.crm]\nscopes = []".to_owned(), 2, "one scope"),
        (
            "[services.crm]\nallow = [\"GET\"]".to_owned(),
            2,
            "not a request",
        ),
        (answers("status = 200"), 2, "missing field `request`"),
        (answers("request = \"GET a\""), 3, "begin with /"),
        (
            answers("request = \"GET /a\"\nstatus = 99"),
            4,
            "200 to 599",
        ),
        (answers("request = \"GET /a\"\nstatus = 302"), 4, "no 3xx"),
        (
            answers("request = \"GET /a\"\njson = 1\ntext = \"a\""),
            5,
            "not both",
        ),
        (
            answers("request = \"GET /a\"\njsno = 1"),
            4,
            "unknown field `jsno`",
        ),
        (answers("request = 7"), 3, "string"),
        (answers(twice), 4, "in line 2"),
        (
            "[services.a]\nurl = \"http://x\"\n[[services.a.answers]]\nrequest = \"GET /\""
                .to_owned(),
            1,
            "remove url or answers",
        ),
        (
            "[services.a]\nas = \"service_identity\"\n[[services.a.answers]]\nrequest = \
                 \"GET /\"\nusers = [\"bob\"]"
                .to_owned(),
            3,
            "remove users",
        ),
    ] {
        let Err(error) = parse(&text) else {
            unreachable!("taken: {text}")
        };
        let error = error.to_string();
        let place = format!("services.toml:{line}: ");
        assert!(
            error.starts_with(&place) && error.contains(said),
            "{text}: {error}"
        );
    }
    for good in ["", GOOD, &answers("request = \"GET /a\"\nstatus = 599")] {
        assert!(parse(good).is_ok(), "{good}");
    }
}
