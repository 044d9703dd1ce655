// The dashboard counts anew when something happens.

import { follow, get, patch } from "/assets/live.js";

follow("/inbox/events", async () => patch(await get("/dashboard/numbers")));
