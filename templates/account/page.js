// The token is taken out of the address, so that it is not in the browser's history.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const form = document.querySelector("form");
// Sent again, since the answer was lost, a request gets the same answer.
const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const message = document.getElementById("message");

function say(text) {
  message.textContent = text;
}

function request() {
  if ("tokenInQuery" in form.dataset) {
    return [`${form.action}?${new URLSearchParams({ token })}`, { method: "POST", headers: { "Idempotency-Key": key } }];
  }
  const body = JSON.stringify({ token, ...Object.fromEntries(new FormData(form)) });
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  return [form.action, { method: "POST", headers, body }];
}

async function submit(event) {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  say("");
  try {
    const response = await fetch(...request());
    if (response.ok) {
      form.hidden = true;
      say(form.dataset.done);
      return;
    }
    const { code, errors = [] } = await response.json();
    if (code === "sign_up_closed") {
      say(form.dataset.closed);
      return;
    }
    const find = (field) => errors.find((error) => error.field === field);
    const about = { token: "expired", password: "refused", email: "taken", username: "usernameRefused" };
    const field = Object.keys(about).find(find);
    if (field === "username") {
      const fields = form.querySelector("fieldset");
      fields.hidden = fields.disabled = false;
      fields.querySelector("input").focus();
    }
    const isTaken = field === "username" && find(field).code === "taken";
    say(form.dataset[isTaken ? "usernameTaken" : (about[field] ?? "failed")]);
  } catch {
    say(form.dataset.failed);
  } finally {
    button.disabled = false;
  }
}

if (token) {
  form.hidden = false;
  form.addEventListener("submit", submit);
} else {
  say(message.dataset.incomplete);
}
