// Verifies messages by the library of Standard Webhooks for JavaScript: each line is one, and so is each answer.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Webhook } = createRequire(import.meta.url)(process.env.STANDARD_WEBHOOKS);

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  try {
    console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
  } catch (error) {
    console.log(JSON.stringify({ refused: error.message }));
  }
}
