/** Files that the user sends. */

/** Return whether a file of the user can be read: folders cannot, nor what has changed since. @param {File} file */
export const isReadable = (file) =>
  file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
