"""The parts of `bailiwick_sdk.build`. Not in components."""
