//! AI services as reviewed data, matched by name.
