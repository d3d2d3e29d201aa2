//! What a permit let through cannot be copied or exchanged.

use writ_engine::{JudgedRequest, Permitted};

fn swap(permitted: Permitted<JudgedRequest>, other: JudgedRequest) -> Permitted<JudgedRequest> {
    let _twice = permitted.clone();
    Permitted { value: other, ..permitted }
}

fn main() {}
