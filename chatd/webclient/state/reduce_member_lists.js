/** GUILD_MEMBER_LIST_UPDATE: the parts of a member list that the page has asked for. */

import {writable} from "./writable.js";

/**
 * @typedef {import("./shape.js").State} State
 * @typedef {import("./shape.js").MemberList} MemberList
 */

/** @type {Record<string, (items: (any | undefined)[], op: any) => void>} Each changes the items. */
const OPS = {
  SYNC: (items, op) =>
    op.items.forEach((/** @type {any} */ item, /** @type {number} */ at) => {
      items[op.range[0] + at] = item;
    }),
  INSERT: (items, op) => items.splice(op.index, 0, op.item),
  UPDATE: (items, op) => {
    items[op.index] = op.item;
  },
  DELETE: (items, op) => items.splice(op.index, 1),
  INVALIDATE: (items, op) => {
    for (let at = op.range[0]; at <= op.range[1]; at++) delete items[at];
  },
};

/** @type {Record<string, (state: State, data: any) => State>} */
export const MEMBER_LISTS = {
  GUILD_MEMBER_LIST_UPDATE: (state, data) => {
    const known = state.lists[data.guild_id];
    const items = writable(known?.id === data.id ? known.items : []);
    for (const op of data.ops) OPS[op.op]?.(items, op);
    const size = data.groups.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.count + 1, 0);
    if (items.length > size) items.length = size;
    const list = {id: data.id, groups: data.groups, items, online: data.online_count};
    return {...state, lists: {...state.lists, [data.guild_id]: list}};
  },
};
