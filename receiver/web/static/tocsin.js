// What the pages do beyond plain forms: local times, ages that go on, keys, copying. All of them work without it.
"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  // The server's clock counts: a phone's may be minutes off.
  const skew = Date.parse(document.body.dataset.now) - Date.now();
  const now = () => Date.now() + skew;

  // Times: the viewer's local time beside UTC, ages and countdowns, exact ones on demand.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isElsewhere = new Date().getTimezoneOffset() !== 0;
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const span = (seconds) => {
    const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const place = units.findIndex(([unit]) => seconds >= unit);
    if (place < 0) return "0 s";
    const [unit, name] = units[place];
    const [lower, lowerName] = units[place + 1] || [1, ""];
    const more = lowerName && !(unit === 60 && seconds >= 600) ? Math.floor((seconds % unit) / lower) : 0;
    return `${Math.floor(seconds / unit)} ${name}` + (more ? ` ${more} ${lowerName}` : "");
  };
  const setText = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const showLocal = (from) => {
    if (!isElsewhere) return;
    for (const time of all("time.at:not([data-local])", from)) {
      time.dataset.local = "";
      const local = document.createElement("span");
      local.className = "local";
      local.textContent = ` (${clock.format(new Date(time.dateTime))} local)`;
      time.append(local);
    }
  };
  const tick = () => {
    for (const time of all("time[data-ago]")) {
      if (!time.dataset.exact) setText(time, span(Math.max(0, Math.floor((now() - Date.parse(time.dateTime)) / 1000))));
    }
    for (const time of all("time[data-until]")) {
      const left = Math.floor((Date.parse(time.dateTime) - now()) / 1000);
      if (!time.dataset.exact) setText(time, left > 0 ? `in ${span(left)}` : "now");
    }
  };
  const showExact = (isOn) => {
    for (const time of all("time")) {
      time.dataset.short ??= time.firstChild.textContent;
      time.dataset.exact = isOn ? "1" : "";
      time.firstChild.textContent = isOn ? time.title : time.dataset.short;
    }
    tick();
  };
  showLocal(document);
  document.addEventListener("shown", (event) => {
    for (const button of all("[data-copy]", event.target)) button.hidden = false;
    showLocal(event.target);
    tick();
  });
  tick();
  setInterval(tick, 1000);
  for (const each of all("[data-zone]")) each.textContent = isElsewhere ? `, in brackets yours (${zone})` : "";

  // Buttons that only a script can serve.
  for (const button of all("[data-exact], [data-help], [data-copy]")) button.hidden = false;
  const say = (text) => { one("[data-announcer]").textContent = text; };
  const copy = async (text, button) => {
    if (!text) return;
    try {
      await navigator.clipboard.writeText(text.value ?? text.textContent);
      say("Copied");
      if (button) setText(button, "Copied");
    } catch {
      getSelection().selectAllChildren(text);
      text.select?.();
      say("Select and copy");
    }
  };
  one("[data-help]")?.addEventListener("click", () => { one(".account").open = false; one("#keys").showModal(); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button.dataset.copy === "chat" ? one("[data-chat]") : button.closest("details.json, section").querySelector("pre, textarea"), button);
    if (!event.target.closest(".account")) one(".account")?.removeAttribute("open");
  });
  one("[data-exact]")?.addEventListener("click", (event) => {
    const isOn = event.target.getAttribute("aria-pressed") !== "true";
    event.target.setAttribute("aria-pressed", String(isOn));
    showExact(isOn);
  });

  // Keys: never one key alone for what changes something, and none while somebody types.
  let at = -1;
  const move = (step) => {
    const rows = all("[data-row]");
    if (!rows.length) return;
    rows[at]?.classList.remove("at");
    at = Math.min(Math.max(at + step, 0), rows.length - 1);
    rows[at].classList.add("at");
    rows[at].scrollIntoView({ block: "nearest" });
    rows[at].querySelector("a")?.focus({ preventScroll: true });
  };
  const acknowledge = () => {
    const button = one("[data-acknowledge]");
    const ask = one("#ask");
    if (!button) return;
    ask.returnValue = "";
    ask.onclose = () => { if (ask.returnValue === "yes") button.form.requestSubmit(button); };
    ask.showModal();
  };
  const open = (details) => { if (details) { details.open = true; (details.querySelector("[type=search]") || details.querySelector("select, textarea")).focus(); } };
  const places = { "i": "/incidents", "o": "/oncall", "r": "/rules", "s": "/statistics", "p": "/postmortems", "q": "/quarantine" };
  let isGoing = false; // `g` was pressed, and the next key says where to
  const keys = {
    "j": () => move(1),
    "k": () => move(-1),
    "a": acknowledge,
    "n": () => one("[data-note]")?.focus(),
    "e": () => open(one("[data-escalate]")),
    "s": () => open(one("[data-escalate]")),
    "c": () => copy(one("[data-chat]"), one("[data-chat] ~ [data-copy]")),
    "/": () => open(one("[data-filter]")),
    "g": () => { isGoing = true; },
    "u": () => { location.href = "/incidents"; },
    "?": () => one("#keys")?.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || one("dialog[open]")) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const place = isGoing && one("#keys") && places[event.key];
    isGoing = false;
    const act = place ? () => { location.href = place; } : keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
})();
