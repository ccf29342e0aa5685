/** What the client uses of uqr. */

/** Returns the modules of a QR code with its border, row by row: true is dark. */
export function encode(
  text: string,
  options: {ecc: "L" | "M" | "Q" | "H"; border: number},
): {size: number; data: boolean[][]};
