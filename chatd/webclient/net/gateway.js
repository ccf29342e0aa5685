/**
 * One session of the gateway, over as many connections as it needs.
 *
 * After a lost connection it resumes: the server repeats what the page has missed. If the server
 * does not know the session any more, it identifies again, and READY replaces the whole state.
 * After the computer has slept, or when the user returns, it checks that the connection still works.
 */

import {Inflater, isSupported} from "./inflate.js";

const IDENTIFY = 2;
const RESUME = 6;
const RECONNECT = 7;
const INVALID_SESSION = 9;
const HELLO = 10;
const HEARTBEAT_ACK = 11;

/** Close codes after which the same IDENTIFY would fail again. Rule: Discord docs, Close Codes. */
const FINAL_CODES = new Set([4004, 4010, 4011, 4012, 4013, 4014]);
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** A connection that does not say HELLO in this time is given up, in milliseconds. */
const HELLO_TIMEOUT_MS = 10_000;
/** A connection that does not answer a heartbeat in this time, after a pause, is given up. */
const CHECK_TIMEOUT_MS = 5000;
/** A heartbeat that is later than this says that the computer has slept, in milliseconds. */
const SLEPT_MS = 20_000;

/**
 * @typedef {"connecting" | "live" | "waiting" | "offline" | "ended"} Status
 * @typedef {object} Handlers
 * @property {(name: string, data: any) => void} onEvent Receives every event, in order.
 * @property {(status: Status, retryAt: number) => void} onStatus `retryAt` is for "waiting".
 * @property {() => void} onResumed Called when the page has missed nothing.
 */

export class Gateway {
  /**
   * @param {string} url
   * @param {() => Promise<string | null>} token
   * @param {Handlers} handlers
   * @param {URL} ticker The address of `ticker.js`.
   */
  constructor(url, token, handlers, ticker) {
    this._url = url;
    this._token = token;
    this._handlers = handlers;
    /** @type {WebSocket | null} */
    this._socket = null;
    this._sessionId = "";
    this._sequence = 0;
    this._failures = 0;
    this._isAcknowledged = true;
    this._isEnded = false;
    this._retry = 0;
    this._check = 0;
    this._interval = 0;
    this._heartbeatAt = 0;
    /** Whether messages are compressed: not if the browser cannot read them. */
    this._isCompressed = isSupported;
    /** @type {Inflater | null} */
    this._inflater = null;
    this._ticker = new Worker(ticker, {type: "module"});
    this._ticker.onmessage = () => this._heartbeat();
    this._listeners = new AbortController();
    const {signal} = this._listeners;
    const returned = () => this._returned();
    addEventListener("online", returned, {signal});
    addEventListener("pageshow", returned, {signal});
    addEventListener("offline", () => this._lost(), {signal});
    document.addEventListener("resume", returned, {signal});
    document.addEventListener("visibilitychange", () => document.hidden || returned(), {signal});
  }

  /** Connect now instead of after the pause. */
  reconnect() {
    if (this._isEnded || this._socket !== null) return;
    clearTimeout(this._retry);
    this._connect();
  }

  /** End the session. */
  end() {
    this._isEnded = true;
    clearTimeout(this._retry);
    clearTimeout(this._check);
    this._listeners.abort();
    this._ticker.terminate();
    this._inflater?.close();
    this._socket?.close(1000);
    this._socket = null;
  }

  /** Send a command, unless the connection is lost. @param {number} op @param {any} d */
  send(op, d) {
    if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify({op, d}));
  }

  async _connect() {
    this._handlers.onStatus("connecting", 0);
    const compression = this._isCompressed ? "&compress=zlib-stream" : "";
    const socket = new WebSocket(`${this._url}?v=10&encoding=json${compression}`);
    socket.binaryType = "arraybuffer";
    this._socket = socket;
    const receive = (/** @type {any} */ frame) => {
      if (socket !== this._socket) return;
      if (frame.op === HELLO) clearTimeout(giveUp);
      this._receive(frame);
    };
    const unreadable = () => {
      if (socket !== this._socket) return;
      this._isCompressed = false;
      this._lost(socket);
    };
    const giveUp = setTimeout(() => {
      if (this._inflater?.hasInput) unreadable();
      else this._lost(socket);
    }, HELLO_TIMEOUT_MS);
    this._inflater?.close();
    this._inflater = this._isCompressed ? new Inflater(receive, unreadable) : null;
    const inflater = this._inflater;
    socket.onmessage = ({data}) => {
      if (inflater !== null && typeof data !== "string") inflater.push(data);
      else receive(JSON.parse(data));
    };
    socket.onclose = (event) => {
      clearTimeout(giveUp);
      if (socket !== this._socket) return;
      if (FINAL_CODES.has(event.code)) {
        this.end();
        this._handlers.onStatus("ended", 0);
        return;
      }
      this._lost(socket);
    };
  }

  /** @param {any} frame */
  _receive({op, d, s, t}) {
    if (op === HELLO) {
      this._isAcknowledged = true;
      this._interval = d.heartbeat_interval;
      this._heartbeatAt = Date.now();
      this._ticker.postMessage(d.heartbeat_interval);
      this._introduce();
    } else if (op === HEARTBEAT_ACK) {
      this._isAcknowledged = true;
    } else if (op === 1) {
      this.send(1, this._sequence || null);
    } else if (op === RECONNECT) {
      this._lost();
    } else if (op === INVALID_SESSION) {
      if (!d) this._sessionId = "";
      this._lost();
    } else if (op === 0) {
      this._sequence = s;
      this._dispatch(t, d);
    }
  }

  /** @param {string} name @param {any} data */
  _dispatch(name, data) {
    if (name === "READY" || name === "RESUMED") {
      this._failures = 0;
      if (name === "READY") this._sessionId = data.session_id;
      this._handlers.onStatus("live", 0);
      if (name === "RESUMED") return this._handlers.onResumed();
    }
    this._handlers.onEvent(name, data);
  }

  async _introduce() {
    const socket = this._socket;
    let token = null;
    try {
      token = await this._token();
    } catch {
      return this._lost(socket);
    }
    if (socket !== this._socket || token === null) return;
    if (this._sessionId !== "") {
      this.send(RESUME, {token, session_id: this._sessionId, seq: this._sequence});
      return;
    }
    this._sequence = 0;
    const properties = {os: navigator.platform, browser: "chatd", device: ""};
    // Bit 0: the notes about users are loaded when they are shown.
    this.send(IDENTIFY, {token, properties, capabilities: 1, presence: {status: "unknown"}});
  }

  _heartbeat() {
    if (this._socket === null) return;
    const late = Date.now() - this._heartbeatAt - this._interval;
    this._heartbeatAt = Date.now();
    if (!this._isAcknowledged) return this._lost(); // the connection is lost without a close
    if (late > SLEPT_MS) return this._returned();
    this._isAcknowledged = false;
    this.send(1, this._sequence || null);
  }

  /** The user or the network has returned: connect, or check the connection. */
  _returned() {
    if (this._socket === null) return this.reconnect();
    if (this._socket.readyState !== WebSocket.OPEN || this._interval === 0) return;
    const socket = this._socket;
    clearTimeout(this._check);
    this._isAcknowledged = false;
    this.send(1, this._sequence || null);
    this._check = setTimeout(() => this._isAcknowledged || this._lost(socket), CHECK_TIMEOUT_MS);
  }

  /** Give up a connection, and connect again after a pause. @param {WebSocket | null} [socket] */
  _lost(socket = this._socket) {
    if (this._isEnded || socket !== this._socket) return;
    this._ticker.postMessage(0);
    this._interval = 0;
    clearTimeout(this._check);
    this._inflater?.close();
    this._socket?.close(4000); // with 1000 the server would end the session
    this._socket = null;
    clearTimeout(this._retry);
    if (!navigator.onLine) return this._handlers.onStatus("offline", 0);
    const longest = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this._failures++);
    const pause = longest * (0.5 + Math.random() / 2); // not all pages at the same moment
    this._retry = setTimeout(() => this._connect(), pause);
    this._handlers.onStatus("waiting", Date.now() + pause);
  }
}
