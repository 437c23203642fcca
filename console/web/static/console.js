// Small helps on top of pages that work without them: times that stay true, whether the page is
// live, keys. What happens on the server is never decided here.
"use strict";

(() => {
  const all = (selector) => document.querySelectorAll(selector);

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

  const live = (isLive) => {
    for (const place of all("[data-live]")) {
      place.hidden = false;
      place.textContent = word(isLive ? "live" : "not_live");
      place.classList.toggle("is-off", !isLive);
    }
  };
  document.addEventListener("htmx:sseOpen", () => live(true));
  document.addEventListener("htmx:sseError", () => live(false));
  document.addEventListener("htmx:sseClose", () => live(false));

  // What hasn't changed is left alone, and a list in which somebody is typing is not taken away
  // from under her.
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
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
    document.getElementById("notice").replaceChildren(text);
  };
  document.addEventListener("htmx:sendError", () => say(word("lost")));
  document.addEventListener("htmx:timeout", () => say(word("timeout")));
  document.addEventListener("htmx:beforeRequest", () =>
    document.getElementById("notice").replaceChildren());

  document.addEventListener("keydown", (event) => {
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
      if (event.target.closest(".search")) document.getElementById("found").replaceChildren();
      const asking = event.target.closest("details.confirm[open]");
      if (asking) {
        asking.open = false;
        asking.querySelector("summary").focus();
      }
    }
  });
})();
