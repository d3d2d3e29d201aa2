//! What is ordinary: of several situations that show the same, a witness is the one with the fewest surprises.

use writ_model::facts::Found;
use writ_model::schema::{Dimension, Unknown};
use writ_model::{
    Account, Action, Activity, Category, Channel, Currency, Declared, Device, Identity, Level, Origin, Signal, Status,
    Term, Value, Who,
};

use super::space::{Raw, Subject};

/// A name that no policy mentions, in dimensions with open values.
pub const OTHER: Term = Term::fixed("another");

/// How far a value is from the ordinary; 0 is ordinary.
pub(crate) fn cost(subject: &Subject, raw: &Raw) -> u32 {
    match (subject, raw) {
        (Subject::One(dimension), Raw::Closed(index)) => closed(*dimension, *index),
        (Subject::One(_), Raw::Other) => 0,
        (Subject::One(dimension), Raw::Name(name)) => match (name.unknown(), dimension.spec().unknown) {
            (true, Unknown::Risk) => 40,
            (true, _) => 20,
            (false, _) => 6,
        },
        (Subject::Directory, Raw::No) => 40,
        (Subject::Groups(_), Raw::Yes) => 8,
        (Subject::Present(Dimension::Activity, values), raw) => {
            let unknown = values.contains(&Activity::Unknown.index());
            if (*raw == Raw::Yes) == unknown { 0 } else { 12 }
        }
        (Subject::Present(dimension, _), Raw::Yes) => {
            if *dimension == Dimension::Signal {
                24
            } else {
                32
            }
        }
        (Subject::Class(_), Raw::Found(found, cleared)) => amount(*found, *cleared),
        (Subject::Share, Raw::Share(share)) => u32::from(*share > 0),
        _ => 0,
    }
}

/// One certain value that is cleared is the least surprising of what can be found.
fn amount(found: Found, cleared: bool) -> u32 {
    if found.likely == 0 {
        return 0;
    }
    let certain = u32::from(found.certain != found.likely);
    10 + found.likely.min(10) - 1 + certain + if cleared { 0 } else { 2 }
}

/// Values from the most ordinary on; what is not listed comes after them.
fn closed(dimension: Dimension, index: u8) -> u32 {
    fn rank<V: Value>(order: &[V], index: u8, step: u32) -> u32 {
        let place = order.iter().position(|value| value.index() == index).unwrap_or(order.len());
        step * u32::try_from(place).unwrap_or(0)
    }
    match dimension {
        Dimension::Who => rank(
            &[Who::Employee, Who::Contractor, Who::Vendor, Who::Agent, Who::ServiceAccount, Who::Unknown],
            index,
            6,
        ),
        Dimension::Identity => rank(Identity::ALL, index, 4),
        Dimension::Action => {
            let order = [
                Action::Submit,
                Action::Upload,
                Action::ToolCall,
                Action::Receive,
                Action::Tunnel,
                Action::SignIn,
                Action::ToolResult,
                Action::Merge,
            ];
            rank(&order, index, 3)
        }
        Dimension::Category => {
            rank(&[Category::PublicChat, Category::SaasFeature, Category::CodingAssistant], index, 2)
        }
        Dimension::Status => {
            let order = [
                Status::Approved,
                Status::Conditional,
                Status::InReview,
                Status::Discovered,
                Status::Requested,
                Status::Denied,
                Status::Retired,
            ];
            rank(&order, index, 4)
        }
        Dimension::Account => {
            rank(&[Account::Corporate, Account::Personal, Account::Unknown, Account::LoggedOut], index, 5)
        }
        Dimension::Level => rank(Level::ALL, index, 5),
        Dimension::Declared => rank(Declared::ALL, index, 5),
        Dimension::Origin => rank(&[Origin::Unknown, Origin::InternalDocument, Origin::PublicDocument], index, 6),
        Dimension::Channel => rank(Channel::ALL, index, 2),
        Dimension::Device => rank(Device::ALL, index, 5),
        Dimension::Training | Dimension::Attestation => rank(
            &[Currency::Current, Currency::NotApplicable, Currency::Due, Currency::Overdue, Currency::None],
            index,
            5,
        ),
        _ => 4 * u32::from(index),
    }
}

/// Of values that no row tells apart, the one that a witness has.
pub(crate) fn present(dimension: Dimension, values: &[u8]) -> u8 {
    let preferred = |value: &&u8| match dimension {
        Dimension::Activity => **value == Activity::Unknown.index(),
        Dimension::Signal => !signal_of_content(**value),
        _ => false,
    };
    values.iter().find(preferred).or(values.first()).copied().unwrap_or(0)
}

/// Whether a signal is found in content. The others are seen from outside: of a tunnel or a sign-in as well.
pub(crate) fn signal_of_content(index: u8) -> bool {
    let outside = [Signal::Circumvention, Signal::Unusual, Signal::MaliciousSite, Signal::NameHidden];
    !outside.iter().any(|signal| signal.index() == index)
}

/// How much a condition on a subject says to a reader: what says least is let go of first.
pub(crate) fn weight(subject: &Subject) -> u32 {
    match subject {
        Subject::Share => 0,
        Subject::Present(Dimension::Unreadable, _) => 1,
        Subject::Present(Dimension::Activity, _) => 2,
        Subject::Present(..) => 3,
        Subject::Directory => 4,
        Subject::Groups(_) => 5,
        Subject::One(Dimension::Action) => 18,
        Subject::One(Dimension::Who) => 17,
        Subject::One(Dimension::Status) => 16,
        Subject::Class(_) => 15,
        Subject::One(Dimension::Service) => 14,
        Subject::One(Dimension::Category) => 13,
        Subject::One(Dimension::Account) => 12,
        Subject::One(_) => 8,
    }
}
