//! Who works at the company.

use super::fake;
use super::script::Script;
use crate::seeded::{Generator, HEXADECIMAL};

/// An invented company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Its name.
    pub name: &'static str,
    /// Its mail domain.
    pub domain: &'static str,
    /// The seed that everything follows from.
    pub seed: u64,
    /// People, service accounts and agents, people first.
    pub members: Vec<Member>,
}

/// A person, a team's key, or an agent that acts on behalf of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Login, unique in the company.
    pub login: String,
    /// Display name.
    pub name: String,
    /// Address at the company; service accounts and agents have none.
    pub email: Option<String>,
    /// Where the member belongs.
    pub department: Department,
    /// What the policy language calls `who`.
    pub role: Role,
    /// For an agent: the login of the person it acts for.
    pub on_behalf_of: Option<String>,
    /// The key that the member's client shows to a gateway.
    pub key: String,
}

/// A department of the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Department {
    /// Doctors and nurses.
    Clinic,
    /// Invoices and insurance claims.
    Billing,
    /// Software.
    Engineering,
    /// Security and operations.
    Security,
    /// Contracts and compliance.
    Legal,
    /// People.
    HumanResources,
    /// Website and campaigns.
    Marketing,
    /// Studies.
    Research,
}

impl Department {
    /// Name of its directory group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Clinic => "clinic",
            Self::Billing => "billing",
            Self::Engineering => "engineering",
            Self::Security => "security",
            Self::Legal => "legal",
            Self::HumanResources => "human-resources",
            Self::Marketing => "marketing",
            Self::Research => "research",
        }
    }
}

/// The values of the policy dimension `who` that a member can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Employed by the company.
    Employee,
    /// Works for the company for a time.
    Contractor,
    /// Works for a supplier.
    Vendor,
    /// A team's program.
    ServiceAccount,
    /// A program that acts by itself on behalf of a person.
    Agent,
}

impl Role {
    /// The word of the policy language.
    pub fn word(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Contractor => "contractor",
            Self::Vendor => "vendor",
            Self::ServiceAccount => "service-account",
            Self::Agent => "agent",
        }
    }

    /// Whether the member is a person.
    pub fn person(self) -> bool {
        matches!(self, Self::Employee | Self::Contractor | Self::Vendor)
    }
}

/// Department and role of each of the twenty people.
const POSITIONS: [(Department, Role); 20] = [
    (Department::Clinic, Role::Employee),
    (Department::Clinic, Role::Employee),
    (Department::Clinic, Role::Employee),
    (Department::Clinic, Role::Contractor),
    (Department::Billing, Role::Employee),
    (Department::Billing, Role::Employee),
    (Department::Billing, Role::Vendor),
    (Department::Engineering, Role::Employee),
    (Department::Engineering, Role::Employee),
    (Department::Engineering, Role::Employee),
    (Department::Engineering, Role::Contractor),
    (Department::Security, Role::Employee),
    (Department::Security, Role::Employee),
    (Department::Legal, Role::Employee),
    (Department::HumanResources, Role::Employee),
    (Department::HumanResources, Role::Employee),
    (Department::Marketing, Role::Employee),
    (Department::Marketing, Role::Contractor),
    (Department::Research, Role::Employee),
    (Department::Research, Role::Vendor),
];

/// The programs: login, department, role.
const PROGRAMS: [(&str, Department, Role); 4] = [
    ("claims-triage", Department::Billing, Role::ServiceAccount),
    ("website-search", Department::Marketing, Role::ServiceAccount),
    ("coding-agent", Department::Engineering, Role::Agent),
    ("incident-agent", Department::Security, Role::Agent),
];

impl Company {
    /// Northwind Health as it is in the world of `seed`: twenty people, two service accounts and two agents.
    pub fn seeded(seed: u64) -> Self {
        let mut generator = Generator::keyed(seed, b"company");
        let domain = "northwind.example";
        let mut members: Vec<Member> = Vec::new();
        for (department, role) in POSITIONS {
            let name = unused_name(&members, &mut generator);
            let login = name.to_lowercase().replace(' ', ".");
            let email = Some(format!("{login}@{domain}"));
            let key = key(&mut generator);
            members.push(Member { login, name, email, department, role, on_behalf_of: None, key });
        }
        for (login, department, role) in PROGRAMS {
            let owner = members.iter().find(|member| member.department == department && member.role.person());
            members.push(Member {
                login: login.to_owned(),
                name: login.replace('-', " "),
                email: None,
                department,
                role,
                on_behalf_of: owner.filter(|_| role == Role::Agent).map(|owner| owner.login.clone()),
                key: key(&mut generator),
            });
        }
        Self { name: "Northwind Health", domain, seed, members }
    }

    /// The member with this login.
    pub fn member(&self, login: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.login == login)
    }

    /// What the members ask AI services, without end: first every [`Scene`](super::Scene) once, then as chance has
    /// it. The same company has the same script.
    pub fn script(&self) -> Script<'_> {
        Script::new(self)
    }
}

/// A name that no member has.
fn unused_name(members: &[Member], generator: &mut Generator) -> String {
    loop {
        let name = fake::name(generator);
        if members.iter().all(|member| member.name != name) {
            return name;
        }
    }
}

fn key(generator: &mut Generator) -> String {
    format!("nwh-{}", generator.token(32, HEXADECIMAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_company() {
        assert_eq!(Company::seeded(1), Company::seeded(1));
        assert_ne!(Company::seeded(1), Company::seeded(2));
    }

    #[test]
    fn logins_and_keys_are_unique_and_agents_have_a_person() {
        for seed in 0..50 {
            let company = Company::seeded(seed);
            assert_eq!(company.members.len(), POSITIONS.len() + PROGRAMS.len());
            for (index, member) in company.members.iter().enumerate() {
                let later = &company.members[index + 1..];
                assert!(later.iter().all(|other| other.login != member.login && other.key != member.key));
                let person = member.on_behalf_of.as_ref().and_then(|login| company.member(login));
                assert_eq!(person.is_some_and(|person| person.role.person()), member.role == Role::Agent);
            }
        }
    }
}
