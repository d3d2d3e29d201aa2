//! A seeded company and simulated AI services that drive the real engine and edges in tests, in the demo and in
//! benches.
//!
//! * [`services`]: AI services (OpenAI, Anthropic, Gemini wire formats) over real TLS on loopback, scripted by
//!   directives in the prompt, with a journal of everything that reached them.
//! * [`company`]: people and agents of an invented company and a script of what they ask AI services.
//!
//! Everything is a function of a seed and of the bytes received: the same seed and the same request give the same
//! answer, byte for byte. Only keys of certificates are random.

pub mod company;
pub mod seeded;
pub mod services;

mod json;
