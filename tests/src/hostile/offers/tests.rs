//! A guest with every offer, and the words of its records.

use super::*;
use crate::hostile::Guest;

#[test]
fn a_guest_with_everything_is_a_component() {
    let offers = Offers {
        resources: vec![Resource::new("all://a/{id}"), Resource::new("all://b")],
        members: vec![Member::new("all://a/1"), Member::new("all://a/2")],
        next: Some(b"more".into()),
        contents: vec![Part::new("all://b", b"\x1b[2J")],
        prompts: vec![Prompt {
            arguments: vec![(b"city".into(), true)],
            ..Prompt::new("plan")
        }],
        messages: vec![Message {
            role: 1,
            text: b"go".into(),
        }],
        suggestions: Some(Suggestions {
            values: vec![b"Berlin".into()],
            total: Some(1 << 40),
            more: true,
        }),
        facets: vec![(1, b"plan".into(), vec![[b"icons".into(), b"[]".into()]])],
    };
    let text = Guest::new()
        .offers(&offers)
        .fill("get", "unreachable")
        .text("all");
    for interface in ["tools", "resources", "prompts", "completion", "facets"] {
        let exported = format!("(export \"bailiwick:tool/{interface}@0.2.0\"");
        assert!(text.contains(&exported), "{interface}");
    }
    assert!(wat::parse_str(&text).is_ok());
    let lone = Guest::new().offers(&Offers {
        resources: offers.resources,
        ..Offers::default()
    });
    let exports = lone.offered();
    let lone = lone.fill("exports", exports).text("lone");
    assert!(!lone.contains("(export \"bailiwick:tool/tools@0.2.0\""));
    assert!(!lone.contains("(export \"bailiwick:tool/prompts@0.2.0\""));
    assert!(wat::parse_str(&lone).is_ok());
}

#[test]
fn the_words_of_each_record_are_those_of_the_interface() {
    let offers = Offers {
        resources: vec![Resource::new("a://b")],
        members: vec![Member::new("a://b")],
        contents: vec![Part::new("a://b", b"")],
        prompts: vec![Prompt::new("p")],
        messages: vec![Message {
            role: 0,
            text: b"".into(),
        }],
        ..Offers::default()
    };
    let words = |words: &str| words.split(' ').count();
    let mut sizes = Vec::new();
    for records in [
        Offers::resources,
        Offers::page,
        Offers::reading,
        Offers::prompts,
        Offers::messages,
        Offers::suggestions,
    ] {
        let mut data = Data::at(DATA);
        sizes.push(words(&records(&offers, &mut data)));
    }
    assert_eq!(sizes, [2, 6, 7, 2, 10, 10]);
}
