/** Pictures that the user chooses, as the REST API takes them. */

/** A picture is made this large: no view shows a larger one, in pixels. */
const SIDE_PX = 256;
/** A file of this size is kept as it is, in bytes. A GIF would lose its movement. */
const MAX_BYTES = 256 * 1024;
const KEPT = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/**
 * Return a file as a data URI, cut to a square and made smaller if it is large.
 * @param {File} file
 * @returns {Promise<{uri?: string, problem?: "size" | "type"}>}
 */
export async function dataUri(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return {problem: "type"};
  }
  if (KEPT.has(file.type) && file.size <= MAX_BYTES) return {uri: await read(file)};
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.min(side, SIDE_PX);
  const left = (bitmap.width - side) / 2;
  const top = (bitmap.height - side) / 2;
  canvas
    .getContext("2d")
    ?.drawImage(bitmap, left, top, side, side, 0, 0, canvas.width, canvas.height);
  const uri = canvas.toDataURL("image/png");
  return uri.startsWith("data:image/png") ? {uri} : {problem: "size"};
}

/** @param {File} file @returns {Promise<string>} */
const read = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
