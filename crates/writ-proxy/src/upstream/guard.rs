//! Which addresses may be dialled: a name that somebody else controls must not lead back inside (server-side request
//! forgery). Asked after name resolution, for the address that is then dialled, so that an answer that changes in
//! between helps nobody.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// What may be dialled.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    /// Whether private networks are refused, too.
    pub(super) refuse_private: bool,
    /// Whether loopback is allowed: demo and tests.
    pub(super) allow_loopback: bool,
    /// Hosts that the administrator named: they may be inside.
    pub(super) inside: BTreeSet<String>,
    /// Where Writ itself listens.
    pub(super) own_listeners: Vec<SocketAddr>,
}

impl Guard {
    /// Whether a name may lead to this machine.
    pub(super) fn admits_loopback(&self, host: &str) -> bool {
        self.allow_loopback || self.inside.contains(host)
    }

    /// Whether this address may be dialled for this host.
    pub(super) fn admits(&self, host: &str, address: SocketAddr) -> bool {
        let ip = plain(address.ip());
        let kind = kind(ip);
        let by_kind = match kind {
            Kind::Public => true,
            Kind::Private => !self.refuse_private || self.inside.contains(host),
            Kind::Loopback => self.admits_loopback(host),
            Kind::Never => false,
        };
        by_kind && !self.own_listeners.iter().any(|own| is_own(*own, ip, address.port()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Public,
    Private,
    Loopback,
    /// Link-local (cloud metadata), multicast, unspecified, and addresses that clouds answer on.
    Never,
}

/// Whether Writ listens there: on this address, or on all of them and this one is the machine's own.
fn is_own(own: SocketAddr, ip: IpAddr, port: u16) -> bool {
    if own.port() != port {
        return false;
    }
    // An address that can be bound belongs to this machine; nothing is sent.
    own.ip() == ip || own.ip().is_unspecified() && UdpSocket::bind((ip, 0)).is_ok()
}

/// The address that is really meant: IPv4 inside IPv6 (mapped, NAT64 RFC 6052, 6to4 RFC 3056) counts as IPv4.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = ip else { return ip };
    let [a, b, c, d, e, f, g, h] = six.segments();
    let four = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        (0, 0) if (c, d, e) == (0, 0, 0) && f == 0xffff => four(g, h),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => four(g, h),
        (0x2002, _) => four(b, c),
        _ => ip,
    }
}

fn kind(ip: IpAddr) -> Kind {
    match ip {
        IpAddr::V4(ip) => kind4(ip),
        IpAddr::V6(ip) => kind6(ip),
    }
}

fn kind4(ip: Ipv4Addr) -> Kind {
    /// Metadata of clouds outside link-local: Oracle, Azure, Alibaba.
    const METADATA: [Ipv4Addr; 3] =
        [Ipv4Addr::new(192, 0, 0, 192), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];
    match ip.octets() {
        _ if METADATA.contains(&ip) => Kind::Never,
        [0, ..] | [169, 254, ..] | [224..=255, ..] => Kind::Never,
        [127, ..] => Kind::Loopback,
        [100, 64..=127, ..] => Kind::Private,
        _ if ip.is_private() => Kind::Private,
        _ => Kind::Public,
    }
}

fn kind6(ip: Ipv6Addr) -> Kind {
    /// Metadata of Amazon.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let [first, ..] = ip.segments();
    match first {
        _ if ip.is_unspecified() || ip == METADATA => Kind::Never,
        _ if ip.is_loopback() => Kind::Loopback,
        0xfe80..=0xffff => Kind::Never,
        0xfc00..=0xfdff => Kind::Private,
        _ => Kind::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(guard: &Guard, address: &str) -> bool {
        guard.admits("host.example", SocketAddr::new(address.parse().unwrap(), 443))
    }

    #[test]
    fn names_do_not_lead_back_inside() {
        let guard = Guard::default();
        for inside in [
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!admits(&guard, inside), "{inside}");
        }
        for outside in ["104.18.1.1", "10.1.2.3", "192.168.1.1", "100.64.0.1", "fd12::1", "2606:4700::1"] {
            assert!(admits(&guard, outside), "{outside}");
        }
        let strict = Guard { refuse_private: true, ..Guard::default() };
        for private in ["10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1"] {
            assert!(!admits(&strict, private), "{private}");
        }
        assert!(admits(&Guard { allow_loopback: true, ..Guard::default() }, "127.0.0.1"));
    }

    #[test]
    fn writ_does_not_dial_itself() {
        let own = |listener: &str| Guard {
            allow_loopback: true,
            own_listeners: vec![listener.parse().unwrap()],
            ..Guard::default()
        };
        assert!(!own("127.0.0.1:8081").admits("host.example", "127.0.0.1:8081".parse().unwrap()));
        assert!(!own("0.0.0.0:8081").admits("host.example", "127.0.0.1:8081".parse().unwrap()));
        assert!(own("0.0.0.0:8081").admits("host.example", "127.0.0.1:8090".parse().unwrap()));
        assert!(own("0.0.0.0:8081").admits("host.example", "203.0.113.9:8081".parse().unwrap()), "another machine");
    }
}
