//! Names of destinations: read from CONNECT, SNI and authorities, and compared.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::uri::Authority;

/// Where a client wants to go: a name or address, and a port.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Lower case, without trailing dot; an IPv6 address without brackets.
    host: String,
    /// The TCP port.
    pub(crate) port: u16,
    /// The address, if the host is one.
    pub(crate) address: Option<IpAddr>,
}

impl Target {
    /// Reads an authority. `default_port` stands where it names none. `None` if it names a user, an empty or malformed
    /// host, port 0, or an address in a spelling that resolvers read and people do not (`0x7f.1`, `2130706433`).
    pub(crate) fn of(authority: &Authority, default_port: Option<u16>) -> Option<Self> {
        let text = authority.as_str();
        if text.contains('@') {
            return None;
        }
        let port = match (authority.port_u16(), default_port) {
            (Some(port), _) => port,
            // A colon without a number is no port, nor is one above 65,535: what stands there is not ignored.
            (None, Some(port)) if text.len() == authority.host().len() => port,
            _ => return None,
        };
        Self::from_parts(authority.host(), port)
    }

    /// As [`Target::of`], from the text of a `Host` header.
    pub(crate) fn parse(text: &str, default_port: Option<u16>) -> Option<Self> {
        Self::of(&text.parse().ok()?, default_port)
    }

    fn from_parts(host: &str, port: u16) -> Option<Self> {
        if port == 0 {
            return None;
        }
        if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: Ipv6Addr = inner.parse().ok()?;
            return Some(Self { host: address.to_string(), port, address: Some(address.into()) });
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Some(Self { host: address.to_string(), port, address: Some(address.into()) });
        }
        let host = name(host)?;
        Some(Self { host, port, address: None })
    }

    /// The name or address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The same host at another port.
    pub(crate) fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// As an authority; the port is left out where it is the usual one.
    pub(crate) fn authority(&self, usual: u16) -> String {
        let host = match self.address {
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        };
        if self.port == usual { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether this names the same place as the one that was connected to. A port that is not named is no contradiction.
    pub(crate) fn agrees(&self, connected: &Self) -> bool {
        self.host == connected.host && self.port == connected.port
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names of hosts that are not AI services stay out of logs, by whatever way they would get there.
        f.write_str("Target")
    }
}

/// A host name in one spelling: lower case, no trailing dot. `None` for what is no host name (RFC 1123, and `_`).
pub(crate) fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    // A name whose last label is a number is an address in disguise (WHATWG URL, "ends in a number").
    let number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    (text.len() <= 253 && text.split('.').all(label) && !number).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, u16)> {
        Target::parse(text, Some(443)).map(|target| (target.host.clone(), target.port))
    }

    #[test]
    fn one_spelling_for_each_place() {
        for (text, host, port) in [
            ("ChatGPT.com", "chatgpt.com", 443),
            ("chatgpt.com.:443", "chatgpt.com", 443),
            ("api_1.example:8443", "api_1.example", 8443),
            ("192.0.2.1:80", "192.0.2.1", 80),
            ("[2001:DB8:0::1]:443", "2001:db8::1", 443),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", 443),
        ] {
            assert_eq!(parsed(text), Some((host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn what_others_might_read_differently_is_no_target() {
        for text in [
            "user@chatgpt.com",
            "chatgpt.com:",
            "chatgpt.com:0",
            "chatgpt.com:99999",
            "",
            ".",
            "a..b",
            "bücher.example",
            "0x7f.1",
            "127.1",
            "2130706433",
            "0177.0.0.1",
            "chatgpt.com..",
            "a b",
            "chatgpt.com/x",
            "[::1",
            "::1",
            "chatgpt.com:443:443",
            "chatgpt.com%2eevil",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn no_default_means_that_the_port_is_named() {
        assert!(Target::parse("chatgpt.com", None).is_none());
        assert_eq!(Target::parse("chatgpt.com:443", None).map(|target| target.port), Some(443));
    }
}
