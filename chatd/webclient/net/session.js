/**
 * The login of this page: its requests, its gateway session, and what the user does with them.
 *
 * Views call these functions and those of the modules beside this one. What they change reaches the
 * state by events of the gateway, but for messages that are being sent, which are shown at once.
 */

import {signal} from "../vendor/signals.js";
import {dispatch, enqueue, flush, state} from "../state/store.js";
import {Gateway} from "./gateway.js";
import {Rest} from "./rest.js";
import {keys, write} from "./storage.js";

export const rest = new Rest();

const NOTICE_MS = 4000;

/** What the page shows of its connection. @type {import("../vendor/signals.js").Signal<any>} */
export const connection = signal({status: "connecting", retryAt: 0, notice: ""});

const {tokens} = rest;

/** Whether the user is logged in, or was logged out by the server ("ended"). */
export const login = signal(tokens.login ? "present" : tokens.hasEnded ? "ended" : "none");

/** Whether the browser refuses to store the login. */
export const isForgotten = signal(false);

/** @type {Gateway | null} */
let gateway = null;

// The state stays: the user may log in again without losing anything.
tokens.onEnd = () => {
  stop();
  login.value = "ended";
};
tokens.onLogOut = () => {
  stop();
  forget();
  login.value = "none";
};
tokens.onLogIn = () => start();

/** Called with every event, before it changes the state. @type {Set<(name: string, data: any) => void>} */
export const listeners = new Set();

/**
 * Pass an event to a listener. One that throws must not end the connection.
 * @param {(name: string, data: any) => void} listener @param {string} name @param {any} data
 */
function tell(listener, name, data) {
  try {
    listener(name, data);
  } catch (error) {
    reportError(error);
  }
}

/** Connect, with the login that is there. */
export function start() {
  if (gateway !== null || tokens.login === null) return;
  if (state.value.me !== null && state.value.me.id !== tokens.login.user) forget();
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  gateway = new Gateway(
    `${scheme}//${location.host}/gateway`,
    () => tokens.access(),
    {
      onEvent: (name, data) => {
        if (name === "READY") {
          flush();
          const isAgain = state.value.me !== null;
          dispatch({type: name, data});
          if (isAgain) notice("status-reloading");
        } else {
          enqueue({type: name, data});
        }
        for (const listener of listeners) tell(listener, name, data);
      },
      onStatus: (status, retryAt) => {
        if (status === "ended") {
          tokens.end();
          return;
        }
        connection.value = {...connection.value, status, retryAt};
      },
      onResumed: () => notice("status-resumed"),
    },
    new URL("./ticker.js", import.meta.url),
  );
  gateway.reconnect();
  login.value = "present";
  isForgotten.value = tokens.isForgotten;
}

function stop() {
  gateway?.end();
  gateway = null;
}

/** Forget what belongs to the user: another one may log in. */
function forget() {
  flush();
  dispatch({type: "logged out", data: null});
  for (const key of keys()) if (/^chatd\.(draft|unsent)\./.test(key)) write(key, null);
}

export const connectNow = () => gateway?.reconnect();

let noticeTimer = 0;

/** Show a short text about the connection, or about where the user is. @param {string} id */
export function notice(id) {
  clearTimeout(noticeTimer);
  connection.value = {...connection.value, notice: id};
  noticeTimer = setTimeout(() => {
    connection.value = {...connection.value, notice: ""};
  }, NOTICE_MS);
}

/** @param {string} path @param {any} body */
export async function enter(path, body) {
  const answer = await rest.enter(path, body);
  if (!answer.mfa && !answer.awaits_approval) start();
  return answer;
}

export async function logOut() {
  try {
    await rest.logOut();
  } finally {
    tokens.onLogOut();
  }
}

// Members

/** Ask for parts of a guild's member list. @param {string} guild @param {string} channel @param {number[][]} ranges */
export const watchMembers = (guild, channel, ranges) =>
  gateway?.send(14, {guild_id: guild, typing: true, activities: true, channels: {[channel]: ranges}});
