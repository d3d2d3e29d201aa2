//! A seeded company and simulated AI services that drive the real engine and edges in tests, in the demo and in
//! benches.
//!
//! * [`services`]: AI services (OpenAI, Anthropic, Gemini wire formats) over real TLS on loopback, scripted by
//!   directives in the prompt, chat sites, a sign-in host and sites that have nothing to do with AI, with a journal of
//!   everything that reached them.
//! * [`chat`]: a page on which a visitor is an employee: each prompt takes the way through a proxy.
//! * [`company`]: people and agents of an invented company and a script of what they ask AI services.
//!
//! Everything is a function of a seed and of the bytes received: the same seed and the same request give the same
//! answer, byte for byte. Only keys of certificates are random.

pub mod chat;
pub mod company;
pub mod seeded;
pub mod services;

mod json;
