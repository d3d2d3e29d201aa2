//! The policy language, from text to verdict.

#[cfg(test)]
mod defects;
#[cfg(test)]
mod document;
#[cfg(test)]
mod eval;
