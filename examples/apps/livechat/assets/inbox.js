// The agents' inbox.

import { composer, follow, get, patch, post, show, stayAtEnd } from "/assets/live.js";

const chosen = document.body.dataset.chosen; // the conversation beside the list, if any
const $ = (id) => document.getElementById(id);

let status = "";

async function refresh() {
  const query = new URLSearchParams({ status: $("rows").dataset.status, chosen: chosen ?? "" });
  const parts = [get(`/inbox/list?${query}`)];
  if (chosen) parts.push(get(`/inbox/${chosen}/thread`));
  for (const part of await Promise.all(parts)) patch(part);
  settle();
}
const changed = follow("/inbox/events", refresh);

// request sends one about the chosen conversation, and shows why it was refused.
async function request(action, values, key, problem = $("problem")) {
  show(problem);
  try {
    await post(`/inbox/${chosen}/${action}`, values, key);
    return true;
  } catch (err) {
    if (err.code === "signed_out") location.assign("/login");
    show(problem, err.message);
    return false;
  } finally {
    changed();
  }
}

// settle puts right what follows from the parts that were just replaced.
function settle() {
  const toggle = $("about-toggle");
  toggle?.setAttribute("aria-expanded", document.querySelector("main").classList.contains("with-about"));
  if (!chosen) return;
  const was = status;
  status = $("state").dataset.status;
  if (status === "closed") mode("note");
  else if (was === "closed" && !$("body").value) mode("reply"); // a note that is being written stays one
}

function mode(name) {
  $("reply").dataset.mode = name;
  for (const m of ["reply", "note"]) $(`as-${m}`).setAttribute("aria-pressed", m === name);
  $("body").placeholder = name === "note" ? "A note that only agents see…" : "Reply to the visitor…";
  $("send").textContent = name === "note" ? "Add note" : "Send";
}

// dialog asks for what a request needs, and stays open until it is done.
function dialog(id, action, values) {
  const box = $(id);
  const form = box.querySelector("form");
  const problem = box.querySelector(".problem");
  box.querySelector(".cancel").addEventListener("click", () => box.close());
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    if (await request(action, values(form.elements), undefined, problem)) box.close();
  });
  box.addEventListener("close", () => {
    form.reset();
    show(problem);
    $("body").focus();
  });
}

if (chosen) {
  composer($("reply"), (text, key) => request($("reply").dataset.mode, { body: text }, key));
  for (const m of ["reply", "note"]) {
    $(`as-${m}`).addEventListener("click", () => {
      mode(m);
      $("body").focus();
    });
  }
  dialog("close-dialog", "close", (f) => ({ category: f.category.value, summary: f.summary.value }));
  dialog("pend-dialog", "set-pending", (f) => (f.until.value ? { until: new Date(f.until.value).toISOString() } : {}));
  document.addEventListener("click", async (e) => {
    const button = e.target.closest("button");
    if (!button) return;
    const { dialog: box, post: action, merge, hours } = button.dataset;
    if (box) $(box).showModal();
    if (hours) {
      const at = new Date(Date.now() + hours * 3600e3);
      at.setMinutes(at.getMinutes() - at.getTimezoneOffset()); // the field takes local time, without a zone
      $("until").value = at.toISOString().slice(0, 16);
    }
    if (action || merge) {
      button.disabled = true;
      if (await request(action ?? "merge", merge ? { contact: merge } : {})) $("body").focus();
      button.disabled = false;
    }
    if (button.id === "about-toggle") {
      document.querySelector("main").classList.toggle("with-about");
      settle();
    }
  });
  document.addEventListener("change", (e) => {
    if (e.target.id !== "assignee") return;
    e.target.blur();
    request("assign", { user: e.target.value });
  });
  settle();
  stayAtEnd($("scroll"));
}
