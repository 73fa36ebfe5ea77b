// Answers as a load generator needs them: where one ends and its head, at next to no cost. Of the body nothing but
// its length is looked at.

const HEAD_END = '\r\n\r\n';
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;
const STATUS_AT = 'HTTP/1.1 '.length;

export const statusOf = (head: string): number => Number(head.slice(STATUS_AT, STATUS_AT + 3));

/** Of one connection, on which the next request is sent once the last is answered. */
export class AnswerReader {
  #begun = '';
  #missing = -1;

  /** The beginning of the answer that is whole with this chunk, its head at least; undefined: more is to come. */
  take(chunk: Buffer): string | undefined {
    if (this.#missing < 0) {
      this.#begun += chunk.toString('latin1');
      if (!this.#begun.includes(HEAD_END)) return undefined;
      this.#missing = bytesOf(this.#begun) - this.#begun.length;
    } else this.#missing -= chunk.length;
    if (this.#missing > 0) return undefined;
    if (this.#missing < 0) throw new Error('More came than was asked for');
    const answer = this.#begun;
    this.#missing = -1;
    this.#begun = '';
    return answer;
  }
}

/** Of the whole answer; 304 and 204 have no body, whatever they say. */
function bytesOf(begun: string): number {
  const status = statusOf(begun);
  const bodyBytes = status === 304 || status === 204 ? 0 : Number(CONTENT_LENGTH.exec(begun)![1]);
  return begun.indexOf(HEAD_END) + HEAD_END.length + bodyBytes;
}
