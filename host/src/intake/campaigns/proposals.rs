//! The engine itself refuses what tools do not need, whatever features are compiled into it.

use super::bench::Bench;
use super::material::PROPOSALS;

#[test]
fn what_tools_do_not_need_the_engine_refuses_too() {
    let bench = Bench::new();
    let plain = bench.compile(&wat::parse_str("(component (core module (memory 1)))").unwrap());
    let why = plain.unwrap_err();
    assert!(
        why.contains("tools"),
        "it does not get as far as the world: {why}"
    );
    for (proposal, wat) in PROPOSALS {
        let refused = bench.compile(&wat::parse_str(wat).unwrap()).unwrap_err();
        assert_ne!(refused, why, "the engine takes {proposal}: {wat}");
    }
}
