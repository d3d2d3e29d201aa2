//! The requests of the loads. No two are alike, so that nothing is known from an earlier one unless a load says so.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::words::{Numbers, listing, sentences, word};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// A question of 0.5 KB, answered by a document.
    Prompt,
    /// A conversation of 8 KB, answered by 400 events.
    Chat,
    /// An agent's conversation of 300 KB with 40 tools of which nothing was seen before, answered by so many events.
    AgentNew(usize),
    /// The same conversation a turn later: 315 KB, of which 95 % were seen before.
    AgentSeen(usize),
}

impl Load {
    /// What tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt, 0.5 KB",
            Self::Chat => "chat, 8 KB, 400 events",
            Self::AgentNew(0) => "agent, 300 KB new, no events",
            Self::AgentNew(_) => "agent, 300 KB new, 2000 events",
            Self::AgentSeen(0) => "agent, 315 KB, 95 % seen, no events",
            Self::AgentSeen(_) => "agent, 315 KB, 95 % seen, 2000 events",
        }
    }

    /// How it is chosen on the command line.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Chat => "chat",
            Self::AgentNew(_) | Self::AgentSeen(_) => "agent",
        }
    }

    /// Events of the answer.
    pub const fn events(self) -> usize {
        match self {
            Self::Prompt => 0,
            Self::Chat => 400,
            Self::AgentNew(events) | Self::AgentSeen(events) => events,
        }
    }

    /// Connections that send at the same time where CPU and throughput are measured.
    pub const fn connections(self) -> usize {
        match self {
            Self::Prompt => 16,
            Self::Chat => 8,
            Self::AgentNew(_) | Self::AgentSeen(_) => 4,
        }
    }

    /// The body of a request; the same number is the same conversation.
    pub fn body(self, number: u64) -> Bytes {
        let (messages, tools) = match self {
            Self::Prompt => (prompt(number), Vec::new()),
            Self::Chat => (chat(number), Vec::new()),
            Self::AgentNew(_) => (agent(number, EXCHANGES), tools(number)),
            Self::AgentSeen(_) => (agent(number, EXCHANGES + NEW_EXCHANGES), tools(number)),
        };
        let events = self.events();
        let mut body = json!({"model": format!("bench-{events}"), "messages": messages});
        if let Some(members) = body.as_object_mut() {
            if events > 0 {
                members.insert("stream".into(), true.into());
            }
            if !tools.is_empty() {
                members.insert("tools".into(), tools.into());
            }
        }
        Bytes::from(body.to_string())
    }
}

/// Calls of tools, each with its result, in an agent's first turn, and more of them in the next one.
const EXCHANGES: usize = 36;
const NEW_EXCHANGES: usize = 2;
const TOOLS: usize = 40;

fn message(role: &str, content: String) -> Value {
    json!({"role": role, "content": content})
}

fn prompt(number: u64) -> Vec<Value> {
    let mut numbers = Numbers::new(number);
    vec![message("system", "You are a helpful assistant.".into()), message("user", sentences(&mut numbers, 350))]
}

fn chat(number: u64) -> Vec<Value> {
    let mut numbers = Numbers::new(number);
    let mut messages = vec![message("system", sentences(&mut numbers, 800))];
    for turn in 0..11 {
        let role = if turn % 2 == 0 { "user" } else { "assistant" };
        messages.push(message(role, sentences(&mut numbers, 590)));
    }
    messages
}

fn agent(number: u64, exchanges: usize) -> Vec<Value> {
    let mut numbers = Numbers::new(number);
    let mut messages =
        vec![message("system", sentences(&mut numbers, 4000)), message("user", sentences(&mut numbers, 500))];
    for exchange in 0..exchanges {
        let id = format!("call_{exchange}");
        let arguments = json!({"path": word(&mut numbers), "query": sentences(&mut numbers, 60)}).to_string();
        let name = format!("tool_{}", exchange % TOOLS);
        messages.push(json!({
            "role": "assistant",
            "content": sentences(&mut numbers, 200),
            "tool_calls": [{"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}],
        }));
        let mut result = listing(&mut numbers, 4000);
        result.push_str(&sentences(&mut numbers, 2000));
        messages.push(json!({"role": "tool", "tool_call_id": id, "content": result}));
    }
    messages
}

fn tools(number: u64) -> Vec<Value> {
    let mut numbers = Numbers::new(!number);
    let tool = |place: usize| {
        let mut properties = serde_json::Map::new();
        for property in 0..6 {
            let mut name = String::from(word(&mut numbers));
            let _ = write!(name, "_{property}");
            properties.insert(name, json!({"type": "string", "description": sentences(&mut numbers, 90)}));
        }
        json!({"type": "function", "function": {
            "name": format!("tool_{place}"),
            "description": sentences(&mut numbers, 250),
            "parameters": {"type": "object", "properties": properties},
        }})
    };
    (0..TOOLS).map(tool).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kilobytes(load: Load) -> f64 {
        load.body(1).len() as f64 / 1000.0
    }

    #[test]
    fn loads_have_the_sizes_that_their_names_say() {
        assert!((0.46..0.56).contains(&kilobytes(Load::Prompt)), "{}", kilobytes(Load::Prompt));
        assert!((7.5..8.5).contains(&kilobytes(Load::Chat)), "{}", kilobytes(Load::Chat));
        let (new, seen) = (kilobytes(Load::AgentNew(0)), kilobytes(Load::AgentSeen(0)));
        assert!((294.0..306.0).contains(&new), "{new}");
        assert!((0.94..0.96).contains(&(new / seen)), "{new} of {seen}");
    }

    #[test]
    fn a_turn_repeats_the_one_before_it_and_no_other() {
        let before = Load::AgentNew(0).body(3);
        let after = Load::AgentSeen(0).body(3);
        let history = before.split(|byte| *byte == b'{').take(60).collect::<Vec<_>>();
        assert_eq!(history, after.split(|byte| *byte == b'{').take(60).collect::<Vec<_>>());
        assert_ne!(before, Load::AgentNew(0).body(4));
    }
}
