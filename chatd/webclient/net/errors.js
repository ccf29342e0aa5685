/** What can go wrong between the page and the server. */

/** The server has refused a request. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {any} body
   */
  constructor(status, body) {
    super(body?.message ?? `HTTP ${status}`);
    this.status = status;
    /** @type {number} Discord's code of the error; 0 without one. */
    this.code = body?.code ?? 0;
    /** Errors of fields, nested as the body of the request was. */
    this.errors = body?.errors ?? {};
    /** Seconds until the request may be repeated. */
    this.retryAfter = Number(body?.retry_after ?? 0);
  }

  /** Return the texts of the errors of fields. */
  get details() {
    return [...texts(this.errors)];
  }
}

/** The server cannot be reached, or does not answer. */
export class Unreachable extends Error {}

/**
 * @param {any} errors
 * @returns {Generator<string>}
 */
function* texts(errors) {
  if (errors === null || typeof errors !== "object") return;
  for (const each of errors._errors ?? []) yield String(each.message);
  for (const [name, nested] of Object.entries(errors)) {
    if (name !== "_errors") yield* texts(nested);
  }
}
