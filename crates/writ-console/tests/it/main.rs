//! The console over a running engine, by HTTP.

mod client;
mod flows;
mod matrix;
mod pages;
mod security;
mod world;
