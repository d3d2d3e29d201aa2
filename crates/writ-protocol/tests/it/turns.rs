//! Turns: replaced and removed as a whole.

use serde_json::{Value, json};
use writ_model::Author;
use writ_protocol::{CannotEdit, Edit, Endpoint};

use crate::read_prompt;

fn edited(endpoint: Endpoint, body: &Value, edits: &[Edit]) -> Result<Value, CannotEdit> {
    let bytes = body.to_string().into_bytes();
    let message = read_prompt(endpoint, &bytes);
    message.splice(&bytes, edits).map(|edited| serde_json::from_slice(&edited).unwrap())
}

fn replace(turn: usize) -> Edit {
    Edit::ReplaceTurnText { turn, with: "[removed: clause 4.2]".to_owned() }
}

const GEMINI: Endpoint = Endpoint::GeminiGenerate { stream: false, sse: false };

#[test]
fn a_plain_turn_gets_the_text_as_its_content() {
    let chat = json!({"messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x/y.png"}}]},
        {"role": "user", "content": "b"},
    ]});
    let expected = json!({"messages": [
        {"role": "user", "content": "[removed: clause 4.2]"},
        {"role": "user", "content": "[removed: clause 4.2]"},
    ]});
    assert_eq!(edited(Endpoint::OpenaiChat, &chat, &[replace(0), replace(1)]), Ok(expected));

    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]});
    let expected = json!({"contents": [{"role": "user", "parts": [{"text": "[removed: clause 4.2]"}]}]});
    assert_eq!(edited(GEMINI, &gemini, &[replace(0)]), Ok(expected));

    let responses = json!({"input": "a"});
    assert_eq!(
        edited(Endpoint::OpenaiResponses, &responses, &[replace(0)]),
        Ok(json!({"input": "[removed: clause 4.2]"}))
    );
}

#[test]
fn a_turn_that_others_refer_to_keeps_its_form() {
    let body = json!({"messages": [
        {"role": "assistant", "content": [{"type": "text", "text": "a"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"q": "secret"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "secret"},
            {"type": "text", "text": "b"}]},
    ]});
    let expected = json!({"messages": [
        {"role": "assistant", "content": [{"type": "text", "text": "[removed: clause 4.2]"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "[removed: clause 4.2]"},
            {"type": "text", "text": "[removed: clause 4.2]"}]},
    ]});
    assert_eq!(edited(Endpoint::AnthropicMessages, &body, &[replace(0), replace(1)]), Ok(expected));
    assert_eq!(edited(Endpoint::AnthropicMessages, &body, &[Edit::RemoveTurn { turn: 0 }]), Err(CannotEdit::Linked(0)));

    let gemini = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"name": "f", "response": {"rows": ["secret"]}}}]}]});
    let expected = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"name": "f", "response": {"result": "[removed: clause 4.2]"}}}]}]});
    assert_eq!(edited(GEMINI, &gemini, &[replace(0)]), Ok(expected));

    let responses = json!({"input": [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"q\":\"secret\"}"},
        {"type": "function_call_output", "call_id": "c", "output": "secret"},
    ]});
    let expected = json!({"input": [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "[removed: clause 4.2]"},
    ]});
    assert_eq!(edited(Endpoint::OpenaiResponses, &responses, &[replace(0), replace(1)]), Ok(expected));
}

#[test]
fn a_signed_turn_cannot_be_replaced() {
    let body = json!({"messages": [{"role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm", "signature": "A".repeat(80)}, {"type": "text", "text": "a"}]}]});
    assert_eq!(edited(Endpoint::AnthropicMessages, &body, &[replace(0)]), Err(CannotEdit::Linked(0)));
}

#[test]
fn turns_are_removed_with_their_commas() {
    let body = br#"{"messages": [ {"content":"0"} , {"content":"1"},{"content":"2"} , {"content":"3"} ],"model":"m"}"#;
    let message = read_prompt(Endpoint::OpenaiChat, body);
    assert_eq!(message.turns.len(), 4);
    for mask in 0..15u32 {
        let edits: Vec<Edit> =
            (0..4).filter(|turn| mask & (1 << turn) != 0).map(|turn| Edit::RemoveTurn { turn }).collect();
        let edited: Value = serde_json::from_slice(&message.splice(body, &edits).unwrap()).unwrap();
        let kept: Vec<Value> =
            (0..4u32).filter(|turn| mask & (1 << turn) == 0).map(|turn| json!({"content": turn.to_string()})).collect();
        assert_eq!(edited, json!({"messages": kept, "model": "m"}), "{mask:04b}");
    }
    let all: Vec<Edit> = (0..4).map(|turn| Edit::RemoveTurn { turn }).collect();
    assert_eq!(message.splice(body, &all), Err(CannotEdit::LastTurn(0)));
}

#[test]
fn turns_know_their_author_and_parts() {
    let body = json!({"instructions": "s", "input": [
        {"role": "developer", "content": "a"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "b"}, {"type": "input_text", "text": "c"}]},
        {"type": "function_call", "name": "f", "arguments": "{\"q\":1}"},
        {"type": "function_call_output", "output": "d"},
        "e",
    ]});
    let message = read_prompt(Endpoint::OpenaiResponses, body.to_string().as_bytes());
    let turns: Vec<(Author, usize)> = message.turns.iter().map(|turn| (turn.author, turn.parts.len())).collect();
    let expected =
        [(Author::Developer, 1), (Author::User, 2), (Author::Assistant, 1), (Author::Tool, 1), (Author::User, 1)];
    assert_eq!(turns, expected);
    for (number, turn) in message.turns.iter().enumerate() {
        assert!(message.parts[turn.parts.clone()].iter().all(|part| part.turn == Some(number)));
    }
}
