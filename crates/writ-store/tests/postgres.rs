//! The suite of the state database on a real PostgreSQL: `cargo xtask postgres cargo test -p writ-store --test postgres`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests may fail")]
#![expect(dead_code, reason = "the helpers are those of all tests")]

#[path = "it/console.rs"]
mod console;
#[path = "it/erasure.rs"]
mod erasure;
#[path = "it/state.rs"]
mod state;
#[path = "it/support.rs"]
mod support;

use writ_store::state::Location;

#[tokio::test]
async fn postgres_does_all_of_it() {
    let Ok(url) = std::env::var("WRIT_TEST_POSTGRES_URL") else {
        eprintln!("SKIPPED: WRIT_TEST_POSTGRES_URL is not set, so the state database was not tested on PostgreSQL");
        return;
    };
    state::everything(Some(Location::Postgres(url))).await;
}
