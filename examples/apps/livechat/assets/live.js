// What all pages share: parts of the page that the server renders again, requests, and times.

const sameDay = (a, b) => a.toDateString() === b.toDateString();

// localize writes times as the reader's clock shows them.
export function localize(root) {
  for (const t of root.querySelectorAll("time")) {
    const at = new Date(t.dateTime);
    const clock = { hour: "2-digit", minute: "2-digit" };
    t.textContent = sameDay(at, new Date())
      ? at.toLocaleTimeString([], clock)
      : at.toLocaleString([], { day: "numeric", month: "short", ...clock });
    t.title = at.toLocaleString();
  }
}

// patch puts new elements in the place of those with the same id. What the reader is in the middle of stays: the place in a
// list, the focus, a field that is being filled, what is unfolded.
export function patch(html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  localize(fresh.content);
  for (const part of [...fresh.content.children]) {
    const old = document.getElementById(part.id);
    for (const d of old?.querySelectorAll("details[open]") ?? []) {
      part.querySelector(`#${d.id}`)?.setAttribute("open", "");
    }
    if (!old || old.outerHTML === part.outerHTML) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    if (focused?.matches("select, input, textarea")) continue;
    if (part.hasAttribute("data-append")) append(old, part);
    else old.replaceWith(part);
    if (focused && !focused.isConnected) {
      (document.getElementById(focused.id) ?? document.getElementById("body"))?.focus({ preventScroll: true });
    }
  }
}

// append adds to a list what is new in it, so that a screen reader reads only that.
function append(list, fresh) {
  const kept = new Map([...list.children].map((li) => [li.dataset.id, li]));
  const lines = [...fresh.children];
  const ids = new Set(lines.map((li) => li.dataset.id));
  for (const [id, li] of kept) if (!ids.has(id)) li.remove();
  for (const li of lines) if (!kept.has(li.dataset.id)) list.append(li);
}

// stayAtEnd keeps the end of a thread in sight while its reader has not scrolled up, whatever is added or resized.
export function stayAtEnd(scroll) {
  let atEnd = true;
  let size = "";
  const measure = () => `${scroll.scrollHeight} ${scroll.clientHeight}`;
  const settle = () => {
    if (atEnd) scroll.scrollTop = scroll.scrollHeight;
    size = measure();
  };
  scroll.addEventListener("scroll", () => {
    if (size === measure()) atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
    else settle(); // not the reader scrolled, but the window was resized
  });
  const sizes = new ResizeObserver(settle);
  sizes.observe(scroll);
  sizes.observe(scroll.querySelector("#log"));
  new MutationObserver(settle).observe(scroll, { childList: true, subtree: true });
}

// follow calls refresh after every change, and again after every loss of the connection, never twice at a time.
export function follow(url, refresh) {
  let running = false;
  let again = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      try {
        await refresh();
      } catch {
        // The stream's error shows that there is no connection; its return brings the change.
      }
    } while (again);
    running = false;
  };
  const lost = document.getElementById("connection");
  const connect = () => {
    const stream = new EventSource(url);
    stream.addEventListener("open", () => (lost.hidden = true));
    stream.addEventListener("change", run);
    stream.addEventListener("error", () => {
      lost.hidden = false;
      if (stream.readyState !== EventSource.CLOSED) return; // the browser connects again
      run(); // finds out whether the reader has to sign in
      setTimeout(connect, 3000);
    });
  };
  connect();
  return run;
}

// get fetches a part of the page.
export async function get(url) {
  const answer = await fetch(url, { headers: { Accept: "text/plain" } });
  if (answer.status === 401 && !document.body.dataset.base) location.assign("/login");
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

// composer sends what is written in a form: by its button, or by the enter key. The key stays with a text until it is sent.
export function composer(form, send) {
  const field = form.elements.body;
  const button = form.querySelector("button");
  let key = newKey();
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 160)}px`;
  };
  field.addEventListener("input", () => {
    key = newKey();
    fit();
  });
  field.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const text = field.value.trim();
    if (!text || button.disabled) return;
    button.disabled = true;
    try {
      if (await send(text, key)) {
        key = newKey();
        field.value = "";
        fit();
      }
    } finally {
      button.disabled = false;
      field.focus();
    }
  });
}

localize(document);
