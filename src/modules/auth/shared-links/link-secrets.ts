// What opens a shared link. Its token is the link's id with an HMAC of it under the pepper (192 bits): stored
// nowhere, so that neither the event store nor a backup of it opens a link, and still shown again to whoever
// manages the site, because a link that cannot be found again is made anew and the old one forgotten, open. The
// hash of its password is encrypted under the pepper as well, so that whoever has the events cannot try passwords.
import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { KeyPepper } from '../keys/key-pepper.js';
import { decrypt, encrypt } from '../people/encryption.js';

const SECRET_BYTES = 24;
const TOKEN = /^(l[1-9A-HJ-NP-Za-km-z]{11})\.([\w-]{32})$/;

@Injectable()
export class LinkSecrets {
  readonly #keyOfPasswords: Buffer;

  constructor(private readonly pepper: KeyPepper) {
    this.#keyOfPasswords = pepper.derive('passwords of shared links');
  }

  tokenOf(id: string): string {
    return `${id}.${this.#secretOf(id).toString('base64url')}`;
  }

  /** The id of the link, which may be deleted by now; undefined: no token of ours. */
  idOf(token: string): string | undefined {
    const [, id, secret] = TOKEN.exec(token) ?? [];
    if (id === undefined) return undefined;
    return timingSafeEqual(Buffer.from(secret!, 'base64url'), this.#secretOf(id)) ? id : undefined;
  }

  sealPassword(id: string, hash: string): string {
    return encrypt(hash, { key: this.#keyOfPasswords, context: id });
  }

  /** Undefined: it cannot be read, and so is never right. */
  openPassword(id: string, sealed: string): string | undefined {
    return decrypt(sealed, { key: this.#keyOfPasswords, context: id })?.toString();
  }

  #secretOf(id: string): Buffer {
    return this.pepper.derive(`shared link ${id}`).subarray(0, SECRET_BYTES);
  }
}
