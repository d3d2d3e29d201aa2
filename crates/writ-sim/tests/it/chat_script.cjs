// What the chat page's script does without a document: texts to trees, links, voices, streams. Run by `chat.rs`.
"use strict";
const assert = require("node:assert");
const chat = require(require("node:path").resolve(process.argv[2]));

const tests = {
  "blocks are told apart"() {
    const kinds = chat.blocks("# Head\n\ntext **bold** and `code`\nsecond line\n\n1. one\n2. two\n\n- a\n- b\n  more\n\n> said\n\n```\n<b>&\n```\n\n---").map(({ kind }) => kind);
    assert.deepStrictEqual(kinds, ["heading", "paragraph", "ordered", "unordered", "quote", "code", "rule"]);
    assert.deepStrictEqual(chat.blocks("3. x\n4. y")[0], { kind: "ordered", start: 3, items: [["x"], ["y"]] });
    assert.deepStrictEqual(chat.blocks("```\n<script>")[0], { kind: "code", text: "<script>" });
  },
  "emphasis and code nest and do not run away"() {
    assert.deepStrictEqual(chat.inline("a **b *c* d** e"), [
      "a ", { kind: "strong", children: ["b ", { kind: "emphasis", children: ["c"] }, " d"] }, " e",
    ]);
    assert.deepStrictEqual(chat.inline("snake_case_name 2 * 3 * 4 `**x**`"), ["snake_case_name 2 * 3 * 4 ", { kind: "code", text: "**x**" }]);
    assert.deepStrictEqual(chat.inline("[CARD-7F3A] **open"), ["[CARD-7F3A] **open"]);
    assert.deepStrictEqual(chat.inline("\\*not\\*"), ["*not*"]);
  },
  "links open loopback and named hosts over http only"() {
    const [link] = chat.inline("[Send it](http://127.0.0.1:8080/r/7F3K-29?k=a_b#text=x%20y)");
    assert.deepStrictEqual(link, { kind: "link", href: "http://127.0.0.1:8080/r/7F3K-29?k=a_b#text=x%20y", children: ["Send it"] });
    const open = (href) => chat.safeAddress(href, ["ai.northwind.example"]);
    for (const good of ["http://127.0.0.1:8080/r/1", "http://localhost:1/", "http://[::1]:80/x", "https://ai.northwind.example/r/1"]) {
      assert.ok(open(good), good);
    }
    for (const bad of [
      "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "//evil.example", "/relative", "vbscript:x", "file:///etc/passwd",
      "https://evil.example/", "http://127.0.0.1.evil.example/", "http://127.0.0.1@evil.example/", "http://user@127.0.0.1/",
      "https://ai.northwind.example.evil.example/", "http://localhost.evil.example/", "http:evil.example", "ftp://127.0.0.1/",
    ]) {
      assert.strictEqual(open(bad), null, bad);
    }
  },
  "the organisation is told from the model"() {
    const mark = "[writ 7F3K-29 0123456789abcdef]";
    assert.deepStrictEqual(chat.voices("**Your message was not sent.** Why.\n\n" + mark, false, []), { office: "**Your message was not sent.** Why.", model: "", complete: true });
    assert.deepStrictEqual(chat.voices("**Note from us.** " + mark + "\n\nThe answer.", false, []), { office: "**Note from us.**", model: "The answer.", complete: true });
    assert.strictEqual(chat.voices("**Ihre Nachricht wurde nicht gesendet.", false, []).office, "**Ihre Nachricht wurde nicht gesendet.");
    assert.strictEqual(chat.voices("Nope: x", false, ["Nope"]).office, "Nope: x");
    assert.strictEqual(chat.voices("anything", true, []).office, "anything");
    assert.deepStrictEqual(chat.voices("Your ideas are fine.", false, []), { office: "", model: "Your ideas are fine.", complete: false });
  },
  "streams come in any pieces"() {
    const body = 'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\ndata: {"choices":[{"delta":{"content":"Zü"}}]}\r\n\r\n: comment\ndata: {"choices":[{"delta":{"content":"rich"}}]}\n\ndata: {"choices":[],"usage":{}}\n\ndata: [DONE]\n\n';
    for (let size = 1; size < 40; size += 1) {
      const reader = chat.reader();
      for (let at = 0; at < body.length; at += size) reader.take(body.slice(at, at + size));
      reader.end();
      assert.strictEqual(reader.text, "Zürich");
      assert.strictEqual(reader.error, null);
    }
    const broken = chat.reader();
    broken.take('data: {"error":{"message":"writ: not sent"}}\n\n');
    assert.strictEqual(broken.error.message, "writ: not sent");
    broken.take("data: {broken\n");
    assert.strictEqual(broken.error.message, "");
  },
  "error documents have a message, pages have none"() {
    assert.strictEqual(chat.errorMessage('{"error":{"message":"a"}}'), "a");
    assert.strictEqual(chat.errorMessage('{"error":"b"}'), "b");
    assert.strictEqual(chat.errorMessage('{"title":"c"}'), "c");
    assert.strictEqual(chat.errorMessage("<!doctype html><p>x"), "");
    assert.strictEqual(chat.errorMessage("plain words"), "plain words");
  },
  "a text comes along in the fragment"() {
    assert.strictEqual(chat.fragmentText("#text=Z%C3%BCrich%0Aa+b%26c"), "Zürich\na b&c");
    assert.strictEqual(chat.fragmentText("#a=b&text=x"), "x");
    assert.strictEqual(chat.fragmentText("#text=%ZZ"), null);
    assert.strictEqual(chat.fragmentText("#other"), null);
  },
};

for (const [name, test] of Object.entries(tests)) {
  try {
    test();
  } catch (error) {
    console.error(name + ": " + error.stack);
    process.exit(1);
  }
}
console.log(Object.keys(tests).length + " tests passed");
