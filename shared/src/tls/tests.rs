use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::verifier::TrustVerifier;
use super::*;

const NAME: &str = "mail.test";

fn params(names: &[&str], is_ca: bool) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

/// As `openssl req -x509` makes it.
fn self_signed() -> rcgen::Certificate {
    params(&[NAME], true).self_signed(&KeyPair::generate().unwrap()).unwrap()
}

/// The check of a server's certificate in this year, where these certificates are trusted.
fn judged(
    trust: &Trust,
    shown: &CertificateDer<'_>,
    name: &str,
    year: u64,
) -> Result<(), CertificateProblem> {
    let verifier = TrustVerifier::new(trust.clone(), Arc::new(ring::default_provider())).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_557_600));
    let verified = verifier.verify_server_cert(shown, &[], &name, &[], now);
    verified.map(drop).map_err(|error| CertificateProblem::of(&error).unwrap())
}

#[test]
fn a_self_signed_certificate_of_the_file_is_taken_for_its_name_and_time_only() {
    let own = self_signed();
    let trust = Trust::from_pem(own.pem().as_bytes()).unwrap();
    for (name, year, judgement) in [
        (NAME, 2025, Ok(())),
        (NAME, 2019, Err(CertificateProblem::Expired)),
        (NAME, 2031, Err(CertificateProblem::Expired)),
        ("other.test", 2025, Err(CertificateProblem::Name)),
        ("other.test", 2031, Err(CertificateProblem::Expired)),
    ] {
        assert_eq!(judged(&trust, own.der(), name, year), judgement, "{name} in {year}");
    }
}

#[test]
fn a_self_signed_certificate_that_is_not_in_the_file_is_refused_with_its_reason() {
    let (own, other) = (self_signed(), self_signed());
    let trust = Trust::from_pem(own.pem().as_bytes()).unwrap();
    for trust in [trust, Trust::default()] {
        assert_eq!(judged(&trust, other.der(), NAME, 2025), Err(CertificateProblem::IsAuthority));
    }
}

#[test]
fn another_certificate_of_the_same_key_is_refused() {
    let key = KeyPair::generate().unwrap();
    let own = params(&[NAME], true).self_signed(&key).unwrap();
    let wider = params(&[NAME, "other.test"], true).self_signed(&key).unwrap();
    let trust = Trust::from_pem(own.pem().as_bytes()).unwrap();
    assert_eq!(judged(&trust, wider.der(), NAME, 2025), Err(CertificateProblem::IsAuthority));
}

#[test]
fn an_authority_of_the_file_is_no_server_and_what_it_issues_is() {
    let authority = CertifiedIssuer::self_signed(params(&[], true), KeyPair::generate().unwrap()).unwrap();
    let trust = Trust::from_pem(authority.pem().as_bytes()).unwrap();
    assert_eq!(judged(&trust, authority.der(), NAME, 2025), Err(CertificateProblem::Name));
    let key = KeyPair::generate().unwrap();
    let issued = params(&[NAME], false).signed_by(&key, &authority).unwrap();
    assert_eq!(judged(&trust, issued.der(), NAME, 2025), Ok(()));
    assert_eq!(judged(&trust, issued.der(), "other.test", 2025), Err(CertificateProblem::Name));
    assert_eq!(judged(&trust, issued.der(), NAME, 2031), Err(CertificateProblem::Expired));
    assert_eq!(judged(&Trust::default(), issued.der(), NAME, 2025), Err(CertificateProblem::Authority));
    let sub_authority = params(&[NAME], true).signed_by(&key, &authority).unwrap();
    assert_eq!(judged(&trust, sub_authority.der(), NAME, 2025), Err(CertificateProblem::IsAuthority));
}

#[test]
fn a_server_of_the_file_is_taken_as_it_is_and_its_key_issues_nothing() {
    let key = KeyPair::generate().unwrap();
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let mut own = params(&[NAME], false);
        own.is_ca = is_ca;
        let own = CertifiedIssuer::self_signed(own, &key).unwrap();
        let trust = Trust::from_pem(own.pem().as_bytes()).unwrap();
        for (name, year, judgement) in [
            (NAME, 2025, Ok(())),
            (NAME, 2031, Err(CertificateProblem::Expired)),
            ("other.test", 2025, Err(CertificateProblem::Name)),
        ] {
            assert_eq!(judged(&trust, own.der(), name, year), judgement, "{name} in {year}");
        }
        let issued =
            params(&[NAME, "other.test"], false).signed_by(&KeyPair::generate().unwrap(), &own).unwrap();
        let wider = params(&[NAME, "other.test"], false).self_signed(&key).unwrap();
        for refused in [issued.der(), wider.der()] {
            for name in [NAME, "other.test"] {
                assert_eq!(judged(&trust, refused, name, 2025), Err(CertificateProblem::Authority), "{name}");
            }
        }
        assert_eq!(judged(&Trust::default(), own.der(), NAME, 2025), Err(CertificateProblem::Authority));
    }
}

#[test]
fn a_library_that_takes_each_for_an_authority_gets_no_server_of_another_name() {
    let (authority, own) = (self_signed(), params(&[NAME], false));
    let own = own.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let trust = Trust::from_pem(format!("{}{}", authority.pem(), own.pem()).as_bytes()).unwrap();
    let count = |host| trust.own_pem(host).unwrap().matches("BEGIN").count();
    assert_eq!((count(None), count(Some(NAME)), count(Some("other.test"))), (2, 2, 1));
}

#[test]
fn a_file_is_read_with_a_byte_order_mark_and_beside_other_texts() {
    let (first, second) = (self_signed(), self_signed());
    let pem = format!("\u{feff}# Mail\n{}\n# Redis\n{}", first.pem(), second.pem());
    let trust = Trust::from_pem(pem.as_bytes()).unwrap();
    for own in [first, second] {
        assert_eq!(judged(&trust, own.der(), NAME, 2025), Ok(()));
    }
    let again = Trust::from_pem(trust.own_pem(None).unwrap().as_bytes()).unwrap();
    assert_eq!(again.own, trust.own);
    assert_eq!(Trust::default().own_pem(None), None);
}

#[test]
fn a_file_without_a_certificate_says_what_is_needed() {
    let key = KeyPair::generate().unwrap().serialize_pem();
    let cut_off = self_signed().pem().replace("-----END CERTIFICATE-----", "");
    for (pem, needed) in [
        ("", "-----BEGIN CERTIFICATE-----"),
        (key.as_str(), "-----BEGIN CERTIFICATE-----"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "version 3"),
        (cut_off.as_str(), "certificates in PEM"),
    ] {
        let error = Trust::from_pem(pem.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(needed), "{pem}: {error}");
    }
    for (path, needed) in [("/nowhere.pem", "No such file"), ("/", "directory"), ("/dev/zero", "at most")] {
        let error = Trust::read(Path::new(path)).unwrap_err().to_string();
        assert!(error.contains(needed), "{path}: {error}");
    }
}
