//! Texts that must stay as they are: none of them holds anything sensitive.

use writ_detect::Pack;
use writ_model::Finding;

const KEY: [u8; 32] = [7; 32];

/// Texts of ordinary work, each with what it is.
const BENIGN: &[(&str, &str)] = &[
    ("git sha", "fix in commit 4111111111111111aabbccddeeff00112233445566"),
    ("git sha", "see 9fceb02d0ae598e95dc970b74767f19372d61af8 and 1234567890123456789012345678901234567890"),
    ("sha256", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("sha256", "image: registry/app@sha256:4929470803772669298fc1c149afbf4c8996fb92427ae41e4649b934ca495991"),
    (
        "sha512",
        r#""integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==","#,
    ),
    ("uuid", "id 123e4567-e89b-12d3-a456-426614174000"),
    ("uuid", r#"{"requestId": "4111-1111", "trace": "41111111-1111-1111-1111-111111111111"}"#),
    (
        "base64 image",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    ),
    ("docs link", "see https://docs.example.com/guide?token_type=bearer&page=AbCdEfGhIjKlMnOpQrStUvWxYz012345"),
    ("isbn", "ISBN 978-3-16-148410-0 and ISBN-10 0-306-40615-2, 9783161484100"),
    ("version like an address", "upgrade to version 10.0.19041.388, agent Chrome/120.0.6099.71"),
    ("version like an address", "FileVersion 4.8.4084.0; build 10.1.2.3; v2.13.4.1"),
    ("order number", "order number 4111111111111112 was shipped"),
    ("order number", "Order 1234567812345678, tracking 9400 1000 0000 0000 0000 00"),
    ("part number", "replace part 734-22-1188 with 734-22-1189"),
    ("part number", "The 734-22-1188 bracket fits all models"),
    ("latency", "p99 latency 415-555-2671 ns, p50 212.555.0187 us"),
    ("latency", "took 1234567890 ns and 5551234567 ns"),
    ("pod", "pod payments-7d4b9c6f5b-x2x9k in payments-prod-6f7d8c9b45"),
    ("public address", "write to support@example.com or security@example.org"),
    ("code", "def f(password: str, token=None):\n    return check(password, self.token)\n"),
    ("code", "const apiKey = process.env.API_KEY;\nlet secret = getSecret('name');\n"),
    ("config", "password: ${DB_PASSWORD}\nsecretName: my-app-credentials\ntoken: <your-token>\n"),
    ("prose", "The patient reader will find that hypertension of style is a matter of taste."),
    ("prose", "Dear Sir or Madam, please send the report by 2024-10-02 at 10:15:30."),
    ("log", "2024-05-01T12:34:56.789Z INFO [main] pid=12345 took 1234.5678 ms id=9876543210"),
    ("numbers", "12 34 56 78 90 12 34 56 78 90 and 3.14159265358979 and 1,234,567,890"),
    ("diff", "@@ -1,4 +1,4 @@\n-1234567890\n+1234567891\n"),
    ("timestamps", "1700000000 1700000000000 1700000000000000000"),
    ("coordinates", "lat 52.520008, lon 13.404954"),
    ("package", "npm install left-pad@1.3.0 @types/node@20.1.1"),
    ("ssh", "git clone git@github.com:acme/repo.git"),
    ("placeholder", "key sk-xxxxxxxxxxxxxxxxxxxxxxxx and AKIAIOSFODNN7EXAMPLE"),
    ("local", "listen on 127.0.0.1:8080 and 0.0.0.0, mask 255.255.255.0"),
    ("workflow", "- name: Install Dependencies\n  run: npm ci\n- name: Set up Python\n"),
];

fn values(text: &str) -> Vec<Finding> {
    let mut findings = Pack::builtin().scan(text, &KEY);
    findings.retain(|finding| finding.class != "source-code");
    findings
}

#[test]
fn ordinary_work_is_left_alone() {
    let hit = |(what, text): &(&str, &str)| {
        let findings = values(text);
        (!findings.is_empty()).then(|| format!("{what}: {text:?}: {findings:?}"))
    };
    let hits: Vec<String> = BENIGN.iter().filter_map(hit).collect();
    assert!(hits.is_empty(), "{}", hits.join("\n"));
}

#[test]
fn the_same_texts_with_one_planted_value_are_found() {
    // Guards the test above against a scanner that finds nothing.
    for (what, text) in BENIGN {
        let planted = format!("{text}\nIBAN: DE89370400440532013000 \n{text}");
        let findings = values(&planted);
        assert_eq!(findings.len(), 1, "{what}: {findings:?}");
        assert_eq!(findings[0].data_type, "IBAN");
    }
}

#[test]
fn prose_is_no_code() {
    let prose = "If you return from the class, import your notes; for each of them, let me know.\n\
                 We import goods, export them, and case by case we try:\n\
                 - first item; with a semicolon\n- second item (in brackets)\n\nRegards\n";
    let findings = Pack::builtin().scan(prose, &KEY);
    assert!(findings.is_empty(), "{findings:?}");
}
