//! The one table of all addresses: method, path, who may use it, what it is for. The router, the OpenAPI file and the
//! table in `docs/guides/console.md` are made from it, so that nothing is served that does not stand here.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use writ_base::Limit;
use writ_identity::Permission;

use crate::pages::studio;
use crate::{Console, api, guard, limits, pages};

/// Who may use an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: what it shows is public, or its own token decides.
    Anyone,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever is signed in with a role that allows it.
    Needs(Permission),
}

/// Reads or acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; changes nothing.
    Get,
    /// Acts; needs the form token.
    Post,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A line of the table.
pub struct Route {
    /// Reads or acts.
    pub method: Method,
    /// The path; `{...}` stands for one segment.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it is for.
    pub says: &'static str,
    /// The most bytes of its body.
    pub body: &'static Limit,
    handler: fn() -> MethodRouter<Arc<Console>>,
}

macro_rules! routes {
    ($($method:ident $path:literal, $access:expr, $handler:path, $says:literal $(, within $body:expr)?;)+) => {
        /// All addresses.
        pub static ROUTES: &[Route] = &[$(Route {
            method: routes!(@method $method),
            path: $path,
            access: $access,
            says: $says,
            body: routes!(@body $($body)?),
            handler: || $method($handler),
        }),+];
    };
    (@method get) => { Method::Get };
    (@method post) => { Method::Post };
    (@body) => { &limits::BODY };
    (@body $body:expr) => { $body };
}

use Access::{Anyone, Needs, SignedIn};
use Permission as P;

routes! {
    get "/", SignedIn, pages::first, "the first page that the role may see";
    get "/login", Anyone, pages::login::form, "sign in";
    post "/login", Anyone, pages::login::sign_in, "sign in";
    get "/enter/{ticket}", Anyone, pages::login::ticket_form, "sign in with a link that works once";
    post "/enter/{ticket}", Anyone, pages::login::redeem, "sign in with a link that works once";
    post "/logout", SignedIn, pages::login::sign_out, "sign out";
    get "/password", SignedIn, pages::login::password_form, "change one's own password";
    post "/password", SignedIn, pages::login::change_password, "change one's own password";
    get "/overview", Needs(P::SeeOverview), pages::overview::page, "what happened, in figures";
    get "/live", Needs(P::SeeLive), pages::live::page, "every verdict, newest first, with filters in the address";
    get "/live/rows", Needs(P::SeeLive), pages::live::rows, "rows that are newer than the newest one shown";
    get "/live/events", Needs(P::SeeLive), pages::follow::events, "the same, pushed as they come";
    get "/interactions/{id}", Needs(P::SeeDetail), pages::detail::page, "one interaction: facts, findings, clauses, both verdicts";
    get "/tools", Needs(P::SeeTools), pages::tools::page, "AI services in use";
    get "/policy", Needs(P::SeePolicy), pages::policy::page, "the policy as people read it, with its hashes";
    get "/studio", Needs(P::UseStudio), studio::clauses::page, "clauses with their rules, figures and stages";
    get "/studio/clauses/{id}", Needs(P::UseStudio), studio::clause::page, "one clause: rules as sentences, examples tried, what stands beside it";
    get "/studio/text", Needs(P::KeepDraft), studio::text::page, "one's own draft, or the text that runs, with diagnostics";
    post "/studio/check", Needs(P::KeepDraft), studio::text::check_page, "check a text; nothing of it is kept", within &limits::TEXT_BODY;
    post "/studio/draft", Needs(P::KeepDraft), studio::text::keep_page, "keep a draft; it never runs by itself", within &limits::TEXT_BODY;
    post "/studio/draft/discard", Needs(P::KeepDraft), studio::text::discard_page, "discard one's own draft";
    get "/studio/draft.md", Needs(P::KeepDraft), studio::text::download, "one's own draft as a file";
    get "/studio/diff", Needs(P::KeepDraft), studio::diff::page, "one's own draft beside the text that runs, line by line";
    get "/studio/findings", Needs(P::UseStudio), studio::findings::page, "what is worth knowing about a text, with situations that show it";
    get "/studio/try", Needs(P::UseStudio), studio::whatif::page, "what if: a situation in the address, and what policies answer";
    post "/studio/try", Needs(P::UseStudio), studio::whatif::sample, "read a sample text; what was found goes into the address, the text nowhere";
    get "/rollout", Needs(P::SeeRollout), pages::rollout::page, "the stage of each clause and ring";
    get "/rollout/change", Needs(P::ChangeRollout), pages::rollout::confirm, "what a change of stage would mean";
    post "/rollout", Needs(P::ChangeRollout), pages::rollout::change, "set the stage of a clause for a ring";
    get "/inbox", Needs(P::SeeInbox), pages::inbox::page, "objections and requests, with owner, deputy and clock";
    get "/inbox/{id}", Needs(P::SeeInbox), pages::inbox::case, "one case";
    post "/inbox/{id}", Needs(P::AnswerInbox), pages::inbox::answer, "answer a case; accepting a request grants an exception";
    get "/lookup", Needs(P::LookUpCode), pages::lookup::page, "a stop by its code: no name, no content";
    get "/me", Needs(P::SeeOwnRecord), pages::record::page, "one's own record: what was recorded, who looked";
    get "/me/{id}", Needs(P::SeeOwnRecord), pages::detail::own, "one of one's own interactions";
    get "/reveal", Needs(P::SeeReveals), pages::reveal::page, "requests to lift a pseudonym";
    post "/reveal", Needs(P::AskReveal), pages::reveal::ask, "ask for a pseudonym to be lifted, with a purpose";
    get "/reveal/{id}", Needs(P::SeeReveals), pages::reveal::one, "one request";
    post "/reveal/{id}", Needs(P::ApproveReveal), pages::reveal::approve, "agree with one's own share";
    get "/reveal/{id}/open", Needs(P::SeeReveals), pages::reveal::opened, "the page of a request after its name was shown: it is not shown again";
    post "/reveal/{id}/open", Needs(P::AskReveal), pages::reveal::open, "show the name once, to whoever asked";
    get "/accounts", Needs(P::SeeAccounts), pages::accounts::page, "accounts of the console";
    post "/accounts", Needs(P::ManageAccounts), pages::accounts::create, "make an account";
    post "/accounts/{id}/roles", Needs(P::ManageAccounts), pages::accounts::roles, "give an account other roles";
    post "/accounts/{id}/password", Needs(P::ManageAccounts), pages::accounts::reset, "give an account a new first password";
    post "/accounts/{id}/disable", Needs(P::ManageAccounts), pages::accounts::disable, "disable an account";
    get "/tokens", SignedIn, pages::tokens::page, "one's own tokens, with which programs use the interface";
    post "/tokens", SignedIn, pages::tokens::create, "make a token, which is shown once";
    post "/tokens/{id}/revoke", SignedIn, pages::tokens::revoke, "end one of one's own tokens";
    get "/system", Needs(P::SeeHealth), pages::system::page, "how the system is";
    get "/roles", SignedIn, pages::roles::page, "which role may do what";
    post "/tour/{tour}/act/{name}", SignedIn, pages::tour::act, "a button of a tour";
    get "/r/{code}", Anyone, pages::stop::page, "the page of a stop, with its token or for the person it stopped";
    post "/r/{code}/{choice}", Anyone, pages::stop::choose, "a choice on that page";
    get "/how", Anyone, pages::how::page, "how it works and who can see what: where the notice of first use leads";
    get "/proxy.pac", Anyone, pages::files::pac, "the proxy auto-configuration file";
    get "/ca.pem", Anyone, pages::files::ca, "the certificate that devices trust";
    get "/health", Anyone, pages::files::health, "200 if judged traffic is served, else 503";
    get "/metrics", Anyone, pages::files::metrics, "counters for Prometheus; needs the metrics token or a role that may see them";
    get "/assets/{file}", Anyone, pages::files::asset, "stylesheet, script, icon";
    get "/api/v1/openapi.json", SignedIn, api::document, "this interface, as OpenAPI";
    get "/api/v1/session", SignedIn, api::session, "who is signed in, and the form token";
    get "/api/v1/overview", Needs(P::SeeOverview), api::overview, "what happened, in figures";
    get "/api/v1/records", Needs(P::SeeLive), api::records, "every verdict, newest first";
    get "/api/v1/records/{id}", Needs(P::SeeDetail), api::record, "one interaction";
    get "/api/v1/tools", Needs(P::SeeTools), api::tools, "AI services in use";
    get "/api/v1/policy", Needs(P::SeePolicy), api::policy, "the policy in force";
    get "/api/v1/studio/clauses", Needs(P::UseStudio), api::studio_clauses, "clauses with their rules, figures and stages";
    get "/api/v1/studio/clauses/{id}", Needs(P::UseStudio), api::studio_clause, "one clause";
    get "/api/v1/studio/findings", Needs(P::UseStudio), api::studio_findings, "what is worth knowing about a text";
    get "/api/v1/studio/answers", Needs(P::UseStudio), api::studio_answers, "what policies answer to a situation";
    post "/api/v1/studio/answers", Needs(P::UseStudio), api::studio_sample, "the same for what is found in a sample text, which is not kept";
    post "/api/v1/studio/check", Needs(P::KeepDraft), api::studio_check, "check a text; nothing of it is kept", within &limits::TEXT_BODY;
    get "/api/v1/studio/draft", Needs(P::KeepDraft), api::studio_draft, "one's own draft, or the text that runs, with diagnostics";
    post "/api/v1/studio/draft", Needs(P::KeepDraft), api::studio_keep, "keep a draft; it never runs by itself", within &limits::TEXT_BODY;
    post "/api/v1/studio/draft/discard", Needs(P::KeepDraft), api::studio_discard, "discard one's own draft";
    get "/api/v1/studio/diff", Needs(P::KeepDraft), api::studio_diff, "one's own draft beside the text that runs";
    get "/api/v1/rollout", Needs(P::SeeRollout), api::rollout, "the stage of each clause and ring";
    post "/api/v1/rollout", Needs(P::ChangeRollout), api::set_rollout, "set the stage of a clause for a ring";
    get "/api/v1/cases", Needs(P::SeeInbox), api::cases, "objections and requests";
    get "/api/v1/cases/{id}", Needs(P::SeeInbox), api::case, "one case";
    post "/api/v1/cases/{id}/answer", Needs(P::AnswerInbox), api::answer, "answer a case";
    get "/api/v1/stops/{code}", Needs(P::LookUpCode), api::stop, "a stop by its code";
    get "/api/v1/me", Needs(P::SeeOwnRecord), api::me, "one's own record";
    get "/api/v1/reveals", Needs(P::SeeReveals), api::reveals, "requests to lift a pseudonym";
    post "/api/v1/reveals", Needs(P::AskReveal), api::ask_reveal, "ask for a pseudonym to be lifted";
    get "/api/v1/accounts", Needs(P::SeeAccounts), api::accounts, "accounts of the console";
    get "/api/v1/tokens", SignedIn, api::tokens, "one's own tokens";
    get "/api/v1/system", Needs(P::SeeHealth), api::system, "how the system is";
}

/// The router: every line of the table with its guard, and the frontier around all of them.
pub(crate) fn router(console: Arc<Console>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let guard = from_fn_with_state((Arc::clone(&console), route.access, route.body), guard::guard);
        let handler = (route.handler)().layer(DefaultBodyLimit::max(route.body.value()));
        router = router.route(route.path, handler.layer(guard));
    }
    router.layer(from_fn_with_state(Arc::clone(&console), guard::frontier)).with_state(console)
}

/// The table as Markdown, for the guide.
pub fn render() -> String {
    let mut text = String::from("| method | address | who | what |\n|---|---|---|---|\n");
    for route in ROUTES {
        let who = match route.access {
            Access::Anyone => "anyone".to_owned(),
            Access::SignedIn => "signed in".to_owned(),
            Access::Needs(permission) => format!("`{permission}`"),
        };
        let _ = writeln!(text, "| {} | `{}` | {who} | {} |", route.method.as_str(), route.path, route.says);
    }
    text
}
