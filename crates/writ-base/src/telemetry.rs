//! Typed telemetry: every metric is declared once, as an enum variant, with its name, unit and help text.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($variant:ident = $name:literal: $help:literal;)+) => {
        /// A number that only grows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Counter {
            $(#[doc = $help] $variant,)+
        }

        impl Counter {
            /// All counters, in the order of the metrics page.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in Prometheus' style.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it counts.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),+ }
            }
        }
    };
}

counters! {
    Interactions = "writ_interactions_total": "Interactions that reached a verdict.";
    Allowed = "writ_allowed_total": "Interactions let through without a note.";
    Coached = "writ_coached_total": "Interactions let through with a note.";
    Redacted = "writ_redacted_total": "Interactions let through with details replaced by placeholders.";
    AskedForReason = "writ_justify_total": "Interactions stopped until a reason is given.";
    Blocked = "writ_blocked_total": "Interactions stopped.";
    Unreadable = "writ_unreadable_total": "Interactions with content that could not be read.";
    Panics = "writ_panics_total": "Panics caught; each refused one interaction.";
    LedgerFailures = "writ_ledger_failures_total": "Entries that could not be written.";
    ReloadsRefused = "writ_reloads_refused_total": "Configurations or policies refused; the last good one stays.";
    BytesInspected = "writ_bytes_inspected_total": "Bytes of request and answer bodies that were read.";
    UpstreamFailures = "writ_upstream_failures_total": "Requests that the AI service did not answer.";
    Tunnels = "writ_tunnels_total": "Connections to AI services that were passed on unopened, after a verdict.";
    SplicedOther = "writ_spliced_other_total": "Connections to other hosts that were passed on unopened.";
    SplicedOtherBytes = "writ_spliced_other_bytes_total": "Bytes of these connections, both directions together.";
    PlainOther = "writ_plain_other_total": "Plain HTTP requests to other hosts that were passed on unread.";
    Intercepted = "writ_intercepted_total": "Connections that were opened.";
    HeadOnly = "writ_head_only_total": "Requests of which only the head was touched.";
    CallersRefused = "writ_callers_refused_total": "Requests to the proxy without valid credentials.";
    NamesDisagree = "writ_names_disagree_total": "Connections and requests whose names disagree.";
    NameHidden = "writ_name_hidden_total": "Connections whose name could not be seen.";
    HellosLate = "writ_client_hello_late_total": "Connections on which no ClientHello came in time.";
    HellosMalformed = "writ_client_hello_malformed_total": "Connections with a broken ClientHello.";
    HandshakesRejected = "writ_handshakes_rejected_total": "Handshakes that the client ended with an alert: it does not trust the certificate, or pins another.";
    HandshakesBroken = "writ_handshakes_broken_total": "Handshakes that broke off or took too long.";
    HandshakesIncompatible = "writ_handshakes_incompatible_total": "Handshakes without a common version, cipher or protocol.";
    NoLeaf = "writ_no_leaf_total": "Hosts that should be opened and have no certificate here; run `writ ca extend`.";
}

static VALUES: [AtomicU64; Counter::ALL.len()] = [const { AtomicU64::new(0) }; Counter::ALL.len()];

impl Counter {
    /// Adds one.
    pub fn increment(self) {
        self.add(1);
    }

    /// Adds `amount`.
    pub fn add(self, amount: u64) {
        if let Some(value) = VALUES.get(self as usize) {
            value.fetch_add(amount, Ordering::Relaxed);
        }
    }

    /// The value since the start.
    pub fn value(self) -> u64 {
        VALUES.get(self as usize).map_or(0, |value| value.load(Ordering::Relaxed))
    }
}

/// All counters, broken invariants and the given limits in Prometheus' text format.
pub fn render(limits: &[&crate::Limit]) -> String {
    let mut page = String::new();
    for counter in Counter::ALL {
        let (name, help) = (counter.name(), counter.help());
        let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {}", counter.value());
    }
    page.push_str("# HELP writ_invariant_broken_total Times that an invariant was seen broken.\n");
    page.push_str("# TYPE writ_invariant_broken_total counter\n");
    for invariant in crate::InvariantId::ALL {
        let _ = writeln!(page, "writ_invariant_broken_total{{id=\"{}\"}} {}", invariant.id(), invariant.broken());
    }
    page.push_str("# HELP writ_limit_reached_total Times that a named limit was reached.\n");
    page.push_str("# TYPE writ_limit_reached_total counter\n");
    for limit in limits {
        let _ = writeln!(page, "writ_limit_reached_total{{limit=\"{}\"}} {}", limit.name(), limit.hits());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_every_counter_once() {
        let page = render(&[]);
        for counter in Counter::ALL {
            assert_eq!(page.lines().filter(|l| l.starts_with(&format!("{} ", counter.name()))).count(), 1);
        }
    }
}
