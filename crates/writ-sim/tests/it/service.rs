//! What holds for every format: names, credentials, errors, faults, codings, the journal, stopping.

use std::io::{Read, Write};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use writ_sim::services::{BODY_BYTES_MAX, JournalMode, ServicesOptions, start};

use crate::client::{Format, connect, request, send, services};

#[tokio::test]
async fn a_name_without_certificate_is_not_served() {
    let services = services().await;
    assert!(connect(&services, "api.mistral.ai", "http/1.1").await.is_err());
    assert!(connect(&services, "localhost", "http/1.1").await.is_ok());
    assert!(connect(&services, "127.0.0.1", "http/1.1").await.is_ok());
    services.stop().await;
    let names = vec!["api.mistral.ai".to_owned()];
    let services = start(ServicesOptions { names, ..ServicesOptions::default() }).await.unwrap();
    let mistral =
        request("api.openai.com", "POST", "/v1/chat/completions", Format::Chat.body("sim:say hi", false).to_string());
    let (mut head, body) = mistral.into_parts();
    head.headers.insert("host", "api.mistral.ai:443".parse().unwrap());
    let answer = send(&services, "api.mistral.ai", Request::from_parts(head, body)).await;
    assert_eq!(Format::Chat.answer_text(&answer, false), "hi");
    services.stop().await;
}

#[tokio::test]
async fn a_host_that_is_not_the_server_name_is_misdirected() {
    let services = services().await;
    for format in Format::ALL {
        let answer = send(&services, "localhost", format.request("hi", false)).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{format:?}");
    }
    services.stop().await;
}

#[tokio::test]
async fn loopback_names_choose_the_provider_by_path() {
    let services = services().await;
    for format in Format::ALL {
        let mut request = format.request("sim:say hi", false);
        request.headers_mut().insert("host", "localhost".parse().unwrap());
        let answer = send(&services, "localhost", request).await;
        assert_eq!(format.answer_text(&answer, false), "hi", "{format:?}");
    }
    services.stop().await;
}

#[tokio::test]
async fn errors_have_the_shape_of_their_provider() {
    let services = services().await;
    let mut seen = String::new();
    for format in [Format::Chat, Format::Messages, Format::Gemini, Format::GeminiArray] {
        let mut without_key = format.request("hi", true);
        without_key.headers_mut().insert("authorization", "Bearer wrong".parse().unwrap());
        without_key.headers_mut().insert("x-api-key", "wrong".parse().unwrap());
        without_key.headers_mut().insert("x-goog-api-key", "wrong".parse().unwrap());
        let cases = [
            ("wrong key", without_key),
            ("bad JSON", request(format.host(), "POST", format.path(true), "{\"model\": ")),
            ("no messages", request(format.host(), "POST", format.path(true), "{\"model\": \"m\", \"max_tokens\": 1}")),
            ("unknown path", request(format.host(), "POST", "/v1/unknown", "{}")),
            ("wrong method", request(format.host(), "DELETE", format.path(true), "")),
            ("status 429", format.request("sim:status=429", true)),
            ("plain error", format.request("sim:error sim:say hi", false)),
        ];
        for (name, request) in cases {
            let answer = send(&services, format.host(), request).await;
            let json = answer.json();
            let line = format!("{format:?}, {name}: {} {json}\n", answer.status.as_u16());
            seen.push_str(&line);
        }
    }
    let ids = |text: &str| text.split("req_").map(|part| part.to_owned()).collect::<Vec<_>>();
    let without_ids: Vec<String> = ids(&seen)
        .into_iter()
        .enumerate()
        .map(|(index, part)| if index == 0 { part } else { format!("req_ID{}", &part[32..]) })
        .collect();
    insta::assert_snapshot!(without_ids.concat());
    services.stop().await;
}

#[tokio::test]
async fn a_dropped_answer_is_cut_after_its_first_half() {
    let services = services().await;
    for format in Format::ALL {
        for stream in [false, true] {
            let text = "sim:drop sim:echo-split=4 a text of some length that is cut";
            let answer = format.ask(&services, text, stream).await;
            assert!(answer.cut && answer.status.is_success(), "{format:?} {stream}");
            let whole = format.ask(&services, &text.replace("sim:drop ", ""), stream).await;
            assert!(!answer.body.is_empty() && answer.body.len() < whole.body.len(), "{format:?} {stream}");
        }
    }
    services.stop().await;
}

#[tokio::test]
async fn garbage_and_error_events_end_up_in_the_stream() {
    let services = services().await;
    for format in Format::ALL {
        let plain = format.ask(&services, "sim:garbage sim:say hi", false).await;
        assert!(serde_json::from_slice::<serde_json::Value>(&plain.body).is_err(), "{format:?}");
        let stream = format.ask(&services, "sim:garbage sim:echo-split=2 some words", true).await;
        assert!(stream.text().contains("\"unterminated}"), "{format:?}");
        let broken = format.ask(&services, "sim:error sim:echo-split=2 some words", true).await;
        assert!(broken.text().contains("error") && !broken.cut, "{format:?}");
        assert!(broken.text().contains("so") && !broken.text().contains("[DONE]"), "{format:?}");
    }
    services.stop().await;
}

#[tokio::test]
async fn answers_can_be_compressed_chopped_and_slow() {
    let services = services().await;
    for (coding, format) in ["gzip", "deflate", "br", "zstd"].into_iter().zip(Format::ALL) {
        for stream in [false, true] {
            let text = format!("sim:{coding} sim:chop=3 sim:slow=1 sim:echo-split=5 compressed");
            let answer = format.ask(&services, &text, stream).await;
            assert_eq!(answer.headers["content-encoding"], coding);
            let decoded = decoded(coding, &answer.body);
            assert_eq!(format.text_of(&decoded, stream), "compressed", "{coding} {format:?} {stream}");
        }
    }
    services.stop().await;
}

fn decoded(coding: &str, bytes: &[u8]) -> String {
    let mut text = String::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap(),
        "deflate" => flate2::read::ZlibDecoder::new(bytes).read_to_string(&mut text).unwrap(),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_string(&mut text).unwrap(),
        _ => zstd::stream::read::Decoder::new(bytes).unwrap().read_to_string(&mut text).unwrap(),
    };
    text
}

#[tokio::test]
async fn long_streams_have_the_events_that_were_asked_for() {
    let services = services().await;
    for format in Format::ALL {
        let answer = format.ask(&services, "sim:long=2000", true).await;
        let text = format.answer_text(&answer, true);
        assert!(
            text.contains("This is part 1 of 2000. ") && text.ends_with("This is part 2000 of 2000. "),
            "{format:?}"
        );
    }
    services.stop().await;
}

#[tokio::test]
async fn the_journal_sees_through_codings_and_keeps_order() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.jsonl");
    let options = ServicesOptions { journal_file: Some(file.clone()), ..ServicesOptions::default() };
    let services = start(options).await.unwrap();
    let body = Format::Chat.body("sim:say the word is rosebud", false).to_string();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body.as_bytes()).unwrap();
    let compressed = encoder.finish().unwrap();
    let mut packed = request("api.openai.com", "POST", "/v1/chat/completions", compressed.clone());
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    let answer = send(&services, "api.openai.com", packed).await;
    assert_eq!(Format::Chat.answer_text(&answer, false), "the word is rosebud");
    assert_eq!(Format::Messages.ask(&services, "second", false).await.status, 200);

    let journal = &services.journal;
    assert!(journal.contains("rosebud") && journal.contains("sim-openai-key") && !journal.contains("tulip"));
    let entries = journal.entries();
    assert_eq!(entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((&entries[0].body[..], &entries[0].body_raw[..]), (body.as_bytes(), &compressed[..]));
    assert_eq!(entries[0].header("authorization"), Some("present"));
    assert_eq!(entries[1].host, "api.anthropic.com");
    let lines = std::fs::read_to_string(&file).unwrap();
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.contains("rosebud") && !lines.contains("sim-openai-key"));
    services.stop().await;
}

#[tokio::test]
async fn bad_codings_and_full_journals_are_refused() {
    let options =
        ServicesOptions { journal: JournalMode::Everything { bytes_max: 2000 }, ..ServicesOptions::default() };
    let services = start(options).await.unwrap();
    for (coding, status) in [("compress", 415), ("gzip", 400)] {
        let mut request = Format::Chat.request("hi", false);
        request.headers_mut().insert("content-encoding", coding.parse().unwrap());
        assert_eq!(send(&services, "api.openai.com", request).await.status, status);
        assert!(services.journal.contains("what the unread body may have held"));
        services.journal.clear();
    }
    let answer = Format::Chat.ask(&services, &"x".repeat(2000), false).await;
    assert_eq!(answer.status, 503);
    assert!(!services.journal.complete() && services.journal.contains("never sent"));
    services.stop().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_rules_nothing_out() {
    let services = services().await;
    let body = vec![b' '; BODY_BYTES_MAX + 1];
    let stream = connect(&services, "api.openai.com", "h2").await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let mut request = request("api.openai.com", "POST", "https://api.openai.com/v1/responses", body);
    request.headers_mut().remove("host");
    assert_eq!(sender.send_request(request).await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(!services.journal.complete() && services.journal.contains("beyond the limit"));
    services.stop().await;
}

#[tokio::test]
async fn stopping_lets_running_answers_end_and_closes_the_port() {
    let services = services().await;
    let addr = services.addr;
    let stream = connect(&services, "api.openai.com", "http/1.1").await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request: Request<Full<Bytes>> = Format::Chat.request("sim:slow=20 sim:echo-split=1 ten chars!", true);
    let response = sender.send_request(request).await.unwrap();
    let (stopped, body) = tokio::join!(services.stop(), http_body_util::BodyExt::collect(response.into_body()));
    let () = stopped;
    let text = String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap();
    assert_eq!(Format::Chat.text_of(&text, true), "ten chars!");
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}
