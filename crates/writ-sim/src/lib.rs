//! A seeded company, AI services, faults and attackers that drive the real engine and edges.
