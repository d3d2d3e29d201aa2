//! Tests of detection against its own data and its invariants.

#[cfg(test)]
mod benign;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod stream;
#[cfg(test)]
mod usage;
