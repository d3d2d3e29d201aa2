//! Every cell of the table of roles.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use writ_identity::roles::{answers, any_allows, render};
use writ_identity::{Permission, Role, allows};
use writ_store::state::CaseKind;

/// The whole table, written by hand: A admin, P privacy officer, N analyst, O policy owner, H help desk, E employee.
const TABLE: &str = "\
see-policy       A P N O H E
see-own-record   A P N O H E
see-overview     A P N O - -
see-tools        A P N O - -
use-studio       A P N O - -
keep-draft       A P - O - -
see-rollout      A P N O - -
change-rollout   - - - O - -
see-live         - P N - - -
see-detail       - P N - - -
look-up-code     - P N - H -
see-inbox        - P - O - -
answer-inbox     - P - O - -
see-reveals      - P - - - -
ask-reveal       - P - - - -
approve-reveal   - P - - - -
read-ledger      A P N - - -
see-health       A - N - - -
see-metrics      A - - - - -
see-accounts     A - - - - -
manage-accounts  A - - - - -
";

#[test]
fn every_cell_is_as_written() {
    let mut table = String::new();
    for permission in Permission::ALL {
        let _ = write!(table, "{permission:<16}");
        for (role, letter) in Role::ALL.iter().zip("APNOHE".chars()) {
            let _ = write!(table, " {}", if allows(*role, *permission) { letter } else { '-' });
        }
        table.push('\n');
    }
    assert_eq!(table, TABLE);
}

#[test]
fn roles_stay_apart() {
    let may = |role, permissions: &[Permission]| permissions.iter().any(|it| allows(role, *it));
    use Permission as P;
    let people = [P::SeeLive, P::SeeDetail, P::SeeInbox, P::SeeReveals, P::AskReveal, P::ApproveReveal, P::LookUpCode];
    assert!(!may(Role::Admin, &people), "the admin sees no people");
    for role in Role::ALL.iter().filter(|role| **role != Role::Admin) {
        assert!(!may(*role, &[P::ManageAccounts, P::SeeAccounts]), "only the admin makes accounts");
    }
    for kind in CaseKind::ALL {
        let who: Vec<&Role> = Role::ALL.iter().filter(|role| answers(**role, *kind)).collect();
        assert!(!who.is_empty() && who.iter().all(|role| allows(**role, P::AnswerInbox)));
    }
    assert_eq!(Role::ALL.iter().filter(|role| answers(**role, CaseKind::Objection)).count(), 1);
    let both = BTreeSet::from([Role::Employee, Role::HelpDesk]);
    assert!(any_allows(&both, P::LookUpCode) && !any_allows(&both, P::SeeDetail));
    assert!(!any_allows(&BTreeSet::new(), P::SeePolicy));
    assert!(Role::ALL.iter().all(|role| Role::named(role.as_str()) == Some(*role)));
    assert_eq!(Role::named("root"), None);
}

#[test]
fn the_roles_page_is_that_of_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/roles.md");
    let page = render();
    if std::env::var_os("WRIT_UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == page, "docs/reference/roles.md is out of date; run this test with WRIT_UPDATE=1");
}
