// What all pages share: parts of the page that the server renders again, requests, drafts, and times.

const sameDay = (a, b) => a.toDateString() === b.toDateString();

// elapsed is the time since a moment, as the server writes it, too.
function elapsed(at, now = Date.now()) {
  const minutes = Math.max(0, Math.floor((now - at) / 60e3));
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / 24 / 60)} days`;
}

// left is the time until a moment, or since then. What stands around it says so by more than a colour.
function left(t) {
  const now = Date.now();
  const due = new Date(t.dateTime);
  t.closest(".runs")?.classList.toggle("overdue", now > due);
  if (now > due) return now - due < 60e3 ? "just overdue" : `overdue by ${elapsed(due, now)}`;
  return due - now < 60e3 ? "under 1 min left" : `${elapsed(now, due)} left`;
}

// localize writes times as the reader's clock shows them.
export function localize(root) {
  for (const t of root.querySelectorAll("time")) {
    const at = new Date(t.dateTime);
    const clock = { hour: "2-digit", minute: "2-digit" };
    if (t.classList.contains("ago")) t.textContent = elapsed(at);
    else if (t.classList.contains("left")) t.textContent = left(t);
    else if (sameDay(at, new Date())) t.textContent = at.toLocaleTimeString([], clock);
    else t.textContent = at.toLocaleString([], { day: "numeric", month: "short", ...clock });
    t.title = at.toLocaleString();
  }
}
setInterval(() => {
  for (const t of document.querySelectorAll("time.ago")) t.textContent = elapsed(new Date(t.dateTime));
  for (const t of document.querySelectorAll("time.left")) t.textContent = left(t);
}, 20e3);

// kept is what this browser keeps. One that keeps nothing is no reason to fail.
export const kept = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // It is full, or forbidden.
    }
  },
  keys(prefix) {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
    } catch {
      return [];
    }
  },
};

// patch puts new elements in the place of those with the same id. What the reader is in the middle of stays: the place in a
// list, the focus, a field that is being filled, what is unfolded. It returns the ids of parts that it had to leave alone for
// that. prepare may change the new elements first.
export function patch(html, prepare = () => {}) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  localize(fresh.content);
  prepare(fresh.content);
  const left = [];
  for (const part of [...fresh.content.children]) {
    const old = document.getElementById(part.id);
    if (!old) continue;
    for (const d of old.querySelectorAll("details[open]")) part.querySelector(`#${d.id}`)?.setAttribute("open", "");
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    if (part.hasAttribute("data-append")) append(old, part);
    else if (old.outerHTML === part.outerHTML) continue;
    else if (focused?.matches("select, input, textarea")) left.push(part.id);
    else if (part.hasAttribute("data-keyed")) reconcile(old, part, (a, b) => a.outerHTML === b.outerHTML);
    else {
      for (const field of old.querySelectorAll("input[id]")) {
        const same = part.querySelector(`#${CSS.escape(field.id)}`);
        if (same && field.value !== field.defaultValue) same.value = field.value;
      }
      old.replaceWith(part);
    }
    if (focused && !focused.isConnected) {
      (document.getElementById(focused.id) ?? document.getElementById("body"))?.focus({ preventScroll: true });
    }
  }
  return left;
}

// append adds to a log what is new in it, so that a screen reader reads only that. A log with data-more is only what comes
// after what is there.
function append(log, fresh) {
  if (fresh.dataset.seq) log.dataset.seq = fresh.dataset.seq;
  if (!fresh.hasAttribute("data-more")) {
    reconcile(log, fresh, () => true);
    return;
  }
  const has = new Set([...log.children].map((li) => li.dataset.id));
  for (const li of [...fresh.children]) if (!has.has(li.dataset.id)) log.append(li);
}

// reconcile makes the items of list those of fresh, in their order, and leaves alone those that are the same.
function reconcile(list, fresh, same) {
  const old = new Map([...list.children].map((li) => [li.dataset.id, li]));
  let at = list.firstElementChild;
  for (const li of [...fresh.children]) {
    const was = old.get(li.dataset.id);
    old.delete(li.dataset.id);
    const keep = was && same(was, li) ? was : li;
    if (was && keep !== was) {
      if (at === was) at = li;
      was.replaceWith(li);
    }
    if (at === keep) at = at.nextElementSibling;
    else list.insertBefore(keep, at);
  }
  for (const li of old.values()) li.remove();
}

// stayAtEnd keeps the end of a thread in sight while its reader has not scrolled up, whatever is added or resized. On a low
// screen the page scrolls as a whole.
export function stayAtEnd(scroll) {
  let atEnd = true;
  let size = "";
  const scroller = () => (getComputedStyle(scroll).overflowY === "visible" ? document.scrollingElement : scroll);
  const measure = (s) => `${s.scrollHeight} ${s.clientHeight}`;
  const settle = () => {
    const s = scroller();
    if (atEnd) s.scrollTop = s.scrollHeight;
    size = measure(s);
  };
  const scrolled = () => {
    const s = scroller();
    if (size === measure(s)) atEnd = s.scrollHeight - s.scrollTop - s.clientHeight < 60;
    else settle(); // not the reader scrolled, but the window was resized
  };
  scroll.addEventListener("scroll", scrolled);
  document.addEventListener("scroll", scrolled);
  const sizes = new ResizeObserver(settle);
  sizes.observe(scroll);
  sizes.observe(scroll.querySelector("#log"));
  new MutationObserver(settle).observe(scroll, { childList: true, subtree: true });
}

// follow calls refresh after every change, and again after every loss of the connection, never twice at a time. hear is told
// what has changed. It returns what calls refresh out of turn, and waits for it.
export function follow(url, refresh, hear = () => {}) {
  let again = false;
  let loop = null;
  const run = () => {
    again = true;
    loop ??= (async () => {
      while (again) {
        again = false;
        try {
          await refresh();
        } catch {
          // The stream's error shows that there is no connection; its return brings the change.
        }
      }
      loop = null;
    })();
    return loop;
  };
  const lost = document.getElementById("connection");
  const connect = () => {
    const stream = new EventSource(url);
    stream.addEventListener("open", () => (lost.hidden = true));
    stream.addEventListener("change", (e) => {
      hear(JSON.parse(e.data));
      run();
    });
    stream.addEventListener("error", () => {
      lost.hidden = false;
      if (stream.readyState !== EventSource.CLOSED) return; // the browser connects again
      hear({ all: true });
      run(); // finds out whether the reader has to sign in
      setTimeout(connect, 3000);
    });
  };
  connect();
  return run;
}

// signIn leads to the page for that, and from there back to this one.
export function signIn() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// get fetches a part of the page.
export async function get(url) {
  const answer = await fetch(url, { headers: { Accept: "text/plain" } });
  if (answer.status === 401 && !document.body.dataset.base) signIn();
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.text();
}

export class Refused extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

// newKey makes a request's key. crypto.randomUUID is there only on secure pages.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

// post sends a request, and repeats it with the same key while it cannot be known whether it arrived.
export async function post(url, values, key = newKey()) {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ key, ...values }),
      });
      if (answer.ok) return;
      if (answer.status !== 503 || tries === 4) {
        const { code, error } = await answer.json();
        throw new Refused(code, error);
      }
    } catch (err) {
      if (err instanceof Refused) throw err;
      if (tries === 4) throw new Refused("offline", "The server cannot be reached. Try again.");
    }
    await new Promise((done) => setTimeout(done, 250 * 2 ** tries));
  }
}

export function show(problem, text) {
  problem.textContent = text ?? "";
  problem.hidden = !text;
}

const drafts = "draft:";
const maxDrafts = 200;

// draftOf is where a browser keeps what is half written.
export const draftOf = (where) => drafts + where;

function keepDraft(key, text, mode) {
  kept.set(key, text.trim() ? { text, mode, at: Date.now() } : null);
  const all = kept.keys(drafts);
  if (all.length <= maxDrafts) return;
  const at = (key) => kept.get(key)?.at ?? 0;
  kept.set(all.reduce((a, b) => (at(a) < at(b) ? a : b)), null);
}

// composer sends what is written in a form: by its button, or by the enter key, unless the form is locked. The key stays with
// a text until it is sent; what is half written is kept in the browser, with the mode of the form. It returns what is to be
// called after either has changed.
export function composer(form, draft, send) {
  const field = form.elements.body;
  const button = form.querySelector("button");
  let key = newKey();
  let sending = ""; // the text
  const behind = (text) => (field.value ? `${text}\n${field.value}` : text);
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 160)}px`;
  };
  const settle = () => {
    button.disabled = !!sending || form.hasAttribute("data-locked");
    keepDraft(draft, sending ? behind(sending) : field.value, form.dataset.mode);
  };
  const before = kept.get(draft);
  if (before && !field.value) {
    field.value = before.text;
    if (before.mode) form.dataset.mode = before.mode;
    fit();
  }
  field.addEventListener("input", () => {
    key = newKey();
    fit();
    settle();
  });
  field.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      form.requestSubmit();
    }
  });
  // The field is free for the next text at once. If a text cannot be sent, it is put before that.
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const text = field.value.trim();
    if (!text || button.disabled) return;
    const its = key;
    sending = text;
    key = newKey();
    field.value = "";
    fit();
    settle();
    let sent = false;
    try {
      sent = await send(text, its);
    } finally {
      if (!sent) {
        if (!field.value) key = its;
        field.value = behind(text);
        fit();
      }
      sending = "";
      settle();
      field.focus();
    }
  });
  return settle;
}

localize(document);
