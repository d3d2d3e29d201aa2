//! The certificate authority: root, intermediates with name constraints, leaves.
