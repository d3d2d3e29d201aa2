//! The policy language: document, rules and tables to rows; evaluate and explain.
