//! Tests that the rendered text is right and that labels stay few.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

const HELLO: Measured<'_> = Measured {
    kind: "tool",
    name: "hello",
};

fn ids() -> CallIds {
    CallIds {
        call: "4f2a".to_owned(),
        trace: "0af7".to_owned(),
        opened: Some(7),
    }
}

fn rendered(meters: &Meters) -> String {
    meters.render(&Moment::default()).unwrap()
}

#[test]
fn a_call_runs_until_it_is_closed_and_then_it_is_counted() {
    let meters = Meters::default();
    let watch = meters.opened(HELLO, ids());
    let line = "bailiwick_calls_running{kind=\"tool\",target=\"hello\"}";
    assert!(rendered(&meters).contains(&format!("{line} 1\n")));
    watch.closed("done", None, Some(8));
    drop(watch);
    let text = rendered(&meters);
    for line in [
        "bailiwick_calls_running{kind=\"tool\",target=\"hello\"} 0\n",
        "bailiwick_calls_total{kind=\"tool\",target=\"hello\",outcome=\"done\",reason=\"none\"} 1\n",
        "bailiwick_call_seconds_count{kind=\"tool\",target=\"hello\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn a_call_that_is_dropped_runs_no_longer_and_did_not_end() {
    let meters = Meters::default();
    drop(meters.opened(HELLO, ids()));
    let text = rendered(&meters);
    assert!(text.contains("target=\"hello\"} 0\n"), "{text}");
    assert!(!text.contains("bailiwick_calls_total{"), "{text}");
}

#[test]
fn refusals_exchanges_loads_and_syncs_are_counted() {
    let meters = Meters::default();
    meters.refused(None, "token-missing");
    meters.refused(Some(HELLO), "insufficient-scope");
    meters.exchanged("orders_api", "done");
    meters.troubled("orders_api", "pause-began");
    meters.decided("orders_api", "denied");
    meters.loaded("orders", "digest-mismatch");
    meters.synced(3, Duration::from_micros(300));
    let text = rendered(&meters);
    for line in [
        "bailiwick_refusals_total{kind=\"(other)\",target=\"(other)\",reason=\"token-missing\"} 1\n",
        "bailiwick_refusals_total{kind=\"tool\",target=\"hello\",reason=\"insufficient-scope\"} 1\n",
        "bailiwick_token_exchanges_total{name=\"orders_api\",outcome=\"done\"} 1\n",
        "bailiwick_service_troubles_total{name=\"orders_api\",outcome=\"pause-began\"} 1\n",
        "bailiwick_policy_decisions_total{name=\"orders_api\",outcome=\"denied\"} 1\n",
        "bailiwick_component_loads_total{name=\"orders\",outcome=\"digest-mismatch\"} 1\n",
        "bailiwick_journal_sync_seconds_count 1\n",
        "bailiwick_journal_batch_records_sum 3.0\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn a_moment_has_the_places_of_each_part() {
    let moment = Moment {
        parts: vec![
            PartUse {
                name: "calls",
                used: 2,
                waiting: 1,
                places: Some(64),
            },
            PartUse {
                name: "tasks",
                used: 3,
                waiting: 0,
                places: None,
            },
        ],
        journal_healthy: true,
        journal_queue: 5,
        memory: Some(MemoryUse {
            allocated: 6,
            active: 7,
            resident: 8,
            mapped: 9,
        }),
    };
    let text = Meters::default().render(&moment).unwrap();
    for line in [
        "bailiwick_places_used{part=\"calls\"} 2\n",
        "bailiwick_places_waiting{part=\"calls\"} 1\n",
        "bailiwick_places{part=\"calls\"} 64\n",
        "bailiwick_places_used{part=\"tasks\"} 3\n",
        "bailiwick_journal_healthy 1\n",
        "bailiwick_journal_queue_records 5\n",
        "bailiwick_memory_allocated_bytes 6\n",
        "bailiwick_memory_active_bytes 7\n",
        "bailiwick_memory_resident_bytes 8\n",
        "bailiwick_memory_mapped_bytes 9\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(
        !text.contains("bailiwick_places{part=\"tasks\"}"),
        "a part without a bound has a number of places: {text}"
    );
}

#[test]
fn a_tool_called_other_is_not_counted_with_what_has_no_name() {
    let meters = Meters::default();
    let tool = Measured {
        kind: "other",
        name: "other",
    };
    meters.refused(Some(tool), "invalid-arguments");
    meters.refused(None, "invalid-arguments");
    let text = rendered(&meters);
    let rows = text
        .lines()
        .filter(|line| line.starts_with("bailiwick_refusals_total{"));
    assert_eq!(rows.count(), 2, "{text}");
}

#[test]
fn names_beyond_the_bound_are_other() {
    let meters = Meters::default();
    for index in 0..MAX_NAMES + 100 {
        meters.loaded(&format!("c{index}"), "loaded");
    }
    let text = rendered(&meters);
    let rows = text
        .lines()
        .filter(|line| line.starts_with("bailiwick_component_loads_total{"));
    assert_eq!(rows.count(), MAX_NAMES + 1);
    assert!(text.contains("{name=\"(other)\",outcome=\"loaded\"} 100\n"));
}
