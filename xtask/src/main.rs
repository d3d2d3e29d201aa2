//! The Writ command.
fn main() {}
