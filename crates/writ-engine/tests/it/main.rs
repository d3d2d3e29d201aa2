//! The engine from outside: whole interactions through the state machine, without a socket.

mod bench;
mod flow;
mod invariants;

#[test]
fn a_request_without_a_permit_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile-fail/*.rs");
}
