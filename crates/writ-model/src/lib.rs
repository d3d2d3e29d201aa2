//! The nouns of Writ as plain data, and the one schema of facts.
