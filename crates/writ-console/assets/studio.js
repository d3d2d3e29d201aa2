// The studio's script: diagnostics beside the line while somebody types, answers while they change a situation. Both ask
// for the page again and take its fresh parts, so that everything is rendered in one place and works without this file.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);

  // Asks for a page, one question at a time: an answer that was overtaken is dropped.
  const asker = (failed) => {
    let running = null;
    return async (address, options) => {
      if (running) running.abort();
      const own = running = new AbortController();
      try {
        const answer = await fetch(address, { ...options, signal: own.signal, headers: { accept: "text/html" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        return own === running ? { page, address: answer.url } : null;
      } catch (error) {
        if (error.name !== "AbortError") failed();
        return null;
      }
    };
  };

  // Takes parts of a fresh page; one in which somebody is at work stays.
  const take = (page, ids) => ids.forEach((id) => {
    const [old, fresh] = [$(id), page.getElementById(id)];
    if (old && fresh && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(fresh));
  });

  const later = (act, wait) => {
    let timer = 0;
    return () => { clearTimeout(timer); timer = setTimeout(act, wait); };
  };

  const encoded = (form, without) => {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (!(without || []).includes(name)) fields.append(name, value);
    return fields;
  };

  // --- The text -----------------------------------------------------------------------------------------------------

  const editor = document.querySelector("[data-editor]");
  if (editor) {
    const [area, lines, summary] = [$("text"), editor.querySelector("[data-lines]"), $("summary")];
    const frame = editor.querySelector(".editor");
    const box = editor.querySelector(".page-box");
    const kept = area.value;
    let leaving = false;
    let shown = [];

    // A line of the layer behind the text: it has the same letters, so that a mark stands under them.
    const dressed = (text, marks) => {
      const line = document.createElement("div");
      const letters = Array.from(text);
      let at = 0;
      marks.sort((a, b) => a.from - b.from).forEach((mark) => {
        if (mark.from < at) return;
        line.append(letters.slice(at, mark.from).join(""));
        const piece = document.createElement("mark");
        piece.className = mark.gravity;
        piece.textContent = letters.slice(mark.from, Math.max(mark.to, mark.from + 1)).join("") || " ";
        line.append(piece);
        at = Math.max(mark.to, mark.from + 1);
      });
      line.append(letters.slice(at).join("") || (at ? "" : "\u200b"));
      if (marks.length) line.className = marks.some((mark) => mark.gravity === "error") ? "error" : marks[0].gravity;
      return line;
    };

    const problems = () => Array.from(document.querySelectorAll("#notes .problem"));
    const placeOf = (note) => {
      const number = (name) => Number(note.dataset[name]);
      return { line: number("line"), column: number("column"), endLine: number("endLine"), endColumn: number("endColumn") };
    };

    // Only lines that changed are made anew: a policy has a thousand of them.
    const paint = () => {
      const marks = new Map();
      problems().filter((note) => note.dataset.line).forEach((note) => {
        const place = placeOf(note);
        const to = place.endLine === place.line ? place.endColumn - 1 : Infinity;
        const gravity = note.classList.contains("error") ? "error" : note.classList.contains("warning") ? "warning" : "note";
        marks.set(place.line, (marks.get(place.line) || []).concat({ from: place.column - 1, to, gravity }));
      });
      const wanted = area.value.split("\n").map((text, at) => {
        const own = marks.get(at + 1) || [];
        return { text, own, key: text + "\u0000" + JSON.stringify(own) };
      });
      let first = 0;
      while (first < shown.length && first < wanted.length && shown[first] === wanted[first].key) first += 1;
      let last = 0;
      while (last < shown.length - first && last < wanted.length - first
        && shown[shown.length - 1 - last] === wanted[wanted.length - 1 - last].key) last += 1;
      for (let count = shown.length - first - last; count > 0; count -= 1) lines.children[first].remove();
      const fresh = document.createDocumentFragment();
      wanted.slice(first, wanted.length - last).forEach(({ text, own }) => fresh.append(dressed(text, own)));
      lines.insertBefore(fresh, lines.children[first] || null);
      shown = wanted.map(({ key }) => key);
    };

    const wide = matchMedia("(min-width: 75rem)");
    // Beside the text there is room for notes at the height of their lines; on a narrow page they are a list below it.
    const align = () => {
      let floor = 0;
      frame.classList.toggle("aligned", wide.matches);
      problems().forEach((note) => {
        if (!wide.matches) { note.style.removeProperty("top"); return; }
        const line = note.dataset.line ? lines.children[Number(note.dataset.line) - 1] : null;
        const top = Math.max(floor, line ? line.offsetTop : 0);
        note.style.top = top + "px";
        floor = top + note.offsetHeight + 8;
      });
    };

    const show = () => { paint(); align(); enable(); };

    const offset = (line, column) => {
      const before = area.value.split("\n");
      const start = before.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
      return start + Array.from(before[line - 1] || "").slice(0, column - 1).join("").length;
    };

    const jump = (line, from, to) => {
      const row = lines.children[line - 1];
      if (!row) return;
      area.focus({ preventScroll: true });
      area.setSelectionRange(from, to);
      const scroller = frame.scrollHeight > frame.clientHeight + 4 && wide.matches ? frame : box;
      scroller.scrollTop = Math.max(0, row.offsetTop - scroller.clientHeight / 3);
      if (scroller.getBoundingClientRect().top < 0) scroller.scrollIntoView();
    };

    const put = (place, word) => {
      const [from, to] = [offset(place.line, place.column), offset(place.endLine, place.endColumn)];
      jump(place.line, from, to);
      // The one way by which an editor's own undo takes it back; not every browser has it.
      if (!document.execCommand("insertText", false, word)) area.setRangeText(word, from, to, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    };

    const enable = () => problems().forEach((note) => {
      const place = placeOf(note);
      note.querySelectorAll("[data-jump]").forEach((button) => {
        button.hidden = false;
        if (button.previousElementSibling) button.previousElementSibling.hidden = true;
        button.onclick = () => jump(place.line, offset(place.line, place.column), offset(place.endLine, place.endColumn));
      });
      note.querySelectorAll("[data-put]").forEach((button) => {
        button.hidden = false;
        button.onclick = () => put(place, button.dataset.put);
      });
    });

    const ask = asker(() => { summary.textContent = "Not checked: the server does not answer. What you typed is still here."; });
    const check = async () => {
      const answer = await ask("/studio/check", { method: "POST", body: encoded(editor) });
      const fresh = answer && answer.page.getElementById("summary");
      if (!fresh) return;
      summary.className = fresh.className;
      summary.textContent = fresh.textContent;
      take(answer.page, ["notes"]);
      show();
    };
    const soon = later(check, 600);

    frame.classList.add("live");
    lines.hidden = false;
    show();
    document.fonts.ready.then(align);
    new ResizeObserver(align).observe(lines);
    area.addEventListener("input", () => { paint(); soon(); });
    editor.addEventListener("submit", () => { leaving = true; });
    addEventListener("beforeunload", (event) => {
      const changed = area.value !== kept || "unsaved" in editor.dataset;
      if (changed && !leaving) event.preventDefault();
    });
    const asked = () => {
      const line = Number((/^#L(\d+)$/.exec(location.hash) || [])[1]);
      const text = area.value.split("\n")[line - 1];
      if (text !== undefined) jump(line, offset(line, 1), offset(line, 1) + text.length);
    };
    addEventListener("hashchange", asked);
    asked();
  }

  // --- What if ------------------------------------------------------------------------------------------------------

  const form = document.querySelector("form[data-answers]");
  if (form) {
    const said = document.querySelector("[data-said]");
    const ask = asker(() => { if (said) said.textContent = "The server does not answer."; });

    const taken = (page, more) => {
      take(page, ["answers", "field-tier", "hint-service", ...more]);
      const [own, fresh] = [$("sample-situation"), page.getElementById("sample-situation")];
      if (own && fresh) own.value = fresh.value;
      history.replaceState(null, "", $("answers").dataset.address);
      const verdicts = Array.from(document.querySelectorAll("#answers [data-verdict]"), (it) => it.textContent);
      if (said) said.textContent = verdicts.join("; ");
    };

    const answer = async () => {
      const found = await ask("/studio/try?" + encoded(form), {});
      if (found) taken(found.page, []);
    };
    const soon = later(answer, 250);
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
    form.addEventListener("submit", (event) => { event.preventDefault(); answer(); });

    // A sample text goes to the server by itself, never with the situation's form, and so never into an address.
    const sample = document.querySelector("form[data-sample]");
    const read = async () => {
      const found = await ask("/studio/try", { method: "POST", body: encoded(sample) });
      if (found) taken(found.page, ["field-data"]);
    };
    if (sample) {
      sample.addEventListener("input", later(read, 700));
      sample.addEventListener("submit", (event) => { event.preventDefault(); read(); });
    }
  }
})();
