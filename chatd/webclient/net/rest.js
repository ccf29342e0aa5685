/**
 * Requests to the REST API.
 *
 * A request waits for its rate limit, is repeated while the server is away if that is safe, and
 * takes a new access token when the present one has expired.
 */

import {ApiError, Unreachable} from "./errors.js";
import {Tokens} from "./tokens.js";

const BASE = "/api/v10";
const TIMEOUT_MS = 20_000;
/** Pauses before the attempts to repeat a request, in milliseconds. */
const PAUSES_MS = [500, 1500, 4000];
/** A longer wait for a rate limit is reported instead, in seconds. */
const MAX_WAIT_S = 15;

export class Rest {
  constructor() {
    this.tokens = new Tokens((body) => this._send("POST", "/auth/refresh", {body}, null));
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

  /** Log in or register: the answer has the tokens. @param {string} path @param {any} body */
  async enter(path, body) {
    this.tokens.store(await this._send("POST", path, {body}, null));
  }

  async logOut() {
    const login = this.tokens.login;
    if (login === null) return;
    try {
      await this.post("/auth/logout", {refresh_token: login.refresh});
    } finally {
      this.tokens.clear();
    }
  }

  /**
   * Send a request and return its answer, parsed. Throws ApiError, Unreachable.
   *
   * `isRepeatable` says that to run it twice does no harm, as with a nonce.
   * @param {string} method
   * @param {string} path
   * @param {{query?: Record<string, any>, body?: any, isRepeatable?: boolean}} [options]
   * @returns {Promise<any>}
   */
  async request(method, path, options = {}) {
    const isRepeatable = options.isRepeatable ?? method !== "POST";
    let token = await this.tokens.access();
    for (let attempt = 0; ; attempt++) {
      try {
        return await this._send(method, path, options, token);
      } catch (error) {
        const pause = PAUSES_MS[attempt];
        if (pause === undefined) throw error;
        if (error instanceof Unreachable) {
          if (!isRepeatable) throw error;
          await sleep(pause);
        } else if (error instanceof ApiError && error.status === 429) {
          if (error.retryAfter > MAX_WAIT_S) throw error;
          await sleep(error.retryAfter * 1000);
        } else if (error instanceof ApiError && error.status === 401 && attempt === 0) {
          token = await this.tokens.access(token ?? undefined);
        } else if (error instanceof ApiError && error.status >= 502 && isRepeatable) {
          await sleep(pause);
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
  async upload(path, body, files, {onProgress, signal} = {}) {
    const token = await this.tokens.access();
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
        const answer = parsed(request.responseText);
        if (request.status < 300) resolve(answer);
        else reject(new ApiError(request.status, answer));
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
   * @param {{query?: Record<string, any>, body?: any}} options
   * @param {string | null} token
   */
  async _send(method, path, {query, body}, token) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (token !== null) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
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
      text = await response.text();
    } catch (error) {
      throw new Unreachable(String(error));
    }
    if (!response.ok) throw new ApiError(response.status, parsed(text));
    return text === "" ? null : parsed(text);
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy has answered instead of the server
  }
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
