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
    this.mfa = body?.mfa;
    /** Seconds until the request may be repeated. */
    this.retryAfter = Number(body?.retry_after ?? 0);
  }
}

/** The server cannot be reached, or does not answer. */
export class Unreachable extends Error {}
