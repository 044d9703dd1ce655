// Verifies a webhook by npm's standardwebhooks: node verify.js SECRET HEADERS < BODY
const { Webhook } = require("standardwebhooks");
const body = require("fs").readFileSync(0, "utf8");
const event = new Webhook(process.argv[2]).verify(body, JSON.parse(process.argv[3]));
if (!event.type || !event.data) throw new Error("no event");
