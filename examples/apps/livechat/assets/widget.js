// The visitor's chat.

import { composer, draftOf, follow, get, kept, newKey, patch, post, show, stayAtEnd } from "/assets/live.js";

const base = document.body.dataset.base;
const $ = (id) => document.getElementById(id);

const title = document.title;
const seenKey = `seen:${base}`; // the last line that the visitor has seen

stayAtEnd($("scroll"));
const refresh = async () => {
  const last = $("log").lastElementChild?.dataset.id ?? "";
  patch(await get(`${base}/thread?last=${last}`));
  look();
};
const changed = follow(`${base}/events`, refresh);

// look takes down what the visitor sees, or says how many answers there are that they have not seen.
function look() {
  const lines = [...$("log").children];
  if (!$("chat").hidden && document.visibilityState === "visible" && lines.length) {
    kept.set(seenKey, lines.at(-1).dataset.id);
  }
  const seen = lines.findIndex((li) => li.dataset.id === kept.get(seenKey));
  const n = lines.slice(seen + 1).filter((li) => li.matches(".user, .bot")).length;
  $("badge").hidden = !n;
  $("badge").textContent = n;
  $("chat-toggle").setAttribute("aria-label", n ? `Chat, ${n} new` : "Chat");
  document.title = n ? `(${n}) ${title}` : title;
}
document.addEventListener("visibilitychange", look);
window.addEventListener("storage", look);

// request sends one, and shows why it was refused: most often because the page is behind.
async function request(path, values, key) {
  show($("problem"));
  try {
    await post(`${base}/${path}`, values, key);
    return true;
  } catch (err) {
    if (err.code === "no_token") location.reload();
    show($("problem"), err.message);
    return false;
  } finally {
    changed();
  }
}

composer($("message"), draftOf(base), (text, key) => request("messages", { body: text }, key));

document.addEventListener("click", async (e) => {
  const choice = e.target.closest(".choice");
  if (!choice || choice.disabled) return;
  choice.disabled = true;
  await request("messages", { body: choice.textContent }, (choice.dataset.key ??= newKey()));
  choice.disabled = false;
  $("body").focus();
});

// The focus goes to the button, so that the answer can replace what was filled in.
document.addEventListener("submit", async (e) => {
  if (!e.target.matches("#rating-form")) return;
  e.preventDefault();
  const { conversation, cycle } = e.target.dataset;
  const { score, comment } = e.target.elements;
  $("rate").focus();
  await request("rate", { conversation, cycle: Number(cycle), score: Number(score.value), comment: comment.value });
});

$("restart").addEventListener("click", async () => {
  if (await request("restart", {})) $("body").focus();
});

function toggle(open) {
  $("chat").hidden = !open;
  $("chat-toggle").setAttribute("aria-expanded", open);
  document.body.classList.toggle("chatting", open);
  sessionStorage.setItem("chat", open ? "open" : "");
  look();
  if (open) $("body").focus();
}

$("chat-toggle").addEventListener("click", () => toggle($("chat").hidden));
$("chat-close").addEventListener("click", () => {
  toggle(false);
  $("chat-toggle").focus();
});
$("chat").addEventListener("keydown", (e) => {
  if (e.key === "Escape") $("chat-close").click();
});
if (sessionStorage.getItem("chat")) toggle(true);
look();
