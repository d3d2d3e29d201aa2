//! The decision point: snapshot and interaction to verdict, permit, obligations and record, without I/O.
