// What is new appears without a reload, and never moves what somebody reads, points at or types into: a button brings
// it. Where no stream is to be had the page asks every few seconds; where nothing answers, it says from when its data are.
"use strict";
(() => {
  const source = document.body.dataset.live;
  if (!source) return;
  const SILENCE = 10_000, ASK_EVERY = 5_000, STREAM_AGAIN = 60_000, LOAD_EVERY = 2_000, NOBODY_IS_HERE = 30_000;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const button = one("[data-news]"), lost = one("[data-lost]");
  const say = (text) => { one("[data-announcer]").textContent = text; };
  let heard = Date.now(), dataOf = document.body.dataset.now, lastTouch = Date.now(), hasEnded = false;
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(kind, () => { lastTouch = Date.now(); }, { passive: true });
  }

  // The page as it is now, from the server that renders it.
  const load = () => new Promise((done, failed) => {
    const ask = new XMLHttpRequest();
    ask.open("GET", document.body.dataset.page);
    ask.responseType = "document";
    ask.onload = () => {
      if (ask.responseURL.includes("/sign-in")) over("You are signed out.");
      if (ask.status === 200 && ask.response?.body.dataset.live === source) done(ask.response); else failed();
    };
    ask.onerror = failed;
    ask.send();
  });
  const isBusy = (part) => part.contains(document.activeElement) || all("textarea, input:not([type=hidden])", part)
    .some((field) => field.value !== field.defaultValue);
  const put = (old, fresh) => {
    const opened = all("details", old).map((each) => each.open);
    all("details", fresh).forEach((each, place) => { each.open = opened[place] ?? each.open; });
    old.replaceWith(fresh);
    fresh.dispatchEvent(new Event("shown", { bubbles: true }));
  };

  // What stands at the top of an incident is brought up to date in its place, unless it would move something.
  const putLead = (fresh) => {
    const old = one(".lead"), next = one(".lead", fresh);
    if (!old || !next || old.matches(":hover") || isBusy(old)) return;
    const height = old.getBoundingClientRect().height;
    put(old, next);
    if (next.getBoundingClientRect().height > height + 0.5) next.replaceWith(old);
    else Object.assign(next.style, { minHeight: `${height}px`, alignContent: "start" });
  };
  const rowsOf = (from) => new Map(all("[data-row]", from).map((row) => [row.id, row]));
  const newRows = (fresh) => {
    const known = rowsOf(document);
    return [...rowsOf(fresh)].filter(([id]) => !known.has(id)).map(([, row]) => row);
  };
  const bring = (fresh) => {
    putLead(fresh);
    const timeline = one("[data-timeline]"), chat = one("[data-chat]");
    if (timeline) timeline.prepend(...newRows(fresh));
    if (timeline) timeline.dispatchEvent(new Event("shown", { bubbles: true }));
    if (chat) chat.value = one("[data-chat]", fresh).value;
    for (const part of all("section[aria-labelledby], [data-part]")) {
      const { part: name } = part.dataset;
      const next = one(name ? `[data-part="${name}"]` : `section[aria-labelledby="${part.getAttribute("aria-labelledby")}"]`, fresh);
      if (next && !isBusy(part) && !part.contains(timeline) && !part.contains(chat)) put(part, next);
    }
    document.title = fresh.title;
    button.hidden = true;
  };
  const worded = (rows) => {
    const title = one("h2", rows[0])?.textContent ?? one("p", rows[0])?.textContent ?? "";
    return one("[data-timeline]") ? [`${rows.length} new ${rows.length > 1 ? "entries" : "entry"}`, title]
      : [`${rows.length} new ${rows.length > 1 ? "incidents" : "incident"}`, title];
  };
  const isChanged = (fresh) => {
    const words = (from) => all("[data-row] .mark, [data-row] h2", from).map((each) => each.textContent).join("\n");
    return one("[data-list]") !== null && words(document) !== words(fresh);
  };
  let page = null;
  const offer = (fresh) => {
    page = fresh;
    putLead(fresh);
    const rows = newRows(fresh);
    if (!rows.length && !isChanged(fresh)) return;
    const [what, title] = rows.length ? worded(rows) : ["The list has changed", ""];
    document.title = `* ${fresh.title}`;
    say(title ? `${what}: ${title.trim()}` : what);
    const isIdle = Date.now() - lastTouch > NOBODY_IS_HERE && !one("[data-list]")?.contains(document.activeElement);
    if (one("[data-list]") && isIdle) { bring(fresh); return; }
    button.textContent = what;
    button.hidden = false;
  };
  button.addEventListener("click", () => bring(page));

  let loadedAt = 0, later = 0;
  const look = () => {
    if (later || hasEnded) return;
    later = setTimeout(() => {
      later = 0;
      loadedAt = Date.now();
      load().then(offer, () => { later = setTimeout(() => { later = 0; look(); }, ASK_EVERY); });
    }, Math.max(50, loadedAt + LOAD_EVERY - Date.now()));
  };

  // A stream where there is a seat, else asking.
  let stream = null, mark = "", asking = 0;
  const hear = (now) => { heard = Date.now(); dataOf = now; };
  const over = (why) => {
    hasEnded = true;
    stop();
    lost.textContent = `${why} Data from ${dataOf.slice(11, 19)} UTC; load the page again.`;
    lost.hidden = false;
  };
  const ask = async () => {
    try {
      const answer = await fetch(source, { headers: mark ? { "If-None-Match": mark } : {}, cache: "no-store" });
      if (answer.redirected) { over("You are signed out."); return; }
      if (answer.ok || answer.status === 304) hear(new Date(answer.headers.get("Date") ?? Date.now()).toISOString());
      if (answer.ok && mark !== answer.headers.get("ETag")) { mark = answer.headers.get("ETag"); look(); }
    } catch { /* the silence is told */ }
  };
  const stop = () => { stream?.close(); stream = null; clearInterval(asking); asking = 0; };
  const follow = () => {
    if (hasEnded || document.hidden) return;
    stop();
    const from = all("[data-timeline] > [data-row]").at(0)?.id.slice(1);
    stream = new EventSource(from && source.includes("?") ? `${source}&after=${from}` : source);
    stream.addEventListener("beat", (event) => hear(JSON.parse(event.data).now));
    for (const kind of ["entry", "list"]) stream.addEventListener(kind, look);
    stream.addEventListener("end", (event) => over(JSON.parse(event.data).why));
    stream.onerror = () => {
      if (stream?.readyState !== EventSource.CLOSED) return; // it tries again by itself
      stop();
      ask();
      asking = setInterval(ask, ASK_EVERY);
      setTimeout(() => { if (asking) follow(); }, STREAM_AGAIN);
    };
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); else { heard = Date.now(); look(); follow(); } });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) follow(); });
  setInterval(() => {
    if (hasEnded || document.hidden) return;
    const isSilent = Date.now() - heard > SILENCE;
    if (isSilent && lost.hidden) lost.textContent = `Connection lost, data from ${dataOf.slice(11, 19)} UTC`;
    lost.hidden = !isSilent;
  }, 1000);
  follow();
})();
