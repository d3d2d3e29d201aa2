//! The OpenAPI document of `/api/v1`, made from the table of addresses and the types that handlers take and return.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required,
    ResponseBuilder, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use crate::api::{Done, SessionView};
use crate::pages::{
    accounts, detail, inbox, live, lookup, overview, policy, record, reveal, rollout, studio, system, tokens, tools,
};
use crate::reply::ApiFailure;
use crate::routes::{Access, Method, ROUTES, Route};

/// A type by name, with the types that it is made of.
struct Named {
    name: String,
    schemas: Vec<(String, RefOr<Schema>)>,
}

fn named<T: ToSchema + PartialSchema>() -> Option<Named> {
    let name = T::name().into_owned();
    let mut schemas = vec![(name.clone(), T::schema())];
    T::schemas(&mut schemas);
    Some(Named { name, schemas })
}

/// What an address takes in its body and gives back.
fn types(method: Method, path: &str) -> (Option<Named>, Option<Named>) {
    match (method, path) {
        (Method::Get, "/api/v1/session") => (None, named::<SessionView>()),
        (Method::Get, "/api/v1/overview") => (None, named::<overview::Overview>()),
        (Method::Get, "/api/v1/records") => (None, named::<live::Records>()),
        (Method::Get, "/api/v1/records/{id}") => (None, named::<detail::Detail>()),
        (Method::Get, "/api/v1/tools") => (None, named::<tools::Tools>()),
        (Method::Get, "/api/v1/policy") => (None, named::<policy::PolicyView>()),
        (Method::Get, "/api/v1/studio/clauses") => (None, named::<studio::clauses::Clauses>()),
        (Method::Get, "/api/v1/studio/clauses/{id}") => (None, named::<studio::clause::ClauseView>()),
        (Method::Get, "/api/v1/studio/findings") => (None, named::<studio::findings::Findings>()),
        (Method::Get, "/api/v1/studio/answers") => (None, named::<studio::answer::Answers>()),
        (Method::Post, "/api/v1/studio/answers") => {
            (named::<studio::whatif::Sample>(), named::<studio::whatif::SampleRead>())
        }
        (Method::Post, "/api/v1/studio/check") => {
            (named::<studio::text::CheckText>(), named::<studio::problems::Checked>())
        }
        (Method::Get, "/api/v1/studio/draft") => (None, named::<studio::text::DraftView>()),
        (Method::Post, "/api/v1/studio/draft") => (named::<studio::text::KeepDraft>(), named::<Done>()),
        (Method::Post, "/api/v1/studio/draft/discard") => (named::<studio::text::DiscardDraft>(), named::<Done>()),
        (Method::Get, "/api/v1/studio/diff") => (None, named::<studio::diff::Comparison>()),
        (Method::Get, "/api/v1/rollout") => (None, named::<rollout::Rollout>()),
        (Method::Post, "/api/v1/rollout") => (named::<rollout::Change>(), named::<Done>()),
        (Method::Get, "/api/v1/cases") => (None, named::<inbox::Inbox>()),
        (Method::Get, "/api/v1/cases/{id}") => (None, named::<inbox::CaseView>()),
        (Method::Post, "/api/v1/cases/{id}/answer") => (named::<inbox::Answer>(), named::<Done>()),
        (Method::Get, "/api/v1/stops/{code}") => (None, named::<lookup::Stop>()),
        (Method::Get, "/api/v1/me") => (None, named::<record::OwnRecord>()),
        (Method::Get, "/api/v1/reveals") => (None, named::<reveal::Reveals>()),
        (Method::Post, "/api/v1/reveals") => (named::<reveal::Ask>(), named::<Done>()),
        (Method::Get, "/api/v1/accounts") => (None, named::<accounts::AccountsView>()),
        (Method::Get, "/api/v1/tokens") => (None, named::<tokens::Tokens>()),
        (Method::Get, "/api/v1/system") => (None, named::<system::System>()),
        _ => (None, None),
    }
}

/// The fields of an address's query.
const QUERIES: &[(&str, &[&str])] = &[
    ("/api/v1/overview", &["days"]),
    (
        "/api/v1/records",
        &[
            "effect", "service", "class", "clause", "who", "channel", "signal", "person", "from", "to", "before",
            "after",
        ],
    ),
    ("/api/v1/cases", &["state"]),
    ("/api/v1/studio/clauses", &["of", "mode"]),
    ("/api/v1/studio/clauses/{id}", &["of"]),
    ("/api/v1/studio/findings", &["of"]),
    (
        "/api/v1/studio/answers",
        &[
            "who",
            "identity",
            "entity",
            "group",
            "action",
            "service",
            "category",
            "tier",
            "status",
            "account",
            "data",
            "cleared",
            "level",
            "declared",
            "origin",
            "activity",
            "channel",
            "device",
            "person-region",
            "service-region",
            "training",
            "attestation",
            "signal",
            "unreadable",
            "fixed",
            "share",
        ],
    ),
];

/// The document.
pub fn openapi() -> OpenApi {
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    schemas.extend(named::<ApiFailure>().into_iter().flat_map(|named| named.schemas));
    let mut paths = PathsBuilder::new();
    for route in ROUTES.iter().filter(|route| route.path.starts_with("/api/")) {
        let (takes, gives) = types(route.method, route.path);
        let operation = operation(route, takes.as_ref(), gives.as_ref());
        schemas.extend(takes.into_iter().chain(gives).flat_map(|named| named.schemas));
        let method = if route.method == Method::Get { HttpMethod::Get } else { HttpMethod::Post };
        paths = paths.path(route.path, PathItem::new(method, operation));
    }
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("writ-session")));
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("session", cookie)
        .security_scheme("token", bearer);
    let about = "The same data as the pages. People appear by pseudonym. Programs send a token, made on the page `/tokens`. \
                 With a session, requests that change something send the form token of `/api/v1/session` in the header \
                 `x-writ-csrf`.";
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title("Writ").version("1").description(Some(about)))
        .paths(paths)
        .components(Some(components.build()))
        .security(Some(["session", "token"].map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new()))))
        .build()
}

fn operation(route: &Route, takes: Option<&Named>, gives: Option<&Named>) -> utoipa::openapi::path::Operation {
    let who = match route.access {
        Access::Anyone => "Anyone.".to_owned(),
        Access::SignedIn => "Whoever is signed in.".to_owned(),
        Access::Needs(permission) => format!("Needs the permission `{permission}`."),
    };
    let mut operation = OperationBuilder::new().summary(Some(route.says)).description(Some(who));
    for segment in route.path.split('/').filter_map(|segment| segment.strip_prefix('{')) {
        operation = operation.parameter(parameter(segment.trim_end_matches('}'), ParameterIn::Path));
    }
    for name in QUERIES.iter().filter(|(path, _)| *path == route.path).flat_map(|(_, names)| names.iter()) {
        operation = operation.parameter(parameter(name, ParameterIn::Query));
    }
    if route.method == Method::Post {
        // Not with a token.
        operation = operation.parameter(parameter(crate::guard::CSRF_HEADER, ParameterIn::Header));
    }
    if let Some(takes) = takes {
        let body =
            RequestBodyBuilder::new().content("application/json", content(&takes.name)).required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let done = ResponseBuilder::new().description(route.says);
    let done = match gives {
        Some(gives) => done.content("application/json", content(&gives.name)),
        None => done,
    };
    let failed = ResponseBuilder::new().description("not done").content("application/json", content("ApiFailure"));
    operation.response("200", done.build()).response("default", failed.build()).build()
}

/// A segment of the path must be there, whatever else there is need not.
fn parameter(name: &str, place: ParameterIn) -> utoipa::openapi::path::Parameter {
    let required = if place == ParameterIn::Path { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

fn content(name: &str) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_the_interface_has_its_types() {
        for route in ROUTES.iter().filter(|route| route.path.starts_with("/api/")) {
            let (takes, gives) = types(route.method, route.path);
            assert!(gives.is_some() || route.path == "/api/v1/openapi.json", "{}", route.path);
            assert_eq!(takes.is_some(), route.method == Method::Post, "{}", route.path);
        }
    }
}
