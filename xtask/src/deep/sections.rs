//! The sections of `cargo xtask deep`.

/// One kind of long work.
pub(crate) struct Section {
    /// The name on the command line.
    pub(crate) name: &'static str,
    /// The faults that it looks for.
    pub(crate) does: &'static str,
    /// The numbers that make it long.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// The work.
    pub(crate) work: Work,
}

/// The work of a section.
pub(crate) enum Work {
    /// `cargo test` with these arguments. Lines that contain one of `figures` are reported.
    Tests {
        /// The arguments of `cargo test`.
        arguments: &'static [&'static str],
        /// The marks of a line with a figure.
        figures: &'static [&'static str],
    },
    /// The fuzz targets, each for [`SECONDS`].
    Fuzz,
    /// The README's first command.
    Demo,
    /// The release build.
    Release,
    /// What is published, installed.
    Dist,
    /// The crates, each built from its package.
    Crates,
}

/// The variable with the seconds that each fuzz target takes.
pub(crate) const SECONDS: &str = "BAILIWICK_FUZZ_SECONDS";

/// The section that needs more clients than the gate.
pub(crate) const CLIENTS: &str = "clients";

/// The section that needs Keycloak.
pub(crate) const KEYCLOAK: &str = "keycloak";

/// The section that needs more remote servers than the gate.
pub(crate) const REMOTE: &str = "remote";

/// Every section, in the order in which they run. docs/evidence.md has a row for each.
pub(crate) const SECTIONS: &[Section] = &[
    Section {
        name: "demo",
        does: "the README's first command works from nothing, in how many seconds",
        environment: &[],
        work: Work::Demo,
    },
    Section {
        name: "release",
        does: "what is shipped builds",
        environment: &[],
        work: Work::Release,
    },
    Section {
        name: "dist",
        does: "the archive, the wheel and the npm package install, and each runs a first tool",
        environment: &[],
        work: Work::Dist,
    },
    Section {
        name: "packages",
        does: "each crate builds from its package alone",
        environment: &[],
        work: Work::Crates,
    },
    Section {
        name: CLIENTS,
        does: "clients of earlier years and the Inspector's page log in, list and call, and no definition costs them a tool",
        environment: &[("BAILIWICK_INSPECTOR_PAGE", "1")],
        work: Work::Tests {
            arguments: &[
                "--test",
                "stories",
                "--",
                "of_earlier_years",
                "page_of_the_inspector",
            ],
            figures: &[" visits of earlier clients", "the page of the Inspector"],
        },
    },
    Section {
        name: REMOTE,
        does: "servers of other makers are imported and called for users in every revision that they speak, and hostile ones get nothing",
        environment: &[],
        work: Work::Tests {
            arguments: &["--test", "stories", "remote::"],
            figures: &[" remote servers called in "],
        },
    },
    Section {
        name: "newcomer",
        does: "an author with the programs alone starts, builds and calls a tool in each language",
        environment: &[("BAILIWICK_NEWCOMER", "rust,typescript,python")],
        work: Work::Tests {
            arguments: &["--test", "stories", "newcomer::"],
            figures: &[
                "the first tool in ",
                "save to served in ",
                "start to served again in ",
            ],
        },
    },
    Section {
        name: KEYCLOAK,
        does: "a client logs in at Keycloak, the host exchanges in every mode, what is refused or revoked ends, and it answers as the gate expects",
        environment: &[],
        work: Work::Tests {
            arguments: &["--test", "stories", "logins::keycloak::"],
            figures: &[" stories of Keycloak"],
        },
    },
    Section {
        name: "exit",
        does: "authorization servers that lie, services that misbehave, targets of a tool, many at once and a dead service change nothing for anyone",
        environment: &[("BAILIWICK_DEAD_REPORTS", "400")],
        work: Work::Tests {
            arguments: &[
                "--lib",
                "--test",
                "stories",
                "--",
                "no_misbehaviour_of_a_token_endpoint",
                "an_exchanged_token_that_is_wrong",
                "a_thousand_who_miss_one_key",
                "a_dead_service_is_left_alone",
                "this_host_passes_the_delegation_suite",
                "wire::",
            ],
            figures: &[
                "lies of ",
                " left wrongly",
                "   wrong ",
                " concurrent misses of one key: ",
                "with one dead service: ",
            ],
        },
    },
    Section {
        name: "conformance",
        does: "what the official suite has beyond the required scenarios passes as it did",
        environment: &[("BAILIWICK_UNSCORED", "1")],
        work: Work::Tests {
            arguments: &["--test", "stories", "conformance::"],
            figures: &[" unscored scenarios passed"],
        },
    },
    Section {
        name: "campaigns",
        does: "generated, mutated and damaged components are refused or load",
        environment: &[("BAILIWICK_CAMPAIGN_SECONDS", "300")],
        work: Work::Tests {
            arguments: &["--lib", "campaigns"],
            figures: &[" cases, "],
        },
    },
    Section {
        name: "fuzz",
        does: "no bytes of strangers mean more to the host than to any reader",
        environment: &[(SECONDS, "120")],
        work: Work::Fuzz,
    },
    Section {
        name: "canaries",
        does: "no call finds what another user's call left behind",
        environment: &[("BAILIWICK_CANARY_CALLS", "1000000")],
        work: Work::Tests {
            arguments: &["--lib", "canary"],
            figures: &[],
        },
    },
    Section {
        name: "hostile",
        does: "hostile guests are refused or ended, and the host does not grow",
        environment: &[("BAILIWICK_HOSTILE_ROUNDS", "30")],
        work: Work::Tests {
            arguments: &["--test", "stories", "hostile"],
            figures: &[" rounds of ", "slowest neighbour during"],
        },
    },
    Section {
        name: "mixups",
        does: "among users who look alike, over shared connections, nobody sees a value of another",
        environment: &[
            ("BAILIWICK_HUNT_CALLS", "200000"),
            ("BAILIWICK_MIXUP_CALLS", "20000"),
        ],
        work: Work::Tests {
            arguments: &["--test", "stories", "mixups"],
            figures: &[" seen by another user"],
        },
    },
    Section {
        name: "swaps",
        does: "releases are swapped under load without a failed or a mixed call",
        environment: &[("BAILIWICK_SWAPS", "1000")],
        work: Work::Tests {
            arguments: &["--test", "stories", "swaps"],
            figures: &[" swaps in "],
        },
    },
    Section {
        name: "power",
        does: "whatever part of its writes survives a loss of power, the journal starts and keeps its promises",
        environment: &[("BAILIWICK_POWER_SEEDS", "50000")],
        work: Work::Tests {
            arguments: &["--lib", "power"],
            figures: &[],
        },
    },
    Section {
        name: "power-appended",
        does: "the same, where the file system is no use for room ahead of the records",
        environment: &[
            ("BAILIWICK_POWER_SEEDS", "50000"),
            ("BAILIWICK_TEST_APPENDED", "1"),
        ],
        work: Work::Tests {
            arguments: &["--lib", "power"],
            figures: &[],
        },
    },
    Section {
        name: "floods",
        does: "a flood of refusals writes no more than their rate, and what a day of each flood writes",
        environment: &[("BAILIWICK_FLOOD_SECONDS", "11")],
        work: Work::Tests {
            arguments: &["--test", "stories", "a_flood_of_refusals"],
            figures: &["MiB a day"],
        },
    },
    Section {
        name: "slow",
        does: "slow connections do not hold up good requests",
        environment: &[("BAILIWICK_SLOW_CONNECTIONS", "1000")],
        work: Work::Tests {
            arguments: &["--test", "stories", "slow::"],
            figures: &[" slow connections: "],
        },
    },
    Section {
        name: "kills",
        does: "a host that is killed has recorded every effect and every answer before",
        environment: &[("BAILIWICK_KILLS", "500")],
        work: Work::Tests {
            arguments: &["--test", "stories", "kills"],
            figures: &[" kills, "],
        },
    },
];
