//! Names that could be taken for others.

use super::*;

#[tokio::test]
async fn a_name_that_could_be_taken_for_another_is_not_admitted() {
    let scene = Scene::new().await;
    scene.issuer.publish(&[OLD]);
    let unseen = [
        '\u{ad}',
        '\u{61c}',
        '\u{180e}',
        '\u{115f}',
        '\u{3164}',
        '\u{fe0f}',
        '\u{34f}',
        '\u{fff9}',
        '\u{e0041}',
        '\u{200b}',
        '\u{202e}',
        '\u{2800}',
        '\u{e000}',
        '\0',
        '\u{7f}',
    ];
    let names = unseen.iter().map(|character| format!("ali{character}ce"));
    for name in names.chain([
        "alice ".to_owned(),
        " alice".to_owned(),
        "alice\u{a0}".to_owned(),
    ]) {
        for (claim, value) in [
            ("sub", json!(name)),
            ("client_id", json!(name)),
            ("scope", json!([name])),
            ("act", json!({ "sub": name })),
            ("sid", json!(name)),
        ] {
            let mut claims = scene.claims("alice");
            claims[claim] = value;
            let admitted = scene
                .admit(&signed(OLD, &claims))
                .await
                .map(drop)
                .map_err(|error| error.reason());
            assert_eq!(
                admitted,
                Err(RefusalReason::TokenInvalid),
                "{claim} = {name:?}"
            );
        }
    }
    for name in [
        "alice",
        "Alice B. Ångström",
        "علی",
        "アリス",
        "auth0|5f7c8ec7c33c6c004bbafe82",
    ] {
        assert!(scene.admit(&scene.token(OLD, name)).await.is_ok(), "{name}");
    }
}
