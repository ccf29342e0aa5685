/**
 * The tokens of the login, shared by all tabs of the browser.
 *
 * An access token is valid for some minutes; the refresh token exchanges it for a new pair, and is
 * then used up. So only one tab refreshes at a time: it holds a lock of the browser (Web Locks API)
 * while it does, and the others find the new pair in the storage.
 */

import {ApiError} from "./errors.js";

const KEY = "chatd.login";
/** Refresh this long before the access token expires, in milliseconds. */
const EARLY_MS = 30_000;

/**
 * @typedef {object} Login
 * @property {string} access
 * @property {string} refresh
 * @property {number} expires Milliseconds since 1970, by the clock of this computer.
 */

export class Tokens {
  /**
   * @param {(body: object) => Promise<any>} exchange Sends the refresh token to the server.
   */
  constructor(exchange) {
    this._exchange = exchange;
    /** @type {Login | null} Used where the browser refuses storage. */
    this._memory = null;
    /** Called when the login has ended, here or in another tab. */
    this.onEnd = () => {};
    addEventListener("storage", (event) => {
      if (event.key === KEY && event.newValue === null) this.onEnd();
    });
  }

  /** @returns {Login | null} */
  get login() {
    try {
      const text = localStorage.getItem(KEY);
      return text === null ? this._memory : JSON.parse(text);
    } catch {
      return this._memory;
    }
  }

  /** @param {any} answer The answer of a login, a registration or a refresh. */
  store(answer) {
    const expires = Date.now() + answer.expires_in * 1000;
    this._memory = {access: answer.access_token, refresh: answer.refresh_token, expires};
    try {
      localStorage.setItem(KEY, JSON.stringify(this._memory));
    } catch {
      // Storage is full or refused: the login lasts as long as this page.
    }
  }

  clear() {
    this._memory = null;
    try {
      localStorage.removeItem(KEY);
    } catch {
      // Nothing was stored.
    }
  }

  /**
   * Return a valid access token, or null without a login.
   * @param {string} [refused] A token that the server has just refused.
   * @returns {Promise<string | null>}
   */
  async access(refused) {
    const login = this.login;
    if (login === null) return null;
    if (login.access !== refused && Date.now() < login.expires - EARLY_MS) return login.access;
    return exclusively(() => this._refresh(refused));
  }

  /** @param {string} [refused] */
  async _refresh(refused) {
    const login = this.login;
    if (login === null) return null;
    const isFresh = Date.now() < login.expires - EARLY_MS;
    if (login.access !== refused && isFresh) return login.access; // another tab was faster
    try {
      this.store(await this._exchange({refresh_token: login.refresh}));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.clear();
      this.onEnd();
      return null;
    }
    return this.login?.access ?? null;
  }
}

/** @type {Promise<unknown>} */
let previous = Promise.resolve();

/**
 * Run one function at a time, over all tabs where the browser has locks.
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
function exclusively(run) {
  if (navigator.locks) return navigator.locks.request("chatd.refresh", run);
  const own = previous.then(run, run);
  previous = own.catch(() => {});
  return own;
}
