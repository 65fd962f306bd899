//! Damaged texts at each surface. Each campaign also meets texts that are accepted, or it would
//! prove nothing.
#![expect(clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{
    Entrance, Fate, brotli, decision, deflate, gzip, introspection, key_set, metadata,
    remote_stream, request, zstd,
};
use crate::campaign::{Campaign, mutated, worked};

#[test]
fn a_damaged_token_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let entrance = Entrance::open(folder.path(), &[]);
    let own: Vec<String> = seeds("claims")
        .iter()
        .map(|claims| entrance.token_with(claims))
        .collect();
    let texts: Vec<Vec<u8>> = own.iter().map(|token| token.clone().into()).collect();
    campaign("tokens", &texts, |token| entrance.token(token, &own));
}

#[test]
fn a_header_opens_only_if_any_reader_finds_an_access_token_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let entrance = Entrance::open(folder.path(), &[]);
    campaign("headers", &seeds("header"), |header| {
        entrance.header(header)
    });
}

#[test]
fn a_caller_is_the_one_that_any_reader_finds_in_the_claims() {
    let folder = tempfile::tempdir().expect("a folder");
    let entrance = Entrance::open(folder.path(), &[]);
    campaign("claims", &seeds("claims"), |claims| entrance.claims(claims));
}

#[test]
fn a_damaged_key_set_has_no_key_that_any_reader_would_not_find() {
    campaign("key sets", &seeds("key_set"), key_set);
}

#[test]
fn damaged_metadata_names_no_place_that_any_reader_would_not_find() {
    campaign("metadata", &seeds("metadata"), metadata);
}

#[test]
fn a_damaged_answer_about_a_token_says_active_only_by_true() {
    campaign("introspection", &seeds("introspection"), introspection);
}

#[test]
fn a_damaged_answer_of_a_policy_point_allows_only_by_true() {
    campaign("decisions", &seeds("decision"), decision);
}

#[test]
fn a_damaged_stream_of_a_remote_server_has_the_one_answer_that_any_reader_finds() {
    campaign("remote streams", &seeds("remote_stream"), remote_stream);
}

#[test]
fn a_damaged_request_asks_for_what_any_reader_finds_in_it() {
    campaign("requests", &seeds("request"), request);
}

#[test]
fn a_damaged_body_is_decoded_alike_in_any_pieces_below_its_limit_and_in_short_time() {
    type Surface = (&'static str, fn(&[u8]) -> Fate);
    let surfaces: [Surface; 4] = [
        ("gzip", gzip),
        ("brotli", brotli),
        ("zstd", zstd),
        ("deflate", deflate),
    ];
    for (name, read) in surfaces {
        campaign(name, &seeds(name), |body| {
            let began = worked();
            let fate = read(body);
            let took = worked().saturating_sub(began);
            assert!(took < LONGEST, "{name} took {took:?}");
            fate
        });
    }
}

/// Reads damaged texts for a second, and each text as it is before.
fn campaign(name: &'static str, texts: &[Vec<u8>], read: impl Fn(&[u8]) -> Fate) {
    assert!(
        texts.iter().any(|text| read(text) == Fate::Accepted),
        "{name}"
    );
    let campaign = Campaign::new(name).of_seconds(1);
    let fates = campaign.run(|seed| read(&mutated(seed, texts)).as_str());
    assert!(
        fates.contains_key(Fate::Refused.as_str()),
        "{name}: {fates:?}"
    );
}

/// Returns the texts with which the fuzz target of this name begins.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let files = fs::read_dir(folder).expect("seeds");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| fs::read(file).expect("a text"))
        .collect()
}

/// The processor time of a debug build for one body, which is decoded five times.
const LONGEST: Duration = Duration::from_secs(2);
