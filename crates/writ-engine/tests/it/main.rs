//! The engine from outside: whole interactions through the state machine, without a socket.

#![expect(clippy::string_slice, reason = "tests cut texts of known form")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod bench;
mod choices;
mod flow;
mod invariants;
mod pages;
mod templates;
mod unread;
mod why;

#[test]
fn a_request_without_a_permit_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile-fail/*.rs");
}
