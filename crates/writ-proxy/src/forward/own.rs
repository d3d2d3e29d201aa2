//! Answers that the proxy gives by itself, before or outside an interaction. They name no host and hold no content.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PROXY_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use writ_engine::{CertificateProblem, UpstreamFailure};
use writ_model::Language;

use crate::drive::AnswerBody;

/// A short text.
pub(crate) fn text(status: StatusCode, text: &str) -> Response<AnswerBody> {
    let mut answer = crate::drive::plain(status, &format!("writ: {text}\n"));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Who are you? The realm names the organisation, because people see it in a dialogue.
pub(crate) fn unauthorised(organisation: &str) -> Response<AnswerBody> {
    let mut answer = text(
        StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        "this proxy needs to know who you are; give the login and password that your organisation issued",
    );
    let realm: String = organisation
        .chars()
        .map(|c| if c.is_ascii_graphic() && c != '"' && c != '\\' || c == ' ' { c } else { '?' })
        .collect();
    let challenge = format!("Basic realm=\"{realm}: access to AI services\", charset=\"UTF-8\"");
    if let Ok(value) = HeaderValue::try_from(challenge) {
        answer.headers_mut().insert(PROXY_AUTHENTICATE, value);
    }
    answer
}

/// A host did not answer as it should: a page for who navigates, else one line.
pub(crate) fn failed(failure: UpstreamFailure, page: Option<Language>) -> Response<AnswerBody> {
    let status = match failure {
        UpstreamFailure::Timeout => StatusCode::GATEWAY_TIMEOUT,
        UpstreamFailure::ForbiddenAddress => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_GATEWAY,
    };
    match page {
        None => text(status, reason(failure)),
        Some(language) => html(status, language, reason_in(failure, language)),
    }
}

/// What happened, for programs.
fn reason(failure: UpstreamFailure) -> &'static str {
    match failure {
        UpstreamFailure::Unreachable => "the host could not be reached; nothing was sent",
        UpstreamFailure::Timeout => "the host did not answer in time",
        UpstreamFailure::Broken => "the host broke off its answer",
        UpstreamFailure::ForbiddenAddress => "the host has an address that may not be reached from here",
        UpstreamFailure::Certificate(CertificateProblem::Expired) => {
            "the host's certificate is expired or not yet valid; nothing was sent"
        }
        UpstreamFailure::Certificate(CertificateProblem::WrongName) => {
            "the host's certificate is for another name; nothing was sent"
        }
        UpstreamFailure::Certificate(CertificateProblem::UnknownIssuer) => {
            "the issuer of the host's certificate is not known; nothing was sent"
        }
        UpstreamFailure::Certificate(CertificateProblem::Other) => {
            "the host's certificate cannot be verified; nothing was sent"
        }
    }
}

/// What happened, for people: one sentence.
fn reason_in(failure: UpstreamFailure, language: Language) -> &'static str {
    let certificate = matches!(failure, UpstreamFailure::Certificate(_));
    match (language, failure) {
        (Language::En, UpstreamFailure::Certificate(CertificateProblem::Expired)) => {
            "Nothing was sent: the certificate of this website is expired or not yet valid."
        }
        (Language::En, UpstreamFailure::Certificate(CertificateProblem::WrongName)) => {
            "Nothing was sent: the certificate of this website is for another name."
        }
        (Language::En, UpstreamFailure::Certificate(CertificateProblem::UnknownIssuer)) => {
            "Nothing was sent: nobody known has issued the certificate of this website."
        }
        (Language::De, UpstreamFailure::Certificate(CertificateProblem::Expired)) => {
            "Es wurde nichts gesendet: Das Zertifikat dieser Website ist abgelaufen oder noch nicht gültig."
        }
        (Language::De, UpstreamFailure::Certificate(CertificateProblem::WrongName)) => {
            "Es wurde nichts gesendet: Das Zertifikat dieser Website gilt für einen anderen Namen."
        }
        (Language::De, UpstreamFailure::Certificate(CertificateProblem::UnknownIssuer)) => {
            "Es wurde nichts gesendet: Das Zertifikat dieser Website hat niemand ausgestellt, der hier bekannt ist."
        }
        (Language::Fr, UpstreamFailure::Certificate(CertificateProblem::Expired)) => {
            "Rien n’a été envoyé : le certificat de ce site a expiré ou n’est pas encore valable."
        }
        (Language::Fr, UpstreamFailure::Certificate(CertificateProblem::WrongName)) => {
            "Rien n’a été envoyé : le certificat de ce site porte un autre nom."
        }
        (Language::Fr, UpstreamFailure::Certificate(CertificateProblem::UnknownIssuer)) => {
            "Rien n’a été envoyé : l’émetteur du certificat de ce site est inconnu."
        }
        (Language::Es, UpstreamFailure::Certificate(CertificateProblem::Expired)) => {
            "No se ha enviado nada: el certificado de este sitio ha caducado o aún no es válido."
        }
        (Language::Es, UpstreamFailure::Certificate(CertificateProblem::WrongName)) => {
            "No se ha enviado nada: el certificado de este sitio es de otro nombre."
        }
        (Language::Es, UpstreamFailure::Certificate(CertificateProblem::UnknownIssuer)) => {
            "No se ha enviado nada: no se conoce al emisor del certificado de este sitio."
        }
        (Language::En, _) if certificate => "Nothing was sent: the certificate of this website cannot be verified.",
        (Language::De, _) if certificate => {
            "Es wurde nichts gesendet: Das Zertifikat dieser Website lässt sich nicht prüfen."
        }
        (Language::Fr, _) if certificate => "Rien n’a été envoyé : le certificat de ce site ne peut pas être vérifié.",
        (Language::Es, _) if certificate => {
            "No se ha enviado nada: no se puede comprobar el certificado de este sitio."
        }
        (Language::En, _) => "This website does not answer at the moment. Try again in a few minutes.",
        (Language::De, _) => "Diese Website antwortet gerade nicht. Versuchen Sie es in einigen Minuten noch einmal.",
        (Language::Fr, _) => "Ce site ne répond pas pour le moment. Réessayez dans quelques minutes.",
        (Language::Es, _) => "Este sitio no responde en este momento. Inténtelo de nuevo en unos minutos.",
    }
}

/// A page of one sentence; it loads nothing and runs nothing.
fn html(status: StatusCode, language: Language, sentence: &str) -> Response<AnswerBody> {
    let code = language.code();
    let page = format!(
        "<!doctype html><html lang=\"{code}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Writ</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem;\
         color-scheme:light dark}}</style><p>{sentence}</p></html>"
    );
    let mut answer = Response::new(Full::new(Bytes::from(page)).map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        http::header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_realm_is_the_organisations_name_whatever_is_in_it() {
        let realm = |organisation: &str| unauthorised(organisation).headers()["proxy-authenticate"].clone();
        assert_eq!(realm("Example Ltd"), "Basic realm=\"Example Ltd: access to AI services\", charset=\"UTF-8\"");
        assert_eq!(realm("a\"\r\nx: ü\\"), "Basic realm=\"a???x: ??: access to AI services\", charset=\"UTF-8\"");
    }

    #[test]
    fn failures_have_their_status_and_form() {
        let expired = UpstreamFailure::Certificate(CertificateProblem::Expired);
        assert_eq!(failed(expired, None).headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(failed(expired, Some(Language::De)).headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(failed(UpstreamFailure::Timeout, None).status(), 504);
        for language in Language::ALL {
            for problem in [
                CertificateProblem::Expired,
                CertificateProblem::WrongName,
                CertificateProblem::UnknownIssuer,
                CertificateProblem::Other,
            ] {
                let sentence = reason_in(UpstreamFailure::Certificate(problem), *language);
                assert!(sentence.ends_with('.') && !sentence.contains('<'), "{sentence}");
            }
        }
    }
}
