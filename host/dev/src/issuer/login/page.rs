//! The pages: the login, a mistake, and what is here. They need no script.
//!
//! Invariant: text of strangers reaches a page only through [`escaped`]; no page can be framed, and
//! none loads anything but the style sheet.

use std::fmt::Write as _;

use bailiwick_envelope::characters::is_unseen;
use http::StatusCode;

use super::super::State;
use super::super::directory::User;
use super::authorize::Asked;
use super::redirects;
use crate::connecting;
use crate::http::Answer;

/// The path of the style sheet.
pub(super) const STYLE_PATH: &str = "/login.css";

const STYLE: &str = include_str!("login.css");

/// Answers with the style sheet.
pub(super) fn style() -> Answer {
    Answer::new(StatusCode::OK, "text/css; charset=utf-8", STYLE)
        .with("x-content-type-options", "nosniff")
}

/// Answers with the page on which a user logs in and consents.
pub(super) fn login(state: &State, id: &str, asked: &Asked) -> Answer {
    let client = &asked.client;
    let name = client.metadata.name.as_deref();
    let name = name.filter(|name| !name.trim().is_empty());
    let name = name.unwrap_or(&client.id);
    let facts = [
        ("Client", client.id.as_str()),
        ("Resource", &asked.resource),
        ("The answer goes to", &asked.redirect_uri),
    ];
    let facts = facts.map(|(term, text)| {
        let text = escaped(text);
        format!("<dt>{term}</dt><dd><code>{text}</code></dd>")
    });
    let main = format!(
        "<h1>Log in</h1>\n<p><strong><bdi>{name}</bdi></strong> asks to call tools in your name. \
         It chose that name itself.</p>\n<dl>{facts}</dl>\n\
         <form method=\"post\" action=\"/authorize\">\n\
         <input type=\"hidden\" name=\"request\" value=\"{id}\">\n{scopes}\
         <p class=\"users\">{users}</p>\n\
         <p><button name=\"cancel\" value=\"yes\">Cancel</button></p>\n</form>\n",
        name = escaped(name),
        facts = facts.concat(),
        id = escaped(id),
        scopes = scopes(asked),
        users = users(state),
    );
    let to = redirects::source(&asked.redirect_uri);
    page(StatusCode::OK, "Log in", &main, &format!("'self' {to}"))
}

/// Returns the boxes to tick, and a word about what is not known here.
fn scopes(asked: &Asked) -> String {
    let boxes = asked.scopes.iter().map(|scope| {
        let scope = escaped(scope);
        format!(
            "<label><input type=\"checkbox\" name=\"scope\" value=\"{scope}\" checked> \
             <code>{scope}</code></label>\n"
        )
    });
    let boxes: String = boxes.collect();
    let boxes = if boxes.is_empty() {
        "No scope; tools that need one are not offered.\n".to_owned()
    } else {
        boxes
    };
    let unknown = if asked.unknown.is_empty() {
        String::new()
    } else {
        let unknown = escaped(&asked.unknown.join(" "));
        format!("<p>Not known here, and left out: <code>{unknown}</code></p>\n")
    };
    format!("<fieldset><legend>It may use</legend>\n{boxes}</fieldset>\n{unknown}")
}

/// Returns a button for each user.
fn users(state: &State) -> String {
    let button = |user: &User| {
        let sub = escaped(&user.sub);
        let shown = match &user.name {
            Some(name) => format!("{} ({sub})", escaped(name)),
            None => sub.clone(),
        };
        format!("<button name=\"user\" value=\"{sub}\">Log in as {shown}</button>\n")
    };
    state.directory.users().iter().map(button).collect()
}

/// Answers with a page about a mistake that must not be sent to the client.
pub(super) fn refusal(why: &str) -> Answer {
    let main = format!(
        "<h1>This login cannot go on</h1>\n<p>{}</p>\n",
        escaped(why)
    );
    page(StatusCode::BAD_REQUEST, "No login", &main, "'none'")
}

/// Answers with what is here, and how clients come to it.
pub(super) fn index(state: &State) -> Answer {
    let mut main = format!(
        "<h1>Development issuer</h1>\n<p>Issuer: <code>{}</code></p>\n",
        escaped(&state.url)
    );
    for (resource, scopes) in state.logins.resources() {
        let scopes = escaped(&scopes.join(" "));
        let _always_room = write!(
            main,
            "<h2><code>{}</code></h2>\n<p>Scopes: <code>{scopes}</code></p>\n<dl>",
            escaped(&resource)
        );
        for (client, line) in connecting::lines(&resource) {
            let line = escaped(&line);
            let _always_room = write!(main, "<dt>{client}</dt><dd><code>{line}</code></dd>");
        }
        main += "</dl>\n";
    }
    let users = state.directory.users().iter();
    let users: Vec<String> = users.map(|user| escaped(&user.sub)).collect();
    let _always_room = writeln!(main, "<p>Users: {}.</p>", users.join(", "));
    page(StatusCode::OK, "Development issuer", &main, "'none'")
}

fn page(status: StatusCode, title: &str, main: &str, forms: &str) -> Answer {
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - Bailiwick, development only</title>\n\
         <link rel=\"stylesheet\" href=\"{STYLE_PATH}\">\n</head>\n<body>\n\
         <p class=\"warning\"><strong>For development only.</strong> This issuer listens on this \
         machine alone (127.0.0.1) and asks for no password.</p>\n<main>\n{main}</main>\n</body>\n\
         </html>\n"
    );
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action {forms}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    Answer::new(status, "text/html; charset=utf-8", text)
        .with("content-security-policy", &policy)
        .with("x-frame-options", "DENY")
        .with("x-content-type-options", "nosniff")
        // Without the origin of the form, its answer could not be told from that of a stranger's.
        .with("referrer-policy", "same-origin")
        .with("cache-control", "no-store")
}

/// Returns text as HTML, for content and for values in double quotes. Invisible characters are
/// made visible.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            unseen if is_unseen(unseen) => safe.extend(unseen.escape_unicode()),
            other => safe.push(other),
        }
    }
    safe
}
