// The way to the server: JSON, the session's CSRF token, and errors as sentences.

const ROOT = "/api/v1/";
export const session = { name: "", roles: [], csrf: "", fleet: false };

export class ApiError extends Error {
  constructor(code, message, field, status) {
    super(message);
    Object.assign(this, { code, field, status });
  }
}

let leave = () => {};
/** What is done when the server no longer knows us. */
export function onSignedOut(listener) {
  leave = listener;
}

export const can = (role) => session.roles.includes(role);
export const url = (...parts) => ROOT + parts.map((part) => encodeURIComponent(part)).join("/");

/** Ask for JSON. `body`: a value sent as JSON, or a Blob sent as it is.
 *  Throws ApiError, whose message can be shown as it is. */
export async function call(method, address, body, signal) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") {
    headers["X-CSRF-Token"] = session.csrf;
    headers["Idempotency-Key"] = newKey();
  }
  if (body instanceof Blob) headers["Content-Type"] = body.type || "application/octet-stream";
  else if (body !== undefined) headers["Content-Type"] = "application/json";
  let reply;
  try {
    reply = await fetch(address, {
      method, headers, signal, credentials: "same-origin",
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "The service cannot be reached. Is it still running?", "", 0);
  }
  const text = await reply.text();
  let value = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    // A proxy's page is no answer of ours.
  }
  if (reply.ok) return value;
  const error = value?.error ?? {};
  if (reply.status === 401 && !address.endsWith("/session")) leave();
  const fallback = `The service answered with the status ${reply.status}.`;
  throw new ApiError(error.code ?? "failed", error.message || fallback, error.field ?? "", reply.status);
}

export const get = (address, signal) => call("GET", address, undefined, signal);

/** Take over a session that the server still knows; false where there is none. */
export async function recall(signal) {
  try {
    Object.assign(session, await get(url("session"), signal));
    return true;
  } catch (error) {
    if (error.status === 401 || error.status === 403) return false;
    throw error;
  }
}

export async function signIn(token) {
  Object.assign(session, await call("POST", url("session"), { token }));
}

export async function signOut() {
  try {
    await call("DELETE", url("session"));
  } finally {
    Object.assign(session, { name: "", roles: [], csrf: "", fleet: false });
  }
}

/** Unlike crypto.randomUUID it is there over plain HTTP too. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16).padStart(8, "0")).join("");
}
