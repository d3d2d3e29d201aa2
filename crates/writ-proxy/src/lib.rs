//! The enforcement points: LLM gateway, upstream connections.
