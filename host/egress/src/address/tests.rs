//! One row per class edge: the first and last forbidden address, and the public neighbours.

use super::AddressClass::*;
use super::*;

#[track_caller]
fn check(address: &str, expected: Option<AddressClass>) {
    assert_eq!(forbidden(address.parse().unwrap()), expected, "{address}");
}

#[test]
fn ipv4_classes() {
    for (address, expected) in [
        ("0.0.0.0", Some(Unspecified)),
        ("0.255.255.255", Some(Unspecified)),
        ("1.0.0.0", None),
        ("1.1.1.1", None),
        ("8.8.8.8", None),
        ("9.255.255.255", None),
        ("10.0.0.0", Some(Private)),
        ("10.255.255.255", Some(Private)),
        ("11.0.0.0", None),
        ("100.63.255.255", None),
        ("100.64.0.0", Some(CarrierNat)),
        ("100.127.255.255", Some(CarrierNat)),
        ("100.128.0.0", None),
        ("100.100.100.200", Some(Metadata)),
        ("127.0.0.1", Some(Loopback)),
        ("127.255.255.254", Some(Loopback)),
        ("128.0.0.1", None),
        ("168.63.129.16", Some(Metadata)),
        ("169.254.0.1", Some(LinkLocal)),
        ("169.254.169.254", Some(Metadata)),
        ("169.254.170.2", Some(Metadata)),
        ("169.255.0.0", None),
        ("172.15.255.255", None),
        ("172.16.0.0", Some(Private)),
        ("172.31.255.255", Some(Private)),
        ("172.32.0.0", None),
        ("192.0.0.1", Some(Reserved)),
        ("192.0.0.192", Some(Metadata)),
        ("192.0.1.1", None),
        ("192.0.2.1", Some(Documentation)),
        ("192.88.99.1", Some(SixToFour)),
        ("192.167.255.255", None),
        ("192.168.0.0", Some(Private)),
        ("192.168.255.255", Some(Private)),
        ("198.17.255.255", None),
        ("198.18.0.0", Some(Benchmarking)),
        ("198.19.255.255", Some(Benchmarking)),
        ("198.51.100.7", Some(Documentation)),
        ("203.0.113.7", Some(Documentation)),
        ("223.255.255.255", None),
        ("224.0.0.1", Some(Multicast)),
        ("239.255.255.255", Some(Multicast)),
        ("240.0.0.1", Some(Reserved)),
        ("255.255.255.254", Some(Reserved)),
        ("255.255.255.255", Some(Broadcast)),
    ] {
        check(address, expected);
    }
}

#[test]
fn ipv6_classes() {
    for (address, expected) in [
        ("::", Some(Unspecified)),
        ("::1", Some(Loopback)),
        ("::2", Some(Ipv4Compatible)),
        ("::127.0.0.1", Some(Ipv4Compatible)),
        ("::8.8.8.8", Some(Ipv4Compatible)),
        ("::ffff:127.0.0.1", Some(Ipv4Mapped)),
        ("::ffff:8.8.8.8", Some(Ipv4Mapped)),
        ("::ffff:0:8.8.8.8", Some(Reserved)),
        ("64:ff9b::10.0.0.1", Some(Nat64)),
        ("64:ff9b::8.8.8.8", Some(Nat64)),
        ("64:ff9b:1::a00:1", Some(Nat64)),
        ("100::1", Some(Reserved)),
        ("2000::1", None),
        ("2001::1", Some(Teredo)),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Some(Teredo)),
        ("2001:2::1", Some(Benchmarking)),
        ("2001:10::1", Some(Reserved)),
        ("2001:20::1", Some(Reserved)),
        ("2001:200::1", None),
        ("2001:4860:4860::8888", None),
        ("2001:db8::1", Some(Documentation)),
        ("2002:7f00:1::", Some(SixToFour)),
        ("2003::1", None),
        ("2606:4700:4700::1111", None),
        ("2606:4700::5efe:127.0.0.1", Some(Isatap)),
        ("2606:4700::200:5efe:a00:1", Some(Isatap)),
        ("3fff::1", Some(Documentation)),
        ("3fff:1000::1", None),
        ("4000::1", Some(Reserved)),
        ("5f00::1", Some(Reserved)),
        ("fc00::1", Some(UniqueLocal)),
        ("fd00:ec2::254", Some(Metadata)),
        ("fdff:ffff::1", Some(UniqueLocal)),
        ("fe80::1", Some(LinkLocal)),
        ("febf::1", Some(LinkLocal)),
        ("fec0::1", Some(SiteLocal)),
        ("ff02::1", Some(Multicast)),
    ] {
        check(address, expected);
    }
}
