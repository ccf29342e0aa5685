/** Emoji of the client: one line for each. */

declare const lines: string[];
export default lines;
