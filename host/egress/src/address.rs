//! Decides which network addresses nobody's connector may reach, by the IANA special-purpose registries (RFC 6890 and its updates, as of 2025).
//!
//! It resolves no names; who asks must vet every address of an answer.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A kind of address that is not a public server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressClass {
    /// `0.0.0.0/8`, `::`.
    Unspecified,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918.
    Private,
    /// `100.64.0.0/10`, between a provider and its customers.
    CarrierNat,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// Where clouds tell machines their credentials.
    Metadata,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// Kept for examples.
    Documentation,
    /// Kept for measuring networks.
    Benchmarking,
    /// `fc00::/7`.
    UniqueLocal,
    /// `fec0::/10`, given up in 2004.
    SiteLocal,
    /// `::ffff:0:0/96`: an IPv4 address in IPv6 clothes.
    Ipv4Mapped,
    /// `::/96`: the same, older.
    Ipv4Compatible,
    /// `64:ff9b::/96` and `64:ff9b:1::/48`: leads to an IPv4 address.
    Nat64,
    /// `2002::/16`, `192.88.99.0/24`: leads to an IPv4 address.
    SixToFour,
    /// `2001::/32`: leads to an IPv4 address.
    Teredo,
    /// ISATAP: leads to an IPv4 address.
    Isatap,
    /// Kept by the IETF for something else than public servers.
    Reserved,
}

impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::CarrierNat => "a carrier's private address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a cloud metadata address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Documentation => "a documentation address",
            Self::Benchmarking => "a benchmarking address",
            Self::UniqueLocal => "a unique local address",
            Self::SiteLocal => "a site-local address",
            Self::Ipv4Mapped => "an IPv4-mapped address",
            Self::Ipv4Compatible => "an IPv4-compatible address",
            Self::Nat64 => "a NAT64 address",
            Self::SixToFour => "a 6to4 address",
            Self::Teredo => "a Teredo address",
            Self::Isatap => "an ISATAP address",
            Self::Reserved => "a reserved address",
        })
    }
}

/// What kind of forbidden address it is; `None` for a public one.
pub fn forbidden(address: IpAddr) -> Option<AddressClass> {
    match address {
        IpAddr::V4(address) => forbidden_v4(address),
        IpAddr::V6(address) => forbidden_v6(address),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<AddressClass> {
    Some(match address.octets() {
        // Azure's wire server is the one metadata service at a public address.
        [169, 254, 169, 254]
        | [169, 254, 170, 2]
        | [100, 100, 100, 200]
        | [168, 63, 129, 16]
        | [192, 0, 0, 192] => AddressClass::Metadata,
        [0, ..] => AddressClass::Unspecified,
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [100, 64..=127, ..] => AddressClass::CarrierNat,
        [169, 254, ..] => AddressClass::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressClass::Documentation,
        [192, 88, 99, _] => AddressClass::SixToFour,
        [198, 18..=19, ..] => AddressClass::Benchmarking,
        [224..=239, ..] => AddressClass::Multicast,
        [255, 255, 255, 255] => AddressClass::Broadcast,
        [192, 0, 0, _] | [240..=255, ..] => AddressClass::Reserved,
        _ => return None,
    })
}

fn forbidden_v6(address: Ipv6Addr) -> Option<AddressClass> {
    Some(match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressClass::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        [0, 0, 0, 0, 0, 0xffff, ..] => AddressClass::Ipv4Mapped,
        [0, 0, 0, 0, 0, 0, ..] => AddressClass::Ipv4Compatible,
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => AddressClass::Nat64,
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254] => AddressClass::Metadata,
        [0xfc00..=0xfdff, ..] => AddressClass::UniqueLocal,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xfec0..=0xfeff, ..] => AddressClass::SiteLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        [0x2001, 0, ..] => AddressClass::Teredo,
        [0x2001, 2, 0, ..] => AddressClass::Benchmarking,
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => AddressClass::Documentation,
        [0x2001, 0..=0x01ff, ..] => AddressClass::Reserved,
        [0x2002, ..] => AddressClass::SixToFour,
        [_, _, _, _, 0 | 0x0200, 0x5efe, _, _] => AddressClass::Isatap,
        // Global unicast is 2000::/3; everything else is not given out.
        [0x2000..=0x3fff, ..] => return None,
        _ => AddressClass::Reserved,
    })
}

#[cfg(test)]
mod tests;
