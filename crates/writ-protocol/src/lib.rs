//! AI wire formats without sockets: HTTP exchange to interaction, edits spliced into the original bytes.
