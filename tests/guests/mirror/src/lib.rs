//! Everything that a component can offer, with the mark of whoever asks: user, tenant and client.
//!
//! Each kind of offer is there for anyone, for the scope `red` and for the scope `blue`.

use bailiwick_sdk::prelude::*;

/// Returns the mark of the caller.
fn mark(call: &Call) -> String {
    let (actor, agent) = (call.actor(), call.agent());
    let tenant = actor.tenant.as_deref().unwrap_or("none");
    format!("{}.{tenant}.{}", actor.sub, agent.client_id)
}

#[derive(Deserialize, JsonSchema)]
struct Said {
    /// Any text.
    said: String,
}

#[derive(Serialize, JsonSchema)]
struct Mirrored {
    mark: String,
    issuer: String,
    said: String,
    release: String,
}

/// Repeats who asks and what, and who asks in its progress too.
#[bailiwick_sdk::tool(read_only)]
fn mirror(call: &Call, args: Said) -> Result<Mirrored, Error> {
    let mark = mark(call);
    for done in [1.0, 2.0, 3.0] {
        call.progress(done, 3.0, mark.as_str());
    }
    Ok(Mirrored {
        mark,
        issuer: call.actor().iss.clone(),
        said: args.said,
        release: RELEASE.to_owned(),
    })
}

/// Repeats who asks and what.
#[bailiwick_sdk::tool(scopes = ["red"], read_only)]
fn mirror_red(call: &Call, args: Said) -> Result<Mirrored, Error> {
    mirror(call, args)
}

/// Repeats who asks and what.
#[bailiwick_sdk::tool(scopes = ["blue"], read_only)]
fn mirror_blue(call: &Call, args: Said) -> Result<Mirrored, Error> {
    mirror(call, args)
}

/// Asks who asks to say something, and repeats it. Its state is who asked first.
#[bailiwick_sdk::tool]
fn confirm(call: &Call) -> Result<Outcome, Error> {
    let mark = mark(call);
    let Some(answer) = call.form::<Said>("said")? else {
        let question = format!("What do you say, {mark}?");
        return Ok(Questions::new().form::<Said>("said", &question).state(mark).into());
    };
    let asked = String::from_utf8_lossy(call.state().unwrap_or_default());
    let said = answer.accepted()?.said;
    Ok(Output::text(format!("{asked} was asked, {mark} says {said}")).into())
}

/// Says who reads.
#[bailiwick_sdk::resource(uri = "mirror://me", mime_type = "text/plain")]
fn me(call: &Call) -> Result<String, Error> {
    Ok(mark(call))
}

#[derive(Deserialize)]
struct Owned {
    owner: String,
}

/// Says who reads, and whose it is.
#[bailiwick_sdk::resource(
    uri = "mirror://own/{owner}", members = own_members, complete(owner = marks)
)]
fn own(call: &Call, of: Owned) -> Result<String, Error> {
    let mark = mark(call);
    if mark != of.owner {
        return Err(Error::NotFound(format!("nothing for {mark}")));
    }
    Ok(format!("{mark} reads it"))
}

/// Says who reads, and whose it is.
#[bailiwick_sdk::resource(
    uri = "mirror://red/{owner}",
    scopes = ["red"],
    members = red_members,
    complete(owner = marks)
)]
fn red(call: &Call, of: Owned) -> Result<String, Error> {
    own(call, of)
}

/// Says who reads, and whose it is.
#[bailiwick_sdk::resource(
    uri = "mirror://blue/{owner}",
    scopes = ["blue"],
    members = blue_members,
    complete(owner = marks)
)]
fn blue(call: &Call, of: Owned) -> Result<String, Error> {
    own(call, of)
}

fn own_members(call: &Call, _cursor: Option<&str>) -> Result<Vec<Member>, Error> {
    Ok(member(call, own::uri))
}

fn red_members(call: &Call, _cursor: Option<&str>) -> Result<Vec<Member>, Error> {
    Ok(member(call, red::uri))
}

fn blue_members(call: &Call, _cursor: Option<&str>) -> Result<Vec<Member>, Error> {
    Ok(member(call, blue::uri))
}

fn member(call: &Call, uri: fn(&str) -> String) -> Vec<Member> {
    let mark = mark(call);
    vec![Member::new(uri(&mark), &mark).description(&mark)]
}

fn marks(call: &Call, asked: &Completion) -> Result<Suggestions, Error> {
    Ok(asked.matching([mark(call)]))
}

/// Repeats who asks and what.
#[bailiwick_sdk::prompt(complete(said = marks))]
fn speak(call: &Call, args: Said) -> Result<String, Error> {
    Ok(format!("{} says {}", mark(call), args.said))
}

/// Repeats who asks and what.
#[bailiwick_sdk::prompt(scopes = ["red"], complete(said = marks))]
fn speak_red(call: &Call, args: Said) -> Result<String, Error> {
    speak(call, args)
}

/// Repeats who asks and what.
#[bailiwick_sdk::prompt(scopes = ["blue"], complete(said = marks))]
fn speak_blue(call: &Call, args: Said) -> Result<String, Error> {
    speak(call, args)
}

/// The story writes over it, so that other code is behind each resource.
const RELEASE: &str = "mirror-release-a";

bailiwick_sdk::export! {
    tools: [mirror, mirror_red, mirror_blue, confirm],
    resources: [me, own, red, blue],
    prompts: [speak, speak_red, speak_blue],
    completion,
}
