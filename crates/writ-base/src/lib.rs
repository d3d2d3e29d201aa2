//! Clocks, ids, limits, sensitive values, hashing, keys and telemetry types; knows nothing of AI or policy.
