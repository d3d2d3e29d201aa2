//! Sites with certificates of their own, sockets, faults, and the switch.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use writ_sim::services::sites::{ALT_SVC, TENANT_HEADERS};
use writ_sim::services::socket::{ECHO_PATH, FRAME_BYTES_MAX};
use writ_sim::services::{Pulled, RunningServices, ServicesOptions, Site, SiteCertificate, SiteKind, start};

use crate::client::{Format, send};

async fn services() -> RunningServices {
    let bad = |host: &str, certificate| Site::new(host, SiteKind::Plain, certificate);
    let sites = vec![
        Site::chat("chat.example", "Chat", "m", "#123456"),
        Site::sign_in("login.example"),
        Site::other("bank.example", SiteKind::Bank),
        Site::other("mail.example", SiteKind::Mail),
        Site::other("union.example", SiteKind::Union),
        bad("expired.example", SiteCertificate::Expired),
        bad("wrong.example", SiteCertificate::WrongName),
        bad("self.example", SiteCertificate::SelfSigned),
    ];
    start(ServicesOptions { sites, ..ServicesOptions::default() }).await.unwrap()
}

async fn connect(services: &RunningServices, host: &str, roots: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut store = rustls::RootCertStore::empty();
    for root in roots {
        store.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(store).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = TcpStream::connect(services.addr).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(host.to_owned()).unwrap(), stream).await
}

/// One request by hand, and all that comes back.
async fn ask(services: &RunningServices, host: &str, request: &str, body: &[u8]) -> String {
    let mut stream = connect(services, host, &[&services.ca_pem, &services.sites_ca_pem]).await.unwrap();
    let (line, headers) = request.split_once("\r\n").unwrap_or((request, ""));
    let between = if headers.is_empty() { "" } else { "\r\n" };
    let head = format!(
        "{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}{between}{headers}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is cut ends without a farewell.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn each_host_has_its_own_certificate_and_sites_have_another_authority() {
    let services = services().await;
    let both = [services.ca_pem.as_str(), services.sites_ca_pem.as_str()];
    let mut seen = std::collections::BTreeSet::new();
    for host in ["chat.example", "login.example", "bank.example", "mail.example", "union.example"] {
        let stream = connect(&services, host, &both).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        assert_eq!(Some(&shown), services.certificate(host));
        assert!(seen.insert(services.fingerprint(host).unwrap()));
        let other = host.contains("bank") || host.contains("mail") || host.contains("union");
        assert_eq!(connect(&services, host, &both[..1]).await.is_err(), other, "{host}");
        assert_eq!(connect(&services, host, &both[1..]).await.is_ok(), other, "{host}");
    }
    assert!(seen.iter().all(|print| print.len() == 95 && print.matches(':').count() == 31));
    for (host, problem) in
        [("expired.example", "expired"), ("wrong.example", "not valid for name"), ("self.example", "UnknownIssuer")]
    {
        let error = connect(&services, host, &both).await.unwrap_err().to_string();
        assert!(error.contains(problem), "{host}: {error}");
    }
    services.stop().await;
}

#[tokio::test]
async fn pages_show_their_certificate_and_the_chat_page_its_form() {
    let services = services().await;
    for (host, title) in [
        ("bank.example", "Harbour Savings Bank"),
        ("mail.example", "Fjordpost"),
        ("union.example", "Health Workers&#39; Union"),
    ] {
        let page = ask(&services, host, "GET /", b"").await;
        assert!(page.contains(title) && page.contains(&services.fingerprint(host).unwrap()), "{page}");
        assert!(page.contains("content-security-policy: default-src 'none'"));
        assert!(page.contains(&format!("alt-svc: {ALT_SVC}")), "{page}");
        assert!(ask(&services, host, "GET /none", b"").await.starts_with("HTTP/1.1 404"));
    }
    let page = ask(&services, "chat.example", "GET /", b"").await;
    assert!(page.contains("id=\"composer\"") && page.contains("/v1/chat/completions"));
    for path in ["/chat.js", "/chat.css", "/theme.css"] {
        assert!(
            ask(&services, "chat.example", &format!("GET {path}"), b"").await.starts_with("HTTP/1.1 200"),
            "{path}"
        );
    }
    services.stop().await;
}

#[tokio::test]
async fn a_chat_answers_without_a_key_at_any_path() {
    let services = services().await;
    for path in ["/v1/chat/completions", "/backend-api/chat/completions", "/api/organizations/o/chat/completions"] {
        let body = Format::Chat.body("sim:say hi", false).to_string();
        let request = Request::post(path).header("host", "chat.example").body(Full::new(Bytes::from(body))).unwrap();
        let answer = send(&services, "chat.example", request).await;
        assert_eq!(Format::Chat.answer_text(&answer, false), "hi", "{path}");
    }
    let received = ask(&services, "chat.example", "POST /backend-api/files", b"abc").await;
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(received.contains(hash) && received.contains("\"received_bytes\":3"), "{received}");
    let entries = services.journal.of_host("chat.example");
    assert_eq!((entries.len(), entries[3].body_sha256().as_str()), (4, hash));
    assert_eq!((entries[3].version.as_str(), entries[3].method.as_str()), ("HTTP/1.1", "POST"));
    services.stop().await;
}

#[tokio::test]
async fn a_sign_in_host_says_which_tenant_headers_came() {
    let services = services().await;
    let page = ask(&services, "login.example", "GET /", b"").await;
    assert!(page.contains("No tenant header arrived"), "{page}");
    for name in TENANT_HEADERS {
        let request = format!("GET /common/oauth2\r\n{name}: a<b\r\naccept: application/json");
        let answer = ask(&services, "login.example", &request, b"").await;
        assert!(answer.ends_with(&format!("{{\"tenant_headers\":{{\"{name}\":\"a<b\"}}}}")), "{answer}");
        assert_eq!(services.journal.last().unwrap().header(name), Some("a<b"));
        let page = ask(&services, "login.example", &format!("GET /\r\n{name}: a<b"), b"").await;
        assert!(page.contains(&format!("<td>{name}</td><td>a&lt;b</td>")), "{page}");
    }
    services.stop().await;
}

#[tokio::test]
async fn tools_of_every_site_download_wait_and_cut() {
    let services = services().await;
    let answer = ask(&services, "bank.example", "GET /sim/bytes/100000", b"").await;
    assert!(answer.contains("content-length: 100000") && answer.contains("x-sim-body-sha256: "));
    let whole = "These words come one by one.";
    for path in ["/sim/slow/2", "/sim/first/2"] {
        let answer = ask(&services, "bank.example", &format!("GET {path}"), b"").await;
        assert_eq!(answer.split("\r\n").filter(|line| whole.contains(line.trim()) && line.len() > 2).count(), 6);
    }
    let cut = ask(&services, "bank.example", "GET /sim/drop", b"").await;
    assert!(cut.starts_with("HTTP/1.1 200") && !cut.contains("one.") && !cut.ends_with("0\r\n\r\n"), "{cut}");
    assert_eq!(ask(&services, "bank.example", "GET /sim/reset", b"").await, "");
    let body = Format::Chat.body("sim:reset", true).to_string();
    assert_eq!(ask(&services, "chat.example", "POST /v1/chat/completions", body.as_bytes()).await, "");
    services.stop().await;
}

async fn socket(services: &RunningServices) -> TlsStream<TcpStream> {
    let mut stream = connect(services, "chat.example", &[&services.ca_pem]).await.unwrap();
    // Key and answer are the example of RFC 6455 section 1.3.
    let head = format!(
        "GET {ECHO_PATH} HTTP/1.1\r\nhost: chat.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101") && answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    stream
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long if long <= 0xffff => frame.extend([0xfe, (long >> 8) as u8, long as u8]),
        longer => {
            frame.push(0xff);
            frame.extend((longer as u64).to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[tokio::test]
async fn a_socket_sends_back_what_it_gets_and_the_journal_sees_it() {
    let services = services().await;
    let mut stream = socket(&services).await;
    for (payload, head) in [
        (b"rosebud".to_vec(), vec![0x81, 7]),
        (vec![b'x'; 300], vec![0x81, 126, 1, 44]),
        (vec![b'y'; 70_000], vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
    ] {
        stream.write_all(&frame(0x81, &payload)).await.unwrap();
        let mut answer = vec![0; head.len() + payload.len()];
        stream.read_exact(&mut answer).await.unwrap();
        assert!(answer.starts_with(&head) && answer.ends_with(&payload));
    }
    stream.write_all(&frame(0x89, b"p")).await.unwrap();
    let mut pong = [0; 3];
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\x8a\x01p");
    stream.write_all(&frame(0x88, b"\x03\xe8")).await.unwrap();
    let mut closed = Vec::new();
    stream.read_to_end(&mut closed).await.unwrap();
    assert_eq!(closed, b"\x88\x02\x03\xe8");
    assert!(services.journal.contains("rosebud"));
    let messages = services.journal.of_host("chat.example");
    assert_eq!(messages.iter().filter(|entry| entry.method == "MESSAGE").count(), 3);
    services.stop().await;
}

#[tokio::test]
async fn a_socket_refuses_what_clients_must_not_send() {
    let services = services().await;
    let too_long = [&[0x82, 0xff][..], &(FRAME_BYTES_MAX as u64 + 1).to_be_bytes()].concat();
    for (sent, code) in [(b"\x81\x01a".to_vec(), 1002_u16), (too_long, 1009)] {
        let mut stream = socket(&services).await;
        stream.write_all(&sent).await.unwrap();
        let mut closed = [0; 4];
        stream.read_exact(&mut closed).await.unwrap();
        assert_eq!(closed[..2], [0x88, 2]);
        assert_eq!(u16::from_be_bytes([closed[2], closed[3]]), code);
    }
    services.stop().await;
}

#[tokio::test]
async fn services_can_be_pulled_and_brought_back() {
    let services = services().await;
    let switch = services.switch.clone();
    let mut open = socket(&services).await;
    let mut idle = connect(&services, "api.openai.com", &[&services.ca_pem]).await.unwrap();

    switch.pull(Pulled::Refused).await;
    assert!(TcpStream::connect(services.addr).await.is_err());
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest).await;
    let _ = open.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "open connections are cut");

    switch.restore().await.unwrap();
    assert_eq!(Format::Chat.ask(&services, "sim:say back", false).await.status, 200);

    switch.pull(Pulled::Cut).await;
    assert!(connect(&services, "api.openai.com", &[&services.ca_pem]).await.is_err());
    switch.restore().await.unwrap();
    switch.restore().await.unwrap();
    assert_eq!(Format::Chat.ask(&services, "sim:say back", false).await.status, 200);
    services.stop().await;
    switch.pull(Pulled::Refused).await;
    assert!(switch.restore().await.is_err(), "services that were stopped stay stopped");
}
