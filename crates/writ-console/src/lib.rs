//! The console: web pages and the JSON API.
