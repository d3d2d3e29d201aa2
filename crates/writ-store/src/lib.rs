//! Ledger, keys on disk, state database, index, retention and queries.
