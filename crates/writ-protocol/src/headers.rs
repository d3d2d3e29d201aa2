//! What a gateway must know about header names (RFC 9110, RFC 9112, RFC 9530).

/// What happens to a request header on its way to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It belongs to this connection only and is made anew.
    Hop,
    /// It frames the body and is made anew: length, encoding of an edited body.
    Framing,
    /// It says who the caller is; the gateway puts the service's own key in its place.
    Credential,
    /// It asks the vendor to restrict accounts: only the organisation may say so, a client's copy is dropped.
    Restriction,
    /// It covers the body by a digest or signature: recomputed, or an edit cannot be made.
    Digest,
    /// It tells the service where the caller is, and is dropped.
    Origin,
    /// It passes as it is.
    Pass,
}

/// Header names by passage, in lower case.
const NAMES: &[(Passage, &[&str])] = &[
    (
        Passage::Hop,
        &[
            "connection",
            "keep-alive",
            "proxy-connection",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-authentication-info",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "http2-settings",
            "expect",
        ],
    ),
    (Passage::Framing, &["host", "content-length", "content-encoding"]),
    (
        Passage::Credential,
        &["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "openai-organization", "openai-project"],
    ),
    (
        Passage::Restriction,
        &[
            "chatgpt-allowed-workspace-id",
            "openai-allowed-organization-ids",
            "anthropic-allowed-org-ids",
            "sec-restrict-tenant-access-policy",
            "restrict-access-to-tenants",
            "restrict-access-context",
            "x-googapps-allowed-domains",
            "x-geminicodeassist-allowed-domains",
            "sec-github-allowed-enterprise",
            "x-slack-allowed-workspaces-requester",
            "x-slack-allowed-workspaces",
            "x-dropbox-allowed-team-ids",
            "x-zoomapps-policy",
            "ciscospark-allowed-domains",
            "youtube-restrict",
        ],
    ),
    (
        Passage::Digest,
        &[
            "digest",
            "content-digest",
            "repr-digest",
            "content-md5",
            "signature",
            "signature-input",
            "x-amz-content-sha256",
        ],
    ),
    (
        Passage::Origin,
        &[
            "forwarded",
            "via",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-forwarded-port",
            "x-real-ip",
        ],
    ),
];

/// What happens to the request header `name`.
///
/// Names that a `Connection` header lists are hops as well: see [`listed_in_connection`]. Numbered continuations of
/// `anthropic-allowed-org-ids` are restrictions.
pub fn passage(name: &str) -> Passage {
    let listed = NAMES.iter().find(|(_, names)| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
    match listed {
        Some((passage, _)) => *passage,
        None if is_numbered_restriction(name) => Passage::Restriction,
        None => Passage::Pass,
    }
}

/// Whether the value of a `Connection` header lists `name` (RFC 9110 section 7.6.1).
pub fn listed_in_connection(connection: &str, name: &str) -> bool {
    connection.split(',').any(|option| option.trim().eq_ignore_ascii_case(name))
}

/// Whether an `Authorization` value signs the body, so that an edited body would be refused (AWS Signature Version 4).
pub fn signs_body(authorization: &str) -> bool {
    let scheme = authorization.split_ascii_whitespace().next().unwrap_or_default();
    scheme.starts_with("AWS4-") || scheme.eq_ignore_ascii_case("Signature")
}

/// Parameters of a query string that carry credentials: never stored, never shown.
pub const CREDENTIAL_PARAMETERS: &[&str] = &["key", "access_token", "api_key", "api-key", "token"];

fn is_numbered_restriction(name: &str) -> bool {
    const STEM: &str = "anthropic-allowed-org-ids";
    let split = name.split_at_checked(STEM.len());
    split.is_some_and(|(stem, number)| {
        stem.eq_ignore_ascii_case(STEM) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_a_passage() {
        for (name, expected) in [
            ("Connection", Passage::Hop),
            ("Content-Length", Passage::Framing),
            ("X-Api-Key", Passage::Credential),
            ("Anthropic-Allowed-Org-Ids", Passage::Restriction),
            ("anthropic-allowed-org-ids7", Passage::Restriction),
            ("anthropic-allowed-org-idsx", Passage::Pass),
            ("Content-Digest", Passage::Digest),
            ("X-Forwarded-For", Passage::Origin),
            ("anthropic-version", Passage::Pass),
            ("accept", Passage::Pass),
        ] {
            assert_eq!(passage(name), expected, "{name}");
        }
        assert!(listed_in_connection("close, X-Hop", "x-hop"));
        assert!(!listed_in_connection("close", "x-hop"));
    }

    #[test]
    fn signed_requests_are_known() {
        assert!(signs_body("AWS4-HMAC-SHA256 Credential=x"));
        assert!(!signs_body("Bearer x"));
    }

    #[test]
    fn no_name_has_two_passages() {
        let mut names: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
