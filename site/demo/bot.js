// Which bot: the settings say it, or the page's address does.

export function botOf({ botId }, { search }) {
  const asked = new URLSearchParams(search).get("bot") ?? "";
  return botId || (/^\d+$/.test(asked) ? asked : "");
}

/** Shows the form that asks for the bot's ID, and loads the page with that. */
export function askForBot(form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const address = new URL(location.href);
    address.searchParams.set("bot", new FormData(form).get("bot"));
    location.assign(address);
  });
}
