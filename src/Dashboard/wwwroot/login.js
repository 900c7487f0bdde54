// Trades a token for a cookie that no script can read, and goes where the visitor wanted to.
const form = document.getElementById("login");
const problem = document.getElementById("problem");

form.addEventListener("submit", async event => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  problem.textContent = "";
  try {
    const response = await fetch("/api/v1/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: form.elements.token.value.trim() }),
      signal: AbortSignal.timeout(15000),
    });
    if (response.ok) {
      location.replace(destination());
      return;
    }

    problem.textContent = (await response.json()).detail;
  } catch {
    problem.textContent = "The cluster does not answer. Is it running, and is this machine connected?";
  }

  button.disabled = false;
  form.elements.token.select();
});

form.querySelector("button").disabled = false;

/** Only a path of this very site: an address from outside must not send anybody elsewhere. */
function destination() {
  const from = new URLSearchParams(location.search).get("from") ?? "/";
  const url = new URL(from, location.origin);
  return from.startsWith("/") && url.origin === location.origin ? url.pathname + url.search : "/";
}
