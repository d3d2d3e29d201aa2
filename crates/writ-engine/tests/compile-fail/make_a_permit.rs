//! A permit is issued by a verdict: nobody else can make one.

use writ_engine::{Destination, Grounds, Permit};
use writ_model::interaction::InteractionId;

fn main() {
    let destination = Destination { host: "api.openai.com".into(), port: 443 };
    let grounds = Grounds::Bypass("because".into());
    let _permit = Permit { interaction: InteractionId::from_bytes([0; 16]), destination: destination.clone(), grounds: grounds.clone() };
    let _other = Permit::issue(InteractionId::from_bytes([0; 16]), destination, grounds);
}
