/** GUILD_MEMBER_LIST_UPDATE: the parts of a member list that the page has asked for. */

/**
 * @typedef {import("./shape.js").State} State
 * @typedef {import("./shape.js").MemberList} MemberList
 */

/** @type {Record<string, (items: (any | undefined)[], op: any) => (any | undefined)[]>} */
const OPS = {
  SYNC: (items, op) => {
    const changed = [...items];
    op.items.forEach((/** @type {any} */ item, /** @type {number} */ at) => {
      changed[op.range[0] + at] = item;
    });
    return changed;
  },
  INSERT: (items, op) => [...items.slice(0, op.index), op.item, ...items.slice(op.index)],
  UPDATE: (items, op) => {
    const changed = [...items];
    changed[op.index] = op.item;
    return changed;
  },
  DELETE: (items, op) => [...items.slice(0, op.index), ...items.slice(op.index + 1)],
  INVALIDATE: (items, op) => {
    const changed = [...items];
    for (let at = op.range[0]; at <= op.range[1]; at++) delete changed[at];
    return changed;
  },
};

/** @type {Record<string, (state: State, data: any) => State>} */
export const MEMBER_LISTS = {
  GUILD_MEMBER_LIST_UPDATE: (state, data) => {
    const before = state.lists[data.guild_id]?.items ?? [];
    const items = data.ops.reduce(
      (/** @type {any[]} */ present, /** @type {any} */ op) => OPS[op.op]?.(present, op) ?? present,
      before,
    );
    const size = data.groups.reduce((/** @type {number} */ sum, /** @type {any} */ each) => sum + each.count + 1, 0);
    const list = {groups: data.groups, items: items.slice(0, size), online: data.online_count};
    return {...state, lists: {...state.lists, [data.guild_id]: list}};
  },
};
