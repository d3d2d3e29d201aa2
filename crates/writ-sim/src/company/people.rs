//! Who works at the company.

use super::fake;
use super::script::Script;
use crate::seeded::{ALPHANUMERIC, Generator, HEXADECIMAL};

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
    /// The password that the member's client shows to a proxy.
    pub password: String,
    /// What the member writes in.
    pub language: Language,
    /// The protected office that the member holds, as its directory group is named: `works-council`,
    /// `data-protection`.
    pub office: Option<&'static str>,
    /// When and how the member writes.
    pub habits: Habits,
}

impl Member {
    /// The directory groups of the member.
    pub fn groups(&self) -> Vec<&'static str> {
        std::iter::once(self.department.group()).chain(self.office).collect()
    }
}

/// When and how somebody writes to AI services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// First minute of the working day, from midnight.
    pub begins: u16,
    /// Last minute of the working day, from midnight.
    pub ends: u16,
    /// How often the member asks, compared with others: 1 to 6.
    pub eagerness: u8,
    /// Of a hundred longer words, how many have a slip in them.
    pub slips: u8,
    /// Whether texts end with a mail signature, out of habit.
    pub signs: bool,
}

impl Habits {
    /// Programs work at any hour and spell as they are told.
    const PROGRAM: Self = Self { begins: 0, ends: 24 * 60, eagerness: 1, slips: 0, signs: false };

    fn seeded(generator: &mut Generator) -> Self {
        let small = |generator: &mut Generator, bound: usize| u8::try_from(generator.below(bound)).unwrap_or_default();
        let quarter = |generator: &mut Generator, bound| u16::from(small(generator, bound)) * 15;
        let begins = 6 * 60 + 30 + quarter(generator, 11);
        let ends = begins + 8 * 60 + quarter(generator, 9);
        let slips = [0, 2, 4, 6, 12].get(generator.below(5)).copied().unwrap_or_default();
        let signs = generator.below(4) == 0;
        Self { begins, ends, eagerness: 1 + small(generator, 6), slips, signs }
    }

    /// Whether the member works at this minute of a day.
    pub fn at_work(self, minute: u16) -> bool {
        (self.begins..self.ends).contains(&minute)
    }
}

/// A language that members write in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
}

impl Language {
    /// The tag of RFC 5646.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
        }
    }
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

/// Department, role, language and protected office of each of the people.
const POSITIONS: [(Department, Role, Language, Option<&str>); 22] = [
    (Department::Clinic, Role::Employee, Language::En, None),
    (Department::Clinic, Role::Employee, Language::En, None),
    (Department::Clinic, Role::Employee, Language::De, None),
    (Department::Clinic, Role::Contractor, Language::En, None),
    (Department::Billing, Role::Employee, Language::En, None),
    (Department::Billing, Role::Employee, Language::Fr, None),
    (Department::Billing, Role::Vendor, Language::En, None),
    (Department::Engineering, Role::Employee, Language::En, None),
    (Department::Engineering, Role::Employee, Language::En, None),
    (Department::Engineering, Role::Employee, Language::De, None),
    (Department::Engineering, Role::Contractor, Language::En, None),
    (Department::Security, Role::Employee, Language::En, None),
    (Department::Security, Role::Employee, Language::En, None),
    (Department::Legal, Role::Employee, Language::En, None),
    (Department::HumanResources, Role::Employee, Language::De, None),
    (Department::HumanResources, Role::Employee, Language::En, None),
    (Department::Marketing, Role::Employee, Language::Fr, None),
    (Department::Marketing, Role::Contractor, Language::En, None),
    (Department::Research, Role::Employee, Language::En, None),
    (Department::Research, Role::Vendor, Language::En, None),
    (Department::Billing, Role::Employee, Language::De, Some("works-council")),
    (Department::Legal, Role::Employee, Language::En, Some("data-protection")),
];

/// The programs: login, department, role.
const PROGRAMS: [(&str, Department, Role); 4] = [
    ("claims-triage", Department::Billing, Role::ServiceAccount),
    ("website-search", Department::Marketing, Role::ServiceAccount),
    ("coding-agent", Department::Engineering, Role::Agent),
    ("incident-agent", Department::Security, Role::Agent),
];

impl Company {
    /// Northwind Health as it is in the world of `seed`: twenty-two people, two of whom hold a protected office, two
    /// service accounts and two agents.
    pub fn seeded(seed: u64) -> Self {
        let mut generator = Generator::keyed(seed, b"company");
        let domain = "northwind.example";
        let mut members: Vec<Member> = Vec::new();
        for (department, role, language, office) in POSITIONS {
            let name = unused_name(&members, &mut generator);
            let login = name.to_lowercase().replace(' ', ".");
            let mut own = Generator::keyed(seed, login.as_bytes());
            members.push(Member {
                email: Some(format!("{login}@{domain}")),
                login,
                name,
                department,
                role,
                on_behalf_of: None,
                key: key(&mut generator),
                password: own.token(20, ALPHANUMERIC),
                language,
                office,
                habits: Habits::seeded(&mut own),
            });
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
                password: Generator::keyed(seed, login.as_bytes()).token(20, ALPHANUMERIC),
                language: Language::En,
                office: None,
                habits: Habits::PROGRAM,
            });
        }
        Self { name: "Northwind Health", domain, seed, members }
    }

    /// The host of the company's own assistant.
    pub const ASSISTANT_HOST: &str = "copilot.northwind.example";

    /// The member with this login.
    pub fn member(&self, login: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.login == login)
    }

    /// What the members ask AI services, without end, in the order of working days: every [`Scene`](super::Scene) in
    /// the first two hundred turns, conversations side by side. The same company has the same script.
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
                assert!(later.iter().all(|other| other.password != member.password));
                assert!(member.habits.begins < member.habits.ends && member.habits.eagerness > 0);
            }
        }
    }
}
