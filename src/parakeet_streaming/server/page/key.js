/** The key of this tab, and how it is sent. */

const KEPT_AS = "parakeet-key";
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export const kept = {
  get key() {
    return sessionStorage.getItem(KEPT_AS);
  },
  set key(key) {
    if (key === null) sessionStorage.removeItem(KEPT_AS);
    else sessionStorage.setItem(KEPT_AS, key);
  },
};

/** Headers of a request. */
export function headers(key) {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Subprotocols of a socket, to which browsers add no header. */
export function protocols(key) {
  if (!key) return ["parakeet"];
  // Only some characters may stand in a subprotocol.
  const shown = TOKEN.test(key)
    ? `openai-insecure-api-key.${key}`
    : `base64url-api-key.${base64url(key)}`;
  return ["parakeet", shown];
}

function base64url(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Asks for the key.
 * @param {?string} why null for the first time
 * @returns {Promise<?string>} null if the dialog was closed
 */
export function ask(why) {
  const dialog = document.getElementById("key-dialog");
  const input = document.getElementById("key");
  if (why !== null) document.getElementById("key-why").textContent = why;
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  input.focus();
  document.getElementById("key-cancel").onclick = () => dialog.close("");
  dialog.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    dialog.close("use");
  };
  return new Promise((done) => {
    dialog.onclose = () => {
      const key = input.value.trim();
      input.value = "";
      done(dialog.returnValue === "use" && key ? key : null);
    };
  });
}
