// Signing in with a token. The one-time link that stands on the service's terminal does the same without typing.

import { fill, h } from "./dom.js";
import { signIn } from "./api.js";
import { attempt, field } from "./ui.js";

export function signInView(root, entered) {
  document.title = "Sign in · facestream";
  const token = h("input", { name: "token", type: "password", autocomplete: "current-password", required: true, spellcheck: "false" });
  const button = h("button", { class: "primary" }, "Sign in");
  fill(root, h("form", {
    class: "card signin",
    onsubmit: async (event) => {
      event.preventDefault();
      if (await attempt(button, () => signIn(token.value.trim()))) entered();
      else token.select();
    },
  },
  h("h1", null, "facestream"),
  field("Token", token, ["Whoever runs the service makes one with ", h("code", null, "facestream tokens new NAME"), ", or a link with ", h("code", null, "facestream tokens link"), "."]),
  button));
  token.focus();
}
