// The agents' inbox.

import { composer, draftOf, follow, get, kept, patch, post, show, signIn, stayAtEnd } from "/assets/live.js";

const { chosen, query, account } = document.body.dataset; // chosen is the conversation beside the list, if any
const $ = (id) => document.getElementById(id);
const title = document.title;

// What of the page is to be fetched again.
const due = { list: true, thread: true, about: true };

function hear({ all, contacts, subjects = [] }) {
  due.list = true;
  const contact = subjects.includes($("state")?.dataset.contact);
  if (all || contacts || contact || subjects.includes(chosen)) due.thread = true;
  if (all || contacts || (contact && !subjects.includes(chosen))) due.about = true;
}

async function refresh() {
  const want = { ...due };
  Object.assign(due, { list: false, thread: false, about: false });
  try {
    await fetchParts(want);
  } catch (err) {
    for (const part of Object.keys(want)) due[part] ||= want[part];
    throw err;
  }
}

async function fetchParts(want) {
  const searched = $("rows").hasAttribute("data-search"); // is as it was found
  const thread = new URLSearchParams({ after: $("log")?.dataset.seq ?? 0 });
  if (want.about) thread.set("about", "1");
  const [part, list] = await Promise.all([
    chosen && want.thread ? get(`/inbox/${chosen}/thread?${thread}`) : "",
    want.list && !searched ? get(`/inbox/list?${query}&chosen=${chosen ?? ""}`) : "",
  ]);
  if (patch(part).includes("about")) due.about = due.thread = true; // once nobody writes in it any more
  saw();
  patch(list, mark);
  count();
  settle();
}
const changed = follow("/inbox/events", refresh, hear);

// What this agent has seen, by conversation: the place in its log. Kept by the browser, for some of them.
const seenKey = `seen:${account}`;
const maxSeen = 1000;

// saw takes down that the thread on the screen is seen, as far as it is there.
function saw() {
  if (!chosen || document.visibilityState !== "visible") return;
  const seen = kept.get(seenKey) ?? {};
  const seq = Number($("log").dataset.seq);
  if ((seen[chosen] ?? 0) >= seq) return;
  delete seen[chosen]; // so that it is the last one
  seen[chosen] = seq;
  kept.set(seenKey, Object.fromEntries(Object.entries(seen).slice(-maxSeen)));
}

// mark shows in rows what the contact wrote and this agent has not seen, and where something is half written.
function mark(root) {
  const seen = kept.get(seenKey) ?? {};
  for (const li of root.querySelectorAll("#rows > li[data-incoming]")) {
    for (const old of li.querySelectorAll(".marked")) old.remove();
    const { id, incoming } = li.dataset;
    const unread = Number(incoming) > (seen[id] ?? 0);
    li.classList.toggle("unread", unread);
    if (unread) add(li.querySelector(".name"), "marked hidden", ", unread");
    if (id !== chosen && kept.get(draftOf(`${account}:${id}`))) {
      add(li.querySelector(".tags"), "marked tag draft", "draft");
    }
  }
}

function add(to, classes, text) {
  const span = document.createElement("span");
  span.className = classes;
  span.textContent = text;
  to.append(span);
}

function count() {
  const n = document.querySelectorAll("#rows > .unread").length;
  document.title = n ? `(${n}) ${title}` : title;
}

function look() {
  saw();
  mark(document);
  count();
}
document.addEventListener("visibilitychange", look);
window.addEventListener("storage", look); // another tab has seen something
window.addEventListener("pageshow", look);

// request sends one about the chosen conversation, and shows why it was refused.
async function request(action, values, key, problem = $("problem")) {
  show(problem);
  try {
    await post(`/inbox/${chosen}/${action}`, values, key);
    return true;
  } catch (err) {
    if (err.code === "signed_out") signIn();
    show(problem, err.message);
    return false;
  } finally {
    hear({ all: true });
    changed();
  }
}

let settleComposer = () => {};

// settle puts right what follows from the parts that were just replaced. It never changes what is being written from a reply
// to a note or back: that is for the agent to choose.
function settle() {
  const toggle = $("about-toggle");
  toggle?.setAttribute("aria-expanded", document.querySelector("main").classList.contains("with-about"));
  if (!chosen) return;
  const locked = $("state").dataset.status === "closed" && $("reply").dataset.mode === "reply";
  $("reply").toggleAttribute("data-locked", locked);
  $("closed-hint").hidden = !locked;
  settleComposer();
}

function mode(name) {
  $("reply").dataset.mode = name;
  for (const m of ["reply", "note"]) $(`as-${m}`).setAttribute("aria-pressed", m === name);
  $("body").placeholder = name === "note" ? "A note that only agents see…" : "Reply to the visitor…";
  $("send").textContent = name === "note" ? "Add note" : "Send";
  settle();
}

// dialog asks for what a request needs, and stays open until it is done.
function dialog(id, send) {
  const box = $(id);
  const form = box.querySelector("form");
  const problem = box.querySelector(".problem");
  box.querySelector(".cancel").addEventListener("click", () => box.close());
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    if (await send(form.elements, problem)) box.close();
  });
  box.addEventListener("close", () => {
    form.reset();
    show(problem);
    $("body").focus();
  });
}

// pressed is what a button asks for: an action and its values.
function pressed({ post: action, merge, unmerge, unlabel }) {
  if (merge) return ["merge", { contact: merge }];
  if (unmerge) return ["unmerge", { contact: unmerge }];
  if (unlabel) return ["label", { remove: unlabel }];
  return action ? [action, {}] : null;
}

let sure = null; // what is asked for before it is done

async function click(button) {
  const { dialog: box, hours, sure: question } = button.dataset;
  const asked = pressed(button.dataset);
  if (box) $(box).showModal();
  if (hours) {
    const at = new Date(Date.now() + hours * 3600e3);
    at.setMinutes(at.getMinutes() - at.getTimezoneOffset()); // the field takes local time, without a zone
    $("until").value = at.toISOString().slice(0, 16);
  }
  if (asked && question) {
    sure = asked;
    $("sure-text").textContent = question;
    $("sure-confirm").textContent = button.textContent;
    $("sure-dialog").showModal();
  } else if (asked) {
    button.disabled = true;
    if (await request(...asked)) $("body").focus();
    button.disabled = false;
  }
  if (button.id === "about-toggle") {
    document.querySelector("main").classList.toggle("with-about");
    settle();
  }
}

// A field beside the thread is left before its request, so that the answer can replace it.
async function submit(form) {
  const field = form.querySelector("input");
  const value = field.value;
  field.blur();
  if (form.id === "label-form") {
    field.value = "";
    const added = await request("label", { add: value });
    await changed(); // puts another field in the place of this one
    if (!added) $("label").value = value;
    $("label").focus();
  } else {
    await request("name", { name: value });
  }
}

if (chosen) {
  settleComposer = composer($("reply"), draftOf(`${account}:${chosen}`), (text, key) =>
    request($("reply").dataset.mode, { body: text }, key),
  );
  mode($("reply").dataset.mode);
  for (const m of ["reply", "note"]) {
    $(`as-${m}`).addEventListener("click", () => {
      mode(m);
      $("body").focus();
    });
  }
  dialog("close-dialog", (f, problem) =>
    request("close", { category: f.category.value, summary: f.summary.value }, undefined, problem),
  );
  dialog("pend-dialog", (f, problem) =>
    request(
      "set-pending",
      { stay: f.stay.checked, ...(f.until.value && { until: new Date(f.until.value).toISOString() }) },
      undefined,
      problem,
    ),
  );
  dialog("move-dialog", (f, problem) => request("move", { contact: f.contact.value }, undefined, problem));
  dialog("sure-dialog", (_, problem) => request(...sure, undefined, problem));
  document.addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (button) click(button);
  });
  document.addEventListener("submit", (e) => {
    if (!e.target.matches("#label-form, #name-form")) return;
    e.preventDefault();
    submit(e.target);
  });
  document.addEventListener("change", (e) => {
    const { post: action, as } = e.target.dataset;
    if (!e.target.matches("select") || !action) return;
    e.target.blur();
    request(action, { [as]: e.target.value });
  });
  document.addEventListener("focusout", (e) => {
    if (due.about && e.target.closest("#about")) changed();
  });
  settle();
  stayAtEnd($("scroll"));
}
$("find").addEventListener("change", (e) => {
  if (e.target.matches("select")) e.target.form.requestSubmit();
});
look();
