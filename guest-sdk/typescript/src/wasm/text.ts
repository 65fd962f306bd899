/** UTF-8 for engines without `TextEncoder` and `TextDecoder` (WHATWG Encoding, §8). */

/** Encodes texts as UTF-8. */
export class TextEncoder {
  readonly encoding = "utf-8";

  /** Returns the bytes of a text; lone surrogates become U+FFFD. */
  encode(text = ""): Uint8Array {
    const bytes = new Uint8Array(text.length * 3);
    let length = 0;
    for (const letter of text) {
      const point = letter.codePointAt(0) ?? 0;
      length = write(bytes, length, point >= 0xd800 && point <= 0xdfff ? 0xfffd : point);
    }
    return bytes.slice(0, length);
  }
}

/** Decodes UTF-8. */
export class TextDecoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;

  constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) {
      throw new RangeError(`the encoding ${label} is not there; only utf-8 is`);
    }
    this.fatal = options.fatal ?? false;
    this.ignoreBOM = options.ignoreBOM ?? false;
  }

  /** Returns the text of whole UTF-8 bytes; faults are U+FFFD, or an error if `fatal`. */
  decode(input: ArrayBuffer | ArrayBufferView = new Uint8Array()): string {
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    const pieces: string[] = [];
    let points: number[] = [];
    for (let at = this.#start(bytes); at < bytes.length;) {
      const { point, length } = read(bytes, at);
      if (point === undefined && this.fatal) {
        throw new TypeError("the bytes are not UTF-8");
      }
      points.push(point ?? 0xfffd);
      at += length;
      if (points.length === CHUNK) {
        pieces.push(String.fromCodePoint(...points));
        points = [];
      }
    }
    return pieces.join("") + String.fromCodePoint(...points);
  }

  #start(bytes: Uint8Array): number {
    const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    return marked && !this.ignoreBOM ? 3 : 0;
  }
}

function write(bytes: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    bytes[at] = point;
    return at + 1;
  }
  const count = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  bytes[at] = ((0xf00 >> (count + 1)) & 0xff) | (point >> (6 * count));
  for (let left = count - 1; left >= 0; left--) {
    bytes[at + count - left] = 0x80 | ((point >> (6 * left)) & 0x3f);
  }
  return at + count + 1;
}

/** Reads one code point; none and the length of the fault if it is malformed. */
function read(bytes: Uint8Array, at: number): { point?: number; length: number } {
  const first = bytes[at] ?? 0;
  if (first < 0x80) {
    return { point: first, length: 1 };
  }
  const count = first >= 0xc2 && first <= 0xdf ? 1 : (first & 0xf0) === 0xe0 ? 2 : 3;
  if (first < 0xc2 || first > 0xf4) {
    return { length: 1 };
  }
  let point = first & (0x3f >> count);
  for (let index = 1; index <= count; index++) {
    const next = bytes[at + index];
    const [least, most] = index === 1 ? bounds(first) : [0x80, 0xbf];
    if (next === undefined || next < least || next > most) {
      return { length: index };
    }
    point = (point << 6) | (next & 0x3f);
  }
  return { point, length: count + 1 };
}

/** Returns the bounds of the second byte: no overlong forms, no surrogates, at most U+10FFFF. */
function bounds(first: number): readonly [number, number] {
  switch (first) {
    case 0xe0:
      return [0xa0, 0xbf];
    case 0xed:
      return [0x80, 0x9f];
    case 0xf0:
      return [0x90, 0xbf];
    case 0xf4:
      return [0x80, 0x8f];
    default:
      return [0x80, 0xbf];
  }
}

const CHUNK = 4096;
