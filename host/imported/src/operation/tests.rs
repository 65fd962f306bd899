use bailiwick_sdk::bindings::downstream::Request;
use bailiwick_sdk::{Error, Part, path, segment};

use super::Operation;

fn request(operation: &str, arguments: &str) -> Result<Request, Error> {
    let whole = format!(r#"{{"service":"shop","method":"POST",{operation}}}"#);
    let operation: Operation = serde_json::from_str(&whole)?;
    operation.request(arguments)
}

/// Returns the query and headers of a request as texts.
fn texts(pairs: &[(String, Part)]) -> Vec<String> {
    let text = |(key, part): &(String, Part)| match part {
        Part::Text(text) => format!("{key}={text}"),
        other => format!("{key}={other:?}"),
    };
    pairs.iter().map(text).collect()
}

#[test]
fn a_path_is_built_of_texts_arguments_and_the_actor() {
    let operation = r#""path":[{"one":[{"text":"users"}]},{"one":[{"actor":"sub"}]},
        {"one":[{"argument":"id"},{"text":":cancel"}]},{"rest":"file"}]"#;
    let sent = request(operation, r#"{"id":7,"file":"a/b c"}"#).map(|request| request.path);
    let id = segment!["7", ":cancel"];
    assert_eq!(
        sent,
        Ok(path!["users", Part::ActorSub, id, "a", "b c"].to_vec())
    );
    let slash = request(
        r#""path":[{"one":[{"argument":"id"}]},{"one":[]}]"#,
        r#"{"id":""}"#,
    );
    assert_eq!(
        slash.map(|request| request.path),
        Ok(vec![Part::from(""), Part::joined([])]),
        "only the description has a slash at the end"
    );
    for arguments in [
        r#"{"file":"a"}"#,
        r#"{"id":7}"#,
        r#"{"id":{"a":1},"file":"a"}"#,
    ] {
        let sent = request(operation, arguments);
        assert!(matches!(sent, Err(Error::InvalidInput(_))), "{arguments}");
    }
}

#[test]
fn a_query_has_what_is_given_in_the_form_of_its_parameter() {
    let operation = r#""path":[],"query":[
        {"name":"page","value":{"argument":"page"}},
        {"name":"v","value":{"text":"2"}},
        {"name":"who","value":{"actor":"tenant"}},
        {"name":"tag","value":{"argument":"tag"}},
        {"name":"ids","value":{"argument":"ids"},"style":{"joined":","}},
        {"name":"filter","value":{"argument":"filter"},"style":"json"}]"#;
    for (arguments, expected) in [
        ("{}", &["v=2", "who=Part::ActorTenant"][..]),
        (
            r#"{"page":null,"ids":[]}"#,
            &["v=2", "who=Part::ActorTenant"],
        ),
        (
            r#"{"page":10,"tag":["a","b"],"ids":[1,2],"filter":{"a": [true]}}"#,
            &[
                "page=10",
                "v=2",
                "who=Part::ActorTenant",
                "tag=a",
                "tag=b",
                "ids=1,2",
                r#"filter={"a": [true]}"#,
            ],
        ),
        (
            r#"{"tag":"a&b","ids":"x"}"#,
            &["v=2", "who=Part::ActorTenant", "tag=a&b", "ids=x"],
        ),
    ] {
        let sent = request(operation, arguments).map(|request| texts(&request.query));
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(sent, Ok(expected), "{arguments}");
    }
    assert!(request(operation, r#"{"page":{"a":1}}"#).is_err());
}

#[test]
fn each_member_of_an_object_has_a_key() {
    let operation = r#""path":[],"query":[
        {"name":"f","value":{"argument":"f"},"style":"deep"},
        {"name":"s","value":{"argument":"s"},"style":"spread"}]"#;
    for (arguments, expected) in [
        ("{}", &[][..]),
        (r#"{"f":{},"s":{"a":null}}"#, &[]),
        (
            r#"{"f":{"b":["x",1.50],"a":"y"},"s":{"c":true,"d":[]}}"#,
            &["f[a]=y", "f[b]=x", "f[b]=1.50", "c=true"],
        ),
        (r#"{"f":["x","y"],"s":"z"}"#, &["f[]=x", "f[]=y", "s=z"]),
        (r#"{"f":5}"#, &["f=5"]),
    ] {
        let sent = request(operation, arguments).map(|request| texts(&request.query));
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(sent, Ok(expected), "{arguments}");
    }
    assert!(request(operation, r#"{"f":{"a":{"b":1}}}"#).is_err());
}

#[test]
fn an_object_in_one_value_has_the_names_and_values_of_its_members_in_turn() {
    let operation = r#""path":[],"query":[
        {"name":"color","value":{"argument":"color"},"style":{"joined":","}},
        {"name":"size","value":{"argument":"size"},"style":{"joined":"|"}}]"#;
    for (arguments, expected) in [
        (r#"{"color":{},"size":{"w":null}}"#, &[][..]),
        (
            r#"{"color":{"R":100,"G":2.50,"B":null,"alpha":"é|&"},"size":{"w":"1,5"}}"#,
            &["color=G,2.50,R,100,alpha,é|&", "size=w|1,5"],
        ),
        (
            r#"{"color":["a,b","c"],"size":3}"#,
            &["color=a,b,c", "size=3"],
        ),
    ] {
        let sent = request(operation, arguments).map(|request| texts(&request.query));
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(sent, Ok(expected), "{arguments}");
    }
    for arguments in [
        r#"{"color":{"R":"100,admin,true"}}"#,
        r#"{"color":{"R,1,admin":true}}"#,
        r#"{"size":{"w":"1|h"}}"#,
        r#"{"color":{"R":{"a":1}}}"#,
        r#"{"color":{"R":[1]}}"#,
    ] {
        let sent = request(operation, arguments);
        assert!(matches!(sent, Err(Error::InvalidInput(_))), "{arguments}");
    }
}

#[test]
fn a_body_is_sent_as_the_caller_wrote_it() {
    let json = r#""path":[],"body":{"media":"application/merge-patch+json","encoding":"json"},
        "headers":[{"name":"accept","value":{"text":"application/json"}},
            {"name":"if-match","value":{"argument":"if-match"}}]"#;
    let sent = request(
        json,
        r#"{"body":{"n": 1.50,"big":12345678901234567890123}}"#,
    );
    assert!(sent.is_ok_and(|sent| {
        let names: Vec<_> = sent.headers.iter().map(|(name, _)| name.as_str()).collect();
        sent.body == br#"{"n": 1.50,"big":12345678901234567890123}"#
            && names == ["accept", "content-type"]
    }));
    let sent = request(json, r#"{"if-match":"x"}"#);
    assert!(sent.is_ok_and(|sent| {
        let names: Vec<_> = sent.headers.iter().map(|(name, _)| name.as_str()).collect();
        sent.body.is_empty() && names == ["accept", "if-match"]
    }));
    let form = r#""path":[],"body":{"media":"application/x-www-form-urlencoded",
        "encoding":{"form":{"expand":"indexed"}}}"#;
    let sent = request(form, r#"{"body":{"amount":5,"expand":["a b"]}}"#);
    assert!(sent.is_ok_and(|sent| sent.body == b"amount=5&expand%5B0%5D=a+b"));
    assert!(request(form, r#"{"body":[1]}"#).is_err());
}
