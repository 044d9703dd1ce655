// The dashboard counts anew when something happens, though not more often than somebody reads it.

import { follow, get, patch } from "/assets/live.js";

follow("/inbox/events", async () => {
  patch(await get("/dashboard/numbers"));
  await new Promise((done) => setTimeout(done, 1000));
});
