//! Documents: what is read, what is refused, and how it is said.

mod general;
