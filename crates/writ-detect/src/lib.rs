//! Finds sensitive content in streamed text: patterns, validators, context, redaction.
