/**
 * Decompression of a connection (`zlib-stream`): one stream over all messages of the connection.
 *
 * The browser's DecompressionStream does the work. It does not say where a message ends, so the
 * next one is only passed to it after the present one is complete.
 */

export const isSupported = typeof DecompressionStream === "function";

/** The last byte of each message, which is a JSON object. */
const END = "}".charCodeAt(0);

export class Inflater {
  /**
   * @param {(frame: any) => void} onFrame
   * @param {() => void} onError The stream is broken: nothing more can be read from it.
   */
  constructor(onFrame, onError) {
    this._onFrame = onFrame;
    this._onError = onError;
    const stream = new DecompressionStream("deflate");
    this._writer = stream.writable.getWriter();
    this._reader = stream.readable.getReader();
    /** @type {ArrayBuffer[]} */
    this._waiting = [];
    this._isBusy = false;
    /** Whether anything has arrived. */
    this.hasInput = false;
    this._decoder = new TextDecoder();
    this._text = "";
    this._read();
  }

  /** @param {ArrayBuffer} message */
  push(message) {
    this.hasInput = true;
    this._waiting.push(message);
    if (!this._isBusy) this._next();
  }

  /** Give up the stream. */
  close() {
    this._waiting = [];
    this._onFrame = () => {};
    this._onError = () => {};
    this._writer.abort().catch(() => {});
  }

  _next() {
    const message = this._waiting.shift();
    this._isBusy = message !== undefined;
    if (message !== undefined) this._writer.write(message).catch(() => this._onError());
  }

  async _read() {
    try {
      for (;;) {
        const {value, done} = await this._reader.read();
        if (done) return;
        this._take(value);
      }
    } catch {
      this._onError();
    }
  }

  /** @param {Uint8Array} part */
  _take(part) {
    this._text += this._decoder.decode(part, {stream: true});
    if (part[part.length - 1] !== END) return;
    let frame;
    try {
      frame = JSON.parse(this._text);
    } catch {
      return; // a part of a large message that ends with a brace by chance
    }
    this._text = "";
    this._onFrame(frame);
    this._next();
  }
}
