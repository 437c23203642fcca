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

  // Where this clock is wrong, by more than a page takes to come, the server's counts.
  const ahead = Date.now() - (document.documentElement.dataset.now || Date.now());
  const wrong = Math.abs(ahead) > 20000 ? ahead : 0;
  const since = (time) => (Date.now() - wrong - Date.parse(time.dateTime)) / 1000;
  const count = () => {
    for (const time of all("time[data-left]")) time.textContent = left(-since(time));
    for (const time of all("time[data-ago]")) {
      const seconds = since(time);
      if (seconds > -5 && seconds < 86400) time.textContent = ago(seconds);
    }
  };
  setInterval(count, 5000);

  // The stream of news: one for each page, while it is looked at, since a browser has only six
  // connections to a server. A hidden page lets go of its stream after a while, and so does the page
  // whose browser has newer ones (console/web/live_hub.py); seen again, it gets what has changed.
  // A stream that was cut off without a word looks open for many minutes. So the server sends
  // "beat" (console/web/live.py), and when three of them are missing the stream is opened anew.
  const BEAT_SECONDS = 15;
  const HIDDEN_SECONDS = 5;
  let address = document.querySelector("[sse-connect]")?.getAttribute("sse-connect");
  let source = null;
  let heardAt = 0;
  let heardTime = "";
  let said = null;
  let failures = 0;
  let soon = 0;

  // Doors are not said to be as they were: the words stay, with the time until which they held.
  const claim = (state) => {
    if (state === said) return;
    said = state;
    const isLive = state === "live";
    document.body.classList.toggle("is-stale", !isLive);
    for (const place of all("[data-live]")) {
      place.hidden = false;
      place.textContent = words[state];
      place.classList.toggle("is-off", !isLive);
    }
    for (const note of all(".as-it-was")) note.remove();
    if (isLive) return;
    for (const place of all(".state[sse-swap]")) {
      const note = document.createElement("small");
      note.className = "as-it-was";
      note.textContent = words.as_it_was.replace("%", heardTime);
      place.append(note);
    }
  };
  const close = (state) => {
    clearTimeout(soon);
    source?.close();
    source = null;
    claim(state);
  };
  const lose = () => {
    close("not_live");
    soon = setTimeout(open, Math.min(1000 * 2 ** failures, 60000));
    failures += 1;
  };
  const open = () => {
    if (source || !address || document.hidden) return;
    heardAt = Date.now();
    source = new EventSource(address);
    // The next time everything may be new.
    address = address.split("?")[0];
    source.onerror = lose;
    source.addEventListener("pause", () => {
      close("paused");
      if (document.hasFocus()) open();
    });
    source.addEventListener("beat", (event) => {
      heardAt = Date.now();
      heardTime = event.data;
      failures = 0;
      claim("live");
    });
    listen();
  };
  const listen = () => {
    for (const place of all("[sse-swap]")) {
      source?.addEventListener(place.getAttribute("sse-swap"), tell);
    }
  };

  // What hasn't changed is left alone, and a list in which somebody is typing is not taken away
  // from under her.
  const tell = (event) => {
    const sent = document.createElement("template");
    sent.innerHTML = event.data;
    for (const place of all(`[sse-swap="${event.type}"]`)) {
      if (sent.innerHTML.trim() === place.innerHTML.trim()) continue;
      const list = place.closest("[data-keep-typing]");
      const isTyping = [...(list?.querySelectorAll("input") || [])].some(
        (input) => input.value !== input.defaultValue || input === document.activeElement,
      );
      if (isTyping) {
        for (const note of all("[data-newer]")) note.hidden = false;
        continue;
      }
      if (place.contains(document.activeElement)) remember();
      [swapped, isAnswer] = [() => place, false];
      htmx.swap(place, event.data, { swapStyle: "innerHTML" });
      htmx.trigger(place, "news");
    }
  };
  on("htmx:load", listen);
  on("visibilitychange", () => {
    if (document.hidden) soon = setTimeout(close, 1000 * HIDDEN_SECONDS, "paused");
    else see();
  });
  // A phone that slept has stopped the clock, too.
  const see = () => {
    clearTimeout(soon);
    if (Date.now() - heardAt > 2000 * BEAT_SECONDS) close("paused");
    open();
  };
  addEventListener("focus", see);
  addEventListener("offline", () => source && lose());
  addEventListener("online", see);
  setInterval(() => {
    if (source && Date.now() - heardAt > 3000 * BEAT_SECONDS) lose();
  }, 5000);
  // A page that is looked at only later may show anything.
  if (document.hidden) address = address?.split("?")[0];
  open();

  // Of what was asked for by hand: that no answer came, and after a while a way to give it up.
  const CANCEL_SECONDS = 3;
  const say = (tone, ...said) => {
    const text = document.createElement("p");
    text.className = `notice is-${tone}`;
    for (const part of said) text.append(part, " ");
    byId("notice").replaceChildren(text);
  };
  const isByHand = ({ detail }) => detail.requestConfig.triggeringEvent?.isTrusted;
  on("htmx:beforeRequest", (event) => {
    if (!isByHand(event)) return;
    byId("notice").replaceChildren();
    const { xhr } = event.detail;
    const cancel = (xhr.cancel = document.createElement("button"));
    cancel.textContent = words.cancel;
    cancel.addEventListener("click", () => {
      xhr.abort();
      say("warn", words.cancelled, words.look);
    });
    xhr.wait = setTimeout(say, 1000 * CANCEL_SECONDS, "warn", words.waiting, cancel);
  });
  on("htmx:afterRequest", ({ detail: { xhr } }) => {
    clearTimeout(xhr.wait);
    if (xhr.cancel?.isConnected) byId("notice").replaceChildren();
  });
  on("htmx:sendError", (event) => isByHand(event) && say("bad", words.lost, words.look));
  on("htmx:timeout", (event) => isByHand(event) && say("bad", words.timeout, words.look));

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
  let swapped = () => null;
  let isAnswer = false;
  const remember = () => {
    if (document.activeElement !== document.body) pressed = document.activeElement;
  };
  const takes = (element) => element?.isConnected && !element.disabled && element.checkVisibility();
  const told = (place) =>
    [...place.querySelectorAll("[aria-invalid], form[aria-labelledby], [role=status], [role=alert]")]
      .find((element) => element.checkVisibility() && (element.value || element.textContent.trim()));
  // The same as what was pressed, where a list is shown anew.
  const twin = (place) =>
    pressed.matches("a, button, summary") &&
    [...place.querySelectorAll(pressed.localName)]
      .find((element) => element.href === pressed.href && element.textContent === pressed.textContent);
  const refocus = (place) => {
    if (!pressed || (document.activeElement && document.activeElement !== document.body)) return;
    // Its answer is still to come.
    if (pressed.isConnected && pressed.disabled) return;
    const folded = pressed.closest("details:not([open])")?.querySelector("summary");
    const next =
      [pressed, folded].find(takes) ||
      (place && (isAnswer ? told : twin)(place)) ||
      place ||
      byId("main");
    if (next.tabIndex < 0) next.tabIndex = -1;
    next.focus();
  };
  on("pointerdown", () => (pressed = null));
  on("htmx:beforeRequest", remember);
  on("htmx:beforeSwap", ({ detail }) => {
    // It may have gone on since the request.
    remember();
    const { id } = detail.target;
    [swapped, isAnswer] = [() => byId(id), detail.requestConfig.verb !== "get"];
  });
  // A list that comes by itself takes the keyboard away for no moment.
  on("htmx:afterSwap", () => isAnswer || refocus(swapped()));
  on("htmx:afterSettle", () => refocus(swapped()));
  on("htmx:afterRequest", () => setTimeout(() => takes(pressed) && refocus()));

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

  const search = document.querySelector("[data-search]");
  const forgetFound = () => search && byId("found").replaceChildren();
  on("pointerdown", (event) => event.target.closest(".search") || forgetFound());
  on("keydown", (event) => {
    const isTyping = event.target.matches("input, select, textarea");
    if (search && event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    if (event.key === "Escape") {
      if (event.target.closest(".search")) {
        search.focus();
        forgetFound();
      }
      const asking = event.target.closest("details.confirm[open]");
      if (asking) fold(asking);
    }
  });
})();
