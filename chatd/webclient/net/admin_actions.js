/** What administrators of the server do. */

import {rest} from "./session.js";

/** Accounts or guilds of one page. */
export const PAGE_SIZE = 50;

/** @param {{query: string, kind: string, after: string}} page @returns {Promise<any[]>} */
export const accounts = (page) => rest.get("/administration/accounts", {...page, limit: PAGE_SIZE});

/** @param {string} id @param {Record<string, any>} change */
export const changeAccount = (id, change) => rest.patch(`/administration/accounts/${id}`, change);

/** @param {string} id */
export const logOutAccount = (id) => rest.post(`/administration/accounts/${id}/logout`);

/** @param {string} id @param {{delete_guilds: boolean, delete_applications: boolean}} options */
export const deleteAccount = (id, options) =>
  rest.request("DELETE", `/administration/accounts/${id}`, {body: options});

/** @param {{query: string, after: string}} page @returns {Promise<any[]>} */
export const guilds = (page) => rest.get("/administration/guilds", {...page, limit: PAGE_SIZE});

/** @param {{after: string}} page @returns {Promise<any[]>} */
export const reports = ({after}) => rest.get("/administration/reports", {after, limit: PAGE_SIZE});

/** @param {string} id @param {{outcome: string, note: string, similar: boolean}} decision */
export const resolveReport = (id, decision) => rest.post(`/administration/reports/${id}/resolve`, decision);

/** @param {{after: string}} page @returns {Promise<any[]>} */
export const registrations = ({after}) => rest.get("/administration/registrations", {after, limit: PAGE_SIZE});

/** @param {string} id @param {"approve" | "refuse"} decision */
export const decideRegistration = (id, decision) => rest.post(`/administration/registrations/${id}/${decision}`);

/** @returns {Promise<any[]>} */
export const codes = () => rest.get("/auth/invitations");

/** @param {{max_uses: number, max_age: number}} terms */
export const createCode = (terms) => rest.post("/auth/invitations", terms);

/** @param {string} code */
export const revokeCode = (code) => rest.delete(`/auth/invitations/${code}`);

export const statistics = () => rest.get("/administration/statistics");
export const figures = () => rest.get("/administration/figures");

/** Whether the user is an administrator now: the flag STAFF of the own account. */
export const isAdministrator = async () => ((await rest.get("/users/@me")).flags & 1) !== 0;
