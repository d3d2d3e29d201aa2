//! Who is asking: proxy authentication, address map, accounts, sessions, roles.
