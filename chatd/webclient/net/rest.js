/**
 * Requests to the REST API.
 *
 * A request waits for its rate limit, is repeated while the server is away if that is safe, and
 * takes a new access token when the present one has expired.
 */

import {noteTime} from "../state/clock.js";
import {locale} from "../lang/translate.js";
import {signal} from "../vendor/signals.js";
import {ApiError, Unreachable} from "./errors.js";
import {Tokens} from "./tokens.js";

const BASE = "/api/v10";
const TIMEOUT_MS = 20_000;
/** Pauses before the attempts to repeat a request, in seconds. */
const PAUSES_S = [0.5, 1.5, 4];
/** A longer wait for a rate limit is reported instead, in seconds. */
const MAX_WAIT_S = 15;

/** The status that a success without JSON counts as: a proxy has answered instead of the server. */
const NO_ANSWER = 500;

/**
 * What the latest request that waits is waiting for: its rate limit, or a server that is away.
 * @type {import("../vendor/signals.js").Signal<{seconds: number, isLimited: boolean} | null>}
 */
export const pause = signal(null);

export class Rest {
  constructor() {
    this.tokens = new Tokens((body) => this._send("POST", "/auth/refresh", {body}, null));
    /** Asks for the second factor. @type {(error: any) => Promise<string>} */
    this.confirm = Promise.reject.bind(Promise);
  }

  /** @param {string} path @param {Record<string, any>} [query] */
  get(path, query) {
    return this.request("GET", path, {query});
  }

  /** @param {string} path @param {any} [body] */
  post(path, body = {}) {
    return this.request("POST", path, {body});
  }

  /** @param {string} path @param {any} body */
  patch(path, body) {
    return this.request("PATCH", path, {body});
  }

  /** @param {string} path @param {any} [body] */
  put(path, body) {
    return this.request("PUT", path, {body});
  }

  /** @param {string} path */
  delete(path) {
    return this.request("DELETE", path);
  }

  /** Log in or register: the answer has the tokens, or `mfa`. @param {string} path @param {any} body */
  async enter(path, body) {
    const answer = await this._send("POST", path, {body}, null);
    if (!answer.mfa && !answer.awaits_approval) this.tokens.store(answer);
    return answer;
  }

  /** Call a route that needs no login, whether there is one or not. @param {string} path @param {any} body */
  open(path, body) {
    return this._send("POST", path, {body}, null);
  }

  async logOut() {
    const login = this.tokens.login;
    try {
      if (login !== null) await this.post("/auth/logout", {refresh_token: login.refresh});
    } finally {
      this.tokens.clear();
    }
  }

  /**
   * Send a request and return its answer, parsed. Throws ApiError, Unreachable.
   *
   * `isRepeatable` says that to run it twice does no harm, as with a nonce. `reason` is for the
   * audit log.
   * @param {string} method
   * @param {string} path
   * @param {{query?: Record<string, any>, body?: any, isRepeatable?: boolean,
   *   reason?: string, confirmation?: string}} [options]
   * @returns {Promise<any>}
   */
  async request(method, path, options = {}) {
    const isRepeatable = options.isRepeatable ?? method !== "POST";
    let token = await this.tokens.access();
    for (let attempt = 0; ; attempt++) {
      try {
        return await this._send(method, path, options, token);
      } catch (error) {
        const seconds = PAUSES_S[attempt];
        if (seconds === undefined) throw error;
        if (error instanceof Unreachable) {
          if (!isRepeatable) throw error;
          await wait(seconds, false);
        } else if (error instanceof ApiError && error.status === 429) {
          if (error.retryAfter > MAX_WAIT_S) throw error;
          await wait(error.retryAfter, true);
        } else if (error instanceof ApiError && error.mfa && !options.confirmation) {
          options = {...options, confirmation: await this.confirm(error)};
        } else if (error instanceof ApiError && error.status === 401 && attempt === 0) {
          token = await this.tokens.access(token ?? undefined);
        } else if (error instanceof ApiError && error.status >= 502 && isRepeatable) {
          await wait(seconds, false);
        } else {
          throw error;
        }
      }
    }
  }

  /**
   * Send a message with files, and report how much of it is sent.
   *
   * XMLHttpRequest, since fetch does not report the progress of a body.
   * @param {string} path
   * @param {any} body
   * @param {File[]} files
   * @param {{onProgress?: (part: number) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<any>}
   */
  async upload(path, body, files, options = {}) {
    const token = await this.tokens.access();
    try {
      return await this._upload(path, body, files, options, token);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      const other = await this.tokens.access(token ?? undefined);
      return this._upload(path, body, files, options, other);
    }
  }

  /**
   * @param {string} path
   * @param {any} body
   * @param {File[]} files
   * @param {{onProgress?: (part: number) => void, signal?: AbortSignal}} options
   * @param {string | null} token
   * @returns {Promise<any>}
   */
  _upload(path, body, files, {onProgress, signal}, token) {
    const form = new FormData();
    form.set("payload_json", JSON.stringify(body));
    files.forEach((file, index) => form.set(`files[${index}]`, file, file.name));
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", BASE + path);
      if (token !== null) request.setRequestHeader("Authorization", `Bearer ${token}`);
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) onProgress?.(event.loaded / event.total);
      };
      request.onload = () => {
        const answer = request.responseText === "" ? null : parsed(request.responseText);
        if (request.status >= 300) reject(new ApiError(request.status, answer));
        else if (answer === undefined) reject(new ApiError(NO_ANSWER, null));
        else resolve(answer);
      };
      request.onerror = () => reject(new Unreachable());
      request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
      signal?.addEventListener("abort", () => request.abort());
      if (signal?.aborted) request.abort();
      else request.send(form);
    });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{query?: Record<string, any>, body?: any, reason?: string, confirmation?: string}} options
   * @param {string | null} token
   */
  async _send(method, path, {query, body, reason, confirmation}, token) {
    /** @type {Record<string, string>} */
    const headers = {"X-Discord-Locale": locale()};
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (reason) headers["X-Audit-Log-Reason"] = encodeURIComponent(reason);
    if (confirmation) headers["X-Discord-MFA-Authorization"] = confirmation;
    const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
    const parameters = new URLSearchParams(given).toString();
    let response;
    let text;
    try {
      response = await fetch(BASE + path + (parameters && `?${parameters}`), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      noteTime(response.headers.get("Date"));
      text = await response.text();
    } catch (error) {
      throw new Unreachable(String(error));
    }
    if (!response.ok) throw new ApiError(response.status, parsed(text));
    if (text === "") return null;
    const answer = parsed(text);
    if (answer === undefined) throw new ApiError(NO_ANSWER, null);
    return answer;
  }
}

/** Return the value of a JSON text; undefined if it is none. @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Wait before a request is repeated. @param {number} seconds @param {boolean} isLimited by a rate limit */
async function wait(seconds, isLimited) {
  const own = {seconds, isLimited};
  pause.value = own;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  if (pause.peek() === own) pause.value = null;
}
