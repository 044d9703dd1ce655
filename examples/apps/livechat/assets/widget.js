// The visitor's chat.

import { composer, follow, get, newKey, patch, post, show, stayAtEnd } from "/assets/live.js";

const base = document.body.dataset.base;
const $ = (id) => document.getElementById(id);

stayAtEnd($("scroll"));
const refresh = async () => patch(await get(`${base}/thread`));
const changed = follow(`${base}/events`, refresh);

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

composer($("message"), (text, key) => request("messages", { body: text }, key));

document.addEventListener("click", async (e) => {
  const choice = e.target.closest(".choice");
  if (!choice || choice.disabled) return;
  choice.disabled = true;
  await request("messages", { body: choice.textContent }, (choice.dataset.key ??= newKey()));
  choice.disabled = false;
  $("body").focus();
});

$("restart").addEventListener("click", async () => {
  if (await request("restart", {})) $("body").focus();
});

function toggle(open) {
  $("chat").hidden = !open;
  $("chat-toggle").setAttribute("aria-expanded", open);
  document.body.classList.toggle("chatting", open);
  sessionStorage.setItem("chat", open ? "open" : "");
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
