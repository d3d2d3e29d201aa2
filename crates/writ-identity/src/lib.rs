//! Who is asking.
//!
//! * [`gatekeeper`]: who asks through the proxy, and how sure Writ is of that: password, client certificate, address map,
//!   port of one person;
//! * [`accounts`]: accounts of the console: passwords, tickets, sessions;
//! * [`roles`]: who may do what there, as one table;
//! * [`throttle`]: what guessing costs.

pub mod accounts;
pub mod gatekeeper;
pub mod limits;
pub mod passwords;
pub mod roles;
pub mod sessions;
pub mod throttle;

pub use accounts::{Accounts, Bearer, LoginRefused, PasswordRefused};
pub use gatekeeper::{Evidence, Gatekeeper, GatekeeperOptions, Presented};
pub use passwords::{Hashing, Passwords};
pub use roles::{Permission, Role, allows};
pub use sessions::{Session, SessionCookie, SessionOptions, Sessions};
pub use throttle::{Throttle, ThrottleOptions};
