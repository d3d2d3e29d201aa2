// The one script of the console: live rows, carried text, copying. Everything works without it, by links and forms.
"use strict";
(() => {
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // New rows are pushed while the page is seen; where that does not work, they are asked for every two seconds.
  each("[data-live]", (body) => {
    const state = document.querySelector("[data-live-state]");
    const button = document.querySelector("[data-live-toggle]");
    const after = (address) => address + (address.includes("?") ? "&" : "?") + "after=" + newest;
    let going = true;
    let newest = body.dataset.newest;
    let source = null;
    let asking = null;
    const say = (text) => { if (state) state.textContent = text; };
    const lost = () => say("Not connected; trying again");
    const show = (rows, id) => {
      newest = id || newest;
      if (rows.trim()) {
        const empty = body.querySelector("[data-empty]");
        if (empty) empty.remove();
        body.insertAdjacentHTML("afterbegin", rows);
        while (body.rows.length > 200) body.deleteRow(-1);
      }
      say("Live");
    };
    const ask = async () => {
      try {
        const answer = await fetch(after(body.dataset.live), { headers: { accept: "text/html" }, redirect: "error" });
        if (!answer.ok) throw new Error(String(answer.status));
        show(await answer.text(), answer.headers.get("x-writ-newest"));
      } catch { lost(); }
    };
    const follow = () => {
      source = new EventSource(after(body.dataset.events));
      source.addEventListener("open", () => say("Live"));
      source.addEventListener("rows", (event) => show(event.data, event.lastEventId));
      source.addEventListener("error", () => {
        lost();
        // The browser tries again by itself, unless it was turned away: then it is asked for.
        if (source && source.readyState === EventSource.CLOSED) {
          source = null;
          asking = setInterval(ask, 2000);
        }
      });
    };
    const run = () => {
      if (source) source.close();
      clearInterval(asking);
      source = asking = null;
      if (going && !document.hidden) follow();
    };
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => {
        going = !going;
        button.textContent = going ? "Pause" : "Go on";
        say(going ? "Live" : "Paused");
        run();
      });
    }
    document.addEventListener("visibilitychange", run);
    say("Live");
    run();
  });

  // Text that was typed travels in the fragment: it is in this window only and no server sees it.
  const carried = new URLSearchParams(location.hash.slice(1)).get("text");
  if (carried !== null) {
    each("textarea[data-carried]", (area) => { area.value = carried; });
    each("[data-carried-only]", (part) => { part.hidden = false; });
  }
  const text = () => { const area = document.querySelector("textarea[data-carried]"); return area ? area.value : carried || ""; };
  each("a[data-carry]", (link) => {
    const plain = link.href.split("#")[0];
    link.addEventListener("click", () => { if (text()) link.href = plain + "#text=" + encodeURIComponent(text()); });
  });
  each("a[data-keep-text]", (link) => { if (carried !== null) link.href = link.href.split("#")[0] + location.hash; });
  each("form[data-keep-text]", (form) => { if (carried !== null) form.action = form.action.split("#")[0] + location.hash; });

  each("[data-copy]", (button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      if (!from) return;
      await navigator.clipboard.writeText("value" in from ? from.value : from.textContent);
      const said = button.textContent;
      button.textContent = button.dataset.copied || said;
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  });

  // A one-time link is a form, so that whoever only looks at it does not use it up.
  each("form[data-auto]", (form) => { form.requestSubmit(); });
})();
