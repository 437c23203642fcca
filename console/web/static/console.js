// Small helps on top of pages that work without them: times that stay true, whether the page is
// live, keys. What happens on the server is never decided here.
"use strict";

(() => {
  const all = (selector) => document.querySelectorAll(selector);
  const byId = (id) => document.getElementById(id);
  const on = (name, handle) => document.addEventListener(name, handle);

  // The words of the page's language: see console/web/script_words.py.
  const words = JSON.parse(document.documentElement.dataset.words || "{}");
  const word = (name, number) => (words[name] || "").replace("%", Math.floor(number));

  // The same steps as console/web/times.py.
  const ago = (seconds) => {
    if (seconds < 10) return word("just_now");
    if (seconds < 60) return word("seconds_ago", seconds);
    if (seconds < 3600) return word("minutes_ago", seconds / 60);
    return word("hours_ago", seconds / 3600);
  };

  const left = (seconds) => {
    if (seconds < 1) return word("now");
    if (seconds < 60) return word("in_seconds", seconds);
    if (seconds < 3600) return word("in_minutes", seconds / 60);
    if (seconds < 172800) return word("in_hours", seconds / 3600);
    return word("in_days", seconds / 86400);
  };

  const count = () => {
    for (const time of all("time[data-left]")) {
      time.textContent = left((Date.parse(time.dateTime) - Date.now()) / 1000);
    }
    for (const time of all("time[data-ago]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      if (seconds > -5 && seconds < 86400) time.textContent = ago(seconds);
    }
  };
  setInterval(count, 5000);

  // A stream that was cut off without a word looks open for many minutes. So the server sends
  // "beat" (console/web/live.py), and when three of them are missing the stream is opened anew.
  const BEAT_SECONDS = 15;
  let source = null;
  let heardAt = 0;
  let beats = false;
  let isLive = null;

  // Doors are not said to be as they were: the words stay, with the time until which they held.
  const claim = (isTrue) => {
    document.body.classList.toggle("is-stale", !isTrue);
    for (const note of all(".as-it-was")) note.remove();
    if (isTrue) return;
    const time = new Date(heardAt).toLocaleTimeString(document.documentElement.lang, {
      hour: "2-digit",
      minute: "2-digit",
    });
    for (const state of all(".state[sse-swap]")) {
      const note = document.createElement("small");
      note.className = "as-it-was";
      note.textContent = (words.as_it_was || "").replace("%", time);
      state.append(note);
    }
  };
  const live = (isNow) => {
    for (const place of all("[data-live]")) {
      place.hidden = false;
      place.textContent = word(isNow ? "live" : "not_live");
      place.classList.toggle("is-off", !isNow);
    }
    if (isNow !== isLive) claim(isNow);
    isLive = isNow;
  };
  const heard = () => {
    heardAt = Date.now();
    beats = true;
  };
  // An error of a closed stream is what makes htmx open the next one.
  const lose = () => {
    live(false);
    const lost = source;
    source = null;
    if (!lost || lost.readyState === EventSource.CLOSED) return;
    lost.close();
    lost.dispatchEvent(new Event("error"));
  };
  on("htmx:sseOpen", (event) => {
    source = event.detail.source;
    source.addEventListener("beat", heard);
    heardAt = Date.now();
    live(true);
  });
  on("htmx:sseError", () => live(false));
  on("htmx:sseClose", () => live(false));
  addEventListener("offline", () => source && lose());
  addEventListener("online", () => source && lose());
  setInterval(() => {
    if (source && beats && Date.now() - heardAt > 3000 * BEAT_SECONDS) lose();
  }, 5000);

  // What hasn't changed is left alone, and a list in which somebody is typing is not taken away
  // from under her.
  on("htmx:sseBeforeMessage", (event) => {
    const sent = document.createElement("template");
    sent.innerHTML = event.detail.data;
    if (sent.innerHTML.trim() === event.target.innerHTML.trim()) {
      event.preventDefault();
      return;
    }
    const list = event.target.closest("[data-keep-typing]");
    if (!list) return;
    const typing = [...list.querySelectorAll("input")].some(
      (input) => input.value !== input.defaultValue || input === document.activeElement,
    );
    if (!typing) return;
    event.preventDefault();
    for (const note of all("[data-newer]")) note.hidden = false;
  });

  const say = (sentence) => {
    const text = document.createElement("p");
    text.className = "notice is-bad";
    text.textContent = sentence;
    byId("notice").replaceChildren(text);
  };
  on("htmx:sendError", () => say(word("lost")));
  on("htmx:timeout", () => say(word("timeout")));
  on("htmx:beforeRequest", () =>
    byId("notice").replaceChildren());

  // What is pressed twice is sent once, also where the answer is a whole page: the second answer
  // would be that what she wants is there already. (htmx disables its buttons: hx-disabled-elt.)
  const SENDING_SECONDS = 10;
  let sent = new WeakMap();
  on("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    if (Date.now() - (sent.get(event.target) || 0) < 1000 * SENDING_SECONDS) event.preventDefault();
    else sent.set(event.target, Date.now());
  });
  addEventListener("pageshow", () => (sent = new WeakMap()));

  // Where the keyboard is. What is pressed may be disabled meanwhile, or be replaced: then the
  // focus would be nowhere, and whoever uses no mouse would begin again at the top of the page.
  let pressed = null;
  let swapped = "";
  const remember = () => {
    if (document.activeElement !== document.body) pressed = document.activeElement;
  };
  const takes = (element) => element?.isConnected && !element.disabled && element.checkVisibility();
  const told = (place) =>
    [...place.querySelectorAll("[aria-invalid], form[aria-labelledby], [role=status], [role=alert]")]
      .find((element) => element.checkVisibility() && (element.value || element.textContent.trim()));
  const refocus = (place) => {
    if (!pressed || (document.activeElement && document.activeElement !== document.body)) return;
    if (pressed.isConnected && pressed.disabled) return; // its answer is still to come
    const folded = pressed.closest("details:not([open])")?.querySelector("summary");
    const next =
      [pressed, pressed.id && byId(pressed.id), folded].find(takes) ||
      (place && told(place)) ||
      place ||
      byId("main");
    if (next.tabIndex < 0) next.tabIndex = -1;
    next.focus();
  };
  on("pointerdown", () => (pressed = null));
  on("htmx:beforeRequest", remember);
  on("htmx:beforeSwap", (event) => (swapped = event.detail.target.id));
  on("htmx:afterSettle", () => refocus(byId(swapped)));
  on("htmx:afterRequest", () => setTimeout(() => takes(pressed) && refocus()));
  on("htmx:sseBeforeMessage", (event) => {
    if (event.target.contains(document.activeElement)) remember();
  });
  on("htmx:sseMessage", (event) => refocus(event.target));

  // A question is in view when it opens, is gone once it was answered, and then the answer is seen.
  const fold = (asking) => {
    asking.open = false;
    asking.querySelector("summary").focus({ preventScroll: true });
  };
  document.addEventListener(
    "toggle",
    ({ target }) => target.open && target.querySelector(".ask")?.scrollIntoView({ block: "nearest" }),
    true,
  );
  on("htmx:afterRequest", ({ target, detail }) => {
    if (!detail.xhr.status) return;
    const asking = target.closest("details.confirm[open]");
    if (asking) fold(asking);
    if (detail.target.matches("[role=status]")) detail.target.scrollIntoView({ block: "nearest" });
  });

  on("keydown", (event) => {
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    }
    if (event.key === "Escape") {
      if (event.target.closest(".search")) byId("found").replaceChildren();
      const asking = event.target.closest("details.confirm[open]");
      if (asking) fold(asking);
    }
  });
})();
