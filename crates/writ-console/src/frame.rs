//! What surrounds pages: head, menu, tour; and the visitor they are for.

use std::fmt::Write as _;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use writ_identity::roles::{self, Permission, Role};
use writ_model::interaction::PrincipalId;
use writ_store::state::{AccountId, CaseKind};

use crate::Console;
use crate::assets::{ICON, SCRIPT, STYLE};
use crate::charts::escape;
use crate::limits;
use crate::parts::{STOPS_MAX, Tour, TourAct};
use crate::reply::Failure;

/// Somebody who is signed in, and the page they ask for.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    /// The account.
    pub(crate) account: AccountId,
    /// Whose it is.
    pub(crate) principal: PrincipalId,
    /// As what.
    pub(crate) roles: std::collections::BTreeSet<Role>,
    /// What forms of this session hold.
    pub(crate) csrf: String,
    /// Whether another password must be chosen first.
    pub(crate) must_change: bool,
    /// Whether the session began with a ticket.
    pub(crate) by_ticket: bool,
    /// Whether there is no session: a program presents a token.
    pub(crate) by_token: bool,
    /// The path asked for.
    pub(crate) path: String,
    /// Path and query asked for.
    pub(crate) target: String,
    /// The tour and the stop, from 1, that are shown.
    pub(crate) tour: Option<(String, usize)>,
    /// What was just done, by a word of [`flash`].
    pub(crate) done: Option<String>,
}

impl Visit {
    /// Whether one of the roles allows it.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        roles::any_allows(&self.roles, permission)
    }

    /// Whether one of the roles answers cases of this kind.
    pub(crate) fn answers(&self, kind: CaseKind) -> bool {
        self.roles.iter().any(|role| roles::answers(*role, kind))
    }

    /// The role by which something is done: the first that allows it.
    pub(crate) fn role(&self, permission: Permission) -> Role {
        self.roles.iter().copied().find(|role| roles::allows(*role, permission)).unwrap_or(Role::Employee)
    }
}

impl<S: Sync> FromRequestParts<S> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or(Failure::SignIn)
    }
}

/// Somebody who may be signed in.
#[derive(Clone, Debug)]
pub(crate) struct Perhaps(pub(crate) Option<Visit>);

impl<S: Sync> FromRequestParts<S> for Perhaps {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Visit>().cloned()))
    }
}

/// The surroundings of a page for somebody who is signed in.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) organisation: String,
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) menu: String,
    pub(crate) roles: String,
    pub(crate) csrf: String,
    pub(crate) lag: u64,
    pub(crate) flash: Option<&'static str>,
    pub(crate) tour: Option<TourPanel>,
}

/// The surroundings of a page for anybody.
#[derive(Debug)]
pub(crate) struct Solo {
    pub(crate) title: String,
    pub(crate) organisation: String,
    pub(crate) lang: &'static str,
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) narrow: bool,
    pub(crate) refresh: Option<String>,
}

/// The panel of a tour.
#[derive(Debug)]
pub(crate) struct TourPanel {
    pub(crate) number: usize,
    pub(crate) title: String,
    pub(crate) tour_title: String,
    pub(crate) for_whom: String,
    pub(crate) text: String,
    pub(crate) said: Option<String>,
    pub(crate) acts: Vec<PanelAct>,
    pub(crate) here: bool,
    pub(crate) link: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) back: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) end: String,
}

/// A button of the panel.
#[derive(Debug)]
pub(crate) struct PanelAct {
    pub(crate) action: String,
    pub(crate) label: String,
}

/// A link to a stop.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) number: usize,
    pub(crate) title: String,
    pub(crate) href: String,
    pub(crate) current: bool,
}

/// Where, what it says, what it needs.
type Entry = (&'static str, &'static str, Option<Permission>);

/// The menu: where, what it says, what it needs (nothing: everybody who is signed in).
const MENU: &[(&str, &[Entry])] = &[
    (
        "What happens",
        &[
            ("/overview", "Overview", Some(Permission::SeeOverview)),
            ("/live", "Live", Some(Permission::SeeLive)),
            ("/tools", "Tools seen", Some(Permission::SeeTools)),
        ],
    ),
    (
        "What holds",
        &[
            ("/policy", "Policy", Some(Permission::SeePolicy)),
            ("/studio", "Studio", Some(Permission::UseStudio)),
            ("/rollout", "Roll-out", Some(Permission::SeeRollout)),
        ],
    ),
    (
        "People",
        &[
            ("/inbox", "Inbox", Some(Permission::SeeInbox)),
            ("/lookup", "Look up a code", Some(Permission::LookUpCode)),
            ("/reveal", "Lift a pseudonym", Some(Permission::SeeReveals)),
            ("/me", "My record", Some(Permission::SeeOwnRecord)),
        ],
    ),
    (
        "This system",
        &[
            ("/system", "System", Some(Permission::SeeHealth)),
            ("/accounts", "Accounts", Some(Permission::SeeAccounts)),
            ("/roles", "Who may do what", None),
        ],
    ),
];

/// The first page that somebody may see.
pub(crate) fn first_page(visit: &Visit) -> &'static str {
    let entries = MENU.iter().flat_map(|(_, links)| links.iter());
    let mut allowed = entries.filter(|(_, _, needs)| needs.is_none_or(|needs| visit.may(needs)));
    allowed.next().map_or("/roles", |(path, ..)| path)
}

/// What was just done, in words.
fn flash(word: &str) -> Option<&'static str> {
    Some(match word {
        "rollout" => "The stage was set. It holds for interactions that begin from now on.",
        "rollout-removed" => "The entry was removed. The clause is enforced as written.",
        "draft-kept" => "Your draft was kept. It changes nothing: the policy that runs is another text.",
        "draft-discarded" => "Your draft was discarded. Below is the text that runs.",
        "answered" => "The answer was given. The person reads it on their own page.",
        "granted" => "The exception is in force, and the answer was given.",
        "asked" => "The holders were asked. Two of them must agree.",
        "agreed" => "Your share was taken. It stays in memory until the request is opened or ends.",
        "account-changed" => "The account was changed. Its sessions have ended.",
        "account-disabled" => "The account was disabled. Its sessions have ended.",
        "password" => "The password was changed.",
        "token-revoked" => "The token was revoked. It opens nothing any more.",
        _ => return None,
    })
}

impl Console {
    /// The surroundings of a page.
    pub(crate) fn frame(&self, visit: &Visit, title: &str) -> Frame {
        let roles: Vec<String> = visit.roles.iter().map(|role| role.as_str().replace('-', " ")).collect();
        Frame {
            title: title.to_owned(),
            organisation: self.parts.organisation.name.clone(),
            style: &STYLE.path,
            script: &SCRIPT.path,
            icon: &ICON.path,
            menu: menu(visit),
            roles: roles.join(", "),
            csrf: visit.csrf.clone(),
            lag: self.parts.index.lag(self.parts.ledger.position()),
            flash: visit.done.as_deref().and_then(flash),
            tour: self.panel(visit),
        }
    }

    /// The surroundings of a page for anybody.
    pub(crate) fn solo(&self, title: &str) -> Solo {
        Solo {
            title: title.to_owned(),
            organisation: self.parts.organisation.name.clone(),
            lang: "en",
            style: &STYLE.path,
            script: &SCRIPT.path,
            icon: &ICON.path,
            narrow: true,
            refresh: None,
        }
    }

    fn panel(&self, visit: &Visit) -> Option<TourPanel> {
        let (id, number) = visit.tour.as_ref()?;
        let tour = self.tour(id)?;
        let stop = tour.stops.get(number.checked_sub(1)?)?;
        let href =
            |number: usize| tour.stops.get(number.checked_sub(1)?).map(|stop| stop_link(&tour, number, &stop.link));
        let allowed = |act: &&TourAct| act.needs.is_none_or(|needs| visit.may(needs));
        let acts = stop.acts.iter().filter(allowed).map(|act| PanelAct {
            action: format!("/tour/{}/act/{}", crate::reply::encode(id), crate::reply::encode(&act.name)),
            label: act.label.clone(),
        });
        let steps = tour.stops.iter().enumerate().map(|(at, it)| Step {
            number: at + 1,
            title: it.title.clone(),
            href: stop_link(&tour, at + 1, &it.link),
            current: at + 1 == *number,
        });
        let link_path = stop.link.split(['?', '#']).next().unwrap_or_default();
        Some(TourPanel {
            number: *number,
            title: stop.title.clone(),
            tour_title: tour.title.clone(),
            for_whom: tour.for_whom.clone(),
            text: crate::markup::blocks(&stop.text),
            said: self.said.lock().remove(&visit.account),
            acts: acts.collect(),
            here: link_path == visit.path,
            link: stop_link(&tour, *number, &stop.link),
            steps: steps.collect(),
            back: href(number - 1),
            next: href(number + 1),
            end: format!("{}?tour=none", visit.path),
        })
    }

    /// The tour with this name, with its first stops.
    pub(crate) fn tour(&self, id: &str) -> Option<Tour> {
        let mut tour = self.parts.tours.as_ref()?.tours().into_iter().find(|tour| tour.id == id)?;
        tour.stops.truncate(STOPS_MAX);
        Some(tour)
    }

    /// Keeps what a button of a tour said until the next page.
    pub(crate) fn say(&self, account: AccountId, text: String) {
        let mut said = self.said.lock();
        if !limits::SAID.admits(said.len() + 1) {
            said.clear();
        }
        said.insert(account, text);
    }
}

/// The address of a stop: its page, with the stop in the query where it is one of ours.
pub(crate) fn stop_link(tour: &Tour, number: usize, link: &str) -> String {
    if !link.starts_with('/') {
        return link.to_owned();
    }
    let (page, fragment) = link.split_once('#').map_or((link, None), |(page, fragment)| (page, Some(fragment)));
    let sign = if page.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{page}{sign}tour={}&stop={number}{fragment}", crate::reply::encode(&tour.id))
}

fn menu(visit: &Visit) -> String {
    let mut html = String::from("<ul class=\"menu\">");
    for (group, links) in MENU {
        let allowed: Vec<_> = links.iter().filter(|(_, _, needs)| needs.is_none_or(|needs| visit.may(needs))).collect();
        if allowed.is_empty() {
            continue;
        }
        let _ = write!(html, "<li class=\"group\">{}</li>", escape(group));
        for (path, label, _) in allowed {
            let here = visit.path == *path || visit.path.starts_with(&format!("{path}/"));
            let here = here || (*path == "/live" && visit.path.starts_with("/interactions/"));
            let current = if here { " aria-current=\"page\"" } else { "" };
            let _ = write!(html, "<li><a href=\"{path}\"{current}>{}</a></li>", escape(label));
        }
    }
    html.push_str("</ul>");
    html
}
