// Small helps on top of pages that work without them: times that stay true, whether the page is
// live, keys. What happens on the server is never decided here.
"use strict";

(() => {
  const all = (selector) => document.querySelectorAll(selector);

  // The same words as console/web/times.py.
  const ago = (seconds) => {
    if (seconds < 10) return "just now";
    if (seconds < 60) return `${Math.floor(seconds)} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    return `${Math.floor(seconds / 3600)} h ago`;
  };

  const left = (seconds) => {
    if (seconds < 1) return "now";
    if (seconds < 60) return `in ${Math.floor(seconds)} s`;
    if (seconds < 3600) return `in ${Math.floor(seconds / 60)} min`;
    if (seconds < 172800) return `in ${Math.floor(seconds / 3600)} h`;
    return `in ${Math.floor(seconds / 86400)} days`;
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
      place.textContent = isLive ? "live" : "not live: connection lost, trying again";
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

  const say = (words) => {
    const text = document.createElement("p");
    text.className = "notice is-bad";
    text.textContent = words;
    document.getElementById("notice").replaceChildren(text);
  };
  document.addEventListener("htmx:sendError", () =>
    say("No answer: the connection is lost. Look whether it was done before you try again."));
  document.addEventListener("htmx:timeout", () =>
    say("No answer for 15 s. Look whether it was done before you try again."));
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
      const asking = event.target.closest("details.confirm[open]");
      if (asking) {
        asking.open = false;
        asking.querySelector("summary").focus();
      }
    }
  });
})();
