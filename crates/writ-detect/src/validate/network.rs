//! Network addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Check, Site};

/// An IPv4 address that says something about somebody.
pub(super) fn ipv4(site: &Site<'_, '_>) -> (Check, usize) {
    let address = std::str::from_utf8(site.value()).ok().and_then(|text| text.parse::<Ipv4Addr>().ok());
    let Some(address) = address else { return (Check::Never, site.end) };
    let [first, .., last] = address.octets();
    let constant = address.is_loopback()
        || address.is_documentation()
        || address.is_unspecified()
        || address.is_broadcast()
        || first == 0
        || first == 255
        || (address.octets() == [8, 8, 8, 8])
        || (address.octets() == [1, 1, 1, 1])
        || (last == 0 && address.octets().iter().filter(|octet| **octet == 0).count() > 1);
    (if constant { Check::Never } else { Check::Fits }, site.end)
}

/// An IPv6 address that says something about somebody.
pub(super) fn ipv6(site: &Site<'_, '_>) -> (Check, usize) {
    let address = std::str::from_utf8(site.value()).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
    let Some(address) = address else { return (Check::Never, site.end) };
    let documentation = matches!(address.segments(), [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..]);
    let constant = documentation || address.is_loopback() || address.is_unspecified();
    let short = site.value().len() < 12;
    (if constant || short { Check::Never } else { Check::Proved }, site.end)
}
