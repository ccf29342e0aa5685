/**
 * The tokens of the login, shared by all tabs of the browser.
 *
 * An access token is valid for some minutes; the refresh token exchanges it for a new pair, and is
 * then used up. So only one tab refreshes at a time: it holds a lock of the browser (Web Locks API)
 * while it does, and the others find the new pair in the storage.
 *
 * When the server refuses the refresh token, the login has ended, but its user may log in again:
 * requests wait for that, so that nothing is lost. After a logout nothing waits.
 */

import {ApiError} from "./errors.js";
import {read, write} from "./storage.js";

const KEY = "chatd.login";
/** What the storage has after the server has ended the login. */
const ENDED = '"ended"';
/** Refresh this long before the access token expires, in milliseconds. */
const EARLY_MS = 30_000;

/**
 * @typedef {object} Login
 * @property {string} user The id of the user.
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
    /** @type {Login | null} */
    this._memory = null;
    /** Whether the browser does not store the login: it lasts as long as this page. */
    this.isForgotten = false;
    /** The user of the last login. @type {string | null} */
    this._user = null;
    /** @type {((login: Login | null) => void)[]} */
    this._waiting = [];
    /** Called when the login has ended, here or in another tab. */
    this.onEnd = () => {};
    /** Called when the user has logged out in another tab. */
    this.onLogOut = () => {};
    /** Called when the user has logged in in another tab. */
    this.onLogIn = () => {};
    addEventListener("storage", (event) => {
      if (event.key === KEY || event.key === null) this._changedElsewhere(event.newValue);
    });
    /** Whether the server has ended the login. */
    this.hasEnded = read(KEY) === ENDED;
  }

  /** Whether a user of this page has to log in again: requests wait for that. */
  get isInterrupted() {
    return this.hasEnded && this._user !== null;
  }

  /** @returns {Login | null} */
  get login() {
    if (this.isForgotten) return this._memory;
    const login = parsed(read(KEY));
    if (login !== null) this._user = login.user;
    return login;
  }

  /** @param {any} answer The answer of a login, a registration or a refresh. */
  store(answer) {
    const expires = Date.now() + answer.expires_in * 1000;
    const {access_token: access, refresh_token: refresh, user} = answer;
    this._memory = {user: user.id, access, refresh, expires};
    this.isForgotten = !write(KEY, JSON.stringify(this._memory));
    // A refresh token that is used up must not stay there: the server would end the login.
    if (this.isForgotten && read(KEY) !== null) write(KEY, ENDED) || write(KEY, null);
    this._continue(this._memory);
  }

  /** Forget the login: the user logs out. */
  clear() {
    this._memory = null;
    write(KEY, null);
    this._continue(null);
  }

  /** The server has ended the login. */
  end() {
    void this.login; // remembers the user
    this._memory = null;
    if (!this.isForgotten) write(KEY, ENDED);
    this.hasEnded = true;
    this.onEnd();
  }

  /**
   * Return a valid access token, or null without a login. Waits while the user has to log in again.
   * @param {string} [refused] A token that the server has just refused.
   * @returns {Promise<string | null>}
   */
  async access(refused) {
    const login = this.login;
    if (login === null) return this.isInterrupted ? this._again() : null;
    if (login.access !== refused && isFresh(login)) return login.access;
    const access = await exclusively(() => this._refresh(refused));
    return access === null && this.isInterrupted ? this._again() : access;
  }

  /** @param {string} [refused] */
  async _refresh(refused) {
    const login = this.login;
    if (login === null) return null;
    if (login.access !== refused && isFresh(login)) return login.access; // another tab was faster
    try {
      this.store(await this._exchange({refresh_token: login.refresh}));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.end();
      return null;
    }
    return this.login?.access ?? null;
  }

  /** Wait until the user has logged in again. @returns {Promise<string | null>} */
  async _again() {
    const login = await new Promise((resolve) => this._waiting.push(resolve));
    return login?.access ?? null;
  }

  /** Let requests that wait go on, unless another user has logged in. @param {Login | null} login */
  _continue(login) {
    const isSame = login !== null && this._user === login.user;
    for (const resolve of this._waiting.splice(0)) resolve(isSame ? login : null);
    this._user = login?.user ?? null;
    this.hasEnded = false;
  }

  /** @param {string | null} text */
  _changedElsewhere(text) {
    if (this.isForgotten) return;
    const login = parsed(text);
    if (login !== null) {
      this._continue(login);
      this.onLogIn();
    } else if (text === ENDED) {
      this.hasEnded = true;
      this.onEnd();
    } else {
      this._continue(null);
      this.onLogOut();
    }
  }
}

/** @param {Login} login */
const isFresh = (login) => Date.now() < login.expires - EARLY_MS;

/** @param {string | null} text @returns {Login | null} */
function parsed(text) {
  try {
    const value = JSON.parse(text ?? "null");
    return typeof value?.refresh === "string" ? value : null;
  } catch {
    return null;
  }
}

/** @type {Promise<unknown>} */
let previous = Promise.resolve();

/** Who refreshes, and until when, where the browser has no locks: it has them on https only. */
const HOLDER = "chatd.refresh";
/** A tab that has not ended in this time is gone, in milliseconds. A request takes less. */
const HELD_MS = 30_000;
/** After this pause the tab that wrote last is the holder, in milliseconds. */
const SETTLE_MS = 50;

/**
 * Run a function while no other tab does.
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
async function alone(run) {
  const own = String(Math.random());
  const pause = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  for (;;) {
    const [holder, until] = (read(HOLDER) ?? "").split(" ");
    const left = Number(until) - Date.now();
    if (holder === own) break;
    if (holder === "" || !(left > 0 && left <= HELD_MS)) {
      if (!write(HOLDER, `${own} ${Date.now() + HELD_MS}`)) break; // no tab shares the login
    }
    await pause();
  }
  try {
    return await run();
  } finally {
    write(HOLDER, null);
  }
}

/**
 * Run one function at a time, over all tabs where the browser has locks.
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T>}
 */
function exclusively(run) {
  if (navigator.locks) {
    return /** @type {Promise<any>} */ (navigator.locks.request("chatd.refresh", run));
  }
  const own = previous.then(() => alone(run));
  previous = own.catch(() => {});
  return own;
}
