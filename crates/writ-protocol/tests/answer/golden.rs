//! The bytes that clients see, kept as files. `UPDATE_GOLDEN=1` writes them.

use writ_protocol::answer::{AnswerStream, Flow, Framing};
use writ_protocol::refusal::{RefusalForm, refuse};

use crate::editor::Replacing;
use crate::properties::run;
use crate::refusals::{ENDPOINTS, refusal};
use crate::service::{Script, stream};

fn check(name: &str, body: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/answer/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, body).unwrap();
    }
    let expected = std::fs::read(&path).unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(text(body), text(&expected), "{name}");
}

#[test]
fn what_clients_see() {
    let script = Script::new(
        &["Who is ", "[NAME-1]?"],
        &["Dear [NA", "ME-1],", " all is ", "well."],
        &["{\"to\":\"[NAM", "E-1]\"}"],
    );
    for (name, endpoint) in ENDPOINTS {
        let array = name == "gemini-array";
        let framing = if array { Framing::JsonArray } else { Framing::Sse };
        let kind = if array { "json" } else { "sse" };
        let body = stream(endpoint, framing, &script);
        let edited = run(endpoint, framing, &body, &[usize::MAX], &mut Replacing::holding(4));
        check(&format!("{name}.edited.{kind}"), &edited);
        check(&format!("{name}.error.json"), &refuse(endpoint, RefusalForm::Error, &refusal()).body);
        let message = |stream| refuse(endpoint, RefusalForm::Message { stream, model: "model-1" }, &refusal()).body;
        check(&format!("{name}.message.json"), &message(false));
        check(&format!("{name}.message.{kind}{}", if array { "-stream" } else { "" }), &message(true));

        let mut answer = AnswerStream::new(endpoint, framing);
        let mut cut = Vec::new();
        let mut editor = Replacing::stopping("well");
        assert_eq!(answer.push(&body, &mut editor, &mut cut), Flow::Stop);
        answer.cut(&refusal(), &mut cut);
        check(&format!("{name}.cut.{kind}"), &cut);
    }
}
