//! Who may sign: own roots, companies' CAs, and what is refused.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use writ_base::{Clock as _, Sensitive};
use writ_ca::{Extension, Folder, Group, Root, extend, groups_beside};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::support::{World, listed, root};

fn passphrase(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

fn group(names: &[&str]) -> Group {
    Group { id: "01".into(), hosts: names.iter().map(|name| (*name).to_owned()).collect() }
}

#[test]
fn a_root_opens_with_its_passphrase_only() {
    let world = World::new();
    let good = passphrase("correct horse battery");
    let key = world.root.key_pem(&good, &*world.randomness).unwrap();
    let certificate = world.root.certificates_pem();
    let now = world.clock.now();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let open = |given: Option<&Sensitive<String>>| {
        Root::open(&certificate, &key, given, now).map(|root| root.name().to_owned()).map_err(|error| error.to_string())
    };
    assert_eq!(open(Some(&good)).unwrap(), "O=Northwind, CN=Northwind AI inspection root");
    let wrong = open(Some(&passphrase("correct horse batterx"))).unwrap_err();
    assert_eq!(wrong, "the passphrase does not open the key, or the file was changed");
    assert_eq!(open(None).unwrap_err(), "the key is encrypted; give its passphrase");
    let short = world.root.key_pem(&passphrase("short"), &*world.randomness).unwrap_err();
    assert_eq!(short.to_string(), "the passphrase has fewer than 12 characters; take a longer one");
}

#[test]
fn an_intermediate_is_constrained_and_ends_the_path() {
    let world = World::new();
    let (now, randomness) = (world.clock.now(), &*world.randomness);
    let made = world.root.issue(&group(&["a.example", "b.example"]), 5_000, now, randomness).unwrap();
    let (_, parsed) = X509Certificate::from_der(&made.chain[0]).unwrap();
    let basic = parsed.basic_constraints().unwrap().unwrap();
    assert!(basic.critical && basic.value.ca && basic.value.path_len_constraint == Some(0));
    let usage = parsed.key_usage().unwrap().unwrap();
    assert!(usage.critical && usage.value.key_cert_sign() && !usage.value.digital_signature());
    let names = parsed.name_constraints().unwrap().unwrap();
    assert!(names.critical);
    let text = format!("{:?} {:?}", names.value.permitted_subtrees, names.value.excluded_subtrees);
    assert!(text.contains("DNSName(\"a.example\")") && text.contains("DNSName(\"b.example\")"), "{text}");
    assert_eq!(names.value.permitted_subtrees.as_ref().unwrap().len(), 2);
    assert_eq!(text.matches("IPAddress").count(), 2, "{text}");
    assert!(made.not_after.since(now).as_secs() <= 730 * 86_400, "never longer than two years");
}

#[test]
fn names_that_would_open_everything_are_refused() {
    let world = World::new();
    for name in ["com", "", "*.example.com", "127.0.0.1", "Example.com", "a..b", "::1", "exa mple.com", "1.2.3"] {
        let made = world.root.issue(&group(&[name]), 30, world.clock.now(), &*world.randomness);
        assert!(made.is_err(), "{name}");
    }
    let many: Vec<String> = (0..31).map(|at| format!("n{at}.example")).collect();
    let many = Group { id: "01".into(), hosts: many };
    assert!(world.root.issue(&many, 30, world.clock.now(), &*world.randomness).is_err());
}

/// A company's CA by rcgen, whatever it may do.
struct Company {
    params: CertificateParams,
    key: KeyPair,
}

impl Company {
    fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "Contoso");
        params.distinguished_name.push(DnType::CommonName, "Contoso CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        change(&mut params);
        Self { params, key: KeyPair::generate().unwrap() }
    }

    fn pem(&self) -> String {
        self.params.self_signed(&self.key).unwrap().pem()
    }

    fn open(&self) -> Result<Root, String> {
        let world = World::new();
        Root::open(&self.pem(), &self.key.serialize_pem(), None, world.clock.now()).map_err(|error| error.to_string())
    }
}

#[test]
fn a_company_ca_must_be_able_to_sign_cas_for_servers() {
    let refused = |change: fn(&mut CertificateParams)| Company::new(change).open().unwrap_err();
    assert!(Company::new(|_| {}).open().is_ok());
    assert!(Company::new(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)).open().is_ok());
    assert!(refused(|params| params.is_ca = IsCa::ExplicitNoCa).contains("is no CA"));
    assert!(refused(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0))).contains("path length"));
    assert!(refused(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]).contains("keyCertSign"));
    let clients = rcgen::ExtendedKeyUsagePurpose::ClientAuth;
    let text = Company::new(|params| params.extended_key_usages = vec![clients]).open().unwrap_err();
    assert!(text.contains("not for TLS servers"), "{text}");
    assert!(refused(|params| params.not_after = long_ago()).contains("not valid now"));
    let (one, two) = (Company::new(|_| {}), Company::new(|_| {}));
    let text =
        Root::open(&one.pem(), &two.key.serialize_pem(), None, World::new().clock.now()).unwrap_err().to_string();
    assert!(text.contains("the key does not belong to"), "{text}");
}

fn long_ago() -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(1_000_000_000).unwrap()
}

#[test]
fn a_company_ca_that_is_constrained_itself_permits_no_more() {
    let constrained = Company::new(|params| {
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("northwind.example".into())],
            excluded_subtrees: vec![rcgen::GeneralSubtree::DnsName("hr.northwind.example".into())],
        });
    });
    let root = constrained.open().unwrap();
    let world = World::new();
    let issue = |name: &str| root.issue(&group(&[name]), 30, world.clock.now(), &*world.randomness).map(|_| ());
    assert!(issue("models.northwind.example").is_ok());
    for name in ["chatgpt.com", "hr.northwind.example", "x.hr.northwind.example", "northwind.example"] {
        assert!(issue(name).unwrap_err().to_string().contains("not permitted"), "{name}");
    }
}

#[test]
fn an_issuing_ca_is_sent_along_and_its_root_is_the_anchor() {
    let top = Company::new(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(2)));
    let issuing = Company::new(|params| params.distinguished_name.push(DnType::CommonName, "Contoso Issuing CA"));
    let above = Issuer::from_params(&top.params, &top.key);
    let top_pem = top.pem();
    let pem = issuing.params.signed_by(&issuing.key, &above).unwrap().pem() + &top_pem;
    let world = World::new();
    let (now, randomness) = (world.clock.now(), &*world.randomness);
    let root = Root::open(&pem, &issuing.key.serialize_pem(), None, now).unwrap();
    assert_eq!(writ_ca::certificates(&root.anchor_pem()).unwrap()[0], writ_ca::certificates(&top_pem).unwrap()[0]);
    let made = root.issue(&group(&["a.example"]), 30, now, randomness).unwrap();
    assert_eq!(made.chain.len(), 2, "the intermediate and the issuing CA");
    let backwards = top_pem + &issuing.pem();
    assert!(Root::open(&backwards, &top.key.serialize_pem(), None, now).is_err());
}

#[test]
fn new_hosts_make_new_groups_and_old_groups_stay() {
    let world = World::with(&["a.example", "b.example", "c.example"]);
    let before = world.folder.stored().unwrap();
    let done = world.extend(&listed(&["a.example", "b.example", "c.example", "d.example", "x.a.example"]), false);
    assert_eq!(done.added, vec![Group { id: "02".into(), hosts: vec!["d.example".into()] }]);
    let after = world.folder.stored().unwrap();
    assert_eq!(after[0].chain, before[0].chain);
    assert_eq!(after.len(), 2);
    assert_eq!(world.extend(&listed(&["a.example", "d.example"]), false).stale, ["b.example", "c.example"]);
    let done = world.extend(&listed(&["a.example", "d.example"]), true);
    assert_eq!(done.dropped, ["b.example", "c.example"]);
    let hosts: Vec<(String, String)> = world.authority().hosts();
    assert_eq!(hosts, [("01".into(), "a.example".into()), ("02".into(), "d.example".into())]);
    assert!(world.folder.stored().unwrap().iter().all(|stored| stored.generation == 2), "former ones are gone");
}

#[test]
fn another_root_takes_over_only_by_renewing_everything() {
    let mut world = World::with(&["a.example"]);
    world.root = root("Northwind II", &world.clock, &world.randomness);
    let hosts = listed(&["a.example", "b.example"]);
    let extension = Extension { hosts: &hosts, days: 30, renew: false };
    let folder = Folder::new(world.folder.path());
    let refused = extend(&folder, &world.root, &extension, &world.key, world.clock.now(), &*world.randomness);
    assert!(refused.unwrap_err().to_string().contains("belongs to another root"));
    world.extend(&hosts, true);
    assert_eq!(world.authority().root_pem(), world.root.anchor_pem());
    let certified = world.authority().certified("a.example").unwrap();
    let (_, intermediate) = X509Certificate::from_der(&certified.cert[1]).unwrap();
    assert_eq!(intermediate.issuer().to_string(), world.root.name());
}

#[test]
fn groups_are_filled_and_numbered_on() {
    let hosts = listed(
        &(0..33)
            .map(|at| format!("n{at:02}.example"))
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    let sizes = |groups: &[Group]| groups.iter().map(|group| group.hosts.len()).collect::<Vec<_>>();
    let all = groups_beside(&[], &hosts, 10_000);
    assert_eq!(sizes(&all), [28, 5], "the last takes from the one before");
    assert_eq!(sizes(&groups_beside(&[], &hosts, 7 * (11 + 4)))[..2], [7, 7], "bytes count too");
    let more = groups_beside(&all, &listed(&["z.example", "n01.example", "deep.n02.example"]), 10_000);
    assert_eq!(more, [Group { id: "03".into(), hosts: vec!["z.example".into()] }]);
}
