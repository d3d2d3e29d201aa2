"use strict";
// The chat page: holds the conversation, sends it whole each turn, shows answers as they arrive. Texts of models and of
// the organisation become elements one by one (`textContent`), never markup.

(function () {
  // ---- Markdown: text -> tree. No document needed, so that it can be tested anywhere. ----

  const LIST = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
  const HEADING = /^(#{1,6})\s+(.*?)\s*#*\s*$/;
  const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;
  const FENCE = /^\s*```/;
  const QUOTE = /^\s*>\s?/;

  /** Blocks of a text: {kind, inline | items | text, start?}. */
  function blocks(text) {
    const lines = text.replace(/\r\n?/g, "\n").split("\n");
    const found = [];
    let at = 0;
    while (at < lines.length) {
      const line = lines[at];
      const heading = HEADING.exec(line);
      if (!line.trim()) {
        at += 1;
      } else if (FENCE.test(line)) {
        const from = at + 1;
        at = from;
        while (at < lines.length && !FENCE.test(lines[at])) at += 1;
        found.push({ kind: "code", text: lines.slice(from, at).join("\n") });
        at += 1;
      } else if (heading) {
        found.push({ kind: "heading", inline: inline(heading[2]) });
        at += 1;
      } else if (RULE.test(line)) {
        found.push({ kind: "rule" });
        at += 1;
      } else if (QUOTE.test(line)) {
        const from = at;
        while (at < lines.length && QUOTE.test(lines[at])) at += 1;
        const quoted = lines.slice(from, at).map((one) => one.replace(QUOTE, "")).join("\n");
        found.push({ kind: "quote", inline: inline(quoted) });
      } else if (LIST.test(line)) {
        at = list(lines, at, found);
      } else {
        const from = at;
        while (at < lines.length && lines[at].trim() && !starts(lines[at], at > from)) at += 1;
        found.push({ kind: "paragraph", inline: inline(lines.slice(from, at).join("\n")) });
      }
    }
    return found;
  }

  /** Whether a line begins another block in the middle of a paragraph. */
  function starts(line, within) {
    return within && (FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || LIST.test(line) || RULE.test(line));
  }

  function list(lines, at, found) {
    const first = LIST.exec(lines[at]);
    const ordered = /\d/.test(first[2]);
    const items = [];
    while (at < lines.length) {
      const item = LIST.exec(lines[at]);
      if (item && /\d/.test(item[2]) === ordered) {
        items.push(item[3]);
      } else if (items.length && /^\s{2,}\S/.test(lines[at])) {
        items[items.length - 1] += "\n" + lines[at].trim();
      } else {
        break;
      }
      at += 1;
    }
    found.push({ kind: ordered ? "ordered" : "unordered", start: parseInt(first[2], 10) || 1, items: items.map(inline) });
    return at;
  }

  const ESCAPED = /^\\([\\`*_{}[\]()#+\-.!>~|])/;
  const CODE = /^(`+)([\s\S]*?[^`])\1(?!`)/;
  const STRONG = /^(\*\*|__)(?=\S)([\s\S]*?\S)\1/;
  const EMPHASIS = /^(\*|_)(?=\S)([^*_\n]*?\S)\1(?![A-Za-z0-9])/;
  const LINK = /^\[((?:[^[\]\\]|\\.)*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"]*")?\s*\)/;
  const ADDRESS = /^https?:[/][/][^\s<>"'()[\]]+[^\s<>"'()[\].,;:!?]/;
  const PLAIN = /^[^\\`*_[\n]+?(?=https?:|[\\`*_[\n]|$)/;
  const DEPTH = 6;

  /** Pieces of a line: strings, {kind, children | text | href}. */
  function inline(text, depth = 0) {
    const pieces = [];
    const push = (text) => {
      if (typeof pieces[pieces.length - 1] === "string") pieces[pieces.length - 1] += text;
      else pieces.push(text);
    };
    let rest = text;
    let before = "";
    while (rest) {
      const wordBefore = /[A-Za-z0-9]/.test(before);
      let match;
      if ((match = ESCAPED.exec(rest))) {
        push(match[1]);
      } else if ((match = CODE.exec(rest))) {
        pieces.push({ kind: "code", text: match[2].trim() });
      } else if (depth < DEPTH && (match = STRONG.exec(rest))) {
        pieces.push({ kind: "strong", children: inline(match[2], depth + 1) });
      } else if (depth < DEPTH && !wordBefore && (match = EMPHASIS.exec(rest))) {
        pieces.push({ kind: "emphasis", children: inline(match[2], depth + 1) });
      } else if (depth < DEPTH && (match = LINK.exec(rest))) {
        pieces.push({ kind: "link", href: match[2], children: inline(match[1], DEPTH) });
      } else if (depth < DEPTH && (match = ADDRESS.exec(rest))) {
        pieces.push({ kind: "link", href: match[0], children: [match[0]] });
      } else {
        match = PLAIN.exec(rest);
        push(match ? match[0] : rest[0]);
      }
      const taken = match ? match[0].length : 1;
      before = rest[taken - 1];
      rest = rest.slice(taken);
    }
    return pieces;
  }

  /** The address that a link may open: http or https, on loopback or a named host. Anything else is shown as text. */
  function safeAddress(href, hosts) {
    let url;
    try {
      url = new URL(href);
    } catch {
      return null;
    }
    if (!["http:", "https:"].includes(url.protocol) || url.username || url.password) return null;
    const name = url.hostname;
    const loopback = name === "localhost" || name === "[::1]" || /^127(\.\d{1,3}){3}$/.test(name);
    return loopback || hosts.includes(name) || hosts.includes(url.host) ? url.href : null;
  }

  // ---- Who says it: the model, or the organisation in its place or in front of it. ----

  const MARK = /\s*\[writ [0-9A-Z]{4}-[0-9A-Z]{2} [0-9a-f]{16,}\]/;
  const OPENINGS = [
    "Your message was not sent", "Ihre Nachricht wurde nicht gesendet", "Deine Nachricht wurde nicht gesendet",
    "Votre message n’a pas été envoyé", "Votre message n'a pas été envoyé", "Su mensaje no se ha enviado",
    "Su mensaje no se envió", "Tu mensaje no se ha enviado",
  ];

  /** Splits a text into what the organisation wrote (without its mark) and what the model wrote. */
  function voices(text, stopped, openings) {
    const mark = MARK.exec(text);
    if (mark) {
      const after = text.slice(mark.index + mark[0].length);
      return { office: text.slice(0, mark.index), model: after.replace(/^\s+/, ""), complete: true };
    }
    const bare = text.replace(/^[\s*#_>]+/, "");
    if (stopped || OPENINGS.concat(openings).some((opening) => bare.startsWith(opening))) {
      return { office: text, model: "", complete: false };
    }
    return { office: "", model: text, complete: false };
  }

  /** The events of a stream in the format of OpenAI chat completions: text so far, and an error if one came. */
  function reader() {
    let rest = "";
    return {
      text: "",
      error: null,
      take(piece) {
        rest += piece;
        const lines = rest.split(/\r?\n/);
        rest = lines.pop();
        for (const line of lines) this.line(line);
      },
      line(line) {
        const data = line.startsWith("data:") ? line.slice(5).trim() : "";
        if (!data || data === "[DONE]") return;
        let event;
        try {
          event = JSON.parse(data);
        } catch {
          this.error = { message: "" };
          return;
        }
        if (event.error) this.error = event.error;
        const choice = event.choices && event.choices[0];
        if (choice && choice.delta && typeof choice.delta.content === "string") this.text += choice.delta.content;
      },
      end() {
        this.take("\n");
      },
    };
  }

  /** The message of an error document, whichever service wrote it. */
  function errorMessage(body) {
    let document;
    try {
      document = JSON.parse(body);
    } catch {
      return body.trim().startsWith("<") ? "" : body.trim().slice(0, 600);
    }
    const error = document.error || document;
    if (typeof error === "string") return error;
    return error.message || error.detail || error.title || document.message || "";
  }

  /** The text that a link brings along: `#text=…`. */
  function fragmentText(hash) {
    const match = /^#(?:.*&)?text=([^&]*)/.exec(hash);
    if (!match) return null;
    try {
      return decodeURIComponent(match[1].replace(/\+/g, "%20"));
    } catch {
      return null;
    }
  }

  if (typeof document === "undefined") {
    module.exports = { blocks, inline, safeAddress, voices, reader, errorMessage, fragmentText };
    return;
  }

  // ---- Words ----

  const WORDS = {
    en: {
      skip: "Skip to the message box", tools: "Tools", person: "You are", language: "Language", fresh: "New chat",
      hello: "What can I help with?", simulated: "This service is simulated. Nothing leaves this computer.",
      message: "Message", send: "Send", stop: "Stop", hint: "Enter sends, Shift and Enter begins a new line.",
      placeholder: "Message to NAME", log: "Conversation", you: "You", office: "ORG, not NAME",
      officePlain: "Your organisation, not NAME", again: "Send again", edit: "Edit", fault: "No answer",
      status: "Status", cut: "The answer broke off.", unreachable: "This page cannot reach its server any more.",
      stopped: "Stopped.", answered: "Answer complete.", code: "Code", thinking: "NAME is answering",
    },
    de: {
      skip: "Zum Eingabefeld", tools: "Werkzeuge", person: "Sie sind", language: "Sprache", fresh: "Neuer Chat",
      hello: "Wobei kann ich helfen?", simulated: "Dieser Dienst ist simuliert. Nichts verlässt diesen Computer.",
      message: "Nachricht", send: "Senden", stop: "Anhalten",
      hint: "Eingabetaste sendet, Umschalt und Eingabetaste beginnt eine neue Zeile.",
      placeholder: "Nachricht an NAME", log: "Gespräch", you: "Sie", office: "ORG, nicht NAME",
      officePlain: "Ihre Organisation, nicht NAME", again: "Noch einmal senden", edit: "Bearbeiten",
      fault: "Keine Antwort", status: "Status", cut: "Die Antwort brach ab.",
      unreachable: "Diese Seite erreicht ihren Server nicht mehr.", stopped: "Angehalten.",
      answered: "Antwort vollständig.", code: "Code", thinking: "NAME antwortet",
    },
    fr: {
      skip: "Aller au champ de saisie", tools: "Outils", person: "Vous êtes", language: "Langue",
      fresh: "Nouvelle discussion", hello: "Comment puis-je aider ?",
      simulated: "Ce service est simulé. Rien ne quitte cet ordinateur.", message: "Message", send: "Envoyer",
      stop: "Arrêter", hint: "Entrée envoie, Maj et Entrée commence une nouvelle ligne.",
      placeholder: "Message à NAME", log: "Conversation", you: "Vous", office: "ORG, pas NAME",
      officePlain: "Votre organisation, pas NAME", again: "Envoyer à nouveau", edit: "Modifier",
      fault: "Pas de réponse", status: "État", cut: "La réponse s’est interrompue.",
      unreachable: "Cette page ne joint plus son serveur.", stopped: "Arrêté.", answered: "Réponse complète.",
      code: "Code", thinking: "NAME répond",
    },
    es: {
      skip: "Ir al cuadro de mensaje", tools: "Herramientas", person: "Usted es", language: "Idioma",
      fresh: "Nuevo chat", hello: "¿En qué puedo ayudar?",
      simulated: "Este servicio es simulado. Nada sale de este ordenador.", message: "Mensaje", send: "Enviar",
      stop: "Detener", hint: "Intro envía, Mayús e Intro empieza una línea nueva.", placeholder: "Mensaje a NAME",
      log: "Conversación", you: "Usted", office: "ORG, no NAME", officePlain: "Su organización, no NAME",
      again: "Enviar de nuevo", edit: "Editar", fault: "Sin respuesta", status: "Estado",
      cut: "La respuesta se interrumpió.", unreachable: "Esta página ya no alcanza su servidor.",
      stopped: "Detenido.", answered: "Respuesta completa.", code: "Código", thinking: "NAME responde",
    },
  };

  // ---- The page ----

  const config = JSON.parse(document.querySelector("meta[name=chat-config]").content);
  const find = (id) => document.getElementById(id);
  const log = find("log");
  const box = find("box");
  const status = find("status");
  const kept = storage();
  // The conversation: {role, content, turn, stopped, of}. `of` ties an answer to the message that it answers.
  let conversation = [];
  // A stopped message that is being written anew: it is left out once the new one is sent.
  let editing = null;
  let sending = null;
  // Whether the log follows what comes in: until somebody scrolls up.
  let following = true;

  function storage() {
    try {
      window.sessionStorage.getItem("chat");
      return window.sessionStorage;
    } catch {
      return { getItem: () => null, setItem: () => {} };
    }
  }

  function language() {
    const chosen = config.languages.length ? find("language").value : navigator.language.slice(0, 2);
    return WORDS[chosen] ? chosen : "en";
  }

  function word(name) {
    return WORDS[language()][name].replace("NAME", config.service).replace("ORG", config.organisation);
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function translate() {
    document.documentElement.lang = language();
    for (const place of document.querySelectorAll("[data-text]")) place.textContent = word(place.dataset.text);
    box.placeholder = word("placeholder");
    log.setAttribute("aria-label", word("log"));
  }

  /** Markdown as elements. */
  function render(place, text) {
    place.replaceChildren(...blocks(text).map(block));
  }

  function block(one) {
    const leaf = (name) => append(element(name), one.inline);
    switch (one.kind) {
      case "heading": return leaf("h3");
      case "quote": return leaf("blockquote");
      case "rule": return element("hr");
      case "code": {
        const pre = element("pre");
        pre.append(element("code", "", one.text));
        pre.tabIndex = 0;
        return pre;
      }
      case "ordered":
      case "unordered": {
        const made = element(one.kind === "ordered" ? "ol" : "ul");
        if (one.kind === "ordered" && one.start !== 1) made.start = one.start;
        made.append(...one.items.map((item) => append(element("li"), item)));
        return made;
      }
      default: return leaf("p");
    }
  }

  function append(place, pieces) {
    for (const piece of pieces) {
      if (typeof piece === "string") {
        piece.split("\n").forEach((line, index) => {
          if (index) place.append(element("br"));
          place.append(line);
        });
      } else if (piece.kind === "code") {
        place.append(element("code", "", piece.text));
      } else if (piece.kind === "link") {
        link(place, piece);
      } else {
        place.append(append(element(piece.kind === "strong" ? "strong" : "em"), piece.children));
      }
    }
    return place;
  }

  function link(place, piece) {
    const address = safeAddress(piece.href, config.linkHosts);
    if (!address) {
      append(place, piece.children);
      if (piece.children.join("") !== piece.href) place.append(" ", element("span", "address", "(" + piece.href + ")"));
      return;
    }
    const made = append(element("a"), piece.children);
    made.href = address;
    made.target = "_blank";
    made.rel = "noopener noreferrer";
    place.append(made);
  }

  const OFFICE = "M10 2.5 16.5 5v4.5c0 4-2.7 6.7-6.5 8-3.8-1.3-6.5-4-6.5-8V5z";
  const FAULT = "M10 6.5v4M10 13.6v.1M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 1 0 0-15z";

  function icon(shape) {
    const space = "http:" + "//www.w3.org/2000/svg";
    const made = document.createElementNS(space, "svg");
    made.setAttribute("viewBox", "0 0 20 20");
    made.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", shape);
    made.append(path);
    return made;
  }

  function panel(from, kind) {
    const made = element("section", kind ? "panel " + kind : "panel");
    made.setAttribute("aria-label", from);
    const head = element("p", "from");
    head.append(icon(kind ? FAULT : OFFICE), from);
    made.append(head);
    return made;
  }

  function officePanel(text) {
    const made = panel(config.organisation ? word("office") : word("officePlain"));
    const place = element("div", "text");
    render(place, text.trim());
    made.append(place);
    return made;
  }

  function turn(kind, who) {
    const made = element("article", "turn " + kind);
    const content = element("div", "content");
    if (kind === "person") {
      content.append(element("span", "unseen", who + ": "));
    } else {
      const glyph = element("span", "glyph", config.service.slice(0, 1).toUpperCase());
      glyph.setAttribute("aria-hidden", "true");
      made.append(glyph);
    }
    made.append(content);
    log.append(made);
    find("empty").hidden = true;
    return { made, content };
  }

  function atEnd() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  }

  function toEnd() {
    log.scrollTop = log.scrollHeight;
  }

  /** Shows the end of an answer, or its beginning where it is taller than the window. */
  function toAnswer(made) {
    toEnd();
    const above = log.getBoundingClientRect().top - made.getBoundingClientRect().top;
    if (above > 0) log.scrollTop -= above + 12;
  }

  /** Shows an answer as far as it is known. */
  function show(answer, state) {
    const said = voices(state.text, state.stopped, config.openings);
    const parts = [];
    if (state.note && !said.office) parts.push(officePanel(state.note));
    if (said.office) parts.push(officePanel(said.office));
    if (said.model) {
      const place = element("div", "text");
      render(place, said.model);
      parts.push(place);
    }
    if (!parts.length || (state.note && !state.text && !state.done)) parts.push(waiting());
    answer.content.replaceChildren(...parts);
    answer.made.classList.toggle("office", Boolean(said.office && !said.model));
    if (following) toEnd();
    return Boolean(said.office && !said.model);
  }

  function waiting() {
    const made = element("span", "waiting");
    made.append(element("i"), element("i"), element("i"), element("span", "unseen", word("thinking")));
    return made;
  }

  /** Shows that there is no answer, and why. */
  function fault(answer, title, message, reference) {
    const made = panel(title, "fault");
    const place = element("div", "text");
    render(place, message);
    made.append(place);
    if (reference) made.append(element("p", "code", word("code") + " " + reference));
    answer.made.classList.add("broken");
    answer.content.append(made);
    const still = answer.content.querySelector(".waiting");
    if (still) still.remove();
  }

  /** "Send again" and "Edit" under a message that got no answer of the service. */
  function offer(answer, asked) {
    const row = element("div", "actions");
    const again = element("button", "first", word("again"));
    const edit = element("button", "", word("edit"));
    again.type = edit.type = "button";
    again.addEventListener("click", () => {
      if (sending) return;
      leaveOut(asked);
      send(asked.content);
    });
    edit.addEventListener("click", () => {
      editing = asked;
      fill(asked.content);
    });
    row.append(again, edit);
    (answer.content.querySelector(".panel:last-of-type") || answer.content).append(row);
  }

  /** Takes a message that was not answered, and what stands in the answer's place, out of what is sent on. */
  function leaveOut(asked) {
    for (const entry of conversation.filter((entry) => entry === asked || entry.of === asked)) {
      entry.turn.classList.add("past");
    }
    conversation = conversation.filter((entry) => entry !== asked && entry.of !== asked);
  }

  function fill(text) {
    box.value = text;
    grow();
    box.focus();
    box.setSelectionRange(text.length, text.length);
  }

  function grow() {
    box.style.height = "auto";
    box.style.height = Math.min(box.scrollHeight + 2, window.innerHeight * 0.4) + "px";
    find("send").setAttribute("aria-disabled", String(!box.value.trim() && !sending));
  }

  function busy(now) {
    log.setAttribute("aria-busy", String(Boolean(now)));
    find("send").hidden = Boolean(now);
    find("stop").hidden = !now;
    grow();
  }

  async function send(text) {
    const mine = turn("person", word("you"));
    mine.content.append(text);
    const asked = { role: "user", content: text, turn: mine.made };
    conversation.push(asked);
    const answer = turn("model", config.service);
    answer.content.append(waiting());
    following = true;
    toEnd();
    sending = new AbortController();
    busy(true);
    status.textContent = word("thinking");
    const state = { text: "", stopped: false, note: "", done: false };
    let end = word("answered");
    try {
      end = await exchange(asked, answer, state);
    } catch (error) {
      const cancelled = error && error.name === "AbortError";
      show(answer, { ...state, done: true });
      fault(answer, word("fault"), cancelled ? word("stopped") : state.text ? word("cut") : word("unreachable"));
      offer(answer, asked);
      end = cancelled ? word("stopped") : word("fault");
    }
    if (state.text) conversation.push({ role: "assistant", content: state.text, turn: answer.made, of: asked });
    sending = null;
    busy(false);
    status.textContent = end;
    if (following) toAnswer(answer.made);
    box.focus();
  }

  async function exchange(asked, answer, state) {
    const messages = conversation.map(({ role, content }) => ({ role, content }));
    const headers = { "content-type": "application/json", accept: "text/event-stream", "accept-language": language() };
    if (config.people.length) headers["x-chat-person"] = find("person").value;
    const body = JSON.stringify({ model: config.model, messages, stream: true });
    const response = await fetch(config.endpoint, { method: "POST", headers, body, signal: sending.signal });
    const reference = response.headers.get("writ-reference");
    state.note = response.headers.get("writ-note") || "";
    state.stopped = Boolean(reference);
    if (!response.ok) return refused(asked, answer, response, reference);
    const came = reader();
    if ((response.headers.get("content-type") || "").startsWith("text/event-stream")) {
      await stream(response, came, answer, state);
    } else {
      const whole = await response.json();
      came.error = whole.error || null;
      const choice = whole.choices && whole.choices[0];
      came.text = (choice && choice.message && choice.message.content) || "";
    }
    state.text = came.text;
    state.done = true;
    const stopped = show(answer, state);
    if (came.error) {
      fault(answer, word("fault"), came.error.message || word("cut"), reference);
      offer(answer, asked);
      return word("fault");
    }
    if (stopped) offer(answer, asked);
    return stopped ? answer.content.querySelector(".text").textContent.slice(0, 80) : word("answered");
  }

  async function refused(asked, answer, response, reference) {
    const message = errorMessage(await response.text());
    const title = word("fault") + " (" + word("status") + " " + response.status + ")";
    answer.content.replaceChildren();
    if (reference && message) {
      answer.content.append(officePanel(message));
      answer.made.classList.add("office");
    } else {
      fault(answer, title, message || title, reference);
    }
    offer(answer, asked);
    return message || title;
  }

  async function stream(response, came, answer, state) {
    const pieces = response.body.getReader();
    const decoder = new TextDecoder();
    let due = false;
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) break;
      came.take(decoder.decode(value, { stream: true }));
      state.text = came.text;
      if (!due) {
        due = true;
        requestAnimationFrame(() => {
          due = false;
          if (!state.done) show(answer, state);
        });
      }
    }
    came.take(decoder.decode());
    came.end();
  }

  function choices(id, options, name) {
    const select = find(id);
    find(id + "-label").hidden = options.length < 2;
    for (const { value, text } of options) {
      const made = element("option", "", text);
      made.value = value;
      select.append(made);
    }
    const last = kept.getItem(name);
    if (options.some(({ value }) => value === last)) select.value = last;
    select.addEventListener("change", () => kept.setItem(name, select.value));
  }

  function takeFragment() {
    const text = fragmentText(location.hash);
    if (text === null) return;
    // The text must not stay in the address, where it would be kept in the browser's history.
    history.replaceState(null, "", location.pathname + location.search);
    fill(text);
  }

  function begin() {
    const role = (person) => (person.role ? person.name + ", " + person.role : person.name);
    choices("person", config.people.map((person) => ({ value: person.login, text: role(person) })), "chat-person");
    choices("language", config.languages.map(({ tag, name }) => ({ value: tag, text: name })), "chat-language");
    find("back").hidden = !config.home;
    find("language").addEventListener("change", translate);
    find("person").addEventListener("change", fresh);
    find("fresh").addEventListener("click", fresh);
    find("stop").addEventListener("click", () => sending && sending.abort());
    find("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
    });
    box.addEventListener("input", grow);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        submit();
      }
    });
    window.addEventListener("hashchange", takeFragment);
    for (const kind of ["wheel", "touchmove", "keydown"]) {
      log.addEventListener(kind, () => requestAnimationFrame(() => (following = atEnd())), { passive: true });
    }
    translate();
    grow();
    takeFragment();
    box.focus();
  }

  /** Another person, or the same one anew: nothing of the conversation before goes along. */
  function fresh() {
    if (sending) sending.abort();
    conversation = [];
    editing = null;
    log.replaceChildren();
    find("empty").hidden = false;
    box.focus();
  }

  function submit() {
    const text = box.value.trim();
    if (!text || sending) return;
    if (editing) leaveOut(editing);
    editing = null;
    box.value = "";
    grow();
    send(text);
  }

  begin();
})();
